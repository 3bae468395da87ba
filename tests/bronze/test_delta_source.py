"""Data files of a Delta table are extracts: an append is read alone, what left the table counts no more."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from pyspark.sql import SparkSession

from cdp.base.errors import UsageError
from cdp.base.settings import ConfigFolder
from cdp.base.stage import Run
from cdp.bronze.config import load_sources
from cdp.bronze.files import read_ledger
from cdp.bronze.lineage import bronze_table
from cdp.bronze.run import ingest
from cdp.silver.sources import REPLACED, typed_rows, with_fate, with_origin

SOURCE: dict[str, Any] = {
    "name": "partner",
    "format": "delta",
    "path": "partner/my members",
    "columns": [{"name": "id"}, {"name": "at", "type": "timestamp"}, {"name": "address.city"}],
}


@pytest.fixture
def partner(run: Run) -> Run:
    """A run with a source whose Delta table is still to be written."""
    folder = run.config.path / "sources"
    folder.mkdir()
    (folder / "partner.yaml").write_text(yaml.safe_dump(SOURCE))
    Path(run.landing).mkdir()
    return replace(run, config=ConfigFolder(run.config.path))


def _write(run: Run, spark: SparkSession, first: int, last: int) -> str:
    table = f"{run.landing}/partner/my members"
    rows = spark.range(first, last).selectExpr(
        "id", "timestamp_seconds(id) as at", "struct('Lyon' as city, id as no) as address", "concat('k+', id % 2) as part"
    )
    writer = rows.coalesce(1).write.format("delta").mode("append").partitionBy("part")
    writer.option("delta.enableDeletionVectors", "true").save(table)
    return f"delta.`{table}`"


def _again(run: Run, number: int) -> Run:
    return replace(run, run_id=f"run{number}")


def _counted(run: Run) -> list[int]:
    """The ids that the clean stage sees."""
    source = load_sources(run.config)["partner"]
    rows = typed_rows(with_origin(run.lake.read(bronze_table(source)), source, "UTC"), source, "UTC", as_of=run.as_of)
    rows = with_fate(rows, source, replaced=read_ledger(run.lake).replaced_of("partner"))
    return sorted(int(row["id"]) for row in rows.where(f"_fate <> '{REPLACED}'").collect())


def test_an_append_is_read_alone(partner: Run, spark: SparkSession):
    _write(partner, spark, 0, 4)
    assert ingest(partner).rows_in == 4
    assert ingest(_again(partner, 2)).rows_in == 0
    _write(partner, spark, 4, 6)

    result = ingest(_again(partner, 3))

    assert result.rows_in == 2
    assert not [note for note in result.notes if "belong to no source" in note]
    bronze = partner.lake.read(bronze_table(load_sources(partner.config)["partner"]))
    rows = {row["id"]: row for row in bronze.collect()}
    assert (rows["5"]["at"], rows["5"]["address.city"]) == ("1970-01-01 00:00:05Z", "Lyon")
    assert rows["5"]["_extra"] == {"address.no": "5", "part": "k+1"}
    assert rows["5"]["_file"].startswith("partner/my members/part=k+1/part-0000")
    assert _counted(partner) == [0, 1, 2, 3, 4, 5]


def test_what_left_the_table_counts_no_more_until_it_is_back(partner: Run, spark: SparkSession):
    table = _write(partner, spark, 0, 6)
    ingest(partner)
    spark.sql(f"delete from {table} where id = 2")  # a deletion vector
    spark.sql(f"delete from {table} where part = 'k+1'")  # a whole file

    result = ingest(_again(partner, 2))

    assert result.rows_in == 2
    assert _counted(partner) == [0, 4]
    spark.sql(f"optimize {table}")
    ingest(_again(partner, 3))
    assert _counted(partner) == [0, 4]
    spark.sql(f"restore table {table} to version as of 0")
    ingest(_again(partner, 4))
    assert _counted(partner) == [0, 1, 2, 3, 4, 5]


def test_rows_that_are_removed_without_any_new_file_are_noticed(partner: Run, spark: SparkSession):
    table = _write(partner, spark, 0, 4)
    ingest(partner)
    spark.sql(f"delete from {table}")

    assert ingest(_again(partner, 2)).rows_in == 0
    assert _counted(partner) == []


def test_a_table_that_is_not_there_is_refused_and_one_that_is_broken_is_named(partner: Run):
    with pytest.raises(UsageError, match="found no extract"):
        ingest(partner)
    log = Path(partner.landing, "partner", "my members", "_delta_log")
    log.mkdir(parents=True)
    (log / f"{0:020}.json").write_text("{broken")

    with pytest.raises(UsageError, match="source partner: path: partner/my members is no Delta table that can be read"):
        ingest(partner)
