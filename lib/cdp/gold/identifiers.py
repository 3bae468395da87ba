"""Every identifier of every customer."""

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cdp.gold.times import end_of


def seen_identifiers(identifiers: DataFrame, owners: DataFrame, audit: DataFrame, *, as_of: date) -> DataFrame:
    """`silver.identifiers` up to the run's date with customer_id and `is_blocked`.

    Args:
        identifiers: `silver.identifiers`.
        owners: `owners.current_owners`.
        audit: `identity.audit`: the values that identify nobody (placeholders, learned or blocked ones).
        as_of: the run's date. Where an identifier was seen after it too, the last time known before is the first one.
    """
    end = end_of(as_of)
    blocked = audit.where("kind = 'blocked_value'").select("id_type", "value_hash", F.lit(True).alias("_blocked"))
    rows = identifiers.where(F.col("first_seen_at") < end).join(owners, on=["source", "record_key"], how="inner")
    rows = rows.withColumn("value_hash", F.sha2("id_value", 256))
    last = F.when(F.col("last_seen_at") < end, F.col("last_seen_at")).otherwise(F.col("first_seen_at"))
    # Values that identify nobody are few, or they would not be learned one by one.
    return rows.join(F.broadcast(blocked), on=["id_type", "value_hash"], how="left").select(
        "customer_id",
        "source",
        "record_key",
        "record_type",
        "id_type",
        "id_value",
        "first_seen_at",
        last.alias("last_seen_at"),
        "seen_count",
        F.coalesce("_blocked", F.lit(False)).alias("is_blocked"),
    )


def customer_identifiers(seen: DataFrame) -> DataFrame:
    """`gold.customer_identifiers` of `seen_identifiers`; what identifies nobody points to nobody."""
    return (
        seen.where(~F.col("is_blocked"))
        .groupBy("customer_id", "id_type", "id_value")
        .agg(
            F.min("first_seen_at").alias("first_seen_at"),
            F.max("last_seen_at").alias("last_seen_at"),
            F.sum("seen_count").alias("seen_count"),
            F.sort_array(F.collect_set("source")).alias("sources"),
        )
    )
