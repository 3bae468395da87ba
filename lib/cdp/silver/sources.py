"""A source's bronze rows, typed, the newest version of each key."""

from collections.abc import Sequence
from datetime import datetime

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from cdp.bronze.config import SourceConfig
from cdp.bronze.typed import typed

PLACE = ("_file", "_file_modified_at", "_file_row")


def typed_rows(
    bronze: DataFrame, source: SourceConfig, timezone: str, superseded: Sequence[tuple[str, datetime]] = ()
) -> DataFrame:
    """Bronze rows in their declared types.

    Args:
        bronze: `bronze.<source>`.
        source: its contract.
        timezone: zone of timestamps that carry none.
        superseded: (file, modified_at) of files that were replaced under the same name, or left their table.

    Returns:
        The declared columns, `_extra`, `_file`, `_file_modified_at`, `_file_row` and `_updated_at`: the source's
        occurred_at, else the file's time.
    """
    by_name = {c.name: c for c in source.columns}
    known = set(bronze.columns)
    nothing = F.lit(None).cast("string")
    # A column declared since the rows were read is not in the table yet.
    for name in by_name:
        if name not in known:
            bronze = bronze.withColumn(name, F.coalesce(F.try_element_at("_extra", F.lit(name)), nothing))
    if superseded:
        # A join, as a table that is read whole each day or rewritten often leaves thousands.
        old = bronze.sparkSession.createDataFrame(list(superseded), "_file string, _file_modified_at timestamp")
        bronze = bronze.join(F.broadcast(old), on=["_file", "_file_modified_at"], how="left_anti")
    columns = [typed(c, timezone).alias(c.name) for c in source.columns]
    rows = bronze.select(*columns, "_extra", *PLACE)
    moment = F.col("_file_modified_at")
    if source.occurred_at:
        moment = F.coalesce(F.col(f"`{source.occurred_at}`").cast("timestamp"), moment)
    return rows.withColumn("_updated_at", moment)


def newest_versions(rows: DataFrame, source: SourceConfig) -> DataFrame:
    """The newest row of each primary key: by `_updated_at`, then file time, file name and row; all without a key."""
    if not source.primary_key:
        return rows
    newest_first = [F.col(c).desc() for c in ("_updated_at", "_file_modified_at", "_file", "_file_row")]
    versions = Window.partitionBy(*[F.col(f"`{c}`") for c in source.primary_key]).orderBy(*newest_first)
    return rows.withColumn("_version", F.row_number().over(versions)).where("_version = 1").drop("_version")
