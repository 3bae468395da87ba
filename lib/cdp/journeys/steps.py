"""The steps of a journey as written in YAML."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Discriminator, Field, PositiveInt, Tag, model_validator

from cdp.base.settings import Strict
from cdp.segments.config import NAME, Condition

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

_MONTHS = {"year": 12, "quarter": 3, "month": 1}
_DAYS = {"week": 7, "day": 1}
_MOST_DAYS = 36_500


class Duration(Strict):
    """So much time, by the calendar; a day that a month does not have becomes its last one."""

    duration: PositiveInt
    """How many."""
    unit: Literal["year", "quarter", "month", "week", "day"]
    """year ... day: a journey goes on once a day."""

    @property
    def months(self) -> int:
        return self.duration * _MONTHS.get(self.unit, 0)

    @property
    def days(self) -> int:
        """Days beside the months."""
        return self.duration * _DAYS.get(self.unit, 0)

    @model_validator(mode="after")
    def _is_in_calendar(self) -> "Duration":
        if self.months * 31 + self.days > _MOST_DAYS:
            raise ValueError(f"wanted at most {_MOST_DAYS:,} days, found {self.duration} {self.unit}")
        return self


ONE_DAY = Duration(duration=1, unit="day")


class _Step(Strict):
    """What all steps have."""

    name: str = Field(pattern=NAME)
    """Its name, once in the journey; destinations call it JOURNEY.NAME."""

    @property
    def ways(self) -> Mapping[str, str | None]:
        """Steps that come after it, by key path; None: the one that follows in the file."""
        return {}

    @property
    def quick_ways(self) -> tuple[str, ...]:
        """Those of its ways that may be taken on the day on which it is reached."""
        return tuple(self.ways)

    @property
    def conditions(self) -> Iterator[tuple[str, Condition]]:
        """Its conditions, by key path."""
        yield from ()


class SendStep(_Step):
    """Who is here is delivered to the destinations that name the step."""

    type: Literal["send"]
    stay: Duration = ONE_DAY
    """How long somebody is here; never shorter than until the next run."""
    next: str | None = None
    """Step after it; absent: the one that follows."""

    @property
    def ways(self) -> Mapping[str, str | None]:
        return {"next": self.next}

    @property
    def quick_ways(self) -> tuple[str, ...]:
        return ()


class WaitStep(_Step):
    """Nothing happens until a time is over, a weekday comes, or a condition holds."""

    type: Literal["wait"]
    for_: Duration | None = Field(default=None, alias="for")
    """How long."""
    weekday: Weekday | None = None
    """Until such a day: the first, when `for` is over; the day itself counts."""
    until: Condition | None = None
    """Until it holds."""
    at_most: Duration | None = None
    """How long to wait for it."""
    next: str | None = None
    """Step after it; absent: the one that follows."""
    otherwise: str | None = None
    """Step where the condition did not hold in time; absent: as `next`."""

    @model_validator(mode="after")
    def _waits_for_one_thing(self) -> "WaitStep":
        by_time = self.for_ is not None or self.weekday is not None
        if by_time == (self.until is not None):
            raise ValueError("wanted for, weekday or both, or until with at_most")
        if (self.until is None) != (self.at_most is None):
            raise ValueError(
                "until wants at_most, so that nobody waits for ever" if self.until else "only until has at_most"
            )
        if self.until is None and self.otherwise is not None:
            raise ValueError("only until has otherwise")
        return self

    @property
    def ways(self) -> Mapping[str, str | None]:
        return {"next": self.next, **({"otherwise": self.otherwise} if self.otherwise else {})}

    @property
    def quick_ways(self) -> tuple[str, ...]:
        return () if self.for_ else ("next",)

    @property
    def conditions(self) -> Iterator[tuple[str, Condition]]:
        if self.until is not None:
            yield "until", self.until


class Case(Strict):
    """One way of a branch."""

    if_: Condition = Field(alias="if")
    """What must hold."""
    next: str
    """Step then."""


class BranchStep(_Step):
    """The first case that holds says where to go. Takes no time."""

    type: Literal["branch"]
    cases: tuple[Case, ...] = Field(min_length=1)
    """In order."""
    else_: str | None = Field(default=None, alias="else")
    """Step where no case holds; absent: the one that follows."""

    @property
    def ways(self) -> Mapping[str, str | None]:
        return {**{f"cases.{i}.next": case.next for i, case in enumerate(self.cases)}, "else": self.else_}

    @property
    def conditions(self) -> Iterator[tuple[str, Condition]]:
        for i, case in enumerate(self.cases):
            yield f"cases.{i}.if", case.if_


class Share(Strict):
    """One way of a split."""

    percent: float = Field(gt=0, le=100)
    """Share of the people."""
    next: str
    """Their step."""


class SplitStep(_Step):
    """Chance says where to go, for the same person always the same. Takes no time."""

    type: Literal["split"]
    shares: tuple[Share, ...] = Field(min_length=1)
    """Two or more, together 100 percent."""
    salt: str | None = None
    """Splits with the same salt and shares part people alike; absent: JOURNEY.NAME."""

    @property
    def ways(self) -> Mapping[str, str | None]:
        return {f"shares.{i}.next": share.next for i, share in enumerate(self.shares)}


class EndStep(_Step):
    """The journey is over: who comes here leaves."""

    type: Literal["end"]


AnyStep = SendStep | WaitStep | BranchStep | SplitStep | EndStep
STEPS: Mapping[str, type[AnyStep]] = {
    "send": SendStep,
    "wait": WaitStep,
    "branch": BranchStep,
    "split": SplitStep,
    "end": EndStep,
}
"""Classes of steps by type."""


def _type_of_step(value: Any) -> str | None:
    if isinstance(value, BaseModel):
        return type(value).__name__
    kind = value.get("type") if isinstance(value, Mapping) else None
    return STEPS[kind].__name__ if isinstance(kind, str) and kind in STEPS else None


Step = Annotated[
    Annotated[SendStep, Tag("SendStep")]
    | Annotated[WaitStep, Tag("WaitStep")]
    | Annotated[BranchStep, Tag("BranchStep")]
    | Annotated[SplitStep, Tag("SplitStep")]
    | Annotated[EndStep, Tag("EndStep")],
    Discriminator(
        _type_of_step,
        custom_error_type="step_type",
        custom_error_message="wanted type send, wait, branch, split or end",
    ),
]
