"""Clusters of atoms, worked on side by side: average linkage within each component."""

from functools import partial

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cdp.identity.components import connected_components
from cdp.identity.matching.linkage import Edges, Numbers, average_linkage
from cdp.identity.matching.scores import SAID
from cdp.identity.protect import FACT, Fact, Limits

UNSEEN = -3.0
"""Bits of a pair that never met: about the share of matches that blocking misses (an eighth), against nearly all others."""
_EDGES_AT_ONCE = 300_000
_EDGE = ("low_atom", "high_atom", "weight", "pairs")


def clustered(edges: DataFrame, atoms: DataFrame, had: DataFrame, stop: float) -> tuple[DataFrame, DataFrame]:
    """Average linkage within what hangs together by pairs that are alike at all; components side by side.

    Args:
        edges: `scores.edges_of`.
        atoms: node, component: records that are one person already; a node without a row is an atom of its own.
        had: `protect.facts`.
        stop: bits.

    Returns:
        atom, cluster: of the atoms that became part of a larger cluster; and low_atom, high_atom, kind: of clusters that
        are alike, but were kept apart.
    """
    alike = edges.where(F.col("weight") >= F.col("pairs") * round(stop * 1000))
    bounds = connected_components(alike.select(F.col("low_atom").alias("src"), F.col("high_atom").alias("dst")))
    bounds = bounds.withColumnRenamed("node", "atom").localCheckpoint()
    low = bounds.select(F.col("atom").alias("low_atom"), F.col("component").alias("_low"))
    high = bounds.select(F.col("atom").alias("high_atom"), F.col("component").alias("_high"))
    inside = edges.join(low, on="low_atom", how="inner").join(high, on="high_atom", how="inner").where("_low = _high")
    parts = max(2, bounds.count() // _EDGES_AT_ONCE)
    part = F.pmod(F.xxhash64("component"), F.lit(parts)).alias("part")
    own = had.join(atoms, on="node", how="left").withColumn("atom", F.coalesce("component", "node")).drop("component", "node")
    known = own.join(bounds, on="atom", how="inner").select(part, F.col("atom").alias("node"), *FACT[1:])
    links = inside.withColumn("component", F.col("_low")).select(part, *_EDGE, *SAID)
    found = (
        links.groupBy("part")
        .cogroup(known.groupBy("part"))
        .applyInArrow(partial(_link, stop=round(stop * 1000)), "atom bigint, cluster bigint, kind string")
        .localCheckpoint()
    )
    clusters = found.where("kind is null").select("atom", "cluster")
    refused = found.where("kind is not null").select(
        F.col("atom").alias("low_atom"), F.col("cluster").alias("high_atom"), "kind"
    )
    return clusters, refused


def _link(edges: pa.Table, had: pa.Table, stop: int) -> pa.Table:
    columns = [had.column(name).to_pylist() for name in FACT]
    limits = Limits(Fact(*row) for row in zip(*columns, strict=True))
    low, high, weight, pairs, *said = (edges.column(name).to_numpy() for name in (*_EDGE, *SAID))
    known = Edges(low, high, weight, pairs, np.stack(said, axis=1))

    def sizes(nodes: Numbers) -> Numbers:
        return np.array([max(1, limits.count(node, "max_cluster_size")) for node in nodes.tolist()], np.int64)

    clusters, refused = average_linkage(known, sizes, stop=stop, unseen=round(UNSEEN * 1000), limits=limits)
    atom = [*clusters.keys(), *(low for low, _, _ in refused)]
    cluster = [*clusters.values(), *(high for _, high, _ in refused)]
    kinds = [*[None] * len(clusters), *(kind for _, _, kind in refused)]
    return pa.table(
        {"atom": pa.array(atom, pa.int64()), "cluster": pa.array(cluster, pa.int64()), "kind": pa.array(kinds, pa.string())}
    )
