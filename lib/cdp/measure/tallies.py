"""Tallies: small counts and sums of many tables, all of one shape, so that one query brings all of them to the driver.

What a query costs at small size is its planning and its stages, so every part is only projected; one aggregation over
the union of all does the rest. Results grow with months, channels, campaigns, segments and the like, never with customers.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

_KEYS, _SUMS = 5, 10
# Whole millionths, since the sum of whole numbers does not depend on the order in which they come.
_SCALE = 1_000_000


class Tally(NamedTuple):
    """One line of a tally.

    Attributes:
        keys: what it is of.
        values: sums; None where there was nothing to add up.
        low: least of the times, seconds since 1970.
        high: greatest of the times.
    """

    keys: tuple[str | None, ...]
    values: tuple[float | None, ...]
    low: float | None = None
    high: float | None = None


Tallies = Mapping[str, Sequence[Tally]]


@dataclass(frozen=True)
class Part:
    """Rows to be added up: k0 ... (string), s0 ... (millionths), low, high (seconds)."""

    frame: DataFrame
    keys: int
    sums: int


def part(
    rows: DataFrame,
    by: Sequence[Column],
    sums: Sequence[Column],
    *,
    low: Column | None = None,
    high: Column | None = None,
) -> Part:
    """What to add up.

    Args:
        rows: a row of the table or of an aggregate of it.
        by: keys, at most five.
        sums: numbers to add up, at most ten, to six decimals; for a count the literal 1, or a condition.
        low: time of which the least is kept.
        high: time of which the greatest is kept.
    """
    keys = [_key(by, i).alias(f"k{i}") for i in range(_KEYS)]
    values = [_millionths(sums, i).alias(f"s{i}") for i in range(_SUMS)]
    ends = [_seconds(low).alias("low"), _seconds(high).alias("high")]
    return Part(rows.select(*keys, *values, *ends), len(by), len(sums))


def collect(parts: Mapping[str, Part]) -> dict[str, list[Tally]]:
    """Add all of them up in one query; each in the order of its keys, missing keys first."""
    if not parts:
        return {}
    named = [p.frame.select(F.lit(name).alias("what"), "*") for name, p in parts.items()]
    sums = [F.sum(f"s{i}").alias(f"s{i}") for i in range(_SUMS)]
    by = ["what", *[f"k{i}" for i in range(_KEYS)]]
    rows = (
        reduce(DataFrame.unionByName, named)
        .groupBy(*by)
        .agg(*sums, F.min("low").alias("low"), F.max("high").alias("high"))
    )
    found: dict[str, list[Tally]] = defaultdict(list)
    for row in rows.collect():
        p = parts[row["what"]]
        values = [row[f"s{i}"] for i in range(p.sums)]
        keys = tuple(row[f"k{i}"] for i in range(p.keys))
        scaled = tuple(None if v is None else v / _SCALE for v in values)
        found[row["what"]].append(Tally(keys, scaled, row["low"], row["high"]))
    return {name: sorted(found[name], key=lambda t: [(k is not None, k or "") for k in t.keys]) for name in parts}


def _key(by: Sequence[Column], i: int) -> Column:
    return (by[i] if i < len(by) else F.lit(None)).cast("string")


def _millionths(sums: Sequence[Column], i: int) -> Column:
    if i >= len(sums):
        return F.lit(None).cast("bigint")
    # Rounded: the double next to 0.29 x 1,000,000 may be below 290,000.
    return F.round(sums[i].cast("double") * _SCALE).cast("bigint")


def _seconds(time: Column | None) -> Column:
    return F.unix_seconds(time) if time is not None else F.lit(None).cast("bigint")
