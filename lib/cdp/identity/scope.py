"""Which records a run looks at: all of them, or those that new and changed ones may have to do with."""

from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cdp.base.fingerprints import code_hash, hash_of, plain
from cdp.base.held import held
from cdp.base.lake import Lake
from cdp.base.stage import Run
from cdp.identity.components import connected_components
from cdp.identity.config import IdentityConfig
from cdp.identity.graph import Known, began_at, comparable, with_refusals
from cdp.identity.groups import node_of
from cdp.identity.matching.match import REVIEW_FROM, alike, stop_of, threshold_bits
from cdp.identity.matching.model import Learnt, Model, stored_blocking, stored_frequencies
from cdp.identity.matching.stored import stored_parameters
from cdp.identity.ruled import endpoints
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
        is_amended: whether the ledger is another one than in the last run.
        learnt_from: customer records that were then compared.
    """

    known: Known
    nodes: DataFrame
    ids: DataFrame
    news: DataFrame
    looked_at: int
    told: int
    changed: int
    is_amended: bool
    learnt_from: int


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
    resolved = lake.read(RESOLVED_RECORDS)
    total = resolved.count()  # Delta answers from its log
    known = _known(lake, before.learnt_from) if total >= _FEW_RECORDS else None
    if known is None:
        return whole
    news = differing(now, resolved.select(node_of().alias("node"), "digest"))
    amended = _amended(lake, rules, now, identifiers)
    news = held(news if amended is None else news.union(amended).distinct())
    count = news.count()
    if count > min(_SMALL_SHARE * total, _MOST_NEW) or before.changed + count > _OLD_SHARE * total:
        return whole
    linking = _linking(identifiers, rules)
    nodes, ids = _concerned(lake, config, known, records, linking, news)
    looked_at = nodes.count()
    if looked_at > _MOST_LOOKED_AT * total:
        return whole
    part = Part(known, nodes, ids, news, looked_at, count, before.changed + count, amended is not None, before.learnt_from)
    return Scope(of_nodes(records, nodes).localCheckpoint(), of_nodes(identifiers, nodes).localCheckpoint(), now, part)


def of_nodes(rows: DataFrame, nodes: DataFrame) -> DataFrame:
    """The rows of these records: `source`, `record_key` by node."""
    return rows.join(nodes.select(F.col("node").alias("_node")), on=node_of() == F.col("_node"), how="left_semi")


def not_of_nodes(rows: DataFrame, nodes: DataFrame) -> DataFrame:
    """The rows of all other records."""
    return rows.join(nodes.select(F.col("node").alias("_node")), on=node_of() == F.col("_node"), how="left_anti")


def digests(records: DataFrame, identifiers: DataFrame, config: IdentityConfig) -> DataFrame:
    """What each record says, as a number.

    When an activity was seen last is part of it only where the policy asks for it: it is another time each day.

    Args:
        records: `silver.customer_records`.
        identifiers: `silver.identifiers`.
        config: the policy.

    Returns:
        source, record_key, node, digest.
    """
    untold = ("raw", "flags", "created_at", "updated_at", *_KEY)
    told = [c for c in CUSTOMER_RECORDS.columns if c.name not in untold]
    # Spark hashes no maps, but their entries.
    values = [F.array_sort(F.map_entries(c.name)) if c.type.startswith("map<") else F.col(c.name) for c in told]
    of_record = records.select(*_KEY, F.xxhash64(*values, began_at()).alias("said"))
    seen = ["record_type", "id_type", "id_value", "first_seen_at"]
    seen += ["last_seen_at"] if config.shared_identifier_policy == "most_recent" else []
    of_identifiers = identifiers.select(*_KEY, F.xxhash64(F.lit("identifier"), *seen).alias("said"))
    both = of_record.unionByName(of_identifiers).groupBy(*_KEY).agg(F.bit_xor("said").alias("digest"))
    return both.select(*_KEY, node_of().alias("node"), "digest")


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


def _amended(lake: Lake, rules: tuple[Rule, ...], nodes: DataFrame, identifiers: DataFrame) -> DataFrame | None:
    """node: the records that rules of the ledger speak of which are there since the last run, or no more; None: there are none."""
    before = {row["rule_id"]: row for row in lake.read(RULES).collect()}  # a row a rule
    now = {rule.rule_id: rule for rule in rules}
    other = [now[rule_id] for rule_id in now.keys() - before.keys()]
    gone = [before[rule_id] for rule_id in before.keys() - now.keys()]
    other += [Rule(row["action"], row["left"], row["right"], row["reason"], row["author"]) for row in gone]
    if not other:
        return None
    seen = identifiers.select(node_of().alias("node"), "id_type", "id_value")
    return endpoints(lake.spark, tuple(other), nodes, seen).select("node")


def _linking(identifiers: DataFrame, rules: tuple[Rule, ...]) -> DataFrame:
    """The identifiers that the ledger does not block."""
    sides = [side_of(rule.left)[1:] for rule in rules if rule.action == "block"]
    if not sides:
        return identifiers
    blocked = identifiers.sparkSession.createDataFrame(sides, "id_type string, id_value string")
    return identifiers.join(F.broadcast(blocked), on=["id_type", "id_value"], how="left_anti")


def _concerned(
    lake: Lake, config: IdentityConfig, known: Known, records: DataFrame, identifiers: DataFrame, news: DataFrame
) -> tuple[DataFrame, DataFrame]:
    """node: the records that the new ones may have to do with, and all that those may; and customer_id: of these records.

    They are the customers of records that are new, share an identifier with a new one or are like it; and customers that were
    kept apart from one of those, or left to review: what is decided of one may decide of the other.
    """
    here = identifiers.withColumn("node", node_of())
    theirs = with_refusals(here.join(news, on="node", how="left_semi"), config, known).localCheckpoint()
    values = held(theirs.where("refused is null").select("id_type", "id_value").distinct())
    seeds = news.union(here.join(values, on=["id_type", "id_value"], how="left_semi").select("node"))
    stop = stop_of(known.learnt.model, config)
    least = min(stop, threshold_bits(config.review_threshold, stop + REVIEW_FROM))
    new = comparable(of_nodes(records, news), theirs)
    pairs = alike(records, new, lake.read(RESOLVED_RECORDS), known.learnt, least)
    seeds = held(seeds.union(pairs.select("low")).union(pairs.select("high")).distinct())
    assigned = lake.read(ASSIGNMENTS).select(node_of().alias("node"), "customer_id", "is_current")
    current = assigned.where("is_current").drop("is_current")
    # What a record was before it was gone counts, too: it may come back.
    at_first = held(assigned.join(seeds, on="node", how="left_semi").select("customer_id").distinct())
    ids = held(_with_rivals(at_first, lake.read(LINKS), current, stop))
    nodes = held(current.join(ids, on="customer_id", how="left_semi").select("node").union(seeds).distinct())
    return nodes, ids


def _with_rivals(ids: DataFrame, links: DataFrame, current: DataFrame, stop: float) -> DataFrame:
    """customer_id: these and those that were kept apart from them, or from one of those, and so on."""
    is_strong = (F.col("rule") != "comparison") | (F.col("match_weight") >= stop)
    ends = [node_of(f"{side}_source", f"{side}_record_key").alias(side) for side in ("left", "right")]
    apart = held(links.where((F.col("decision") != "accepted") & is_strong).select(*ends))
    named = [current.select(F.col("node").alias(side), F.col("customer_id").alias(f"_{side}")) for side in ("left", "right")]
    pairs = apart.join(named[0], on="left", how="inner").join(named[1], on="right", how="inner").where("_left <> _right")
    pairs = pairs.select("_left", "_right").distinct().localCheckpoint()
    numbers = [F.xxhash64("_left").alias("src"), F.xxhash64("_right").alias("dst")]
    components = held(connected_components(pairs.select(*numbers)))
    number = F.xxhash64("customer_id")
    everyone = pairs.select(F.col("_left").alias("customer_id")).union(pairs.select("_right")).distinct()
    placed = everyone.join(components, on=number == F.col("node"), how="inner").select("customer_id", "component").localCheckpoint()
    reached = placed.join(ids, on="customer_id", how="left_semi").select("component").distinct()
    return ids.union(placed.join(reached, on="component", how="left_semi").select("customer_id")).distinct()

