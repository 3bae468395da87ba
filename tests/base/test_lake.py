"""The lake holds every write to the table's contract, and leaves it as it was where that fails."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from cdp.base.commits import rows_written
from cdp.base.contracts import Column, Table, between, one_of
from cdp.base.errors import CdpError, ContractError, UsageError
from cdp.base.lake import Lake

PEOPLE = Table(
    name="gold.people",
    grain="one row per person",
    key=("id",),
    columns=(
        Column("id", "string", "id"),
        Column("email", "string", "address", pii=True, nullable=True),
        Column("age", "int", "age", unit="years", nullable=True),
        Column("status", "string", "state"),
    ),
    expect=(between("age", 0, 150), one_of("status", "new", "old")),
)
CLUSTERED = Table(
    name="gold.visits",
    grain="one row per visit",
    key=("id", "at"),
    columns=(Column("id", "string", "person"), Column("at", "int", "when"), Column("note", "string", "x", nullable=True)),
    cluster_by=("id",),
)
CANARY = "canary.secret@example.org"


def _people(spark: SparkSession, *rows: tuple[object, ...]) -> DataFrame:
    return spark.createDataFrame(list(rows), "id string, email string, age int, status string")


def test_a_table_that_does_not_exist_reads_as_empty(lake: Lake):
    assert lake.read(PEOPLE).columns == ["id", "email", "age", "status"]
    assert lake.version(PEOPLE) is None


def test_replace_writes_the_declared_columns_and_counts_them(lake: Lake, spark: SparkSession):
    rows = _people(spark, ("a", None, 3, "new"), ("b", "x@y.zz", None, "old"))

    assert lake.replace(PEOPLE, rows.select("status", "age", "email", "id")) == 2
    assert_df_equality(lake.read(PEOPLE), rows, ignore_nullable=True, ignore_row_order=True, ignore_metadata=True)
    assert lake.history(PEOPLE).count() == 1


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ((None, None, 1, "new"), "gold.people.id is null, but required"),
        (("a", None, 151, "new"), r"gold.people.age is outside \[0, 150\]"),
        (("a", None, 1, CANARY), "gold.people.status is not among"),
    ],
)
def test_a_row_that_breaks_the_contract_stops_the_write_without_being_named(
    lake: Lake, spark: SparkSession, row: tuple[object, ...], problem: str
):
    lake.replace(PEOPLE, _people(spark, ("a", None, 1, "new")))

    with pytest.raises(ContractError, match=problem) as caught:
        lake.replace(PEOPLE, _people(spark, ("b", None, 1, "new"), row))

    assert CANARY not in str(caught.value)
    assert lake.version(PEOPLE) == 0


def test_columns_and_types_are_held_to_the_contract(lake: Lake, spark: SparkSession):
    rows = _people(spark, ("a", None, 1, "new")).drop("email").withColumn("age", F.lit("1")).withColumn("x", F.lit(1))

    with pytest.raises(ContractError) as caught:
        lake.replace(PEOPLE, rows)

    assert str(caught.value).splitlines()[1:] == [
        "  email: missing, wanted string",
        "  x: found int, but the contract has no such column",
        "  age: found string, wanted int",
    ]


def test_a_key_twice_puts_the_table_back(lake: Lake, spark: SparkSession):
    lake.replace(PEOPLE, _people(spark, ("a", None, 1, "new")))

    with pytest.raises(ContractError, match="found 1 keys"):
        lake.replace(PEOPLE, _people(spark, ("b", None, 1, "new"), ("b", None, 2, "new")))

    assert [row.id for row in lake.read(PEOPLE).collect()] == ["a"]


def test_a_key_twice_in_a_new_table_leaves_none(lake: Lake, spark: SparkSession):
    with pytest.raises(ContractError):
        lake.replace(PEOPLE, _people(spark, ("b", None, 1, "new"), ("b", None, 2, "new")))

    assert not lake.exists(PEOPLE)


def test_keys_of_a_small_table_are_counted_without_a_query_as_spark_counts_them(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    lake = Lake(spark, str(tmp_path / "a lake, 100%20 é"))
    lake.append(PEOPLE, _people(spark, ("a", None, 1, "new"), ("b", None, 1, "new"), ("b", None, 2, "old"), ("ü", None, 3, "old")))

    assert rows_written(lake, PEOPLE, 0, PEOPLE.key, most=4) is not None
    here = lake._keys_written(PEOPLE, None, None)
    monkeypatch.setattr("cdp.base.lake._KEYS_READ_HERE", 3)
    assert rows_written(lake, PEOPLE, 0, PEOPLE.key, most=3) is None
    assert lake._keys_written(PEOPLE, None, None) == here == (4, 1)


def test_a_key_twice_in_a_large_table_puts_it_back(lake: Lake, spark: SparkSession, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("cdp.base.lake._KEYS_READ_HERE", 0)
    assert lake.replace(PEOPLE, _people(spark, ("a", None, 1, "new"), ("b", None, 1, "new"))) == 2

    with pytest.raises(ContractError, match="found 1 keys"):
        lake.replace(PEOPLE, _people(spark, ("b", None, 1, "new"), ("b", None, 2, "new"), ("c", None, 2, "new")))

    assert sorted(row.id for row in lake.read(PEOPLE).collect()) == ["a", "b"]


def test_replace_can_be_limited_to_a_slice(lake: Lake, spark: SparkSession):
    lake.replace(PEOPLE, _people(spark, ("a", None, 1, "new"), ("b", None, 1, "old")))

    lake.replace(PEOPLE, _people(spark, ("c", None, 1, "new")), where="status = 'new'")

    assert sorted(row.id for row in lake.read(PEOPLE).collect()) == ["b", "c"]


def test_append_once_adds_a_batch_once(lake: Lake, spark: SparkSession):
    for _ in range(2):
        lake.append_once(PEOPLE, _people(spark, ("a", None, 1, "new")), app="test", version=1)
    lake.append_once(PEOPLE, _people(spark, ("b", None, 1, "new")), app="test", version=2)

    assert sorted(row.id for row in lake.read(PEOPLE).collect()) == ["a", "b"]


def test_upsert_takes_the_newest_row_of_a_key_and_leaves_the_unchanged(lake: Lake, spark: SparkSession):
    lake.replace(PEOPLE, _people(spark, ("a", None, 1, "new"), ("b", None, 7, "new")))

    lake.upsert(
        PEOPLE,
        _people(spark, ("a", None, 2, "new"), ("a", None, 3, "old"), ("c", None, 4, "new")),
        order_by=["age"],
    )

    found = {row.id: row.age for row in lake.read(PEOPLE).collect()}
    assert found == {"a": 3, "b": 7, "c": 4}


def test_upsert_refuses_a_tie_it_cannot_order(lake: Lake, spark: SparkSession):
    rows = _people(spark, ("a", None, 1, "new"), ("a", None, 1, "old"))

    with pytest.raises(ContractError, match="equally new by age"):
        lake.upsert(PEOPLE, rows, order_by=["age"])

    assert not lake.exists(PEOPLE)


def test_rows_that_are_equal_are_no_tie(lake: Lake, spark: SparkSession):
    lake.upsert(PEOPLE, _people(spark, ("a", None, 1, "new"), ("a", None, 1, "new")), order_by=["age"])

    assert lake.read(PEOPLE).count() == 1


def test_earlier_versions_can_be_read_and_missing_ones_say_so(lake: Lake, spark: SparkSession):
    lake.replace(PEOPLE, _people(spark, ("a", None, 1, "new")))
    lake.replace(PEOPLE, _people(spark, ("b", None, 1, "new")))

    assert [row.id for row in lake.read(PEOPLE, version=0).collect()] == ["a"]
    with pytest.raises(CdpError, match=r"gold\.people: version 9 cannot be read"):
        lake.read(PEOPLE, version=9)


def test_clustered_tables_are_created_clustered(lake: Lake, spark: SparkSession):
    rows = spark.createDataFrame([("a", 1, None)], "id string, at int, note string")

    assert lake.replace(CLUSTERED, rows) == 1
    assert lake.replace(CLUSTERED, rows) == 1
    detail = spark.sql(f"DESCRIBE DETAIL delta.`{lake.path(CLUSTERED)}`").first()
    assert detail is not None and detail["clusteringColumns"] == ["id"]


def test_a_table_made_before_it_was_to_be_clustered_is_clustered_by_the_next_replace(lake: Lake, spark: SparkSession):
    rows = spark.createDataFrame([("a", 1, None)], CLUSTERED.schema)
    lake.replace(replace(CLUSTERED, cluster_by=()), rows)

    assert lake.replace(CLUSTERED, rows) == 1
    assert lake.replace(CLUSTERED, rows) == 1

    detail = spark.sql(f"DESCRIBE DETAIL delta.`{lake.path(CLUSTERED)}`").first()
    assert detail is not None and detail["clusteringColumns"] == ["id"]
    newest = Path(lake.path(CLUSTERED)) / "_delta_log" / f"{lake.version(CLUSTERED):020d}.json"
    assert '\\"minValues\\":{\\"id\\":\\"a\\"}' in newest.read_text()


def test_no_personal_value_reaches_deltas_log(lake: Lake, spark: SparkSession):
    lake.replace(PEOPLE, _people(spark, ("a", CANARY, 1, "new")))
    lake.upsert(PEOPLE, _people(spark, ("a", f"new.{CANARY}", 2, "new")), order_by=["age"])

    log = Path(lake.path(PEOPLE)) / "_delta_log"
    texts = [path.read_bytes() for path in log.iterdir() if path.is_file()]
    assert texts and all(b"canary" not in text for text in texts)


def test_a_contract_that_gained_a_column_can_be_written(lake: Lake, spark: SparkSession):
    lake.replace(PEOPLE, _people(spark, ("a", None, 1, "new")))
    wider = PEOPLE.with_columns(Column("city", "string", "city", nullable=True))

    lake.append(wider, _people(spark, ("b", None, 1, "new")).withColumn("city", F.lit("Lyon")))

    assert {row.id: row.city for row in lake.read(wider).collect()} == {"a": None, "b": "Lyon"}


def test_column_descriptions_are_in_the_table_and_stay_there(lake: Lake, spark: SparkSession):
    def descriptions() -> dict[str, str]:
        return {f.name: f.metadata.get("comment", "") for f in lake.read(PEOPLE).schema}

    wanted = {c.name: c.description for c in PEOPLE.columns}
    wider = PEOPLE.with_columns(Column("city", "string", "place", nullable=True))

    lake.replace(PEOPLE, _people(spark, ("a", None, 1, "new")))
    assert descriptions() == wanted
    lake.replace(PEOPLE, _people(spark, ("b", None, 1, "new")))
    assert descriptions() == wanted
    lake.append(wider, _people(spark, ("c", None, 1, "new")).withColumn("city", F.lit("Lyon")))
    assert descriptions() == {**wanted, "city": "place"}


def test_a_lake_is_opened_and_looked_at_by_name(lake: Lake, spark: SparkSession):
    with pytest.raises(UsageError, match="found no table, wanted a lake"):
        Lake.open(lake.root)
    lake.replace(PEOPLE, _people(spark, ("a", None, 3, "new")))
    opened = Lake.open(lake.root)

    assert opened.names() == ["gold.people"]
    assert opened.table("gold.people").count() == 1
    with pytest.raises(UsageError, match=r"no table gold\.peple; did you mean gold\.people"):
        opened.table("gold.peple")


def test_tasks_begin_when_what_they_need_is_done(lake: Lake):
    done: list[str] = []
    begun: dict[str, set[str]] = {}

    def task(name: str) -> Callable[[], None]:
        def run() -> None:
            begun[name] = set(done)
            done.append(name)

        return run

    needs = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"], "e": []}
    lake.in_order({name: (task(name), of) for name, of in needs.items()})

    assert sorted(done) == sorted(needs)
    assert all(set(of) <= begun[name] for name, of in needs.items())


def test_of_tasks_one_that_fails_stops_those_behind_it(lake: Lake):
    done: list[str] = []

    def fail() -> None:
        raise CdpError("broken")

    with pytest.raises(CdpError, match="broken"):
        lake.in_order({"a": (fail, []), "b": (lambda: done.append("b"), ["a"]), "c": (lambda: done.append("c"), [])})

    assert done == ["c"]
