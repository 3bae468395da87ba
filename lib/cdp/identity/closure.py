"""Which records new ones may have to do with: what is decided of one may decide of the other."""

from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cdp.base.held import held
from cdp.identity.components import connected_components
from cdp.identity.config import CONTACT_TYPES, IdentityConfig
from cdp.identity.digests import of_nodes, value_of_identifier
from cdp.identity.graph import Known, comparable, with_refusals
from cdp.identity.groups import node_of
from cdp.identity.matching.decision import review_of, stop_of
from cdp.identity.matching.match import alike
from cdp.identity.ruled import Ledger
from cdp.identity.values import refused_by_steward

_KEY = ["source", "record_key"]


@dataclass(frozen=True)
class Everything:
    """All records, now and as the last run left them.

    Attributes:
        records: `silver.customer_records`.
        identifiers: `silver.identifiers`.
        digests: `digests`, held.
        resolved: `identity.resolved_records`.
        assignments: `identity.assignments`.
        links: `identity.links`.
    """

    records: DataFrame
    identifiers: DataFrame
    digests: DataFrame
    resolved: DataFrame
    assignments: DataFrame
    links: DataFrame


def concerned(
    everything: Everything, news: DataFrame, known: Known, ledger: Ledger, config: IdentityConfig
) -> tuple[DataFrame, DataFrame]:
    """The records that new ones may have to do with, and all that those may.

    They are the customers of records that are new, share an identifier with what a new one says or said, are like it, or stand
    in a rule with it; and customers that share an identifier with one of those, or are alike and were kept apart, and so on.

    Args:
        everything: all there is.
        news: node: the new, changed and gone records; held.
        known: what is known from all records.
        ledger: the steward's rules.
        config: conf/identity.yaml.

    Returns:
        node: these records; customer_id: what they were called.
    """
    customer = F.xxhash64("customer_id").alias("customer")
    assigned = everything.assignments.select(node_of().alias("node"), "customer_id", customer, "is_current")
    current = assigned.where("is_current").drop("is_current").localCheckpoint()
    values = everything.digests.select("node", F.explode("values").alias("value"))
    whose = values.join(current, on="node", how="inner").select("value", "customer")
    usable = _usable(everything, news, values, whose, known, ledger, config)
    holders = values.join(usable.where("is_told"), on="value", how="left_semi").select("node")
    pairs = _alike(everything, news, known, ledger, config)
    seeds = news.union(holders).union(ledger.with_news(news)).union(pairs.select("low")).union(pairs.select("high"))
    seeds = held(seeds.distinct())
    by_value = whose.join(usable, on="value", how="left_semi").select(F.col("customer").alias("src"), F.col("value").alias("dst"))
    apart = _apart(everything.links, current, stop_of(known.learnt.model, config))
    # What a record was before it was gone counts, too: it may come back.
    at_first = held(assigned.join(seeds, on="node", how="left_semi").select("customer_id").distinct())
    ids = held(_reached(at_first, by_value.distinct().unionByName(apart), current.select("customer_id", "customer").distinct()))
    nodes = held(current.join(ids, on="customer_id", how="left_semi").select("node").union(seeds).distinct())
    return nodes, ids


def _usable(
    everything: Everything,
    news: DataFrame,
    values: DataFrame,
    whose: DataFrame,
    known: Known,
    ledger: Ledger,
    config: IdentityConfig,
) -> DataFrame:
    """value, is_told (a new record has it, or had): of those and of what several customers share, what may link; held.

    Args:
        everything: all there is.
        news: node.
        values: node, value.
        whose: value, customer: of records that have one.
        known: which values are nobody's.
        ledger: which are blocked.
        config: which are invalid.
    """
    before = everything.resolved.select(node_of().alias("node"), F.explode("values").alias("value"))
    told = values.unionByName(before).join(news, on="node", how="left_semi").select("value", F.lit(True).alias("is_told"))
    customers = whose.groupBy("value").agg(F.min("customer").alias("one"), F.max("customer").alias("other"))
    shared = customers.where("one <> other").select("value", F.lit(False).alias("is_told"))
    asked = held(told.unionByName(shared).groupBy("value").agg(F.max("is_told").alias("is_told")))
    named = everything.identifiers.withColumn("value", value_of_identifier()).join(asked, on="value", how="inner")
    plain = named.select("id_type", "id_value", "value", "is_told").distinct()
    return held(_judged(plain, known, ledger, config).where("refused is null").select("value", "is_told"))


def _alike(everything: Everything, news: DataFrame, known: Known, ledger: Ledger, config: IdentityConfig) -> DataFrame:
    """low, high: pairs of a new record and one that is like it, or nearly so."""

    def cleaned(some: DataFrame) -> DataFrame:
        contacts = everything.identifiers.where(F.col("id_type").isin(*CONTACT_TYPES))
        theirs = contacts.join(some.select(*_KEY), on=_KEY, how="left_semi")
        return comparable(some, _judged(theirs, known, ledger, config))

    new = cleaned(of_nodes(everything.records, news))
    stop = stop_of(known.learnt.model, config)
    least = min(stop, review_of(stop, config))
    return alike(everything.records, new, everything.resolved, known.learnt, least, cleaned)


def _judged(identifiers: DataFrame, known: Known, ledger: Ledger, config: IdentityConfig) -> DataFrame:
    """`identifiers` with `refused`, those that the ledger blocks among them."""
    found = with_refusals(identifiers, config, known)
    sides = ledger.blocked()
    if not sides:
        return found
    return refused_by_steward(found, identifiers.sparkSession.createDataFrame(sides, "id_type string, id_value string"))


def _apart(links: DataFrame, current: DataFrame, stop: float) -> DataFrame:
    """src, dst: the customers that are alike, or in a rule of the ledger, and yet two."""
    is_strong = F.col("rule").startswith("rule ") | (F.col("match_weight") >= stop)
    ends = [node_of(f"{side}_source", f"{side}_record_key").alias(side) for side in ("left", "right")]
    apart = held(links.where((F.col("decision") != "accepted") & is_strong).select(*ends))
    left = current.select(F.col("node").alias("left"), F.col("customer").alias("src"))
    right = current.select(F.col("node").alias("right"), F.col("customer").alias("dst"))
    return apart.join(left, on="left", how="inner").join(right, on="right", how="inner").select("src", "dst")


def _reached(ids: DataFrame, edges: DataFrame, customers: DataFrame) -> DataFrame:
    """customer_id: these, and all that hang together with them.

    Args:
        ids: customer_id.
        edges: src, dst: hashes of customers, or of what they share.
        customers: customer_id, customer (its hash) of all there are.
    """
    components = held(connected_components(edges).withColumnRenamed("node", "customer"))
    placed = customers.join(components, on="customer", how="inner").select("customer_id", "component").localCheckpoint()
    reached = held(placed.join(ids, on="customer_id", how="left_semi").select("component").distinct())
    return ids.union(placed.join(reached, on="component", how="left_semi").select("customer_id")).distinct()
