"""Values as people read them, on a terminal and on a page."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from cdp.tables.gold import TRAITS

_TOLD = (
    *("name", "subject", "title", "query", "category", "order_id", "ticket_id", "store_id", "purpose", "jurisdiction"),
    *("status", "priority", "via", "csat", "path", "url"),
)
"""Properties of an event that mean something to a person, in the order in which they are told."""


def said(value: Any) -> str:
    """A value as text; nothing for nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, Decimal):
        return f"{value:,.2f}"
    if isinstance(value, float):
        return f"{value:,.3g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {said(v)}" for name, v in value.items() if v is not None)
    if isinstance(value, list):
        return ", ".join(said(item) for item in value)
    return str(value)


def day(value: date | None) -> str:
    """A day, of a time as well."""
    return f"{value:%Y-%m-%d}" if value else ""


def money(value: Decimal | float | None) -> str:
    """An amount, with two digits behind the point."""
    return "" if value is None else f"{value:,.2f}"


def share(value: float | None) -> str:
    """A part of one as a percentage."""
    return "" if value is None else f"{value:.0%}"


def pieces(line: Mapping[str, Any]) -> str:
    """A line of an order: `2 x Mug set`."""
    quantity = Decimal(line["quantity"]).normalize()
    name = line["name"] or line["product_id"]
    return name if quantity == 1 else f"{quantity:f} x {name}"


def details(entry: Mapping[str, Any]) -> str:
    """What a line of the timeline says behind its event: where, and of what; keys of machines are left out."""
    properties = entry["properties"] or {}
    told = [properties.get(name) for name in _TOLD]
    if not properties.get("name"):
        told.append(properties.get("product_id"))
    return " · ".join(dict.fromkeys(said(value) for value in (entry["channel"], entry["campaign"], *told) if value))


def own_traits(traits: Mapping[str, Any] | None) -> dict[str, Any]:
    """Traits that conf/traits.yaml adds to those that every customer has, where the customer has them."""
    declared = {column.name for column in TRAITS.columns}
    return {name: value for name, value in (traits or {}).items() if name not in declared and value is not None}


def as_json(value: Any) -> Any:
    """What JSON has no form for: times in ISO 8601 with Z, decimals as numbers."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%S}Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(type(value).__name__)
