"""One Spark session for the whole suite, and a fresh lake for each test that asks."""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from cdp.base.console import Console
from cdp.base.lake import Lake
from cdp.base.session import spark_session
from cdp.base.settings import ConfigFolder
from cdp.base.stage import Run

PROJECT = Path(__file__).resolve().parents[1]
SHARED_DATA = PROJECT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    session = spark_session("tests")
    yield session
    session.stop()


@pytest.fixture
def lake(spark: SparkSession, tmp_path: Path) -> Lake:
    return Lake(spark, str(tmp_path / "lake"))


@pytest.fixture
def run(lake: Lake, tmp_path: Path) -> Run:
    """A run as of 31 January 2026 on an empty lake, with an empty configuration."""
    conf = tmp_path / "conf"
    conf.mkdir()
    return Run(
        run_id="test",
        job="test",
        as_of=date(2026, 1, 31),
        started_at=datetime(2026, 2, 1, 3, 0, 0),
        lake=lake,
        config=ConfigFolder(conf),
        landing=str(tmp_path / "landing"),
        console=Console("quiet"),
    )


@pytest.fixture(scope="session")
def public_data() -> Path:
    """The folder of public data sets; tests that need it skip where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"public data sets are not at {SHARED_DATA}")
    return SHARED_DATA
