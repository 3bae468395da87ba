"""From a column as sent to its declared type, and whether that went well."""

import re

from pyspark.sql import Column
from pyspark.sql import functions as F

from cdp.bronze.config import SourceColumn

_NUMERIC = re.compile(r"(decimal\b|double|float|tinyint|smallint|int|integer|bigint|long)", re.IGNORECASE)
_ZONE = re.compile(r"[XxZzOV]|'Z'")


def typed(column: SourceColumn, timezone: str) -> Column:
    """The column's value in its declared type; null where it cannot be one.

    Args:
        column: the declaration; the frame holds it as string.
        timezone: zone of timestamps that carry none.
    """
    raw = F.col(f"`{column.name}`")
    kind = column.type.lower()
    if kind == "string":
        return raw
    if kind.startswith(("struct", "array", "map")):
        return F.from_json(raw, column.type)
    text = F.nullif(F.trim(raw), F.lit(""))
    if kind == "date":
        return F.try_to_date(text, column.format) if column.format else text.try_cast("date")
    if kind.startswith("timestamp"):
        return _timestamp(text, column.format, timezone)
    if _NUMERIC.match(kind):
        return _number(text, column.format).try_cast(column.type)
    return text.try_cast(column.type)


def is_broken(column: SourceColumn, value: Column) -> Column:
    """Whether something was sent that is not of the declared type.

    Args:
        column: the declaration.
        value: what `typed` made of it.
    """
    sent = F.trim(F.col(f"`{column.name}`"))
    return sent.isNotNull() & (sent != "") & value.isNull()


def _timestamp(text: Column, pattern: str | None, timezone: str) -> Column:
    # The session's zone is UTC, so text without a zone is read as UTC and then moved.
    value = F.try_to_timestamp(text, F.lit(pattern)) if pattern else text.try_cast("timestamp")
    if timezone == "UTC":
        return value
    if pattern:
        return value if _ZONE.search(pattern) else F.to_utc_timestamp(value, timezone)
    has_zone = text.rlike(r"(?i)(z|utc|gmt|[+-]\d{2}:?\d{2}|[+-]\d{2})\s*\z") & text.contains(":")
    return F.when(has_zone, value).otherwise(F.to_utc_timestamp(value, timezone))


def _number(text: Column, sample: str | None) -> Column:
    if sample is None:
        return text
    marks = re.findall(r"[^\d+-]", sample)
    if not marks:
        return text
    groups, decimal = (marks[:-1], marks[-1]) if re.search(re.escape(marks[-1]) + r"\d{1,2}$", sample) else (marks, None)
    for mark in dict.fromkeys(groups):
        text = F.replace(text, F.lit(mark), F.lit(""))
    return F.replace(text, F.lit(decimal), F.lit(".")) if decimal and decimal != "." else text
