"""Rows of quarantine come in once what kept them out is mended, once, whatever was killed when."""

import os
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from pyspark.sql import functions as F

from cdp.base.errors import UsageError
from cdp.base.settings import ConfigFolder
from cdp.base.stage import Account, Run, StageResult
from cdp.bronze import replay as bronze_replay
from cdp.bronze.config import load_sources
from cdp.bronze.lineage import bronze_table
from cdp.bronze.replay import replay
from cdp.bronze.run import STAGE as INGEST
from cdp.bronze.run import ingest
from cdp.runner.arguments import parse_arguments
from cdp.tables.bronze import QUARANTINE

CSV: dict[str, Any] = {
    "name": "crm",
    "format": "csv",
    "path": "crm/*",
    "primary_key": ["id"],
    "columns": [{"name": "id"}, {"name": "email", "tests": [{"pattern": "@"}]}],
}
JSON: dict[str, Any] = {
    "name": "shop",
    "format": "json",
    "path": "shop/*",
    "columns": [{"name": "id", "required": True}, {"name": "total", "type": "int"}],
}


@pytest.fixture
def shop(run: Run) -> Run:
    """A run with a CSV and a JSON source, and an empty landing folder for each."""
    (run.config.path / "sources").mkdir()
    for source in (CSV, JSON):
        (Path(run.landing) / source["name"]).mkdir(parents=True)
        _configured(run, source)
    return run


def _configured(run: Run, source: dict[str, Any], **changes: Any) -> Run:
    """The next run, under another configuration of a source."""
    (run.config.path / "sources" / f"{source['name']}.yaml").write_text(yaml.safe_dump({**source, **changes}))
    return replace(run, run_id="later", config=ConfigFolder(run.config.path), started_at=datetime(2026, 2, 2))


def _land(run: Run, name: str, content: str) -> Path:
    path = Path(run.landing) / name
    path.write_text(content)
    return path


def _bronze(run: Run, source: str) -> list[tuple[Any, ...]]:
    config = load_sources(run.config)[source]
    rows = run.lake.read(bronze_table(config)).select("_file_row", *[f"`{c.name}`" for c in config.columns])
    return sorted(tuple(r) for r in rows.collect())


def _reasons(run: Run) -> dict[tuple[str, int], list[str]]:
    rows = run.lake.read(QUARANTINE).where("stage = 'ingest'").collect()
    return {(row["_file"], row["_file_row"]): row["reasons"] for row in rows}


def _account(result: StageResult) -> Account:
    (account,) = result.accounts
    assert account.difference == 0
    return account


FREE = [{"name": "id"}, {"name": "email"}]


def test_rows_that_pass_today_come_in_with_the_lineage_they_had(shop: Run):
    _land(shop, "crm/a.csv", "id,email\n1,a@b\n2,none\n,x@y\n")
    ingest(shop)
    lineage = ["_file", "_file_modified_at", "_file_row", "_row_hash"]
    before = shop.lake.read(QUARANTINE).where("_file_row = 2").select(*lineage).collect()

    later = _configured(shop, CSV, columns=FREE)
    result = replay(later)

    assert _bronze(later, "crm") == [(1, "1", "a@b"), (2, "2", "none")]
    taken = later.lake.read(bronze_table(load_sources(later.config)["crm"])).where("_file_row = 2")
    assert taken.select(*lineage).collect() == before
    assert taken.select("_run_id", "_ingested_at").first() == ("later", datetime(2026, 2, 2))
    assert _reasons(later) == {("crm/a.csv", 3): ["id: not_null"]}
    assert _account(result) == Account("crm", rows_in=2, rows_out=1, rows_refused=1)
    assert "crm: 1 of 2 rows taken in" in result.notes


def test_what_stays_has_the_reasons_of_today(shop: Run):
    _land(shop, "crm/a.csv", "id,email\n2,none\n")
    ingest(shop)

    later = _configured(shop, CSV, columns=[{"name": "id"}, {"name": "email", "type": "date"}])
    replay(later)

    assert _reasons(later) == {("crm/a.csv", 1): ["email: no date"]}


def test_nothing_to_replay_is_said(shop: Run):
    result = replay(shop)

    assert (result.rows_in, result.notes) == (0, ("nothing to replay",))


def test_columns_declared_since_are_found_in_what_was_undeclared(shop: Run):
    _land(shop, "crm/a.csv", "id,email,Größe\n1,none,4\n")
    ingest(shop)

    later = _configured(shop, CSV, columns=[*FREE, {"name": "größe", "type": "int"}])
    replay(later)

    assert _bronze(later, "crm") == [(1, "1", "none", "4")]
    assert later.lake.read(bronze_table(load_sources(later.config)["crm"])).where("_extra is not null").isEmpty()


def test_a_required_column_that_has_another_name_is_found(shop: Run):
    _land(shop, "crm/a.csv", "number,email\n1,a@b\n")
    ingest(shop)
    assert _reasons(shop) == {("crm/a.csv", 1): ["file lacks id"]}

    assert _account(replay(replace(shop, run_id="second"))).rows_refused == 1
    later = _configured(shop, CSV, primary_key=["number"], columns=[{"name": "number"}, {"name": "email"}])
    replay(later)

    assert _bronze(later, "crm") == [(1, "1", "a@b")]


def test_csv_text_is_split_anew_while_the_file_is_there_unchanged(shop: Run):
    _land(shop, "crm/a.csv", "email,id\na@b,1\n'a,b@c',2\na,b,3\n")
    ingest(shop)

    result = replay(_configured(shop, CSV, options={"quote": "'"}))

    assert _account(result) == Account("crm", rows_in=2, rows_out=1, rows_refused=1)
    assert (2, "2", "a,b@c") in _bronze(shop, "crm")


def test_csv_text_stays_where_its_header_is_gone(shop: Run):
    path = _land(shop, "crm/a.csv", "email,id\n'a,b@c',2\n")
    ingest(shop)
    path.unlink()

    later = _configured(shop, CSV, options={"quote": "'"})

    assert _account(replay(later)) == Account("crm", rows_in=1, rows_out=0, rows_refused=1)
    assert _reasons(later) == {("crm/a.csv", 1): ["row has 3 values, wanted 2"]}


def test_csv_without_header_needs_no_file(shop: Run):
    source = {**CSV, "options": {"header": False}}
    path = _land(shop, "crm/a.csv", "1,'a,b@c'\n")
    ingest(_configured(shop, source))
    path.unlink()

    later = _configured(shop, source, options={"header": False, "quote": "'"})
    replay(later)

    assert _bronze(later, "crm") == [(1, "1", "a,b@c")]


def test_a_text_that_reads_but_breaks_a_rule_is_still_a_text(shop: Run):
    _land(shop, "crm/a.csv", "id,email\n1,'a,b'\n")
    ingest(shop)
    replay(_configured(shop, CSV, options={"quote": "'"}))
    assert _reasons(shop) == {("crm/a.csv", 1): ["email: pattern"]}

    later = _configured(shop, CSV, options={"quote": "'"}, columns=FREE)
    replay(later)

    assert _bronze(later, "crm") == [(1, "1", "a,b")]


def test_json_rows_and_lines_come_in(shop: Run):
    lines = ['{"id":"a","total":"1.5","at":{"city":"Lyon"}}', '{"total":2,"at":{"city":"Nice"}}', "{broken", '{"id":"d"}']
    _land(shop, "shop/a.json", "\n".join(lines))
    ingest(shop)
    assert _reasons(shop) == {
        ("shop/a.json", 1): ["total: no int"],
        ("shop/a.json", 2): ["row lacks id"],
        ("shop/a.json", 3): ["row is no JSON object"],
    }

    columns = [{"name": "id"}, {"name": "total", "type": "decimal(5,1)"}, {"name": "at.city"}]
    later = _configured(shop, JSON, columns=columns)
    result = replay(later)

    assert _bronze(later, "shop") == [(1, "a", "1.5", "Lyon"), (2, None, "2", "Nice"), (4, "d", None, None)]
    assert _account(result) == Account("shop", rows_in=3, rows_out=2, rows_refused=1)


def test_sources_and_reasons_are_selected(shop: Run):
    _land(shop, "crm/a.csv", "id,email\n1,none\n,a@b\n")
    _land(shop, "shop/a.json", '{"id":1,"total":"x"}\n')
    ingest(shop)
    (shop.config.path / "sources" / "shop.yaml").write_text(yaml.safe_dump({**JSON, "columns": [{"name": "id"}]}))
    later = _configured(shop, CSV, columns=FREE, primary_key=[])

    result = replay(replace(later, options={"source": ["crm"], "reason": "Pattern"}))

    assert _account(result) == Account("crm", rows_in=1, rows_out=1)
    assert _reasons(later) == {("crm/a.csv", 2): ["id: not_null"], ("shop/a.json", 1): ["total: no int"]}


def test_an_unknown_source_is_refused(shop: Run):
    with pytest.raises(UsageError, match="--source crn: no such source; did you mean crm") as caught:
        replay(replace(shop, options={"source": ["crn"]}))
    assert caught.value.exit_code == 2


def test_its_options_go_together():
    def chosen(*argv: str) -> list[str]:
        arguments = parse_arguments("ingest", None, argv, bronze_replay.add_options)
        return [stage.name for stage in bronze_replay.prepare(arguments, [INGEST])]

    assert chosen() == ["ingest"]
    assert chosen("--replay", "--source", "crm", "--reason", "pattern") == ["replay"]
    for wrong in (["--source", "crm"], ["--reason", "x"], ["--replay", "--full-refresh"]):
        with pytest.raises(UsageError):
            chosen(*wrong)


def test_rows_of_a_file_that_was_replaced_stay_out(shop: Run):
    path = _land(shop, "crm/a.csv", "id,email\n1,none\n")
    ingest(shop)
    path.write_text("id,email\n1,a@b\n")
    os.utime(path, (2_000_000_000, 2_000_000_000))
    ingest(replace(shop, run_id="second"))

    later = _configured(shop, CSV, columns=FREE)

    assert _account(replay(later)).rows_in == 0
    assert _bronze(later, "crm") == [(1, "1", "a@b")]
    assert len(_reasons(later)) == 1


def test_values_are_unique_within_the_delivery_they_came_in(shop: Run):
    unique = [{"name": "id", "tests": ["unique"]}, CSV["columns"][1]]
    first = _configured(shop, CSV, columns=unique)
    _land(first, "crm/a.csv", "id,email\n1,none\n2,b@c\n2,none\n")
    ingest(first)
    _land(first, "crm/b.csv", "id,email\n1,none\n")
    ingest(replace(first, run_id="second"))

    later = _configured(shop, CSV, columns=[unique[0], {"name": "email"}])
    replay(replace(later, options={"reason": "pattern"}))

    # The other 2 was not asked for, and still counts.
    assert [row[:2] for row in _bronze(later, "crm")] == [(1, "1"), (1, "1")]
    assert _reasons(later) == {("crm/a.csv", 2): ["id: unique"], ("crm/a.csv", 3): ["id: unique"]}


@pytest.mark.parametrize("killed_at", ["_not_in", "_settle"])
@pytest.mark.parametrize("goes_on", [replay, ingest])
def test_a_replay_that_was_killed_is_finished(
    shop: Run, monkeypatch: pytest.MonkeyPatch, killed_at: str, goes_on: Any
):
    _land(shop, "crm/a.csv", "id,email\n1,none\n,x@y\n")
    ingest(shop)
    later = _configured(shop, CSV, columns=FREE)

    def killed(*args: Any, **kwargs: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(bronze_replay, killed_at, killed)
    with pytest.raises(KeyboardInterrupt):
        replay(later)
    monkeypatch.undo()
    goes_on(replace(later, run_id="third"))
    if goes_on is ingest:
        replay(replace(later, run_id="fourth"))

    assert _bronze(later, "crm") == [(1, "1", "none")]
    assert _reasons(later) == {("crm/a.csv", 2): ["id: not_null"]}


def test_rows_of_a_batch_that_was_killed_are_not_taken_in(shop: Run, monkeypatch: pytest.MonkeyPatch):
    from cdp.bronze import run as bronze_run

    _land(shop, "crm/a.csv", "id,email\n1,none\n")
    original = bronze_run.note_files

    def killed(*args: Any, **kwargs: Any) -> None:
        if kwargs["state"] == "read":
            raise KeyboardInterrupt
        original(*args, **kwargs)

    monkeypatch.setattr(bronze_run, "note_files", killed)
    with pytest.raises(KeyboardInterrupt):
        ingest(shop)
    monkeypatch.undo()

    later = _configured(shop, CSV, columns=FREE)
    assert replay(later).notes == ("nothing to replay",)
    ingest(later)

    assert _bronze(later, "crm") == [(1, "1", "none")]
    assert later.lake.read(QUARANTINE).where(F.col("stage") == "ingest").isEmpty()
