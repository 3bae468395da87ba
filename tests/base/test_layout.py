"""Rows of a clustered table lie in files of separate stretches, so that one customer's are in one of them."""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from pyspark.sql import Observation, SparkSession
from pyspark.sql import functions as F

from cdp.base.contracts import Column, Table
from cdp.base.lake import Lake

VISITS = Table(
    name="gold.visits",
    grain="one row per visit",
    key=("n",),
    columns=(Column("n", "bigint", "number"), Column("customer_id", "string", "person", nullable=True)),
    cluster_by=("customer_id",),
)
PARTITIONS = "spark.sql.shuffle.partitions"


@pytest.fixture
def sixteen_partitions(spark: SparkSession) -> Iterator[None]:
    before = str(spark.conf.get(PARTITIONS))
    spark.conf.set(PARTITIONS, "16")
    yield
    spark.conf.set(PARTITIONS, before)


def test_files_hold_separate_stretches_of_ids(lake: Lake, spark: SparkSession, sixteen_partitions: None):
    seen = Observation()
    ids = "concat('c', substring(sha2(string(id), 256), 1, 20))"
    rows = spark.range(400).selectExpr("id AS n", f"CASE WHEN id % 4 > 0 THEN {ids} END AS customer_id")

    assert lake.replace(VISITS, rows.observe(seen, F.count(F.lit(1)).alias("rows"))) == 400

    log = Path(lake.path(VISITS)) / "_delta_log" / f"{lake.version(VISITS):020d}.json"
    added = [json.loads(line)["add"] for line in log.read_text().splitlines() if '"add"' in line]
    stats = sorted((json.loads(file["stats"]) for file in added), key=lambda s: s["minValues"]["customer_id"])
    assert len(stats) == 4
    for one, other in pairwise(stats):
        assert one["maxValues"]["customer_id"] < other["minValues"]["customer_id"]
    assert all(60 < s["numRecords"] < 140 and s["nullCount"]["customer_id"] > 10 for s in stats)  # nobody's rows are everywhere
    assert seen.get["rows"] == 400  # computed once: ranges found by a sample would have counted them twice


def test_ids_of_another_kind_are_kept_as_well(lake: Lake, spark: SparkSession, sixteen_partitions: None):
    rows = spark.createDataFrame([(1, "ann"), (2, "ötzi"), (3, ""), (4, None)], "n bigint, customer_id string")

    assert lake.replace(VISITS, rows) == 4
    assert {row["customer_id"] for row in lake.read(VISITS).collect()} == {"ann", "ötzi", "", None}


def test_the_first_rows_of_a_clustered_table_are_known_by_the_commit_that_wrote_them(
    lake: Lake, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
):
    asked: list[int] = []
    monkeypatch.setattr("cdp.base.lake.rows_written", lambda lake, table, version, key, most: asked.append(version))
    monkeypatch.setattr("cdp.base.lake._KEYS_READ_HERE", 0)
    monkeypatch.setattr("cdp.base.lake.keys_of_few", None)  # slow for as many rows as these stand for

    for _ in range(2):
        assert lake.replace(VISITS, spark.range(3).selectExpr("id AS n", "string(id) AS customer_id")) == 3

    assert asked == [1, 2]
