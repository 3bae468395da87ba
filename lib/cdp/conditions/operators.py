"""The operators of a condition, as written in YAML. Names and shapes after Treasure Data's segment rules."""

from collections.abc import Mapping
from datetime import date, datetime, timezone
from typing import Annotated, Any, Literal

from pydantic import Field, PlainSerializer, PlainValidator, PositiveInt, model_validator

from cdp.base.settings import Strict

Unit = Literal["year", "quarter", "month", "week", "day", "hour", "minute", "second"]


class AttributeReference(Strict):
    """Another attribute to compare with, in place of a fixed value: `{attribute: traits.last_order_at}`."""

    attribute: str = Field(min_length=1)
    """Attribute, e.g. `traits.last_order_at`."""
    horizon_days: PositiveInt | None = None
    """Horizon, for an attribute of `predictions`."""


Scalar = bool | int | float | date | datetime | str


def _scalar(value: Any) -> Scalar:
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).replace(tzinfo=None) if value.tzinfo else value
    if isinstance(value, bool | int | float | date) or (isinstance(value, str) and value.strip()):
        return value
    raise ValueError("wanted a text, a number, a date, true or false")


def _scalar_or_reference(value: Any) -> Scalar | AttributeReference:
    if isinstance(value, AttributeReference):
        return value
    if isinstance(value, Mapping):
        return AttributeReference.model_validate(value)
    return _scalar(value)


def _plain(value: Any) -> Any:
    return value.model_dump(exclude_none=True) if isinstance(value, AttributeReference) else value


def _texts(value: Any) -> tuple[str, ...]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or not texts or not all(isinstance(t, str) and t for t in texts):
        raise ValueError("wanted a text or a list of texts")
    return tuple(texts)


Value = Annotated[Scalar, PlainValidator(_scalar, json_schema_input_type=Scalar)]
ValueOrReference = Annotated[
    Scalar | AttributeReference,
    PlainValidator(_scalar_or_reference, json_schema_input_type=Scalar | AttributeReference),
    PlainSerializer(_plain),
]
Texts = Annotated[tuple[str, ...], PlainValidator(_texts, json_schema_input_type=str | list[str]), PlainSerializer(list)]


class Operator(Strict):
    """What every operator may carry."""

    not_: bool = Field(default=False, alias="not")
    """Turns the outcome round: true where the operator is not met, so also where the value is missing."""


class Comparison(Operator):
    """Compares with one value."""

    value: ValueOrReference
    """A value, or another attribute."""


class Equal(Comparison):
    """Is the value. A date compared with a time means that whole day."""

    type: Literal["Equal"]


class NotEqual(Comparison):
    """Is not the value, or is missing."""

    type: Literal["NotEqual"]


class Greater(Comparison):
    """Is above, or after."""

    type: Literal["Greater"]


class GreaterEqual(Comparison):
    """Is at least, or not before."""

    type: Literal["GreaterEqual"]


class Less(Comparison):
    """Is below, or before."""

    type: Literal["Less"]


class LessEqual(Comparison):
    """Is at most, or not after."""

    type: Literal["LessEqual"]


class Between(Operator):
    """Is from `min` to `max`, both included; one of them may be left out."""

    type: Literal["Between"]
    min: Value | None = None
    """Lowest value."""
    max: Value | None = None
    """Highest value."""

    @model_validator(mode="after")
    def _has_a_bound(self) -> "Between":
        if self.min is None and self.max is None:
            raise ValueError("wanted min, max or both")
        return self


class In(Operator):
    """Is one of the values."""

    type: Literal["In"]
    value: tuple[Value, ...] = Field(min_length=1)
    """The values."""


class NotIn(Operator):
    """Is none of the values, or is missing."""

    type: Literal["NotIn"]
    value: tuple[Value, ...] = Field(min_length=1)
    """The values."""


class TextOperator(Operator):
    """Looks into a text; upper and lower case differ."""

    value: Texts
    """A text, or several of which one is enough."""


class Contain(TextOperator):
    """Has the text somewhere."""

    type: Literal["Contain"]


class StartWith(TextOperator):
    """Begins with the text."""

    type: Literal["StartWith"]


class EndWith(TextOperator):
    """Ends with the text."""

    type: Literal["EndWith"]


class Regexp(Operator):
    """Matches a Java regular expression somewhere."""

    type: Literal["Regexp"]
    value: str = Field(min_length=1)
    """The expression."""


class IsNull(Operator):
    """Is missing; with `not: true`: is known."""

    type: Literal["IsNull"]


class TimeOperator(Operator):
    """A span of time counted from the end of the run's date."""

    value: PositiveInt
    """How many units."""
    unit: Unit
    """year, quarter, month, week, day, hour, minute or second."""


class TimeWithinPast(TimeOperator):
    """Within the last `value` units, the run's date included: `7 day` are seven whole days."""

    type: Literal["TimeWithinPast"]


class TimeWithinNext(TimeOperator):
    """Within the `value` units that follow the run's date."""

    type: Literal["TimeWithinNext"]


class Ago(Strict):
    """A moment before the end of the run's date: `{last: 1, unit: month}`."""

    last: PositiveInt
    """How many units ago."""
    unit: Unit
    """year ... second."""


class TimeRange(Operator):
    """Within a span that begins at `from` and lasts `duration`: `duration: {day: 7}, from: {last: 1, unit: month}`."""

    type: Literal["TimeRange"]
    duration: dict[Unit, PositiveInt] = Field(min_length=1, max_length=1)
    """Length: one unit and how many."""
    from_: Ago | date = Field(alias="from")
    """Begin: so long ago, or a date."""


class TimeToday(Operator):
    """On the run's date."""

    type: Literal["TimeToday"]


AnyOperator = Annotated[
    Equal
    | NotEqual
    | Greater
    | GreaterEqual
    | Less
    | LessEqual
    | Between
    | In
    | NotIn
    | Contain
    | StartWith
    | EndWith
    | Regexp
    | IsNull
    | TimeWithinPast
    | TimeWithinNext
    | TimeRange
    | TimeToday,
    Field(discriminator="type"),
]
