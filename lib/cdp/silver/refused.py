"""Rows that cleaning refuses: in quarantine as they were sent, beside those that ingestion refused."""

from collections.abc import Mapping, Sequence
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cdp.base.lake import Lake
from cdp.bronze.config import SourceConfig
from cdp.bronze.lineage import bronze_table
from cdp.silver.flows import Flow
from cdp.silver.scope import Scope
from cdp.silver.sources import PLACE
from cdp.tables.bronze import LINEAGE, QUARANTINE


def quarantine(lake: Lake, flows: Sequence[Flow], scopes: Mapping[str, Scope]) -> None:
    """Put the rows that an entity refuses into quarantine, a row once, with every reason; take out what is mended.

    Args:
        lake: the lake.
        flows: what was looked at, once it has passed.
        scopes: every source; what an earlier run refused of rows that this one did not look at stays.
    """
    refused = [flow for flow in flows if flow.counts["refused"]]
    if not refused and not lake.exists(QUARANTINE):
        return
    held = lake.read(QUARANTINE).where("stage = 'clean'")
    kept = _not_looked_at(held, scopes)
    if not refused and kept is None:
        lake.delete(QUARANTINE, F.col("stage") == "clean")
        return
    frames = [kept] if kept is not None else []
    if refused:
        by_source = {flow.source: scopes[flow.source].source for flow in refused}
        frames.append(_as_sent(lake, by_source, _reasons(refused)))
    lake.replace(QUARANTINE, reduce(DataFrame.unionByName, frames), where="stage = 'clean'")


def _not_looked_at(held: DataFrame, scopes: Mapping[str, Scope]) -> DataFrame | None:
    untouched = [name for name, scope in scopes.items() if scope.mode == "untouched"]
    affected = {name: scope.rows for name, scope in scopes.items() if scope.mode == "affected" and scope.rows is not None}
    if not untouched and not affected:
        return None
    kept = held.where(F.col("_source").isin([*untouched, *affected]))
    if affected:
        looked_at = [
            rows.where("_is_changed").select(F.lit(name).alias("_source"), *PLACE) for name, rows in affected.items()
        ]
        kept = kept.join(reduce(DataFrame.unionByName, looked_at), on=["_source", *PLACE], how="left_anti")
    return kept


def _reasons(refused: Sequence[Flow]) -> DataFrame:
    found = [
        flow.refused().select(F.col("source").alias("_source"), *PLACE, F.explode("_failed").alias("reason"), "_is_changed")
        for flow in refused
    ]
    # Rows that are looked at for the sake of others are in quarantine as before.
    changed = reduce(DataFrame.unionByName, found).where("_is_changed")
    return changed.groupBy("_source", *PLACE).agg(F.array_sort(F.collect_set("reason")).alias("reasons"))


def _as_sent(lake: Lake, sources: Mapping[str, SourceConfig], reasons: DataFrame) -> DataFrame:
    sent = []
    for source in sources.values():
        bronze = lake.read(bronze_table(source))
        raw = F.to_json(F.struct(*[f"`{c}`" for c in bronze.columns if c not in {column.name for column in LINEAGE}]))
        sent.append(bronze.select(*[c.name for c in LINEAGE], raw.alias("raw")))
    every = reduce(DataFrame.unionByName, sent)
    return every.join(reasons, on=["_source", *PLACE], how="inner").withColumn("stage", F.lit("clean"))
