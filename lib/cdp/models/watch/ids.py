"""Which id a customer has now who had another one when predictions were made."""

from datetime import date

from pyspark.sql import DataFrame, Observation
from pyspark.sql import functions as F

_MOST_STEPS = 20
"""Each step doubles the length of the chains that are followed: a million merges in a row."""


def present_ids(changes: DataFrame, *, as_of: date) -> DataFrame:
    """Ids that were merged into others, with the id that holds now, however many merges lie between.

    Args:
        changes: `identity.changes`.
        as_of: the run's date; later changes are ignored.

    Returns:
        previous_customer_id, customer_id: one row an id that is no more.
    """
    merged = changes.where((F.col("change") == "merged") & (F.to_date("changed_at") <= F.lit(as_of)))
    newest = F.max_by("customer_id", F.struct("batch", "customer_id")).alias("customer_id")
    links, count = _held(merged.groupBy("previous_customer_id").agg(newest), "true")
    if not count:
        return links
    for _ in range(_MOST_STEPS):
        further = links.select(
            F.col("previous_customer_id").alias("customer_id"), F.col("customer_id").alias("further")
        )
        joined = links.join(further, on="customer_id", how="left")
        links, moved = _held(
            joined.select("previous_customer_id", F.coalesce("further", "customer_id").alias("customer_id"), "further"),
            "further IS NOT NULL",
        )
        links = links.drop("further")
        if not moved:
            break
    return links


def _held(rows: DataFrame, condition: str) -> tuple[DataFrame, int]:
    """The rows, worked out once, and for how many of them the condition holds."""
    seen = Observation()
    made = rows.observe(seen, F.count_if(F.expr(condition)).alias("rows")).localCheckpoint()
    return made, int(seen.get["rows"])
