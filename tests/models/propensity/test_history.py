"""What is known as of a day, beside a slow and obvious version; and who is eligible."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from cdp.conditions.filters import ColumnCondition, Filter
from cdp.models.propensity.config import Predict
from cdp.models.propensity.eligible import is_eligible, with_struct
from cdp.models.propensity.history import (
    as_of_cutoffs,
    came_after,
    columns_of,
    daily_events,
    frequent_events,
    occurrences,
)
from cdp.models.propensity.snapshot import became, known_days
from cdp.tables.gold import CUSTOMER_ORDER_LINES, CUSTOMER_ORDERS, PROFILES, TIMELINE, TRAITS
from tests.models.propensity.conftest import AS_OF, happened, service

CUTOFFS = [AS_OF - timedelta(days=days) for days in (90, 60, 31, 30)]
WINDOW = 30


def slow_features(rows, cutoff, events):
    """Of each customer with a trace by the cut-off, what `as_of_cutoffs` and `came_after` say, by plain loops."""
    found = {}
    for customer in {r["customer_id"] for r in rows}:
        own = {(r["occurred_at"].date(), r["event"]) for r in rows if r["customer_id"] == customer}
        before = {(day, event) for day, event in own if day <= cutoff}
        if not before:
            continue

        def days(event, within=10_000, before=before):
            return len({day for day, name in before if name == event and (cutoff - day).days < within})

        def since(event, before=before):
            ages = [(cutoff - day).days for day, name in before if name == event]
            return min(ages) if ages else None

        target = "Subscription Started"
        told = {"target_days": days(target), "target_days_since": since(target)}
        told |= {f"target_days_{n}d": days(target, n) for n in (30, 90, 365)}
        told["known_days"] = max((cutoff - day).days for day, _ in before)
        for i, event in enumerate(events):
            told |= {f"event_{i}_days_{n}d": days(event, n) for n in (30, 365)}
            told[f"event_{i}_days_since"] = since(event)
        told["happened"] = float(any(e == target and cutoff < day <= cutoff + timedelta(days=WINDOW) for day, e in own))
        found[customer] = told
    return found


def test_features_and_outcomes_are_those_of_a_slow_version(spark, fill):
    rows = service(customers=25)
    timeline = fill(TIMELINE, *rows)
    predict = Predict(event="Subscription Started")
    events = frequent_events(timeline, until=AS_OF)
    assert events == ["App Opened", "Pricing Viewed", "Subscription Started"]
    days = daily_events(timeline, occurrences(predict, timeline, None, None, as_of=AS_OF), events, as_of=AS_OF)
    both = as_of_cutoffs(days, events, CUTOFFS).join(
        came_after(days, CUTOFFS, WINDOW), on=["customer_id", "cutoff"], how="left"
    )
    found = both.fillna(0.0, ["happened"]).toPandas()
    assert {name for name in found if name.startswith("event_")} == set(columns_of(events))
    for cutoff in CUTOFFS:
        told = found[found["cutoff"] == cutoff].drop(columns="cutoff").set_index("customer_id")
        expected = slow_features(rows, cutoff, events)
        assert set(told.index) == set(expected)
        for customer, row in expected.items():
            for name, value in row.items():
                actual = told.loc[customer, name]
                assert np.isnan(actual) if value is None else actual == value, (cutoff, customer, name)
    assert found["happened"].sum() >= 5, "there is something to find"


def test_an_event_is_told_by_its_properties_and_an_order_by_its_lines(fill):
    noon = datetime(2026, 1, 5, 12)
    timeline = fill(
        TIMELINE,
        happened("ann", date(2026, 1, 3), "Started", properties={"plan": "pro", "seats": "3"}),
        happened("bob", date(2026, 1, 3), "Started", properties={"plan": "basic", "seats": "3"}),
        happened("cleo", date(2026, 1, 3), "Started", properties={"plan": "pro", "seats": "1"}),
        happened("dan", date(2026, 2, 3), "Started", properties={"plan": "pro", "seats": "3"}),  # after the run's date
        happened("eve", date(2026, 1, 3), "Started"),  # nothing known of it
    )
    many = Filter.model_validate({"type": "And", "conditions": [{"type": "Column", "column": "properties.seats", "operator": {"type": "Greater", "value": 2}}]})  # fmt: skip
    asked = Predict(event=["Started", "Restarted"], properties={"plan": "pro"}, filter=many)
    found = occurrences(asked, timeline, None, None, as_of=AS_OF).collect()
    assert [(r["customer_id"], r["on"]) for r in found] == [("ann", date(2026, 1, 3))]

    order = {"ordered_at": noon, "ordered_on": noon.date(), "status": "completed"}
    orders = fill(
        CUSTOMER_ORDERS,
        {**order, "order_id": "1", "customer_id": "ann"},
        {**order, "order_id": "2", "customer_id": "bob", "status": "cancelled"},
        {**order, "order_id": "3"},  # of nobody known
    )
    line = {"ordered_at": noon, "status": "completed", "quantity": Decimal(1), "product_id": "p"}
    lines = fill(
        CUSTOMER_ORDER_LINES,
        {**line, "order_id": "1", "customer_id": "ann", "category": "hats"},
        {**line, "order_id": "4", "customer_id": "cleo", "category": "shoes"},
        {**line, "order_id": "5", "customer_id": "dan", "category": "shoes", "quantity": Decimal(-1)},  # given back
        {**line, "order_id": "6", "customer_id": "eve", "category": "shoes", "brand": "x"},
    )

    def who(predict):
        return sorted(r["customer_id"] for r in occurrences(predict, timeline, orders, lines, as_of=AS_OF).collect())

    assert who(Predict(order=True)) == ["ann"]
    assert who(Predict(order=True, category="shoes")) == ["cleo", "eve"]
    assert who(Predict(order=True, category=["shoes", "hats"], brand="x")) == ["eve"]


def test_who_is_eligible_is_asked_as_of_each_cutoff(spark, fill):
    profiles = fill(
        PROFILES,
        {"customer_id": "ann", "country": "DE", "first_seen_at": datetime(2025, 12, 20), "attributes": {"plan": "pro"}},
        {"customer_id": "bob", "country": "FR", "first_seen_at": datetime(2025, 12, 20), "attributes": {"plan": "pro"}},
        {"customer_id": "cleo", "country": "DE", "first_seen_at": datetime(2025, 10, 1)},
    )
    days = [date(2025, 12, 31), date(2026, 1, 31)]
    rows = spark.createDataFrame(
        [(who, day, seen) for who in ("ann", "bob", "cleo") for day, seen in zip(days, (0.0, 1.0), strict=True)],
        "customer_id string, cutoff date, target_days double",
    )

    def who(condition):
        wanted = (
            ColumnCondition.model_validate(condition)
            if condition["type"] == "Column"
            else Filter.model_validate(condition)
        )
        joined = with_struct(rows, profiles, "profile")
        found = joined.where(is_eligible(wanted, Predict(event="X"), TRAITS, days)).collect()
        return sorted((r["customer_id"], r["cutoff"].month) for r in found)

    in_germany = {"type": "Column", "column": "profile.country", "operator": {"type": "Equal", "value": "DE"}}
    never = {"type": "Column", "column": "features.target_days", "operator": {"type": "Equal", "value": 0}}
    pro = {"type": "Column", "column": "profile.attributes.plan", "operator": {"type": "Equal", "value": "pro"}}
    new = {
        "type": "Column",
        "column": "profile.first_seen_at",
        "operator": {"type": "TimeWithinPast", "value": 30, "unit": "day"},
    }
    assert who({"type": "And", "conditions": [in_germany, never]}) == [("ann", 12), ("cleo", 12)]
    assert who(pro) == [("ann", 1), ("ann", 12), ("bob", 1), ("bob", 12)]
    assert who(new) == [("ann", 12), ("bob", 12)]


def test_a_trait_becomes_something_within_the_window_after_a_kept_day(spark):
    days = [date(2026, 1, 1), date(2026, 1, 15), date(2026, 1, 31)]
    path = {
        "ann": (False, True, False),  # for a while
        "bob": (False, False, True),
        "cleo": (True, True, True),  # was there from the first
        "dan": (False, False, False),
    }
    states = spark.createDataFrame(
        [(who, day, is_there) for who, there in path.items() for day, is_there in zip(days, there, strict=True)],
        "customer_id string, as_of date, is_there boolean",
    )
    found = {(r["customer_id"], r["cutoff"]): r["happened"] for r in became(states, days[:2], 20).collect()}
    assert found == {
        ("ann", days[0]): 1.0,
        ("bob", days[0]): 0.0,
        ("dan", days[0]): 0.0,
        ("bob", days[1]): 1.0,
        ("dan", days[1]): 0.0,
    }


@pytest.mark.parametrize(
    ("offsets", "window", "step", "expected"),
    [
        ((0, 30, 60), 30, 30, (30, 0)),
        ((0, 28, 60), 30, 30, (0,)),  # 28 + 30 has not come: 60 is beyond, and 28 is in the last tenth
        ((0, 5, 10, 15), 10, 7, (5,)),
        ((0, 40), 30, 30, ()),
        ((), 30, 30, ()),
    ],
)
def test_days_whose_window_is_known(offsets, window, step, expected):
    start = date(2025, 6, 1)
    days = [start + timedelta(days=n) for n in offsets]
    found = known_days(days, window_days=window, step_days=step, most=9)
    assert [(day - start).days for day in found] == list(expected)
