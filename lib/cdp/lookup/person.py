"""All that the lake knows of one customer, in the shape that programs get as JSON."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cdp.base.contracts import Table
from cdp.lookup.read import Row, Tables, as_rows, is_one_of
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

if TYPE_CHECKING:
    import pyarrow as pa

LAST_ORDERS = 5
PAGE = 50
"""Entries of the timeline on a page."""

_UNTOLD = ("customer_id", "provenance", "run_id")
_OPENED, _SOLVED = "Ticket Created", "Ticket Solved"
_NEWEST_FIRST = '"occurred_at" DESC, "kind", "source", "reference"'


@dataclass(frozen=True)
class Person:
    """A customer.

    Attributes:
        known: what is known, in the shape of docs/lookup.md.
        history: rows of `gold.timeline`, the newest first; None where there is no such table.
    """

    known: Row
    history: "pa.Table | None"

    def timeline(self, page: int) -> tuple[list[Row], int]:
        """The entries of a page, from 1, of the last one where there are fewer; and how many pages there are."""
        if self.history is None:
            return [], 1
        pages = max(1, -(-self.history.num_rows // PAGE))
        return as_rows(self.history.slice((min(page, pages) - 1) * PAGE, PAGE), _told(TIMELINE)), pages


def person(tables: Tables, customer_id: str) -> Person | None:
    """What is known of a customer; None where nobody has this id now.

    Tables that do not exist yet leave their part empty.
    """
    is_it = is_one_of("customer_id", [customer_id])
    wanted: dict[str, tuple[Table, str | None, int | None]] = {
        "profile": (PROFILES, None, None),
        "orders": (CUSTOMER_ORDERS, '"ordered_at" DESC, "source", "order_id"', LAST_ORDERS),
        "lines": (CUSTOMER_ORDER_LINES, '"source", "order_id", "line_no"', None),
        "identifiers": (CUSTOMER_IDENTIFIERS, '"last_seen_at" DESC, "id_type", "id_value"', None),
        "consent": (EFFECTIVE_CONSENT, '"purpose"', None),
        "segments": (SEGMENT_MEMBERS, '"segment"', None),
        "predictions": (PREDICTIONS, '"horizon_days"', None),
        "recommendations": (RECOMMENDATIONS, '"rank"', None),
    }
    # Half of a read is waiting for files; the other half leaves Python free.
    with ThreadPoolExecutor(max_workers=4) as pool:
        history = pool.submit(tables.arrow, TIMELINE, is_it, columns=_told(TIMELINE), order=_NEWEST_FIRST)
        # All columns: conf/traits.yaml may have added some that no contract here knows.
        traits = pool.submit(tables.rows, TRAITS, is_it)
        reads = {
            name: pool.submit(tables.rows, table, is_it, columns=_told(table), order=order, limit=limit)
            for name, (table, order, limit) in wanted.items()
        }
        rows = {name: read.result() for name, read in reads.items()}
        computed = [{**dict.fromkeys(_told(TRAITS)), **{k: v for k, v in row.items() if k not in _UNTOLD}} for row in traits.result()]
    if not rows["profile"]:
        return None
    products = _products(tables, [*rows["lines"], *rows["recommendations"]])
    known = {
        "customer_id": customer_id,
        "profile": rows["profile"][0],
        "traits": computed[0] if computed else None,
        "identifiers": rows["identifiers"],
        "orders": [_with_lines(order, rows["lines"], products) for order in rows["orders"]],
        "open_tickets": _open_tickets(history.result()),
        "segments": rows["segments"],
        "consent": rows["consent"],
        "predictions": rows["predictions"],
        "recommendations": [_named(row, products) for row in rows["recommendations"]],
    }
    return Person(known, history.result())


def _told(table: Table) -> tuple[str, ...]:
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
    return {**order, "lines": [_named({c: line[c] for c in shown}, products) for line in mine]}


def _open_tickets(history: "pa.Table | None") -> list[Row]:
    """Tickets created and not solved, as `gold.traits` counts them, the newest first."""
    if history is None:
        return []
    places = [n for n, event in enumerate(history["event"].to_pylist()) if event in (_OPENED, _SOLVED)]
    tickets = [(row, row["properties"] or {}) for n in places for row in as_rows(history.slice(n, 1))]
    numbered = [(row["event"], properties.get("ticket_id") or row["reference"], row, properties) for row, properties in tickets]
    solved = {number for event, number, _, _ in numbered if event == _SOLVED}
    opened = {number: (row, properties) for event, number, row, properties in numbered if event == _OPENED and number not in solved}
    shown = ("subject", "priority", "via", "status")
    return [
        {"ticket_id": number, "opened_at": row["occurred_at"], **{name: properties.get(name) for name in shown}}
        for number, (row, properties) in opened.items()
    ]
