"""Recency, frequency, monetary value: each buyer's fifth, and what marketers call the combinations."""

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

_FIFTHS = [0.2, 0.4, 0.6, 0.8]


@dataclass(frozen=True)
class Bounds:
    """The values between one fifth of buyers and the next, smallest first: minus days since, order days, revenue."""

    recency: tuple[float, ...]
    frequency: tuple[float, ...]
    monetary: tuple[float, ...]


def bounds(buyers: DataFrame) -> Bounds:
    """Find the bounds; four numbers a measure come to the driver.

    Days, order days and whole units of money have few distinct values, so the exact percentiles fit one task however
    many buyers there are.

    Args:
        buyers: one row a customer who has ordered: days_since_last_order, order_days, revenue.
    """
    row = buyers.agg(
        F.percentile(-F.col("days_since_last_order"), _FIFTHS).alias("recency"),
        F.percentile("order_days", _FIFTHS).alias("frequency"),
        F.percentile(F.round("revenue").cast("bigint"), _FIFTHS).alias("monetary"),
    ).first()
    assert row is not None
    return Bounds(*[tuple(row[name] or ()) for name in ("recency", "frequency", "monetary")])


def rfm(bounds: Bounds) -> dict[str, Column]:
    """Scores 1 (lowest fifth) to 5 and the segment, of days_since_last_order, order_days and revenue.

    Equal values have equal scores, so a fifth may hold more or less than a fifth of buyers. Null for who never ordered.

    Source:
        The names are those of common RFM maps; the borders are this project's: F + M of 8 or more is an average of 4.
    """
    is_buyer = F.col("order_days") > 0
    recency = _fifth(-F.col("days_since_last_order"), bounds.recency)
    frequency = _fifth(F.col("order_days"), bounds.frequency)
    monetary = _fifth(F.col("revenue"), bounds.monetary)
    worth = frequency + monetary
    segment = (
        F.when((recency >= 4) & (worth >= 8), "Champions")
        .when((recency >= 4) & (F.col("order_days") == 1), "New")
        .when((recency >= 3) & (worth >= 6), "Loyal")
        .when(recency >= 3, "Promising")
        .when(worth >= 6, "At risk")
        .when(recency == 2, "Hibernating")
        .otherwise("Lost")
    )
    return {
        "recency_score": F.when(is_buyer, recency),
        "frequency_score": F.when(is_buyer, frequency),
        "monetary_score": F.when(is_buyer, monetary),
        "rfm_segment": F.when(is_buyer, segment),
    }


def _fifth(value: Column, limits: tuple[float, ...]) -> Column:
    score = F.lit(1)
    for limit in limits:
        score = score + (value > F.lit(limit)).cast("int")
    return score
