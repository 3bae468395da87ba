"""The steward's rules on the records that are there."""

import hashlib
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from cdp.identity.groups import node_of
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


@dataclass(frozen=True)
class Ledger:
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
    def of(cls, before: DataFrame, rules: tuple[Rule, ...], nodes: DataFrame, identifiers: DataFrame) -> "Ledger":
        """Compare the ledger with that of the last run.

        Args:
            before: `identity.rules`.
            rules: now.
            nodes: node, source, record_key of every record.
            identifiers: `silver.identifiers`.
        """
        known = {row["rule_id"]: row for row in before.collect()}  # a row a rule
        now = {rule.rule_id: rule for rule in rules}
        new = tuple(rule for rule in rules if rule.rule_id not in known)
        rows = [row for rule_id, row in known.items() if rule_id not in now]
        gone = tuple(Rule(row["action"], row["left"], row["right"], row["reason"], row["author"]) for row in rows)
        if not rules and not gone:
            return cls((), (), before.sparkSession.createDataFrame([], "rule_id string, side string, node bigint"))
        seen = identifiers.select(node_of().alias("node"), "id_type", "id_value")
        ends = endpoints(before.sparkSession, (*rules, *gone), nodes, seen).select("rule_id", "side", "node")
        return cls(rules, (*new, *gone), ends.localCheckpoint())

    def blocked(self) -> list[tuple[str, str]]:
        """(id_type, value) of what is blocked."""
        return [side_of(rule.left)[1:] for rule in self.rules if rule.action == "block"]

    def amended(self) -> DataFrame:
        """node: the records that rules speak of which are there since the last run, or no more."""
        return self.ends.where(F.col("rule_id").isin([rule.rule_id for rule in self.other])).select("node")

    def with_news(self, news: DataFrame) -> DataFrame:
        """node: the records of rules that speak of a new or changed record: one side may have come after the rule."""
        pairs = self.ends.where(F.col("rule_id").isin([r.rule_id for r in self.rules if r.action != "block"]))
        concerned = pairs.join(news, on="node", how="left_semi").select("rule_id").distinct()
        return pairs.join(concerned, on="rule_id", how="left_semi").select("node")

    def amended_values(self) -> frozenset[tuple[str, str]]:
        """(id_type, SHA-256) of what is blocked since the last run, or no more."""
        sides = [side_of(rule.left)[1:] for rule in self.other if rule.action == "block"]
        return frozenset((id_type, hashlib.sha256(value.encode()).hexdigest()) for id_type, value in sides)
