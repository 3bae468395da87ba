"""Traits of customers whose history fits on the screen."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import Row, SparkSession

from cdp.gold.rfm import Bounds, bounds
from cdp.gold.traits import allowed, assortment, behaviour, buying, traits
from cdp.tables.gold import CUSTOMER_ORDER_LINES, CUSTOMER_ORDERS, EFFECTIVE_CONSENT, PROFILES, TIMELINE
from tests.conftest import Fill
from tests.gold.conftest import AS_OF

END = datetime(2026, 2, 1)


def ago(days: float) -> datetime:
    return END - timedelta(days=days)


def order(
    customer: str | None, number: str, days: float, amount: int, status: str = "completed", **more: Any
) -> dict[str, Any]:
    at = ago(days)
    return {"customer_id": customer, "source": "shop", "order_id": number, "ordered_at": at, "ordered_on": at.date(),
            "status": status, "amount": Decimal(amount), "channel": "web", **more}  # fmt: skip


def line(
    customer: str | None,
    number: str,
    category: str | None,
    pieces: int,
    amount: int,
    cost: int | None,
    status: str = "completed",
) -> dict[str, Any]:
    return {"customer_id": customer, "source": "shop", "order_id": number, "status": status, "category": category,
            "quantity": Decimal(pieces), "amount": Decimal(amount), "cost": None if cost is None else Decimal(cost)}  # fmt: skip


def event(name: str, days: float, channel: str = "web", **properties: str) -> dict[str, Any]:
    return {"customer_id": "ann", "kind": "event", "occurred_at": ago(days), "event": name, "channel": channel,
            "reference": f"{name}{days}", "properties": properties}  # fmt: skip


ORDERS = [
    order("ann", "1", 400, 100, channel="store", store_id="S2"),
    order("ann", "2", 300.2, 50, discount=Decimal(5)),
    order("ann", "3", 300.1, 10, channel="store", store_id="S1", discount=Decimal(0)),  # the same day: one occasion
    order("ann", "4", 90, 30),  # just within the last 90 days
    order("ann", "5", 90.001, 7, channel="app"),
    order("ann", "6", 5, -20, "returned"),
    order("ann", "7", 1, 0, "cancelled"),
    order("bob", "8", 40, -9, "returned"),
    order(None, "9", 2, 999),
]
LINES = [
    line("ann", "1", "Shoes", 2, 60, 20),
    line("ann", "1", "Books", 2, 40, None),  # cost unknown: no part of the margin
    line("ann", "2", None, 9, 50, 30),
    line("ann", "6", "Shoes", -1, -20, -10, "returned"),
    line("ann", "7", "Toys", 5, 0, 0, "cancelled"),
    line(None, "9", "Toys", 1, 999, 1),
]
CONSENTS = [
    {"customer_id": "ann", "purpose": "sms_marketing", "is_allowed": True},
    {"customer_id": "ann", "purpose": "email_marketing", "is_allowed": True},
    {"customer_id": "ann", "purpose": "profiling", "is_allowed": False},
]
MINUTE = 1 / 24 / 60
EVENTS = [
    event("Product Viewed", 3),
    event("Product Viewed", 3 - 30 * MINUTE),  # silent for 30 minutes: still the session
    event("Product Added", 3 - 61 * MINUTE),  # for 31: the next one
    event("Screen Viewed", 3 - 61 * MINUTE, "app"),
    event("Product Viewed", 31),
    event("Email Delivered", 10, "email"),
    event("Email Delivered", 91, "email"),
    event("Email Opened", 0.5, "email"),
    event("Email Link Clicked", 2, "email"),
    event("Ticket Created", 20, "service", ticket_id="t1"),
    event("Ticket Solved", 19, "service", ticket_id="t1", csat="4"),
    event("Ticket Created", 8, "service", ticket_id="t2"),
    event("Ticket Solved", 0.1, "service", ticket_id="t0", csat="none"),
    {**event("Consent Granted", 0.01), "kind": "consent"},
]


@pytest.fixture(scope="module")
def found(fill: Fill) -> dict[str, Row]:
    """gold.traits by customer."""
    people = [{"customer_id": name, "first_seen_at": ago(500.5)} for name in ("ann", "bob", "eve")]
    bought = buying(fill(CUSTOMER_ORDERS, *ORDERS), as_of=AS_OF)
    done = behaviour(fill(TIMELINE, *EVENTS), as_of=AS_OF)
    limits = Bounds((-99.0, -95.0, -90.0, -50.0), (1.0, 2.0, 2.0, 5.0), (1.0, 2.0, 3.0, 1000.0))
    sold, agreed = assortment(fill(CUSTOMER_ORDER_LINES, *LINES)), allowed(fill(EFFECTIVE_CONSENT, *CONSENTS))
    rows = traits(fill(PROFILES, *people), [bought, sold, done, agreed], limits, as_of=AS_OF)
    return {row["customer_id"]: row for row in rows.collect()}


def test_what_was_bought_is_summed_up_to_the_day(found: dict[str, Row]) -> None:
    wanted = {
        "orders": 5,
        "order_days": 4,
        "revenue": Decimal("177.00"),
        "average_order_value": Decimal("39.40"),
        "first_order_at": ago(400),
        "second_order_at": ago(300.2),
        "last_order_at": ago(90),
        "days_since_last_order": 89,
        "orders_90d": 1,
        "orders_365d": 4,
        "revenue_90d": Decimal("10.00"),
        "revenue_365d": Decimal("77.00"),
        "returns": 1,
        "return_rate": 0.2,
        "discounted_order_share": 0.2,
        "preferred_channel": "store",  # as many as web: by name
        "preferred_store": "S1",
        "days_between_orders": 310 / 3,  # four days with an order, the first and the last 310 apart
        "last_store_at": ago(300.1),
    }
    assert {name: found["ann"][name] for name in wanted} == wanted


def test_categories_count_pieces_bought_and_margin_only_known_costs(found: dict[str, Row]) -> None:
    ann = found["ann"]
    assert ann["categories"] == ["Books", "Shoes"]
    assert ann["preferred_category"] == "Books"
    assert ann["margin"] == Decimal("50.00")  # 60 - 20 + 50 - 30 - (20 - 10)


def test_what_was_done_is_counted_within_its_days(found: dict[str, Row]) -> None:
    wanted = {
        "events": 13,
        "sessions_30d": 3,
        "products_viewed_30d": 2,
        "products_added_30d": 1,
        "last_product_added_at": ago(3 - 61 * MINUTE),
        "last_web_at": ago(3 - 61 * MINUTE),
        "last_app_at": ago(3 - 61 * MINUTE),
        "last_active_at": ago(2),  # neither the opened e-mail nor the solved ticket nor the consent
        "emails_delivered_90d": 1,
        "emails_opened_90d": 1,
        "emails_clicked_90d": 1,
        "emails_opened_30d": 1,
        "emails_clicked_30d": 1,
        "last_service_at": ago(8),  # a ticket solved is our act, not theirs
        "allowed_purposes": ["email_marketing", "sms_marketing"],
        "last_email_click_at": ago(2),
        "tickets": 2,
        "open_tickets": 1,
        "last_csat": 4.0,
        "tenure_days": 500,
    }
    assert {name: found["ann"][name] for name in wanted} == wanted


def test_who_did_nothing_has_zeros_and_nothing_to_average(found: dict[str, Row]) -> None:
    eve = found["eve"].asDict()
    assert {name: eve[name] for name in ("orders", "revenue", "events", "tickets")} == dict.fromkeys(
        ("orders", "revenue", "events", "tickets"), 0
    )
    assert {eve[name] for name in ("average_order_value", "return_rate", "last_order_at", "margin", "last_csat")} == {
        None
    }


def test_only_buyers_are_scored(found: dict[str, Row]) -> None:
    names = ("recency_score", "frequency_score", "monetary_score", "rfm_segment")
    assert [found["ann"][name] for name in names] == [4, 4, 4, "Champions"]
    assert [found["bob"][name] for name in names] == [None] * 4  # a return without an order
    assert found["bob"]["revenue"] == Decimal("-9.00")
    assert found["bob"]["last_active_at"] == ago(40)


def test_fifths_of_buyers_are_as_even_as_their_values_allow(spark: SparkSession) -> None:
    rows = [(n, min(n, 60), Decimal(n)) for n in range(1, 101)]
    limits = bounds(spark.createDataFrame(rows, "days_since_last_order int, order_days bigint, revenue decimal(18,2)"))
    assert [sum(n > limit for limit in limits.monetary) + 1 for n in (1, 20, 21, 60, 61, 100)] == [1, 1, 2, 3, 4, 5]
    assert [sum(-n > limit for limit in limits.recency) + 1 for n in (1, 20, 21, 100)] == [5, 5, 4, 1]
    assert [sum(n > limit for limit in limits.frequency) + 1 for n in (20, 21, 60)] == [1, 2, 3]  # 41 of 100 are equal
