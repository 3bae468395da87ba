"""What pydantic cannot see of an operator: whether it goes with the kind of value it is put to."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from cdp.conditions.clock import Clock, moment
from cdp.conditions.columns import Kind
from cdp.conditions.operators import (
    AttributeReference,
    Between,
    Comparison,
    Equal,
    Greater,
    GreaterEqual,
    In,
    IsNull,
    Less,
    LessEqual,
    NotEqual,
    NotIn,
    Operator,
    Regexp,
    TextOperator,
    TimeOperator,
    TimeRange,
    TimeToday,
)

_ORDERING = (Greater, GreaterEqual, Less, LessEqual, Between)
_ANY_KIND = (Equal, NotEqual, In, NotIn, IsNull)
_TEXT = (TextOperator, Regexp)
_TIME = (TimeOperator, TimeRange, TimeToday)
_FITTING: Mapping[Kind, tuple[type[Operator], ...]] = {
    "text": (*_ANY_KIND, *_TEXT),
    "number": (*_ANY_KIND, *_ORDERING),
    "boolean": _ANY_KIND,
    "time": (*_ANY_KIND, *_ORDERING, *_TIME),
    "loose": (*_ANY_KIND, *_ORDERING, *_TEXT, *_TIME),
}


def operator_problems(
    operator: Operator, kind: Kind, what: str, reference: Callable[[AttributeReference], Iterable[str]] | None = None
) -> Iterator[str]:
    """What is wrong with an operator on a value of some kind, as lines `key: CODE: text`.

    Args:
        operator: the operator.
        kind: of the value.
        what: how to call the value.
        reference: problems of a reference to another attribute; None: there can be none.
    """
    name = type(operator).__name__
    if not isinstance(operator, _FITTING[kind]):
        fitting = "text" if kind == "loose" else kind
        yield f"operator.type: INVALID_OPERATOR_TYPE: {name} does not go with {what}, which is a {fitting}"
        return
    if isinstance(operator, TimeOperator) and not is_in_calendar(operator.value, operator.unit):
        yield f"operator.value: SEGMENT_SCHEMA_ERROR: {operator.value} {operator.unit} reach beyond the calendar"
    values: tuple[Any, ...] = ()
    if isinstance(operator, Comparison | In | NotIn):
        values = operator.value if isinstance(operator, In | NotIn) else (operator.value,)
    elif isinstance(operator, Between):
        values = tuple(v for v in (operator.min, operator.max) if v is not None)
    for value in values:
        if isinstance(value, AttributeReference):
            if reference is None:
                yield "operator.value: SEGMENT_SCHEMA_ERROR: a filter compares with fixed values only"
            else:
                yield from reference(value)
        elif not _fits(value, kind):
            yield f"operator: SEGMENT_SCHEMA_ERROR: {what} wants a {kind}, found {value!r}"
    if len({_value_kind(v) for v in values} - {None}) > 1 and kind == "loose":
        yield "operator: SEGMENT_SCHEMA_ERROR: wanted values of one type"


def is_in_calendar(count: int, unit: str) -> bool:
    """Whether there are dates so many units before and after those of our time."""
    clock = Clock(date(2000, 1, 1))
    try:
        clock.ago(count, unit)
        clock.ahead(count, unit)
    except (OverflowError, ValueError):
        return False
    return True


def _fits(value: Any, kind: Kind) -> bool:
    if kind == "time" and isinstance(value, str):
        return moment(value) is not None
    return kind == "loose" or _value_kind(value) == kind


def _value_kind(value: Any) -> Kind | None:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, date | datetime):
        return "time"
    return "text" if isinstance(value, str) else None
