"""The type of a column, by its values: only ones under which every value that was looked at can be read.

What is proposed here must be read by `cdp.bronze.typed` without loss, so the patterns below are no wider than what Spark
takes for a number or a truth value.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

from cdp.bronze.describe.dates import date_kind

NEARLY = 0.9
"""Share of values of one type from which on the others are worth a remark."""

_INTEGER = re.compile(r"[+-]?\d+")
_DECIMAL = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)")
_SCIENTIFIC = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?")
_LEADING_ZERO = re.compile(r"[+-]?0\d")
_DATE_SHAPE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}(?!\d)")
_TRUTHS = ({"true", "false"}, {"yes", "no"}, {"t", "f"})
_PREFIX = r"[+-]?(?P<before>(?:[$€£¥] ?)?)"
_SUFFIX = r"(?P<after>(?: ?[$€£¥])?)"
_MARKED = {  # mark of thousands, mark of decimals: how such a number looks
    (mark, point): re.compile(rf"{_PREFIX}(?:\d{{1,3}}(?:{re.escape(mark)}\d{{3}})+|\d+)(?:{re.escape(point)}\d+)?{_SUFFIX}")
    for mark, point in ((".", ","), (",", "."), (" ", ","), ("\u00a0", ","), ("\u202f", ","), ("'", "."), ("’", "."), (" ", "."))
}
_ENOUGH = 10
_GREATEST_INT = 2**31 - 1
_MOST_DIGITS = 18


@dataclass(frozen=True)
class Kind:
    """A type, with the format it needs and what to check about it.

    Attributes:
        type: Spark's type.
        format: pattern of dates, sample of numbers; None where the type reads the values as they are.
        note: what a person should check, if anything.
        expression: SQL that makes a date or time of the column `{}`, where its type is none.
    """

    type: str
    format: str | None = None
    note: str | None = None
    expression: str | None = None


STRING = Kind("string")


def kind_of(values: Collection[str], *, is_text: bool, is_dated: bool, day_first: bool | None) -> Kind:
    """The type of a column.

    Args:
        values: its different values that are not empty, without spaces around.
        is_text: whether the column's name or its file says that digits are no number.
        is_dated: whether the name speaks of a time.
        day_first: whether other columns write days before months; None where that is not known.
    """
    if not values:
        return STRING
    dated = date_kind(values, is_named=is_dated, day_first=day_first)
    if dated:
        return Kind(*dated)
    if is_dated:
        nearly = _nearly_dated(values, day_first=day_first) or _epoch(values)
        if nearly:
            return nearly
    if is_text:
        return STRING
    found = Kind("boolean") if _is_truth(values) else _number_kind(values)
    return found or _nearly(values, day_first=day_first) or STRING


def _nearly_dated(values: Collection[str], *, day_first: bool | None) -> Kind | None:
    found = date_kind(values, is_named=True, day_first=day_first, share=NEARLY)
    if not found or len(values) < _ENOUGH:
        return None
    kind, pattern, _ = found
    expression = f"try_to_{kind}({{}}, '{pattern}')" if pattern else f"try_cast({{}} as {kind})"
    return Kind("string", note=_nearly_note(kind, pattern), expression=expression)


def _epoch(values: Collection[str]) -> Kind | None:
    for name, digits in (("epoch", 10), ("epoch_millis", 13)):
        if all(len(v) == digits and v.isascii() and v.isdigit() and "1" <= v[0] <= "2" for v in values):
            return Kind("timestamp", name)
    return None


def _nearly(values: Collection[str], *, day_first: bool | None) -> Kind | None:
    """String, with the type that at least nine in ten of the values have."""
    for is_one in (_DECIMAL.fullmatch, _has_shape_of_date):
        some = [v for v in values if is_one(v)]
        if len(some) < max(_ENOUGH, NEARLY * len(values)) or len(some) == len(values):
            continue
        dated = date_kind(some, is_named=False, day_first=day_first)
        found = Kind(*dated) if dated else _number_kind(some)
        if found:
            return Kind("string", note=_nearly_note(found.type, found.format))
    return None


def _nearly_note(kind: str, pattern: str | None) -> str:
    formatted = f" {pattern}" if pattern else ""
    return f"most values, not all, are of type {kind}{formatted}; declared so, the others would go to quarantine"


def _has_shape_of_date(value: str) -> bool:
    return bool(_DATE_SHAPE.match(value))


def _is_truth(values: Collection[str]) -> bool:
    words = {v.lower() for v in values} if len(values) <= 6 else set()
    # "no" or "t" alone may be anything; "true" is not.
    return words in _TRUTHS or words in ({"true"}, {"false"})


def _number_kind(values: Collection[str]) -> Kind | None:
    if all(map(_INTEGER.fullmatch, values)):
        return _integer_kind(values)
    if any(map(_LEADING_ZERO.match, values)):
        return None
    if all(map(_DECIMAL.fullmatch, values)):
        fractions = {len(v.partition(".")[2]) for v in values if "." in v}
        note = "three decimals throughout: if the point marks thousands, say `format: 1.234`" if fractions == {3} else None
        return _decimal_kind([v.lstrip("+-") for v in values], None, note)
    if all(map(_SCIENTIFIC.fullmatch, values)):
        return Kind("double")
    return _marked_kind(values)


def _integer_kind(values: Collection[str]) -> Kind | None:
    is_code = any(map(_LEADING_ZERO.match, values)) or any(v[0] == "+" and len(v) > 7 for v in values)
    lengths = {len(v) for v in values}
    # Numbers of one great length count nothing: they are drawn.
    if is_code or max(lengths) > _MOST_DIGITS or (len(lengths) == 1 and min(lengths) >= 10 and len(values) > 2):
        return None
    return Kind("int" if all(abs(int(v)) <= _GREATEST_INT // 10 for v in values) else "bigint")


def _decimal_kind(plain: Collection[str], sample: str | None, note: str | None) -> Kind | None:
    whole = max(len(v.partition(".")[0].lstrip("0")) for v in plain)
    fraction = max(len(v.partition(".")[2]) for v in plain)
    if fraction > 8 or whole + fraction > 36:
        return Kind("double") if sample is None else None
    scale = max(2, fraction)
    return Kind(f"decimal({max(12, whole + scale + 2)},{scale})", sample, note)


def _marked_kind(values: Collection[str]) -> Kind | None:
    for (mark, point), pattern in _MARKED.items():
        if not all(map(pattern.fullmatch, values)):  # which stops at the first that is none
            continue
        matches = [m for m in map(pattern.fullmatch, values) if m]
        before, after = {m["before"] for m in matches}, {m["after"] for m in matches}
        if len(before) > 1 or len(after) > 1:
            continue
        plain = [_plain(v, point) for v in values]
        if any(re.match(r"0\d", v) for v in plain):
            return None
        return _marked(values, plain, mark, point, before.pop(), after.pop())
    return None


def _plain(value: str, point: str) -> str:
    """A number with marks as digits and a point."""
    whole, _, fraction = value.partition(point)
    return f"{re.sub('[^0-9]', '', whole)}.{re.sub('[^0-9]', '', fraction)}"


def _marked(
    values: Collection[str], plain: list[str], mark: str, point: str, before: str, after: str
) -> Kind | None:
    has_marks = any(mark in v.removeprefix(before).removesuffix(after) for v in values)
    has_point = any(point in v for v in values)
    # Where a thousand was written without its mark, the mark is not in use.
    bare = not has_marks and any(len(v.partition(".")[0]) > 3 for v in plain)
    thousand = f"{before}{'1234' if bare else f'1{mark}234'}"
    if has_marks and not has_point and mark in ".,":
        return None if before or after else _integer_marked(values, plain, thousand)
    three = has_point and not has_marks and {len(v.partition(".")[2]) for v in plain if v[-1] != "."} == {3}
    note = f"three decimals throughout: if `{point}` marks thousands, say `format: 1{point}234`" if three else None
    return _decimal_kind(plain, f"{thousand}{point}56{after}", note)


def _integer_marked(values: Collection[str], plain: list[str], sample: str) -> Kind | None:
    if len(values) < 3 and not any(v.count(sample[-4]) > 1 for v in values):
        return None  # two numbers such as 1,234 show too little
    greatest = max(int(v.partition(".")[0] or 0) for v in plain)
    note = "the mark is taken for one of thousands, as three digits follow it throughout"
    return Kind("int" if greatest <= _GREATEST_INT // 10 else "bigint", sample, note)
