"""Where a row came from, on the row itself; the table that keeps it, and the form in which quarantine does."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.base.contracts import Table
from cdp.base.stage import Run
from cdp.bronze.config import SourceConfig
from cdp.tables.bronze import LINEAGE, source_table


def bronze_table(source: SourceConfig) -> Table:
    """The bronze table of a source."""
    return source_table(source.name, [(c.name, c.description or "") for c in source.columns])


def as_sent(source: SourceConfig) -> Column:
    """The row as JSON of its columns, and of `_extra`; what is null is left out."""
    return F.to_json(F.struct(*[F.col(f"`{c.name}`") for c in source.columns], "_extra"))


def with_lineage(rows: DataFrame, source: SourceConfig, run: Run) -> DataFrame:
    """The rows with the source's name, this run's marks and the row's hash."""
    return rows.withColumns(
        {
            "_source": F.lit(source.name),
            **marks_of(run),
            "_row_hash": F.sha2(F.coalesce("_corrupt", as_sent(source)), 256),
        }
    )


def marks_of(run: Run) -> dict[str, Column]:
    """What says which run took a row in."""
    return {
        "_ingested_at": F.lit(run.started_at),
        "_batch_id": F.lit(run.run_id),
        "_run_id": F.lit(run.run_id),
    }


def for_bronze(rows: DataFrame, table: Table) -> DataFrame:
    """The judged rows that break no rule, in the table's shape."""
    return rows.where(F.size("_reasons") == 0).select([f"`{c.name}`" for c in table.columns])


def for_quarantine(rows: DataFrame, source: SourceConfig) -> DataFrame:
    """The judged rows that break one, each with its text or its columns."""
    return rows.where(F.size("_reasons") > 0).select(
        *[c.name for c in LINEAGE],
        F.lit("ingest").alias("stage"),
        F.coalesce("_corrupt", as_sent(source)).alias("raw"),
        F.col("_reasons").alias("reasons"),
    )
