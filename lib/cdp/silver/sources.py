"""A source's bronze rows, typed, and what each of them still counts for: the newest version of each key."""

from collections.abc import Sequence
from datetime import date, datetime

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from cdp.bronze.config import SourceConfig
from cdp.bronze.typed import typed
from cdp.silver.expressions import evaluate

PLACE = ("_file", "_file_modified_at", "_file_row")
CURRENT, SUPERSEDED, REPLACED, DELETED = FATES = ("current", "superseded", "replaced", "deleted")
"""What a row may be: the newest version of its key; an older one (or of an older snapshot); of a file that was replaced
under its name; the newest version of a key that the source says is gone."""

BETWEEN = "\x1f"
"""Between the parts of a key that are one text."""

FileVersion = tuple[str, datetime]
"""Path of an extract below the landing folder, and when it was last changed."""


def with_origin(bronze: DataFrame, source: SourceConfig, timezone: str) -> DataFrame:
    """Bronze rows with every declared column and `_origin`, which no two rows share but versions of one.

    It is a text of the primary key in its types, else of the row's place.
    """
    known = set(bronze.columns)
    # A column declared since the rows were read is not in the table yet.
    for column in source.columns:
        if column.name not in known:
            bronze = bronze.withColumn(column.name, F.try_element_at("_extra", F.lit(column.name)))
    typed_key = [typed(c, timezone) for name in source.primary_key for c in source.columns if c.name == name]
    key = [F.trim(value.cast("string")) for value in typed_key] or [F.col(c).cast("string") for c in PLACE]
    return bronze.withColumn("_origin", F.concat_ws(BETWEEN, *key))


def typed_rows(
    bronze: DataFrame, source: SourceConfig, timezone: str, *, as_of: date, keep: Sequence[str] = ()
) -> DataFrame:
    """Bronze rows in their declared types.

    Args:
        bronze: what `with_origin` makes of `bronze.<source>`.
        source: its contract.
        timezone: zone of timestamps that carry none.
        as_of: the run's date: what it reads was known by then, whatever day its file was copied on.
        keep: further columns to hand on.

    Returns:
        The declared columns, `_extra`, `_file`, `_file_modified_at`, `_file_row`, `_batch_id`, `_origin` and `_updated_at`:
        the source's occurred_at, else the file's time, but at most the end of the run's date.
    """
    columns = [typed(c, timezone).alias(c.name) for c in source.columns]
    rows = bronze.select(*columns, "_extra", *PLACE, "_batch_id", "_origin", *keep)
    # A file's time is not the persons': a run in the past of files copied today knows who is in them.
    moment = F.least("_file_modified_at", F.lit(f"{as_of.isoformat()} 23:59:59.999999").cast("timestamp"))
    if source.occurred_at:
        moment = F.coalesce(F.col(f"`{source.occurred_at}`").cast("timestamp"), moment)
    return rows.withColumn("_updated_at", moment)


def with_fate(
    rows: DataFrame, source: SourceConfig, *, replaced: Sequence[FileVersion] = (), older: Sequence[FileVersion] = ()
) -> DataFrame:
    """Say of each row what it still counts for.

    The newest row of a key is that of the latest `_updated_at`, then file time, file name and row: a total order, so
    that neither the order nor the batches in which files arrive change the outcome.

    Args:
        rows: `typed_rows`.
        source: the contract: primary_key, deleted.
        replaced: files that were replaced under the same name, or left their table.
        older: files of deliveries before the newest one, of a source that sends snapshots.

    Returns:
        The rows with `_fate`, one of `FATES`; and, for a source that says what is deleted, `_undecided`: whether that
        expression failed on the row.
    """
    if source.deleted:
        every = [f"`{c}`" for c in rows.columns]
        fields = {"_deleted": (source.deleted, "boolean")}
        rows = evaluate(rows, fields, keep=every, where=f"source {source.name}")
        rows = rows.withColumn("_undecided", F.col("_failed") != "").drop("_failed")
    rows = _out_by_file(rows, {**dict.fromkeys(older, SUPERSEDED), **dict.fromkeys(replaced, REPLACED)})
    if source.primary_key:
        # Rows that are out already come last, so that the newest of the others is the first.
        newest_first = [F.col(c).desc() for c in ("_updated_at", "_file_modified_at", "_file", "_file_row")]
        order = [F.col("_fate").isNotNull().asc(), *newest_first] if replaced or older else newest_first
        version = F.row_number().over(Window.partitionBy(*[F.col(f"`{c}`") for c in source.primary_key]).orderBy(*order))
        rows = rows.withColumn("_version", version)
        older_version = F.when(F.col("_version") > 1, SUPERSEDED)
        gone = F.when(F.col("_deleted"), DELETED) if source.deleted else F.lit(None)
        rows = rows.withColumn("_fate", F.coalesce("_fate", older_version, gone))
    return rows.withColumn("_fate", F.coalesce("_fate", F.lit(CURRENT))).drop("_version", "_deleted")


def _out_by_file(rows: DataFrame, fates: dict[FileVersion, str]) -> DataFrame:
    """The rows with `_fate`: that of their file, null for most."""
    if not fates:
        return rows.withColumn("_fate", F.lit(None).cast("string"))
    # A join, as a table that is read whole each day, or rewritten often, leaves thousands of files.
    shape = "_file string, _file_modified_at timestamp, _fate string"
    files = rows.sparkSession.createDataFrame([(*version, fate) for version, fate in fates.items()], shape)
    return rows.join(F.broadcast(files), on=["_file", "_file_modified_at"], how="left")
