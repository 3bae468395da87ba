"""Type names are told from nonsense without Spark, and as Spark tells them."""

import pytest
from pyspark.sql import SparkSession
from pyspark.sql.types import DataType

from cdp.base.ddl import is_type

RIGHT = (
    "string",
    " Date ",
    "decimal(12,2)",
    "array<struct<sku:string, price:decimal(12,2)>>",
    "map<string,array<int>>",
    "struct<a:struct<b:int>,`c d`:string>",
)
WRONG = ("", "text", "decimal(2,12)", "decimal(99,2)", "array<>", "array<int,int>", "map<string>", "struct<a>", "int int")


@pytest.mark.parametrize("text", RIGHT)
def test_a_type_is_known(text: str, spark: SparkSession):
    assert is_type(text)
    DataType.fromDDL(text)


@pytest.mark.parametrize("text", WRONG)
def test_nonsense_is_no_type(text: str):
    assert not is_type(text)
