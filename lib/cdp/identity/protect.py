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
from cdp.identity.sets import DisjointSets

if TYPE_CHECKING:
    import pandas as pd

FACT = ("node", "kind", "value", "at", "at_most", "days")
"""Columns of `facts`, in the order of a `Fact`."""


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
    nodes: DataFrame, seen: DataFrame, suffixes: DataFrame, ends: DataFrame | None, config: IdentityConfig
) -> DataFrame:
    """What each record has of every limited kind.

    Args:
        nodes: node, source, record_type, is_person, first_seen_at.
        seen: `groups.grouped`.
        suffixes: node, suffix, first_seen_at: of records with Jr, Sr, II ...
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
    parts.append(_rows(suffixes, F.lit("generation"), F.xxhash64("suffix"), 1))
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


def device_facts(nodes: DataFrame, people: DataFrame) -> DataFrame:
    """Whose each record is before devices are looked at: a device does not join two people.

    Args:
        nodes: node, is_person, first_seen_at.
        people: node, component.
    """
    persons = nodes.where("is_person").join(people, on="node", how="left")
    return _rows(persons, F.lit("shared device"), F.coalesce("component", "node"), 1)


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
    known = had.join(wanted, on="node", how="inner").select(F.col("component").alias("of"), *FACT)
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
        for node, kind, value, at, at_most, days in had[list(FACT)].itertuples(index=False, name=None)
    ]
    found = keep_apart(links, held)
    return pd.DataFrame({"node": list(found.keys()), "cluster": list(found.values())}, dtype="int64")


def keep_apart(edges: Iterable[Edge], had: Iterable[Fact]) -> dict[int, int]:
    """Join nodes along edges, strongest first, as long as no limit is broken.

    Returns:
        Node to the smallest node of its cluster. The same whatever the order of the arguments.
    """
    clusters: DisjointSets[int] = DisjointSets()
    limits = Limits(had)
    for edge in sorted(edges, key=lambda e: (e.priority, *sorted((e.src, e.dst)))):
        low, high = sorted((clusters.root(edge.src), clusters.root(edge.dst)))
        # Priority 0 is the steward's own word. What it joined may have too much already: no more of it comes in.
        if low == high or (edge.priority > 0 and not limits.allows(low, high)):
            continue
        clusters.join(low, high)
        limits.join(low, high)
    return clusters.roots()


class Limits:
    """What the clusters of some nodes have of every limited kind; a cluster goes by one of its nodes.

    Args:
        had: what the nodes have, each a cluster to begin with.
    """

    def __init__(self, had: Iterable[Fact]) -> None:
        self._held: dict[int, dict[str, dict[int, datetime]]] = {}
        self._limits: dict[str, tuple[int, int | None]] = {}
        for fact in had:
            self._limits[fact.kind] = (fact.at_most, fact.days)
            values = self._held.setdefault(fact.node, {}).setdefault(fact.kind, {})
            values[fact.value] = min(values.get(fact.value, fact.at), fact.at)

    def allows(self, one: int, other: int) -> bool:
        """Whether the two clusters may become one: none of what grows by it breaks its limit."""
        return self.broken(one, other) is None

    def broken(self, one: int, other: int) -> str | None:
        """The first kind, by name, that both clusters together have too much of."""
        mine, theirs = self._held.get(one, {}), self._held.get(other, {})
        for kind in sorted(mine.keys() & theirs.keys()):
            both = _both(mine[kind], theirs[kind])
            grows = len(both) > max(len(mine[kind]), len(theirs[kind]))
            if grows and _breaks(both, *self._limits[kind]):
                return kind
        return None

    def join(self, one: int, other: int) -> None:
        """The cluster of `other` becomes part of that of `one`."""
        mine = self._held.setdefault(one, {})
        for kind, values in self._held.pop(other, {}).items():
            mine[kind] = _both(mine[kind], values) if kind in mine else values

    def count(self, node: int, kind: str) -> int:
        """Values of a kind that a cluster has."""
        return len(self._held.get(node, {}).get(kind, ()))


def _both(one: dict[int, datetime], other: dict[int, datetime]) -> dict[int, datetime]:
    result = dict(one)
    for value, at in other.items():
        result[value] = min(result.get(value, at), at)
    return result


def _breaks(values: dict[int, datetime], at_most: int, days: int | None) -> bool:
    if len(values) <= at_most:
        return False
    if days is None:
        return True
    times: Sequence[datetime] = sorted(values.values())
    # at_most + 1 values first seen within the window: more than one person has.
    return any(late - early < timedelta(days=days) for early, late in zip(times, times[at_most:], strict=False))
