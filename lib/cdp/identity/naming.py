"""Ids that last: clusters take over the ids of the clusters they came from."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F


def named(members: DataFrame, current: DataFrame, history: DataFrame) -> DataFrame:
    """Give every cluster a customer id.

    An id goes to the cluster that holds most of its records; a cluster that several ids come to keeps the oldest. A
    cluster that none comes to gets a new one, made of its first record, so that a rebuild from nothing gives the same
    ids; an id that ever meant other people is passed over.

    Args:
        members: source, record_key, cluster.
        current: source, record_key, customer_id now.
        history: customer_id, since (its first date) of every id there ever was.

    Returns:
        source, record_key, customer_id.
    """
    old = members.join(current.withColumnRenamed("customer_id", "old_id"), on=["source", "record_key"], how="inner")
    shared = old.groupBy("cluster", "old_id").agg(F.count(F.lit(1)).alias("records"))
    most = Window.partitionBy("old_id").orderBy(F.col("records").desc(), "cluster")
    claims = shared.withColumn("rank", F.row_number().over(most)).where("rank = 1")
    ages = history.withColumnsRenamed({"customer_id": "old_id"})
    oldest = Window.partitionBy("cluster").orderBy("since", F.col("records").desc(), "old_id")
    kept = (
        claims.join(ages, on="old_id", how="left")
        .withColumn("rank", F.row_number().over(oldest))
        .where("rank = 1")
        .select("cluster", "old_id")
    )
    first = members.groupBy("cluster").agg(F.min(F.struct("source", "record_key")).alias("first"))
    fresh = first.withColumn("new_id", new_id(F.col("first.source"), F.col("first.record_key")))
    taken = history.select(F.col("customer_id").alias("new_id"), F.lit(True).alias("is_taken"))
    # An id is free again for the very cluster that keeps it, never for another one.
    fresh = fresh.join(taken, on="new_id", how="left").withColumn(
        "new_id", F.when(F.col("is_taken"), new_id(F.col("first.source"), F.col("first.record_key"), "cluster")).otherwise(F.col("new_id"))
    )
    ids = fresh.join(kept, on="cluster", how="left").select("cluster", F.coalesce("old_id", "new_id").alias("customer_id"))
    return members.join(ids, on="cluster", how="inner").select("source", "record_key", "customer_id")


def new_id(source: Column, record_key: Column, *more: str) -> Column:
    """`c` and 80 bits of a hash: 10 million ids collide with a chance below 1 in 10 billion."""
    return F.concat(F.lit("c"), F.substring(F.sha2(F.concat_ws("\x1f", source, record_key, *more), 256), 1, 20))


def changes(before: DataFrame, after: DataFrame, ids: DataFrame) -> DataFrame:
    """What happened to customer ids between two states.

    Args:
        before: source, record_key, customer_id.
        after: the same, now.
        ids: customer_id of every id there ever was before.

    Returns:
        change, customer_id, previous_customer_id, records, reason. `created`: an id is new; `merged`: all records of
        an id went to another one; `split`: an id's records went to several; `moved`: some of its records went to
        another id that was there before.
    """
    old = before.withColumnRenamed("customer_id", "previous_customer_id")
    moved = after.join(old, on=["source", "record_key"], how="inner")
    flow = moved.groupBy("previous_customer_id", "customer_id").agg(F.count(F.lit(1)).alias("records"))
    stays = Window.partitionBy("previous_customer_id")
    flow = flow.withColumns(
        {
            "survives": F.bool_or(F.col("customer_id") == F.col("previous_customer_id")).over(stays),
            "targets": F.count(F.lit(1)).over(stays),
        }
    ).where("customer_id <> previous_customer_id")
    known = ids.select(F.col("customer_id"), F.lit(True).alias("was_known"))
    flow = flow.join(known, on="customer_id", how="left")
    kind = (
        F.when(~F.col("survives") & (F.col("targets") == 1), "merged")
        .when(F.col("was_known").isNull(), "split")
        .otherwise("moved")
    )
    happened = flow.select(
        kind.alias("change"),
        "customer_id",
        "previous_customer_id",
        "records",
        F.when(kind == "merged", "an identifier joins what were two customers")
        .when(kind == "split", "nothing joins these records any more")
        .otherwise("the records share identifiers with another customer now")
        .alias("reason"),
    )
    created = after.groupBy("customer_id").agg(F.count(F.lit(1)).alias("records"))
    created = created.join(ids, on="customer_id", how="left_anti").select(
        F.lit("created").alias("change"),
        "customer_id",
        F.col("customer_id").alias("previous_customer_id"),
        "records",
        F.lit("new records").alias("reason"),
    )
    return happened.unionByName(created)
