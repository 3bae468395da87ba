"""Contracts ride on the write: what breaks one fails it, what holds passes unchanged."""

import math
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import SparkSession

from cdp.base.contracts import Column, Table, between, matches, one_of
from cdp.base.guards import breach_of, guarded
from tests.base.declared import TABLES

JUDGED = Table(
    name="gold.judged",
    grain="one row a thing",
    key=("id",),
    columns=(
        Column("id", "string", "id"),
        Column("age", "int", "age", nullable=True),
        Column("share", "double", "share", nullable=True),
        Column("price", "decimal(18,2)", "price", nullable=True),
        Column("kind", "string", "kind", nullable=True),
        Column("code", "string", "code", nullable=True),
    ),
    expect=(
        between("age", 0, 150),
        between("share", 0, 1),
        between("price", -0.5),
        between("price", None, 1e9),
        one_of("kind", "it's", "a\\b", "plain"),
        matches("code", r"^[A-Z]\d+'\\\z"),
        between("id", None, None, severity="warning"),
    ),
)


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_every_contract_can_be_held(spark: SparkSession, table: Table):
    held = spark.createDataFrame([], table.schema).selectExpr(*guarded(table))

    assert [(f.name, f.dataType) for f in held.schema] == [(f.name, f.dataType) for f in table.schema]


@pytest.mark.parametrize(
    "row",
    [
        ("a", 0, 0.0, Decimal("-0.50"), "it's", "A1'\\"),
        ("a", 150, 1.0, Decimal("1000000000.00"), "a\\b", None),
        ("a", None, None, None, None, None),
    ],
)
def test_what_holds_passes_as_it_is(spark: SparkSession, row: tuple[Any, ...]):
    assert [tuple(r) for r in spark.createDataFrame([row], JUDGED.schema).selectExpr(*guarded(JUDGED)).collect()] == [row]


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("id", None, "is null, but required"),
        ("age", -1, "is outside [0, 150]"),
        ("age", 151, "is outside [0, 150]"),
        ("share", -1e-9, "is outside [0, 1]"),
        ("share", math.nan, "is outside [0, 1]"),
        ("price", Decimal("-0.51"), "is outside [-0.5, None]"),
        ("price", Decimal("1000000000.01"), "is outside [None, 1000000000.0]"),
        ("kind", "its", "is not among"),
        ("code", "A1'", "does not match"),
    ],
)
def test_what_breaks_a_rule_fails_and_names_column_and_rule_alone(spark: SparkSession, column: str, value: Any, rule: str):
    row = {"id": "a", **{c.name: None for c in JUDGED.columns[1:]}, column: value}
    schema = JUDGED.schema.fromJson(JUDGED.schema.jsonValue())
    schema["id"].nullable = True
    rows = spark.createDataFrame([tuple(row.values())], schema).selectExpr(*guarded(JUDGED))

    with pytest.raises(Exception) as raised:
        rows.collect()

    breach = breach_of(raised.value)
    assert breach is not None and breach.startswith(f"gold.judged.{column} {rule}")
    assert value is None or f" {value} " not in breach
