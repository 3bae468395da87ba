"""The steward's ledger: conf/identity_rules.csv, what somebody decided against the rules of the house."""

import csv
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from cdp.base.errors import ConfigError
from cdp.base.settings import did_you_mean
from cdp.tables.identity import RULES

FILE = "identity_rules.csv"
_COLUMNS = ("action", "left", "right", "reason", "author")
_ACTIONS = ("always_link", "never_link", "block")


@dataclass(frozen=True)
class Rule:
    """One entry of the ledger.

    Attributes:
        action: always_link, never_link or block.
        left: `source|record_key` or `id_type=value`.
        right: the other one; None for block.
        reason: why.
        author: who decided it.
    """

    action: str
    left: str
    right: str | None
    reason: str
    author: str | None

    @property
    def rule_id(self) -> str:
        return hashlib.sha256("\0".join((self.action, self.left, self.right or "")).encode()).hexdigest()[:16]


def load_rules(folder: Path) -> tuple[Rule, ...]:
    """The ledger of a configuration folder; none where there is no file.

    Raises:
        ConfigError: unknown columns or actions, a missing side, two rules that contradict each other.
    """
    path = folder / FILE
    if not path.exists():
        return ()
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), [f"cannot be read as UTF-8 text: {type(error).__name__}"]) from None
    reader = csv.DictReader(lines)
    unknown = sorted(set(reader.fieldnames or ()) - set(_COLUMNS))
    missing = [c for c in _COLUMNS[:4] if c not in (reader.fieldnames or ())]
    if lines and (unknown or missing):
        problems = [f"{name}: unknown column{did_you_mean(name, _COLUMNS)}" for name in unknown]
        raise ConfigError(str(path), problems + [f"{name}: column missing, but required" for name in missing])
    rules: dict[str, Rule] = {}
    problems = []
    for row in reader:
        rule, wrong = _rule(row)
        problems += [f"line {reader.line_num}: {text}" for text in wrong]
        if rule and not wrong:
            rules.setdefault(rule.rule_id, rule)
    problems += _contradictions(list(rules.values()))
    if problems:
        raise ConfigError(str(path), problems)
    return tuple(rules.values())


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
        (r.rule_id, r.action, side, *_parts(text))
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


def _rule(row: dict[str, str | None]) -> tuple[Rule | None, list[str]]:
    value = {name: (row.get(name) or "").strip() for name in _COLUMNS}
    if not any(value.values()):
        return None, []
    wrong = []
    if value["action"] not in _ACTIONS:
        # Not the value: whoever shifts a column has a person's identifier here.
        wrong.append(f"action: wanted one of {', '.join(_ACTIONS)}")
    wanted = ("left",) if value["action"] == "block" else ("left", "right")
    for side in wanted:
        if not re.match(r"[a-z0-9_]+\||[a-z][a-z0-9_.]*=.", value[side]):
            wrong.append(f"{side}: wanted source|record_key or id_type=value")
    if not value["reason"]:
        wrong.append("reason: missing, but required")
    if value["left"] and value["left"] == value["right"]:
        wrong.append("left and right are the same")
    right = value["right"] if value["action"] != "block" else ""
    return Rule(value["action"], value["left"], right or None, value["reason"], value["author"] or None), wrong


def _contradictions(rules: list[Rule]) -> list[str]:
    pairs: dict[frozenset[str], set[str]] = {}
    for rule in rules:
        if rule.right:
            pairs.setdefault(frozenset((rule.left, rule.right)), set()).add(rule.action)
    both = sum(len(actions) > 1 for actions in pairs.values())
    return [f"{both} pairs are both always_link and never_link; wanted one of the two"] if both else []


def _parts(text: str) -> tuple[bool, str, str]:
    by_record = re.match(r"([a-z0-9_]+)\|(.*)", text, re.DOTALL)
    if by_record:
        return True, by_record.group(1), by_record.group(2)
    id_type, _, value = text.partition("=")
    return False, id_type, value.lower() if id_type == "email" else value
