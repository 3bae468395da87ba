"""Predictions held against the sample's truth, and what its true rates could tell."""

import json
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from deltalake import write_deltalake

from cdp.base.errors import UsageError
from cdp.models.metrics import normalised_gini, roc_auc
from cdp.sample.reachable import expectations, reached

AS_OF = date(2026, 1, 31)
PERSONS = 60


@pytest.mark.parametrize(
    ("per_year", "leaves", "silence", "horizon"), [(6, 0.2, 40, 90), (2, 0.4, 200, 365), (12, 0.05, 5, 90)]
)
def test_expectations_are_the_means_of_lives_that_were_silent_as_long(per_year, leaves, silence, horizon):
    rng, rate = np.random.default_rng(1), per_year / 365
    counts = []
    while len(counts) < 4_000:
        stays = rng.random() >= leaves
        next_in = rng.exponential(1 / rate) if stays else np.inf
        if next_in <= silence:
            continue  # not so silent
        count, day = 0, next_in - silence
        while day <= horizon:
            count += 1
            if rng.random() < leaves:
                break
            day += rng.exponential(1 / rate)
        counts.append(count)
    buys, orders = expectations(np.array([rate]), np.array([leaves]), np.array([float(silence)]), horizon)
    assert buys[0] == pytest.approx(np.mean(np.array(counts) > 0), abs=0.03)
    assert orders[0] == pytest.approx(np.mean(counts), rel=0.06)


@pytest.fixture
def world(tmp_path: Path) -> tuple[Path, Path]:
    """A lake and a truth of a few persons, written without Spark."""
    rng = np.random.default_rng(4)
    persons = np.arange(PERSONS)
    per_year, spend = rng.gamma(2, 2, PERSONS), rng.gamma(5, 0.2, PERSONS)
    silence = rng.integers(1, 200, PERSONS)
    lake, truth = tmp_path / "lake", tmp_path / "landing-truth"
    customers = [f"c{n}" for n in persons]
    predicted = pd.DataFrame({"customer_id": customers, "horizon_days": np.int32(90)}).assign(
        churn_probability=np.round(rng.random(PERSONS), 3), ltv=np.round(rng.gamma(2, 30, PERSONS), 2),
        ltv_low=0.0, ltv_high=80.0, scored_on=AS_OF,
    )  # fmt: skip
    far = predicted.assign(horizon_days=np.int32(730))
    prospect = predicted.head(1).assign(customer_id="somebody", churn_probability=np.nan)
    write_deltalake(lake / "gold/predictions", pd.concat([predicted, far, prospect], ignore_index=True))
    records = [("crm", f"r{n}", f"c{n}", True) for n in persons]
    records += [("shop", "x1", "c1", True), ("shop", "x2", "c1", True), ("crm", "r1", "c2", False)]
    write_deltalake(
        lake / "identity/assignments",
        pd.DataFrame(records, columns=["source", "record_key", "customer_id", "is_current"]),
    )
    bought = [(f"c{n}", AS_OF - timedelta(days=int(silence[n])), "completed") for n in persons]
    bought += [("c3", AS_OF, "cancelled"), ("c4", AS_OF + timedelta(days=1), "completed")]
    write_deltalake(lake / "gold/orders", pd.DataFrame(bought, columns=["customer_id", "ordered_on", "status"]))

    rates = pd.DataFrame({"person_id": persons, "orders_per_year": per_year, "drop_chance": 0.2, "spend_level": spend})
    # Two of three records of customer 1 are of person 2: the customer is taken for that person.
    whose = [("crm", f"r{n}", n) for n in persons] + [("shop", "x1", 2), ("shop", "x2", 2), ("web", "unknown", 5)]
    orders = [(int(n), datetime(2026, 2, 10), 50.0 * spend[n], False, False) for n in persons[::2]]
    orders += [(1, datetime(2026, 2, 10), 9.0, True, False), (3, datetime(2026, 2, 10), 0.0, False, True)]
    orders += [(5, datetime(2026, 5, 1, 23), 70.0, False, False), (7, datetime(2026, 5, 2), 70.0, False, False)]
    names = ["person_id", "ordered_at", "net_eur", "cancelled", "returned"]
    for name, rows in (
        ("person_truth", rates),
        ("record_truth", pd.DataFrame(whose, columns=["source", "record_key", "person_id"])),
        ("future_orders", pd.DataFrame(orders, columns=names)),
    ):
        (truth / name).mkdir(parents=True)
        rows.to_parquet(truth / name / "part.parquet")
    (truth / "summary.json").write_text(json.dumps({"as_of": str(AS_OF)}))
    return lake, truth


def test_predictions_are_held_against_what_persons_do(world):
    lake, truth = world
    (found,) = reached(lake, truth)
    assert (found.horizon_days, found.customers) == (90, PERSONS), "730 days are further than the truth reaches"

    told = (
        pd.read_parquet(next((lake / "gold/predictions").glob("*.parquet"))).query("horizon_days == 90").head(PERSONS)
    )
    rates = pd.read_parquet(truth / "person_truth")
    orders = pd.read_parquet(truth / "future_orders").query("not cancelled and not returned")
    within = orders[orders["ordered_at"] < "2026-05-02"]
    person = [2 if n == 1 else n for n in range(PERSONS)]
    revenue = np.array([within.loc[within["person_id"] == n, "net_eur"].sum() for n in person])
    away = np.array([float(not (within["person_id"] == n).any()) for n in person])
    assert away[[1, 3, 5, 7]].tolist() == [0, 1, 0, 1], "of person 2; returned; the last day; the day after"
    assert found.auc == pytest.approx(roc_auc(away, told["churn_probability"].to_numpy()))
    assert found.gini == pytest.approx(normalised_gini(revenue, told["ltv"].to_numpy()))
    assert found.brier == pytest.approx(((told["churn_probability"] - away) ** 2).mean())
    assert found.total == pytest.approx(told["ltv"].sum() / revenue.sum() - 1)
    assert found.covered == pytest.approx((revenue <= 80.005).mean())

    history = pd.read_parquet(next((lake / "gold/orders").glob("*.parquet"))).head(PERSONS)
    silence = np.array([(AS_OF - day).days for day in history["ordered_on"]], dtype=float)
    rate = rates["orders_per_year"].to_numpy()[person] / 365
    buys, often = expectations(rate, np.full(PERSONS, 0.2), silence, 90)
    assert found.best_auc == pytest.approx(roc_auc(away, 1 - buys))
    assert found.best_gini == pytest.approx(normalised_gini(revenue, often * rates["spend_level"].to_numpy()[person]))
    assert found.share_of_auc == pytest.approx((found.auc - 0.5) / (found.best_auc - 0.5))


def test_predictions_of_another_day_are_not_held_against_this_truth(world):
    lake, truth = world
    (truth / "summary.json").write_text(json.dumps({"as_of": "2026-02-01"}))
    with pytest.raises(UsageError, match="found predictions of 2026-01-31, wanted those of 2026-02-01"):
        reached(lake, truth)


def test_a_folder_that_is_no_truth_is_named(world):
    lake, truth = world
    with pytest.raises(UsageError, match="wanted the folder that the sample writes"):
        reached(lake, truth / "nothing")
    (truth / "future_orders" / "part.parquet").write_bytes(b"no parquet")
    with pytest.raises(UsageError, match="future_orders cannot be read"):
        reached(lake, truth)
