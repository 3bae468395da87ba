"""Ids that last: clusters keep the id of the people they were in the runs before, and every change is told."""

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

_USUAL_IDS = 16
"""Numbers tried for every new id; hardly a record has founded so many ids, and only for those that have are more tried."""


def named(members: DataFrame, assignments: DataFrame, changes: DataFrame) -> tuple[DataFrame, DataFrame]:
    """Give each cluster an id.

    An old id goes to the cluster that holds most of its records; a cluster that several old ids go to keeps the oldest of
    them; a cluster that none goes to gets a new one, made from its first record, that no run has given before.

    Args:
        members: source, record_key, first_seen_at, component: every record of this run.
        assignments: `identity.assignments` of the runs before.
        changes: `identity.changes` of the runs before: every id ever given stands there.

    Returns:
        (source, record_key, customer_id) for each member, and the overlaps (component, customer_id, old_id, old_component,
        survivor, records): which records of which old id are where; old_id null for records that are new.
    """
    key = ["source", "record_key"]
    latest = assignments.groupBy(*key).agg(F.max_by("customer_id", "valid_from").alias("old_id"))
    ages = assignments.groupBy("customer_id").agg(F.min("valid_from").alias("born_at"))
    known = latest.join(ages.withColumnRenamed("customer_id", "old_id"), on="old_id", how="inner")
    placed = members.join(known, on=key, how="left")
    overlaps = placed.groupBy("component", "old_id").agg(
        F.count("*").alias("records"),
        F.min("born_at").alias("born_at"),
        F.min(F.struct("first_seen_at", "source", "record_key")).alias("first"),
    )
    old = overlaps.where("old_id is not null")
    # Ties go to the cluster with the smallest node, which is the same on each run.
    size = F.struct("records", -F.col("component").cast("decimal(20,0)"))
    goes_to = old.groupBy("old_id").agg(F.max_by("component", size).alias("old_component"))
    claims = old.join(goes_to, on="old_id", how="inner").where("component = old_component")
    age = F.struct("born_at", -F.col("records"), "old_id")
    kept = claims.groupBy("component").agg(F.min_by("old_id", age).alias("kept_id"))
    clusters = overlaps.groupBy("component").agg(F.min("first").alias("first")).join(kept, on="component", how="left")
    fresh = _new_ids(clusters.where("kept_id is null"), changes)
    ids = clusters.join(fresh, on="component", how="left").select(
        "component", F.coalesce("kept_id", "new_id").alias("customer_id")
    )
    survivors = kept.select(F.col("kept_id").alias("old_id"), F.lit(True).alias("survives"))
    told = (
        overlaps.select("component", "old_id", "records")
        .join(ids, on="component", how="inner")
        .join(goes_to, on="old_id", how="left")
        .join(survivors, on="old_id", how="left")
        .withColumn("survives", F.coalesce("survives", F.lit(False)))
    )
    return members.join(ids, on="component", how="inner").select(*key, "customer_id"), told


def _new_ids(clusters: DataFrame, changes: DataFrame) -> DataFrame:
    """component, new_id: the first id of the cluster's first record that was never given."""
    given = changes.select(F.col("customer_id").alias("new_id"), F.lit(True).alias("is_given")).distinct()
    usual = F.sequence(F.lit(0), F.lit(_USUAL_IDS - 1))
    tried = _first_free(clusters.select("component", "first", usual.alias("numbers")), given)
    # A record founds at most one id in a run: of one number more than there were runs, one is free.
    runs = changes.agg(F.count_distinct("batch").cast("int").alias("runs"))
    others = F.sequence(F.lit(_USUAL_IDS), F.greatest(F.col("runs"), F.lit(_USUAL_IDS)))
    numbers = F.when(F.col("n").isNull(), others).otherwise(F.array("n"))
    found = _first_free(tried.crossJoin(F.broadcast(runs)).select("component", "first", numbers.alias("numbers")), given)
    return found.select("component", _id(F.col("first"), F.col("n")).alias("new_id"))


def _first_free(wanted: DataFrame, given: DataFrame) -> DataFrame:
    """component, first, n: the smallest of the numbers whose id was never given; null where all were.

    Args:
        wanted: component, first (its first record), numbers (array<int>).
        given: new_id, is_given (true): ids of the past.
    """
    one_each = wanted.select("component", "first", F.explode("numbers").alias("n"))
    tried = one_each.withColumn("new_id", _id(F.col("first"), F.col("n"))).join(given, on="new_id", how="left")
    return tried.groupBy("component", "first").agg(F.min(F.when(F.col("is_given").isNull(), F.col("n"))).alias("n"))


def _id(first: Column, n: Column) -> Column:
    text = F.concat_ws("\0", first["source"], first["record_key"], n.cast("string"))
    return F.concat(F.lit("c"), F.substring(F.sha2(text, 256), 1, 20))


def change_rows(overlaps: DataFrame, *, run_id: str, batch: int, as_of: date) -> DataFrame:
    """`identity.changes` of this run.

    created: an id for records that had none. merged: an old id is no more, its records (or most of them) have this one.
    split: a new id for records of an old one that goes on elsewhere. moved: records of an old id now have another old one.

    Args:
        overlaps: of `named`.
        run_id: this run.
        batch: state of the assignments that it starts from.
        as_of: the run's date.
    """
    mine = F.col("old_id") == F.col("customer_id")
    of_old = overlaps.where(F.col("old_id").isNotNull() & ~mine)
    is_new = overlaps.groupBy("component").agg(F.max(F.coalesce(mine, F.lit(False))).alias("is_old"))
    known = of_old.join(is_new, on="component", how="inner")
    is_merged = ~F.col("survives") & (F.col("old_component") == F.col("component"))
    change = F.when(is_merged, "merged").when(F.col("is_old"), "moved").otherwise("split")
    reason = (
        F.when(change == "merged", F.lit("linked with records of an older id"))
        .when(change == "moved", F.lit("now linked with records of another id"))
        .otherwise(F.lit("no longer linked with the other records of the id"))
    )
    told = known.select("customer_id", F.col("old_id").alias("previous_customer_id"), "records", change.alias("change"), reason.alias("reason"))
    founded = overlaps.groupBy("component", "customer_id").agg(
        F.sum("records").alias("records"), F.count("old_id").alias("olds")
    )
    created = founded.where("olds = 0").select(
        "customer_id",
        F.col("customer_id").alias("previous_customer_id"),
        "records",
        F.lit("created").alias("change"),
        F.lit("records seen for the first time").alias("reason"),
    )
    return told.unionByName(created).select(
        F.lit(run_id).alias("run_id"),
        F.lit(batch).cast("bigint").alias("batch"),
        _midnight(as_of).alias("changed_at"),
        "change",
        "customer_id",
        "previous_customer_id",
        F.col("records").cast("bigint").alias("records"),
        "reason",
    )


def assignment_changes(assignments: DataFrame, now: DataFrame, *, run_id: str, as_of: date) -> DataFrame:
    """Rows of `identity.assignments` that are new or closed; rows that stay as they are do not appear.

    A second run of a day corrects that day's rows in place: a day has one outcome. A run for a day before a row began
    leaves a row alone whose record it does not know.

    Args:
        assignments: as they are.
        now: source, record_key, customer_id of this run.
        run_id: this run.
        as_of: the run's date.
    """
    key = ["source", "record_key"]
    start = _midnight(as_of)
    standing = assignments.where("is_current").select(*key, *[F.col(c).alias(f"_{c}") for c in ("customer_id", "valid_from", "run_id")])
    both = standing.join(now, on=key, how="full")
    is_other = ~F.col("_customer_id").eqNullSafe(F.col("customer_id"))
    began = F.col("_valid_from") < start
    is_known = F.col("customer_id").isNotNull()
    closed = both.where(is_other & F.col("_customer_id").isNotNull() & (began | (~is_known & (F.col("_valid_from") == start))))
    opened = both.where(is_other & is_known)
    return closed.select(
        *key,
        F.col("_customer_id").alias("customer_id"),
        F.col("_valid_from").alias("valid_from"),
        start.alias("valid_to"),
        F.lit(False).alias("is_current"),
        F.col("_run_id").alias("run_id"),
    ).unionByName(
        opened.select(
            *key,
            "customer_id",
            F.when(began | F.col("_valid_from").isNull(), start).otherwise(F.col("_valid_from")).alias("valid_from"),
            F.lit(None).cast("timestamp").alias("valid_to"),
            F.lit(True).alias("is_current"),
            F.lit(run_id).alias("run_id"),
        )
    )


def _midnight(as_of: date) -> Column:
    return F.lit(as_of.isoformat()).cast("timestamp")
