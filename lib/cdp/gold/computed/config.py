"""conf/traits.yaml: traits that a company adds to those that every customer has."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    Discriminator,
    Field,
    PositiveInt,
    Tag,
    field_validator,
    model_validator,
)

from cdp.base.contracts import Table
from cdp.base.settings import Document, Strict
from cdp.conditions.clock import Clock
from cdp.conditions.columns import Named, named
from cdp.conditions.filters import ColumnCondition, Filter, parts_of
from cdp.conditions.operators import Regexp
from cdp.tables.gold import CUSTOMER_ORDER_LINES, CUSTOMER_ORDERS, TIMELINE, TRAITS

FILE = "traits.yaml"

INPUTS: Mapping[str, Table] = {"timeline": TIMELINE, "orders": CUSTOMER_ORDERS, "order_lines": CUSTOMER_ORDER_LINES}
"""What traits are computed from, by the word of `from`."""

MOMENT: Mapping[str, str] = {"timeline": "occurred_at", "orders": "ordered_at", "order_lines": "ordered_at"}
"""The column of each input that windows, first and last go by."""

VALUE_TYPES: Mapping[str, str] = {
    "text": "string",
    "number": "double",
    "integer": "bigint",
    "money": "decimal(18,2)",
    "boolean": "boolean",
    "time": "timestamp",
    "date": "date",
    "list": "array<string>",
}
"""Spark type of each word of `value_type`."""

ValueType = Literal["text", "number", "integer", "money", "boolean", "time", "date", "list"]


class Ago(Strict):
    """A moment so long before the end of the run's date: `{days: 30}`. One of the units."""

    years: int | None = Field(default=None, ge=1, le=100)
    """Calendar years."""
    quarters: int | None = Field(default=None, ge=1, le=400)
    """Calendar quarters."""
    months: int | None = Field(default=None, ge=1, le=1200)
    """Calendar months."""
    weeks: int | None = Field(default=None, ge=1, le=5200)
    """Weeks."""
    days: int | None = Field(default=None, ge=1, le=36500)
    """Days: 7 are seven whole days with the run's date as the last."""

    @model_validator(mode="after")
    def _is_one(self) -> "Ago":
        if len(self._given) != 1:
            raise ValueError("wanted one unit, e.g. {days: 30}")
        return self

    @property
    def _given(self) -> dict[str, int]:
        return {unit: count for unit, count in self if count is not None}

    def before(self, clock: Clock) -> datetime:
        """The moment."""
        ((units, count),) = self._given.items()
        return clock.ago(count, units.removesuffix("s"))


class Window(Ago):
    """The last so much time, or `{from: {days: 60}, to: {days: 30}}`: from the one moment up to the other."""

    from_: Ago | None = Field(default=None, alias="from")
    """Begin, included."""
    to: Ago | None = None
    """End, excluded."""

    @model_validator(mode="after")
    def _is_one(self) -> "Window":
        spans = [self.from_, self.to]
        if any(spans) and (not all(spans) or len(self._given) != 2):
            raise ValueError("wanted from and to together, and no unit beside them")
        if not any(spans) and len(self._given) != 1:
            raise ValueError("wanted one unit, e.g. {days: 30}, or from and to")
        if self.from_ and self.to:
            # A month is 28 to 31 days, so it is asked of each day of four years.
            clocks = [Clock(date(2024, 1, 1) + timedelta(days=n)) for n in range(4 * 366)]
            if any(self.from_.before(clock) >= self.to.before(clock) for clock in clocks):
                raise ValueError("from is not longer ago than to, on each day of the year")
        return self

    def bounds(self, clock: Clock) -> tuple[datetime, datetime]:
        """First moment that counts, and first that no longer does."""
        if self.from_ and self.to:
            return self.from_.before(clock), self.to.before(clock)
        return self.before(clock), clock.end


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


EventName = Annotated[str, Field(min_length=1)]


class Trait(Strict):
    """What every trait has."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")
    """Its column in gold.traits, for ever: lower case, digits and _. Never reuse the name of an old one."""
    description: str = ""
    """What it means, for the data dictionary."""
    pii: bool | None = None
    """Whether it is personal data. Unless it is said: texts and lists of a personal column, and texts, lists, dates and times
    that a query gives, are."""


class Counted(Trait):
    """A trait of the entries that count."""

    from_: Literal["timeline", "orders", "order_lines"] = Field(default="timeline", alias="from")
    """The table: gold.timeline (every event, order and consent), gold.orders or gold.order_lines."""
    event: Annotated[tuple[EventName, ...], BeforeValidator(_listed), Field(min_length=1)] | None = None
    """Name or names of events that count; of the timeline only."""
    filter: Filter | None = None
    """Further limits, in the grammar of segments' filters."""
    window: Window | None = None
    """How far back; absent: ever."""

    @model_validator(mode="after")
    def _events_are_of_the_timeline(self) -> "Counted":
        if self.event is not None and self.from_ != "timeline":
            raise ValueError(f"event: {self.from_} has none; leave it out, or leave out from")
        return self

    @property
    def events(self) -> tuple[str, ...]:
        """Names of events that count; none: any."""
        return self.event or ()

    @property
    def patterns(self) -> tuple[str, ...]:
        """Regular expressions of the filter."""
        parts = [part for _, part in parts_of(self.filter, "filter")] if self.filter else []
        return tuple(p.operator.value for p in parts if isinstance(p, ColumnCondition) and isinstance(p.operator, Regexp))

    def column(self, path: str) -> Named:
        """The column of the input that `path` names.

        Raises:
            UnknownAttributeError: there is none.
        """
        return named(path, INPUTS[self.from_].columns)


class EventCounter(Counted):
    """How many entries count: 0 for who has none."""

    type: Literal["event_counter"]


class OfProperty(Counted):
    """A trait of the values of a property."""

    property: str = Field(min_length=1)
    """A column of the input, or properties.X of the timeline, campaign.X of orders."""


class Aggregation(OfProperty):
    """A number made of all values. A sum is 0 for who has none; the others are missing."""

    type: Literal["aggregation"]
    aggregation: Literal["sum", "avg", "min", "max"]
    """What is made of them."""


class Chosen(OfProperty):
    """One of the values."""

    value_type: Literal["text", "number"] = "text"
    """How a property that holds anything is read; what cannot be read so does not count."""


class MostFrequent(Chosen):
    """The value that most entries have; of those equally frequent the first by alphabet or size."""

    type: Literal["most_frequent"]
    at_least: PositiveInt = 2
    """Entries that it must have; with fewer there is none."""


class First(Chosen):
    """The value of the first entry that has one."""

    type: Literal["first"]


class Last(Chosen):
    """The value of the last entry that has one."""

    type: Literal["last"]


class UniqueList(OfProperty):
    """The different values, by alphabet."""

    type: Literal["unique_list"]
    limit: int = Field(default=1000, ge=1, le=100_000)
    """The longest list: what comes after it by alphabet is left out."""


class UniqueListCount(OfProperty):
    """How many different values there are: 0 for who has none."""

    type: Literal["unique_list_count"]


class SqlTrait(Trait):
    """A trait in Spark SQL: of other traits, or asked of the tables."""

    type: Literal["sql"]
    value_type: ValueType
    """What it is."""
    expression: str | None = None
    """Of the customer's other traits: `margin / nullif(revenue, 0)`. One that fails for a customer leaves it missing."""
    query: str | None = None
    """SELECT with the columns customer_id and value, a row a customer, over timeline, orders, order_lines and profiles.
    `:as_of` is the run's date."""

    @model_validator(mode="after")
    def _is_one(self) -> "SqlTrait":
        if (self.expression is None) == (self.query is None):
            raise ValueError("wanted expression or query")
        return self


TYPES = ("event_counter", "aggregation", "most_frequent", "first", "last", "unique_list", "unique_list_count", "sql")


def _type_of(value: object) -> str | None:
    found = getattr(value, "type", None) if isinstance(value, BaseModel) else None
    if isinstance(value, Mapping):
        found = value.get("type")
    return found if isinstance(found, str) and found in TYPES else None


AnyTrait = Annotated[
    Annotated[EventCounter, Tag("event_counter")]
    | Annotated[Aggregation, Tag("aggregation")]
    | Annotated[MostFrequent, Tag("most_frequent")]
    | Annotated[First, Tag("first")]
    | Annotated[Last, Tag("last")]
    | Annotated[UniqueList, Tag("unique_list")]
    | Annotated[UniqueListCount, Tag("unique_list_count")]
    | Annotated[SqlTrait, Tag("sql")],
    Discriminator(
        _type_of,
        custom_error_type="trait_type",
        custom_error_message=f"wanted keys and values with a type: {', '.join(TYPES)}",
    ),
]


class TraitsConfig(Document):
    """conf/traits.yaml."""

    traits: tuple[AnyTrait, ...] = ()
    """The traits."""

    @field_validator("traits")
    @classmethod
    def _names_are_free(cls, traits: tuple[AnyTrait, ...]) -> tuple[AnyTrait, ...]:
        twice = [name for name, count in Counter(t.name for t in traits).items() if count > 1]
        if twice:
            raise ValueError(f"{twice[0]} is the name of two traits")
        taken = [t.name for t in traits if t.name in {c.name for c in TRAITS.columns}]
        if taken:
            raise ValueError(f"{taken[0]} is a built-in column of gold.traits; wanted another name")
        return traits

    @property
    def counted(self) -> tuple[Counted, ...]:
        """Those that count entries."""
        return tuple(t for t in self.traits if isinstance(t, Counted))

    @property
    def expressions(self) -> tuple[SqlTrait, ...]:
        """Those that are expressions of other traits."""
        return tuple(t for t in self.traits if isinstance(t, SqlTrait) and t.expression is not None)

    @property
    def queries(self) -> tuple[SqlTrait, ...]:
        """Those that ask the tables."""
        return tuple(t for t in self.traits if isinstance(t, SqlTrait) and t.query is not None)


NO_TRAITS = TraitsConfig()
