"""Queries of traits: what they give, and what a wrong one says."""

from datetime import date
from functools import partial

import pytest
from pyspark.sql import SparkSession

from cdp.base.errors import CdpError, ConfigError
from cdp.gold.computed.sql import answers

AS_OF = date(2026, 1, 31)


def test_a_query_reads_its_tables_and_the_runs_date_and_leaves_no_view_behind(spark: SparkSession) -> None:
    orders = spark.createDataFrame([("ann", "7"), ("bob", "x"), (None, "9")], "customer_id string, amount string")
    asked = partial(answers, name="spent", type_="double", tables={"orders": orders}, as_of=AS_OF, where="traits.yaml")

    found = asked("SELECT customer_id, amount AS value, :as_of AS day FROM orders -- of everybody")

    # What is no number, and what is nobody's, is left out.
    assert sorted(tuple(row) for row in found.collect()) == [("ann", 7.0), ("bob", None)]
    own = asked("WITH orders AS (SELECT 'eve' AS customer_id, year(:as_of) AS value) SELECT * FROM orders")
    assert [tuple(row) for row in own.collect()] == [("eve", 2026.0)]
    assert spark.sql("SHOW VIEWS LIKE 'trait_*'").collect() == []

    with pytest.raises(CdpError, match="spent: query: it gives a customer several rows"):
        asked("SELECT 'ann' AS customer_id, amount AS value FROM orders")
    with pytest.raises(ConfigError, match=r"spent: query: .*amout"):
        asked("SELECT customer_id, amout AS value FROM orders")
    with pytest.raises(ConfigError, match="spent: query: it has no column value"):
        asked("SELECT * FROM orders")
