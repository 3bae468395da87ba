"""A journey as written in YAML: conf/journeys/*.yaml."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Discriminator, Field, PrivateAttr, Tag

from cdp.base.settings import Document, Strict
from cdp.journeys.steps import AnyStep, Duration, Step
from cdp.segments.config import NAME, Condition, Group, Segment
from cdp.segments.parts import digest
from cdp.segments.shared import EXCLUDE_ALWAYS, Holdout, Shared, SharedConfig

GOAL, EXIT = "goal", "exit"
_NOT_DECISIVE = {"version", "description", "owner", "tags", "purpose", "holdout"}
"""Keys that do not say who is at which step."""


class Entry(Strict):
    """Who comes in."""

    segment: str = Field(min_length=1)
    """Members of this segment."""
    since: date | None = None
    """Only those who came into the segment on this day or later; absent: all members."""


class Reentry(Strict):
    """Who was in may come again."""

    after: Duration
    """So long after leaving."""


def _kind_of_reentry(value: Any) -> str | None:
    if value == "never":
        return "never"
    return "Reentry" if isinstance(value, Mapping | BaseModel) else None


class Journey(Document):
    """conf/journeys/NAME.yaml: steps that people go through over days."""

    name: str = Field(pattern=NAME)
    """Its name, for ever: lower case, digits and _. Never reuse the name of an old journey."""
    purpose: str | None = None
    """Consent purpose: who does not allow it goes on, and is never delivered."""
    holdout: Holdout = Holdout()
    """Control group: goes on, and is never delivered."""
    ignore_exclusions: bool = False
    """Whether members of the segments under `exclude_always` in conf/segments.yaml may be in it."""
    entry: Entry
    """Who comes in."""
    reentry: Annotated[
        Annotated[Literal["never"], Tag("never")] | Annotated[Reentry, Tag("Reentry")],
        Discriminator(
            _kind_of_reentry,
            custom_error_type="reentry",
            custom_error_message="wanted never, or a time after leaving such as {after: {duration: 90, unit: day}}",
        ),
    ] = "never"
    """Whether who was in may come in again."""
    goal: Condition | None = None
    """Who meets it leaves as converted, wherever they are."""
    exit: Condition | None = None
    """Who meets it, and not the goal, leaves as exited, wherever they are."""
    steps: tuple[Step, ...] = Field(min_length=1)
    """In order; the first is where people come in."""
    _shared: SharedConfig = PrivateAttr(default_factory=SharedConfig)

    def with_shared(self, shared: SharedConfig) -> "Journey":
        """The journey under what conf/segments.yaml says of all."""
        found = self.model_copy()
        found._shared = shared
        return found

    @property
    def excluded(self) -> tuple[str, ...]:
        """Segments whose members are not in it."""
        return () if self.ignore_exclusions else self._shared.exclude_always

    @property
    def by_name(self) -> dict[str, AnyStep]:
        """Its steps."""
        return {step.name: step for step in self.steps}

    def conditions(self) -> Iterator[tuple[str, Condition]]:
        """What it asks, each with its key path; the parts of a condition aside."""
        if self.goal is not None:
            yield GOAL, self.goal
        if self.exit is not None:
            yield EXIT, self.exit
        for i, step in enumerate(self.steps):
            for path, condition in step.conditions:
                yield f"steps.{i}.{path}", condition

    def columns(self) -> dict[str, str]:
        """Columns that say whom each condition holds for, by key path (see `cdp.journeys.frame`)."""
        return {path: f"met__{self.name}__{number}" for number, (path, _) in enumerate(self.conditions())}

    def ways(self, step: AnyStep) -> dict[str, str | None]:
        """Names of the steps after a step, by key path; None: nothing follows."""
        place = self.steps.index(step)
        following = self.steps[place + 1].name if place + 1 < len(self.steps) else None
        return {path: name if name is not None else following for path, name in step.ways.items()}

    @property
    def as_segment(self) -> Segment:
        """A segment that asks all that the journey asks, has its purpose and its control group: what works on rules works on it."""
        # Without a condition the rule is an empty group, which no file may have.
        rule = Group.model_construct(type="Or", conditions=tuple(condition for _, condition in self.conditions()))
        segment = Segment(name=self.name, purpose=self.purpose, holdout=self.holdout, rule=rule)
        barred = dict.fromkeys(self.excluded, EXCLUDE_ALWAYS)
        return segment.with_shared(Shared(barred, self._shared.holdout))

    @property
    def hash(self) -> str:
        """Version: a hash of all that decides who is at which step, of referenced segments only the names."""
        plain = self.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude=_NOT_DECISIVE)
        return digest([plain, self.as_segment.lists, list(self.excluded)])
