"""Clusters of atoms, worked on side by side: average linkage within each component."""

from functools import partial
from math import ceil

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cdp.identity.components import connected_components
from cdp.identity.matching.linkage import TOLD, Edges, Numbers, average_linkage, evidence_of
from cdp.identity.matching.model import Model
from cdp.identity.matching.scores import patterns_of
from cdp.identity.matching.together import MILLI, Together
from cdp.identity.protect import FACT, Fact, Limits

UNSEEN = -3.0
"""Bits of a pair that never met: about the share of matches that blocking misses (an eighth), against nearly all others."""
_ATOMS_A_PART = 100_000
_PAIRS_A_PART = 200_000
"""Pairs that a worker clusters together, some 150 MB; more where one component has more."""
_PAIRS_AT_ONCE = 100_000
_BROADCAST = 1_000_000
"""Atoms whose components are sent to all, some 30 MB, so that pairs are read where they are."""
_PAIR = ("low_atom", "high_atom", "pattern", "rarity")


def clustered(
    pairs: DataFrame, best: DataFrame, atoms: DataFrame, had: DataFrame, model: Model, stop: float
) -> tuple[DataFrame, DataFrame]:
    """Average linkage within what hangs together by pairs that are alike; components side by side.

    Args:
        pairs: `candidates.compared_pairs`; read once, for what hangs together.
        best: `scores.best_of_atoms` of the pairs of at least `stop`, or more of them.
        atoms: node, component: records that are one person already; a node without a row is an atom of its own.
        had: `protect.facts`.
        model: what likeness is worth.
        stop: bits.

    Returns:
        atom, cluster: of the atoms that became part of a larger cluster; and low_atom, high_atom, kind: of clusters that
        are alike, but were kept apart.
    """
    alike = best.where(F.col("best.score") >= stop)
    bounds = connected_components(alike.select(F.col("low_atom").alias("src"), F.col("high_atom").alias("dst")))
    bounds = bounds.withColumnRenamed("node", "atom").localCheckpoint()
    count = bounds.count()
    placed = F.broadcast(bounds) if count <= _BROADCAST else bounds
    low = placed.select(F.col("atom").alias("low_atom"), F.col("component").alias("_low"))
    high = placed.select(F.col("atom").alias("high_atom"), F.col("component").alias("_high"))
    between = pairs.where("low_atom <> high_atom").select(*_PAIR)
    inside = between.join(low, on="low_atom", how="inner").join(high, on="high_atom", how="inner").where("_low = _high")
    # Held, so that counting them is not a second pass over all pairs.
    links = inside.select(F.col("_low").alias("component"), *_PAIR).persist()
    # Few atoms that are all alike have as many pairs as a million that come in twos, which have more to be limited by.
    parts = max(2, ceil(links.count() / _PAIRS_A_PART), ceil(count / _ATOMS_A_PART))
    part = F.pmod(F.xxhash64("component"), F.lit(parts)).alias("part")
    own = had.join(atoms, on="node", how="left").withColumn("atom", F.coalesce("component", "node")).drop("component", "node")
    known = own.join(bounds, on="atom", how="inner").select(part, F.col("atom").alias("node"), *FACT[1:])
    found = (
        links.select(part, *_PAIR)
        .groupBy("part")
        .cogroup(known.groupBy("part"))
        .applyInArrow(partial(_link, model=model, stop=stop), "atom bigint, cluster bigint, kind string")
        .localCheckpoint()
    )
    links.unpersist()
    clusters = found.where("kind is null").select("atom", "cluster")
    refused = found.where("kind is not null").select(
        F.col("atom").alias("low_atom"), F.col("cluster").alias("high_atom"), "kind"
    )
    return clusters, refused


def _link(pairs: pa.Table, had: pa.Table, model: Model, stop: float) -> pa.Table:
    columns = [had.column(name).to_pylist() for name in FACT]
    limits = Limits(Fact(*row) for row in zip(*columns, strict=True))
    together = Together(model)

    def sizes(nodes: Numbers) -> Numbers:
        return np.array([max(1, limits.count(node, "max_cluster_size")) for node in nodes.tolist()], np.int64)

    clusters, refused = average_linkage(
        edges_of(pairs, model, together, stop),
        sizes,
        together.bits,
        stop=round(stop * MILLI),
        unseen=round(UNSEEN * MILLI),
        limits=limits,
    )
    atom = [*clusters.keys(), *(low for low, _, _ in refused)]
    cluster = [*clusters.values(), *(high for _, high, _ in refused)]
    kinds = [*[None] * len(clusters), *(kind for _, _, kind in refused)]
    return pa.table(
        {"atom": pa.array(atom, pa.int64()), "cluster": pa.array(cluster, pa.int64()), "kind": pa.array(kinds, pa.string())}
    )


def edges_of(pairs: pa.Table, model: Model, together: Together, stop: float) -> Edges:
    """What the pairs of each two atoms say.

    Args:
        pairs: low_atom, high_atom (in any order), pattern, rarity.
        model: what likeness is worth.
        together: what adds up.
        stop: bits from which a pair is alike.
    """
    ends = np.stack([pairs.column(name).to_numpy() for name in ("low_atom", "high_atom")])
    ends.sort(axis=0)
    order = np.lexsort(ends[::-1])
    low, high = ends[:, order]
    is_first = np.ones(len(order), bool)
    is_first[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    edge = np.cumsum(is_first) - 1
    pairs = pairs.select(["pattern", "rarity"]).take(order)
    sums = np.zeros((int(is_first.sum()), TOLD + together.columns), np.int64)
    for start in range(0, len(order), _PAIRS_AT_ONCE):
        patterns = patterns_of(pairs.slice(start, _PAIRS_AT_ONCE), model)
        alike = model.parameters.scores(patterns) >= stop
        rows = evidence_of(alike, together.said(patterns), together.told(patterns))
        edges, places = np.unique(edge[start : start + len(rows)], return_index=True)
        sums[edges] += np.add.reduceat(rows, places)
    return Edges(low[is_first], high[is_first], sums)
