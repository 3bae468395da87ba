"""A value that refers to another source must be one that it has sent."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from cdp.base.errors import ConfigError
from cdp.base.settings import ConfigFolder, parse
from cdp.base.stage import Run
from cdp.bronze.config import SourceConfig, load_sources
from cdp.bronze.lineage import bronze_table
from cdp.bronze.references import reading_order
from cdp.bronze.replay import replay
from cdp.bronze.run import ingest
from cdp.tables.bronze import QUARANTINE


def _source(name: str, column: str = "id", to: str = "", field: str = "id", **more: Any) -> dict[str, Any]:
    refers = {"name": column, "tests": [{"relationships": {"to": to, "field": field}}], **more}
    columns = [{"name": "id"}, *([refers] if to else [])]
    return {"name": name, "format": "csv", "path": f"{name}/*", "columns": columns}


def _configured(run: Run, *sources: dict[str, Any]) -> Run:
    folder = run.config.path / "sources"
    folder.mkdir(exist_ok=True)
    for source in sources:
        (folder / f"{source['name']}.yaml").write_text(yaml.safe_dump(source))
        (Path(run.landing) / source["name"]).mkdir(parents=True, exist_ok=True)
    return replace(run, config=ConfigFolder(run.config.path))


def _land(run: Run, name: str, content: str) -> None:
    (Path(run.landing) / name).write_text(content)


def _ids(run: Run, source: str) -> list[str]:
    table = bronze_table(load_sources(run.config)[source])
    return sorted(row["id"] for row in run.lake.read(table).select("id").collect())


def _reasons(run: Run) -> dict[tuple[str, int], list[str]]:
    return {(r["_source"], r["_file_row"]): r["reasons"] for r in run.lake.read(QUARANTINE).collect()}


def test_a_value_without_its_parent_is_refused_and_nothing_passes(run: Run):
    # By name the child would come first.
    run = _configured(run, _source("a_orders", "customer", to="crm"), _source("crm"))
    _land(run, "crm/a.csv", "id\nx\nx\n")
    _land(run, "a_orders/a.csv", "id,customer\n1,x\n2,nobody\n3,\n4, \n")

    result = ingest(run)

    assert _ids(run, "a_orders") == ["1", "3", "4"]
    assert _reasons(run) == {("a_orders", 2): ["customer: relationships"]}
    assert all(account.difference == 0 for account in result.accounts)


def test_a_refused_row_comes_in_once_its_parent_has_come(run: Run):
    run = _configured(run, _source("crm"), _source("orders", "customer", to="crm"))
    _land(run, "orders/a.csv", "id,customer\n1,x\n2,y\n")
    ingest(run)
    _land(run, "crm/a.csv", "id\nx\n")
    ingest(replace(run, run_id="second"))

    result = replay(replace(run, run_id="third"))

    assert (result.rows_in, result.rows_out, result.rows_refused) == (2, 1, 1)
    assert _ids(run, "orders") == ["1"]
    assert _reasons(run) == {("orders", 2): ["customer: relationships"]}


def test_rows_may_refer_to_others_of_their_own_source(run: Run):
    run = _configured(run, _source("staff", "boss", to="staff"))
    _land(run, "staff/a.csv", "id,boss\n1,\n2,3\n3,1\n4,9\n")
    ingest(run)
    _land(run, "staff/b.csv", "id,boss\n5,2\n")
    ingest(replace(run, run_id="second"))

    assert _ids(run, "staff") == ["1", "2", "3", "5"]


def test_in_a_circle_no_row_is_lost_and_a_replay_takes_in_the_rest(run: Run):
    run = _configured(run, _source("a", "other", to="b"), _source("b", "other", to="a"))
    _land(run, "a/a.csv", "id,other\n1,x\n2,\n")
    _land(run, "b/a.csv", "id,other\nx,2\n")

    result = ingest(run)

    # Its parent came after it, in the same run.
    assert _reasons(run) == {("a", 1): ["other: relationships"]}
    assert all(account.difference == 0 for account in result.accounts)
    replay(replace(run, run_id="second"))
    assert (_ids(run, "a"), _ids(run, "b"), _reasons(run)) == (["1", "2"], ["x"], {})


@pytest.mark.parametrize(("severity", "code"), [("warn", 0), ("error", 1)])
def test_other_severities_keep_the_row_and_count(run: Run, severity: str, code: int):
    run = _configured(run, _source("crm"), _source("orders", "customer", to="crm", severity=severity))
    _land(run, "orders/a.csv", "id,customer\n1,x\n")

    result = ingest(run)

    assert _ids(run, "orders") == ["1"]
    assert len(result.broken_rules) == code
    assert any("orders" in text for text in (*result.notes[1:], *result.broken_rules))


def test_a_column_that_was_undeclared_when_it_was_read_counts(run: Run):
    run = _configured(run, _source("crm"))
    _land(run, "crm/a.csv", "id,card\n1,x\n")
    ingest(run)
    crm = {**_source("crm"), "columns": [{"name": "id"}, {"name": "card"}]}
    run = _configured(run, crm, _source("orders", "card", to="crm", field="card"))
    _land(run, "orders/a.csv", "id,card\n1,x\n")

    ingest(replace(run, run_id="second"))

    assert _ids(run, "orders") == ["1"]


def test_sources_come_after_those_they_refer_to_and_circles_end():
    sources = {
        name: parse(SourceConfig, _source(name, "other", to=to), name)
        for name, to in {"a": "b", "b": "c", "c": "b", "d": "", "e": "e"}.items()
    }

    assert reading_order(sources, list(sources)) == [["d", "e"], ["b"], ["a", "c"]]
    assert reading_order(sources, ["a"]) == [["a"]]


def test_references_to_what_is_not_there_are_named(run: Run):
    run = _configured(run, _source("crm"), _source("a", "x", to="crn"), _source("b", "x", to="crm", field="idd"))

    with pytest.raises(ConfigError) as caught:
        load_sources(run.config)

    text = str(caught.value)
    assert "columns.x.tests.relationships.to: crn is no source; did you mean crm?" in text
    assert "columns.x.tests.relationships.field: idd is not among the columns of crm; did you mean id?" in text
