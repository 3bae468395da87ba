"""A merge, an unmerge and an erased record: each leaves profiles, identifiers, timeline, traits and lookup of one mind."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from cdp.base.contracts import Table
from cdp.base.stage import Run
from cdp.gold.run import STAGE
from cdp.tables.gold import (
    CUSTOMER_IDENTIFIERS,
    CUSTOMER_ORDERS,
    EFFECTIVE_CONSENT,
    LOOKUP_KEYS,
    PROFILES,
    TIMELINE,
    TRAITS,
)
from cdp.tables.identity import ASSIGNMENTS
from cdp.tables.silver import CONSENTS, CUSTOMER_RECORDS, EVENTS, IDENTIFIERS_TABLE, ORDERS
from tests.conftest import Fill
from tests.gold.conftest import record

AT = datetime(2026, 1, 20)
PEOPLE = {"crm:1": ("Ann", 20), "shop:2": ("Bob", 7), "shop:3": ("Eve", 5)}


Rows = list[dict[str, Any]]


def silver(*keys: str) -> list[tuple[Table, Rows]]:
    """A record, an e-mail address, an event, an order and a consent of each of the keys."""
    records: Rows = []
    identifiers: Rows = []
    events: Rows = []
    orders: Rows = []
    consents: Rows = []
    for key in keys:
        name, spent = PEOPLE[key]
        email = f"{name.lower()}@x.uk"
        names = {"given_name": name, "given_name_key": name.lower(), "family_name": "Lee", "family_name_key": "lee"}
        records.append(record(key, **names, emails=[email], updated_at=AT, attributes={f"of_{name}": "yes"}))
        identifiers.append(
            record(key, record_type="customer_record", id_type="email", id_value=email, seen_count=1, first_seen_at=AT, last_seen_at=AT)
        )
        events.append(record(key, event_id=f"e{name}", event="Page Viewed", occurred_at=AT, channel="web"))
        order = {"order_id": f"o{name}", "ordered_at": AT, "status": "completed", "amount": Decimal(spent)}
        orders.append(record(key, **order))
        consent = {"consent_id": f"c{name}", "purpose": f"for_{name}", "status": "granted", "captured_at": AT}
        consents.append(record(key, **consent))
    return [
        (CUSTOMER_RECORDS, records),
        (IDENTIFIERS_TABLE, identifiers),
        (EVENTS, events),
        (ORDERS, orders),
        (CONSENTS, consents),
    ]


def known(run: Run, customer: str) -> dict[str, Any]:
    """All that the gold tables hold of a customer."""

    def column(table: Table, name: str) -> list[Any]:
        rows = run.lake.read(table).where(f"customer_id = '{customer}'").select(name).collect()
        return sorted((row[name] for row in rows), key=str)

    profiles = run.lake.read(PROFILES).where(f"customer_id = '{customer}'").collect()
    names = run.lake.read(LOOKUP_KEYS).where(f"customer_id = '{customer}'").select("value").distinct().collect()
    return {
        "names": [row["given_name"] for row in profiles],
        "emails": [sorted(row["emails"]) for row in profiles],
        "attributes": [sorted(row["attributes"]) for row in profiles],
        "identifiers": column(CUSTOMER_IDENTIFIERS, "id_value"),
        "timeline": column(TIMELINE, "reference"),
        "orders": column(CUSTOMER_ORDERS, "order_id"),
        "revenue": column(TRAITS, "revenue"),
        "consents": column(EFFECTIVE_CONSENT, "purpose"),
        "found_by": sorted(row["value"] for row in names),
    }


ANN = {
    "names": ["Ann"], "emails": [["ann@x.uk"]], "attributes": [["of_Ann"]], "identifiers": ["ann@x.uk"],
    "timeline": ["cAnn", "eAnn", "oAnn"], "orders": ["oAnn"], "revenue": [Decimal("20.00")], "consents": ["for_Ann"],
    "found_by": ["ann lee", "ann@x.uk"],
}  # fmt: skip
BOB = {
    "names": ["Bob"], "emails": [["bob@x.uk"]], "attributes": [["of_Bob"]], "identifiers": ["bob@x.uk"],
    "timeline": ["cBob", "eBob", "oBob"], "orders": ["oBob"], "revenue": [Decimal("7.00")], "consents": ["for_Bob"],
    "found_by": ["bob lee", "bob@x.uk"],
}  # fmt: skip
NOBODY: dict[str, list[Any]] = {name: [] for name in ANN}
BOTH = {
    **{name: sorted(ANN[name] + BOB[name]) for name in ("identifiers", "timeline", "orders", "consents")},
    "names": ["Bob"], "emails": [["ann@x.uk", "bob@x.uk"]], "attributes": [["of_Ann", "of_Bob"]],
    "revenue": [Decimal("27.00")], "found_by": ["ann lee", "ann@x.uk", "bob", "bob lee", "bob@x.uk"],
}  # fmt: skip


def test_people_come_together_and_apart_and_go_with_all_that_is_theirs(run: Run, fill: Fill) -> None:
    def day(number: int, tables: list[tuple[Table, Rows]], *owners: tuple[str, str, bool]) -> Run:
        """Each day's run: who owned which record until when is kept, as identity resolution does."""
        rows = [
            record(key, customer_id=customer, is_current=current, valid_from=AT + timedelta(days=n))
            for n, (key, customer, current) in enumerate(owners)
        ]
        writes: list[Callable[[], int]] = [partial(run.lake.replace, t, fill(t, *of)) for t, of in tables]
        run.lake.together([*writes, lambda: run.lake.replace(ASSIGNMENTS, fill(ASSIGNMENTS, *rows))])
        today = replace(run, as_of=date(2026, 1, 31) + timedelta(days=number))
        STAGE.run(today)
        return today

    eve = ("shop:3", "eve", True)
    today = day(0, silver(*PEOPLE), ("crm:1", "ann", True), ("shop:2", "bob", True), eve)
    assert [known(today, c) for c in ("ann", "bob")] == [ANN, BOB]
    assert known(today, "eve")["found_by"] == ["eve lee", "eve@x.uk"]

    # The two become one, and eve's record is erased.
    today = day(1, silver("crm:1", "shop:2"), ("crm:1", "ann", True), ("shop:2", "bob", False), ("shop:2", "ann", True))
    assert [known(today, c) for c in ("ann", "bob", "eve")] == [BOTH, NOBODY, NOBODY]

    unmerged = [("crm:1", "ann", True), ("shop:2", "bob", False), ("shop:2", "ann", False), ("shop:2", "bob", True)]
    today = day(2, [], *unmerged)
    # Who asks for ann's id of the day before is also shown bob, who was in it.
    assert [known(today, c) for c in ("ann", "bob")] == [ANN, {**BOB, "found_by": ["ann", "bob lee", "bob@x.uk"]}]
