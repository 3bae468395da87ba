"""Rows worked out once and held, so that what is made of them does not work them out again."""

from pyspark.sql import DataFrame, Observation
from pyspark.sql import functions as F

_FEW = 200_000
"""Rows that a join sends to every worker whole, in place of sorting both sides: keys of some hundred bytes at most."""


def held(rows: DataFrame) -> DataFrame:
    """The rows, worked out once; where they are few, joins compare the other side with them as it passes.

    For narrow rows (keys) that are joined with tables far larger: what Spark knows of rows held is the estimate of their
    plan, which is often that of the table they come from.
    """
    seen = Observation()
    made = rows.observe(seen, F.count(F.lit(1)).alias("rows")).localCheckpoint()
    return F.broadcast(made) if seen.get["rows"] <= _FEW else made
