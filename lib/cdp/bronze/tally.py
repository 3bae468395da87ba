"""What one pass over a source's rows counts, and how a run tells it: names and numbers, never values."""

from typing import Any

from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F

from cdp.bronze.columns import Severity
from cdp.bronze.config import SourceConfig
from cdp.bronze.rules import rules_of

_FILES_SHOWN = 5
_RULES_SHOWN = 5
_SLOTS = 8 * 4096  # Spark's bitmaps have 4 KiB
_MILD: dict[str, Severity] = {"_warnings": "warn", "_errors": "error"}


def counted(rows: DataFrame, source: SourceConfig) -> tuple[DataFrame, Observation]:
    """The judged rows, and what is known of them once they have been written."""
    seen = Observation()
    undeclared = F.map_keys(F.coalesce("_extra", F.create_map().cast("map<string,string>")))
    observed = rows.observe(
        seen,
        F.count(F.lit(1)).alias("read"),
        F.count_if(F.size("_reasons") > 0).alias("refused"),
        F.bitmap_construct_agg(F.when(F.size("_reasons") > 0, _slot())).alias("refused_slots"),
        F.count_if(F.size("_warnings") > 0).alias("warned"),
        F.count_if(F.size("_errors") > 0).alias("errors"),
        F.array_distinct(F.flatten(F.collect_set(undeclared))).alias("undeclared"),
        F.count_if("_recoded").alias("recoded"),
        F.collect_set(_unreadable_file()).alias("files"),
        *[_by_rule(kind, rules) for kind, severity in _MILD.items() if (rules := rules_of(source, severity))],
    )
    return observed, seen


def refused_among(judged: DataFrame, counts: dict[str, Any]) -> DataFrame:
    """The judged rows among which those refused are found, so that reading them once more costs little.

    Each refused row has set a bit by its place. Only rows on the same bits are parsed and judged again, as the condition
    is on columns that are known before: of a hundredth of the rows of a large extract, little more than that; where most are
    refused, all of them. The number of bits is fixed, so what reaches the driver does not grow.
    """
    byte = F.substring(F.lit(counts["refused_slots"]), F.shiftright(_slot(), 3).cast("int") + 1, F.lit(1))
    bits = F.conv(F.hex(byte), 16, 10).cast("int")
    mask = F.expr("shiftleft(1, cast(pmod(xxhash64(_file, _file_row), 8) as int))")
    return judged.where(bits.bitwiseAND(mask) != 0)


def _slot() -> Column:
    """A bit for the row's place."""
    return F.pmod(F.xxhash64("_file", "_file_row"), F.lit(_SLOTS).cast("bigint"))


def notes_on(source: SourceConfig, counts: dict[str, Any]) -> list[str]:
    """What is worth a person's eyes."""
    notes = []
    if counts["refused"]:
        notes.append(f"{source.name}: {counts['refused']:,} of {counts['read']:,} rows in quarantine")
    if counts["files"]:
        shown = sorted(counts["files"])
        more = f" and {len(shown) - _FILES_SHOWN:,} more files" if len(shown) > _FILES_SHOWN else ""
        notes.append(f"{source.name}: not read to the end: {'; '.join(shown[:_FILES_SHOWN])}{more}")
    if counts["recoded"]:
        notes.append(f"{source.name}: {counts['recoded']:,} rows are not UTF-8 and were read as windows-1252")
    if counts["undeclared"]:
        notes.append(f"{source.name}: undeclared columns kept in _extra: {', '.join(sorted(counts['undeclared']))}")
    if counts["warned"]:
        notes.append(f"{source.name}: {counts['warned']:,} rows break a rule of severity warn{_told(source, counts, '_warnings')}")
    return notes


def broken_by(source: SourceConfig, counts: dict[str, Any]) -> list[str]:
    """Rules of severity error that fired."""
    if not counts["errors"]:
        return []
    return [f"{source.name}: {counts['errors']:,} rows break a rule of severity error{_told(source, counts, '_errors')}"]


def _by_rule(kind: str, rules: list[str]) -> Column:
    """How many rows break each rule, in the order of the rules."""
    counts = [F.count_if(F.array_contains(kind, name)) for name in rules]
    return F.array(*counts).cast("array<bigint>").alias(kind)


def _told(source: SourceConfig, counts: dict[str, Any], kind: str) -> str:
    """The rules that most rows break, with the numbers."""
    found = [(rows, name) for name, rows in zip(rules_of(source, _MILD[kind]), counts[kind], strict=True) if rows]
    found.sort(key=lambda one: (-one[0], one[1]))
    shown = [f"{name} {rows:,}" for rows, name in found[:_RULES_SHOWN]]
    more = f", and {len(found) - _RULES_SHOWN:,} more rules" if len(found) > _RULES_SHOWN else ""
    return f": {', '.join(shown)}{more}"


def _unreadable_file() -> Column:
    """What is wrong with a file, on the row that stands for it."""
    return F.when(F.startswith("_problem", F.lit("file ")), F.concat("_file", F.lit(": "), "_problem"))
