"""The BG/NBD model against published and high-precision values."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp.models.bgnbd import BgNbd, fit_bgnbd, gradient, log_likelihood

PUBLISHED = BgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426)


def arrays(*values: float) -> list[np.ndarray]:
    return [np.array([float(value)]) for value in values]


@pytest.mark.parametrize(
    ("history", "likelihood", "alive", "purchases", "buys"),
    [
        ((2, 30.43, 38.86), -9.458606, 0.726579, 1.226028, 0.554627),
        ((1, 1.71, 38.86), -4.469093, 0.212101, 0.203187, 0.116667),
        ((0, 0, 38.86), -0.554713, 1, 0.195098, 0.144551),
        ((7, 29.43, 38.86), -21.863276, 0.641756, 3.337053, 0.635642),
    ],
)
def test_published_parameters_give_the_known_predictions(history, likelihood, alive, purchases, buys):
    x, tx, age = arrays(*history)
    found = [
        log_likelihood(PUBLISHED, x, tx, age)[0],
        PUBLISHED.alive(x, tx, age)[0],
        PUBLISHED.purchases(x, tx, age, 39)[0],
        PUBLISHED.buys(x, tx, age, 39)[0],
    ]
    assert found == pytest.approx([likelihood, alive, purchases, buys], abs=2e-6)


@pytest.mark.parametrize(
    ("parameters", "history", "horizon", "expected"),
    [
        ((0.11, 2.24, 0.31, 0.50), (0, 0, 1), 30, 0.5645886),  # the textbook form gives NaN
        ((0.6317, 62.6541, 0.069, 0.6625), (0, 0, 100), 90, 0.3379090),
        ((0.5, 5, 0.3, 0.4), (0, 0, 1000), 365, 0.1642688),
        ((0.243, 4.414, 0.793, 2.426), (3000, 1094, 1095), 730, 1604.88658),  # powers overflow in the textbook form
        ((1.2, 20, 1.0000001, 3), (5, 20, 40), 90, 2.217335),  # a = 1 is a pole
    ],
)
def test_expected_purchases_are_right_where_the_textbook_form_fails(parameters, history, horizon, expected):
    found = BgNbd(*parameters).purchases(*arrays(*history), horizon)
    assert found[0] == pytest.approx(expected, rel=2e-7)


@given(
    logs=st.lists(st.floats(-2, 2), min_size=4, max_size=4),
    x=st.integers(0, 30),
    early=st.floats(0.01, 1),
    age=st.floats(1, 200),
)
def test_the_gradient_is_the_slope_of_the_likelihood(logs, x, early, age):
    history = arrays(x, early * age if x else 0, age)

    def likelihood(values: np.ndarray) -> float:
        return float(log_likelihood(BgNbd(*np.exp(values)), *history)[0])

    at, step = np.array(logs), 1e-5
    slopes = [(likelihood(at + step * unit) - likelihood(at - step * unit)) / (2 * step) for unit in np.eye(4)]
    found = gradient(BgNbd(*np.exp(at)), *history)[:, 0] * np.exp(at)
    assert found == pytest.approx(slopes, rel=1e-4, abs=1e-4)


def test_means_of_a_simulated_future_are_predicted():
    rng, model, age, horizon = np.random.default_rng(7), BgNbd(0.6, 8.0, 1.3, 4.0), 30.0, 20.0
    n = 400_000
    rate, leaves = rng.gamma(model.r, 1 / model.alpha, n), rng.beta(model.a, model.b, n)
    lasts = 1 + np.floor(np.log(rng.random(n)) / np.log1p(-leaves))  # purchases until the customer leaves
    before, after = rng.poisson(rate * age), rng.poisson(rate * horizon)
    is_alive = before < lasts
    x = np.minimum(before, lasts)
    place = np.where(is_alive, rng.random(n) ** (1 / np.maximum(before, 1)), 0)
    left = rng.beta(np.minimum(lasts, np.maximum(before, 1)), np.maximum(before - lasts + 1, 1))
    tx = np.where(x > 0, age * np.where(is_alive, place, left), 0)
    bought = np.where(is_alive, np.minimum(after, lasts - before), 0)

    whole = np.full(n, age)
    assert model.alive(x, tx, whole).mean() == pytest.approx(is_alive.mean(), rel=0.01)
    assert model.purchases(x, tx, whole, horizon).mean() == pytest.approx(bought.mean(), rel=0.02)
    assert model.buys(x, tx, whole, horizon).mean() == pytest.approx((bought > 0).mean(), rel=0.02)


def test_a_fit_is_the_same_whatever_the_unit_of_time():
    rng = np.random.default_rng(3)
    age = rng.uniform(20, 300, 800)
    x = rng.poisson(age / 60).astype(float)
    tx = np.where(x > 0, age * rng.random(800), 0)
    days, weeks = (fit_bgnbd(x, tx / unit, age / unit, np.ones(800)) for unit in (1, 7))
    assert (days.r, days.alpha, days.a, days.b) == pytest.approx((weeks.r, weeks.alpha * 7, weeks.a, weeks.b), rel=1e-3)


def test_nobody_who_came_back_is_no_ground_for_a_fit():
    with pytest.raises(ValueError, match="came back"):
        fit_bgnbd(*arrays(0, 0, 30, 5))


def cdnow(folder: Path) -> pd.DataFrame:
    """Histories of the CDNOW sample up to 1997-09-30, in weeks, with the spend of repeat days."""
    names = ["master", "customer", "day", "discs", "value"]
    rows = pd.read_csv(folder / "retail/cdnow/CDNOW_sample.txt", sep=r"\s+", header=None, names=names)
    rows["day"] = pd.to_datetime(rows["day"], format="%Y%m%d")
    end = pd.Timestamp("1997-09-30")
    days = rows[rows["day"] <= end].groupby(["customer", "day"], as_index=False)["value"].sum()
    days["first"] = days.groupby("customer")["day"].transform("min")
    histories = days.groupby("customer").agg(x=("day", "size"), last=("day", "max"), first=("first", "min"))
    spend = days[days["day"] > days["first"]].groupby("customer")["value"].mean()
    return pd.DataFrame(
        {
            "x": histories["x"] - 1.0,
            "tx": (histories["last"] - histories["first"]).dt.days / 7,
            "age": (end - histories["first"]).dt.days / 7,
            "m": spend,
        }
    ).fillna(0)


def test_cdnow_gives_the_published_parameters(public_data):
    rows = cdnow(public_data)
    x, tx, age = (rows[name].to_numpy() for name in ("x", "tx", "age"))
    found = fit_bgnbd(x, tx, age, np.ones(len(rows)))
    assert len(rows) == 2357
    assert (found.r, found.alpha, found.a, found.b) == pytest.approx((0.243, 4.414, 0.793, 2.426), abs=5e-4)
    assert log_likelihood(found, x, tx, age).sum() == pytest.approx(-9582.43, abs=0.01)


def test_cdnow_histories_with_weights_give_the_same_as_customer_by_customer(public_data):
    rows = cdnow(public_data)
    each = fit_bgnbd(*(rows[name].to_numpy() for name in ("x", "tx", "age")), np.ones(len(rows)))
    counted = rows.groupby(["x", "tx", "age"]).size().reset_index(name="customers")
    found = fit_bgnbd(*(counted[name].to_numpy(float) for name in ("x", "tx", "age", "customers")))
    assert len(counted) < len(rows) / 2
    assert (found.r, found.alpha, found.a, found.b) == pytest.approx((each.r, each.alpha, each.a, each.b), rel=1e-4)
