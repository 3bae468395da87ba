"""From a column as sent to its declared type, and whether that went well.

A value is of its type or it is none: nothing is rounded, cut, filled up or guessed. Spark's casts do all of that (`12.345`
to 12.35, `2026` to 1 January, `10:30` to today), so the form of the text is checked before the cast.
"""

import re

from pyspark.sql import Column
from pyspark.sql import functions as F

from cdp.base.tried import tried
from cdp.bronze.columns import EPOCHS, SourceColumn
from cdp.bronze.numbers import plain_number

_NUMERIC = re.compile(r"(decimal|dec|numeric|double|float|real|tinyint|byte|smallint|short|int|integer|bigint|long)\b")
_SPACES = " \t\r\n\u00a0\u2007\u202f\u3000\ufeff"
_DAY = r"\d{4}-\d{1,2}-\d{1,2}"
_TIME = r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?"
_ZONE = r"Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?|[A-Z][A-Za-z]+(?:/[A-Z][A-Za-z_]+)+"
_DATE = rf"\A{_DAY}(?:[ T]00:00(?::00(?:\.0+)?)?)?\z"
_MOMENT = rf"\A{_DAY}(?:[ T]{_TIME} ?(?:{_ZONE})?)?\z"
_LOCAL_MOMENT = rf"\A{_DAY}(?:[ T]{_TIME})?\z"
_HAS_ZONE = rf":\d{{2}}(?:\.\d+)? ?(?:{_ZONE})\z"


def typed(column: SourceColumn, timezone: str) -> Column:
    """The column's value in its declared type; null where it cannot be one.

    Args:
        column: the declaration; the frame holds it as string.
        timezone: zone of timestamps that carry none.
    """
    raw = F.col(f"`{column.name}`")
    kind = column.type.strip().lower()
    if kind == "string":
        return raw
    if kind.startswith(("struct", "array", "map")):
        return _nested(raw, column.type)
    text = F.nullif(F.btrim(raw, F.lit(_SPACES)), F.lit(""))
    if kind == "date":
        return _date(text, column.format)
    if kind == "timestamp_ntz":
        return _local_timestamp(text, column.format)
    if kind.startswith("timestamp"):
        return _timestamp(text, column.format, timezone)
    if _NUMERIC.match(kind):
        return plain_number(text, kind, column.format)
    if kind == "boolean":
        return _boolean(text, column.format)
    if kind.startswith(("varchar", "char")):
        length = int(re.findall(r"\d+", kind)[0])
        return F.when(F.length(raw) <= length, raw)
    if kind == "variant":
        return F.try_parse_json(raw)
    return text.try_cast(column.type)


def is_broken(column: SourceColumn, value: Column) -> Column:
    """Whether something was sent that is not of the declared type.

    Args:
        column: the declaration.
        value: what `typed` made of it.
    """
    # Most values are of their type: only of the others does it matter whether there was anything but spaces.
    return value.isNull() & F.coalesce(F.btrim(F.col(f"`{column.name}`"), F.lit(_SPACES)) != "", F.lit(False))


def _nested(raw: Column, kind: str) -> Column:
    # In an object of its own, as Spark takes an array for a struct at the root; strict, so that a part of any depth that
    # is not of its type is an error.
    whole, options = F.concat(F.lit('{"value":'), raw, F.lit("}")), {"mode": "FAILFAST"}
    value = tried(F.from_json(whole, f"value {kind}", options))["value"]
    wider = re.sub(r"(?i)\b(?:decimal|dec|numeric)\s*(?:\([^)]*\))?", "decimal(38,18)", kind)
    if wider == kind or "map" in kind.lower():
        return value
    # Decimals in objects are rounded in silence: with more places they would come out as others.
    exact = tried(F.from_json(whole, f"value {wider}", options))["value"]
    return F.when(value.cast(wider) == exact, value)


def _boolean(text: Column, words: str | None) -> Column:
    if words is None:
        return text.try_cast("boolean")
    yes, no = (F.lit(word.strip().lower()) for word in words.split("/"))
    return F.when(F.lower(text) == yes, F.lit(True)).when(F.lower(text) == no, F.lit(False))


def _date(text: Column, pattern: str | None) -> Column:
    if pattern is None:
        # A time of midnight says no more than the day.
        return F.when(F.rlike(text, F.lit(_DATE)), text.try_cast("date"))
    if pattern in EPOCHS:
        return _since_1970(text, pattern).cast("date")
    return F.try_to_date(text, pattern)


def _local_timestamp(text: Column, pattern: str | None) -> Column:
    if pattern is None:
        return F.when(F.rlike(text, F.lit(_LOCAL_MOMENT)), text.try_cast("timestamp_ntz"))
    return _timestamp(text, pattern, "UTC").cast("timestamp_ntz")


def _timestamp(text: Column, pattern: str | None, timezone: str) -> Column:
    # The session's zone is UTC, so text without a zone is read as UTC and then moved.
    if pattern in EPOCHS:
        return _since_1970(text, pattern)
    if pattern is not None:
        value = F.try_to_timestamp(text, F.lit(pattern))
        has_zone = re.search("[XxZzOV]", re.sub(r"'[^']*'", "", pattern)) or "'Z'" in pattern
        return value if has_zone else _moved(value, timezone)
    value = F.when(F.rlike(text, F.lit(_MOMENT)), text.try_cast("timestamp"))
    if timezone == "UTC":
        return value
    return F.when(F.rlike(text, F.lit(_HAS_ZONE)), value).otherwise(_moved(value, timezone))


def _moved(value: Column, timezone: str) -> Column:
    """The instant at which clocks of the zone show `value`; null where they skip it, the first of two."""
    if timezone == "UTC":
        return value
    moved = F.to_utc_timestamp(value, timezone)
    return F.when(F.from_utc_timestamp(moved, timezone) == value, moved)


def _since_1970(text: Column, pattern: str) -> Column:
    number = F.when(F.rlike(text, F.lit(r"\A-?\d{1,17}(?:\.\d{1,9})?\z")), text.try_cast("decimal(38,9)"))
    seconds = F.try_divide(number, F.lit(EPOCHS[pattern]).cast("decimal(7,0)"))
    # 1 January of the years 1 and 9999: what is beyond is no moment but a number of another unit.
    is_near = (seconds >= F.lit(-62135596800)) & (seconds < F.lit(253402300800))
    return F.when(is_near, F.timestamp_seconds(seconds.cast("decimal(18,6)")))
