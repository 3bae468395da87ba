"""Tiny silver and identity tables: rows say only what matters, the contract's types fill the rest."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from cdp.base.contracts import Table

AS_OF = date(2026, 1, 31)

_FILL: dict[str, Any] = {
    "string": "-",
    "int": 0,
    "bigint": 0,
    "boolean": False,
    "timestamp": datetime(2026, 1, 1),
}

Fill = Callable[..., DataFrame]


@pytest.fixture(scope="session")
def fill(spark: SparkSession) -> Fill:
    """`fill(TABLE, {...}, {...})`: rows of a table; a column not named is null, or some value where null is refused."""

    def make(table: Table, *rows: dict[str, Any]) -> DataFrame:
        def value(row: dict[str, Any], name: str, type_: str, nullable: bool) -> Any:
            unknown = set(row) - {c.name for c in table.columns}
            assert not unknown, f"{table.name} has no columns {unknown}"
            if name in row:
                return row[name]
            empty = [] if type_.startswith("array") else {} if type_.startswith("map") else _FILL.get(type_)
            return None if nullable else empty

        data = [tuple(value(row, c.name, c.type, c.nullable) for c in table.columns) for row in rows]
        return spark.createDataFrame(data, table.schema)

    return make


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
