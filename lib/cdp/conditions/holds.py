"""Operators as column expressions. Every expression is true or false, never null: what is missing meets no operator but
IsNull, and a negation is the exact opposite."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from functools import reduce
from typing import Any, cast

from pyspark.errors import IllegalArgumentException
from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F

from cdp.conditions.clock import Clock, moment, shift
from cdp.conditions.columns import Kind, number_in
from cdp.conditions.operators import (
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
    """A column of known kind.

    Attributes:
        column: the column.
        kind: what can be done with it.
        others: columns that it may be compared with, by how the rule refers to them.
    """

    column: Column
    kind: Kind
    others: Mapping[AttributeReference, Column] = field(default_factory=dict)


def holds(operator: Operator, operand: Operand, clock: Clock) -> Column:
    """Whether `operand` meets `operator`; false where it is missing, the opposite with `not: true`."""
    met = is_met(operator, operand, clock)
    return ~met if is_turned(operator) else met


def is_turned(operator: Operator) -> bool:
    """Whether the outcome of `is_met` is to be turned round."""
    return operator.not_ != isinstance(operator, NotEqual | NotIn)


def is_met(operator: Operator, operand: Operand, clock: Clock) -> Column:
    """As `holds`, before a negation turns it round."""
    return F.coalesce(_met(operator, operand, clock), F.lit(False))


def _met(operator: Operator, operand: Operand, clock: Clock) -> Column:
    column = operand.column
    if isinstance(operator, IsNull):
        return column.isNull()
    if isinstance(operator, In | NotIn):
        return any_of([_compared(Equal, operand, value) for value in operator.value])
    if isinstance(operator, Between):
        low = [] if operator.min is None else [_compared(GreaterEqual, operand, operator.min)]
        high = [] if operator.max is None else [_compared(LessEqual, operand, operator.max)]
        return all_of(low + high)
    if isinstance(operator, TextOperator):
        test = {Contain: Column.contains, StartWith: Column.startswith, EndWith: Column.endswith}[
            type(operator)
        ]
        return any_of([test(column, text) for text in operator.value])
    if isinstance(operator, Regexp):
        return column.rlike(operator.value)
    if type(operator) in _COMPARE:
        return _compared(type(operator), operand, cast(Any, operator).value)
    at = column.try_cast("timestamp")
    begin, end = span_of(operator, clock)
    return (at >= literal(begin)) & (at < literal(end))


def _compared(kind: type[Operator], operand: Operand, value: Any) -> Column:
    compare = _COMPARE[kind]
    if isinstance(value, AttributeReference):
        # A date and a time are compared as times.
        as_time = operand.kind == "time"
        one, two = operand.column, operand.others[value]
        return compare(one.cast("timestamp"), two.cast("timestamp")) if as_time else compare(one, two)
    if operand.kind == "time" and isinstance(value, str):
        value = moment(value)
    column = operand.column
    if isinstance(value, date) and not isinstance(value, datetime):
        # A date is a whole day, in UTC: a text with a zone is read as the moment that it means.
        column = (column.try_cast("timestamp") if operand.kind == "loose" else column).try_cast("date")
    elif isinstance(value, datetime):
        column = column.try_cast("timestamp")
    elif operand.kind == "loose" and not isinstance(value, str):
        column = column.try_cast("boolean") if isinstance(value, bool) else number_in(column)
    return compare(column, literal(value))


def literal(value: Any) -> Column:
    """A fixed value as a column; a time is UTC, whatever the zones of machine and session."""
    # A datetime without zone would be read in the zone of the driver's machine.
    return F.lit(value.replace(tzinfo=timezone.utc) if isinstance(value, datetime) else value)


def span_of(operator: Operator, clock: Clock) -> tuple[datetime, datetime]:
    """Begin and end, exclusive, of the times that meet an operator on times."""
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


def together(kind: str, parts: list[Column]) -> Column:
    """What a group of conditions comes to: And, Or, or Not (none of them)."""
    if kind == "And":
        return all_of(parts)
    return ~any_of(parts) if kind == "Not" else any_of(parts)


def all_of(parts: list[Column]) -> Column:
    """Whether all of one or more hold."""
    return reduce(lambda a, b: a & b, parts)


def any_of(parts: list[Column]) -> Column:
    """Whether at least one of one or more holds."""
    return reduce(lambda a, b: a | b, parts)


def is_pattern(spark: SparkSession, text: str) -> bool:
    """Whether Java understands a regular expression; nothing is read."""
    # Compiled code refuses a pattern that is none, interpreted code only where it meets a value: Java is asked first.
    jvm: Any = spark._jvm
    try:
        jvm.java.util.regex.Pattern.compile(text)
    except IllegalArgumentException:  # as Spark wraps it
        return False
    return True
