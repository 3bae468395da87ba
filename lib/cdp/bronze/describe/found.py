"""Finds the columns for a canonical field, and says how they are written there."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from cdp.bronze.describe.facts import ColumnFacts, Fact
from cdp.bronze.describe.words import words_of

IDENTIFIERS = (
    "loyalty_id",
    "crm_id",
    "customer_no",
    "user_id",
    "anonymous_id",
    "device_id",
    "subscriber_id",
    "social_handle",
)
"""Meanings that are identifiers, under the names of their types."""

Fields = dict[str, "str | dict[str, str]"]


@dataclass
class Entity:
    """A proposed entity of `produces`.

    Attributes:
        kind: which, e.g. order_line.
        fields: field to expression, or to a mapping of them.
        notes: what to check about it.
        key: its own key, where it is not the source's.
        open: fields that nothing was found for, with what to think of, as `field: hint`.
    """

    kind: str
    fields: Fields = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    key: tuple[str, ...] = ()
    open: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Source:
    """What a mapping is made of.

    Attributes:
        name: of the source.
        columns: facts of the columns.
        key: the primary key.
    """

    name: str
    columns: list[ColumnFacts]
    key: tuple[str, ...]

    def reachable(self) -> list[Fact]:
        """Single values of a row: columns, then what is within nested ones, but for the elements of lists."""
        own = [c.own for c in self.columns if not c.own.is_nested]
        within = [f for c in self.columns for f in c.within if not f.in_list and c.own.kind.type.startswith("struct")]
        return own + within

    def lists(self) -> list[ColumnFacts]:
        """Columns that are lists of objects."""
        return [c for c in self.columns if c.own.kind.type.startswith("array<struct")]

    def first(self, *meanings: str, among: Iterable[Fact] | None = None) -> Fact | None:
        """The first value of the first meaning that there is one of; one that is filled before one that never is."""
        facts = list(self.reachable() if among is None else among)
        for meaning in meanings:
            alike = [f for f in facts if f.meaning == meaning]
            if alike:
                return next((f for f in alike if f.distinct), alike[0])
        return None

    def has(self, *meanings: str) -> bool:
        return self.first(*meanings) is not None

    def fact(self, name: str) -> Fact | None:
        return next((c.own for c in self.columns if c.own.name == name), None)

    def identifiers(self, *more: str) -> dict[str, str]:
        """Identifier types to columns, those of `more` (meanings such as email) included."""
        found = {meaning: self.first(meaning) for meaning in (*more, *IDENTIFIERS)}
        return {meaning: fact.sql for meaning, fact in found.items() if fact}

    def says(self, *words: str) -> bool:
        """Whether the source's name has one of the words."""
        return bool(set(words_of(self.name)) & set(words))


def put(entity: Entity, name: str, fact: Fact | None, want: str = "text") -> None:
    """Map a field to a value, or note that the value is not of the kind that the field wants.

    Args:
        entity: what to add to.
        name: the field.
        fact: the value; None: the field stays unmapped.
        want: text, time, number or truth.
    """
    if fact is None:
        return
    text = expression(fact, want)
    if text is None:
        entity.notes.append(f"{name}: {fact.sql} is meant, but its values are not all of that kind")
    else:
        entity.fields[name] = text


def expression(fact: Fact, want: str) -> str | None:
    """How a value is written where a field wants it to be of a kind; None where it is not."""
    if want == "time":
        if fact.kind.expression:
            return fact.kind.expression.format(fact.sql_within)
        if not fact.is_time:
            return None
        # Within nested columns times stay text, for the cast or a pattern to read.
        nested_format = fact.kind.format if len(fact.path) > 1 else None
        return f"try_to_timestamp({fact.sql_within}, '{quote_sql(nested_format)}')" if nested_format else fact.sql
    if want == "number" and not fact.is_numeric:
        return None
    if want == "truth" and fact.kind.type not in ("boolean", "int"):
        return None
    return fact.sql


def quote_sql(text: str) -> str:
    """Text as it stands between the quotes of a SQL literal."""
    return text.replace("\\", "\\\\").replace("'", "\\'")


def leftovers(source: Source, used: set[str], most: int, *, below: str | None = None) -> dict[str, str]:
    """Single values that no field took, are not personal and say something, by name in small letters."""
    kept: dict[str, str] = {}
    for fact in source.reachable():
        is_within = below is None or (len(fact.path) > 1 and fact.path[0] == below)
        name = "_".join(words_of(fact.name))
        if not is_within or fact.sql in used or fact.is_personal or not name or name in kept or fact.distinct < 2:
            continue
        if fact.is_time or fact.meaning in ("free_text", "opt_in", "salutation") or fact.name in source.key:
            continue
        kept[name] = fact.sql
        if len(kept) == most:
            break
    return kept


def used_by(entities: Iterable[Entity]) -> set[str]:
    """Expressions that entities hold already."""
    return {
        text
        for entity in entities
        for value in entity.fields.values()
        for text in (value.values() if isinstance(value, dict) else (value,))
    }
