"""Predictions: what a customer's rows say, and where they place the customer."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp.models.churn import RecencyRule
from cdp.models.config import Lifecycle
from cdp.models.features import FEATURES
from cdp.models.hearing import Answers
from cdp.models.learning import ByHorizon
from cdp.models.reasons import REASONS
from cdp.models.scoring import lifecycle_label, predictions, scored, scores, shares_below
from cdp.models.value import HistoricRate
from tests.models.pasts import nobody

AS_OF = date(2026, 1, 31)
NAN = float("nan")


def told(value, away, why_away=None) -> Answers:
    return Answers(np.array(value, dtype=float), np.array(away, dtype=float), None, why_away)


def why(**effects: float) -> np.ndarray:
    """What each reason adds, of one customer."""
    return np.array([[effects.get(name, 0.0) for name in REASONS]])


def batch(n: int, **columns) -> pd.DataFrame:
    return nobody(n).assign(customer_id=[f"c{i}" for i in range(n)], lifecycle="active", **columns)


def test_revenue_is_days_times_what_one_comes_to():
    found = scored(batch(2), 90, told([[1.5, 30.0, NAN, NAN], [0.0, 0.0, NAN, NAN]], [0.2, 0.9]))
    assert found["ltv"].tolist() == [30.0, 0.0]
    assert found["expected_order_value"].tolist() == [20.0, 0.0]
    assert found["horizon_days"].tolist() == [90, 90]


def test_the_next_order_is_dated_only_where_one_is_likelier_than_none():
    answers = [[days, 20, NAN, NAN] for days in (1.0, 1.0, 500.0)]
    found = scored(batch(3), 90, told(answers, [0.49, 0.5, 0.0]))
    assert found["next_order_in"].isna().tolist() == [False, True, False]
    assert found["next_order_in"].iloc[0] == 63  # ln 2 x 90 days
    assert found["next_order_in"].iloc[2] == 1, "tomorrow at the earliest"


def test_what_no_contract_would_take_is_put_right():
    found = scored(batch(2), 90, told([[-1e-9, 20, -5, 3], [1, -3, -2, -1]], [1.0000001, -1e-9]))
    assert (found[["ltv", "ltv_low", "ltv_high", "expected_orders"]] >= 0).all().all()
    assert found["churn_probability"].between(0, 1).all()


def test_ends_of_an_interval_are_missing_where_the_model_gives_none_and_never_nan():
    found = scored(batch(2), 90, told([[1, 20, NAN, NAN], [1, 20, 3.456, 70]], [0.5, 0.5]))
    assert found["ltv_low"].isna().tolist() == [True, False] and found["ltv_low"].iloc[1] == 3.46
    assert found["ltv_high"].isna().tolist() == [True, False]
    assert not np.isnan(found["ltv_low"].to_numpy(dtype=float, na_value=0)).any()


def test_the_strongest_reasons_are_told_with_the_features_own_value():
    parts = why(recency_days=0.5, revenue=-0.2, purchase_rhythm=0.3, channels=0.1)
    found = scored(batch(1, recency_days=70.0, revenue=12.0), 90, told([[1, 20, 1, 2]], [0.5], parts))
    row = found.iloc[0]
    assert [REASONS[row[f"churn_reason_{i}"]] for i in range(3)] == ["recency_days", "purchase_rhythm", "revenue"]
    assert [row[f"churn_effect_{i}"] for i in range(3)] == [0.5, 0.3, -0.2]
    assert (row["churn_value_0"], row["churn_value_2"]) == (70, 12)
    assert pd.isna(row["churn_value_1"]), "a rhythm is no single number"
    assert all(pd.isna(row[f"ltv_{what}_{i}"]) for what in ("reason", "value", "effect") for i in range(3)), "a rule"


def test_what_adds_nothing_is_no_reason():
    found = scored(batch(1), 90, told([[1, 20, 1, 2]], [0.5], why(channels=0.2, revenue=0.00004)))
    assert [found[f"churn_reason_{i}"].iloc[0] for i in (0, 1, 2)] == [REASONS.index("channels"), -1, -1]


@given(st.lists(st.tuples(st.sampled_from([90, 365]), st.integers(-3, 12)), min_size=1, max_size=60))
def test_a_percentile_is_the_share_of_customers_with_less(rows):
    frame = pd.DataFrame(rows, columns=["horizon_days", "key"])
    counts = frame.groupby(["horizon_days", "key"]).size().reset_index(name="customers").sample(frac=1, random_state=0)
    found = shares_below(counts, "ltv").set_index(["horizon_days", "ltv_key"])["ltv_percentile"]
    for horizon, key in set(rows):
        peers = [k for h, k in rows if h == horizon]
        assert found[horizon, key] == pytest.approx(sum(k < key for k in peers) / len(peers))


def test_customers_are_placed_by_value_and_by_churn_apart_for_each_horizon(spark):
    """Through the workers: rules whose answers are known."""
    rows = batch(100, order_days_365d=1.0).drop(columns="lifecycle")
    rows["revenue_365d"] = np.arange(100.0)
    rows["recency_days"] = np.arange(100.0)[::-1]
    ltv = ByHorizon([90, 365], [HistoricRate(90), HistoricRate(365)])
    rule = RecencyRule().fit(rows, np.arange(100) < 50)
    rule.edges_, rule.rates_ = np.arange(1.0, 100.0), np.arange(100) / 100
    churn = ByHorizon([90], [rule])
    frame = spark.createDataFrame(rows)
    answers = scores(frame, ltv, churn, lifecycle=Lifecycle(), with_reasons=True)
    made = predictions(answers, as_of=AS_OF, ltv_model="cdp_ltv/1", churn_model="cdp_churn/2")
    found = {r["customer_id"]: r for r in made.collect()}

    assert len(found) == 100 and {r["horizon_days"] for r in found.values()} == {90}, "the horizons that both know"
    best, last = found["c99"], found["c0"]
    assert (best["ltv_percentile"], best["churn_percentile"], best["tier"]) == (0.99, 0.0, "top_1")
    assert (last["ltv_percentile"], last["churn_percentile"], last["tier"]) == (0.0, 0.99, "rest")
    assert all(r["buy_probability"] == pytest.approx(1 - r["churn_probability"], abs=1e-9) for r in found.values())
    tiers = pd.Series([r["tier"] for r in found.values()]).value_counts()
    assert tiers.to_dict() == {"top_1": 1, "top_5": 4, "top_10": 5, "top_25": 15, "top_50": 25, "rest": 50}
    assert best["next_order_on"] is not None and last["next_order_on"] is None
    assert all(r["churn_reasons"] == r["ltv_reasons"] == [] for r in found.values()), "rules have none"
    assert all(r["ltv_low"] is None and r["ltv_high"] is None for r in found.values())


def test_the_label_is_the_silence_by_the_usual_gap(spark):
    """A gap of 90 days is usual; a customer's own counts the more, the more of them there were."""
    people = {
        "new": (0, 0, 90, 89),
        "no longer new": (0, 0, 91, 90),
        "at risk": (0, 0, 200, 135),
        "dormant": (0, 0, 400, 270),
        "lost": (0, 0, 800, 540),
        "often": (9, 210, 240, 30),  # (210 + 90) / 10 = 30 days
        "often, silent": (9, 210, 400, 180),
    }
    rows = nobody(len(people)).assign(name=list(people))
    rows[["repeat_days", "active_days", "age_days", "recency_days"]] = np.array(list(people.values()), dtype=float)
    labels = spark.createDataFrame(rows).select("name", lifecycle_label(Lifecycle()).alias("label")).collect()
    assert {row["name"]: row["label"] for row in labels} == {
        "new": "new", "no longer new": "active", "at risk": "at_risk", "dormant": "dormant", "lost": "lost",
        "often": "active", "often, silent": "lost",
    }  # fmt: skip


def test_every_feature_is_passed_on():
    assert set(FEATURES) <= set(batch(1))
