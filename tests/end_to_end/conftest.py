"""A small sample retailer's lake, made once by the real jobs, for all tests that look at an outcome."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from cdp.base.lake import Lake
from cdp.pipeline import STAGES, add_options, prepare
from cdp.runner.launch import launch
from cdp.sample.stage import STAGE as SAMPLE
from cdp.sample.stage import add_options as sample_options
from tests.conftest import PROJECT

AS_OF = "2026-01-31"
PERSONS = 400


@dataclass(frozen=True)
class Retailer:
    """The extracts and lake of a retailer, and what its last run said."""

    lake: Lake
    landing: Path
    config: Path
    code: int
    summary: dict[str, Any]


def run_pipeline(lake: Path, landing: Path, config: Path, *more: str, as_of: str = AS_OF) -> tuple[int, dict[str, Any]]:
    """Exit code and JSON summary of a run of all stages."""
    arguments = ["--lake", str(lake), "--landing", str(landing), "--config", str(config), "--as-of", as_of, *more]
    code = launch(STAGES, "test", argv=arguments, add_options=add_options, prepare=prepare)
    newest = max((lake / "_cdp" / "runs").glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
    return code, json.loads(newest.read_text(encoding="utf-8"))


def write_extracts(landing: Path, *more: str, as_of: str = AS_OF) -> int:
    arguments = ["--landing", str(landing), "--as-of", as_of, "--persons", str(PERSONS), *more]
    return launch([SAMPLE], "test", argv=arguments, add_options=sample_options)


@pytest.fixture(scope="session")
def retailer(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Retailer:
    folder = tmp_path_factory.mktemp("retailer")
    landing, lake, config = folder / "landing", folder / "lake", PROJECT / "conf"
    assert write_extracts(landing) == 0
    code, summary = run_pipeline(lake, landing, config)
    return Retailer(Lake(spark, str(lake)), landing, config, code, summary)


@pytest.fixture(scope="session")
def versions(retailer: Retailer) -> Callable[[], dict[str, int]]:
    """Table to Delta version, for all tables that hold data of customers (not the ledger of runs)."""

    def found() -> dict[str, int]:
        logs = Path(retailer.lake.root).glob("*/*/_delta_log")
        counted = {f"{p.parts[-3]}.{p.parts[-2]}": len(list(p.glob("*.json"))) for p in logs}
        return {name: count for name, count in counted.items() if not name.startswith("ops.")}

    return found
