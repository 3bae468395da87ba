"""Predictions: what a customer's rows say, and where they place the customer."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp.models.features import FEATURES
from cdp.models.scoring import predictions, scored, shares_below

AS_OF = date(2026, 1, 31)


class Fixed:
    """A model that answers what it was told."""

    def __init__(self, answer) -> None:
        self.answer = np.array(answer, dtype=float)

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        return self.answer


def batch(n: int) -> pd.DataFrame:
    rows = pd.DataFrame({name: np.zeros(n) for name in FEATURES})
    rows["customer_id"] = [f"c{i}" for i in range(n)]
    return rows


def test_the_value_is_the_days_times_the_value_of_one():
    found = scored(batch(2), 90, Fixed([[1.5, 20.0], [0.0, 35.0]]), Fixed([0.2, 0.9]))
    assert found["ltv"].tolist() == [30.0, 0.0]
    assert found["horizon_days"].tolist() == [90, 90]


def test_the_next_order_is_dated_only_where_one_is_likelier_than_none():
    found = scored(batch(3), 90, Fixed([[1.0, 20], [1.0, 20], [500.0, 20]]), Fixed([0.49, 0.5, 0.0]))
    assert found["next_order_in"].isna().tolist() == [False, True, False]
    assert found["next_order_in"].iloc[0] == 63  # ln 2 x 90 days
    assert found["next_order_in"].iloc[2] == 1, "tomorrow at the earliest"


def test_what_no_contract_would_take_is_put_right():
    found = scored(batch(2), 90, Fixed([[-1e-9, 20], [1, -3]]), Fixed([1.0000001, -1e-9]))
    assert (found["ltv"] >= 0).all() and found["churn_probability"].between(0, 1).all()


@given(st.lists(st.tuples(st.sampled_from([90, 365]), st.integers(-3, 12)), min_size=1, max_size=60))
def test_a_percentile_is_the_share_of_customers_with_less(rows):
    frame = pd.DataFrame(rows, columns=["horizon_days", "key"])
    counts = frame.groupby(["horizon_days", "key"]).size().reset_index(name="customers").sample(frac=1, random_state=0)
    found = shares_below(counts, "ltv").set_index(["horizon_days", "ltv_key"])["ltv_percentile"]
    for horizon, key in set(rows):
        peers = [k for h, k in rows if h == horizon]
        assert found[horizon, key] == pytest.approx(sum(k < key for k in peers) / len(peers))


def test_customers_are_placed_by_value_and_by_churn_apart_for_each_horizon(spark):
    rows = [(f"c{i:03d}", 90, 1 - i / 1000, 1.0, float(i), float(i), 20) for i in range(100)]
    rows += [("c000", 365, 0.5, 1.0, 5.0, 5.0, None)]
    scores = spark.createDataFrame(
        rows,
        "customer_id string, horizon_days int, churn_probability double, expected_orders double,"
        " expected_order_value double, ltv double, next_order_in int",
    )
    frame = predictions(scores, as_of=AS_OF, ltv_model="cdp_ltv/1", churn_model="cdp_churn/2")
    found = {(r["customer_id"], r["horizon_days"]): r for r in frame.collect()}

    assert len(found) == 101
    best, last = found["c099", 90], found["c000", 90]
    assert (best["ltv_percentile"], best["churn_percentile"], best["tier"]) == (0.99, 0.0, "top_1")
    assert (last["ltv_percentile"], last["churn_percentile"], last["tier"]) == (0.0, 0.99, "rest")
    tiers = pd.Series([r["tier"] for key, r in found.items() if key[1] == 90]).value_counts()
    assert tiers.to_dict() == {"top_1": 1, "top_5": 4, "top_10": 5, "top_25": 15, "top_50": 25, "rest": 50}
    assert best["next_order_on"] == date(2026, 2, 20)
    assert found["c000", 365]["next_order_on"] is None
    assert found["c000", 365]["ltv_percentile"] == 0.0, "alone with that horizon"
