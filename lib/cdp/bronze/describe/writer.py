"""A proposal as YAML for a person: one line a column, what was seen beside it, what to check above it."""

import re
from typing import Any

import yaml

from cdp.bronze.describe.facts import ColumnFacts, Fact
from cdp.bronze.describe.found import Entity
from cdp.bronze.describe.words import is_code

_LONG = 110
_PLAIN_ENOUGH = 40


def option_lines(options: dict[str, Any]) -> list[str]:
    """`options` in one line; none where there are none."""
    return [f"options: {flow(options)}"] if options else []


def column_lines(column: ColumnFacts, key: tuple[str, ...], *, has_names: bool) -> list[str]:
    """The declaration of a column, with what was seen of it.

    Args:
        column: what is known of it.
        key: the primary key.
        has_names: whether the extract names its columns; those that it does not may hold anything.
    """
    fact, tests = column.own, list[Any]()
    entry: dict[str, Any] = {"name": fact.name}
    if fact.kind.type != "string":
        entry["type"] = fact.kind.type
    if fact.kind.format:
        entry["format"] = fact.kind.format
    if fact.name in key:
        tests.append("not_null")
    elif fact.categories and has_names:
        tests.append({"accepted_values": list(fact.categories)})
    if tests:
        entry["tests"] = tests
    if tests and tests != ["not_null"]:
        entry["severity"] = "warn"
    if column.is_personal:
        entry["tags"] = ["pii"]
    notes = [f"  # check: {note}" for note in _notes(column)]
    line = f"  - {flow(entry)}"
    if len(line) <= _LONG or not fact.is_nested:
        return [*notes, f"{line}  # {_seen(fact)}"]
    inner = [f"    {name}: {_folded(value) if name == 'type' else flow(value)}" for name, value in entry.items()]
    return [*notes, f"  -{inner[0][3:]}  # {_seen(fact)}", *inner[1:]]


def _folded(text: str) -> str:
    """A long text over several lines, broken after commas; a backslash joins them."""
    lines = [""]
    for part in re.findall(r"[^,]*,|[^,]+", text):
        if lines[-1] and len(lines[-1]) + len(part) > _LONG:
            lines.append("")
        lines[-1] += part
    return '"' + "\\\n      ".join(line.replace('"', '\\"') for line in lines) + '"'


def entity_lines(entities: list[Entity], *, lacks_key: bool) -> list[str]:
    """`produces`, each entity once or as a list.

    Args:
        entities: what is proposed.
        lacks_key: whether the rows speak of people whom no column names.
    """
    if not entities and lacks_key:
        return ["# check: the rows speak of people; with a `primary_key` they make a customer_record", "produces: {}"]
    if not entities:
        return ["# check: no entity was recognised; `produces` says which ones the rows hold (docs/sources.md)", "produces: {}"]
    lines = ["produces:"]
    for kind in dict.fromkeys(e.kind for e in entities):
        alike = [e for e in entities if e.kind == kind]
        lines.append(f"  {kind}:")
        for entity in alike:
            notes, body = _body(entity)
            lines += [f"    # check: {note}" for note in notes]
            if len(alike) == 1:
                lines += [f"    {line}" for line in body]
            else:
                lines += [f"    - {body[0]}", *[f"      {line}" for line in body[1:]]]
    return lines


def flow(value: Any) -> str:
    """A value in one line of YAML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{flow(k)}: {flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = yaml.safe_dump([value], default_flow_style=True, allow_unicode=True, width=10**9).strip()[1:-1]
    is_plain = text[0] not in "'\"" and any(map(str.isalnum, text))
    return text if is_plain else yaml.safe_dump(value, default_style='"', allow_unicode=True, width=10**9).strip()


def _body(entity: Entity) -> tuple[list[str], list[str]]:
    lines = [f"key: {flow(list(entity.key))}"] if entity.key else []
    for name, value in entity.fields.items():
        line = f"{name}: {flow(value)}"
        if isinstance(value, dict) and len(line) > _LONG:
            lines += [f"{name}:", *[f"  {flow(k)}: {flow(v)}" for k, v in value.items()]]
        else:
            lines.append(line)
    return [*entity.notes, *entity.open], lines


def _seen(fact: Fact) -> str:
    """How full a column is and how many values it has; never a value."""
    if not fact.rows:
        return "no rows to look at"
    if fact.empty == fact.rows:
        return "always empty"
    empty = f"{_share(fact.empty / fact.rows)} empty" if fact.empty else "never empty"
    if fact.is_nested:
        return empty
    if fact.distinct == fact.rows - fact.empty:
        return "unique" if fact.is_unique else f"{empty}, else unique"
    return f"{fact.distinct:,} distinct, {empty}"


def _share(share: float) -> str:
    return f"{share:.0%}".replace("%", " %") if share >= 0.01 else "under 1 %"


def _notes(column: ColumnFacts) -> list[str]:
    fact = column.own
    notes = [fact.kind.note] if fact.kind.note else []
    if fact.meaning == "free_text" and not column.is_personal:
        notes.append("free text may hold personal data; tag it `pii` if so")
    if fact.is_nested and fact.kind.type == "string":
        notes.append("its values are of several kinds, so it is kept as text")
    is_named_key = is_code(fact.name) and fact.empty and fact.rows - fact.empty == fact.distinct > _PLAIN_ENOUGH
    if is_named_key:
        notes.append("unique where it is not empty: an identifier?")
    return notes
