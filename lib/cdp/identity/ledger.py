"""The steward's ledger, conf/identity_rules.csv: what people decided about links beats what the data suggest."""

import csv
import hashlib
from pathlib import Path

from pydantic import Field, model_validator

from cdp.base.errors import ConfigError
from cdp.base.settings import ConfigFolder, Strict, parse

FILE = "identity_rules.csv"


class Rule(Strict):
    """One decision.

    `left` and `right` are records (`source|record_key`) or, for block, an identifier (`id_type=value`).
    """

    action: str = Field(pattern="^(always_link|never_link|block)$")
    left: str = Field(min_length=3)
    right: str | None = None
    reason: str = Field(min_length=1)
    author: str | None = None

    @model_validator(mode="after")
    def _sides(self) -> "Rule":
        if self.action == "block":
            if "=" not in self.left or self.right:
                raise ValueError("block takes one identifier, `id_type=value`, as left")
        elif "|" not in self.left or not self.right or "|" not in self.right:
            raise ValueError(f"{self.action} takes two records, `source|record_key`, as left and right")
        return self

    @property
    def rule_id(self) -> str:
        text = "\x1f".join((self.action, self.left, self.right or ""))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def load_rules(config: ConfigFolder) -> tuple[Rule, ...]:
    """The ledger's entries; none where there is no file.

    Raises:
        ConfigError: a line is wrong, or two contradict each other. The message names lines, not people.
    """
    path = config.path / FILE
    if not path.exists():
        return ()
    rules, problems = {}, []
    for number, row in enumerate(_rows(path), start=2):
        try:
            rule = parse(Rule, {k: v for k, v in row.items() if v}, str(path))
        except ConfigError as error:
            problems += [f"line {number}: {_without_value(problem)}" for problem in error.problems]
            continue
        rules[rule.rule_id] = rule
    pairs = {frozenset((r.left, r.right)) for r in rules.values() if r.action == "always_link"}
    both = sum(frozenset((r.left, r.right)) in pairs for r in rules.values() if r.action == "never_link")
    if both:
        problems.append(f"{both} pairs are told both to link always and never")
    if problems:
        raise ConfigError(str(path), problems)
    return tuple(rules.values())


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        missing = {"action", "left", "right", "reason"} - set(reader.fieldnames or ())
        if missing:
            raise ConfigError(str(path), [f"column {name} is missing" for name in sorted(missing)])
        return [{k: (v or "").strip() for k, v in row.items() if k} for row in reader]


def _without_value(problem: str) -> str:
    return problem.split(", found ")[0]
