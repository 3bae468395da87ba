"""Connected components agree with a slow and obvious search, in memory and on Spark."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from cdp.identity.components import components_on_driver, components_on_spark, connected_components

Edges = list[tuple[int, int]]
NODES = st.integers(-(2**63), 2**63 - 1) | st.integers(0, 12)


def slow_components(edges: Edges) -> dict[int, int]:
    """Walk from every node to all it reaches."""
    neighbours: dict[int, set[int]] = {}
    for one, other in edges:
        neighbours.setdefault(one, set()).add(other)
        neighbours.setdefault(other, set()).add(one)
    found = {}
    for node in neighbours:
        reached, frontier = {node}, [node]
        while frontier:
            new = neighbours[frontier.pop()] - reached
            reached |= new
            frontier += new
        found[node] = min(reached)
    return found


@given(st.lists(st.tuples(NODES, NODES), max_size=40))
def test_in_memory(edges: Edges):
    table = pa.table({"src": pa.array([a for a, _ in edges], pa.int64()), "dst": pa.array([b for _, b in edges], pa.int64())})

    found = components_on_driver(table)

    assert dict(zip(found["node"].to_pylist(), found["component"].to_pylist(), strict=True)) == slow_components(edges)


@pytest.mark.parametrize(
    "edges",
    [
        pytest.param([(i, i + 1) for i in range(40)], id="a long chain"),
        pytest.param([(39 - i, 40 - i) for i in range(0, 40, 2)] + [(7, 7)], id="pairs and a loop"),
        pytest.param([(100, i) for i in range(20)] + [(200, i) for i in range(30, 45)] + [(19, -5)], id="stars"),
        pytest.param([], id="nothing"),
    ],
)
def test_on_spark(spark: SparkSession, edges: Edges):
    found = components_on_spark(spark.createDataFrame(edges, "src bigint, dst bigint")).collect()

    assert {row["node"]: row["component"] for row in found} == slow_components(edges)
    assert len(found) == len(slow_components(edges))


def test_too_many_edges_for_the_driver_are_left_to_spark(spark: SparkSession):
    edges = [(1, 2), (2, 3), (8, 9)]

    found = connected_components(spark.createDataFrame(edges, "src bigint, dst bigint"), most_on_driver=2).collect()

    assert {row["node"]: row["component"] for row in found} == slow_components(edges)
