"""Connected components of a graph: on the driver while it fits, on Spark beyond."""

import numpy as np
import pandas as pd
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

DRIVER_EDGES = 5_000_000
"""Edges (16 bytes each) that come to the driver at most: 80 MB, and a few times that while they are joined."""


def connected_components(edges: DataFrame, *, driver_edges: int = DRIVER_EDGES) -> DataFrame:
    """Label the nodes of each component by its smallest node.

    Args:
        edges: `src`, `dst`, both bigint; direction and repetition do not matter.
        driver_edges: more than this many edges are worked on in Spark.

    Returns:
        `node`, `component`; a row a node.
    """
    bounded = edges.select("src", "dst").limit(driver_edges + 1).toArrow()
    if bounded.num_rows > driver_edges:
        return _on_spark(edges)
    labels = label_components(bounded["src"].to_numpy(), bounded["dst"].to_numpy())
    table = pa.table({"node": labels.index.to_numpy(), "component": labels.to_numpy()})
    return edges.sparkSession.createDataFrame(table)


def label_components(src: "np.ndarray", dst: "np.ndarray") -> "pd.Series":
    """Smallest node of each node's component, indexed by node."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components as components

    nodes, codes = np.unique(np.concatenate([src, dst]), return_inverse=True)
    if not len(nodes):
        return pd.Series([], index=pd.Index([], dtype="int64"), dtype="int64")
    ones = np.ones(len(src), dtype=np.int8)
    graph = coo_array((ones, (codes[: len(src)], codes[len(src) :])), shape=(len(nodes), len(nodes)))
    _, labels = components(graph, directed=False)
    # `nodes` is sorted, so the first node met of each label is its smallest.
    _, first = np.unique(labels, return_index=True)
    return pd.Series(nodes[first][labels], index=nodes)


def _on_spark(edges: DataFrame) -> DataFrame:
    """Alternating large-star and small-star, until nothing changes.

    Source: Kiveris et al. (2014), Connected Components in MapReduce and Beyond, SoCC '14: O(log^2 n) rounds.
    """
    loops = edges.select(F.explode(F.array("src", "dst")).alias("src")).select("src", F.col("src").alias("dst"))
    current = edges.select("src", "dst").where("src <> dst").distinct().localCheckpoint()
    before = None
    while True:
        current = _small_star(_large_star(current)).localCheckpoint()
        state = current.agg(F.count(F.lit(1)), F.sum(F.xxhash64("src", "dst").cast("decimal(38,0)"))).first()
        if state == before:
            break
        before = state
    stars = current.select(F.col("src").alias("node"), F.col("dst").alias("component"))
    every = loops.select(F.col("src").alias("node"), F.col("dst").alias("component")).unionByName(stars)
    return every.groupBy("node").agg(F.min("component").alias("component"))


def _large_star(edges: DataFrame) -> DataFrame:
    both = edges.unionByName(edges.select(F.col("dst").alias("src"), F.col("src").alias("dst")))
    smallest = both.groupBy("src").agg(F.least(F.min("dst"), F.first("src")).alias("root"))
    linked = both.join(smallest, on="src", how="inner").where("dst > src")
    return linked.select(F.col("dst").alias("src"), F.col("root").alias("dst")).where("src <> dst").distinct()


def _small_star(edges: DataFrame) -> DataFrame:
    down = edges.select(F.greatest("src", "dst").alias("src"), F.least("src", "dst").alias("dst"))
    smallest = down.groupBy("src").agg(F.min("dst").alias("root"))
    neighbours = down.join(smallest, on="src", how="inner").select(F.col("dst").alias("src"), F.col("root").alias("dst"))
    selves = smallest.select("src", F.col("root").alias("dst"))
    return neighbours.unionByName(selves).where("src <> dst").distinct()
