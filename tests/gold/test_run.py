"""The stage on a small lake: what it writes, that its accounts balance, and that it does not look ahead."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from cdp.base.contracts import Table
from cdp.base.errors import ConfigError
from cdp.base.settings import ConfigFolder
from cdp.base.stage import Run, StageResult
from cdp.gold.run import STAGE
from cdp.tables.gold import (
    CUSTOMER_IDENTIFIERS,
    CUSTOMER_ORDER_LINES,
    CUSTOMER_ORDERS,
    EFFECTIVE_CONSENT,
    PROFILES,
    TIMELINE,
    TRAITS,
    TRAITS_HISTORY,
)
from cdp.tables.identity import ASSIGNMENTS
from cdp.tables.silver import CONSENTS, CUSTOMER_RECORDS, EVENTS, IDENTIFIERS_TABLE, ORDER_LINES, ORDERS, PRODUCTS
from tests.conftest import Fill
from tests.gold.conftest import record

AT = datetime(2026, 1, 31, 23, 59, 59)
LATE = datetime(2026, 2, 1)  # the first instant after the run's date
CAMPAIGN = {"name": None, "source": "news", "medium": None, "content": None, "term": None}


def order(key: str, number: str, amount: int, **more: Any) -> dict[str, Any]:
    row = {"order_id": number, "ordered_at": AT, "status": "completed", "amount": Decimal(amount), "channel": "web"}
    return {**record(key), **row, **more}


def event(key: str, number: str, name: str, **more: Any) -> dict[str, Any]:
    return {**record(key), "event_id": number, "event": name, "occurred_at": AT, **more}


def line(number: str, product: str, pieces: int, amount: int) -> dict[str, Any]:
    return {
        "source": "shop",
        "order_id": number,
        "line_no": 1,
        "product_id": product,
        "quantity": Decimal(pieces),
        "amount": Decimal(amount),
    }


LAKE: list[tuple[Table, list[dict[str, Any]]]] = [
    (ASSIGNMENTS, [
        record("shop:1", customer_id="ann", is_current=True),
        record("shop:1", customer_id="old", is_current=False, valid_from=datetime(2025, 1, 1)),
        record("web:ids:v", customer_id="visitor", is_current=True),
    ]),
    (CUSTOMER_RECORDS, [record("shop:1", given_name="Ann", emails=["a@x.uk"])]),
    (IDENTIFIERS_TABLE, [
        record("shop:1", record_type="customer_record", id_type="email", id_value="a@x.uk", seen_count=1),
        record("web:ids:v", record_type="activity", id_type="anonymous_id", id_value="v", seen_count=1),
    ]),
    (ORDERS, [
        order("shop:1", "o1", 20, campaign=CAMPAIGN),
        order("shop:1", "o2", 5, status="returned", refers_to="o1"),  # its source sends what it pays back as positive
        order("shop:1", "o3", 9, status="cancelled"),
        {**order("pos:-", "o4", 7), "record_key": None},
        order("shop:1", "o5", 99, ordered_at=LATE),
        order("shop:1", "o6", 8, status="returned", refers_to="o1", ordered_at=LATE),
    ]),
    (ORDER_LINES, [line("o1", "p1", 2, 20), line("o2", "p1", 1, 5), line("o3", "p2", 1, 9), line("o5", "p1", 1, 99), line("o9", "p1", 1, 1)]),
    (PRODUCTS, [{"product_id": "p1", "category": "Toys", "cost": Decimal(3)}]),
    (EVENTS, [
        event("shop:1", "e1", "Order Completed", properties={"order_id": "o1", "cart_id": "k", "status": "?"}),  # the order tells it
        event("shop:1", "e7", "Order Completed", properties={"order_id": "o1", "cart_id": "again"}),
        event("shop:1", "e8", "Order Completed", properties={"order_id": "o3", "cart_id": "j"}),
        event("web:ids:v", "e2", "Order Completed", properties={"order_id": "o1"}),  # somebody else's, as far as we know
        event("web:ids:v", "e3", "Page Viewed", channel="web"),
        {**event("web:-", "e4", "Page Viewed"), "record_key": None},
        event("web:ids:lost", "e5", "Page Viewed"),
        event("shop:1", "e6", "Page Viewed", occurred_at=LATE),
    ]),
    (CONSENTS, [
        record("shop:1", consent_id="c1", purpose="email_marketing", status="granted", captured_at=datetime(2026, 1, 1)),
        record("shop:1", consent_id="c2", purpose="email_marketing", status="withdrawn", captured_at=LATE),
    ]),
]  # fmt: skip


@pytest.fixture
def built(run: Run, fill: Fill) -> Callable[..., StageResult]:
    """`built(tables)`: fill the lake and run the stage; for another day: `built(tables, run)`."""

    def build(tables: list[tuple[Table, list[dict[str, Any]]]], of: Run = run) -> StageResult:
        run.lake.together([partial(run.lake.replace, table, fill(table, *rows)) for table, rows in tables])
        return STAGE.run(of)

    return build


def test_the_stage_writes_people_and_what_they_did_and_its_accounts_balance(
    run: Run, built: Callable[..., StageResult]
) -> None:
    result = built(LAKE)

    def rows(table: Table, *columns: str) -> list[tuple[Any, ...]]:
        return sorted((tuple(row) for row in run.lake.read(table).select(*columns).collect()), key=str)

    assert {a.subject: (a.rows_in, a.rows_out, a.rows_skipped) for a in result.accounts} == {
        "orders": (6, 4, 2),
        "order_lines": (5, 3, 2),
        "timeline: events": (8, 2, 6),
        "timeline: orders": (4, 3, 1),
        "timeline: consents": (2, 1, 1),
    }
    assert {a.difference for a in result.accounts} == {0}
    assert rows(CUSTOMER_ORDERS, "order_id", "customer_id", "ordered_on", "amount") == [
        ("o1", "ann", AT.date(), Decimal("20.00")),
        ("o2", "ann", AT.date(), Decimal("-5.00")),
        ("o3", "ann", AT.date(), Decimal("0.00")),
        ("o4", None, AT.date(), Decimal("7.00")),
    ]
    assert rows(CUSTOMER_ORDERS, "order_id", "refunded", "net_amount") == [
        ("o1", Decimal("5.00"), Decimal("15.00")),  # o2 gives 5 back; o6, after the run's date, nothing yet
        ("o2", Decimal("0.00"), Decimal("0.00")),
        ("o3", Decimal("0.00"), Decimal("0.00")),
        ("o4", Decimal("0.00"), Decimal("7.00")),
    ]
    assert rows(CUSTOMER_ORDER_LINES, "order_id", "category", "quantity", "amount", "cost") == [
        ("o1", "Toys", Decimal("2.000"), Decimal("20.00"), Decimal("6.00")),
        ("o2", "Toys", Decimal("-1.000"), Decimal("-5.00"), Decimal("-3.00")),
        ("o3", None, Decimal("1.000"), Decimal("0.00"), None),
    ]
    assert rows(TIMELINE, "customer_id", "kind", "reference", "event", "amount", "campaign") == [
        ("ann", "consent", "c1", "Consent Granted", None, None),
        ("ann", "order", "o1", "Order Completed", Decimal("20.00"), "news"),
        ("ann", "order", "o2", "Order Refunded", Decimal("-5.00"), None),
        ("ann", "order", "o3", "Order Cancelled", Decimal("0.00"), None),
        ("visitor", "event", "e2", "Order Completed", None, None),
        ("visitor", "event", "e3", "Page Viewed", None, None),
    ]
    known = "reference", "properties.cart_id", "properties.status"
    assert rows(TIMELINE, "kind", *known)[-3:] == [
        ("order", "o1", "k", "completed"),  # what the tracker alone knows, from the first that told it
        ("order", "o2", None, "returned"),
        ("order", "o3", "j", "cancelled"),
    ]
    assert rows(TRAITS, "customer_id", "orders", "revenue", "events") == [
        ("ann", 1, Decimal("15.00"), 0),
        ("visitor", 0, Decimal("0.00"), 2),
    ]
    assert rows(PROFILES, "customer_id", "email", "last_seen_at") == [("ann", "a@x.uk", AT), ("visitor", None, AT)]
    assert rows(EFFECTIVE_CONSENT, "customer_id", "status", "is_allowed") == [("ann", "granted", True)]


def test_a_day_replaces_its_own_history_and_keeps_that_of_others(
    run: Run, fill: Fill, built: Callable[..., StageResult]
) -> None:
    next_day = replace(run, as_of=date(2026, 2, 1))
    stale = [{"customer_id": "ann", "as_of": day, "orders": 77} for day in (run.as_of, next_day.as_of)]
    run.lake.replace(TRAITS_HISTORY, fill(TRAITS_HISTORY, *stale))
    carriers = [("shop", "1", AT, AT, True)]
    former = {"customer_id": "old", "id_type": "email", "id_value": "before@x.uk", "carriers": carriers}
    run.lake.replace(CUSTOMER_IDENTIFIERS, fill(CUSTOMER_IDENTIFIERS, former))

    built(LAKE, next_day)

    history = run.lake.read(TRAITS_HISTORY).where("customer_id = 'ann'").select("as_of", "orders", "revenue").collect()
    assert sorted(tuple(row) for row in history) == [
        (date(2026, 1, 31), 77, None),
        (date(2026, 2, 1), 2, Decimal("106.00")),
    ]
    allowed = run.lake.read(EFFECTIVE_CONSENT).select("status").collect()
    assert [row["status"] for row in allowed] == ["withdrawn"]
    known = run.lake.read(CUSTOMER_IDENTIFIERS).where("id_type = 'email'").select("customer_id", "id_value", "is_current").collect()
    assert sorted(tuple(row) for row in known) == [("ann", "a@x.uk", True), ("ann", "before@x.uk", False)]


OWN_TRAITS = """
traits:
  - {name: page_views, type: event_counter, event: Page Viewed}
  - {name: largest_order, type: aggregation, aggregation: max, property: amount, from: orders}
  - {name: products, type: unique_list, property: product_id, from: order_lines}
  - {name: half, type: sql, value_type: money, expression: largest_order / 2}
  - {name: inverse, type: sql, value_type: number, expression: 1 / events}
  - {name: inverse_twice, type: sql, value_type: number, expression: 2 * (1 / events)}
  - {name: first_seen_at, type: first, property: reference}
  - {name: amount__sum, type: aggregation, aggregation: avg, property: amount}
  - {name: amount, type: aggregation, aggregation: avg, property: amount}
  - name: known_days
    type: sql
    value_type: integer
    query: SELECT customer_id, datediff(:as_of, min(occurred_at)) AS value FROM timeline GROUP BY customer_id
"""


def test_a_companys_own_traits_stand_beside_the_built_in_ones_and_in_the_history(
    run: Run, fill: Fill, built: Callable[..., StageResult]
) -> None:
    file = run.config.path / "traits.yaml"
    # Of the day before, when there were none.
    run.lake.replace(TRAITS_HISTORY, fill(TRAITS_HISTORY, {"customer_id": "visitor", "as_of": date(2026, 1, 31), "orders": 0}))
    file.write_text(OWN_TRAITS, encoding="utf-8")
    own = ("page_views", "largest_order", "products", "half", "inverse", "inverse_twice", "known_days")
    today = replace(run, as_of=date(2026, 2, 1), config=ConfigFolder(run.config.path))

    built(LAKE, today)

    found = {row["customer_id"]: tuple(row[name] for name in own) for row in run.lake.read(TRAITS).collect()}
    assert found == {
        # o5 and the last page are of the second day; a trait that cannot be worked out for somebody is missing there.
        "ann": (1, Decimal("99.00"), ["p1", "p2"], Decimal("49.50"), 1.0, 2.0, 31),
        "visitor": (1, None, None, None, 0.5, 1.0, 1),
    }
    history = run.lake.read(TRAITS_HISTORY).where("customer_id = 'visitor'").select("as_of", "page_views", "orders").collect()
    assert sorted(tuple(row) for row in history) == [(date(2026, 1, 31), None, 0), (date(2026, 2, 1), 1, 0)]

    # Renamed: the table forgets the old name, the history keeps it. What fails for somebody fails for nobody else.
    file.write_text("traits: [{name: carts, type: event_counter, event: [Page Viewed, Page Vieved]},"
                    " {name: pages, type: event_counter, event: Page Viewed},"
                    " {name: odd, type: sql, value_type: number, expression: 1 / (orders - 2)},"
                    " {name: odder, type: sql, value_type: number, expression: 3 * (1 / (orders - 2))}]", encoding="utf-8")  # fmt: skip
    notes = built(LAKE, replace(today, config=ConfigFolder(run.config.path))).notes
    assert "traits.yaml: carts: no entry of the timeline is called Page Vieved; did you mean Page Viewed?" in notes
    assert run.lake.read(TRAITS).columns[-3:] == ["pages", "odd", "odder"]
    found = {row["customer_id"]: (row["pages"], row["odd"], row["odder"]) for row in run.lake.read(TRAITS).collect()}
    assert found == {"ann": (1, None, None), "visitor": (1, -0.5, -1.5)}
    assert run.lake.read(TRAITS_HISTORY).select("page_views", "pages").where("pages is not null").count() == 2
    assert run.lake.table("gold.traits").columns[-1] == "odder"

    file.write_text(OWN_TRAITS.replace("unique_list,", "unique_list_count,"), encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        built(LAKE, replace(today, config=ConfigFolder(run.config.path)))
    assert "products: gold.traits_history has it as array<string>, now it is bigint; wanted another name" in str(error.value)


def test_an_empty_lake_gives_empty_tables(run: Run) -> None:
    result = STAGE.run(run)

    assert result.rows_out == 0
    assert {(a.rows_in, a.rows_out, a.difference) for a in result.accounts} == {(0, 0, 0)}
    assert all(run.lake.read(t).isEmpty() for t in STAGE.writes(run.config))
