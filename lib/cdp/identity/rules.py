"""The steward's ledger: what somebody decided against the rules of the house, in conf/identity_rules.csv or .yaml."""

import csv
import hashlib
import io
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cdp.base.errors import ConfigError, UsageError
from cdp.base.settings import did_you_mean, read_yaml
from cdp.identity.sets import DisjointSets

CSV_FILE, YAML_FILE = "identity_rules.csv", "identity_rules.yaml"
_COLUMNS = ("action", "left", "right", "reason", "author")
_ACTIONS = ("always_link", "never_link", "block")
_SIDE = re.compile(r"[a-z0-9_]+\||[a-z][a-z0-9_.]*=.")


@dataclass(frozen=True)
class Rule:
    """One entry of the ledger.

    Attributes:
        action: always_link, never_link or block.
        left: `source|record_key` or `id_type=value`.
        right: the other one; None for block.
        reason: why.
        author: who decided it.
        place: file and line (of YAML: entry) that says so.
    """

    action: str
    left: str
    right: str | None
    reason: str
    author: str | None
    place: str = ""

    @property
    def rule_id(self) -> str:
        return hashlib.sha256("\0".join((self.action, self.left, self.right or "")).encode()).hexdigest()[:16]

    @property
    def sides(self) -> frozenset[str]:
        return frozenset(side for side in (self.left, self.right) if side)


def load_rules(folder: Path) -> tuple[Rule, ...]:
    """The ledger of a configuration folder; none where there is no file.

    Raises:
        ConfigError: unknown columns or actions, a missing side, two rules that contradict each other.
    """
    rules: dict[str, Rule] = {}
    for name, read in ((CSV_FILE, _csv_rows), (YAML_FILE, _yaml_rows)):
        path = folder / name
        if not path.exists():
            continue
        problems = []
        for place, row in read(path):
            rule, wrong = _rule(row, f"{name} {place}")
            problems += [f"{place}: {text}" for text in wrong]
            if rule and not wrong:
                rules.setdefault(rule.rule_id, rule)
        problems += _contradictions(rules.values())
        if problems:
            raise ConfigError(str(path), problems)
    return tuple(rules.values())


def check_rule(rule: Rule) -> None:
    """Raises UsageError where a side or the reason is no such thing."""
    _, wrong = _rule({name: getattr(rule, name) for name in _COLUMNS}, "")
    if rule.action == "block" and side_of(rule.left)[0]:
        wrong.append("left: a record cannot be blocked, only an identifier, as id_type=value")
    if wrong:
        raise UsageError(f"{rule.action}: {'; '.join(wrong)}")


def add_rule(folder: Path, rule: Rule) -> str:
    """Put a rule into the CSV ledger; one that says the contrary of the same two goes.

    Returns:
        What was done, in a sentence without what the rule names.

    Raises:
        ConfigError: the ledger, or the rule, is wrong.
        UsageError: it cannot be written, or a YAML ledger says the contrary.
    """
    path = folder / CSV_FILE
    check_rule(rule)
    known = load_rules(folder)
    if any(r.rule_id == rule.rule_id or (r.sides == rule.sides and r.action == rule.action) for r in known):
        return f"{path}: says so already"
    contrary = [r for r in known if r.right and r.sides == rule.sides and r.action != rule.action]
    in_yaml = next((r for r in contrary if not r.place.startswith(CSV_FILE)), None)
    if in_yaml:
        raise UsageError(f"{folder / YAML_FILE}: {in_yaml.place.removeprefix(YAML_FILE).strip()} says the contrary; change it there")
    kept = [r for r in known if r.place.startswith(CSV_FILE) and r not in contrary]
    lines = [_COLUMNS, *([getattr(r, name) or "" for name in _COLUMNS] for r in (*kept, rule))]
    text = "".join(f"{','.join(map(_quoted, values))}\n" for values in lines)
    # Whole or not at all: a ledger cut short would undo what stewards decided.
    half = path.with_name(path.name + ".new")
    try:
        half.write_text(text, encoding="utf-8", newline="")
        half.replace(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from None
    instead = f" in place of {', '.join(sorted({r.action for r in contrary}))}" if contrary else ""
    return f"{path}: {rule.action} written{instead}; the next `resolve` applies it"


def side_of(text: str) -> tuple[bool, str, str]:
    """Of a rule's side: whether it is a record; source and key, or id type and value."""
    by_record = re.match(r"([a-z0-9_]+)\|(.*)", text, re.DOTALL)
    if by_record:
        return True, by_record.group(1), by_record.group(2)
    id_type, _, value = text.partition("=")
    return False, id_type, value.lower() if id_type == "email" else value


def _csv_rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    # The only line breaks are those of CSV: a key may hold a quoted one, or what Python takes for one (U+0085).
    reader = csv.reader(io.StringIO(_text(path), newline=""))
    names = next((row for row in reader if row), [])
    if names:
        _check_names(path, names)
    end = reader.line_num
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:  # a quote without its end makes one value of the rest
            raise ConfigError(str(path), [f"line {end + 1}: cannot be read as CSV: {error}"]) from None
        first, end = end + 1, reader.line_num
        if len(row) > len(names):
            problem = f"line {first}: found {len(row)} values, wanted {len(names)}; a value with a comma stands in double quotes"
            raise ConfigError(str(path), [problem])
        yield f"line {first}", dict(zip(names, row, strict=False))


def _quoted(value: str) -> str:
    """A value of CSV. Of line breaks `csv` quotes only the kind that it ends lines with."""
    return '"' + value.replace('"', '""') + '"' if re.search(r'[",\r\n]', value) else value


def _yaml_rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    entries = read_yaml(path) or []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ConfigError(str(path), [f"wanted a list of rules, each with {', '.join(_COLUMNS[:4])}"])
    for number, entry in enumerate(entries, start=1):
        names = [str(name) for name in entry]
        _check_names(path, [*names, *({"right"} if entry.get("action") == "block" else ())], f"rule {number}: ")
        yield f"rule {number}", entry


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), [f"cannot be read as UTF-8 text: {type(error).__name__}"]) from None


def _check_names(path: Path, names: list[str], where: str = "") -> None:
    problems = [f"{where}{name}: unknown column{did_you_mean(name, _COLUMNS)}" for name in sorted(set(names) - set(_COLUMNS))]
    problems += [f"{where}{name}: column missing, but required" for name in _COLUMNS[:4] if name not in names]
    if problems:
        raise ConfigError(str(path), problems)


def _rule(row: Mapping[str, Any], place: str) -> tuple[Rule | None, list[str]]:
    value = {name: str(row.get(name) or "").strip() for name in _COLUMNS}
    if not any(value.values()):
        return None, []
    wrong = []
    if value["action"] not in _ACTIONS:
        # Not the value: whoever shifts a column has a person's identifier here.
        wrong.append(f"action: wanted one of {', '.join(_ACTIONS)}")
    wanted = ("left",) if value["action"] == "block" else ("left", "right")
    for side in wanted:
        if not _SIDE.match(value[side]):
            wrong.append(f"{side}: wanted source|record_key or id_type=value")
    if not value["reason"]:
        wrong.append("reason: missing, but required")
    if value["left"] and value["left"] == value["right"]:
        wrong.append("left and right are the same")
    right = value["right"] if value["action"] != "block" else ""
    return Rule(value["action"], value["left"], right or None, value["reason"], value["author"] or None, place), wrong


def _contradictions(rules: Collection[Rule]) -> list[str]:
    """Pairs that are to be one and never to be one: by themselves, or through what else is to be one."""
    people: DisjointSets[str] = DisjointSets()
    for rule in rules:
        if rule.action == "always_link" and rule.right:
            people.join(rule.left, rule.right)
    torn = [r.place for r in rules if r.action == "never_link" and r.right and people.root(r.left) == people.root(r.right)]
    return [f"{place}: never_link of two that always_link makes one; wanted one of the two" for place in torn]
