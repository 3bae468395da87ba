"""Connected components: which nodes hang together, on the driver while the edges fit, on Spark beyond."""

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

EDGES_ON_DRIVER = 5_000_000
"""Edges that may be collected: 16 bytes each, and about ten times that while they are worked on."""


def connected_components(edges: DataFrame, *, most_on_driver: int = EDGES_ON_DRIVER) -> DataFrame:
    """Name the component of each node by its smallest node.

    Args:
        edges: `src`, `dst` (bigint), in any order and direction.
        most_on_driver: with more edges than this the work is done on Spark.

    Returns:
        node, component: a row for each node that has an edge.
    """
    pairs = edges.select("src", "dst")
    bounded = pairs.limit(most_on_driver + 1).toArrow()
    if bounded.num_rows > most_on_driver:
        return components_on_spark(pairs)
    return edges.sparkSession.createDataFrame(components_on_driver(bounded))


def components_on_driver(edges: pa.Table) -> pa.Table:
    """The same in memory, with SciPy."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components as label

    ends = np.concatenate([edges.column(name).to_numpy() for name in ("src", "dst")]).astype(np.int64)
    nodes, index = np.unique(ends, return_inverse=True)  # sorted: the first of a component is its smallest
    if not len(nodes):
        return pa.table({"node": pa.array([], pa.int64()), "component": pa.array([], pa.int64())})
    half = len(index) // 2
    graph = coo_array((np.ones(half, np.bool_), (index[:half], index[half:])), shape=(len(nodes), len(nodes)))
    _, labels = label(graph, directed=False)
    _, first = np.unique(labels, return_index=True)
    return pa.table({"node": nodes, "component": nodes[first][labels]})


def components_on_spark(edges: DataFrame) -> DataFrame:
    """The same on Spark, by alternating large-star and small-star until every node points to its smallest.

    Each round is two shuffles over edges whose number does not grow; rounds grow with the logarithm of the nodes.

    Source:
        Kiveris, Lattanzi, Mirrokni, Rastogi and Vassilvitskii (2014), Connected Components in MapReduce and Beyond, SoCC.
    """
    nodes = edges.select(F.col("src").alias("node")).union(edges.select("dst")).distinct()
    stars = edges.where("src <> dst").select(
        F.greatest("src", "dst").alias("node"), F.least("src", "dst").alias("low")
    )
    stars, before = stars.distinct().localCheckpoint(), None
    while True:
        after = stars.agg(F.count("*"), F.bit_xor(F.xxhash64("node", "low")), F.sum(F.col("low").cast("decimal(38,0)"))).first()
        if after == before:
            break
        before = after
        stars = _small_star(_large_star(stars)).localCheckpoint()
    return nodes.join(stars, on="node", how="left").select("node", F.coalesce("low", "node").alias("component"))


def _large_star(stars: DataFrame) -> DataFrame:
    """Connect each node's larger neighbours to its smallest neighbour (or itself)."""
    both = stars.select("node", "low").union(stars.select("low", "node"))  # node and neighbour
    neighbours = both.toDF("node", "other")
    least = neighbours.groupBy("node").agg(F.min("other").alias("least"))
    least = least.select("node", F.least("node", "least").alias("least"))
    joined = neighbours.where("other > node").join(least, on="node", how="inner")
    return joined.select(F.col("other").alias("node"), F.col("least").alias("low")).distinct()


def _small_star(stars: DataFrame) -> DataFrame:
    """Connect each node and its smaller neighbours to the smallest of them."""
    least = stars.groupBy("node").agg(F.min("low").alias("least"))
    joined = stars.join(least, on="node", how="inner")
    others = joined.where("low <> least").select(F.col("low").alias("node"), F.col("least").alias("low"))
    return others.union(least.toDF("node", "low")).distinct()
