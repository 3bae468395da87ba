"""Features as of a day, and the outcomes after it."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from chispa import assert_df_equality
from numpy.random import default_rng

from cdp.models.activity import daily_activity, daily_orders
from cdp.models.features import BEHAVIOUR, FEATURES, HISTORY, features, order_history, outcomes
from cdp.tables.gold import CUSTOMER_ORDER_LINES, CUSTOMER_ORDERS, TIMELINE
from tests.models.conftest import event, line, order

CUTOFF = date(2026, 1, 31)


def day(n: int) -> date:
    """n days before the cut-off."""
    return CUTOFF - timedelta(days=n)


def at(n: int) -> datetime:
    return datetime.combine(day(n), datetime.min.time()) + timedelta(hours=9)


@pytest.fixture(scope="module")
def activity(fill):
    """Ann's and Bob's days, with whatever else a test adds."""

    def make(*, orders=(), lines=(), events=(), as_of=CUTOFF):
        return daily_activity(
            fill(
                CUSTOMER_ORDERS,
                order("ann", day(100), "40.00", coupon="SPRING", channel="web"),
                order("ann", day(40), "20.00", channel="store"),
                order("ann", day(40), "10.00", channel="store"),  # the same day: one occasion
                order("ann", day(38), "-10.00", status="returned"),
                order("ann", day(5), "99.00", status="cancelled"),
                order("bob", day(0), "7.50", discount=Decimal("1.00")),
                order(None, day(3), "5.00"),  # nobody knows whose
                *orders,
            ),
            fill(
                CUSTOMER_ORDER_LINES,
                line("ann", day(100), "tea", category="drinks", quantity=Decimal("2")),
                line("ann", day(40), "mug", category="kitchen"),
                line("ann", day(38), "mug", category="toys", quantity=Decimal("-1"), status="returned"),
                *lines,
            ),
            fill(
                TIMELINE,
                event("ann", at(50), "Email Delivered", channel="email"),
                event("ann", at(20), "Email Delivered", channel="email"),
                event("ann", at(19), "Email Opened", channel="email"),
                event("ann", at(10), "Product Viewed", channel="web"),
                event("ann", at(10), "Product Added", channel="web"),
                event("ann", at(60), "Page Viewed", channel="app"),
                event("ann", at(70), "Ticket Created", channel="service"),
                event("cat", at(1), "Page Viewed", channel="web"),  # never ordered: no row
                *events,
            ),
            as_of=as_of,
        )

    return make


@pytest.fixture(scope="module")
def found(activity):
    return {row["customer_id"]: row.asDict() for row in features(activity(), [CUTOFF]).collect()}


def test_there_is_a_row_for_everyone_with_an_order_and_for_nobody_else(found):
    assert set(found) == {"ann", "bob"}


def test_of_everybody_it_is_those_with_any_activity_and_customers_are_as_they_were(activity, found):
    returns = [order("dan", day(3), "-5.00", status="returned")]  # of an order that was never sent
    rows = features(activity(orders=returns), [CUTOFF], everybody=True).collect()
    everybody = {row["customer_id"]: row.asDict() for row in rows}
    assert set(everybody) == {"ann", "bob", "cat", "dan"}
    assert {who: everybody[who] for who in found} == found
    for who, known in (("cat", 1), ("dan", 3)):
        assert {everybody[who][name] for name in FEATURES if name not in BEHAVIOUR} == {None}
        assert everybody[who]["days_known"] == known
    assert (everybody["cat"]["visit_days_30d"], everybody["cat"]["days_since_visit"]) == (1, 1)
    assert features(activity(), [day(2)], everybody=True).where("customer_id = 'cat'").count() == 0, "not known yet"


def test_behaviour_of_prospects_agrees_with_a_walk_through_their_events(fill):
    """Six people without an order, each with some twenty events, as of two days."""
    names = ("Email Delivered", "Email Opened", "Email Link Clicked", "Page Viewed", "Product Viewed", "Product Added", "Ticket Created")  # fmt: skip
    chance, events = default_rng(3), []
    for number in range(120):
        name = names[chance.integers(len(names))]
        channel = "email" if name.startswith("Email") else ("web", "app", "service")[chance.integers(3)]
        events.append(event(f"p{number % 6}", at(int(chance.choice([0, 29, 30, 89, 90, 364, 365, chance.integers(400)]))), name, channel=channel) | {"reference": str(number)})  # fmt: skip
    cutoffs = [CUTOFF, day(60)]
    none = fill(CUSTOMER_ORDERS), fill(CUSTOMER_ORDER_LINES)
    made = features(daily_activity(*none, fill(TIMELINE, *events), as_of=CUTOFF), cutoffs, everybody=True)
    rows = {(row["customer_id"], row["cutoff"]): {name: row[name] for name in BEHAVIOUR} for row in made.collect()}
    walked = {
        (who, cutoff): walk(events, who, cutoff) for who in {e["customer_id"] for e in events} for cutoff in cutoffs
    }
    assert rows == walked and len(rows) == 12


def walk(events: list[dict], who: str, cutoff: date) -> dict[str, float | None]:
    """`BEHAVIOUR` of somebody, event by event."""
    known = [
        ((cutoff - e["occurred_at"].date()).days, e["event"], e["channel"]) for e in events if e["customer_id"] == who
    ]
    # A page that was seen neither on the web nor in the app is nothing that anything is made of.
    known = [(age, e, via) for age, e, via in known if age >= 0 and (e != "Page Viewed" or via in ("web", "app"))]

    def ages(name: str, within: int = 10_000) -> list[int]:
        return [age for age, event, _ in known if event == name and age < within]

    visits = {age for age, _, channel in known if channel in ("web", "app")}
    delivered, opened = len(ages("Email Delivered", 90)), len(ages("Email Opened", 90))
    return {
        "emails_delivered_90d": delivered,
        "emails_opened_90d": opened,
        "emails_clicked_90d": len(ages("Email Link Clicked", 90)),
        "email_open_rate_90d": opened / delivered if delivered else None,
        "days_since_email_click": min(ages("Email Link Clicked"), default=None),
        "visit_days_30d": sum(age < 30 for age in visits),
        "visit_days_90d": sum(age < 90 for age in visits),
        "days_since_visit": min(visits, default=None),
        "products_viewed_30d": len(ages("Product Viewed", 30)),
        "products_added_30d": len(ages("Product Added", 30)),
        "products_added_90d": len(ages("Product Added", 90)),
        "tickets_365d": len(ages("Ticket Created", 365)),
        "days_known": max(age for age, _, _ in known),
    }


def test_the_history_counts_days_not_orders(found):
    assert [found["ann"][name] for name in HISTORY] == [1, 60, 101, 20.0]  # 30 - 10 returned, on one repeat day
    assert [found["bob"][name] for name in HISTORY] == [0, 0, 1, None]


def test_spending_takes_returns_off_and_leaves_cancelled_orders_out(found):
    ann = found["ann"]
    assert (ann["revenue"], ann["revenue_30d"], ann["revenue_90d"], ann["revenue_180d"]) == (60, 0, 20, 60)
    assert (ann["order_days_30d"], ann["order_days_90d"], ann["order_days_365d"]) == (0, 1, 2)
    assert (ann["last_day_value"], ann["return_rate"], ann["revenue_trend"]) == (30, 1 / 3, -20)


def test_what_was_bought_and_how_is_told(found):
    ann = found["ann"]
    assert (ann["categories"], ann["channels"], ann["store_share"], ann["discounted_share"]) == (2, 2, 2 / 3, 1 / 3)
    assert ann["pieces_per_order"] == 1
    assert found["bob"]["discounted_share"] == 1


def test_engagement_is_counted_in_its_windows(found):
    ann = found["ann"]
    names = ("emails_delivered_90d", "emails_opened_90d", "email_open_rate_90d", "visit_days_30d", "visit_days_90d")
    assert [ann[name] for name in names] == [2, 1, 0.5, 1, 2]
    assert (ann["products_added_30d"], ann["days_since_visit"], ann["tickets_365d"]) == (1, 10, 1)
    assert ann["days_since_email_click"] is None


def test_what_comes_after_the_cutoff_changes_nothing(activity):
    future = CUTOFF + timedelta(days=1)
    planted = {
        "orders": [order("ann", future, "500.00"), order("bob", future, "-7.50", status="returned")],
        "lines": [line("ann", future, "car", category="cars")],
        "events": [event("bob", datetime.combine(future, datetime.min.time()), "Email Link Clicked", channel="email")],
    }
    # Once as the run's date keeps it out, once as an earlier cut-off does, which is what training relies on.
    for as_of in (CUTOFF, CUTOFF + timedelta(days=90)):
        with_future = features(activity(**planted, as_of=as_of), [CUTOFF])
        assert_df_equality(with_future, features(activity(), [CUTOFF]), ignore_row_order=True)


def test_each_cutoff_sees_its_own_past(activity):
    earlier = day(50)
    rows = features(activity(), [earlier, CUTOFF]).where("customer_id = 'ann'").collect()
    assert {row["cutoff"]: (row["recency_days"], row["revenue"]) for row in rows} == {
        earlier: (50, 40),
        CUTOFF: (40, 60),
    }
    assert features(activity(), [earlier]).count() == 1  # bob had not ordered yet


def test_orders_alone_give_the_same_history(activity, fill):
    orders = fill(CUSTOMER_ORDERS, order("ann", day(100), "40.00"), order("ann", day(40), "30.00"))
    expected = features(daily_activity(orders, fill(CUSTOMER_ORDER_LINES), fill(TIMELINE), as_of=CUTOFF), [CUTOFF])
    actual = order_history(daily_orders(orders, as_of=CUTOFF), [CUTOFF])
    assert_df_equality(actual, expected.select("customer_id", "cutoff", *HISTORY))


def test_every_feature_is_a_double(activity):
    assert {f.dataType.simpleString() for f in features(activity(), [CUTOFF]).schema if f.name in FEATURES} == {
        "double"
    }


def test_the_outcome_begins_the_day_after_the_cutoff_and_ends_with_the_horizon(fill, spark):
    orders = fill(
        CUSTOMER_ORDERS,
        order("ann", day(60), "1.00"),  # the cut-off's own day: past
        order("ann", day(59), "2.00"),
        order("ann", day(59), "4.00"),  # the same day
        order("ann", day(30), "8.00"),  # the last day of the short horizon
        order("ann", day(29), "16.00"),
        order("bob", day(50), "-3.00", status="returned"),
        order("cat", day(0), "32.00"),  # the last day of the long one
        order("dan", day(61), "64.00"),
    )
    actual = outcomes(daily_orders(orders, as_of=CUTOFF), [day(60)], [30, 60])
    expected = spark.createDataFrame(
        [
            ("ann", day(60), 2.0, 14.0, 3.0, 30.0),
            ("bob", day(60), 0.0, -3.0, 0.0, -3.0),
            ("cat", day(60), 0.0, 0.0, 1.0, 32.0),
        ],
        "customer_id string, cutoff date, order_days_next_30 double, revenue_next_30 double,"
        " order_days_next_60 double, revenue_next_60 double",
    )
    assert_df_equality(actual, expected, ignore_row_order=True, ignore_nullable=True, ignore_metadata=True)
