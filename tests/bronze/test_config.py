"""A source's YAML: what is understood, and what is said of what is not."""

from pathlib import Path
from typing import Any

import pytest

from cdp.base.errors import ConfigError
from cdp.base.settings import ConfigFolder, parse
from cdp.bronze.config import SourceConfig, load_sources, select_sources

GOOD: dict[str, Any] = {
    "name": "crm",
    "format": "csv",
    "path": "crm/*.csv",
    "primary_key": ["id"],
    "columns": [{"name": "id"}, {"name": "status", "tests": ["not_null", {"accepted_values": ["a", 1]}]}],
    "produces": {"customer_record": {"key": "id", "email": "status"}, "event": [{"event": "'X'", "occurred_at": 1}]},
}


def _problems(**changes: Any) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        parse(SourceConfig, {**GOOD, **changes}, "crm.yaml")
    return caught.value.problems


def test_entities_and_tests_may_be_written_once_or_as_a_list():
    source = parse(SourceConfig, GOOD, "crm.yaml")

    assert source.produces.customer_record[0].key == ("id",)
    assert source.produces.event[0].occurred_at == "1"
    assert [t.name for t in source.columns[1].tests] == ["not_null", "accepted_values"]
    assert source.columns[1].tests[1].accepted_values == ("a", "1")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"format": "xml"}, "format: input should be 'csv', 'json', 'parquet', 'delta' or 'jdbc', found 'xml'"),
        ({"pth": "x"}, "pth: unknown key; did you mean path?"),
        ({"primary_key": ["idd"]}, "primary_key: idd is not among the columns; did you mean id?"),
        ({"columns": [{"name": "id", "type": "txt"}]}, "columns.0.type: found 'txt', wanted a Spark type"),
        ({"columns": [{"name": "id"}, {"name": "ID"}]}, "columns: id is declared twice"),
        ({"columns": [{"name": "_file"}]}, "columns.0.name: a name that begins with _ is kept for lineage"),
        ({"columns": []}, "columns: tuple should have at least 1 item"),
        ({"path": "/etc/passwd"}, "path: found '/etc/passwd', wanted a path below the landing folder"),
        ({"options": {"encoding": "latin-9000"}}, "options.encoding: unknown encoding 'latin-9000'"),
        ({"name": "quarantine"}, "name: quarantine is the platform's own table"),
        ({"produces": {"customer_record": {"emial": "x"}}}, "produces.customer_record.0.emial: unknown key; did you mean email?"),
        ({"produces": {"event": {"event": "'X'"}}}, "produces.event.0.occurred_at: missing, but required"),
        ({"columns": [{"name": "id", "tests": [{"pattern": "("}]}]}, "columns.0.tests.0.pattern: not a regular expression"),
        ({"primary_key": [], "produces": {"customer_record": {"email": "id"}}}, "produces.customer_record needs a key"),
    ],
)
def test_a_mistake_is_named_with_its_key(changes: dict[str, Any], problem: str):
    assert any(found.startswith(problem) for found in _problems(**changes))


def _write(folder: Path, file: str, name: str) -> None:
    (folder / "sources").mkdir(exist_ok=True)
    (folder / "sources" / file).write_text(f"name: {name}\nformat: csv\npath: x\ncolumns: [{{name: id}}]\n")


def test_two_files_cannot_name_one_source(tmp_path: Path):
    _write(tmp_path, "a.yaml", "crm")
    _write(tmp_path, "b.yaml", "crm")

    with pytest.raises(ConfigError, match=r"b\.yaml has a problem(.|\n)*already the name of the source in"):
        load_sources(ConfigFolder(tmp_path))


def test_a_configuration_without_sources_is_refused(tmp_path: Path):
    with pytest.raises(ConfigError, match="found no source"):
        load_sources(ConfigFolder(tmp_path))


def test_selecting_an_unknown_source_suggests_a_known_one(tmp_path: Path):
    _write(tmp_path, "a.yaml", "crm_contacts")
    sources = load_sources(ConfigFolder(tmp_path))

    assert list(select_sources(sources, (), "sources")) == ["crm_contacts"]
    with pytest.raises(ConfigError, match="did you mean crm_contacts"):
        select_sources(sources, ("crm_contact",), "sources")
