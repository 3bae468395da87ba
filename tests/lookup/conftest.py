"""A small lake with the people that somebody may look for, and the page served from it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import uvicorn
from pyspark.sql import SparkSession

from cdp.base.lake import Lake
from cdp.gold.lookup import lookup_keys
from cdp.lookup.read import Tables
from cdp.lookup.serve import application
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
from cdp.tables.identity import ASSIGNMENTS
from cdp.tables.silver import CUSTOMER_RECORDS, PRODUCTS
from tests.conftest import Fill

ANNA, JOSE, OTTO, EVE, BUSY, QUIET, VISITOR = (f"c{n:020x}" for n in range(1, 8))
FORMER, SPLIT = "cffffffffffffffffffff", "cfffffffffffffffffffe"
NASTY = "<b>Zoë</b> O'Hara"
AT = datetime(2026, 1, 31, 12)
TOKEN = "a-token-long-enough"

_NAMES = {ANNA: "Anna Zimmermann", JOSE: "José Luis García López", OTTO: "Otto Ypsilanti", EVE: "Eve Ypsilanti", BUSY: "Busy Bee", QUIET: NASTY}
_IDS = [
    (ANNA, "email", "anna.z@gmail.com"), (ANNA, "phone", "+33612345678"), (ANNA, "loyalty_id", "FR-0012"), (ANNA, "crm_id", "1234"),
    (ANNA, "email", "former@x.org"), (JOSE, "phone", "+34612345678"), (OTTO, "email", "family@x.org"), (EVE, "email", "family@x.org"),
    (EVE, "user_id", "aB"), (OTTO, "user_id", "Ab"), (VISITOR, "anonymous_id", "web-77"), (EVE, "crm_id", "o'neill"),
]  # fmt: skip


@pytest.fixture(scope="session")
def folder(spark: SparkSession, fill: Fill, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lake. `gold.predictions` is not computed yet."""
    lake = Lake(spark, str(tmp_path_factory.mktemp("lookup") / "lake"))
    everybody = [*_NAMES, VISITOR]
    lake.replace(
        PROFILES,
        fill(
            PROFILES,
            *({"customer_id": c, "full_name": _NAMES.get(c), "first_seen_at": AT, "last_seen_at": AT, "is_anonymous": c == VISITOR} for c in everybody[1:]),
            {
                "customer_id": ANNA, "full_name": "Anna Zimmermann", "given_name": "Anna", "family_name": "Zimmermann",
                "birth_date": date(1980, 3, 7), "email": "anna.z@gmail.com", "emails": ["anna.z@gmail.com", "former@x.org"],
                "phone": "+33612345678", "phones": ["+33612345678"], "street": "12 Secret Street", "city": "Springfield",
                "postal_code": "75011", "country": "FR", "attributes": {"job_title": "Spy"}, "sources": ["crm"],
                "first_seen_at": AT, "last_seen_at": AT,
            },
        ),
    )  # fmt: skip
    lake.replace(CUSTOMER_IDENTIFIERS, fill(CUSTOMER_IDENTIFIERS, *({"customer_id": c, "id_type": t, "id_value": v} for c, t, v in _IDS)))
    lake.replace(TRAITS, fill(TRAITS, {"customer_id": ANNA, "orders": 6, "revenue": Decimal("1234.50"), "rfm_segment": "Champions"}))
    orders = [{"source": "shop", "order_id": f"o{n}", "customer_id": ANNA, "ordered_at": AT - timedelta(days=n), "status": "completed", "amount": Decimal(10 + n)} for n in range(6)]
    lake.replace(CUSTOMER_ORDERS, fill(CUSTOMER_ORDERS, *orders))
    line = {"source": "shop", "order_id": "o0", "line_no": 1, "customer_id": ANNA, "product_id": "P1", "quantity": Decimal(2)}
    lake.replace(CUSTOMER_ORDER_LINES, spark.createDataFrame([tuple(line.get(c.name, AT if c.type == "timestamp" else "completed" if c.name == "status" else None) for c in CUSTOMER_ORDER_LINES.columns)], CUSTOMER_ORDER_LINES.schema))
    lake.replace(PRODUCTS, fill(PRODUCTS, {"product_id": "P1", "name": "Mug set"}))
    lake.replace(EFFECTIVE_CONSENT, fill(EFFECTIVE_CONSENT, {"customer_id": ANNA, "purpose": "email_marketing", "status": "withdrawn", "is_allowed": False}))
    lake.replace(RECOMMENDATIONS, fill(RECOMMENDATIONS, {"customer_id": ANNA, "rank": 1, "product_id": "P1", "reason": "buy_again"}))
    lake.replace(SEGMENT_MEMBERS, fill(SEGMENT_MEMBERS, {"customer_id": ANNA, "segment": "loyal_buyers"}))
    lake.replace(TIMELINE, fill(TIMELINE, *_happened()))
    records = [{"source": "crm", "record_key": c, "full_name_key": folded_name(n)} for c, n in _NAMES.items()]
    records.append({"source": "crm", "record_key": "maiden", "full_name_key": "anna unverwechselbar"})
    owned = [*((c, c) for c in _NAMES), ("maiden", ANNA)]
    owners = spark.createDataFrame([("crm", key, c) for key, c in owned], "source string, record_key string, customer_id string")
    had = [*((key, c) for key, c in owned), (ANNA, FORMER), (OTTO, SPLIT), (EVE, SPLIT)]
    assignments = fill(ASSIGNMENTS, *({"source": "crm", "record_key": key, "customer_id": c} for key, c in had))
    keys = lookup_keys(lake.read(CUSTOMER_IDENTIFIERS), fill(CUSTOMER_RECORDS, *records), assignments, owners)
    lake.replace(LOOKUP_KEYS, keys)
    return Path(lake.root)


def _happened() -> list[dict[str, object]]:
    entry = {"kind": "event", "source": "web", "event": "Product Viewed"}
    many = [{**entry, "customer_id": BUSY, "reference": str(n), "occurred_at": AT + timedelta(minutes=n), "properties": {"name": f"Thing {n}"}} for n in range(2000)]
    ticket = {"customer_id": ANNA, "kind": "event", "source": "desk", "occurred_at": AT}
    return [
        *many,
        {**ticket, "reference": "1", "event": "Ticket Created", "properties": {"ticket_id": "T1", "subject": "Parcel lost", "search": "anna private"}},
        {**ticket, "reference": "2", "event": "Ticket Created", "properties": {"ticket_id": "T2", "subject": "Wrong size"}},
        {**ticket, "reference": "3", "event": "Ticket Solved", "properties": {"ticket_id": "T2"}},
    ]


@pytest.fixture(scope="session")
def tables(folder: Path) -> Tables:
    return Tables(folder, PROFILES, LOOKUP_KEYS)


Serve = Callable[..., str]


@contextmanager
def served(folder: Path, *, show_pii: bool = False) -> Iterator[str]:
    """The address of a real server on a free port of this machine."""
    app = application(folder, host="127.0.0.1", show_pii=show_pii)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False, lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    end = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < end, "the server did not start"
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=20)
