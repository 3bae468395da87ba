"""A delivery far from what a source usually sends is told."""

from dataclasses import replace
from typing import Any

import pytest
import yaml

from cdp.base.errors import ConfigError
from cdp.base.settings import ConfigFolder, parse
from cdp.base.stage import Run
from cdp.bronze.config import SourceConfig
from cdp.bronze.run import ingest
from cdp.bronze.volume import volume
from cdp.tables.ops import RECONCILIATION

SOURCE: dict[str, Any] = {
    "name": "crm",
    "format": "csv",
    "path": "crm/*",
    "columns": [{"name": "id"}],
    "volume": {"warn": {"min": 0.5, "max": 2}, "error": {"min": 0.1, "max": 10}},
}


def _delivered(run: Run, *rows: int, stage: str = "ingest", subject: str = "crm") -> None:
    ledger = [(f"{n:03}", stage, subject, count, count, 0, 0, 0) for n, count in enumerate(rows)]
    run.lake.append(RECONCILIATION, run.spark.createDataFrame(ledger, RECONCILIATION.schema))


def _told(run: Run, rows: int, **changes: Any) -> tuple[list[str], list[str]]:
    return volume(run, {"crm": parse(SourceConfig, {**SOURCE, **changes}, "crm.yaml")}, {"crm": rows})


@pytest.mark.parametrize(
    ("rows", "notes", "broken"), [(9, 0, 1), (10, 1, 0), (49, 1, 0), (50, 0, 0), (200, 0, 0), (201, 1, 0), (1001, 0, 1)]
)
def test_rows_are_held_to_the_median_of_the_deliveries_before(run: Run, rows: int, notes: int, broken: int):
    _delivered(run, 90, 1_000_000, 100, 0)  # a first load is one of many, an empty run is no delivery

    told = _told(run, rows)

    assert [len(one) for one in told] == [notes, broken]


def test_the_message_says_what_was_usual(run: Run):
    _delivered(run, 1000, 1000, 1000)

    assert _told(run, 5) == (
        [],
        ["crm: read 5 rows, wanted at least 0.1 and at most 10 times the 1,000 of the median of its last 3 deliveries"],
    )


def test_only_the_last_deliveries_count(run: Run):
    _delivered(run, 5, 5, 5, 5, 100, 100, 100)

    assert _told(run, 100, volume={**SOURCE["volume"], "deliveries": 3}) == ([], [])


def test_without_three_deliveries_or_a_key_nothing_is_said(run: Run):
    _delivered(run, 100, 100)
    _delivered(run, 100, 100, 100, subject="shop")
    _delivered(run, 100, 100, 100, stage="replay")

    assert _told(run, 1) == ([], [])
    _delivered(run, 100, 100)
    assert _told(run, 1, volume=None) == ([], [])
    assert volume(replace(run, full_refresh=True), {"crm": parse(SourceConfig, SOURCE, "x")}, {"crm": 1}) == ([], [])


def test_ingest_tells_it(run: Run, tmp_path: Any):
    (run.config.path / "sources").mkdir()
    (run.config.path / "sources" / "crm.yaml").write_text(yaml.safe_dump(SOURCE))
    (tmp_path / "landing" / "crm").mkdir(parents=True)
    (tmp_path / "landing" / "crm" / "a.csv").write_text("id\n1\n")
    _delivered(run, 100, 100, 100)

    result = ingest(replace(run, config=ConfigFolder(run.config.path)))

    assert len(result.broken_rules) == 1


def test_a_band_without_ends_or_beyond_the_usual_is_refused():
    for band in ({}, {"min": 2}, {"max": 0.5}):
        with pytest.raises(ConfigError):
            parse(SourceConfig, {**SOURCE, "volume": {"warn": band}}, "crm.yaml")
