"""What makes one state of a table of another, row by row."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cdp.base.contracts import Table

NEW, OTHER, GONE = "new", "other", "gone"


def changes(table: Table, before: DataFrame, after: DataFrame) -> DataFrame:
    """The rows that differ between two states of a table, or of some slices of it.

    Args:
        table: whose columns both have.
        before: a row a key.
        after: rows as they shall be; a key with more than one row comes out as it came in.

    Returns:
        The table's columns and `_change`: `new`, `other` (as they are afterwards) or `gone` (the key alone).
    """
    is_same_row = [F.col(f"s.`{c}`").eqNullSafe(F.col(f"t.`{c}`")) for c in table.key]
    both = after.withColumn("_is_after", F.lit(True)).alias("s").join(
        before.withColumn("_is_before", F.lit(True)).alias("t"), on=is_same_row, how="full_outer"
    )
    change = (
        F.when(F.col("t._is_before").isNull(), NEW)
        .when(F.col("s._is_after").isNull(), GONE)
        .when(F.expr(differs(table)), OTHER)
    )
    keys = [F.coalesce(f"s.`{c}`", f"t.`{c}`").alias(c) for c in table.key]
    values = [F.col(f"s.`{c.name}`") for c in table.columns if c.name not in table.key]
    return both.select(*keys, *values, change.alias("_change")).where("_change IS NOT NULL")


def differs(table: Table) -> str:
    """Predicate: a row `s` of a key says something else than the row `t`."""
    others = [c for c in table.columns if c.name not in table.key]
    # Spark compares no maps, but their entries.
    form = {c.name: "array_sort(map_entries({}))" if c.type.startswith("map<") else "{}" for c in others}
    pairs = [(form[c.name].format(f"t.`{c.name}`"), form[c.name].format(f"s.`{c.name}`")) for c in others]
    return " OR ".join(f"NOT ({one} <=> {other})" for one, other in pairs) or "false"
