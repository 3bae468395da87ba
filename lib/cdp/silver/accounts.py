"""Accounts of cleaning: every bronze row, and every candidate of an entity, is somewhere."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cdp.base.stage import Account
from cdp.silver.build import TABLES, Build
from cdp.silver.flows import Flow
from cdp.silver.scope import Scope
from cdp.silver.sources import CURRENT, FATES


def of_rows(scopes: Mapping[str, Scope]) -> list[Account]:
    """Rows in bronze = rows that count + older versions, rows of replaced files, deleted keys and rows not looked at again."""
    accounts = []
    for name, scope in scopes.items():
        counts = scope.seen.get if scope.rows is not None else dict.fromkeys(FATES, 0)
        out = counts[CURRENT]
        skipped = sum(counts[fate] for fate in FATES) - out + scope.untouched_rows
        accounts.append(Account(name, scope.now.rows, rows_out=out, rows_refused=0, rows_skipped=skipped))
    return accounts


def of_entities(build: Build) -> list[Account]:
    """Candidates of each source and entity = rows in silver + refused + not meant, or one with another of their key."""
    written = _written(build)
    counted: dict[tuple[str, str], Counter[str]] = {}
    for flow in _every(build.flows):
        counted.setdefault((flow.source, flow.kind), Counter()).update(flow.counts)
    accounts = []
    for (source, kind), counts in sorted(counted.items()):
        usable = counts["rows"] - counts["refused"] - counts["not_meant"]
        # What was made before the write is held against what then lies in the table.
        merged = usable - build.made(kind, source)
        accounts.append(
            Account(
                subject=f"{source}: {kind}",
                rows_in=counts["rows"],
                rows_out=written.get((source, kind), 0),
                rows_refused=counts["refused"],
                rows_skipped=counts["not_meant"] + merged,
            )
        )
    return accounts


def _every(flows: Mapping[str, Sequence[Flow]]) -> list[Flow]:
    return [flow for group in flows.values() for flow in group]


def _written(build: Build) -> dict[tuple[str, str], int]:
    """Rows by source and entity in the silver tables, of what was looked at: a handful comes to the driver."""
    whole = [name for name, scope in build.scopes.items() if scope.mode == "whole"]
    frames = []
    for kind, table in TABLES.items():
        rows = build.run.lake.read(table)
        if whole:
            frames.append(_by_source(rows.where(F.col("source").isin(whole)), kind))
        if kind in build.changed:
            changed = build.changed[kind]
            frames.append(_by_source(rows.join(changed, on=changed.columns, how="left_semi"), kind))
    if not frames:
        return {}
    return {(row["source"], row["kind"]): row["count"] for row in reduce(DataFrame.unionByName, frames).collect()}


def _by_source(rows: DataFrame, kind: str) -> DataFrame:
    return rows.groupBy("source").count().withColumn("kind", F.lit(kind))
