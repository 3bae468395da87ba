"""Who is who: identifiers, then likeness, then devices, each under the limits of what one person can have."""

from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.identity import protect
from cdp.identity.components import connected_components
from cdp.identity.config import CONTACT_TYPES, IdentityConfig
from cdp.identity.devices import is_device_type, touched
from cdp.identity.groups import described, grouped, learned, node_of
from cdp.identity.links import ruled_links
from cdp.identity.matching.match import Matches, matched
from cdp.identity.matching.model import Learnt
from cdp.identity.ruled import endpoints
from cdp.identity.rules import Rule
from cdp.identity.values import refusal, refused_before, without_blocked

_GENERATIONS = ("jr", "junior", "sr", "senior", "i", "ii", "iii", "iv")


@dataclass(frozen=True)
class Known:
    """What a run on all records found out, by which some of them are looked at alone.

    Attributes:
        learnt: what they are compared by.
        refused: id_type, value_hash, reason: values that are nobody's, too many records having them.
    """

    learnt: Learnt
    refused: DataFrame


@dataclass(frozen=True)
class Graph:
    """What was found out about the records.

    Attributes:
        nodes: node, source, record_key, record_type, is_person, first_seen_at: every record.
        seen: `groups.grouped`: every identifier.
        devices: `devices.touched`.
        members: source, record_key, first_seen_at, component: every record's cluster.
        cuts: breaches of the components that were cut; None where none was.
        ends: `rules.endpoints`; None where there are no rules.
        matches: what the comparison of records came to; None where there was nothing to compare.
    """

    nodes: DataFrame
    seen: DataFrame
    devices: DataFrame
    members: DataFrame
    cuts: DataFrame | None
    ends: DataFrame | None
    matches: Matches | None


def graph_of(
    records: DataFrame,
    identifiers: DataFrame,
    config: IdentityConfig,
    rules: tuple[Rule, ...],
    known: Known | None = None,
) -> Graph:
    """Find out who is who.

    Args:
        records: `silver.customer_records` as of the run's date.
        identifiers: `silver.identifiers` as of that date.
        config: conf/identity.yaml.
        rules: the steward's ledger.
        known: where these are some of the records, what is known from all of them.
    """
    who = with_refusals(described(identifiers, records), config, known)
    bad = learned(identifiers, records, config.thresholds())
    if bad is not None:
        who = who.join(bad, on=["id_type", "id_value"], how="left")
        who = who.withColumn("refused", F.coalesce("refused", "learned")).drop("learned")
    ends = None
    if rules:
        keys = records.select(node_of().alias("node"), "source", "record_key")
        there = keys.union(who.select("node", "source", "record_key")).distinct()
        ends = endpoints(records.sparkSession, rules, there, who).localCheckpoint()
        who = without_blocked(who, ends)
    # What is found is kept and its plan forgotten: what builds on it would be planned and sent to every task with it.
    seen = grouped(who, config).localCheckpoint()
    nodes = _nodes(seen, records)
    by_person = _person_edges(seen, config)
    if ends is not None:
        by_person = by_person.unionByName(_ruled_edges(ends, nodes))
    had = protect.facts(nodes, seen, _suffixes(records), ends, config).localCheckpoint()
    atoms, cuts = _protected(by_person, had, connected_components(by_person))
    atoms = atoms.localCheckpoint()
    matches = matched(comparable(records, seen), atoms, had, config, known.learnt if known else None)
    people = _people(atoms, matches.clusters) if matches is not None else atoms
    of_devices = is_device_type() & F.col("refused").isNull()
    devices = touched(seen.where(of_devices), people, config).localCheckpoint()
    components, torn = _with_devices(nodes, people, devices, had)
    members = nodes.join(components, on="node", how="inner")
    members = members.select("source", "record_key", "first_seen_at", "component").localCheckpoint()
    all_cuts = [found for found in (cuts, torn) if found is not None]
    return Graph(nodes, seen, devices, members, reduce(DataFrame.unionByName, all_cuts) if all_cuts else None, ends, matches)


def with_refusals(identifiers: DataFrame, config: IdentityConfig, known: Known | None) -> DataFrame:
    """`identifiers` with `refused`: why a value links nobody by what it is, or by what is known of it; else null."""
    plain = identifiers.withColumn("refused", refusal(config))
    return plain if known is None else refused_before(plain, known.refused)


def began_at() -> Column:
    """Since when a customer record is there: of one changed since, the newest version is known alone."""
    return F.coalesce(F.least("created_at", "updated_at"), "updated_at")


def _suffixes(records: DataFrame) -> DataFrame:
    """node, suffix, first_seen_at: Jr is not Sr; where nothing else holds it, the given name may end with it."""
    of_given = F.regexp_extract(F.lower("given_name"), rf" ({'|'.join(_GENERATIONS)})\.?$", 1)
    suffix = F.regexp_replace(F.lower(F.coalesce("name_suffix", of_given)), r"\W", "")
    return records.select(
        node_of().alias("node"), suffix.alias("suffix"), F.col("updated_at").alias("first_seen_at")
    ).where(F.col("suffix").isin(*_GENERATIONS))


def comparable(records: DataFrame, seen: DataFrame) -> DataFrame:
    """The records without contact points that identify nobody: equal ones would say that two are one.

    Args:
        records: `silver.customer_records`.
        seen: their identifiers: source, record_key, record_type, id_type, id_value, refused.
    """
    is_contact = F.col("id_type").isin(*CONTACT_TYPES)
    void = seen.where(is_contact & F.col("refused").isNotNull() & (F.col("record_type") == "customer_record"))
    void = void.groupBy("source", "record_key").agg(F.collect_set("id_value").alias("_void"))
    joined = records.join(void, on=["source", "record_key"], how="left")
    nothing = F.array().cast("array<string>")
    keys = F.coalesce(F.col("email_keys"), F.col("emails"))
    kept = F.filter(keys, lambda _, i: ~F.array_contains(F.coalesce("_void", nothing), F.get("emails", i)))
    return joined.withColumns(
        {"email_keys": kept, "phones": F.array_except("phones", F.coalesce("_void", nothing))}
    ).drop("_void")


def _people(atoms: DataFrame, clusters: DataFrame) -> DataFrame:
    """node, component: atoms, and what became of them by comparison; a row for each node that is with another."""
    whole = atoms.join(clusters.select(F.col("atom").alias("component"), "cluster"), on="component", how="left")
    grown = whole.select("node", F.coalesce("cluster", "component").alias("component"))
    alone = clusters.join(atoms, on=F.col("atom") == F.col("node"), how="left_anti")
    return grown.unionByName(alone.select(F.col("atom").alias("node"), F.col("cluster").alias("component"))).localCheckpoint()


def _nodes(seen: DataFrame, records: DataFrame) -> DataFrame:
    here = records.select(
        node_of().alias("node"), "source", "record_key", F.lit("customer_record").alias("record_type"),
        F.lit(True).alias("is_person"), began_at().alias("first_seen_at"),
    )  # fmt: skip
    columns = here.columns
    rows = here.unionByName(seen.select(columns))
    return rows.groupBy(*columns[:5]).agg(F.min("first_seen_at").alias("first_seen_at"))


def _person_edges(seen: DataFrame, config: IdentityConfig) -> DataFrame:
    linked = seen.where(~is_device_type() & F.col("hub").isNotNull() & (F.col("hub.node") != F.col("node")))
    return linked.select(
        F.col("node").alias("src"), F.col("hub.node").alias("dst"), _priority(config).alias("priority")
    )


def _priority(config: IdentityConfig) -> Column:
    """Place of an id type in the order in which links are made."""
    names = sorted({"user_id", *CONTACT_TYPES, *(t.name for t in config.id_types)})
    chosen = F.when(F.lit(False), F.lit(0))
    for name in names:
        chosen = chosen.when(F.col("id_type") == name, F.lit(config.priority(name)))
    return chosen.otherwise(F.lit(config.priority("any other")))


def _ruled_edges(ends: DataFrame, nodes: DataFrame) -> DataFrame:
    linked = ruled_links(ends, nodes).where("decision = 'accepted'")
    return linked.select(
        F.col("left.node").alias("src"), F.col("right.node").alias("dst"), F.lit(0).alias("priority")
    )


def _with_devices(
    nodes: DataFrame, people: DataFrame, devices: DataFrame, had: DataFrame
) -> tuple[DataFrame, DataFrame | None]:
    """node, component: first by identifiers of people and by likeness, then by what devices joined; and what was cut, or None."""
    own = nodes.select("node").join(people, on="node", how="left").select("node", F.coalesce("component", "node").alias("own"))
    if devices.isEmpty():
        return own.withColumnRenamed("own", "component"), None
    by_device = devices.where("target is not null").select(
        F.col("own").alias("src"), F.col("target").alias("dst"), F.lit(99).alias("priority")
    )
    joined = connected_components(by_device.where("src <> dst").distinct())
    joined = joined.select(F.col("node").alias("own"), F.col("component").alias("_by_device"))
    whole = own.join(joined, on="own", how="left").select("node", F.coalesce("_by_device", "own").alias("component"))
    # What has been decided so far stays: devices come last, and only add to it.
    decided = people.select(F.col("node").alias("src"), F.col("component").alias("dst"), F.lit(0).alias("priority"))
    return _protected(decided.unionByName(by_device), had.unionByName(protect.device_facts(nodes, people)), whole)


def _protected(edges: DataFrame, had: DataFrame, components: DataFrame) -> tuple[DataFrame, DataFrame | None]:
    """Cut what is more than one person; also says what was cut, or None."""
    flagged = protect.breaches(had, components).localCheckpoint()
    if flagged.isEmpty():
        return components, None
    pieces = protect.cut(edges, had, components, flagged).localCheckpoint()
    parts = pieces.join(components, on="node", how="inner").groupBy("component")
    torn = parts.agg(F.count_distinct("cluster").alias("pieces")).where("pieces > 1").select("component")
    cuts = flagged.join(torn, on="component", how="left_semi")
    apart = components.join(pieces, on="node", how="left")
    return apart.select("node", F.coalesce("cluster", "component").alias("component")), cuts
