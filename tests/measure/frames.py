"""Literal tables: the columns a test names, the others empty or a plain value of their type."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from cdp.base.contracts import Table

_PLAIN: Mapping[str, Any] = {"string": "x", "int": 0, "bigint": 0, "boolean": False, "double": 0.0, "decimal(18,2)": Decimal(0)}


def frame(spark: SparkSession, table: Table, rows: Sequence[Mapping[str, Any]]) -> DataFrame:
    """`rows` as a frame of `table`."""

    def plain(type_: str) -> Any:
        return [] if type_.startswith("array") else {} if type_.startswith("map") else _PLAIN.get(type_)

    filled = [tuple(r.get(c.name, None if c.nullable else plain(c.type)) for c in table.columns) for r in rows]
    return spark.createDataFrame(filled, table.schema)
