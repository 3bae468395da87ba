"""What is known of each column: its type, how full it is, whether it is personal, what it means."""

from collections import Counter
from dataclasses import dataclass

from cdp.bronze.describe.dates import read_order
from cdp.bronze.describe.kinds import Kind, kind_of
from cdp.bronze.describe.nested import quoted
from cdp.bronze.describe.personal import holds_addresses, meaning_by_content
from cdp.bronze.describe.table import RawColumn, Table
from cdp.bronze.describe.words import PERSONAL, TEXTUAL, is_code, is_dated, meaning_of

_MOST_CATEGORIES = 12
_SEEN_EACH = 5  # a category is seen again and again; what is seen once or twice may be anything
_LONGEST_CATEGORY = 40
_NULL_WORDS = ("\\N", "NULL", "null", "NA", "N/A", "n/a", "None", "nan", "NaN", "-", "?")


@dataclass(frozen=True)
class Fact:
    """A column, or a value that can be reached within one.

    Attributes:
        name: its own name.
        path: names from the column down to it.
        kind: its type.
        meaning: what it holds, in the words of `words`; None where that cannot be told.
        rows: rows looked at.
        empty: rows without a value.
        distinct: number of different values.
        is_personal: whether it is personal data.
        categories: its values where they are few, often repeated and not personal.
        is_nested: whether its values are objects or lists.
        in_list: whether it is within a list's elements.
    """

    name: str
    path: tuple[str, ...]
    kind: Kind
    meaning: str | None
    rows: int
    empty: int
    distinct: int
    is_personal: bool
    categories: tuple[str, ...] = ()
    is_nested: bool = False
    in_list: bool = False

    @property
    def sql(self) -> str:
        """The value as an expression; a column's own name stands for itself."""
        return self.path[0] if len(self.path) == 1 else ".".join(map(quoted, self.path))

    @property
    def sql_within(self) -> str:
        """The value as part of an expression."""
        return ".".join(map(quoted, self.path))

    @property
    def is_unique(self) -> bool:
        return self.rows > 0 and self.empty == 0 and self.distinct == self.rows

    @property
    def is_numeric(self) -> bool:
        return self.kind.type in ("int", "bigint", "double") or self.kind.type.startswith("decimal")

    @property
    def is_time(self) -> bool:
        return self.kind.type in ("date", "timestamp")


@dataclass(frozen=True)
class ColumnFacts:
    """A column and what is within it."""

    own: Fact
    within: tuple[Fact, ...]

    @property
    def is_personal(self) -> bool:
        return self.own.is_personal or any(f.is_personal for f in self.within)


def null_word(table: Table) -> str | None:
    """The word that the extract writes for nothing, besides the empty text; None where there is none."""
    votes: Counter[str] = Counter()
    for column in table.columns:
        if column.type is not None:
            continue
        counts = Counter(column.values)
        total = sum(n for value, n in counts.items() if value and value.strip(" "))
        for word in _NULL_WORDS:
            if counts.get(word) and _stands_for_nothing(counts, word, total):
                votes[word] += counts[word]
    return votes.most_common(1)[0][0] if votes else None


def facts_of(table: Table, word: str | None) -> list[ColumnFacts]:
    """What is known of a table's columns.

    Args:
        table: the table.
        word: what stands for nothing, besides the empty text.
    """
    different = {c.name: _different(c.values, word) for c in table.columns if c.type is None}
    orders = {order for values in different.values() if (order := read_order(values)) is not None}
    day_first = orders.pop() if len(orders) == 1 else None
    return [_facts(column, table, word, day_first) for column in table.columns]


def _stands_for_nothing(counts: Counter[str | None], word: str, total: int) -> bool:
    if word == "\\N" or counts[word] > total / 2:
        return True
    others = {v.strip(" ") for v in counts if v and v.strip(" ") and v != word}
    # A word among numbers is none of them; among words it may be one, such as Namibia's code.
    return bool(others) and kind_of(others, is_text=False, is_dated=False, day_first=None).type != "string"


def _different(values: list[str | None], word: str | None) -> dict[str, int]:
    """The different values that are not empty, trimmed as Spark does (only spaces), with their counts."""
    counts: dict[str, int] = {}
    for value, n in Counter(values).items():
        trimmed = "" if value is None or value == word else value.strip(" ")
        if trimmed:
            counts[trimmed] = counts.get(trimmed, 0) + n
    return counts


def _facts(column: RawColumn, table: Table, word: str | None, day_first: bool | None) -> ColumnFacts:
    own = _fact(column, (column.name,), table.rows, word, day_first, has_names=table.has_names)
    in_list = (column.type or "").startswith("array")
    within = [
        _fact(leaf, (column.name, *path), table.rows, word, day_first, has_names=True, in_list=in_list)
        for path, leaf in column.leaves.items()
    ]
    return ColumnFacts(own, tuple(within))


def _fact(
    column: RawColumn,
    path: tuple[str, ...],
    rows: int,
    word: str | None,
    day_first: bool | None,
    *,
    has_names: bool,
    in_list: bool = False,
) -> Fact:
    counts = _different(column.values, word)
    is_nested = column.type is not None and column.type.startswith(("struct", "array", "map"))
    values = list(counts) if not is_nested else []
    meaning = (_meaning_of_path(path) if has_names else None) or meaning_by_content(values)
    kind = Kind(column.type) if column.type else _kind(column, values, meaning, path[-1], day_first)
    if meaning == "any_name" and sum(not any(map(str.isalpha, v)) for v in values) > len(values) / 2:
        meaning = None  # such as the number of an order that is called its name
    is_personal = not is_nested and (
        meaning in PERSONAL or meaning_by_content(values) is not None or holds_addresses(values)
    )
    filled = sum(counts.values())
    is_category = has_names and kind.type == "string" and not is_personal and not is_code(path[-1]) and not is_nested
    return Fact(
        name=path[-1],
        path=path,
        kind=kind,
        meaning=meaning,
        rows=rows,
        empty=max(0, rows - filled),
        distinct=len(counts),
        is_personal=is_personal,
        categories=_categories(column, counts) if is_category and meaning not in ("free_text", "any_name") else (),
        is_nested=is_nested,
        in_list=in_list,
    )


def _kind(column: RawColumn, values: list[str], meaning: str | None, name: str, day_first: bool | None) -> Kind:
    is_text = meaning in TEXTUAL or meaning in PERSONAL or (is_code(name) and meaning not in ("line_no", "quantity"))
    dated = is_dated(name)
    if not column.is_text or is_text:
        return kind_of(values, is_text=is_text and meaning != "birth_date", is_dated=dated, day_first=day_first)
    found = kind_of(values, is_text=False, is_dated=dated, day_first=day_first)
    # Digits that were written as text in a format that knows numbers are meant as text.
    return Kind("string") if found.type in ("int", "bigint") and not found.expression else found


def _meaning_of_path(path: tuple[str, ...]) -> str | None:
    """What the last of some names means, with the one above it where it says little by itself."""
    if len(path) == 1:
        return meaning_of(path[0])
    above, name = path[-2], path[-1]
    together = meaning_of(f"{above} {name}")
    own = meaning_of(name)
    if own in ("any_name", "title"):  # of a person, where what is above says no more than whose it is
        return "full_name" if together == "any_name" and own == "any_name" else together if together != own else None
    return together or own


def _categories(column: RawColumn, counts: dict[str, int]) -> tuple[str, ...]:
    if not 2 <= len(counts) <= _MOST_CATEGORIES or sum(counts.values()) < _SEEN_EACH * len(counts):
        return ()
    if any(len(v) > _LONGEST_CATEGORY or not v.isprintable() or "${" in v for v in counts):
        return ()
    # Values are compared as they came, so ones with spaces around would not be among those listed.
    are_trimmed = all(v is None or v == v.strip(" ") or not v.strip(" ") for v in set(column.values))
    return tuple(sorted(counts)) if are_trimmed else ()
