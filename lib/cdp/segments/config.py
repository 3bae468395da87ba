"""A segment as written in YAML: conf/segments/*.yaml."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    Discriminator,
    Field,
    PositiveInt,
    PrivateAttr,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from cdp.base.settings import Document, Strict
from cdp.conditions.filters import Filter, parts_of
from cdp.conditions.operators import AnyOperator, Regexp
from cdp.segments.limits import Limit, Size
from cdp.segments.lists import ListCondition
from cdp.segments.parts import TimeWindow, digest
from cdp.segments.query import SqlCondition
from cdp.segments.sequence import SequenceCondition
from cdp.segments.shared import Holdout, Shared

NAME = r"^[a-z][a-z0-9_]{0,62}$"


class Matching(Strict):
    """How many elements of a list must meet the operator: `{atLeast: 2}`."""

    atLeast: PositiveInt | None = None
    """This many or more."""
    atMost: int | None = Field(default=None, ge=0)
    """This many or fewer, none included."""
    exactly: int | None = Field(default=None, ge=0)
    """Just so many."""

    @model_validator(mode="after")
    def _says_one_thing(self) -> "Matching":
        if sum(v is not None for v in (self.atLeast, self.atMost, self.exactly)) != 1:
            raise ValueError("wanted one of atLeast, atMost, exactly")
        return self


class AttributeCondition(Strict):
    """Something known of the person: `attribute: traits.orders`."""

    type: Literal["Value"]
    attribute: str = Field(min_length=1)
    """profile.X, traits.X, predictions.X, propensities.X, consent.PURPOSE or household.X."""
    horizon_days: PositiveInt | None = None
    """Horizon, for an attribute of `predictions`."""
    operator: AnyOperator
    """What must hold of it."""
    arrayMatching: Literal["any", "all"] | Matching = "any"
    """For a list: how many of its elements must meet the operator."""


class Aggregation(Strict):
    """What is made of the entries."""

    type: Literal["Count", "CountDistinct", "Sum", "Average", "Min", "Max"]
    """Count and CountDistinct and Sum are 0 where there is no entry; the others are missing."""
    column: str | None = None
    """Column, for all but Count. Min and Max of `occurred_at` are the first and last time."""

    @model_validator(mode="after")
    def _names_a_column(self) -> "Aggregation":
        if (self.column is None) != (self.type == "Count"):
            raise ValueError("Count counts entries, without a column" if self.column else f"{self.type} wants a column")
        return self


class BehaviorCondition(Strict):
    """Something that the person did, or did not do."""

    type: Literal["Value"]
    source: Literal["behavior_timeline"]
    """The table: gold.timeline, every event, order and consent of a person."""
    attribute: Literal[""] = ""
    """Always empty, as in Treasure Data."""
    event: str | tuple[str, ...] | None = None
    """Names of events that count: short for a filter on the column `event`."""
    filter: Filter | None = None
    """Further limits."""
    timeWindow: TimeWindow | None = None
    """How far back; absent: ever."""
    aggregation: Aggregation = Aggregation(type="Count")
    """What is made of the entries."""
    operator: AnyOperator
    """What must hold of the outcome."""

    @property
    def events(self) -> tuple[str, ...]:
        return (self.event,) if isinstance(self.event, str) else self.event or ()

    @property
    def aggregate(self) -> str:
        """Name of the column of the outcome; conditions that count the same share it."""
        wanted = self.model_dump(mode="json", by_alias=True, exclude={"operator", "type", "attribute"})
        return f"behavior_{digest(wanted)}"


class SegmentCondition(Strict):
    """In, or not in, another segment."""

    type: Literal["include", "exclude"]
    segment: str = Field(min_length=1)
    """Its name."""
    when: Literal["now", "ever", "before"] = "now"
    """ever: now, or on any day before the run's date. before: on a day before, and not now."""

    @property
    def outcome(self) -> str:
        """Name of the column that says who was in it on a day before the run's date."""
        return f"was_in__{self.segment}"


class Group(Strict):
    """Conditions together."""

    type: Literal["And", "Or", "Not"]
    """And: all hold. Or: at least one. Not: none of them."""
    conditions: tuple["Condition", ...] = Field(min_length=1)
    """Conditions or further groups, to any depth."""


def _kind_of_condition(value: Any) -> str | None:
    if isinstance(value, BaseModel):
        return type(value).__name__
    if not isinstance(value, Mapping):
        return None
    kind = value.get("type")
    if kind == "Value":
        return "BehaviorCondition" if "source" in value else "AttributeCondition"
    known = {
        "And": "Group",
        "Or": "Group",
        "Not": "Group",
        "include": "SegmentCondition",
        "exclude": "SegmentCondition",
        "Sequence": "SequenceCondition",
        "List": "ListCondition",
        "Sql": "SqlCondition",
    }
    return known.get(kind) if isinstance(kind, str) else None


Condition = Annotated[
    Annotated[Group, Tag("Group")]
    | Annotated[AttributeCondition, Tag("AttributeCondition")]
    | Annotated[BehaviorCondition, Tag("BehaviorCondition")]
    | Annotated[SegmentCondition, Tag("SegmentCondition")]
    | Annotated[SequenceCondition, Tag("SequenceCondition")]
    | Annotated[ListCondition, Tag("ListCondition")]
    | Annotated[SqlCondition, Tag("SqlCondition")],
    Discriminator(
        _kind_of_condition,
        custom_error_type="condition_type",
        custom_error_message="wanted type And, Or, Not, Value, Sequence, include, exclude, List or Sql",
    ),
]
Group.model_rebuild()


class Lookalike(Strict):
    """Those among everybody else who are most like the members of another segment."""

    seed: str = Field(min_length=1)
    """Name of the segment whose members are to be found again; they are no members of this one."""
    size: Size
    """How many: a number of people, or a share of the candidates such as `5%`, rounded up."""
    exclude_features: tuple[str, ...] = ()
    """Features not to compare by, beside those that define the seed, which are found and left out."""
    min_seed: int = Field(default=100, ge=20)
    """With fewer members to learn from the segment is empty."""
    if_unproven: Literal["empty", "keep"] = "empty"
    """What becomes of members whose ranking is not proven better than chance."""


class Segment(Document):
    """conf/segments/NAME.yaml: who belongs to an audience."""

    name: str = Field(pattern=NAME)
    """Its name, for ever: lower case, digits and _. Never reuse the name of an old segment."""
    kind: Literal["batch"] = "batch"
    """As in Treasure Data; the others do not exist here."""
    purpose: str | None = None
    """Consent purpose: members who do not allow it are counted as suppressed, and never delivered."""
    holdout: Holdout = Holdout()
    """Control group."""
    limit: Limit | None = None
    """How many members at most, and who comes first; absent: all who meet the rule."""
    ignore_exclusions: bool = False
    """Whether members of the segments under `exclude_always` in conf/segments.yaml may be members of this one."""
    include_anonymous: bool = False
    """Whether visitors known by a device or cookie alone may be members."""
    lookalike: Lookalike | None = None
    """Whom its members resemble; the rule, if any, then says who may be one."""
    rule: Group | None = None
    """What must hold."""
    _shared: Shared = PrivateAttr(default_factory=Shared)

    @field_validator("rule", mode="after")
    @classmethod
    def _has_a_rule_or_a_seed(cls, rule: Group | None, others: ValidationInfo) -> Group | None:
        # Where the lookalike itself is wrong it is not among the others, and its own problem says enough.
        if rule is None and others.data.get("lookalike", ...) is None:
            raise PydanticCustomError("missing", "wanted a rule, a lookalike, or both")
        return rule

    def with_shared(self, shared: Shared) -> "Segment":
        """The segment under what conf/segments.yaml says of it."""
        found = self.model_copy()
        found._shared = shared
        return found

    @property
    def shared(self) -> Shared:
        """What conf/segments.yaml says of it."""
        return self._shared

    def conditions(self) -> Iterator[tuple[str, Condition]]:
        """Every condition of the rule with its key path, groups included."""
        if self.rule is not None:
            yield from walk(self.rule, "rule")

    @property
    def patterns(self) -> tuple[str, ...]:
        """Regular expressions of the rule, those of filters included."""
        conditions = [condition for _, condition in self.conditions()]
        parts = [p for c in conditions if isinstance(c, BehaviorCondition) for _, p in filters(c)]
        operators = [getattr(part, "operator", None) for part in (*conditions, *parts)]
        operators += [o for c in conditions if isinstance(c, SequenceCondition) for o in c.operators]
        return tuple(o.value for o in operators if isinstance(o, Regexp))

    @property
    def lists(self) -> dict[str, str]:
        """Hash of the content of each list that the rule names."""
        return {c.file: c.content for _, c in self.conditions() if isinstance(c, ListCondition)}

    @property
    def kept(self) -> dict[str, tuple[SequenceCondition, ...]]:
        """Columns that sequences of the rule keep, each with those sequences in the order of the rule."""
        found: dict[str, tuple[SequenceCondition, ...]] = {}
        for sequence in (c for _, c in self.conditions() if isinstance(c, SequenceCondition)):
            for path in sequence.keep:
                found[path] = (*found.get(path, ()), sequence)
        return found

    @property
    def references(self) -> tuple[str, ...]:
        """Segments that the rule names, the seed, and those whose members are no members of this one."""
        named = {c.segment for _, c in self.conditions() if isinstance(c, SegmentCondition)}
        return tuple(sorted(named | self.shared.barred.keys() | ({self.lookalike.seed} if self.lookalike else set())))

    def version_with(self, versions: Mapping[str, str]) -> str:
        """Hash of all that decides who is a member: lists, and the rules of referenced segments included."""
        decisive = [_plain(self.rule), self.include_anonymous, [versions[name] for name in self.references]]
        further = [_plain(self.lookalike), _plain(self.limit), sorted(self.shared.barred), self.lists]
        while further and not further[-1]:
            further.pop()
        return digest([*decisive, *further])


def walk(condition: Any, path: str) -> Iterator[tuple[str, Any]]:
    """A condition with its key path, and those inside it."""
    yield path, condition
    for i, inner in enumerate(getattr(condition, "conditions", ())):
        yield from walk(inner, f"{path}.conditions.{i}")


def filters(condition: BehaviorCondition) -> Iterator[tuple[str, Any]]:
    """Every part of a behaviour's filter with its key path below the condition."""
    if condition.filter is not None:
        yield from parts_of(condition.filter, "filter")


def _plain(section: Strict | None) -> Any:
    return section.model_dump(mode="json", by_alias=True, exclude_defaults=True) if section else None
