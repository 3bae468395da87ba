"""Whether the values that refer to another source are there: one join a reference, beside the pass over the rows."""

from collections.abc import Mapping

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cdp.base.lake import Lake
from cdp.bronze.config import SourceConfig
from cdp.bronze.lineage import bronze_table
from cdp.bronze.references import relationship_tests
from cdp.bronze.rules import found_in


def with_parents(lake: Lake, rows: DataFrame, source: SourceConfig, sources: Mapping[str, SourceConfig]) -> DataFrame:
    """The rows, and for each reference a column that says whether its value is there.

    Args:
        lake: the bronze tables.
        rows: rows of the source, as sent.
        source: the source; where it refers to itself, these rows count too.
        sources: every source.
    """
    for column, test, reference in relationship_tests(source):
        values = _values(lake, sources[reference.to], reference.field)
        if reference.to == source.name:
            values = values.union(rows.select(f"`{reference.field}`"))
        # Distinct, so that no row comes out twice; Spark broadcasts what is small by itself.
        parents = values.where(F.col("_parent").isNotNull()).distinct()
        parents = parents.withColumn(found_in(column, test), F.lit(True))
        rows = rows.join(parents, on=F.col(f"`{column.name}`") == F.col("_parent"), how="left").drop("_parent")
    return rows


def _values(lake: Lake, source: SourceConfig, name: str) -> DataFrame:
    """All values that a source has sent of a column; before it was declared they were undeclared ones."""
    table = bronze_table(source)
    # This version for good: the rows are judged twice, for bronze and for quarantine, and the answer must be one.
    bronze = lake.read(table, version=lake.version(table))
    value = F.try_element_at("_extra", F.lit(name))
    if name in bronze.columns:
        value = F.coalesce(F.col(f"`{name}`"), value)
    return bronze.select(value.alias("_parent"))
