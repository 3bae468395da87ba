"""Components worked on side by side, some to a part, come out as one by one."""

from datetime import datetime
from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession

from cdp.identity.matching.candidates import BITS
from cdp.identity.matching.clusters import _link, clustered
from cdp.identity.matching.model import Model
from cdp.identity.protect import FACT
from tests.identity.matching.test_together import FIELDS, model

STOP = -20.0
Pair = tuple[int, int, int, bytes]
"""low_atom, high_atom, pattern, rarity."""
FACTS = [(node, "unique card", node % 3, datetime(2026, 1, 1), 1, None) for node in range(0, 200, 2)]
FACT_SCHEMA = "node bigint, kind string, value bigint, at timestamp, at_most int, days int"


def cliques(count: int, size: int) -> list[Pair]:
    """So many components, within which everybody met; half the pairs say that they are one."""
    random = np.random.default_rng(7)
    places = np.arange(len(FIELDS)) * BITS
    found = []
    for first in range(0, count * size, size):
        for low, high in combinations(range(first, first + size), 2):
            levels = np.ones(len(FIELDS), np.int64) if random.random() < 0.5 else random.integers(0, 5, len(FIELDS))
            found.append((low, high, int((levels << places).sum()), bytes(len(FIELDS))))
    return found


def of_all(spark: SparkSession, pairs: list[Pair], known: Model) -> tuple[DataFrame, DataFrame]:
    table = spark.createDataFrame(pairs, "low_atom bigint, high_atom bigint, pattern bigint, rarity binary")
    best = table.selectExpr("low_atom", "high_atom", "named_struct('score', 0D) as best")
    atoms = spark.createDataFrame([], "node bigint, component bigint")
    return clustered(table, best, atoms, spark.createDataFrame(FACTS, FACT_SCHEMA), known, STOP)


@pytest.mark.parametrize("pairs_a_part", [1, 1000])
def test_components_are_clustered_as_one_by_one(spark: SparkSession, pairs_a_part: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("cdp.identity.matching.clusters._PAIRS_A_PART", pairs_a_part)
    known, size = model(), 5
    pairs = cliques(8, size)

    clusters, refused = of_all(spark, pairs, known)

    slow = set()
    for first in range(0, 8 * size, size):
        mine = list(zip(*(pair for pair in pairs if first <= pair[0] < first + size), strict=True))
        had = zip(*(fact for fact in FACTS if first <= fact[0] < first + size), strict=True)
        table = pa.table(dict(zip(("low_atom", "high_atom", "pattern", "rarity"), map(list, mine), strict=True)))
        limits = pa.table(dict(zip(FACT, map(list, had), strict=True)))
        slow |= {tuple(row.values()) for row in _link(table, limits, known, STOP).to_pylist()}
    found = {(*row, None) for row in clusters.collect()} | {tuple(row) for row in refused.collect()}
    assert found == slow
    assert clusters.count() and refused.count()


def test_parts_are_as_large_as_their_pairs_allow(spark: SparkSession, monkeypatch: pytest.MonkeyPatch):
    def counted(pairs: pa.Table, had: pa.Table, model: Model, stop: float) -> pa.Table:
        one = pa.array([len(pairs)], pa.int64())
        return pa.table({"atom": one, "cluster": one, "kind": pa.array([None], pa.string())})

    monkeypatch.setattr("cdp.identity.matching.clusters._PAIRS_A_PART", 40)
    monkeypatch.setattr("cdp.identity.matching.clusters._link", counted)
    pairs = cliques(40, 5)

    clusters, _ = of_all(spark, pairs, model())

    sizes = [row["atom"] for row in clusters.collect() if row["atom"]]
    assert sum(sizes) == len(pairs) == 400
    assert 5 <= len(sizes) <= 10 and max(sizes) <= 3 * 40
