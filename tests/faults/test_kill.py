"""Killed after any write, the same call again leaves the same tables; so do other orders and batches of the same files."""

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from cdp.base.console import Console
from cdp.base.lake import Lake
from cdp.base.settings import ConfigFolder
from cdp.base.stage import Run
from cdp.bronze.config import load_sources
from cdp.bronze.lineage import bronze_table
from cdp.bronze.run import ingest
from cdp.silver.run import clean
from cdp.tables import silver
from cdp.tables.bronze import QUARANTINE

SOURCE: dict[str, Any] = {
    "name": "crm",
    "format": "csv",
    "path": "crm/*.csv",
    "primary_key": ["id"],
    "occurred_at": "updated",
    "deleted": "name = 'gone'",
    "columns": [{"name": "id"}, {"name": "name"}, {"name": "updated", "type": "date"}],
    "produces": {
        "customer_record": {"given_name": "name", "identifiers": {"crm_id": "id"}},
        "consent": {"purpose": "'email'", "status": "if(name = 'odd', 'perhaps', 'granted')", "captured_at": "updated"},
    },
}
Row = tuple[str, str, str]  # id, name, updated


def _run(spark: SparkSession, folder: Path) -> Run:
    conf = folder / "conf"
    (conf / "sources").mkdir(parents=True)
    (conf / "sources" / "crm.yaml").write_text(yaml.safe_dump(SOURCE))
    (folder / "landing" / "crm").mkdir(parents=True)
    lake, config = Lake(spark, str(folder / "lake")), ConfigFolder(conf)
    began = datetime(2026, 2, 1, 3)
    return Run("first", "test", date(2026, 1, 31), began, lake, config, str(folder / "landing"), Console("quiet"))


def _land(run: Run, number: int, rows: Sequence[Row]) -> None:
    path = Path(run.landing) / "crm" / f"{number}.csv"
    path.write_text("id,name,updated\n" + "".join(",".join(row) + "\n" for row in rows))
    os.utime(path, (1_700_000_000 + number % 2,) * 2)  # two of three files are equally late


def _tables(run: Run) -> dict[str, list[tuple[Any, ...]]]:
    """The tables without what tells the runs apart."""
    bronze = bronze_table(load_sources(run.config)["crm"])
    found = {}
    for table in (bronze, QUARANTINE, silver.CUSTOMER_RECORDS, silver.CONSENTS, silver.IDENTIFIERS_TABLE):
        columns = [c.name for c in table.columns if c.name not in ("_ingested_at", "_batch_id", "_run_id")]
        rows = run.lake.read(table).select([f"`{c}`" for c in columns]).collect()
        found[table.name] = sorted((tuple(row) for row in rows), key=str)
    return found


def _newest(files: Sequence[Sequence[Row]]) -> dict[str, str]:
    """The slow and obvious way: name of each key that is not gone."""
    newest: dict[str, tuple[Any, ...]] = {}
    for number, rows in enumerate(files):
        for place, (key, name, updated) in enumerate(rows, start=1):
            version = (updated, number % 2, f"{number}.csv", place, name)
            newest[key] = max(newest.get(key, ("",)), version)
    return {key: version[-1] for key, version in newest.items() if version[-1] != "gone"}


KEYS, NAMES, DAYS = (str(n) for n in range(6)), ("Ann", "Bob", "gone", "odd"), ("2026-01-01", "2026-01-02")
ROWS = st.lists(st.tuples(st.sampled_from(tuple(KEYS)), st.sampled_from(NAMES), st.sampled_from(DAYS)), max_size=12)


@settings(max_examples=2, suppress_health_check=list(HealthCheck))
@given(files=st.lists(ROWS, min_size=3, max_size=3), order=st.permutations(range(3)))
def test_neither_order_nor_batches_of_files_change_the_tables(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, files: list[list[Row]], order: list[int]
):
    at_once = _run(spark, tmp_path_factory.mktemp("at_once"))
    for number, rows in enumerate(files):
        _land(at_once, number, rows)
    ingest(at_once)
    result = clean(at_once)
    one_by_one = _run(spark, tmp_path_factory.mktemp("one_by_one"))
    for step, number in enumerate(order):
        _land(one_by_one, number, files[number])
        ingest(replace(one_by_one, run_id=f"run{step}"))
        clean(replace(one_by_one, run_id=f"run{step}"))

    tables = _tables(at_once)
    assert _tables(one_by_one) == tables
    kept = {row[1]: row[3] for row in tables["silver.customer_records"]}
    assert kept == {key: name.capitalize() if name == "odd" else name for key, name in _newest(files).items()}
    assert all(account.difference == 0 for account in result.accounts)


def _count_writes(monkeypatch: pytest.MonkeyPatch, kill_after: int | None) -> list[str]:
    """Note each write of a lake; the one numbered `kill_after` is the last that is done."""
    done: list[str] = []

    def counted(name: str) -> None:
        original = getattr(Lake, name)

        def write(self: Lake, table: Any, *args: Any, **kwargs: Any) -> Any:
            if kill_after is not None and len(done) >= kill_after:
                raise KeyboardInterrupt
            result = original(self, table, *args, **kwargs)
            done.append(table.name)
            return result

        monkeypatch.setattr(Lake, name, write)

    for name in ("_write", "_merge", "delete"):
        counted(name)
    return done


def test_killed_after_any_write_the_same_call_again_leaves_the_same_tables(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory
):
    files: list[list[Row]] = [
        [("1", "Ann", DAYS[0]), ("2", "odd", DAYS[0]), ("3", "Bob", "31.02.2026")],
        [("1", "gone", DAYS[1]), ("4", "Eve", DAYS[0])],
    ]

    def landed(name: str) -> Run:
        run = _run(spark, tmp_path_factory.mktemp(name))
        for number, rows in enumerate(files):
            _land(run, number, rows)
        return run

    whole = landed("whole")
    with pytest.MonkeyPatch.context() as patch:
        writes = _count_writes(patch, None)
        ingest(whole)
        ingested = len(writes)
        clean(whole)
    expected = _tables(whole)
    # After each write of ingest, and after some of clean, whose tables are each made anew.
    for number in [*range(1, ingested), ingested + 1, len(writes) - 1]:
        run = landed(f"killed{number}")
        with pytest.MonkeyPatch.context() as patch:
            _count_writes(patch, number)
            with pytest.raises(KeyboardInterrupt):
                ingest(run)
                clean(run)
        again = replace(run, run_id="second")
        ingest(again)
        clean(again)
        assert _tables(again) == expected, f"killed after write {number} of {writes}"
