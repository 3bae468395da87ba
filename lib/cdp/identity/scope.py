"""Which records a run looks at: all of them, or those that new and changed ones may have to do with."""

from dataclasses import dataclass

from pyspark.sql import DataFrame

from cdp.base.held import held
from cdp.base.stage import Run
from cdp.identity.closure import Everything, concerned
from cdp.identity.config import IdentityConfig
from cdp.identity.digests import differing, digests, of_nodes
from cdp.identity.graph import Known
from cdp.identity.groups import node_of
from cdp.identity.last_run import known_of, last_run
from cdp.identity.matching.decision import review_of, stop_of
from cdp.identity.ruled import Ledger, absent_rules
from cdp.identity.rules import Rule
from cdp.tables.identity import ASSIGNMENTS, LINKS, RESOLVED_RECORDS, RULES

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


@dataclass(frozen=True)
class Scope:
    """What a run looks at.

    Attributes:
        records: `silver.customer_records` of these records.
        identifiers: `silver.identifiers` of these.
        digests: `digests` of every record there is; held.
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
    """
    now = digests(records, identifiers, config).persist()
    whole = Scope(records, identifiers, now)
    lake = run.lake
    before = None if run.full_refresh else last_run(lake, config, run.as_of)
    if before is None:
        return whole
    resolved = lake.read(RESOLVED_RECORDS)
    total = resolved.count()  # Delta answers from its log
    known = known_of(lake, before.learnt_from) if total >= _FEW_RECORDS else None
    if known is None:
        return whole
    stop = stop_of(known.learnt.model, config)
    if review_of(stop, config) > stop:
        return whole  # pairs that were kept apart between the two are not among the links
    ledger = Ledger.of(lake.read(RULES), rules, now, identifiers)
    news = differing(now, resolved.select(node_of().alias("node"), "digest"))
    news = held(news.union(ledger.amended()).distinct())
    count = news.count()
    if count > min(_SMALL_SHARE * total, _MOST_NEW) or before.changed + count > _OLD_SHARE * total:
        return whole
    everything = Everything(records, identifiers, now, resolved, lake.read(ASSIGNMENTS), lake.read(LINKS))
    nodes, ids = concerned(everything, news, known, ledger, config)
    looked_at = nodes.count()
    if looked_at > _MOST_LOOKED_AT * total:
        return whole
    part = Part(
        known, nodes, ids, news, looked_at, count, before.changed + count,
        absent_rules(ledger.ends, rules), ledger.amended_values(),
    )  # fmt: skip
    return Scope(of_nodes(records, nodes).localCheckpoint(), of_nodes(identifiers, nodes).localCheckpoint(), now, part)
