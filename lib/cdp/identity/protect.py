"""Protection against wrong merges: what one person can have at most, and how a component that has more is cut.

Every limit is of one form: of a `kind`, a cluster holds at most `at_most` different values (first seen within `days`).
Unique identifiers, limits, sources without duplicates, never-link rules, the size of a cluster and devices that join two
people are all limits of that form.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from typing import TYPE_CHECKING

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.identity.config import IdentityConfig

if TYPE_CHECKING:
    import pandas as pd

_FACT = ("node", "kind", "value", "at", "at_most", "days")


@dataclass(frozen=True)
class Fact:
    """A record has a value of a limited kind."""

    node: int
    kind: str
    value: int
    at: datetime
    at_most: int
    days: int | None = None


@dataclass(frozen=True)
class Edge:
    """Two nodes are linked; those of lower priority number are linked first."""

    src: int
    dst: int
    priority: int


def facts(
    nodes: DataFrame, seen: DataFrame, components: DataFrame, ends: DataFrame | None, config: IdentityConfig
) -> DataFrame:
    """What each record has of every limited kind.

    Args:
        nodes: node, source, record_type, is_person, first_seen_at.
        seen: `groups.grouped`.
        components: node, component by identifiers of people alone.
        ends: `rules.endpoints`; None where there are no rules.
        config: unique types, limits, sources without duplicates, size.

    Returns:
        node, kind, value, at, at_most, days.
    """
    is_record = F.col("record_type") == "customer_record"
    no_days = F.lit(None).cast("int").alias("days")
    here = nodes.where(is_record)
    parts = [
        here.select("node", F.lit("max_cluster_size").alias("kind"), F.col("node").alias("value"),
                    F.col("first_seen_at").alias("at"), F.lit(config.max_cluster_size).alias("at_most"), no_days)
    ]  # fmt: skip
    persons = nodes.where("is_person").join(components, on="node", how="left")
    own = F.coalesce("component", "node").alias("value")
    parts.append(_rows(persons, F.lit("shared device"), own, 1))
    if config.one_record_per_source:
        sole = here.where(F.col("source").isin(*config.one_record_per_source))
        parts.append(_rows(sole, F.concat(F.lit("records of "), F.col("source")), F.col("node"), 1))
    for id_type in config.id_types:
        usable = seen.where((F.col("id_type") == id_type.name) & F.col("refused").isNull())
        value = F.xxhash64("id_value")
        if id_type.unique:
            parts.append(_rows(usable, F.lit(f"unique {id_type.name}"), value, 1))
        if id_type.limit:
            limit = id_type.limit
            kind = F.lit(f"{id_type.name}: {limit.count} per {limit.per}")
            parts.append(_rows(usable, kind, value, limit.count, limit.days))
    if ends is not None:
        never = ends.where("action = 'never_link'").withColumn("first_seen_at", F.lit("1970-01-01").cast("timestamp"))
        parts.append(_rows(never, F.concat(F.lit("never_link "), F.col("rule_id")), F.xxhash64("side"), 1))
    return reduce(DataFrame.unionByName, parts)


def _rows(rows: DataFrame, kind: Column, value: Column, at_most: int, days: int | None = None) -> DataFrame:
    return rows.select(
        "node",
        kind.alias("kind"),
        value.alias("value"),
        F.col("first_seen_at").alias("at"),
        F.lit(at_most).alias("at_most"),
        F.lit(days).cast("int").alias("days"),
    )


def breaches(had: DataFrame, components: DataFrame) -> DataFrame:
    """Components that may hold more of a kind than one person can have.

    Returns:
        component, kind, records. (Windows of time are looked at when the component is cut.)
    """
    labelled = had.join(components, on="node", how="left").withColumn("component", F.coalesce("component", "node"))
    counts = labelled.groupBy("component", "kind").agg(
        F.count_distinct("value").alias("values"), F.max("at_most").alias("at_most"), F.count_distinct("node").alias("records")
    )
    return counts.where("values > at_most").select("component", "kind", "records")


def cut(edges: DataFrame, had: DataFrame, components: DataFrame, flagged: DataFrame) -> DataFrame:
    """Cluster the flagged components anew, link by link, refusing those that would break a limit.

    Args:
        edges: src, dst, priority.
        had: `facts`.
        components: node, component.
        flagged: component.

    Returns:
        node, cluster, for each node of a flagged component.
    """
    wanted = components.join(F.broadcast(flagged.select("component").distinct()), on="component", how="left_semi")
    inside = edges.join(wanted.withColumnRenamed("node", "src"), on="src", how="inner").where("src <> dst")
    # Each side gets a column of its own to group by: both come of `components`, which Spark could not tell apart.
    known = had.join(wanted, on="node", how="inner").select(F.col("component").alias("of"), *_FACT)
    members = inside.select(F.col("component").alias("of"), "src", "dst", F.col("priority").cast("int"))
    return (
        members.groupBy("of")
        .cogroup(known.groupBy("of"))
        .applyInPandas(_cut_component, "node bigint, cluster bigint")
    )


def _cut_component(edges: "pd.DataFrame", had: "pd.DataFrame") -> "pd.DataFrame":
    import pandas as pd

    links = [Edge(*row) for row in edges[["src", "dst", "priority"]].itertuples(index=False, name=None)]
    held = [
        Fact(node, kind, value, at.to_pydatetime(), at_most, None if pd.isna(days) else int(days))
        for node, kind, value, at, at_most, days in had[list(_FACT)].itertuples(index=False, name=None)
    ]
    found = keep_apart(links, held)
    return pd.DataFrame({"node": list(found.keys()), "cluster": list(found.values())}, dtype="int64")


def keep_apart(edges: Iterable[Edge], had: Iterable[Fact]) -> dict[int, int]:
    """Join nodes along edges, strongest first, as long as no limit is broken.

    Returns:
        Node to the smallest node of its cluster. The same whatever the order of the arguments.
    """
    parent: dict[int, int] = {}
    held: dict[int, dict[str, dict[int, datetime]]] = {}
    limits: dict[str, tuple[int, int | None]] = {}
    for fact in had:
        limits[fact.kind] = (fact.at_most, fact.days)
        values = held.setdefault(fact.node, {}).setdefault(fact.kind, {})
        values[fact.value] = min(values.get(fact.value, fact.at), fact.at)

    def find(node: int) -> int:
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for edge in sorted(edges, key=lambda e: (e.priority, *sorted((e.src, e.dst)))):
        low, high = sorted((find(edge.src), find(edge.dst)))
        if low == high:
            continue
        one, other = held.get(low, {}), held.get(high, {})
        merged = _merged(one, other)
        # Priority 0 is the steward's own word. What it joined may have too much already: no more of it comes in.
        grown = {k: v for k, v in merged.items() if len(v) > max(len(one.get(k, ())), len(other.get(k, ())))}
        if edge.priority > 0 and any(_breaks(values, *limits[kind]) for kind, values in grown.items()):
            continue
        parent[high] = low
        held[low] = merged
    return {node: find(node) for node in list(parent)}


def _merged(one: dict[str, dict[int, datetime]], other: dict[str, dict[int, datetime]]) -> dict[str, dict[int, datetime]]:
    result = {kind: dict(values) for kind, values in one.items()}
    for kind, values in other.items():
        mine = result.setdefault(kind, {})
        for value, at in values.items():
            mine[value] = min(mine.get(value, at), at)
    return result


def _breaks(values: dict[int, datetime], at_most: int, days: int | None) -> bool:
    if len(values) <= at_most:
        return False
    if days is None:
        return True
    times: Sequence[datetime] = sorted(values.values())
    # at_most + 1 values first seen within the window: more than one person has.
    return any(late - early < timedelta(days=days) for early, late in zip(times, times[at_most:], strict=False))
