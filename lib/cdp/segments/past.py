"""Who was in a segment before the run's date."""

from collections.abc import Mapping
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def former_ids(keys: DataFrame, profiles: DataFrame) -> DataFrame:
    """Customer ids that hold no more: former, and customer_id of each customer who has records of it now.

    Args:
        keys: `gold.lookup_keys`.
        profiles: `gold.profiles`.
    """
    ids = keys.where("kind = 'customer_id'").select(F.col("value").alias("former"), "customer_id")
    # An id of which only some records went to others still means its own customer.
    return ids.join(profiles.select(F.col("customer_id").alias("former")), on="former", how="left_anti")


def was_in(history: DataFrame, former: DataFrame, wanted: Mapping[str, str], *, as_of: date) -> DataFrame:
    """Find who was in segments at any time before the run's date, under an id since merged included.

    Args:
        history: `gold.segment_history`.
        former: `former_ids`.
        wanted: segments by the name of their column.
        as_of: the run's date. What began on it or after does not count, so a run of the date again finds the same.

    Returns:
        customer_id and a column for each of `wanted`, true or false; only customers of whom one holds.
    """
    before = history.where(F.col("segment").isin(sorted(set(wanted.values()))) & (F.col("entered_on") < F.lit(as_of)))
    moved = former.select(F.col("former").alias("customer_id"), F.col("customer_id").alias("_now"))
    now = before.join(moved, on="customer_id", how="left").withColumn("customer_id", F.coalesce("_now", "customer_id"))
    return now.groupBy("customer_id").agg(*[F.bool_or(F.col("segment") == s).alias(name) for name, s in wanted.items()])
