"""Great Expectations judges what lies in the lake, whoever wrote it."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from pyspark.sql import SparkSession

from cdp.base.contracts import Column, Table, between
from cdp.base.lake import Lake
from cdp.base.stage import StageResult
from cdp.runner.ledger import StageRun, Success
from cdp.runner.pipeline_run import _to_judge
from cdp.runner.quality import QualityJudge
from cdp.tables.ops import QUALITY_RESULTS

CANARY = "canary.secret@example.org"
PEOPLE = Table(
    name="gold.people",
    grain="one row per person and day",
    key=("email", "day"),
    columns=(
        Column("email", "string", "address", pii=True),
        Column("day", "int", "day"),
        Column("age", "int", "age", nullable=True),
    ),
    expect=(between("age", 0, 150),),
)


def _write_past_the_guards(lake: Lake, spark: SparkSession, *rows: tuple[object, ...]) -> None:
    frame = spark.createDataFrame(list(rows), "email string, day int, age int")
    frame.write.format("delta").mode("overwrite").save(lake.path(PEOPLE))


def test_a_table_that_keeps_its_contract_meets_every_expectation(lake: Lake, spark: SparkSession):
    _write_past_the_guards(lake, spark, (CANARY, 1, 30), (CANARY, 2, None), ("b@example.org", 1, 7))
    judge = QualityJudge(lake, "run-1")

    judge.judge([PEOPLE])
    judge.flush()
    written = lake.read(QUALITY_RESULTS).count()
    verdicts, page = judge.finish()

    assert {v.expectation: v.is_met for v in verdicts} == {
        "expect_table_columns_to_match_set (columns)": True,
        "expect_column_values_to_not_be_null (email)": True,
        "expect_column_values_to_not_be_null (day)": True,
        "unexpected_rows_expectation (email, day)": True,
        "expect_column_values_to_be_between (age)": True,
    }
    assert lake.read(QUALITY_RESULTS).count() == written == len(verdicts)  # none is written twice
    assert page is not None and Path(page).is_file()


def test_what_breaks_the_contract_is_counted_and_never_shown(lake: Lake, spark: SparkSession):
    _write_past_the_guards(lake, spark, (CANARY, 1, 30), (CANARY, 1, 200), (None, 2, -5), ("b@example.org", 1, 7))
    judge = QualityJudge(lake, "run-1")

    judge.judge([PEOPLE])
    verdicts, page = judge.finish()

    broken = {v.expectation: v.unexpected for v in verdicts if not v.is_met}
    assert broken == {
        "expect_column_values_to_not_be_null (email)": 1,
        "unexpected_rows_expectation (email, day)": 1,  # one key that is there twice
        "expect_column_values_to_be_between (age)": 2,
    }
    assert page is not None
    pages = "".join(p.read_text(encoding="utf-8") for p in Path(page).parent.rglob("*.html"))
    assert "One row a key: email, day" in pages
    assert CANARY not in pages


def test_tables_that_are_not_there_are_not_judged(lake: Lake):
    judge = QualityJudge(lake, "run-1")

    judge.judge([PEOPLE])

    assert judge.finish() == ([], None)
    assert not lake.exists(QUALITY_RESULTS)


def test_a_table_is_judged_unless_this_run_left_it_as_it_was_judged_before():
    tables = [replace(PEOPLE, name=f"gold.{name}") for name in ("kept", "written", "remade", "restored", "new")]
    last = Success("f", {"gold.kept": 3, "gold.written": 3, "gold.remade": 0, "gold.restored": 3})
    before = {"gold.kept": 3, "gold.written": 3, "gold.restored": 4}
    after = {"gold.kept": 3, "gold.written": 4, "gold.remade": 0, "gold.restored": 4, "gold.new": 0}
    now = StageRun("s", "done", datetime(2026, 1, 1), 1.0, "f", StageResult(), after)
    names = [table.name for table in _to_judge(tables, last, before, now)]
    assert names == ["gold.written", "gold.remade", "gold.restored", "gold.new"]
    assert _to_judge(tables, None, before, now) == tables
