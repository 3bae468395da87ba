"""The session fits itself to the data, unless somebody has tuned it."""

from collections.abc import Iterator

import pytest
from pyspark.sql import Observation, SparkSession
from pyspark.sql import functions as F

from cdp.base.session import fit_to

_KEYS = (
    "spark.sql.shuffle.partitions",
    "spark.sql.codegen.wholeStage",
    "spark.sql.codegen.factoryMode",
    "spark.sql.adaptive.enabled",
    "spark.sql.constraintPropagation.enabled",
    "spark.cdp.fitPartitions",
)


@pytest.fixture
def session(spark: SparkSession) -> Iterator[SparkSession]:
    before = {key: spark.conf.get(key) for key in _KEYS}
    yield spark
    for key, value in before.items():
        spark.conf.set(key, value)


def _settings(spark: SparkSession) -> tuple[int, bool]:
    """Shuffle partitions, and whether queries are compiled."""
    compiled = {spark.conf.get("spark.sql.codegen.wholeStage"), spark.conf.get("spark.sql.codegen.factoryMode")}
    assert compiled in ({"true", "FALLBACK"}, {"false", "NO_CODEGEN"})
    return int(spark.conf.get("spark.sql.shuffle.partitions")), "true" in compiled


def test_small_data_gets_few_partitions_and_interpreted_queries(session: SparkSession):
    fit_to(session, 1 << 20)

    partitions, is_compiled = _settings(session)
    assert 2 <= partitions <= 16
    assert not is_compiled


def test_large_data_gets_a_partition_each_16_mb_and_compiled_queries(session: SparkSession):
    fit_to(session, 10 << 30)

    assert _settings(session) == (640, True)


def test_queries_on_small_data_are_planned_once(session: SparkSession):
    def plans(size: int) -> set[str | None]:
        fit_to(session, size)
        return {session.conf.get("spark.sql.adaptive.enabled"), session.conf.get("spark.sql.constraintPropagation.enabled")}

    assert (plans(1 << 20), plans(1 << 30), plans(1 << 20)) == ({"false"}, {"true"}, {"false"})


def test_partitions_that_are_put_together_leave_work_for_every_core(session: SparkSession):
    fit_to(session, 1 << 30)

    shuffled = session.range(200_000).selectExpr("id", "sha2(string(id), 256) AS text").repartition("text")

    # 64 of a fifth of a megabyte, which would all fit into one.
    assert 2 <= shuffled.localCheckpoint().rdd.getNumPartitions() < 64


def test_what_makes_more_than_it_reads_is_compiled_though_small(session: SparkSession):
    fit_to(session, 1 << 20, compiled=True)

    assert _settings(session)[1]


def test_a_session_that_somebody_tuned_is_left_alone(session: SparkSession):
    session.conf.set("spark.cdp.fitPartitions", "false")
    session.conf.set("spark.sql.shuffle.partitions", "7")

    fit_to(session, 10 << 30)

    assert session.conf.get("spark.sql.shuffle.partitions") == "7"


def test_what_was_observed_is_told_though_no_row_is_left(session: SparkSession):
    session.conf.set("spark.sql.adaptive.enabled", "true")
    seen = Observation()
    rows = session.range(100, numPartitions=2).observe(seen, F.count(F.lit(1)).alias("rows"))

    # Empty after its first shuffle, which adaptive execution knows only then.
    left = rows.where("hash(id) = 0").groupBy("id").count().join(session.range(9), on="id", how="inner")
    left.write.format("noop").mode("overwrite").save()

    assert seen.get == {"rows": 100}
