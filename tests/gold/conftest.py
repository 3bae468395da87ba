"""Tiny silver and identity tables: rows say only what matters, the contract's types fill the rest."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

AS_OF = date(2026, 1, 31)


@pytest.fixture(scope="session")
def owners(spark: SparkSession) -> Callable[..., DataFrame]:
    """`owners({"crm:1": "ann"})`: customer by `source:record_key`."""

    def make(customers: dict[str, str]) -> DataFrame:
        rows = [(*record.split(":", 1), customer) for record, customer in customers.items()]
        return spark.createDataFrame(rows, "source string, record_key string, customer_id string")

    return make


def record(key: str, **more: Any) -> dict[str, Any]:
    """A row with the source and record_key of `source:record_key`."""
    source, record_key = key.split(":", 1)
    return {"source": source, "record_key": record_key, **more}
