"""What is written of a table's slices: only the rows that differ, by the least that does it."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession

from cdp.base.changes import changes
from cdp.base.commits import rows_appended
from cdp.base.contracts import Column, Table
from cdp.base.errors import ContractError
from cdp.base.lake import Lake

VISITS = Table(
    name="silver.visits",
    grain="one row per visit",
    key=("shop", "id"),
    columns=(
        Column("shop", "string", "where"),
        Column("id", "int", "number"),
        Column("note", "string", "said", nullable=True),
        Column("tags", "map<string,string>", "marks", nullable=True),
    ),
)
SHAPE = "shop string, id int, note string, tags map<string,string>"
Row = tuple[str, int, str | None, dict[str, str] | None]

_state = st.dictionaries(
    st.tuples(st.sampled_from("ab"), st.integers(1, 3)),
    st.tuples(st.sampled_from([None, "x", "y"]), st.sampled_from([None, {}, {"k": "1"}, {"k": "1", "l": "2"}, {"l": "2", "k": "1"}])),
)


def _visits(spark: SparkSession, *rows: Row) -> DataFrame:
    return spark.createDataFrame(list(rows), SHAPE)


def _rows(lake: Lake) -> list[tuple[Any, ...]]:
    return sorted((r.shop, r.id, r.note) for r in lake.read(VISITS).collect())


def _operations(lake: Lake) -> list[str]:
    return [row.operation for row in lake.history(VISITS).orderBy("version").collect()]


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=_state, after=_state)
def test_changes_are_what_makes_one_state_of_the_other(spark: SparkSession, before: Any, after: Any):
    frames = [_visits(spark, *[(*key, *values) for key, values in state.items()]) for state in (before, after)]

    found = sorted((r.shop, r.id, r._change) for r in changes(VISITS, *frames).collect())

    slowly = [(*key, "new") for key in after if key not in before]
    slowly += [(*key, "gone") for key in before if key not in after]
    slowly += [(*key, "other") for key in after if key in before and after[key] != before[key]]
    assert found == sorted(slowly)


def test_slices_get_their_rows_and_others_keep_theirs(lake: Lake, spark: SparkSession):
    lake.replace(VISITS, _visits(spark, ("a", 1, "x", None), ("a", 2, "x", {"k": "1"}), ("a", 3, "x", None), ("b", 1, "x", None)))

    made = _visits(spark, ("a", 1, "y", None), ("a", 2, "x", {"k": "1"}), ("a", 4, "new", None))
    lake.replace_slices(VISITS, made, spark.createDataFrame([("a",)], "shop string"))

    assert _rows(lake) == [("a", 1, "y"), ("a", 2, "x"), ("a", 4, "new"), ("b", 1, "x")]
    assert _operations(lake) == ["WRITE", "MERGE"]
    metrics = lake.history(VISITS).first().operationMetrics
    assert (metrics["numTargetRowsUpdated"], metrics["numTargetRowsDeleted"], metrics["numTargetRowsInserted"]) == ("1", "1", "1")


def test_slices_of_new_rows_are_appended_and_slices_as_they_were_are_not_written(lake: Lake, spark: SparkSession):
    slices = spark.createDataFrame([("b",)], "shop string")
    made = _visits(spark, ("b", 1, "x", None), ("b", 2, None, None))
    lake.replace(VISITS, _visits(spark, ("a", 1, "x", None)))

    lake.replace_slices(VISITS, made, slices)
    lake.replace_slices(VISITS, made, slices)

    assert _rows(lake) == [("a", 1, "x"), ("b", 1, "x"), ("b", 2, None)]
    history = lake.history(VISITS).orderBy("version").collect()
    assert [(row.operation, row.operationParameters["mode"]) for row in history][1:] == [("WRITE", "Append")]


def test_a_key_twice_in_slices_is_not_written(lake: Lake, spark: SparkSession):
    made = _visits(spark, ("b", 1, "x", None), ("b", 1, "y", None))

    with pytest.raises(ContractError, match="found a key"):
        lake.replace_slices(VISITS, made, spark.createDataFrame([("b",)], "shop string"))

    assert _rows(lake) == []


def test_rows_appended_are_known_from_the_log(lake: Lake, spark: SparkSession):
    for number in range(3):
        lake.append(VISITS, _visits(spark, *[("a", 10 * number + n, "x", None) for n in range(number + 1)]))

    assert rows_appended(lake, VISITS, after=0, until=2) == 5
    assert rows_appended(lake, VISITS, after=2, until=2) == 0

    lake._delta(VISITS).optimize().executeCompaction()
    assert rows_appended(lake, VISITS, after=2, until=3) == 0

    lake.delete(VISITS, "id = 0")
    assert rows_appended(lake, VISITS, after=2, until=4) is None
    assert rows_appended(lake, VISITS, after=2, until=5) is None, "there is no such version"
