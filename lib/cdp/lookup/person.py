"""All that the lake knows of one customer, in the shape that programs get as JSON."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from cdp.base.contracts import Table
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
from cdp.tables.journeys import JOURNEY_MEMBERS
from cdp.tables.silver import PRODUCTS

LAST_ORDERS = 5
MOST_TICKETS, MOST_IDENTIFIERS = 20, 100
PAGE = 50
"""Entries of the timeline on a page."""
_TICKET_ENTRIES = 1_000
"""The newest, among which open tickets are looked for: a ticket is never solved before it is opened."""

_UNTOLD = ("customer_id", "provenance", "run_id")
_OPENED, _SOLVED = "Ticket Created", "Ticket Solved"
_NEWEST_FIRST = '"occurred_at" DESC, "kind", "source", "reference"'


def person(tables: Tables, customer_id: str) -> Row | None:
    """What is known of a customer, in the shape of docs/lookup.md; None where nobody has this id now.

    Tables that do not exist yet leave their part empty.
    """
    is_it = is_one_of("customer_id", [customer_id])
    wanted: dict[str, tuple[Table, str | None, int | None]] = {
        "profile": (PROFILES, None, None),
        "identifiers": (CUSTOMER_IDENTIFIERS, '"last_seen_at" DESC, "id_type", "id_value"', MOST_IDENTIFIERS + 1),
        "consent": (EFFECTIVE_CONSENT, '"purpose"', None),
        "segments": (SEGMENT_MEMBERS, '"segment"', None),
        "journeys": (JOURNEY_MEMBERS, '"journey"', None),
        "predictions": (PREDICTIONS, '"horizon_days"', None),
        "recommendations": (RECOMMENDATIONS, '"rank"', None),
    }
    # Half of a read is waiting for files; the other half leaves Python free.
    with ThreadPoolExecutor(max_workers=4) as pool:
        ordered = pool.submit(_last_orders, tables, is_it)
        tickets = pool.submit(_open_tickets, tables, is_it)
        traits = pool.submit(_traits, tables, is_it)
        reads = {
            name: pool.submit(tables.rows, table, is_it, columns=_told(table), order=order, limit=limit)
            for name, (table, order, limit) in wanted.items()
        }
        rows = {name: read.result() for name, read in reads.items()}
    if not rows["profile"]:
        return None
    orders, lines = ordered.result()
    products = _products(tables, [*lines, *rows["recommendations"]])
    lists = {"identifiers": (rows["identifiers"], MOST_IDENTIFIERS), "open_tickets": (tickets.result(), MOST_TICKETS)}
    return {
        "customer_id": customer_id,
        "profile": rows["profile"][0],
        "traits": traits.result(),
        "identifiers": rows["identifiers"][:MOST_IDENTIFIERS],
        "orders": [_with_lines(order, lines, products) for order in orders],
        "open_tickets": tickets.result()[:MOST_TICKETS],
        "segments": rows["segments"],
        "journeys": rows["journeys"],
        "consent": rows["consent"],
        "predictions": rows["predictions"],
        "recommendations": [_named(row, products) for row in rows["recommendations"]],
        "more": [name for name, (found, most) in lists.items() if len(found) > most],
    }


def timeline(tables: Tables, customer_id: str, page: int) -> tuple[list[Row], int, int]:
    """The entries of a page of a customer's timeline, the newest first.

    Args:
        tables: of the lake.
        customer_id: whose.
        page: from 1; the last one where there are fewer.

    Returns:
        The entries, which page they are, and how many pages there are.
    """
    is_it = is_one_of("customer_id", [customer_id])
    pages = max(1, -(-tables.count(TIMELINE, is_it) // PAGE))
    page = min(page, pages)
    entries = tables.rows(TIMELINE, is_it, columns=_told(TIMELINE), order=_NEWEST_FIRST, limit=PAGE, offset=(page - 1) * PAGE)
    return entries, page, pages


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


def _open_tickets(tables: Tables, is_it: str) -> list[Row]:
    """Tickets created and not solved, as `gold.traits` counts them, the newest first."""
    of_tickets = f"{is_it} AND {is_one_of('event', (_OPENED, _SOLVED))}"
    columns = ("event", "reference", "occurred_at", "properties")
    entries = [
        (row, row["properties"] or {})
        for row in tables.rows(TIMELINE, of_tickets, columns=columns, order=_NEWEST_FIRST, limit=_TICKET_ENTRIES)
    ]
    numbered = [(row["event"], properties.get("ticket_id") or row["reference"], row, properties) for row, properties in entries]
    solved = {number for event, number, _, _ in numbered if event == _SOLVED}
    opened = {number: (row, properties) for event, number, row, properties in numbered if event == _OPENED and number not in solved}
    shown = ("subject", "priority", "via", "status")
    return [
        {"ticket_id": number, "opened_at": row["occurred_at"], **{name: properties.get(name) for name in shown}}
        for number, (row, properties) in opened.items()
    ]


def _last_orders(tables: Tables, is_it: str) -> tuple[list[Row], list[Row]]:
    """The last orders, and their lines."""
    newest = '"ordered_at" DESC, "source", "order_id"'
    orders = tables.rows(CUSTOMER_ORDERS, is_it, columns=_told(CUSTOMER_ORDERS), order=newest, limit=LAST_ORDERS)
    if not orders:
        return [], []
    of_these = f"{is_it} AND {is_one_of('order_id', [order['order_id'] for order in orders])}"
    by_number = '"source", "order_id", "line_no"'
    return orders, tables.rows(CUSTOMER_ORDER_LINES, of_these, columns=_told(CUSTOMER_ORDER_LINES), order=by_number)


def _traits(tables: Tables, is_it: str) -> Row | None:
    # All columns: conf/traits.yaml may have added some that no contract here knows.
    found = tables.rows(TRAITS, is_it)
    told = {name: value for name, value in found[0].items() if name not in _UNTOLD} if found else {}
    return {**dict.fromkeys(_told(TRAITS)), **told} if found else None
