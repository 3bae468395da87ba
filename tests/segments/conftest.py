"""Tiny gold tables: rows say only what matters, the contract's types fill the rest."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from cdp.base.contracts import Table

_FILL: dict[str, Any] = {
    "string": "-",
    "int": 0,
    "bigint": 0,
    "double": 0.0,
    "boolean": False,
    "date": date(2026, 1, 1),
    "timestamp": datetime(2026, 1, 1),
}

Fill = Callable[..., DataFrame]


@pytest.fixture(scope="session")
def fill(spark: SparkSession) -> Fill:
    """`fill(TABLE, {...}, {...})`: rows of a table; a column not named is null, or some value where null is refused."""

    def make(table: Table, *rows: dict[str, Any]) -> DataFrame:
        def value(row: dict[str, Any], name: str, type_: str, nullable: bool) -> Any:
            if name in row:
                return row[name]
            empty = [] if type_.startswith("array") else {} if type_.startswith("map") else _FILL.get(type_)
            return None if nullable else empty

        data = [tuple(value(row, c.name, c.type, c.nullable) for c in table.columns) for row in rows]
        return spark.createDataFrame(data, table.schema)

    return make
