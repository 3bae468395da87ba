"""Dates and times as people write them: from a column's values to the pattern by which Spark reads them all."""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import date

_ISO_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_TIME = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?P<fraction>\.\d{1,9})?)?"
_ISO_TIME = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})(?:[T ](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d| UTC)?)?"
)
_REST = rf"(?:(?P<gap>T|,? ){_TIME}(?P<half> ?[AaPp][Mm])?(?P<zone>Z|[+-](?:0\d|1[0-4]):[0-5]\d)?)?"
_NUMERIC = re.compile(rf"(?P<a>\d{{1,4}})(?P<mark>[./-])(?P<b>\d{{1,2}})(?P=mark)(?P<c>\d{{1,4}}){_REST}")
_NAMED_DAY_FIRST = re.compile(rf"(?P<a>\d{{1,2}})(?P<mark>[ /-])(?P<b>[A-Za-z]{{3}})(?P=mark)(?P<c>\d{{4}}|\d{{2}}){_REST}")
_NAMED_MONTH_FIRST = re.compile(rf"(?P<b>[A-Za-z]{{3}}) (?P<a>\d{{1,2}})(?P<mark>, | )(?P<c>\d{{4}}){_REST}")
_COMPACT = re.compile(r"\d{8}(?:\d{6})?")
_MONTHS = {m: n for n, m in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), start=1)}
_ENOUGH = 10  # so many different numbers that all are dates are dates, whatever their column is called
_PARTS = ("gap", "second", "fraction", "half", "zone")

Found = tuple[str, str | None, str | None]
"""Type, pattern and what to check."""


def date_kind(values: Collection[str], *, is_named: bool, day_first: bool | None, share: float = 1.0) -> Found | None:
    """The type and pattern of a column of dates or times; None where it is none.

    Args:
        values: different values, at least one.
        is_named: whether the column's name speaks of a time.
        day_first: whether other columns write days before months; None where that is not known.
        share: share of the values that must be such dates; all of them where it is 1.
    """
    enough = share * len(values)
    first = next(iter(values))
    if share == 1 and not (first[0].isdigit() or first[:3].lower() in _MONTHS):
        return None  # most columns are none, and need no more than a glance
    return _iso(values, enough) or _compact(values, enough, is_named=is_named) or _written(values, enough, day_first)


def read_order(values: Collection[str]) -> bool | None:
    """Whether days stand before months, where the values of a column say so without doubt."""
    if not values or not _NUMERIC.fullmatch(next(iter(values))):
        return None
    matches = [_NUMERIC.fullmatch(v) for v in values]
    if not all(matches):
        return None
    fitting = [order for order in ("dMy", "Mdy") if all(m and _day(m, order) for m in matches)]
    return fitting == ["dMy"] if len(fitting) == 1 else None


def _iso(values: Collection[str], enough: float) -> Found | None:
    if sum(_is_date(_ISO_DATE.fullmatch(v)) for v in values) >= enough:
        return "date", None, None
    if sum(_is_date(_ISO_TIME.fullmatch(v)) for v in values) >= enough:
        return "timestamp", None, None
    return None


def _compact(values: Collection[str], enough: float, *, is_named: bool) -> Found | None:
    if not is_named and len(values) < _ENOUGH:
        return None
    lengths = Counter(len(v) for v in values if _is_compact(v))
    if not lengths or max(lengths.values()) < enough:
        return None
    has_time = lengths.most_common(1)[0][0] > 8
    return ("timestamp", "yyyyMMddHHmmss", None) if has_time else ("date", "yyyyMMdd", None)


def _is_compact(value: str) -> bool:
    if not _COMPACT.fullmatch(value):
        return False
    is_time = len(value) == 8 or (value[8:10] < "24" and value[10:12] < "60" and value[12:14] < "60")
    day = _exists(int(value[:4]), int(value[4:6]), int(value[6:8]))
    return is_time and day is not None and 1900 <= day.year <= 2100


def _written(values: Collection[str], enough: float, day_first: bool | None) -> Found | None:
    for form in (_NUMERIC, _NAMED_DAY_FIRST, _NAMED_MONTH_FIRST):
        found = [m for m in map(form.fullmatch, values) if m]
        if len(found) < enough or not found or not _are_alike(found):
            continue
        orders = ("yMd", "dMy", "Mdy") if form is _NUMERIC else ("dMy",)
        fitting = [o for o in orders if sum(bool(_day(m, o)) for m in found) >= enough and _years_are_alike(found, o)]
        if not fitting or not all(_has_time_of_day(m) for m in found):
            continue
        order, note = _chosen(fitting, found, day_first)
        return _pattern(found, form, order, note)
    return None


def _are_alike(found: Sequence[re.Match[str]]) -> bool:
    """Whether one pattern reads them: the same marks, and the same parts of the time."""
    first = found[0]
    for part in (*_PARTS, "mark"):
        if len({bool(m[part]) for m in found}) > 1:
            return False
    return all(m["gap"] == first["gap"] and m["mark"] == first["mark"] for m in found) and (
        len({len(m["half"] or "") for m in found}) == 1
    )


def _years_are_alike(found: Sequence[re.Match[str]], order: str) -> bool:
    return len({len(m["a" if order == "yMd" else "c"]) for m in found}) == 1


def _day(match: re.Match[str], order: str) -> date | None:
    a, b, c = match["a"], match["b"], match["c"]
    if order == "yMd":
        year, month, day = a, b, c
    elif order == "dMy":
        year, month, day = c, b, a
    else:
        year, month, day = c, a, b
    if len(year) not in (2, 4) or (max(len(month), len(day)) > 2 and month.isdigit()) or (order == "yMd" and len(year) != 4):
        return None
    number = int(month) if month.isdigit() else _MONTHS.get(month.lower(), 0)
    return _exists(int(year) + (2000 if len(year) == 2 else 0), number, int(day))


def _exists(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _is_date(match: re.Match[str] | None) -> bool:
    return match is not None and _exists(int(match[1]), int(match[2]), int(match[3])) is not None


def _has_time_of_day(match: re.Match[str]) -> bool:
    if match["gap"] is None:
        return True
    hour = int(match["hour"])
    fits = 1 <= hour <= 12 if match["half"] else hour < 24
    return fits and int(match["minute"]) < 60 and int(match["second"] or 0) < 60


def _chosen(fitting: list[str], found: Sequence[re.Match[str]], day_first: bool | None) -> tuple[str, str | None]:
    if len(fitting) == 1:
        return fitting[0], None
    if day_first is not None and {"dMy", "Mdy"} <= set(fitting):
        order = "dMy" if day_first else "Mdy"
        return order, "day and month could be the other way round; taken as in another column of the file"
    note = None if found[0]["mark"] == "." else "no value tells day from month, which could be the other way round"
    return fitting[0], note


def _pattern(found: Sequence[re.Match[str]], form: re.Pattern[str], order: str, note: str | None) -> Found:
    first = found[0]
    named = {"y": "a" if order == "yMd" else "c", "M": "a" if order == "Mdy" else "b"}
    named["d"] = ({"a", "b", "c"} - set(named.values())).pop()
    is_numeric = form is _NUMERIC
    # A single letter reads one digit and two: who writes 3/10 also writes 10/3.
    digits = _digits(found, *(named[part] for part in ("M", "d") if is_numeric or part == "d"))
    letters = {
        "y": "yyyy" if len(first[named["y"]]) == 4 else "yy",
        "M": "M" * digits if is_numeric else "MMM",
        "d": "d" * digits,
    }
    if form is _NAMED_MONTH_FIRST:
        day = f"{letters['M']} {letters['d']}{first['mark']}{letters['y']}"
    else:
        day = first["mark"].join(letters[part] for part in order)
    if letters["y"] == "yy":
        note = "; ".join(filter(None, ["years of two digits are read as 2000 to 2099", note]))
    if first["gap"] is None:
        return "date", day, note
    return "timestamp", day + _time_pattern(found), note


def _digits(found: Sequence[re.Match[str]], *groups: str) -> int:
    return 1 if any(len(m[group]) == 1 for m in found for group in groups) else 2


def _time_pattern(found: Sequence[re.Match[str]]) -> str:
    first = found[0]
    gap = "'T'" if first["gap"] == "T" else first["gap"]
    hour = ("h" if first["half"] else "H") * _digits(found, "hour")
    second = ":ss" if first["second"] else ""
    fraction = "." + "S" * max(len(m["fraction"] or ".") - 1 for m in found) if first["fraction"] else ""
    half = first["half"].lower().replace("am", "a").replace("pm", "a") if first["half"] else ""
    return f"{gap}{hour}:mm{second}{fraction}{half}{'XXX' if first['zone'] else ''}"
