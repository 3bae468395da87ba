"""A small lake with the people that somebody may look for, and the page served from it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from cdp.base.contracts import Column, Table
from cdp.gold.search_keys import bucket, identifier_key, name_keys, phone_key
from cdp.lookup.read import Tables
from cdp.lookup.serve import application, server
from cdp.silver.folding import folded_name
from cdp.tables.gold import (
    CUSTOMER_IDENTIFIERS,
    CUSTOMER_ORDER_LINES,
    CUSTOMER_ORDERS,
    EFFECTIVE_CONSENT,
    LOOKUP_KEYS,
    PROFILES,
    RECOMMENDATIONS,
    SEGMENT_MEMBERS,
    TIMELINE,
    TRAITS,
)
from cdp.tables.silver import PRODUCTS

ANNA, JOSE, OTTO, EVE, BUSY, QUIET, VISITOR = (f"c{n:020x}" for n in range(1, 8))
FORMER, SPLIT = "cffffffffffffffffffff", "cfffffffffffffffffffe"
NASTY = "<b>Zoë</b> O'Hara"
OWN = tuple(
    Column(name, type_, "added in conf/traits.yaml", nullable=True)
    for name, type_ in (("visits_of_fairs", "bigint"), ("is_a_fan", "boolean"), ("won_on", "date"), ("motto", "string"),
                        ("pets", "array<string>"), ("unknown_yet", "string"))
)  # fmt: skip
AT = datetime(2026, 1, 31, 12)
TOKEN = "a-token-long-enough"

_NAMES = {ANNA: "Anna Zimmermann", JOSE: "José Luis García López", OTTO: "Otto Ypsilanti", EVE: "Eve Ypsilanti", BUSY: "Busy Bee", QUIET: NASTY}
_IDS = [
    (ANNA, "email", "anna.z@gmail.com"), (ANNA, "phone", "+33612345678"), (ANNA, "loyalty_id", "FR-0012"), (ANNA, "crm_id", "1234"),
    (ANNA, "email", "former@x.org"), (JOSE, "phone", "+34612345678"), (OTTO, "email", "family@x.org"), (EVE, "email", "family@x.org"),
    (EVE, "user_id", "aB"), (OTTO, "user_id", "Ab"), (VISITOR, "anonymous_id", "web-77"), (EVE, "crm_id", "o'neill"),
]  # fmt: skip


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lake, written without Spark. `gold.predictions` is not computed yet."""
    lake = tmp_path_factory.mktemp("lookup") / "lake"
    seen = {"first_seen_at": AT, "last_seen_at": AT}
    anna = {
        "customer_id": ANNA, "full_name": "Anna Zimmermann", "given_name": "Anna", "family_name": "Zimmermann",
        "birth_date": date(1980, 3, 7), "email": "anna.z@gmail.com", "emails": ["anna.z@gmail.com", "former@x.org"],
        "phone": "+33612345678", "phones": ["+33612345678"], "street": "12 Secret Street", "city": "Springfield",
        "postal_code": "75011", "country": "FR", "attributes": {"job_title": "Spy"}, "sources": ["crm"], **seen,
    }  # fmt: skip
    others = ({"customer_id": c, "full_name": _NAMES.get(c), "is_anonymous": c == VISITOR, **seen} for c in (JOSE, OTTO, EVE, BUSY, QUIET, VISITOR))
    write(lake, PROFILES, anna, *others)
    write(lake, CUSTOMER_IDENTIFIERS, *({"customer_id": c, "id_type": t, "id_value": v, "last_seen_at": AT, "is_current": v != "former@x.org"} for c, t, v in _IDS))
    traits = {"customer_id": ANNA, "orders": 6, "revenue": Decimal("1234.50"), "rfm_segment": "Champions"}
    own = {"visits_of_fairs": 17, "is_a_fan": True, "won_on": date(2025, 7, 9), "motto": "Annas motto", "pets": ["Annas cat"], "unknown_yet": None}
    write(lake, replace(TRAITS, columns=(*TRAITS.columns, *OWN)), {**traits, **own})
    bought = {"source": "shop", "customer_id": ANNA, "status": "completed"}
    bought["coupon"] = "ANNA10"
    orders = ({**bought, "order_id": f"o{n}", "ordered_at": AT - timedelta(days=n), "amount": Decimal(10 + n)} for n in range(6))
    write(lake, CUSTOMER_ORDERS, *orders)
    write(lake, CUSTOMER_ORDER_LINES, {**bought, "order_id": "o0", "line_no": 1, "product_id": "P1", "quantity": Decimal(2)})
    write(lake, PRODUCTS, {"product_id": "P1", "name": "Mug set"})
    write(lake, EFFECTIVE_CONSENT, {"customer_id": ANNA, "purpose": "email_marketing", "status": "withdrawn", "is_allowed": False})
    write(lake, RECOMMENDATIONS, {"customer_id": ANNA, "rank": 1, "product_id": "P1", "reason": "buy_again"})
    write(lake, SEGMENT_MEMBERS, {"customer_id": ANNA, "segment": "loyal_buyers"})
    write(lake, TIMELINE, *_happened())
    write(lake, LOOKUP_KEYS, *_keys())
    return lake


def write(lake: Path, table: Table, *rows: dict[str, Any]) -> None:
    """A table of these rows; what they do not say is null, or nothing in particular where null is refused."""
    nothing = {"string": "-", "date": date(2026, 1, 1), "timestamp": AT, "boolean": False}

    def value(row: dict[str, Any], column: Column) -> Any:
        found = row.get(column.name, None if column.nullable else nothing.get(column.type, [] if column.type.startswith(("array", "map")) else 0))
        return list(found.items()) if isinstance(found, dict) else found

    shaped = [{c.name: value(row, c) for c in table.columns} for row in rows]
    schema = pa.schema([(c.name, _arrow(c.type)) for c in table.columns])
    write_deltalake(lake / table.folder, pa.Table.from_pylist(shaped, schema))


_ARROW = {
    "string": pa.string(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", "UTC"),
    "array<string>": pa.list_(pa.string()),
}


def _arrow(type_: str) -> pa.DataType:
    """Arrow's type for one of Spark's; of maps those of strings, which hold what anybody reads."""
    if type_.startswith("decimal"):
        return pa.decimal128(18, int(type_[-2]))
    if type_.startswith("array<struct"):
        return pa.list_(pa.map_(pa.string(), pa.string()))
    return pa.map_(pa.string(), pa.string()) if type_.startswith(("map", "struct")) else _ARROW[type_]


def _keys() -> Iterator[dict[str, str]]:
    """What the `profile` stage writes of these people, by the Python form of its keys."""
    names = [*((c, folded_name(n)) for c, n in _NAMES.items()), (ANNA, "anna unverwechselbar")]
    former = [(ANNA, "customer_id", FORMER), (OTTO, "customer_id", SPLIT), (EVE, "customer_id", SPLIT)]
    keyed = [(c, "name", name, key) for c, name in names for key in name_keys(name)]
    keyed += [(c, kind, v, phone_key(v) if kind == "phone" else identifier_key(v)) for c, kind, v in [*_IDS, *former]]
    for customer, kind, found, key in keyed:
        yield {"bucket": bucket(key), "key": key, "kind": kind, "value": found, "customer_id": customer}


def _happened() -> list[dict[str, Any]]:
    entry = {"kind": "event", "source": "web", "event": "Product Viewed"}
    many = [{**entry, "customer_id": BUSY, "reference": str(n), "occurred_at": AT + timedelta(minutes=n), "properties": {"name": f"Thing {n}"}} for n in range(2000)]
    ticket = {"customer_id": ANNA, "kind": "event", "source": "desk", "occurred_at": AT}
    return [
        *many,
        {**ticket, "reference": "1", "event": "Ticket Created", "properties": {"ticket_id": "T1", "subject": "Parcel lost", "coupon": "ANNA10", "search": "anna private"}},
        {**ticket, "reference": "2", "event": "Ticket Created", "properties": {"ticket_id": "T2", "subject": "Wrong size"}},
        {**ticket, "reference": "3", "event": "Ticket Solved", "properties": {"ticket_id": "T2"}},
    ]


@pytest.fixture(scope="session")
def tables(folder: Path) -> Tables:
    return Tables(folder, PROFILES, LOOKUP_KEYS)


@contextmanager
def served(folder: Path, *, show_pii: bool = False) -> Iterator[str]:
    """The address of a real server on a free port of this machine."""
    app = application(folder, host="127.0.0.1", show_pii=show_pii)
    listening = socket.create_server(("127.0.0.1", 0))
    running = server(app)
    thread = threading.Thread(target=running.run, args=([listening],), daemon=True)
    thread.start()
    # Who calls before it answers waits in the socket's queue.
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    running.should_exit = True
    thread.join(timeout=20)
