"""Operators on one value in plain Python, with the very outcomes of the column expressions of `cdp.conditions.holds`."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, cast

from cdp.conditions.clock import Clock, moment
from cdp.conditions.columns import Kind, Named
from cdp.conditions.filters import ColumnCondition, Filter
from cdp.conditions.holds import is_turned, span_of
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
)
from cdp.conditions.reading import UnsureError, number_of, time_of, truth_of

_SIMPLE = re.compile(
    r"(?:[^\\\[\](){}^$|?*+]|\\[dDwWsS.\\/+*?()\[\]{}^$|-]|[()^$|?*+]|\{[0-9]+(?:,[0-9]*)?\}|\[\^?(?:[^\\\[\]&]|\\[dws.\-])+\])*"
)
"""Regular expressions that mean the same to Java and to Python."""
_ENDS = re.compile("[\r\x85\u2028\u2029]")
"""Ends of lines to Java alone."""

_COMPARE: Mapping[type[Operator], Callable[[int], bool]] = {
    Equal: lambda sign: sign == 0,
    NotEqual: lambda sign: sign == 0,  # turned round in `holds`
    Greater: lambda sign: sign > 0,
    GreaterEqual: lambda sign: sign >= 0,
    Less: lambda sign: sign < 0,
    LessEqual: lambda sign: sign <= 0,
}


def meets(
    operator: Operator, value: Any, kind: Kind, clock: Clock, others: Mapping[AttributeReference, Any] | None = None
) -> bool:
    """Whether a value meets an operator; what is missing meets none but IsNull, and a negation is the exact opposite.

    Args:
        operator: the operator.
        value: None: missing.
        kind: what can be done with it.
        clock: the run's date.
        others: values that it may be compared with, by how the rule refers to them.

    Raises:
        UnsureError: only Spark can tell.
    """
    return is_met(operator, value, kind, clock, others) != is_turned(operator)


def is_met(
    operator: Operator, value: Any, kind: Kind, clock: Clock, others: Mapping[AttributeReference, Any] | None = None
) -> bool:
    """As `meets`, before a negation turns it round."""
    if isinstance(operator, IsNull):
        return value is None
    if value is None:
        return False
    if isinstance(operator, In | NotIn):
        return any(_compared(Equal, value, kind, wanted, others) for wanted in operator.value)
    if isinstance(operator, Between):
        low = operator.min is None or _compared(GreaterEqual, value, kind, operator.min, others)
        high = operator.max is None or _compared(LessEqual, value, kind, operator.max, others)
        return low and high
    if isinstance(operator, TextOperator):
        test = {Contain: str.__contains__, StartWith: str.startswith, EndWith: str.endswith}[type(operator)]
        return any(test(value, text) for text in operator.value)
    if isinstance(operator, Regexp):
        return _matches(operator.value, value)
    if type(operator) in _COMPARE:
        return _compared(type(operator), value, kind, cast(Any, operator).value, others)
    at = time_of(value)
    begin, end = span_of(operator, clock)
    return at is not None and begin <= at < end


def passes(
    part: Filter | ColumnCondition, row: Mapping[str, Any], clock: Clock, column: Callable[[str], Named]
) -> bool:
    """Whether a row passes a filter, as `cdp.conditions.filters.filter_holds`.

    Raises:
        UnsureError: only Spark can tell.
    """
    if isinstance(part, Filter):
        return bool(together(part.type, [passes(inner, row, clock, column) for inner in part.conditions]))
    found = column(part.column)
    return meets(part.operator, value_in(row, found), found.kind, clock)


def value_in(row: Mapping[str, Any], column: Named) -> Any:
    """The value of a column, as a rule names it, in a row."""
    value = row[column.name]
    inner = column.key or column.field
    return (value or {}).get(inner) if inner else value


def all_of(parts: Sequence[bool | None]) -> bool | None:
    """Whether all hold; None where that hangs on one that cannot be told."""
    if any(part is False for part in parts):
        return False
    return None if any(part is None for part in parts) else True


def together(kind: str, parts: Sequence[bool | None]) -> bool | None:
    """What a group of conditions comes to: And, Or, or Not (none of them)."""
    if kind == "And":
        return all_of(parts)
    none = all_of([opposite(part) for part in parts])
    return none if kind == "Not" else opposite(none)


def opposite(holds: bool | None) -> bool | None:
    """Whether it does not hold; None where that cannot be told."""
    return None if holds is None else not holds


def _compared(
    operator: type[Operator], value: Any, kind: Kind, wanted: Any, others: Mapping[AttributeReference, Any] | None
) -> bool:
    if isinstance(wanted, AttributeReference):
        other = (others or {})[wanted]
        if other is None:
            return False
        return _sign(operator, time_of(value), time_of(other)) if kind == "time" else _sign(operator, value, other)
    if kind == "time" and isinstance(wanted, str):
        wanted = moment(wanted)
    if isinstance(wanted, date) and not isinstance(wanted, datetime):
        at = time_of(value)
        value = at.date() if at else None  # a date is a whole day
    elif isinstance(wanted, datetime):
        value = time_of(value)
    elif kind == "loose" and not isinstance(wanted, str):
        value = truth_of(value) if isinstance(wanted, bool) else number_of(value)
    return _sign(operator, value, wanted)


def _sign(operator: type[Operator], one: Any, two: Any) -> bool:
    if one is None or two is None:
        return False
    if isinstance(one, float) or isinstance(two, float):
        one, two = _as_double(one), _as_double(two)
    return _COMPARE[operator]((one > two) - (one < two))


def _as_double(value: float | Decimal) -> tuple[bool, float]:
    """A number as Spark orders doubles: NaN equals itself and lies above all others."""
    number = float(value)
    return (True, 0.0) if math.isnan(number) else (False, number)


def _matches(pattern: str, value: str) -> bool:
    if not _SIMPLE.fullmatch(pattern) or _ENDS.search(value):
        raise UnsureError("a regular expression that is Java's own")
    try:
        return re.search(pattern, value, re.ASCII) is not None
    except re.error:
        raise UnsureError("a regular expression that is Java's own") from None
