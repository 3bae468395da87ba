"""Tables are read in their newest version, whoever writes meanwhile."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from cdp.base.contracts import Column, Table
from cdp.base.errors import CdpError, UsageError
from cdp.lookup.read import Tables, is_one_of

PEOPLE = Table("gold.people", "a person", ("id",), (Column("id", "string", "id"), Column("age", "bigint", "age", nullable=True)))


def _write(lake: Path, *ages: int) -> None:
    rows = pa.table({"id": [f"p{n}" for n in range(len(ages))], "age": list(ages)})
    write_deltalake(lake / PEOPLE.folder, rows, mode="overwrite")


def test_a_new_version_is_seen_at_once(tmp_path: Path):
    _write(tmp_path, 1, 2)
    tables = Tables(tmp_path, PEOPLE)
    assert tables.rows(PEOPLE, is_one_of("id", ["p1"])) == [{"id": "p1", "age": 2}]

    _write(tmp_path, 1, 3)
    assert tables.rows(PEOPLE, is_one_of("id", ["p1"]), columns=("age", "of_a_later_time")) == [{"age": 3, "of_a_later_time": None}]


def test_files_that_vanish_while_they_are_read_are_looked_for_in_the_next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    _write(tmp_path, 1)
    tables = Tables(tmp_path, PEOPLE)
    newest = tables._newest

    def overtaken(table: Table, *, anew: bool) -> DeltaTable | None:
        found = newest(table, anew=anew)
        if not anew:
            _write(tmp_path, 7)
            DeltaTable(tmp_path / PEOPLE.folder).vacuum(0, dry_run=False, enforce_retention_duration=False)
        return found

    monkeypatch.setattr(tables, "_newest", overtaken)

    assert tables.rows(PEOPLE, "true", columns=("age",)) == [{"age": 7}]


def test_many_readers_never_fail_while_versions_come_and_go(tmp_path: Path):
    _write(tmp_path, 0)
    tables = Tables(tmp_path, PEOPLE)

    def watch(_: int) -> list[int]:
        return [tables.rows(PEOPLE, "true", columns=("age",))[0]["age"] for _ in range(40)]

    with ThreadPoolExecutor(4) as pool:
        watched = [pool.submit(watch, n) for n in range(4)]
        for age in range(1, 15):
            _write(tmp_path, age)
            DeltaTable(tmp_path / PEOPLE.folder).vacuum(0, dry_run=False, enforce_retention_duration=False)
        ages = [found.result() for found in watched]

    assert tables.rows(PEOPLE, "true", columns=("age",)) == [{"age": 14}]
    assert all(found == sorted(found) for found in ages)


def test_a_table_made_anew_is_read_anew(tmp_path: Path):
    for _ in range(3):
        _write(tmp_path, 1)
    tables = Tables(tmp_path, PEOPLE)
    shutil.rmtree(tmp_path / PEOPLE.folder)
    assert tables.rows(PEOPLE, "true") == []

    _write(tmp_path, 9)
    assert tables.rows(PEOPLE, "true", columns=("age",)) == [{"age": 9}]


def test_an_error_holds_no_value(tmp_path: Path):
    _write(tmp_path, 1)

    with pytest.raises(CdpError, match=r"gold\.people: cannot be read") as failed:
        Tables(tmp_path, PEOPLE).rows(PEOPLE, "nothing_such = 'canary'")
    assert "canary" not in str(failed.value)
    assert is_one_of("id", ["o'neill", "x"]) == "\"id\" IN ('o''neill', 'x')" and is_one_of("id", []) == "false"


def test_what_is_no_lake_is_said(tmp_path: Path):
    with pytest.raises(UsageError, match=r"found no table gold\.people"):
        Tables(tmp_path, PEOPLE)
    with pytest.raises(UsageError, match="found nothing, wanted the folder of a lake"):
        Tables(tmp_path / "nowhere", PEOPLE)
