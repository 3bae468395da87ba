"""Operators and conditions as column expressions. Every expression is true or false, never null:
what is missing meets no operator but IsNull, and a negation is the exact opposite."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timezone
from functools import reduce
from typing import Any, cast

from pyspark.sql import Column
from pyspark.sql import functions as F

from cdp.segments.attributes import Kind, find, timeline_column
from cdp.segments.check import outcome_kind
from cdp.segments.config import (
    AttributeCondition,
    BehaviorCondition,
    ColumnCondition,
    Condition,
    Filter,
    Group,
    Matching,
)
from cdp.segments.operators import (
    AttributeReference,
    Between,
    Contain,
    EndWith,
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
    StartWith,
    TextOperator,
    TimeRange,
    TimeToday,
    TimeWithinNext,
    TimeWithinPast,
)
from cdp.segments.times import Clock, moment, shift

_COMPARE: dict[type[Operator], Callable[[Column, Column], Column]] = {
    Equal: lambda a, b: a == b,
    NotEqual: lambda a, b: a == b,  # turned round in `holds`
    Greater: lambda a, b: a > b,
    GreaterEqual: lambda a, b: a >= b,
    Less: lambda a, b: a < b,
    LessEqual: lambda a, b: a <= b,
}


@dataclass(frozen=True)
class Operand:
    """A column of known kind."""

    column: Column
    kind: Kind


def condition_holds(condition: Condition, clock: Clock) -> Column:
    """A condition on the frame of customers (`cdp.segments.frame`), as a column that is true or false.

    Membership of another segment is read from the column `in_segment(name)`.
    """
    if isinstance(condition, Group):
        return _together(condition.type, [condition_holds(c, clock) for c in condition.conditions])
    if isinstance(condition, AttributeCondition):
        found = find(condition.attribute, condition.horizon_days)
        operand = Operand(F.col(found.column), found.kind)
        if found.is_array:
            return _elements_hold(condition, operand, clock)
        return holds(condition.operator, operand, clock)
    if isinstance(condition, BehaviorCondition):
        return holds(condition.operator, Operand(F.col(condition.aggregate), outcome_kind(condition)), clock)
    inside = F.col(in_segment(condition.segment))
    return inside if condition.type == "include" else ~inside


def in_segment(name: str) -> str:
    """Column of the frame that says who is in a segment."""
    return f"segment__{name}"


def filter_holds(condition: Filter | ColumnCondition, clock: Clock) -> Column:
    """A condition on an entry of the timeline, as a column that is true or false."""
    if isinstance(condition, Filter):
        return _together(condition.type, [filter_holds(c, clock) for c in condition.conditions])
    name, key, kind = timeline_column(condition.column)
    column = F.col(name)[key] if key else F.col(name)
    return holds(condition.operator, Operand(column, kind), clock)


def holds(operator: Operator, operand: Operand, clock: Clock) -> Column:
    """Whether `operand` meets `operator`; false where it is missing, the opposite with `not: true`."""
    met = _is_met(operator, operand, clock)
    return ~met if _is_turned(operator) else met


def _is_turned(operator: Operator) -> bool:
    return operator.not_ != isinstance(operator, NotEqual | NotIn)


def _is_met(operator: Operator, operand: Operand, clock: Clock) -> Column:
    return F.coalesce(_met(operator, operand, clock), F.lit(False))


def _met(operator: Operator, operand: Operand, clock: Clock) -> Column:
    column = operand.column
    if isinstance(operator, IsNull):
        return column.isNull()
    if isinstance(operator, In | NotIn):
        return _any([_compared(Equal, operand, value) for value in operator.value])
    if isinstance(operator, Between):
        low = [] if operator.min is None else [_compared(GreaterEqual, operand, operator.min)]
        high = [] if operator.max is None else [_compared(LessEqual, operand, operator.max)]
        return _all(low + high)
    if isinstance(operator, TextOperator):
        test = {Contain: Column.contains, StartWith: Column.startswith, EndWith: Column.endswith}[
            type(operator)
        ]
        return _any([test(column, text) for text in operator.value])
    if isinstance(operator, Regexp):
        return column.rlike(operator.value)
    if type(operator) in _COMPARE:
        return _compared(type(operator), operand, cast(Any, operator).value)
    at = column.try_cast("timestamp")
    begin, end = _span(operator, clock)
    return (at >= _literal(begin)) & (at < _literal(end))


def _compared(kind: type[Operator], operand: Operand, value: Any) -> Column:
    compare = _COMPARE[kind]
    if isinstance(value, AttributeReference):
        other = find(value.attribute, value.horizon_days)
        # A date and a time are compared as times.
        as_time = operand.kind == "time"
        one, two = operand.column, F.col(other.column)
        return compare(one.cast("timestamp"), two.cast("timestamp")) if as_time else compare(one, two)
    if operand.kind == "time" and isinstance(value, str):
        value = moment(value)
    column = operand.column
    if isinstance(value, date) and not isinstance(value, datetime):
        column = column.try_cast("date")  # a date is a whole day
    elif isinstance(value, datetime):
        column = column.try_cast("timestamp")
    elif operand.kind == "loose" and not isinstance(value, str):
        column = column.try_cast("boolean" if isinstance(value, bool) else "double")
    return compare(column, _literal(value))


def _literal(value: Any) -> Column:
    # A datetime without zone would be read in the zone of the driver's machine.
    return F.lit(value.replace(tzinfo=timezone.utc) if isinstance(value, datetime) else value)


def _span(operator: Operator, clock: Clock) -> tuple[datetime, datetime]:
    if isinstance(operator, TimeWithinPast):
        return clock.ago(operator.value, operator.unit), clock.end
    if isinstance(operator, TimeWithinNext):
        return clock.end, clock.ahead(operator.value, operator.unit)
    if isinstance(operator, TimeToday):
        return clock.start, clock.end
    if isinstance(operator, TimeRange):
        begin = operator.from_
        low = (
            datetime(begin.year, begin.month, begin.day)
            if isinstance(begin, date)
            else clock.ago(begin.last, begin.unit)
        )
        ((unit, count),) = operator.duration.items()
        return low, shift(low, count, unit)
    raise TypeError(f"{type(operator).__name__} is not an operator on times")


def _elements_hold(condition: AttributeCondition, operand: Operand, clock: Clock) -> Column:
    """A condition on a list: `any` element, `all` of at least one, or a number of them must meet the operator.

    A negation turns the outcome of the whole condition round: by default "no element is ...".
    """
    operator = condition.operator
    elements = F.coalesce(operand.column, F.array().cast("array<string>"))
    if isinstance(operator, IsNull):
        met = F.size(elements) == 0
    else:
        meeting = F.filter(elements, lambda e: _is_met(operator, replace(operand, column=e), clock))
        met = _enough(F.size(meeting), F.size(elements), condition.arrayMatching)
    return ~met if _is_turned(operator) else met


def _enough(meeting: Column, of: Column, matching: str | Matching) -> Column:
    if isinstance(matching, str):
        return (meeting > 0) & (meeting == of) if matching == "all" else meeting > 0
    if matching.atLeast is not None:
        return meeting >= F.lit(matching.atLeast)
    return (
        meeting <= F.lit(matching.atMost)
        if matching.atMost is not None
        else meeting == F.lit(matching.exactly)
    )


def _together(kind: str, parts: list[Column]) -> Column:
    if kind == "And":
        return _all(parts)
    return ~_any(parts) if kind == "Not" else _any(parts)


def _all(parts: list[Column]) -> Column:
    return reduce(lambda a, b: a & b, parts)


def _any(parts: list[Column]) -> Column:
    return reduce(lambda a, b: a | b, parts)
