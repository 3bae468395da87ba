"""What was linked, what was refused, and what nobody may be linked by."""

import hashlib
from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from cdp.identity.config import CONTACT_TYPES
from cdp.identity.matching.linkage import AMBIGUOUS
from cdp.identity.matching.match import Matches
from cdp.identity.matching.model import Crowd
from cdp.tables.identity import AUDIT

_VALUE = ["id_type", "id_value"]


def link_rows(seen: DataFrame, devices: DataFrame, nodes: DataFrame, ruled: DataFrame | None) -> DataFrame:
    """`identity.links`: each record of a value to the value's first record, and the people of a value kept apart.

    Args:
        seen: `groups.grouped`, without devices.
        devices: `devices.touched`.
        nodes: node, source, record_key.
        ruled: left, right (nodes) and decision of the steward's rules; None where there are none.
    """
    record = F.struct("source", "record_key", "node")
    linked = seen.where(F.col("hub").isNotNull() & (F.col("hub.node") != F.col("node")))
    accepted = linked.select(F.col("hub").alias("left"), record.alias("right"), F.col("id_type").alias("rule"), *_said(True))
    split = (F.col("hub.node") == F.col("node")) & (F.col("first_hub.node") != F.col("node"))
    apart = F.lit("one value, but given names or births of two people").alias("reason")
    refused = seen.where(split).select(
        F.col("first_hub").alias("left"), record.alias("right"), F.col("id_type").alias("rule"), apart, *_said(False)[1:]
    )
    targets = nodes.select(F.col("node").alias("target"), F.struct("source", "record_key", "node").alias("_target"))
    to_person = devices.where("target is not null and target <> node").join(targets, on="target", how="inner")
    left, right = F.least("_target", "_record"), F.greatest("_target", "_record")
    by_device = to_person.withColumn("_record", record).select(
        left.alias("left"), right.alias("right"), F.col("id_type").alias("rule"), *_device_said()
    )
    rows = accepted.unionByName(refused).unionByName(by_device)
    if ruled is not None:
        rows = rows.unionByName(ruled)
    # Two records may share two addresses: one row, accepted if one of them links.
    best = F.struct("decision", "reason", "probability")
    # By plain columns: Spark makes a new comparator for each two structs that it compares.
    ends = {f"{side}_{name}": F.col(f"{side}.{name}") for side in ("left", "right") for name in ("source", "record_key")}
    pairs = rows.select("*", *[column.alias(name) for name, column in ends.items()])
    return pairs.groupBy(*ends, "rule").agg(F.min(best).alias("best")).select(
        *ends,
        "rule",
        F.lit(None).cast("double").alias("match_weight"),
        "best.probability",
        F.lit(None).cast("map<string,double>").alias("evidence"),
        "best.decision",
        "best.reason",
    )


def scored_links(matches: Matches, nodes: DataFrame, review: float) -> DataFrame:
    """`identity.links` of what records say: the best pair of any two atoms that are alike.

    Args:
        matches: what the comparison came to.
        nodes: node, source, record_key.
        review: bits from which a pair is kept.
    """
    pairs = matches.pairs.where(F.col("score") >= review)
    for side in ("low", "high"):
        cluster = matches.clusters.select(F.col("atom").alias(f"{side}_atom"), F.col("cluster").alias(f"_{side}"))
        record = nodes.select(F.col("node").alias(side), F.struct("source", "record_key").alias(f"{side}_record"))
        pairs = pairs.join(cluster, on=f"{side}_atom", how="left").join(record, on=side, how="inner")
    is_one = F.coalesce("_low", "low_atom") == F.coalesce("_high", "high_atom")
    limits = matches.refused.select(
        F.col("low_atom").alias("_low_root"), F.col("high_atom").alias("_high_root"), "kind"
    ).groupBy("_low_root", "_high_root").agg(F.min("kind").alias("kind"))
    roots = {"_low_root": F.coalesce("_low", "low_atom"), "_high_root": F.coalesce("_high", "high_atom")}
    ordered = pairs.withColumns({"_low_root": F.least(*roots.values()), "_high_root": F.greatest(*roots.values())})
    told = ordered.join(limits, on=["_low_root", "_high_root"], how="left")
    kept_apart = F.concat(F.lit("alike, but all records of the two customers together would be more than one person: "), F.col("kind"))
    is_doubtful = F.col("kind") == AMBIGUOUS
    reason = (
        F.when(is_one, F.lit("alike, and so are the records of both"))
        .when(is_doubtful, F.lit("alike, but one of them is as much like another person"))
        .when(F.col("kind").isNotNull(), kept_apart)
        .otherwise(F.lit("alike, but not alike enough, or their other records are not"))
    )
    # Which of the two it is, a steward may know.
    is_refused = F.col("kind").isNotNull() & ~is_doubtful
    decision = F.when(is_one, "accepted").when(is_refused, "refused").otherwise("review")
    left, right = F.least("low_record", "high_record"), F.greatest("low_record", "high_record")
    return told.select(
        left["source"].alias("left_source"),
        left["record_key"].alias("left_record_key"),
        right["source"].alias("right_source"),
        right["record_key"].alias("right_record_key"),
        F.lit("comparison").alias("rule"),
        F.col("score").alias("match_weight"),
        (1 / (1 + F.pow(F.lit(2.0), -F.col("score")))).alias("probability"),
        "evidence",
        decision.alias("decision"),
        reason.alias("reason"),
    )


def ruled_links(ends: DataFrame, nodes: DataFrame) -> DataFrame:
    """The pairs of records that the steward's always and never rules speak of, the first record of each side.

    Args:
        ends: `rules.endpoints`.
        nodes: node, source, record_key.
    """
    named = ends.where("action <> 'block'").join(nodes.select("node", "source", "record_key"), on="node", how="inner")
    sides = named.groupBy("rule_id", "action").agg(
        *[F.min(F.when(F.col("side") == s, F.struct("source", "record_key", "node"))).alias(s) for s in ("L", "R")]
    )
    is_link = F.col("action") == "always_link"
    return sides.where("L is not null and R is not null and L <> R").select(
        F.least("L", "R").alias("left"),
        F.greatest("L", "R").alias("right"),
        F.concat(F.lit("rule "), F.col("rule_id")).alias("rule"),
        F.concat(F.lit("steward: "), F.col("action")).alias("reason"),
        F.when(is_link, "accepted").otherwise("refused").alias("decision"),
        F.when(is_link, 1.0).otherwise(0.0).alias("probability"),
    )


def after_cuts(links: DataFrame, clusters: DataFrame) -> DataFrame:
    """Links whose ends came into different clusters are refused.

    Args:
        links: `link_rows`.
        clusters: source, record_key, component.
    """
    sides = [
        clusters.select(
            F.col("source").alias(f"{side}_source"),
            F.col("record_key").alias(f"{side}_record_key"),
            F.col("component").alias(f"_{side}"),
        )
        for side in ("left", "right")
    ]
    joined = links
    for side, ends in zip(("left", "right"), sides, strict=True):
        joined = joined.join(ends, on=[f"{side}_source", f"{side}_record_key"], how="left")
    is_cut = (F.col("_left") != F.col("_right")) & (F.col("decision") == "accepted")
    text = F.concat(F.lit("cut: both together would be more than one person can be; "), F.col("reason"))
    return joined.withColumns(
        {
            "reason": F.when(is_cut, text).otherwise(F.col("reason")),
            "decision": F.when(is_cut, "refused").otherwise(F.col("decision")),
        }
    ).drop("_left", "_right")


def audit_rows(seen: DataFrame, devices: DataFrame, breaches: DataFrame) -> DataFrame:
    """`identity.audit`: blocked values, split values, ambiguous devices, clusters that were cut.

    Args:
        seen: `groups.grouped`.
        devices: `devices.touched`.
        breaches: `protect.breaches` of components that were cut: component, kind, records.
    """
    is_split = F.col("refused").isNull() & (F.col("groups") > 1) & F.col("id_type").isin(*CONTACT_TYPES)
    kind = F.when(F.col("refused").isNotNull(), "blocked_value").when(is_split, "refused_link")
    why = F.when(is_split, F.lit("shared by people of different given names or births: kept apart")).otherwise(
        F.col("refused")
    )
    values = seen.select(*_VALUE, kind.alias("kind"), why.alias("reason")).where("kind is not null")
    unclear = devices.where("persons > 1").select(
        *_VALUE, F.lit("ambiguous_identifier").alias("kind"), F.lit("seen with two people or more").alias("reason")
    )
    both = values.unionByName(unclear).groupBy("kind", *_VALUE).agg(
        F.count("*").alias("records"), F.min("reason").alias("reason")
    )
    told = both.select("kind", "id_type", F.sha2("id_value", 256).alias("value_hash"), "records", "reason")
    cuts = breaches.select(
        F.lit("cut_cluster").alias("kind"),
        F.col("kind").alias("id_type"),
        F.sha2(F.col("component").cast("string"), 256).alias("value_hash"),
        "records",
        F.lit("linked records that are more than one person can be: clustered anew").alias("reason"),
    )
    return told.unionByName(cuts)


def crowd_rows(spark: SparkSession, crowds: Sequence[Crowd]) -> DataFrame:
    """`identity.audit` of values of blocking rules that too many records have."""
    finer = "too many records agree in it to compare them all: they meet by a finer rule"
    dropped = "too many records agree in it, and in a finer rule: they meet by other rules alone"
    rows = [
        (
            "crowded_block", crowd.rule, hashlib.sha256(str(crowd.key).encode()).hexdigest(), crowd.records,
            dropped if crowd.is_dropped else finer,
        )
        for crowd in crowds
    ]  # fmt: skip
    return spark.createDataFrame(rows, AUDIT.schema)


def _said(is_linked: bool) -> list[Column]:
    decision = "accepted" if is_linked else "refused"
    return [F.col("reason"), F.lit(decision).alias("decision"), F.lit(1.0 if is_linked else 0.0).alias("probability")]


def _device_said() -> list[Column]:
    reason = F.when(F.col("persons") > 1, F.concat(F.lit("shared "), F.col("id_type"))).otherwise(
        F.concat(F.lit("same "), F.col("id_type"))
    )
    return [reason.alias("reason"), F.lit("accepted").alias("decision"), F.lit(1.0).alias("probability")]
