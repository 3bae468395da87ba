"""From identifiers to clusters of records that are one person."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.identity.components import connected_components
from cdp.identity.config import IdentityConfig
from cdp.identity.ledger import Rule


def record_node(source: str | Column = "source", record_key: str | Column = "record_key") -> Column:
    """A record as a node of the graph."""
    return F.xxhash64(source, record_key)


def clusters(people: DataFrame, usable: DataFrame, config: IdentityConfig, rules: tuple[Rule, ...]) -> DataFrame:
    """Records to clusters.

    First the identifiers of people join records. Then devices: what was done on a device without logging in belongs to
    the one person who used it; where several people did, `shared_identifier_policy` decides, and by default it
    belongs to nobody, so that a shared device never joins its users.

    Args:
        people: `joined_by`.
        usable: `Values.usable`.
        config: settings.
        rules: the steward's ledger.

    Returns:
        `record` (node), `cluster`; records that nothing joins are not in it.
    """
    edges = people.where("node is not null").select(record_node().alias("src"), F.col("node").alias("dst"))
    edges = edges.unionByName(_always(people, rules))
    known = connected_components(edges).withColumnRenamed("node", "record")
    on_devices = _device_edges(usable, known, config)
    joined = connected_components(
        known.select(F.col("record").alias("src"), F.col("component").alias("dst")).unionByName(on_devices)
    )
    return joined.withColumnsRenamed({"node": "record", "component": "cluster"})


def _always(people: DataFrame, rules: tuple[Rule, ...]) -> DataFrame:
    pairs = [(r.left.split("|", 1), (r.right or "").split("|", 1)) for r in rules if r.action == "always_link"]
    rows = [(*left, *right) for left, right in pairs]
    frame = people.sparkSession.createDataFrame(rows, "ls string, lk string, rs string, rk string")
    return frame.select(record_node("ls", "lk").alias("src"), record_node("rs", "rk").alias("dst"))


def _device_edges(usable: DataFrame, known: DataFrame, config: IdentityConfig) -> DataFrame:
    devices = usable.where("is_device").select(
        record_node().alias("record"),
        F.xxhash64("id_type", "id_value").alias("device"),
        "first_seen_at",
        "last_seen_at",
    )
    owners = devices.join(known, on="record", how="left")
    per_device = owners.groupBy("device").agg(
        F.count_distinct("component").alias("people"),
        F.max_by("component", F.struct("last_seen_at", "component")).alias("latest"),
        F.min_by("component", F.when(F.col("component").isNotNull(), F.struct("first_seen_at", "component"))).alias("first"),
    )
    chosen = {"ambiguous": F.lit(None).cast("bigint"), "most_recent": F.col("latest"), "existing": F.col("first")}
    target = (
        F.when(F.col("people") == 0, F.col("device"))
        .when(F.col("people") == 1, F.coalesce("latest", "first"))
        .otherwise(F.coalesce(chosen[config.shared_identifier_policy], F.col("device")))
    )
    nameless = owners.where("component is null").select("record", "device")
    return nameless.join(per_device.select("device", target.alias("dst")), on="device", how="inner").select(
        F.col("record").alias("src"), "dst"
    )
