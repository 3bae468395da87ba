"""Money in one currency: the rate of an amount's own day, else the newest known before it, else the undated one."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

RATE = "decimal(18,10)"
"""Type of a rate: ten digits after the point, as one Indonesian rupiah is 0.0000523 euros."""

_NEWEST_FIRST = ("_updated_at", "_file_modified_at", "_file", "_file_row", "_position", "source", "rate")


@dataclass(frozen=True)
class Rates:
    """What is known of exchange rates."""

    reporting: str
    """The reporting currency, of which one is one whatever a source says."""
    undated: Mapping[str, Decimal]
    """Units of the reporting currency for one of another, by its code, where no dated rate holds."""
    ranges: DataFrame | None = None
    """`rate_ranges`; None where no source sends rates."""


def rate_problems() -> dict[str, Column]:
    """Why a candidate of `exchange_rate` is refused: reason to condition."""
    return {
        "exchange_rate.currency is not three letters": ~F.col("currency").rlike(r"^[A-Za-z]{3}\z"),
        "exchange_rate.rate is not above 0": F.col("rate") <= 0,
    }


def exchange_rates(rows: DataFrame) -> DataFrame:
    """`silver.exchange_rates` from candidates: the newest row of a currency and day, by a total order."""
    named = rows.withColumn("currency", F.upper("currency"))
    versions = Window.partitionBy("currency", "day").orderBy(*[F.col(c).desc() for c in _NEWEST_FIRST])
    newest = named.withColumn("_version", F.row_number().over(versions)).where("_version = 1")
    return newest.select("currency", "day", "source", F.col("rate").cast(RATE).alias("rate"))


def rate_ranges(rates: DataFrame) -> DataFrame:
    """The days on which each rate holds, cut by month so that a day meets the few ranges of its own month.

    Args:
        rates: `silver.exchange_rates`.

    Returns:
        `_currency`, `_month` (its first day), `_from`, `_to` (the day of the next rate; null: none is known), `_known`
        (the rate). The ranges of a currency do not overlap; its newest one is there for the month it begins in alone.
    """
    days = Window.partitionBy("currency").orderBy("day")
    held = rates.select(
        F.col("currency").alias("_currency"),
        F.col("day").alias("_from"),
        F.lead("day").over(days).alias("_to"),
        F.col("rate").alias("_known"),
    )
    last_day = F.coalesce(F.date_sub("_to", 1), "_from")
    months = F.sequence(F.trunc("_from", "month"), F.trunc(last_day, "month"), F.expr("interval 1 month"))
    return held.select("_currency", F.explode(months).alias("_month"), "_from", "_to", "_known")


def with_rate(rows: DataFrame, day: Column, rates: Rates) -> DataFrame:
    """Add `_rate`: units of the reporting currency for one of the row's `currency` on `day`.

    An amount that names no currency is in the reporting currency. Each row comes out once. Where no source sends rates
    nothing is joined.

    Args:
        rows: any rows with `currency`.
        day: of the amount (UTC); where it is null only an undated rate holds.
        rates: what is known.

    Returns:
        The rows with `_rate`; null: no rate is known.
    """
    currency = F.upper("currency")
    known = [F.try_element_at(_undated(rates), currency)]
    names = rows.columns
    if rates.ranges is not None:
        rows = rows.withColumns({"_of": currency, "_day": day})
        ranges = F.broadcast(rates.ranges)
        rows = rows.join(ranges, on=_is_within(), how="left")
        # Ranges of months to come are not there: after its last known day a currency keeps its newest rate.
        newest = F.broadcast(
            rates.ranges.where("_to is null").select(
                F.col("_currency").alias("_last_currency"), F.col("_from").alias("_last_from"), F.col("_known").alias("_last")
            )
        )
        is_later = (F.col("_of") == F.col("_last_currency")) & (F.col("_day") >= F.col("_last_from"))
        rows = rows.join(newest, on=is_later, how="left")
        known = [F.col("_last"), F.col("_known"), *known]
    is_own = currency.isNull() | (currency == rates.reporting)
    rate = F.when(is_own, F.lit(Decimal(1)).cast(RATE)).otherwise(F.coalesce(*known))
    return rows.select(*[F.col(f"`{name}`") for name in names], rate.alias("_rate"))


def _is_within() -> Column:
    is_before_next = F.col("_to").isNull() | (F.col("_day") < F.col("_to"))
    in_month = (F.col("_of") == F.col("_currency")) & (F.trunc("_day", "month") == F.col("_month"))
    return in_month & (F.col("_day") >= F.col("_from")) & is_before_next


def _undated(rates: Rates) -> Column:
    if not rates.undated:
        return F.create_map().cast(f"map<string,{RATE}>")
    return F.create_map(*chain.from_iterable((F.lit(c), F.lit(str(r)).cast(RATE)) for c, r in rates.undated.items()))
