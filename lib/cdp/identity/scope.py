"""Which records a run looks at: all of them, or those that new and changed ones may have to do with."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.base.fingerprints import code_hash, hash_of, plain
from cdp.base.held import held
from cdp.base.lake import Lake
from cdp.base.stage import Run
from cdp.identity.components import connected_components
from cdp.identity.config import CONTACT_TYPES, IdentityConfig
from cdp.identity.graph import Known, began_at, comparable, with_refusals
from cdp.identity.groups import node_of
from cdp.identity.matching.match import REVIEW_FROM, alike, stop_of, threshold_bits
from cdp.identity.matching.model import Learnt, Model, stored_blocking, stored_frequencies
from cdp.identity.matching.stored import stored_parameters
from cdp.identity.ruled import absent_rules, endpoints
from cdp.identity.rules import Rule, side_of
from cdp.identity.values import BY_STEWARD
from cdp.tables.identity import (
    ASSIGNMENTS,
    AUDIT,
    BLOCKING_RULES,
    LINKS,
    PARAMETERS,
    RESOLVED_RECORDS,
    RULES,
    VALUE_FREQUENCIES,
)
from cdp.tables.ops import RESOLVED
from cdp.tables.silver import CUSTOMER_RECORDS

KEPT_TABLES = (ASSIGNMENTS, LINKS, AUDIT, RULES, PARAMETERS, BLOCKING_RULES, VALUE_FREQUENCIES, RESOLVED_RECORDS)
"""What a run on some of the records builds on."""
_FEW_RECORDS = 10_000
"""Records that are looked at all together sooner than it is found which of them new ones have to do with."""
_SMALL_SHARE = 0.1
"""Share of new and changed records from which all are resolved anew ..."""
_OLD_SHARE = 0.2
"""... and of those since that was last done: what was learnt then is of other records."""
_MOST_NEW = 200_000
"""New and changed records of which some columns of numbers are collected."""
_MOST_LOOKED_AT = 0.4
"""Share of the records to look at from which it is as little work to look at all."""
_KEY = ["source", "record_key"]


@dataclass(frozen=True)
class Scope:
    """What a run looks at.

    Attributes:
        records: `silver.customer_records` of these records.
        identifiers: `silver.identifiers` of these.
        digests: source, record_key, node, digest of every record there is.
        part: which ones these are; None: all of them.
    """

    records: DataFrame
    identifiers: DataFrame
    digests: DataFrame
    part: "Part | None" = None


@dataclass(frozen=True)
class Part:
    """Some of the records.

    Attributes:
        known: what is known from all records.
        nodes: node: these records, and those of them that are gone.
        ids: customer_id: what they were called before.
        news: node: of them those that are new, other or gone since the last run.
        looked_at: how many they are.
        told: how many are new, other or gone.
        changed: how many have been since all records were looked at together.
        learnt_from: customer records that were then compared.
        absent: rules of the ledger a side of which no record has.
        amended_values: (id_type, SHA-256) of what the ledger blocks or no longer blocks since the last run.
    """

    known: Known
    nodes: DataFrame
    ids: DataFrame
    news: DataFrame
    looked_at: int
    told: int
    changed: int
    learnt_from: int
    absent: frozenset[str]
    amended_values: frozenset[tuple[str, str]]


def scope_of(
    run: Run, config: IdentityConfig, rules: tuple[Rule, ...], records: DataFrame, identifiers: DataFrame
) -> Scope:
    """What to look at.

    Args:
        run: the run.
        config: conf/identity.yaml.
        rules: the steward's ledger.
        records: `silver.customer_records` as of the run's date.
        identifiers: `silver.identifiers` as of that date.

    Returns:
        The scope; its digests are held.
    """
    now = digests(records, identifiers, config).persist()
    whole = Scope(records, identifiers, now)
    lake = run.lake
    before = None if run.full_refresh else _last_run(lake, config, run.as_of)
    if before is None:
        return whole
    total = lake.read(RESOLVED_RECORDS).count()  # Delta answers from its log
    known = _known(lake, before.learnt_from) if total >= _FEW_RECORDS else None
    if known is None or _review_from(known, config) > stop_of(known.learnt.model, config):
        return whole  # pairs that were kept apart between the two are not among the links
    ledger = _Ledger.of(lake, rules, now, identifiers)
    news = differing(now, lake.read(RESOLVED_RECORDS).select(node_of().alias("node"), "digest"))
    news = held(news.union(ledger.amended()).distinct())
    count = news.count()
    if count > min(_SMALL_SHARE * total, _MOST_NEW) or before.changed + count > _OLD_SHARE * total:
        return whole
    judged = partial(_judged, config=config, known=known, rules=rules)
    nodes, ids = _concerned(lake, now, news, known, records, identifiers, config, ledger, judged)
    looked_at = nodes.count()
    if looked_at > _MOST_LOOKED_AT * total:
        return whole
    part = Part(
        known, nodes, ids, news, looked_at, count, before.changed + count, before.learnt_from,
        absent_rules(ledger.ends, rules), ledger.amended_values,
    )  # fmt: skip
    return Scope(of_nodes(records, nodes).localCheckpoint(), of_nodes(identifiers, nodes).localCheckpoint(), now, part)


def of_nodes(rows: DataFrame, nodes: DataFrame) -> DataFrame:
    """The rows of these records: `source`, `record_key` by node."""
    return rows.join(nodes.select(F.col("node").alias("_node")), on=node_of() == F.col("_node"), how="left_semi")


def not_of_nodes(rows: DataFrame, nodes: DataFrame) -> DataFrame:
    """The rows of all other records."""
    return rows.join(nodes.select(F.col("node").alias("_node")), on=node_of() == F.col("_node"), how="left_anti")


def digests(records: DataFrame, identifiers: DataFrame, config: IdentityConfig) -> DataFrame:
    """What each record says, as numbers.

    When an activity was seen last is part of it only where the policy asks for it: it is another time each day.

    Args:
        records: `silver.customer_records`.
        identifiers: `silver.identifiers`.
        config: the policy.

    Returns:
        source, record_key, node, digest, values (hashes of its identifiers, `_value`).
    """
    untold = ("raw", "flags", "created_at", "updated_at", *_KEY)
    told = [c for c in CUSTOMER_RECORDS.columns if c.name not in untold]
    # Spark hashes no maps, but their entries; and passes nulls over, so that each column says which one it is.
    said = [F.array_sort(F.map_entries(c.name)) if c.type.startswith("map<") else F.col(c.name) for c in told]
    marked = [part for place, column in enumerate(said) for part in (F.lit(place), column)]
    nothing = F.lit(None).cast("bigint").alias("value")
    of_record = records.select(*_KEY, F.xxhash64(*marked, began_at()).alias("said"), nothing)
    seen = ["record_type", "id_type", "id_value", "first_seen_at"]
    seen += ["last_seen_at"] if config.shared_identifier_policy == "most_recent" else []
    of_identifiers = identifiers.select(*_KEY, F.xxhash64(F.lit("identifier"), *seen).alias("said"), _value().alias("value"))
    both = of_record.unionByName(of_identifiers).groupBy(*_KEY)
    found = both.agg(F.bit_xor("said").alias("digest"), F.array_sort(F.collect_set("value")).alias("values"))
    return found.select(*_KEY, node_of().alias("node"), "digest", "values")


def _value() -> Column:
    """An identifier as a number."""
    return F.xxhash64("id_type", "id_value")


def differing(now: DataFrame, before: DataFrame) -> DataFrame:
    """node: records that are new, say something else, or are gone.

    Args:
        now: node, digest; each node once.
        before: the same.
    """
    both = now.select("node", "digest").unionByName(before.select("node", "digest"))
    told = both.groupBy("node").agg(F.count("*").alias("times"), F.min("digest").alias("one"), F.max("digest").alias("other"))
    return told.where("times < 2 or one <> other").select("node")


@dataclass(frozen=True)
class _LastRun:
    learnt_from: int
    changed: int


def fingerprint(config: IdentityConfig) -> str:
    """Hash of all that who is who depends on, beside the records and the ledger."""
    return hash_of({"config": plain(config), "code": code_hash()})


def _last_run(lake: Lake, config: IdentityConfig, as_of: date) -> _LastRun | None:
    """The last run. None where nothing can be built on it: other settings, a later date, tables not as it left them."""
    row = lake.read(RESOLVED).first()
    if row is None or row["fingerprint"] != fingerprint(config) or row["as_of"] > as_of or row["learnt_from"] is None:
        return None
    if row["tables"] != _versions(lake):
        return None
    return _LastRun(row["learnt_from"], row["changed"])


def note_run(run: Run, config: IdentityConfig, learnt_from: int | None, changed: int) -> None:
    """Write down what the next run can build on: the last thing a run does.

    Args:
        run: the run.
        config: conf/identity.yaml.
        learnt_from: customer records from which was learnt; None: nothing was compared.
        changed: records that have changed since.
    """
    row = fingerprint(config), run.as_of, learnt_from, changed, _versions(run.lake)
    run.lake.replace(RESOLVED, run.spark.createDataFrame([row], RESOLVED.schema).coalesce(1))


def _versions(lake: Lake) -> dict[str, int | None]:
    """Table to version, of all that a run on some of the records builds on."""
    return {table.name: lake.version(table) for table in KEPT_TABLES}


def _known(lake: Lake, learnt_from: int) -> Known | None:
    rows = [row.asDict() for row in lake.read(PARAMETERS).collect()]  # a row a level
    if not rows:
        return None
    fields, parameters = stored_parameters(rows)
    rules = [row.asDict() for row in lake.read(BLOCKING_RULES).collect()]  # a row a rule
    found = stored_blocking(rules, fields)
    frequencies = stored_frequencies(lake.read(VALUE_FREQUENCIES).toArrow(), fields)  # at most some 300,000 rows
    if found is None or frequencies is None:
        return None
    blocking, crowds = found
    refused = lake.read(AUDIT).where((F.col("kind") == "blocked_value") & (F.col("reason") != BY_STEWARD))
    refused = held(refused.select("id_type", "value_hash", "reason"))
    return Known(Learnt(Model(fields, blocking, parameters, crowds, learnt_from), frequencies), refused)


@dataclass(frozen=True)
class _Ledger:
    """The ledger now and in the last run.

    Attributes:
        rules: now.
        other: rules that are there since then, or no more.
        ends: rule_id, side, node: the records that any of these speaks of; held.
    """

    rules: tuple[Rule, ...]
    other: tuple[Rule, ...]
    ends: DataFrame

    @classmethod
    def of(cls, lake: Lake, rules: tuple[Rule, ...], nodes: DataFrame, identifiers: DataFrame) -> "_Ledger":
        """Compare the ledger with that of the last run.

        Args:
            lake: `identity.rules` of the last run.
            rules: now.
            nodes: node, source, record_key of every record.
            identifiers: `silver.identifiers`.
        """
        before = {row["rule_id"]: row for row in lake.read(RULES).collect()}  # a row a rule
        now = {rule.rule_id: rule for rule in rules}
        other = [now[rule_id] for rule_id in now.keys() - before.keys()]
        gone = [before[rule_id] for rule_id in before.keys() - now.keys()]
        other += [Rule(row["action"], row["left"], row["right"], row["reason"], row["author"]) for row in gone]
        every = (*rules, *other[len(now.keys() - before.keys()) :])
        if not every:
            return cls((), (), lake.spark.createDataFrame([], "rule_id string, side string, node bigint"))
        seen = identifiers.select(node_of().alias("node"), "id_type", "id_value")
        ends = endpoints(lake.spark, every, nodes, seen).select("rule_id", "side", "node")
        return cls(rules, tuple(other), ends.localCheckpoint())

    def amended(self) -> DataFrame:
        """node: the records that rules speak of which are there since the last run, or no more."""
        return self.ends.where(F.col("rule_id").isin([rule.rule_id for rule in self.other])).select("node")

    def with_news(self, news: DataFrame) -> DataFrame:
        """node: the records of rules that speak of a new or changed record: one side may have come after the rule."""
        pairs = self.ends.where(F.col("rule_id").isin([r.rule_id for r in self.rules if r.action != "block"]))
        concerned = pairs.join(news, on="node", how="left_semi").select("rule_id").distinct()
        return pairs.join(concerned, on="rule_id", how="left_semi").select("node")

    @property
    def amended_values(self) -> frozenset[tuple[str, str]]:
        sides = [side_of(rule.left)[1:] for rule in self.other if rule.action == "block"]
        return frozenset((id_type, hashlib.sha256(value.encode()).hexdigest()) for id_type, value in sides)


def _judged(identifiers: DataFrame, *, config: IdentityConfig, known: Known, rules: tuple[Rule, ...]) -> DataFrame:
    """`identifiers` with `refused`, those that the ledger blocks among them."""
    found = with_refusals(identifiers, config, known)
    sides = [(*side_of(rule.left)[1:], BY_STEWARD) for rule in rules if rule.action == "block"]
    if not sides:
        return found
    blocked = identifiers.sparkSession.createDataFrame(sides, "id_type string, id_value string, _blocked string")
    found = found.join(F.broadcast(blocked), on=["id_type", "id_value"], how="left")
    return found.withColumn("refused", F.coalesce("_blocked", "refused")).drop("_blocked")


def _concerned(
    lake: Lake,
    now: DataFrame,
    news: DataFrame,
    known: Known,
    records: DataFrame,
    identifiers: DataFrame,
    config: IdentityConfig,
    ledger: _Ledger,
    judged: Callable[[DataFrame], DataFrame],
) -> tuple[DataFrame, DataFrame]:
    """node: the records that the new ones may have to do with, and all that those may; and customer_id: of these records.

    They are the customers of records that are new, share an identifier with what a new one says or said, are like it, or stand
    in a rule with it; and customers that share an identifier with one of those, or were kept apart from it by what they say, and
    so on: what is decided of one may decide of the other.
    """
    resolved = lake.read(RESOLVED_RECORDS)
    assigned = lake.read(ASSIGNMENTS).select(node_of().alias("node"), "customer_id", "is_current")
    current = assigned.where("is_current").drop("is_current").localCheckpoint()
    values = now.select("node", F.explode("values").alias("value"))
    before = resolved.select(node_of().alias("node"), F.explode("values").alias("value"))
    told = values.unionByName(before).join(news, on="node", how="left_semi").select("value")
    customer = F.xxhash64("customer_id")
    whose = values.join(current, on="node", how="inner").select("value", customer.alias("customer"))
    shared = whose.groupBy("value").agg(F.min("customer").alias("one"), F.max("customer").alias("other")).where("one <> other")
    looked_up = held(told.withColumn("is_told", F.lit(True)).unionByName(shared.select("value", F.lit(False).alias("is_told")))
                     .groupBy("value").agg(F.max("is_told").alias("is_told")))  # fmt: skip
    named = identifiers.withColumn("value", _value()).join(looked_up, on="value", how="inner")
    usable = judged(named.select("id_type", "id_value", "value", "is_told").distinct()).where("refused is null")
    usable = held(usable.select("value", "is_told"))
    of_news = values.join(usable.where("is_told"), on="value", how="left_semi").select("node")
    new = comparable(of_nodes(records, news), judged(of_nodes(identifiers, news)))
    is_contact = F.col("id_type").isin(*CONTACT_TYPES)

    def cleaned(some: DataFrame) -> DataFrame:
        theirs = identifiers.where(is_contact).join(some.select(*_KEY), on=_KEY, how="left_semi")
        return comparable(some, judged(theirs))

    stop = stop_of(known.learnt.model, config)
    pairs = alike(records, new, resolved, known.learnt, min(stop, _review_from(known, config)), cleaned)
    seeds = news.union(of_news).union(ledger.with_news(news)).union(pairs.select("low")).union(pairs.select("high"))
    seeds = held(seeds.distinct())
    by_value = whose.join(usable, on="value", how="left_semi").select(F.col("customer").alias("src"), F.col("value").alias("dst"))
    edges = by_value.distinct().unionByName(_apart(lake.read(LINKS), current, stop))
    # What a record was before it was gone counts, too: it may come back.
    at_first = held(assigned.join(seeds, on="node", how="left_semi").select("customer_id").distinct())
    ids = held(_reached(at_first, edges, current.select("customer_id").distinct()))
    nodes = held(current.join(ids, on="customer_id", how="left_semi").select("node").union(seeds).distinct())
    return nodes, ids


def _review_from(known: Known, config: IdentityConfig) -> float:
    """Bits from which pairs are kept in `identity.links`."""
    return threshold_bits(config.review_threshold, stop_of(known.learnt.model, config) + REVIEW_FROM)


def _apart(links: DataFrame, current: DataFrame, stop: float) -> DataFrame:
    """src, dst: the customers that are alike, or in a rule of the ledger, and yet two."""
    # Whether two are alike is decided in thousandths of a bit.
    is_strong = F.col("rule").startswith("rule ") | (F.col("match_weight") >= stop - 0.001)
    ends = [node_of(f"{side}_source", f"{side}_record_key").alias(side) for side in ("left", "right")]
    apart = held(links.where((F.col("decision") != "accepted") & is_strong).select(*ends))
    customer = F.xxhash64("customer_id")
    left = current.select(F.col("node").alias("left"), customer.alias("src"))
    right = current.select(F.col("node").alias("right"), customer.alias("dst"))
    return apart.join(left, on="left", how="inner").join(right, on="right", how="inner").select("src", "dst")


def _reached(ids: DataFrame, edges: DataFrame, customers: DataFrame) -> DataFrame:
    """customer_id: these, and all that hang together with them.

    Args:
        ids: customer_id.
        edges: src, dst: hashes of customers, or of what they share.
        customers: customer_id of all there are.
    """
    components = held(connected_components(edges))
    here = F.xxhash64("customer_id")
    placed = customers.join(components, on=here == F.col("node"), how="inner").select("customer_id", "component")
    placed = placed.localCheckpoint()
    reached = held(placed.join(ids, on="customer_id", how="left_semi").select("component").distinct())
    return ids.union(placed.join(reached, on="component", how="left_semi").select("customer_id")).distinct()
