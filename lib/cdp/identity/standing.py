"""What an earlier run found out that stands, where a run has looked at some of the records."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cdp.base.held import held
from cdp.identity.digests import not_of_nodes, of_nodes
from cdp.identity.groups import node_of

_OF_VALUE = ["id_type", "value_hash"]


def standing_links(links: DataFrame, nodes: DataFrame, news: DataFrame) -> DataFrame:
    """The rows of `identity.links` that this run has said nothing about.

    Those within the records it has looked at it has found anew, and all of new and changed ones.

    Args:
        links: of the runs before.
        nodes: node: the records looked at.
        news: node: of these the new, changed and gone ones.
    """
    marked = nodes.join(news.withColumn("is_new", F.lit(True)), on="node", how="left")
    marked = held(marked.select("node", F.coalesce("is_new", F.lit(False)).alias("is_new")))
    names = links.columns
    for side in ("left", "right"):
        end = marked.select(F.col("node").alias(f"_{side}"), F.col("is_new").alias(f"_{side}_new"))
        node = node_of(f"{side}_source", f"{side}_record_key")
        links = links.join(end, on=node == F.col(f"_{side}"), how="left")
    is_inside = F.col("_left").isNotNull() & F.col("_right").isNotNull()
    is_new = F.coalesce("_left_new", F.lit(False)) | F.coalesce("_right_new", F.lit(False))
    return links.where(~is_inside & ~is_new).select(*names)


def audit_with_standing(
    found: DataFrame, before: DataFrame, identifiers: DataFrame, nodes: DataFrame, refused: DataFrame
) -> DataFrame:
    """`identity.audit` after this run.

    Args:
        found: what it has refused.
        before: what runs before it have.
        identifiers: of the records looked at.
        nodes: node: these records.
        refused: id_type, value_hash: values refused before: what was told of them stands, for these records may be some of
            theirs.
    """
    refused = refused.select(*_OF_VALUE).distinct()
    values = identifiers.select("id_type", F.sha2("id_value", 256).alias("value_hash")).distinct()
    told_anew = values.join(refused, on=_OF_VALUE, how="left_anti")
    clusters = nodes.select(F.sha2(F.col("node").cast("string"), 256).alias("value_hash"))
    is_cut = F.col("kind") == "cut_cluster"
    stands = before.where(~is_cut).join(told_anew, on=_OF_VALUE, how="left_anti")
    cuts = before.where(is_cut).join(clusters, on="value_hash", how="left_anti")
    is_refused = F.col("kind") == "blocked_value"
    news = found.where(~is_refused).unionByName(found.where(is_refused).join(refused, on=_OF_VALUE, how="left_anti"))
    return stands.unionByName(cuts).unionByName(news)


def members_with_standing(members: DataFrame, assignments: DataFrame, nodes: DataFrame) -> DataFrame:
    """source, record_key, component: of every record; of those not looked at by their customer.

    Args:
        members: source, record_key, component of the records looked at.
        assignments: of the runs before.
        nodes: node: the records looked at.
    """
    others = not_of_nodes(assignments.where("is_current"), nodes)
    columns = ["source", "record_key"]
    return others.select(*columns, F.xxhash64("customer_id").alias("component")).unionByName(members.select(*columns, "component"))


def concerned_assignments(assignments: DataFrame, nodes: DataFrame, ids: DataFrame) -> DataFrame:
    """The rows of `identity.assignments`, past ones too, that tell how these records came to their ids, and how old those are.

    Args:
        assignments: of the runs before.
        nodes: node: the records looked at.
        ids: customer_id: what these were called.
    """
    by_id = assignments.join(ids, on="customer_id", how="left_semi")
    by_record = of_nodes(assignments.join(ids, on="customer_id", how="left_anti"), nodes)
    return by_id.select(*assignments.columns).unionByName(by_record.select(*assignments.columns))
