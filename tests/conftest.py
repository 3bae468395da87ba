"""One Spark session for all tests of a process, and a fresh lake for each test that asks."""

import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from pyspark.sql import DataFrame, SparkSession
from xdist.scheduler.loadscope import LoadScopeScheduling

from cdp.base.console import Console
from cdp.base.contracts import Table
from cdp.base.lake import Lake
from cdp.base.session import spark_session
from cdp.base.settings import ConfigFolder
from cdp.base.stage import Run

# The main module of a process of `make test` has no file. PySpark Connect, which Great Expectations imports, takes such a one for
# a run of doctests, and ends it.
vars(sys.modules["__main__"]).setdefault("__file__", __file__)

# How long an example takes says more of the machine than of the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

PROJECT = Path(__file__).resolve().parents[1]
SHARED_DATA = PROJECT.parent / "shared" / "data"


_LONGEST = ("end_to_end", "identity", "models", "segments", "gold", "silver", "journeys", "bronze")
"""Folders that take the most time, the longest first."""


def _folder(nodeid: str) -> str:
    """The folder under tests/, or the file in it."""
    return nodeid.split("::")[0].split("/")[1]


class _ByFolder(LoadScopeScheduling):  # type: ignore[misc] # xdist is not typed
    """Gives a process of `make test` whole folders, whose tests share what they make for all of them."""

    def _split_scope(self, nodeid: str) -> str:
        return _folder(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _ByFolder:
    return _ByFolder(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest folders come first: whole pipelines also want a session that has not run a thousand tests before."""
    places = {name: place for place, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: places.get(_folder(item.nodeid), len(places)))


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    session = spark_session("tests", memory="6g")  # one session for a thousand tests
    yield session
    session.stop()


@pytest.fixture
def lake(spark: SparkSession, tmp_path: Path) -> Iterator[Lake]:
    yield Lake(spark, str(tmp_path / "lake"))
    # Delta remembers every table for an hour, with the plans of its snapshots: after hundreds of lakes the heap is full.
    spark._jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()


@pytest.fixture
def run(lake: Lake, tmp_path: Path) -> Run:
    return empty_run(lake, tmp_path)


def empty_run(lake: Lake, folder: Path) -> Run:
    """A run as of 31 January 2026 on an empty lake, with an empty configuration."""
    conf = folder / "conf"
    conf.mkdir()
    return Run(
        run_id="test",
        job="test",
        as_of=date(2026, 1, 31),
        started_at=datetime(2026, 2, 1, 3, 0, 0),
        lake=lake,
        config=ConfigFolder(conf),
        landing=str(folder / "landing"),
        console=Console("quiet"),
    )


_FILL: dict[str, Any] = {
    "string": "-",
    "int": 0,
    "bigint": 0,
    "double": 0.0,
    "decimal(18,2)": Decimal(0),
    "boolean": False,
    "date": date(2026, 1, 1),
    "timestamp": datetime(2026, 1, 1),
}

Fill = Callable[..., DataFrame]


@pytest.fixture(scope="session")
def fill(spark: SparkSession) -> Fill:
    """`fill(TABLE, {...}, {...})`: rows of a table; a column not named is null, or some value where null is refused."""

    def make(table: Table, *rows: dict[str, Any]) -> DataFrame:
        def value(row: dict[str, Any], name: str, type_: str, nullable: bool) -> Any:
            unknown = set(row) - {c.name for c in table.columns}
            assert not unknown, f"{table.name} has no columns {unknown}"
            if name in row:
                return row[name]
            empty = [] if type_.startswith("array") else {} if type_.startswith("map") else _FILL.get(type_)
            return None if nullable else empty

        data = [tuple(value(row, c.name, c.type, c.nullable) for c in table.columns) for row in rows]
        return spark.createDataFrame(data, table.schema)

    return make


@pytest.fixture(scope="session")
def public_data() -> Path:
    """The folder of public data sets; tests that need it skip where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"public data sets are not at {SHARED_DATA}")
    return SHARED_DATA
