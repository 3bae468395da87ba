"""One person judged by a rule in plain Python: the outcome of every condition with the value that met or missed it.

The very outcomes of `cdp.segments.compile` and of what it is made of, which tests hold it against. What only a run over all
customers can tell (lookalikes, a limited number of members), or only Spark (SQL), has no outcome here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from cdp.conditions.clock import Clock
from cdp.conditions.holds import is_turned
from cdp.conditions.judge import all_of, is_met, meets, opposite, passes, together, value_in
from cdp.conditions.operators import AttributeReference, IsNull, Operator
from cdp.conditions.reading import UnsureError, number_of, time_of
from cdp.segments.attributes import Attribute, Catalogue, timeline_column
from cdp.segments.behavior import outcome_kind
from cdp.segments.config import AttributeCondition, BehaviorCondition, Group, Matching, Segment, SegmentCondition
from cdp.segments.limits import DRAWS, draw_of, is_drawn
from cdp.segments.lists import ListCondition
from cdp.segments.sequence import SequenceCondition
from cdp.segments.trail import Missing, trail_of

Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Known:
    """What is known of a person.

    Attributes:
        is_anonymous: as `gold.profiles` says.
        value: the value of an attribute; None where it is missing, and of consent false.
        timeline: rows of `gold.timeline`.
        stored: whether `gold.segment_members` has the person in a segment.
        customer_id: who it is.
        order_lines: rows of `gold.order_lines`.
        was_in: whether the person was in a segment on a day before the date.
        on_list: the identifier by which the person is on a list; None: not on it.
    """

    is_anonymous: bool
    value: Callable[[Attribute], Any]
    timeline: Sequence[Entry]
    stored: Callable[[str], bool]
    customer_id: str
    order_lines: Sequence[Entry]
    was_in: Callable[[str], bool]
    on_list: Callable[[ListCondition], str | None]


@dataclass(frozen=True)
class Outcome:
    """How a condition came out.

    Attributes:
        of: the condition; of a segment as a whole its name; a text for what is no condition of a rule.
        holds: None: it cannot be told here.
        value: what was judged, of conditions on a value.
        inner: outcomes of the conditions in it.
        note: what else there is to say.
    """

    of: Any
    holds: bool | None
    value: Any = None
    inner: tuple["Outcome", ...] = ()
    note: str = ""


@dataclass
class Judge:
    """Judges one person.

    Attributes:
        person: what is known.
        segments: by name.
        clock: the date as of which it is judged.
        catalogue: what there is to ask.
    """

    person: Known
    segments: Mapping[str, Segment]
    clock: Clock
    catalogue: Catalogue
    _found: dict[str, Outcome] = field(default_factory=dict)

    def membership(self, name: str) -> Outcome:
        """Whether the person is in a segment, and why: the rule, and what else keeps people out."""
        if name not in self._found:
            self._found[name] = self._membership(self.segments[name])
        return self._found[name]

    def _membership(self, segment: Segment) -> Outcome:
        parts = []
        if not segment.include_anonymous and self.person.is_anonymous:
            parts.append(Outcome("known by more than a cookie (include_anonymous)", False))
        if segment.rule is not None:
            parts.append(self.condition(segment.rule))
        for other, key in segment.shared.barred.items():
            inside = self._is_in(other)
            outside = opposite(inside.holds)
            parts.append(Outcome(f"not in {other} ({key} in conf/segments.yaml)", outside, note=inside.note))
        holds = all_of([part.holds for part in parts])
        for last in (*self._lookalike(segment), *self._limit(segment)):
            parts.append(last)
            holds = all_of([holds, last.holds])
        return Outcome(segment.name, holds, inner=tuple(parts))

    def _lookalike(self, segment: Segment) -> Sequence[Outcome]:
        if segment.lookalike is None:
            return ()
        return [Outcome(f"like {segment.lookalike.seed}", None, note="likeness is found among all customers together")]

    def _limit(self, segment: Segment) -> Sequence[Outcome]:
        limit = segment.limit
        if limit is None:
            return ()
        if not limit.is_own_draw:
            text = f"among the first {limit.size} of those"
            return [Outcome(text, None, note="places are given out among all customers together")]
        drawn = draw_of(limit.salt or segment.name, self.person.customer_id)
        return [Outcome(f"drawn, a share of {limit.size}", is_drawn(limit, drawn), value=round(drawn / DRAWS, 6))]

    def _is_in(self, name: str) -> Outcome:
        """As `membership`, by what the last run found where it cannot be told here."""
        found = self.membership(name)
        if found.holds is not None:
            return found
        return Outcome(name, self.person.stored(name), note=f"{name} by its last run")

    def condition(self, condition: Any) -> Outcome:
        """How a condition of a rule comes out."""
        if isinstance(condition, Group):
            inner = tuple(self.condition(part) for part in condition.conditions)
            return Outcome(condition, together(condition.type, [part.holds for part in inner]), inner=inner)
        if isinstance(condition, SegmentCondition):
            return self._membership_of(condition)
        value: Any = None
        try:
            if isinstance(condition, AttributeCondition):
                value = self._value(condition.attribute, condition.horizon_days)
                return Outcome(condition, self._attribute(condition, value), value)
            if isinstance(condition, BehaviorCondition):
                value = self._aggregate(condition)
                kind, others = outcome_kind(condition), self._others(condition.operator)
                return Outcome(condition, meets(condition.operator, value, kind, self.clock, others), value)
            if isinstance(condition, SequenceCondition):
                return self._sequence(condition)
            if isinstance(condition, ListCondition):
                value = self.person.on_list(condition)
                return Outcome(condition, value is not None, value)
        except UnsureError as error:
            return Outcome(condition, None, value, note=f"only Spark can tell: {error}")
        return Outcome(condition, None, note="only Spark can tell")

    def _membership_of(self, condition: SegmentCondition) -> Outcome:
        now = self._is_in(condition.segment)
        holds, note = now.holds, now.note
        if condition.when != "now":
            was = self.person.was_in(condition.segment)
            parts = [opposite(holds), was] if condition.when == "before" else [holds, was]
            holds = together("And" if condition.when == "before" else "Or", parts)
            note = "; ".join(["was in it before" if was else "never was in it before", *([note] if note else [])])
        return Outcome(condition, holds if condition.type == "include" else opposite(holds), inner=now.inner, note=note)

    def _sequence(self, sequence: SequenceCondition) -> Outcome:
        rows = {"behavior_timeline": self.person.timeline, "order_lines": self.person.order_lines}
        trail = trail_of(sequence, rows, self.clock)
        missing = trail.missing
        until = len(sequence.steps) if missing is None else missing.step + 1
        steps = [
            Outcome(step, False, missing.at, note=_said_missing(missing))
            if missing and number == missing.step
            else Outcome(step, True, trail.times.get(number), note="" if number in trail.times else "none came")
            for number, step in enumerate(sequence.steps[:until])
        ]
        common = dict(zip(sequence.correlateOn, trail.values, strict=False)) or None
        return Outcome(sequence, missing is None, common, tuple(steps))

    def _value(self, path: str, horizon_days: int | None) -> Any:
        return self.person.value(self.catalogue.find(path, horizon_days))

    def _others(self, operator: Operator) -> Mapping[AttributeReference, Any]:
        reference = getattr(operator, "value", None)
        if not isinstance(reference, AttributeReference):
            return {}
        return {reference: self._value(reference.attribute, reference.horizon_days)}

    def _attribute(self, condition: AttributeCondition, value: Any) -> bool:
        found = self.catalogue.find(condition.attribute, condition.horizon_days)
        operator, others = condition.operator, self._others(condition.operator)
        if not found.is_array:
            return meets(operator, value, found.kind, self.clock, others)
        elements = value or []
        if isinstance(operator, IsNull):
            return (not elements) != is_turned(operator)
        meeting = sum(is_met(operator, element, found.kind, self.clock, others) for element in elements)
        return _enough(meeting, len(elements), condition.arrayMatching) != is_turned(operator)

    def _aggregate(self, condition: BehaviorCondition) -> Any:
        entries = [entry for entry in self.person.timeline if self._counts(condition, entry)]
        aggregation = condition.aggregation
        if aggregation.column is None:
            return len(entries)
        found = timeline_column(aggregation.column)
        values = [value_in(entry, found) for entry in entries]
        if aggregation.type == "CountDistinct":
            return len({value for value in values if value is not None})
        if found.kind == "loose":
            values = [number_of(value) for value in values if value is not None]
        return _aggregated(aggregation.type, [value for value in values if value is not None])

    def _counts(self, condition: BehaviorCondition, entry: Entry) -> bool:
        at = time_of(entry["occurred_at"])
        assert at is not None
        if at >= self.clock.end:
            return False
        window = condition.timeWindow
        if window and at < window.begin(self.clock):
            return False
        if condition.events and entry["event"] not in condition.events:
            return False
        return condition.filter is None or passes(condition.filter, entry, self.clock, timeline_column)


def _said_missing(missing: Missing) -> str:
    return {
        "never": "did not come",
        "late": "came too late",
        "came": "came",
        "open": "none came so far, and its time is not over before then",
    }[missing.how]


def _enough(meeting: int, of: int, matching: str | Matching) -> bool:
    if isinstance(matching, str):
        return meeting > 0 and (matching == "any" or meeting == of)
    if matching.atLeast is not None:
        return meeting >= matching.atLeast
    return meeting <= matching.atMost if matching.atMost is not None else meeting == matching.exactly


def _aggregated(kind: str, values: Sequence[Any]) -> Any:
    if kind == "Sum":
        return sum(values)
    if not values:
        return None
    if kind == "Average":
        # Spark keeps four digits more than an amount has.
        mean = sum(values) / len(values)
        return mean.quantize(Decimal("0.000001"), ROUND_HALF_UP) if isinstance(mean, Decimal) else mean
    return min(values) if kind == "Min" else max(values)
