"""Sequences as written in YAML: one thing after another, each within its time, of one object."""

from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import Field

from cdp.base.settings import Strict
from cdp.conditions.columns import Named, UnknownAttributeError
from cdp.conditions.filters import ColumnCondition, Filter, filter_problems, parts_of
from cdp.conditions.operators import Operator
from cdp.segments.attributes import order_line_column, timeline_column
from cdp.segments.parts import TimeBox, TimeWindow, digest

MOST_STEPS = 10
MOMENTS = {"behavior_timeline": "occurred_at", "order_lines": "ordered_at"}
"""When an entry was, by its source."""
_MOST_KEPT = 10
_LONGEST_DAYS = 36_500
_DAY = 86_400_000_000


class Step(Strict):
    """An entry that must come, or must not."""

    source: Literal["behavior_timeline", "order_lines"] = "behavior_timeline"
    """Whose entries: gold.timeline's, or the lines of gold.order_lines, which know the product."""
    event: str | tuple[str, ...] | None = None
    """Names of events that count; of the timeline only."""
    filter: Filter | None = None
    """Further limits."""
    within: TimeBox | None = None
    """The longest time after the step before, itself included; of the step that must come before, where that is a `not`."""
    not_: bool = Field(default=False, alias="not")
    """No such entry: between the steps around it, or, as the last one, after the step before."""
    correlateOn: Mapping[str, str] = Field(default_factory=dict)
    """The columns of this step that stand for the sequence's, where they are called otherwise."""

    @property
    def events(self) -> tuple[str, ...]:
        return (self.event,) if isinstance(self.event, str) else self.event or ()

    def column(self, path: str) -> Named:
        """The column of the step's entries that `path` names.

        Raises:
            UnknownAttributeError: there is none.
        """
        return order_line_column(path) if self.source == "order_lines" else timeline_column(path)

    def standing_for(self, path: str) -> Named | None:
        """The column of the step's entries that stands for one that the sequence keeps; None: they have none."""
        try:
            return self.column(self.correlateOn.get(path, path))
        except UnknownAttributeError:
            return None


class SequenceCondition(Strict):
    """The person did one thing after another, or did not after it."""

    type: Literal["Sequence"]
    steps: tuple[Step, ...] = Field(min_length=1, max_length=MOST_STEPS)
    """What comes, in this order."""
    timeWindow: TimeWindow | None = None
    """How far back entries count; absent: ever."""
    correlateOn: tuple[str, ...] = ()
    """Columns whose values all entries of one chain share, such as properties.cart_id."""
    # It does not decide who is a member, so neither `outcome` nor the version of a segment has part in it.
    keep: tuple[str, ...] = Field(default=(), max_length=_MOST_KEPT, exclude=True)
    """Columns whose values a member is stored with, for destinations (`matched.COLUMN`)."""

    @property
    def outcome(self) -> str:
        """Name of the column that says of whom it holds; equal sequences share it."""
        return f"holds__sequence_{digest(self.model_dump(mode='json', by_alias=True))}"

    @property
    def kept(self) -> str:
        """Name of the column with what it keeps of those of whom it holds."""
        return f"kept__{self.outcome}"

    def keeping(self, more: tuple[str, ...]) -> "SequenceCondition":
        """The sequence with further columns to keep."""
        return self.model_copy(update={"keep": tuple(dict.fromkeys((*self.keep, *more)))})

    @property
    def operators(self) -> tuple[Operator, ...]:
        """Operators of the filters of its steps."""
        parts = [part for step in self.steps if step.filter for _, part in parts_of(step.filter, "filter")]
        return tuple(part.operator for part in parts if isinstance(part, ColumnCondition))


def sequence_problems(sequence: SequenceCondition) -> Iterator[str]:
    """What is wrong with a well-formed sequence, as lines `key: CODE: text`."""
    steps = sequence.steps
    if len(steps) < 2:
        yield "steps: INVALID_SEQUENCE: found one step, wanted two or more"
    if len(set(sequence.correlateOn)) < len(sequence.correlateOn):
        yield "correlateOn: INVALID_SEQUENCE: a column is there twice"
    for i, step in enumerate(steps):
        is_last = i == len(steps) - 1
        at = f"steps.{i}"
        if i == 0 and step.not_:
            yield f"{at}.not: INVALID_SEQUENCE: the first step must come; nothing is before it that it could not follow"
        if i == 0 and step.within:
            yield f"{at}.within: INVALID_SEQUENCE: the first step has none before it; timeWindow says how far back entries count"
        if i and step.not_ and steps[i - 1].not_:
            yield f"{at}.not: INVALID_SEQUENCE: two not steps in a row; wanted one with both events, or an Or of both filters"
        if i and step.not_ and step.within and not is_last:
            yield f"{at}.within: INVALID_SEQUENCE: a not step between others lasts from one to the other; wanted within on the next"
        if step.within and step.within.micros > _LONGEST_DAYS * _DAY:
            yield f"{at}.within: INVALID_SEQUENCE: wanted at most {_LONGEST_DAYS:,} days"
        yield from (f"{at}.{line}" for line in _step_problems(step, sequence.correlateOn))
    for i, path in enumerate(sequence.keep):
        yield from (f"keep.{i}: {line}" for line in _keep_problems(path, sequence))


def _step_problems(step: Step, correlated: tuple[str, ...]) -> Iterator[str]:
    if step.source == "order_lines" and step.event is not None:
        yield "event: INVALID_SEQUENCE: order lines have none; wanted a filter, e.g. on status"
    elif step.source == "behavior_timeline" and not step.filter and not any(step.events):
        yield "event: INVALID_SEQUENCE: wanted event, filter or both"
    elif not all(name.strip() for name in step.events):
        yield "event: INVALID_SEQUENCE: found an empty name"
    if step.filter:
        yield from filter_problems(step.filter, "filter", step.column)
    for name in sorted(set(step.correlateOn) - set(correlated)):
        yield f"correlateOn.{name}: INVALID_SEQUENCE: the sequence's own correlateOn has no {name}"
    for name in correlated:
        path = step.correlateOn.get(name, name)
        try:
            found = step.column(path)
        except UnknownAttributeError as error:
            yield f"correlateOn: UNKNOWN_ATTRIBUTE: {error}"
            continue
        if found.kind not in ("text", "loose") or found.is_array:
            yield f"correlateOn: INVALID_SEQUENCE: {path} is no text; wanted an identifier"


def _keep_problems(path: str, sequence: SequenceCondition) -> Iterator[str]:
    if sequence.keep.count(path) > 1:
        yield f"INVALID_SEQUENCE: {path} is there twice"
        return
    wanted = [step for step in sequence.steps if not step.not_]
    found = [column for step in wanted if (column := step.standing_for(path))]
    if not found:
        try:
            sequence.steps[0].column(path)
        except UnknownAttributeError as error:
            yield f"UNKNOWN_ATTRIBUTE: {error}"
    elif any(column.is_array for column in found):
        yield f"INVALID_SEQUENCE: {path} is a list; wanted one value"
