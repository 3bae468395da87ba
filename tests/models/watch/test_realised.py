"""What came true: on the screen, with returns, merged and erased customers, and against a slow Python version."""

import math
from datetime import date, datetime, timedelta

import numpy as np
import pytest

from cdp.models.activity import daily_orders
from cdp.models.watch.ids import present_ids
from cdp.models.watch.realised import Kept, collect, realised
from cdp.tables.gold import CUSTOMER_ORDERS, PREDICTION_SNAPSHOTS
from cdp.tables.identity import CHANGES
from tests.models.conftest import order
from tests.models.watch.conftest import AS_OF, CHURN, LTV

SCORED_ON = date(2025, 11, 1)
KEPT = Kept(SCORED_ON, 30)


def kept(customer: str, churn: float, ltv: float, horizon: int = 30, **more):
    """A row of gold.prediction_snapshots."""
    return {
        "customer_id": customer, "horizon_days": horizon, "churn_probability": churn, "expected_orders": 0.0, "ltv": ltv,
        "ltv_model": LTV, "churn_model": CHURN, "scored_on": SCORED_ON, **more,
    }  # fmt: skip


def merge(previous: str, customer: str, batch: int, change: str = "merged", on: date = date(2025, 12, 1)):
    """A row of identity.changes."""
    return {
        "run_id": f"r{batch}", "batch": batch, "changed_at": datetime.combine(on, datetime.min.time()), "change": change,
        "customer_id": customer, "previous_customer_id": previous, "records": 1, "reason": "-",
    }  # fmt: skip


def after(days: int) -> date:
    return SCORED_ON + timedelta(days=days)


def rows_of(spark, table, *rows):
    return spark.createDataFrame([tuple(row.get(c.name) for c in table.columns) for row in rows], table.schema)


def hold(spark, fill, snapshots, orders, changes=(), which=(KEPT,), as_of=AS_OF):
    ids = present_ids(rows_of(spark, CHANGES, *changes), as_of=as_of)
    days = daily_orders(fill(CUSTOMER_ORDERS, *orders), as_of=as_of)
    return collect(realised(rows_of(spark, PREDICTION_SNAPSHOTS, *snapshots), days, ids, which, as_of=as_of))


def test_what_customers_did_within_the_horizon_is_what_came_true(spark, fill):
    before = after(-100)
    snapshots = [
        kept("ann", 0.2, 50.0, ltv_low=10.0, ltv_high=80.0),
        kept("bob", 0.9, 5.0, ltv_low=0.0, ltv_high=9.99),
        kept("cat", 0.6, 20.0, ltv_low=30.0, ltv_high=40.0),
        kept("dan", 0.5, 20.0),
        kept("eve", 0.5, 20.0),
    ]
    orders = [
        order("ann", after(1), "60.00"),
        order("ann", after(30), "-15.00", status="returned"),
        order("ann", after(31), "500.00"),  # after the horizon
        order("ann", SCORED_ON, "70.00"),  # on the day itself: known when it was scored
        order("bob", before, "5.00"),  # did not come back
        order("cat", before, "99.00"),
        order("cat", after(5), "-99.00", status="returned"),  # a return is no order, and no value below 0
        order("dan", before, "1.00"),
        order("dan", after(9), "7.00", status="cancelled"),  # counts nowhere
    ]  # eve is known no more
    (found,) = hold(spark, fill, snapshots, orders)

    assert (found.kept, found.customers, found.left_out, found.merged) == (KEPT, 4, 1, 0)
    assert (found.ltv_model, found.churn_model) == (LTV, CHURN)
    assert found.churn.to_numpy().tolist() == [[20_000, 1, 0], [50_000, 1, 1], [60_000, 1, 1], [90_000, 1, 1]]
    assert found.ltv[["customers", "predicted", "actual"]].to_numpy().tolist() == [[1, 5, 0], [2, 40, 0], [1, 50, 45]]
    assert found.actual[["customers", "actual"]].to_numpy().tolist() == [[3, 0], [1, 45]]
    assert (found.with_interval, found.covered) == (3, 2), "cat spent nothing, below the interval"


def test_customers_who_turned_out_to_be_one_person_are_one(spark, fill):
    snapshots = [kept("old", 0.5, 10.0, ltv_low=1.0, ltv_high=90.0), kept("mid", 0.4, 20.0), kept("new", 0.5, 30.0)]
    changes = [
        merge("old", "mid", 3),
        merge("mid", "new", 7),
        merge("new", "later", 9, on=AS_OF + timedelta(days=1)),  # not known as of the run's date
        merge("new", "other", 8, change="moved"),  # some records went, the id stays
    ]
    orders = [order("new", after(2), "25.00")]
    (found,) = hold(spark, fill, snapshots, orders, changes)
    assert found.churn.to_numpy().tolist() == [[10_000, 1, 0]], "none of 0.5, 0.4 and 0.5 came back: 0.1"
    assert found.ltv[["customers", "predicted", "actual"]].to_numpy().tolist() == [[1, 60, 25]]
    assert (found.merged, found.left_out, found.with_interval) == (1, 0, 0)


def test_chains_of_merges_are_followed_to_their_end(spark):
    chain = [merge(f"c{i:02d}", f"c{i + 1:02d}", i) for i in range(11)]
    found = present_ids(rows_of(spark, CHANGES, *chain), as_of=AS_OF).collect()
    assert {row["previous_customer_id"]: row["customer_id"] for row in found} == {f"c{i:02d}": "c11" for i in range(11)}


def test_days_and_horizons_are_told_apart_and_one_that_has_not_passed_is_refused(spark, fill):
    earlier = SCORED_ON - timedelta(days=30)
    snapshots = [
        kept("ann", 0.5, 9.0),
        kept("ann", 0.3, 12.0, horizon=60),
        kept("ann", 0.7, 8.0, scored_on=earlier),
        kept("ann", 0.1, 99.0, horizon=365),  # still open
    ]
    orders = [order("ann", after(45), "20.00")]
    which = [Kept(earlier, 30), Kept(SCORED_ON, 30), Kept(SCORED_ON, 60)]
    found = hold(spark, fill, snapshots, orders, which=which)
    assert [one.kept for one in found] == which
    assert [int(one.churn["churned"].sum()) for one in found] == [1, 1, 0]
    with pytest.raises(ValueError, match="2025-11-01, 365 days, ends after 2026-01-31"):
        hold(spark, fill, snapshots, orders, which=[Kept(SCORED_ON, 365)])


def test_counts_are_those_of_a_loop_over_customers(spark, fill):
    rng = np.random.default_rng(4)
    people = [
        (
            int(p),
            int(cents),
            list(zip(rng.integers(-5, 40, n).tolist(), rng.integers(-900, 900, n).tolist(), strict=True)),
        )
        for p, cents, n in zip(rng.integers(0, 100, 60), rng.integers(0, 3000, 60), rng.integers(0, 5, 60), strict=True)
    ]
    snapshots = [kept(f"c{i}", p / 100, cents / 100) for i, (p, cents, _) in enumerate(people)]
    orders = [
        order(
            f"c{i}",
            after(day),
            f"{cents / 100:.2f}",
            order_id=f"{i}-{n}",
            status="completed" if cents > 0 else "returned",
        )
        for i, (_, _, done) in enumerate(people)
        for n, (day, cents) in enumerate(done)
    ]
    (found,) = hold(spark, fill, snapshots, orders)

    churn: dict[int, list[int]] = {}
    spent: dict[int, list[float]] = {}
    for p, cents, done in people:
        if not done:
            continue
        inside = [c for day, c in done if 1 <= day <= 30]
        entry = churn.setdefault(p * 1000, [0, 0])
        entry[0] += 1
        entry[1] += not any(c > 0 for c in inside)
        step = spent.setdefault(math.floor(math.log1p(cents / 100) * 5000), [0, 0, 0])
        for place, amount in enumerate((1, cents / 100, max(sum(inside), 0) / 100)):
            step[place] += amount
    assert found.churn.to_numpy().tolist() == [[key, *churn[key]] for key in sorted(churn)]
    assert found.left_out == sum(not done for *_, done in people)
    assert found.ltv["key"].tolist() == sorted(spent)
    assert np.allclose(found.ltv[["customers", "predicted", "actual"]], [spent[key] for key in sorted(spent)])
