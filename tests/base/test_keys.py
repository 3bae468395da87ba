"""Keys that are there twice are found, however they are looked for."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from cdp.base.keys import keys_of_few, keys_of_many

SCHEMA = "segment string, customer_id string, n int"
Row = tuple[str | None, str | None, int]
ROWS = st.lists(
    st.tuples(st.sampled_from(["s", "t", "", None]), st.sampled_from(["c1", "c2", "c", None]), st.integers(0, 9)), max_size=12
)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ROWS)
def test_both_ways_count_as_python_does(spark: SparkSession, rows: list[Row]):
    frame = spark.createDataFrame(rows, SCHEMA)
    times = Counter((segment, customer) for segment, customer, _ in rows)
    wanted = len(rows), sum(count > 1 for count in times.values())

    assert keys_of_few(frame, "segment", "customer_id") == wanted
    assert keys_of_many(frame, "segment", "customer_id") == wanted


def test_different_keys_of_one_hash_are_no_key_twice(spark: SparkSession, monkeypatch: pytest.MonkeyPatch):
    frame = spark.createDataFrame([("s", "c1", 1), ("s", "c2", 1), ("t", "c2", 2)], SCHEMA)
    monkeypatch.setattr("cdp.base.keys.F.xxhash64", lambda *key: F.lit(1).cast("bigint"))

    assert keys_of_many(frame, "segment", "customer_id") == (3, 0)
    assert keys_of_many(frame, "segment") == (3, 1)
