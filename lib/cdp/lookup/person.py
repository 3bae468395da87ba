"""All that the lake knows of one customer, in the shape that programs get as JSON."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from cdp.lookup.read import Row, Tables, is_one_of
from cdp.tables.gold import (
    CUSTOMER_IDENTIFIERS,
    CUSTOMER_ORDER_LINES,
    CUSTOMER_ORDERS,
    EFFECTIVE_CONSENT,
    PREDICTIONS,
    PROFILES,
    RECOMMENDATIONS,
    SEGMENT_MEMBERS,
    TIMELINE,
    TRAITS,
)
from cdp.tables.silver import PRODUCTS

LAST_ORDERS = 5
PAGE = 50
"""Entries of the timeline on a page."""

_UNTOLD = ("customer_id", "provenance", "run_id")
_NEWEST_FIRST = '"occurred_at" DESC, "kind", "source", "reference"'


def person(tables: Tables, customer_id: str) -> Row | None:
    """What is known of a customer; None where nobody has this id now. See docs/lookup.md for the shape.

    Tables that do not exist yet leave their part empty.
    """
    is_it = is_one_of("customer_id", [customer_id])
    ticket = f"{is_it} AND {is_one_of('event', ('Ticket Created', 'Ticket Solved'))}"
    wanted: dict[str, tuple[Any, str, str | None, int | None]] = {
        "profile": (PROFILES, is_it, None, None),
        "tickets": (TIMELINE, ticket, _NEWEST_FIRST, None),
        "traits": (TRAITS, is_it, None, None),
        "orders": (CUSTOMER_ORDERS, is_it, '"ordered_at" DESC, "source", "order_id"', LAST_ORDERS),
        "lines": (CUSTOMER_ORDER_LINES, is_it, '"ordered_at" DESC', None),
        "identifiers": (CUSTOMER_IDENTIFIERS, is_it, '"last_seen_at" DESC, "id_type", "id_value"', None),
        "consent": (EFFECTIVE_CONSENT, is_it, '"purpose"', None),
        "segments": (SEGMENT_MEMBERS, is_it, '"segment"', None),
        "predictions": (PREDICTIONS, is_it, '"horizon_days"', None),
        "recommendations": (RECOMMENDATIONS, is_it, '"rank"', None),
    }
    # Half of a read is waiting for files; the other half leaves Python free.
    with ThreadPoolExecutor(max_workers=4) as pool:
        reads = {
            name: pool.submit(tables.rows, table, where, columns=_told(table), order=order, limit=limit)
            for name, (table, where, order, limit) in wanted.items()
        }
        rows = {name: read.result() for name, read in reads.items()}
    if not rows["profile"]:
        return None
    products = _products(tables, [*rows["lines"], *rows["recommendations"]])
    return {
        "customer_id": customer_id,
        "profile": rows["profile"][0],
        "traits": rows["traits"][0] if rows["traits"] else None,
        "identifiers": rows["identifiers"],
        "orders": [_with_lines(order, rows["lines"], products) for order in rows["orders"]],
        "open_tickets": _open(rows["tickets"]),
        "segments": rows["segments"],
        "consent": rows["consent"],
        "predictions": rows["predictions"],
        "recommendations": [_named(row, products) for row in rows["recommendations"]],
    }


def timeline(tables: Tables, customer_id: str, page: int) -> tuple[list[Row], int]:
    """A page of a customer's timeline, the newest entries first, and how many pages there are."""
    is_it = is_one_of("customer_id", [customer_id])
    pages = max(1, -(-tables.count(TIMELINE, is_it) // PAGE))
    start = (min(page, pages) - 1) * PAGE
    rows = tables.rows(TIMELINE, is_it, columns=_told(TIMELINE), order=_NEWEST_FIRST, limit=PAGE, start=start)
    return rows, pages


def _told(table: Any) -> tuple[str, ...]:
    return tuple(c.name for c in table.columns if c.name not in _UNTOLD)


def _products(tables: Tables, rows: list[Row]) -> Mapping[str, str]:
    wanted = sorted({row["product_id"] for row in rows})
    if not wanted:
        return {}
    found = tables.rows(PRODUCTS, is_one_of("product_id", wanted), columns=("product_id", "name"))
    return {row["product_id"]: row["name"] for row in found if row["name"]}


def _named(row: Row, products: Mapping[str, str]) -> Row:
    return {**row, "name": products.get(row["product_id"])}


def _with_lines(order: Row, lines: list[Row], products: Mapping[str, str]) -> Row:
    mine = [line for line in lines if (line["source"], line["order_id"]) == (order["source"], order["order_id"])]
    shown = ("line_no", "product_id", "quantity", "amount")
    return {**order, "lines": [_named({c: line[c] for c in shown}, products) for line in sorted(mine, key=lambda r: r["line_no"])]}


def _open(tickets: list[Row]) -> list[Row]:
    """Tickets created and not solved, as `gold.traits` counts them."""

    def number(row: Row) -> str:
        return str((row["properties"] or {}).get("ticket_id") or row["reference"])

    solved = {number(row) for row in tickets if row["event"] == "Ticket Solved"}
    opened = {number(row): row for row in reversed(tickets) if row["event"] == "Ticket Created"}
    shown = ("subject", "priority", "via", "status")
    return [
        {"ticket_id": ticket, "opened_at": row["occurred_at"], **{c: (row["properties"] or {}).get(c) for c in shown}}
        for ticket, row in reversed(opened.items())
        if ticket not in solved
    ]
