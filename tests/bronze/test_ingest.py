"""Every row of every file lands in bronze or in quarantine, once, whatever was killed when."""

import gzip
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from cdp.base.errors import UsageError
from cdp.base.settings import ConfigFolder
from cdp.base.stage import Run, StageResult
from cdp.bronze import run as bronze_run
from cdp.bronze.config import load_sources
from cdp.bronze.lineage import bronze_table
from cdp.bronze.run import ingest
from cdp.tables.bronze import QUARANTINE

CSV: dict[str, Any] = {
    "name": "crm",
    "format": "csv",
    "path": "crm/*",
    "primary_key": ["id"],
    "columns": [
        {"name": "id"},
        {"name": "email", "tests": [{"pattern": "@"}], "severity": "warn"},
        {"name": "amount", "type": "decimal(12,2)", "format": "1.234,56"},
    ],
}
JSON: dict[str, Any] = {
    "name": "shop",
    "format": "json",
    "path": "shop/*.json",
    "columns": [{"name": "id", "tests": ["not_null"]}, {"name": "address", "type": "struct<city:string>"}],
}


@pytest.fixture
def shop(run: Run) -> Run:
    """A run with two sources and a landing folder to fill."""
    for source in (CSV, JSON):
        folder = run.config.path / "sources"
        folder.mkdir(exist_ok=True)
        (folder / f"{source['name']}.yaml").write_text(yaml.safe_dump(source))
        (Path(run.landing) / source["name"]).mkdir(parents=True)
    return run


def _land(run: Run, name: str, content: str | bytes) -> Path:
    path = Path(run.landing) / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def _bronze(run: Run, source: str) -> list[tuple[Any, ...]]:
    table = bronze_table(load_sources(run.config)[source])
    columns = [c.name for c in load_sources(run.config)[source].columns]
    return sorted(tuple(r) for r in run.lake.read(table).select("_file", "_file_row", *columns).collect())


def _quarantine(run: Run) -> dict[tuple[str, int], tuple[str, list[str]]]:
    rows = run.lake.read(QUARANTINE).collect()
    return {(row["_file"], row["_file_row"]): (row["raw"], row["reasons"]) for row in rows}


def _balanced(result: StageResult) -> bool:
    return all(account.difference == 0 for account in result.accounts)


def test_csv_rows_keep_their_text_and_broken_ones_go_to_quarantine_whole(shop: Run):
    _land(shop, "crm/a.csv", 'id,email,amount,new\n1,a@b,"1.234,50",n\n2,b,x,\n,c@d,,\n4,only\n5,"x ""y"" @",,é\n')

    result = ingest(shop)

    assert _bronze(shop, "crm") == [
        ("crm/a.csv", 1, "1", "a@b", "1.234,50"),
        ("crm/a.csv", 5, "5", 'x "y" @', None),
    ]
    quarantined = _quarantine(shop)
    assert {place: reasons for place, (_, reasons) in quarantined.items()} == {
        ("crm/a.csv", 2): ["amount: no decimal(12,2)"],
        ("crm/a.csv", 3): ["id: not_null"],
        ("crm/a.csv", 4): ["row has 2 values, wanted 4"],
    }
    assert quarantined["crm/a.csv", 4][0] == "4,only"
    assert (result.rows_in, result.rows_out, result.rows_refused) == (5, 2, 3)
    assert _balanced(result)
    assert "crm: undeclared columns kept in _extra: new" in result.notes
    assert "crm: 1 rows break a rule of severity warn: email: pattern 1" in result.notes


def test_json_lines_keep_nested_values_and_survive_broken_lines(shop: Run):
    _land(shop, "shop/a.json", '{"id":1,"address":{"city":"Lyon"},"more":[1]}\r\n\n{bad\n{"address":{}}\n')

    result = ingest(shop)

    assert _bronze(shop, "shop") == [("shop/a.json", 1, "1", '{"city":"Lyon"}')]
    assert {place: reasons for place, (_, reasons) in _quarantine(shop).items()} == {
        ("shop/a.json", 2): ["row is no JSON object"],
        ("shop/a.json", 3): ["id: not_null"],
    }
    assert _balanced(result)


def test_a_file_without_a_required_column_is_set_aside_and_the_others_are_read(shop: Run):
    _land(shop, "crm/a.csv", "email\nx@y\n")
    _land(shop, "crm/b.csv", "ID,email\n7,x@y\n")

    ingest(shop)

    assert _bronze(shop, "crm") == [("crm/b.csv", 1, "7", "x@y", None)]
    assert _quarantine(shop)["crm/a.csv", 1][1] == ["file lacks id"]


def test_an_empty_file_and_a_missing_source_are_said_and_do_no_harm(shop: Run):
    _land(shop, "crm/a.csv", "")
    _land(shop, "crm/header.csv", "id,email,amount\n")

    result = ingest(shop)

    assert "crm: 1 empty files, e.g. crm/a.csv" in result.notes
    assert "shop: found no file for shop/*.json" in result.notes
    assert result.rows_in == 0


def test_a_file_that_belongs_to_no_source_is_named(shop: Run):
    _land(shop, "crm/a.csv", "id\n1\n")
    _land(shop, "stray.txt", "x")

    assert "1 files belong to no source, e.g. stray.txt" in ingest(shop).notes


def test_a_landing_folder_without_any_extract_is_refused(shop: Run):
    with pytest.raises(UsageError, match="found no extract, wanted files such as crm/"):
        ingest(shop)


def test_files_are_read_once_and_again_when_replaced(shop: Run):
    path = _land(shop, "crm/a.csv", "id\n1\n")
    ingest(shop)
    assert ingest(replace(shop, run_id="second")).rows_in == 0

    _land(shop, "crm/a.csv", "id\n1\n2\n")
    os.utime(path, (2_000_000_000, 2_000_000_000))
    third = ingest(replace(shop, run_id="third"))

    assert third.rows_in == 2
    assert [row[1:3] for row in _bronze(shop, "crm")] == [(1, "1"), (1, "1"), (2, "2")]


def test_full_refresh_reads_everything_anew(shop: Run):
    _land(shop, "crm/a.csv", "id\n1\n")
    ingest(shop)

    assert ingest(replace(shop, run_id="second", full_refresh=True)).rows_in == 1
    assert len(_bronze(shop, "crm")) == 1


def test_one_source_can_be_selected(shop: Run):
    _land(shop, "crm/a.csv", "id\n1\n")
    _land(shop, "shop/a.json", '{"id":1}\n')

    result = ingest(replace(shop, select=("shop",)))

    assert [account.subject for account in result.accounts] == ["shop"]


@pytest.mark.parametrize("killed_in", ["_land", "note_files"])
def test_a_batch_that_was_killed_is_redone_whole(shop: Run, monkeypatch: pytest.MonkeyPatch, killed_in: str):
    _land(shop, "crm/a.csv", "id\n1\n,\n")
    original = getattr(bronze_run, killed_in)

    def killed(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        if killed_in == "_land" or kwargs.get("state") == "read":
            raise KeyboardInterrupt
        return result

    monkeypatch.setattr(bronze_run, killed_in, killed)
    with pytest.raises(KeyboardInterrupt):
        ingest(shop)
    monkeypatch.undo()
    # A file that lands in between must not slip through.
    _land(shop, "crm/b.csv", "id\n2\n")
    result = ingest(replace(shop, run_id="second"))

    if killed_in == "note_files":
        assert result.rows_in == 1  # the ledger had it all: only the new file is left
    assert [row[:3] for row in _bronze(shop, "crm")] == [("crm/a.csv", 1, "1"), ("crm/b.csv", 1, "2")]
    assert list(_quarantine(shop)) == [("crm/a.csv", 2)]


def test_other_delimiters_encodings_and_compression_are_read(shop: Run):
    source = {**CSV, "options": {"delimiter": ";", "encoding": "ISO-8859-1", "null_value": "NULL"}}
    (shop.config.path / "sources" / "crm.yaml").write_text(yaml.safe_dump(source))
    run = replace(shop, config=ConfigFolder(shop.config.path))
    _land(run, "crm/a.csv.gz", gzip.compress("id;email;amount\n1;é@b;7,5\n2;NULL;\n".encode("latin-1")))

    ingest(run)

    assert _bronze(run, "crm") == [("crm/a.csv.gz", 1, "1", "é@b", "7,5"), ("crm/a.csv.gz", 2, "2", None, None)]


def test_parquet_files_of_different_columns_are_read_as_text(shop: Run, spark: SparkSession):
    source = {**CSV, "format": "parquet", "path": "pq/*.parquet"}
    (shop.config.path / "sources" / "crm.yaml").write_text(yaml.safe_dump(source))
    run = replace(shop, config=ConfigFolder(shop.config.path))
    frame = spark.range(1).select(F.lit(1).alias("id"), F.lit("7,50").alias("amount"), F.array(F.lit(1)).alias("x"))
    frame.coalesce(1).write.parquet(f"{run.landing}/pq/one.parquet-folder")
    written = next(Path(run.landing, "pq", "one.parquet-folder").glob("*.parquet"))
    written.rename(Path(run.landing) / "pq" / "a.parquet")

    ingest(run)

    assert _bronze(run, "crm") == [("pq/a.parquet", 1, "1", None, "7,50")]
