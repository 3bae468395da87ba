"""Every identifier of every customer, those they have given up among them."""

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cdp.gold.times import end_of
from cdp.tables.gold import CUSTOMER_IDENTIFIERS

FORMER = "former"
"""`record_type` of what a record is known to have carried, in place of what it carries."""


def with_former(identifiers: DataFrame, before: DataFrame) -> DataFrame:
    """`silver.identifiers`, and as `former` what the customer records carried when the stage ran before.

    Silver has the newest version of a record; an address that was changed shall still find the person. What a record
    carries to this day is there twice.

    Args:
        identifiers: `silver.identifiers`.
        before: `gold.customer_identifiers` as the run before left it; of an older layout it remembers nothing.
    """
    if "carriers" not in before.columns:
        return identifiers
    carried = before.select("id_type", "id_value", F.inline("carriers"))
    former = carried.drop("is_current").withColumns({"record_type": F.lit(FORMER), "seen_count": F.lit(1).cast("bigint")})
    return identifiers.unionByName(former)


def seen_identifiers(identifiers: DataFrame, owners: DataFrame, audit: DataFrame, *, as_of: date) -> DataFrame:
    """`silver.identifiers` up to the run's date with customer_id and `is_blocked`.

    Args:
        identifiers: `silver.identifiers`, or these `with_former`. Of records that are there no more nothing is left.
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
    """`gold.customer_identifiers` of `seen_identifiers`; what identifies nobody points to nobody.

    An identifier is current where a customer record carries it, and where it was seen with activity alone. One that
    customer records have carried and none does any more is not, though an old visit may name it.
    """
    kind = F.col("record_type")
    times = ("source", "record_key", "first_seen_at", "last_seen_at")
    carrier = F.when(kind != "activity", F.struct(*times, (kind != FORMER).alias("is_current")))
    grouped = (
        seen.where(~F.col("is_blocked"))
        .groupBy("customer_id", "id_type", "id_value")
        .agg(
            F.min("first_seen_at").alias("first_seen_at"),
            F.max("last_seen_at").alias("last_seen_at"),
            F.sum(F.when(kind != FORMER, F.col("seen_count"))).alias("_seen"),
            F.sort_array(F.collect_set("source")).alias("sources"),
            F.collect_list(carrier).alias("_carriers"),
        )
    )
    still = "exists(_carriers, o -> o.is_current AND o.source = c.source AND o.record_key = c.record_key)"
    carriers = grouped.withColumn("carriers", F.expr(f"sort_array(filter(_carriers, c -> c.is_current OR NOT {still}))"))
    former = "size(filter(carriers, c -> NOT c.is_current))"
    return carriers.withColumns(
        {
            "seen_count": F.expr(f"coalesce(_seen, 0) + {former}"),
            "is_current": F.expr("size(carriers) = 0 OR exists(carriers, c -> c.is_current)"),
        }
    ).select([c.name for c in CUSTOMER_IDENTIFIERS.columns])
