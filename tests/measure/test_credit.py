"""Touches and the credit they get."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession

from cdp.base.errors import ConfigError
from cdp.base.settings import parse
from cdp.measure.config import MODELS, AttributionConfig, MeasureConfig
from cdp.measure.credit import attribution
from cdp.measure.touches import touches
from cdp.tables.gold import CUSTOMER_ORDERS, TIMELINE
from cdp.tables.silver import CAMPAIGN_COSTS
from tests.measure.frames import frame
from tests.measure.slow import Event, Order, slow_credit, slow_touches

AS_OF = date(2026, 1, 31)
NOON = datetime(2026, 1, 20, 12)
PLAIN = AttributionConfig()


def events_frame(spark: SparkSession, events: list[Event]) -> DataFrame:
    return frame(spark, TIMELINE, [{"kind": "event", **e._asdict()} for e in events])


def orders_frame(spark: SparkSession, orders: list[Order], status: str = "completed") -> DataFrame:
    rows: list[dict[str, Any]] = [
        {
            **o._asdict(),
            "ordered_on": o.ordered_at.date(),
            "status": status,
            "amount": Decimal(str(o.amount)),
        }
        for o in orders
    ]
    return frame(spark, CUSTOMER_ORDERS, rows)


def no_costs(spark: SparkSession) -> DataFrame:
    return frame(spark, CAMPAIGN_COSTS, [])


def credited(
    spark: SparkSession, orders: list[Order], events: list[Event], config: AttributionConfig = PLAIN
) -> list[dict[str, Any]]:
    found = touches(events_frame(spark, events), no_costs(spark), config, as_of=AS_OF)
    rows = attribution(orders_frame(spark, orders), found, config, as_of=AS_OF).collect()
    return [row.asDict() for row in rows]


def ago(days: float, campaign: str | None, channel: str = "web", *, reference: str = "") -> Event:
    at = NOON - timedelta(days=days)
    return Event("ann", at, "web", reference or f"{days}{campaign}", "Page Viewed", channel, campaign)


ORDER = Order("shop", "o1", "ann", NOON, 100.0)


def test_each_model_shares_an_order_out_in_its_own_way(spark: SparkSession) -> None:
    config = AttributionConfig(events=("Page Viewed",))
    # Ages 21, 14, 7 and 0 days: weights under time_decay 1/8, 1/4, 1/2 and 1. The last visit is direct.
    events = [ago(21, "a"), ago(14, "b"), ago(7, "c"), ago(0, None)]

    rows = credited(spark, [ORDER], events, config)

    shares = {m: {r["touch_no"]: round(r["credit"], 9) for r in rows if r["model"] == m} for m in MODELS}
    assert shares == {
        "first_touch": {1: 1.0},
        "last_touch": {4: 1.0},
        "last_non_direct": {3: 1.0},
        "linear": {1: 0.25, 2: 0.25, 3: 0.25, 4: 0.25},
        "position_based": {1: 0.4, 2: 0.1, 3: 0.1, 4: 0.4},
        "time_decay": {1: round(1 / 15, 9), 2: round(2 / 15, 9), 3: round(4 / 15, 9), 4: round(8 / 15, 9)},
    }
    assert [r["revenue"] for r in rows if r["model"] == "linear"] == [25.0] * 4
    assert {r["channel"] for r in rows if r["touch_no"] == 4} == {"direct"}


def test_a_touch_counts_from_the_lookback_to_the_order_itself_and_no_further(spark: SparkSession) -> None:
    second = 1 / 86400
    events = [ago(30 + second, "too early"), ago(30, "first"), ago(0, "at once"), ago(-second, "too late")]

    rows = credited(spark, [ORDER], events)

    assert {r["campaign"] for r in rows if r["model"] == "linear"} == {"first", "at once"}


def test_orders_without_a_touch_or_a_customer_are_credited_to_none_under_every_model(spark: SparkSession) -> None:
    rows = credited(spark, [ORDER, Order("pos", "o2", None, NOON, 5.0)], [])

    assert len(rows) == 2 * len(MODELS)
    assert {(r["touch_no"], r["channel"], r["credit"], r["touched_at"]) for r in rows} == {(0, "none", 1.0, None)}
    assert sum(r["revenue"] for r in rows if r["model"] == "linear") == 105.0


def test_a_half_life_of_minutes_gives_the_last_touch_nearly_all_and_fails_for_no_age(spark: SparkSession) -> None:
    rows = credited(spark, [ORDER], [ago(30, "a"), ago(29, "b")], AttributionConfig(half_life_days=0.001))

    shares = {r["campaign"]: r["credit"] for r in rows if r["model"] == "time_decay"}
    assert shares["b"] == pytest.approx(1)


def test_only_completed_orders_up_to_the_date_are_credited(spark: SparkSession) -> None:
    late = ORDER._replace(order_id="late", ordered_at=datetime(2026, 2, 1))
    orders = orders_frame(spark, [ORDER, late]).unionByName(
        orders_frame(spark, [ORDER._replace(order_id="r1")], status="returned")
    )
    none = touches(events_frame(spark, []), no_costs(spark), PLAIN, as_of=AS_OF)

    rows = attribution(orders, none, PLAIN, as_of=AS_OF).collect()

    assert {r["order_id"] for r in rows} == {"o1"}


def test_events_that_nobody_came_by_are_no_touches(spark: SparkSession) -> None:
    mail = [ago(1, "mail", "email", reference=e)._replace(event=e) for e in ("Email Delivered", "Email Bounced")]

    found = touches(events_frame(spark, mail), no_costs(spark), PLAIN, as_of=AS_OF)

    assert found.isEmpty()


def test_the_campaign_that_an_order_carries_is_a_touch_where_no_visit_is_tracked(spark: SparkSession) -> None:
    bought = {"kind": "order", "event": "Order Completed", "customer_id": "ann", "occurred_at": NOON, "source": "shop"}
    timeline = frame(
        spark,
        TIMELINE,
        [
            {**bought, "reference": "o1", "channel": "web", "campaign": "spring"},
            {**bought, "reference": "o2", "channel": "store"},
            {**bought, "reference": "o3", "event": "Order Refunded", "campaign": "spring"},
        ],
    )

    found = touches(timeline, no_costs(spark), PLAIN, as_of=AS_OF).collect()

    assert [(r["reference"], r["campaign"]) for r in found] == [("o1", "spring")]


def test_a_touch_is_of_the_channel_that_its_campaign_was_paid_on(spark: SparkSession) -> None:
    spent = [("ads", "display", 10), ("ads", "paid_search", 90), ("news", "email", 5), ("news", "paid_social", 50)]
    costs = frame(
        spark,
        CAMPAIGN_COSTS,
        [
            {"campaign": c, "channel": ch, "day": date(2026, 1, 1), "cost": Decimal(cost), "source": ch}
            for c, ch, cost in spent
        ],
    )
    events = [ago(3, "ads"), ago(2, "news", "email"), ago(1, "friends", "social")]

    found = touches(events_frame(spark, events), costs, PLAIN, as_of=AS_OF).collect()

    # The dearest channel, unless the touch's own is one of them.
    channels = {r["campaign"]: r["channel"] for r in found}
    assert channels == {"ads": "paid_search", "news": "email", "friends": "social"}


MINUTES = st.sampled_from([0, 10, 29, 30, 31, 60, 24 * 60, 7 * 24 * 60, 29 * 24 * 60, 30 * 24 * 60, 31 * 24 * 60])
TIMES = st.builds(lambda a, b: NOON - timedelta(minutes=a + b), MINUTES, MINUTES)
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["ann", "bob", "cid"]),
        TIMES,
        st.sampled_from(["Page Viewed", "Email Opened", "Email Bounced"]),
        st.sampled_from(["web", "email", None]),
        st.sampled_from(["x", "y", None]),
    ),
    min_size=10,
    max_size=60,
)
ORDERS = st.lists(st.tuples(st.sampled_from(["ann", "bob", "cid", None]), TIMES), min_size=1, max_size=12)
CONFIGS = st.builds(
    AttributionConfig,
    lookback_days=st.sampled_from([1, 30]),
    events=st.sampled_from([(), ("Page Viewed", "Email Opened")]),
    visit_gap_minutes=st.sampled_from([0, 30]),
    half_life_days=st.sampled_from([1.0, 7.0]),
)


# Each example is a Spark job: few, and none to make a failing one smaller.
@settings(
    max_examples=4,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate),
)
@given(drawn=EVENTS, bought=ORDERS, config=CONFIGS)
def test_credit_agrees_with_the_slow_obvious_way(spark: SparkSession, drawn: Any, bought: Any, config: Any) -> None:
    events = [
        Event(who, at, "abc"[i % 3], str(i), event, channel, campaign)
        for i, (who, at, event, channel, campaign) in enumerate(drawn)
    ]
    orders = [Order("shop", str(i), who, at, 10.0 * i) for i, (who, at) in enumerate(bought)]

    rows = credited(spark, orders, events, config)

    expected = slow_credit(orders, slow_touches(events, config), config)
    actual = {(r["model"], r["order_id"], r["touch_no"]): r["credit"] for r in rows}
    assert actual == pytest.approx(expected, abs=1e-12)
    for model in MODELS:
        for order in orders:
            shares = [r for r in rows if (r["model"], r["order_id"]) == (model, order.order_id)]
            assert sum(r["credit"] for r in shares) == pytest.approx(1)
            assert sum(r["revenue"] for r in shares) == pytest.approx(order.amount)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"attribution": {"lookback": 3}}, "attribution.lookback: unknown key; did you mean lookback_days?"),
        ({"attribution": {"position_based": {"first": 0.7}}}, "at most 1, found 1.1"),
        ({"attribution": {"events": ["Email Bounced"]}}, "events and ignored_events both name Email Bounced"),
        ({"return_model": "last_click"}, "return_model"),
    ],
)
def test_a_wrong_setting_is_named(content: Any, problem: str) -> None:
    with pytest.raises(ConfigError, match=r"measure\.yaml has a problem") as error:
        parse(MeasureConfig, content, "measure.yaml")

    assert problem in str(error.value)
