"""What each record says, as numbers: which are new, which changed, which are gone."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.identity.config import IdentityConfig
from cdp.identity.graph import began_at
from cdp.identity.groups import node_of
from cdp.identity.matching.fields import refused_number
from cdp.tables.silver import CUSTOMER_RECORDS

_KEY = ["source", "record_key"]


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
        source, record_key, node, digest, values (hashes of its identifiers, `value_of_identifier`).
    """
    untold = ("raw", "flags", "created_at", "updated_at", *_KEY)
    told = [c for c in CUSTOMER_RECORDS.columns if c.name not in untold]
    # Spark hashes no maps, but their entries; and passes nulls over, so that each column says which one it is.
    said = [F.array_sort(F.map_entries(c.name)) if c.type.startswith("map<") else F.col(c.name) for c in told]
    said.append(refused_number())  # is compared, and stands in `raw`
    marked = [part for place, column in enumerate(said) for part in (F.lit(place), column)]
    nothing = F.lit(None).cast("bigint").alias("value")
    of_record = records.select(*_KEY, F.xxhash64(*marked, began_at()).alias("said"), nothing)
    seen = ["record_type", "id_type", "id_value", "first_seen_at"]
    seen += ["last_seen_at"] if config.shared_identifier_policy == "most_recent" else []
    of_identifiers = identifiers.select(*_KEY, F.xxhash64(F.lit("identifier"), *seen).alias("said"), value_of_identifier().alias("value"))
    both = of_record.unionByName(of_identifiers).groupBy(*_KEY)
    found = both.agg(F.bit_xor("said").alias("digest"), F.array_sort(F.collect_set("value")).alias("values"))
    return found.select(*_KEY, node_of().alias("node"), "digest", "values")


def value_of_identifier() -> Column:
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
