"""Personal values made unreadable: enough is left to see which of several people is meant, and to read a value back to them.

What is personal is what the contracts tag so; a column that is added to a table later is masked by its tag alone.
"""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from cdp.base.contracts import Table
from cdp.lookup.find import Match
from cdp.lookup.read import Row
from cdp.lookup.words import own_traits
from cdp.tables import gold

HIDDEN = "***"

_OPEN_PROPERTIES = frozenset(
    "order_id product_id category brand quantity price value currency status store_id refers_to discount ticket_id"
    " via priority csat purpose legal_basis jurisdiction campaign_id platform".split()
)
"""Properties of the timeline that speak of things. Any other may hold an address, a search or a link with a name in it,
and so may the subject of a ticket, or a coupon that was made for one person."""

_ALSO_PERSONAL = ("attributes", "coupon")
"""Columns that may hold anything of a person, whatever their tags."""

_TABLES: Mapping[str, Table] = {
    "profile": gold.PROFILES,
    "traits": gold.TRAITS,
    "identifiers": gold.CUSTOMER_IDENTIFIERS,
    "orders": gold.CUSTOMER_ORDERS,
    "segments": gold.SEGMENT_MEMBERS,
    "consent": gold.EFFECTIVE_CONSENT,
    "predictions": gold.PREDICTIONS,
    "recommendations": gold.RECOMMENDATIONS,
}


def masked_person(person: Row) -> Row:
    """What `person.Person` knows, without readable personal values."""
    found = dict(person)
    for part, table in _TABLES.items():
        rows = person[part]
        found[part] = [masked_row(row, table) for row in rows] if isinstance(rows, list) else rows and masked_row(rows, table)
    if found["traits"]:
        found["traits"] |= {name: _masked_own(value) for name, value in own_traits(found["traits"]).items()}
    found["open_tickets"] = [_masked_ticket(ticket) for ticket in person["open_tickets"]]
    return found


def told_match(match: Match, *, show_pii: bool) -> Row:
    """A match as JSON has it, without readable personal values unless they are to be shown."""
    profile = {name: value for name, value in match.profile.items() if name != "customer_id"}
    is_open = show_pii or match.kind == "customer_id"
    return {
        "customer_id": match.customer_id,
        "matched_by": match.kind,
        "value": match.value if is_open else _of_kind(match.kind)(match.value),
        "score": match.score,
        "profile": profile if show_pii else masked_row(profile, gold.PROFILES),
    }


def masked_row(row: Row, table: Table) -> Row:
    """A row of a table without readable values of its personal columns."""
    personal = {*table.pii_columns, *_ALSO_PERSONAL}
    kind = row.get("id_type")
    return {
        name: _masked(value, _of_kind(str(kind) if name == "id_value" else name)) if name in personal else value
        for name, value in row.items()
    }


def masked_entry(entry: Row) -> Row:
    """An entry of the timeline, without the properties that may hold anything."""
    properties = entry["properties"] or {}
    return {**entry, "properties": {name: value for name, value in properties.items() if name in _OPEN_PROPERTIES}}


def _masked_own(value: Any) -> Any:
    """A trait of a company's own: what it holds is declared in its configuration, which is not read here."""
    return value if isinstance(value, (bool, int, float, Decimal, date)) else _masked(value, _hidden)


def _masked_ticket(ticket: Row) -> Row:
    shown = {"opened_at", *_OPEN_PROPERTIES}
    return {name: value if name in shown else _masked(value, _hidden) for name, value in ticket.items()}


def _masked(value: Any, mask: Callable[[str], str]) -> Any:
    if value is None or value == "":
        return value
    if isinstance(value, list):
        return [_masked(item, mask) for item in value]
    if isinstance(value, Mapping):
        return dict.fromkeys(value, HIDDEN)
    return mask(str(value))


def _of_kind(kind: str) -> Callable[[str], str]:
    return _MASKS.get(kind, _end)


def _hidden(_: str) -> str:
    return HIDDEN


def _initials(text: str) -> str:
    return " ".join(word[0] + HIDDEN for word in text.split())


def _address(text: str) -> str:
    local, _, domain = text.partition("@")
    return f"{local[:1]}{HIDDEN}@{domain[:1]}{HIDDEN}.{domain.rpartition('.')[2]}"


def _end(text: str) -> str:
    """The last two characters, of what is long enough for them to tell little."""
    return HIDDEN + (text[-2:] if len(text) > 5 else "")


def _start(text: str) -> str:
    return text[:2] + HIDDEN if len(text) > 3 else HIDDEN


def _year(text: str) -> str:
    return f"{text[:4]}-**-**"


_MASKS: Mapping[str, Callable[[str], str]] = {
    **dict.fromkeys(("name", "full_name", "given_name", "family_name", "city"), _initials),
    **dict.fromkeys(("email", "emails"), _address),
    "postal_code": _start,
    "birth_date": _year,
    **dict.fromkeys(("street", "street_2", "region", "gender", "coupon"), _hidden),
}
