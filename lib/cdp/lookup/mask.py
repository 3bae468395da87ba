"""What lookup shows of a person, without readable personal values."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from cdp.base.contracts import Table
from cdp.base.masks import hidden, mask_of, masked, masked_row
from cdp.lookup.find import Match
from cdp.lookup.read import Row
from cdp.lookup.words import own_traits
from cdp.tables import gold
from cdp.tables.journeys import JOURNEY_MEMBERS

_OPEN_PROPERTIES = frozenset(
    "order_id cart_id product_id category brand quantity price value currency status store_id refers_to discount ticket_id"
    " via priority csat purpose legal_basis jurisdiction campaign_id platform".split()
)
"""Properties of the timeline that speak of things. Any other may hold an address, a search or a link with a name in it,
and so may the subject of a ticket, or a coupon that was made for one person."""

_TABLES: Mapping[str, Table] = {
    "profile": gold.PROFILES,
    "traits": gold.TRAITS,
    "identifiers": gold.CUSTOMER_IDENTIFIERS,
    "orders": gold.CUSTOMER_ORDERS,
    "segments": gold.SEGMENT_MEMBERS,
    "journeys": JOURNEY_MEMBERS,
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
        found["traits"] |= {name: masked_own(value) for name, value in own_traits(found["traits"]).items()}
    found["open_tickets"] = [_masked_ticket(ticket) for ticket in person["open_tickets"]]
    return found


def told_match(match: Match, *, show_pii: bool) -> Row:
    """A match as JSON has it, without readable personal values unless they are to be shown."""
    profile = {name: value for name, value in match.profile.items() if name != "customer_id"}
    is_open = show_pii or match.kind == "customer_id"
    return {
        "customer_id": match.customer_id,
        "matched_by": match.kind,
        "value": match.value if is_open else mask_of(match.kind)(match.value),
        "score": match.score,
        "profile": profile if show_pii else masked_row(profile, gold.PROFILES),
    }


def masked_entry(entry: Row) -> Row:
    """An entry of the timeline, without the properties that may hold anything."""
    properties = entry["properties"] or {}
    return {**entry, "properties": {name: value for name, value in properties.items() if name in _OPEN_PROPERTIES}}


def masked_values(values: Mapping[str, str]) -> Row:
    """Values by what a rule calls the column of the timeline they are of."""
    shown = {f"properties.{name}" for name in _OPEN_PROPERTIES}
    return {name: value if name in shown else masked(value, hidden) for name, value in values.items()}


def masked_own(value: Any) -> Any:
    """A trait of a company's own: what it holds is declared in its configuration, which is not read here."""
    return value if isinstance(value, (bool, int, float, Decimal, date)) else masked(value, hidden)


def _masked_ticket(ticket: Row) -> Row:
    shown = {"opened_at", *_OPEN_PROPERTIES}
    return {name: value if name in shown else masked(value, hidden) for name, value in ticket.items()}
