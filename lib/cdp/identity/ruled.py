"""The steward's rules on the records that are there."""

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from cdp.identity.rules import Rule, side_of
from cdp.tables.identity import RULES


def rule_rows(spark: SparkSession, rules: tuple[Rule, ...]) -> DataFrame:
    """`identity.rules`."""
    rows = [(r.rule_id, r.action, r.left, r.right, r.reason, r.author) for r in rules]
    return spark.createDataFrame(rows, RULES.schema)


def endpoints(spark: SparkSession, rules: tuple[Rule, ...], nodes: DataFrame, seen: DataFrame) -> DataFrame:
    """The records that a rule names, by itself or through an identifier.

    Args:
        spark: session.
        rules: the ledger.
        nodes: node, source, record_key.
        seen: node, id_type, id_value.

    Returns:
        rule_id, action, side (L or R), node, and id_type, id_value where the rule names an identifier.
    """
    sides = [
        (r.rule_id, r.action, side, *side_of(text))
        for r in rules
        for side, text in (("L", r.left), ("R", r.right))
        if text
    ]
    schema = "rule_id string, action string, side string, is_record boolean, first string, second string"
    named = F.broadcast(spark.createDataFrame(sides, schema))
    wanted = ["rule_id", "action", "side", "node"]
    is_record = F.col("is_record") & (F.col("first") == F.col("source")) & (F.col("second") == F.col("record_key"))
    is_value = ~F.col("is_record") & (F.col("first") == F.col("id_type")) & (F.col("second") == F.col("id_value"))
    by_record = nodes.select("node", "source", "record_key").join(named, on=is_record, how="inner")
    by_value = seen.select("node", "id_type", "id_value").join(named, on=is_value, how="inner")
    nothing = [F.lit(None).cast("string").alias(name) for name in ("id_type", "id_value")]
    return by_record.select(*wanted, *nothing).unionByName(by_value.select(*wanted, "id_type", "id_value"))


def absent_rules(ends: DataFrame, rules: tuple[Rule, ...]) -> frozenset[str]:
    """Ids of the rules a side of which no record has.

    Args:
        ends: `endpoints`.
        rules: the ledger.
    """
    found = {(row["rule_id"], row["side"]) for row in ends.select("rule_id", "side").distinct().collect()}  # two a rule
    wanted = {(rule.rule_id, side) for rule in rules for side, text in (("L", rule.left), ("R", rule.right)) if text}
    return frozenset(rule_id for rule_id, _ in wanted - found)
