"""Texts read as numbers, times and truth values in plain Python, just as Spark's casts read them.

After Spark 4.0: `Cast`, `StringUtils` and `SparkDateTimeUtils.parseTimestampString`. Tests hold them together.
"""

import math
import re
from datetime import date, datetime, timedelta, timezone

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[fFdD]?")
_HEX = re.compile(r"[+-]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][+-]?[0-9]+[fFdD]?")
_TIME = re.compile(
    r"([+-]?)([0-9]{4,6})(?:-([0-9]{1,2})(?:-([0-9]{1,2})"
    r"(?:[ T]([0-9]{1,2})(?::([0-9]{1,2})(?::([0-9]{1,2})(?:\.([0-9]*))?([^0-9.].*)?)?)?)?)?)?",
    re.DOTALL,
)
_TIME_OF_DAY = re.compile(r"T?[0-9]{1,2}(?::[0-9].*)?", re.DOTALL)
_OFFSET = re.compile(r"([+-])([0-9]{1,2}):([0-9]{2})")
_TRUE, _FALSE = {"t", "true", "y", "yes", "1"}, {"f", "false", "n", "no", "0"}
_AROUND = "".join(chr(c) for c in (*range(33), *range(127, 160)))
"""White space and control characters."""


class UnsureError(Exception):
    """What Spark makes of it cannot be told here."""


def number_of(text: str) -> float | None:
    """The number that a text holds; None where it holds none, or one that is not finite."""
    bare = text.strip("".join(chr(c) for c in range(33)))
    if _HEX.fullmatch(bare):
        found = float.fromhex(bare.rstrip("fFdD") if bare[-1] in "fFdD" and "p" in bare.lower() else bare)
    elif _NUMBER.fullmatch(bare):
        found = float(bare.rstrip("fFdD"))
    else:
        return None
    return found if math.isfinite(found) else None


def truth_of(text: str) -> bool | None:
    """The truth value that a text holds."""
    word = text.strip(_AROUND).lower()
    return True if word in _TRUE else False if word in _FALSE else None


def time_of(value: str | date) -> datetime | None:
    """The moment of a time, of the begin of a date, or of what a text holds; in UTC, without zone.

    Raises:
        UnsureError: the text is a time of day, which Spark takes for one of today, or has a zone other than UTC or an offset.
    """
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).replace(tzinfo=None) if value.tzinfo else value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    text = value.strip(_AROUND)
    found = _TIME.fullmatch(text)
    if not found:
        if _TIME_OF_DAY.fullmatch(text) and ("T" in text or ":" in text):
            raise UnsureError("a time of day")
        return None
    sign, year, month, day, hour, minute, second, fraction, zone = found.groups()
    on = _day(sign, year, month, day)
    if on is None:
        return None
    micros = int((fraction or "")[:6].ljust(6, "0"))
    try:
        at = datetime(on.year, on.month, on.day, int(hour or 0), int(minute or 0), int(second or 0), micros)
    except ValueError:
        return None
    return at if zone is None else _in_utc(at, zone.strip())


def _day(sign: str, year: str, month: str | None, day: str | None) -> date | None:
    if sign == "-" or not 1 <= int(year) <= 9999:
        raise UnsureError("a year beyond Python's calendar")
    try:
        return date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        return None


def _in_utc(at: datetime, zone: str) -> datetime | None:
    if zone in ("Z", "UTC", "GMT"):
        return at
    offset = _OFFSET.fullmatch(zone)
    if not offset:
        raise UnsureError("a zone of Java's own")
    hours, minutes = int(offset[2]), int(offset[3])
    if minutes > 59 or 60 * hours + minutes > 18 * 60:
        return None
    ahead = timedelta(hours=hours, minutes=minutes)
    try:
        return at - ahead if offset[1] == "+" else at + ahead
    except OverflowError:
        raise UnsureError("a year beyond Python's calendar") from None
