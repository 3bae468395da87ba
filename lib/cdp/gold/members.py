"""Groups of customers: how their ids last, and what their members did together."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F


def with_lasting_ids(groups: DataFrame, before: DataFrame, id_column: str) -> DataFrame:
    """Give groups their id: an id of the run before goes to the group that most of its members are in now, and a group
    keeps that of most of its members.

    Args:
        groups: `_key` (what its members agree in, unique) and customer_ids, sorted.
        before: `id_column` and customer_ids of the run before.
        id_column: name of the id.
    """
    now = groups.select("_key", F.explode("customer_ids").alias("customer_id"))
    then = before.select(id_column, F.explode("customer_ids").alias("customer_id"))
    shared = now.join(then, on="customer_id", how="inner").groupBy("_key", id_column).agg(F.count("*").alias("members"))
    most = shared.groupBy(id_column).agg(F.max(F.struct("members", "_key")).alias("most"))
    kept = most.groupBy("most._key").agg(F.max_by(id_column, F.struct("most.members", id_column)).alias("_kept"))
    # The first member goes into a new id: where the old ones took theirs along, those who follow get another.
    new_id = F.sha2(F.concat_ws("|", "_key", F.get("customer_ids", F.lit(0))), 256)
    named = groups.join(kept, on="_key", how="left").withColumn(id_column, F.coalesce("_kept", new_id))
    return named.drop("_kept", "_key")


def with_sums(groups: DataFrame, traits: DataFrame, id_column: str) -> DataFrame:
    """Add what the members did together: `tables.gold.OF_MEMBERS`.

    Args:
        groups: `id_column` and customer_ids.
        traits: `gold.traits`.
        id_column: name of the id.
    """
    member = groups.select(id_column, F.explode("customer_ids").alias("customer_id"))
    sums = (
        member.join(traits, on="customer_id", how="inner")
        .groupBy(id_column)
        .agg(
            F.count_if(F.col("orders") > 0).cast("int").alias("buyers"),
            F.sum("orders").alias("orders"),
            F.sum("orders_365d").alias("orders_365d"),
            _money("revenue"),
            _money("revenue_365d"),
            F.min("first_order_at").alias("first_order_at"),
            F.max("last_order_at").alias("last_order_at"),
            F.max("last_active_at").alias("last_active_at"),
        )
    )
    return groups.join(sums, on=id_column, how="inner")


def _money(name: str) -> Column:
    return F.sum(name).cast("decimal(18,2)").alias(name)
