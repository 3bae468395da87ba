"""Which columns name a row, and which says when it was last changed."""

from dataclasses import dataclass
from itertools import combinations

from cdp.bronze.describe.facts import Fact
from cdp.bronze.describe.table import RawColumn, Table
from cdp.bronze.describe.words import PERSONAL, is_code, words_of

_MOST_CANDIDATES = 8
_MOSTLY_UNIQUE = 0.8
_FEW = 5  # in so few rows anything is unique
_MOMENTS = ("updated_at", "occurred_at", "ordered_at", "captured_at", "created_at")
_NO_KEYS = ("double", "boolean", "timestamp")
_KEY_MEANINGS = ("customer_no", "crm_id", "loyalty_id", "subscriber_id", "order_id", "event_id", "product_id", "user_id", "campaign")


@dataclass(frozen=True)
class Key:
    """Columns that name a row.

    Attributes:
        columns: the columns; none where no few of them do.
        note: what to check about them, if anything.
    """

    columns: tuple[str, ...] = ()
    note: str | None = None


def last_change(facts: list[Fact]) -> tuple[str | None, str | None]:
    """The column that says which of two rows with one key is newer, and what to check about it."""
    for meaning in _MOMENTS:
        for fact in facts:
            if fact.meaning == meaning and fact.is_time and not fact.is_nested and fact.empty <= fact.rows / 100:
                note = None if meaning == "updated_at" else "says when it happened; is there a column of the last change?"
                return fact.name, note if meaning == "created_at" else None
    return None, None


def find_key(table: Table, facts: list[Fact], moment: str | None) -> Key:
    """The columns that name a row.

    Args:
        table: the rows.
        facts: what is known of its columns.
        moment: the column of the last change.
    """
    rows = _count(table.columns) if table.rows else 0  # rows that are there twice say nothing against a key
    named = [f for f in sorted(facts, key=_rank) if _may_be_key(f)]
    for fact in filter(_names_something, named):
        if _is_unique(fact, rows):
            return Key((fact.name,), _note_on_single(fact, rows))
        if _is_versioned(table, fact, moment, rows):
            return Key((fact.name,), f"{fact.rows - fact.distinct:,} rows repeat one; they are taken for its versions")
    groups = [f for f in named if f.empty == 0 and 1 < f.distinct < rows][:_MOST_CANDIDATES]
    for size in (2, 3):
        for group in combinations(groups, size):
            if any(_names_something(f) for f in group) and rows > _FEW and _are_unique(table, group, rows):
                columns = tuple(f.name for f in facts if f in group)
                return Key(columns, None if size == 2 and _is_line(group) else "unique together among the rows looked at")
    anything = next((f for f in named if _is_unique(f, rows) and rows > _FEW and not f.is_time and not f.is_personal), None)
    return Key((anything.name,), "unique, though its name does not say that it is a key") if anything else Key()


def _may_be_key(fact: Fact) -> bool:
    return not fact.is_nested and fact.kind.type not in _NO_KEYS and not (
        fact.kind.type.startswith("decimal") or fact.meaning in ("free_text", "quantity", "unit_price", "birth_date")
    )


def _names_something(fact: Fact) -> bool:
    if fact.meaning in PERSONAL and fact.meaning not in (*_KEY_MEANINGS, "email"):
        return False
    return is_code(fact.name) or fact.meaning in (*_KEY_MEANINGS, "email")


def _rank(fact: Fact) -> tuple[int, int]:
    """Own keys first, then keys of something, then e-mail addresses, then the rest."""
    words = words_of(fact.name)
    if words in (("id",), ("key",), ("uuid",), ("guid",)) or (words[:1] == ("unique",) and is_code(fact.name)):
        return 0, 0
    if fact.meaning in ("event_id", "order_id", "line_no"):
        return 1, int(fact.meaning == "line_no")
    if is_code(fact.name) or fact.meaning in _KEY_MEANINGS:
        return (4 if fact.meaning in ("anonymous_id", "device_id", "postal_code") else 2), 0
    return (5 if fact.meaning == "email" else 6), int(fact.is_time)


def _is_unique(fact: Fact, rows: int) -> bool:
    return fact.empty == 0 and fact.distinct == rows > 0


def _note_on_single(fact: Fact, rows: int) -> str | None:
    if fact.meaning == "email":
        return "people change their address; is there a key of the source's own?"
    if rows < fact.rows:
        return f"{fact.rows - rows:,} of the rows repeat another"
    return "so few rows show little" if rows <= _FEW else None


def _is_versioned(table: Table, fact: Fact, moment: str | None, rows: int) -> bool:
    """Whether a column names a thing of which some rows are later versions, or sent twice."""
    if fact.empty or fact.name == moment or fact.distinct < _MOSTLY_UNIQUE * fact.rows:
        return False
    columns = [c for c in table.columns if c.name in (fact.name, moment)]
    return len(columns) == 2 and _count(columns) == rows


def _is_line(group: tuple[Fact, ...]) -> bool:
    return any(f.meaning == "line_no" for f in group)


def _are_unique(table: Table, group: tuple[Fact, ...], rows: int) -> bool:
    possible = 1
    for fact in group:
        possible *= fact.distinct
    names = {f.name for f in group}
    return possible >= rows and _count([c for c in table.columns if c.name in names]) == rows


def _count(columns: list[RawColumn]) -> int:
    return len(set(zip(*[c.values for c in columns], strict=True)))
