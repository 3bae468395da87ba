"""BG/NBD against published values; what it shares with the other models is in `test_lifetimes`."""

from dataclasses import astuple
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import hyp2f1

from cdp.models.bgnbd import BgNbd, estimate_bgnbd, fit_bgnbd, gradient, log_likelihood
from cdp.models.lifetimes import median_wait, new_customer_purchases
from tests.models import exact
from tests.models.test_lifetimes import arrays

PUBLISHED = BgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426)


@pytest.mark.parametrize(
    ("history", "likelihood", "alive", "purchases", "buys", "wait"),
    [
        ((2, 30.43, 38.86), -9.458606, 0.726579, (0.457210, 1.226028), (0.323491, 0.554627), 15.6695),
        ((1, 1.71, 38.86), -4.469093, 0.212101, (0.074676, 0.203187), (0.059084, 0.116667), 32.3061),
        ((0, 0, 38.86), -0.554713, 1, (0.069927, 0.195098), (0.061837, 0.144551), 706.678),
        ((7, 29.43, 38.86), -21.863276, 0.641756, (1.279136, 3.337053), (0.546019, 0.635642), 4.3459),
    ],
)
def test_published_parameters_give_the_known_predictions(history, likelihood, alive, purchases, buys, wait):
    x, tx, age = arrays(*history)
    weeks = np.array([13.0, 39.0])
    found = [log_likelihood(PUBLISHED, x, tx, age)[0], PUBLISHED.alive(x, tx, age)[0]]
    assert found == pytest.approx([likelihood, alive], abs=2e-6)
    assert PUBLISHED.purchases(x, tx, age, weeks) == pytest.approx(purchases, abs=2e-6)
    assert PUBLISHED.buys(x, tx, age, weeks) == pytest.approx(buys, abs=2e-6)
    assert median_wait(PUBLISHED, x, age)[0] == pytest.approx(wait, rel=2e-5)


@pytest.mark.parametrize(
    ("history", "horizon", "likelihood", "alive", "purchases"),
    [
        ((29, 37.86, 38.86), 39, -44.437533, 0.950899, 19.364272),
        ((26, 30.86, 31.0), 78, -37.726579, 0.968916, 34.260602),
    ],
)
def test_the_most_active_customers_are_predicted(history, horizon, likelihood, alive, purchases):
    x, tx, age = arrays(*history)
    found = [
        log_likelihood(PUBLISHED, x, tx, age)[0],
        PUBLISHED.alive(x, tx, age)[0],
        PUBLISHED.purchases(x, tx, age, horizon)[0],
    ]
    assert found == pytest.approx([likelihood, alive, purchases], abs=2e-6)


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


@pytest.mark.parametrize(
    ("parameters", "history", "horizon"),
    [
        ((7.4, 1.0, 7.4, 2.7), (400, 0.5, 1), 100),
        ((2.0, 1.0, 30.0, 0.5), (300, 0.99, 1), 60),
    ],
)
def test_expected_purchases_are_right_where_the_series_overflows(parameters, history, horizon):
    x, tx, age = history
    a, total, z = parameters[2], parameters[2] + parameters[3] + x - 1, horizon / (parameters[1] + age + horizon)
    assert not np.isfinite(hyp2f1(total - parameters[0] - x, a - 1, total, z))
    model = BgNbd(*parameters)
    found = model.purchases(*arrays(x, tx, age), horizon)[0]
    assert found == pytest.approx(exact.purchases(model, x, tx, age, horizon), rel=1e-5)


def test_what_a_new_customer_does_is_known():
    found = new_customer_purchases(PUBLISHED, np.array([1.0, 10.0, 39.0, 78.0]))
    assert found == pytest.approx([0.053268, 0.432413, 1.196723, 1.860519], abs=1e-6)
    shares = PUBLISHED.pmf(np.arange(5.0), 39)
    assert shares == pytest.approx([0.573786, 0.199395, 0.085430, 0.045860, 0.027671], abs=1e-6)


def test_who_bought_once_cannot_have_left():
    assert PUBLISHED.alive(*arrays(0, 0, 1e6))[0] == 1


def cdnow(folder: Path) -> pd.DataFrame:
    """`histories_of` the CDNOW sample."""
    names = ["master", "customer", "day", "discs", "value"]
    path = folder / "retail/cdnow/CDNOW_sample.txt"
    return histories_of(pd.read_csv(path, sep=r"\s+", header=None, names=names))


def histories_of(rows: pd.DataFrame) -> pd.DataFrame:
    """Histories of CDNOW's customers up to 1997-09-30, in weeks, with the mean spend of repeat days."""
    rows = rows.assign(day=pd.to_datetime(rows["day"], format="%Y%m%d"))
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


def rounded(rows: pd.DataFrame) -> list[np.ndarray]:
    """Histories with times to two digits, as the published data set has them."""
    return [rows["x"].to_numpy(), rows["tx"].round(2).to_numpy(), rows["age"].round(2).to_numpy()]


def test_cdnow_gives_the_published_parameters_and_errors(public_data):
    x, tx, age = rounded(cdnow(public_data))
    found = estimate_bgnbd(x, tx, age, np.ones(len(x)))
    assert (found.customers, found.is_converged, found.bounded) == (2357, True, ())
    assert astuple(found.model) == pytest.approx((0.242593, 4.413532, 0.792886, 2.425753), rel=3e-6)
    assert found.log_likelihood == pytest.approx(-9582.4256, abs=1e-4)
    expected = {"r": 0.013, "alpha": 0.38, "a": 0.19, "b": 0.71}
    assert found.standard_errors == pytest.approx(expected, rel=0.04)


def test_cdnow_sums_at_the_published_parameters_are_the_known_ones(public_data):
    x, tx, age = rounded(cdnow(public_data))
    sums = [
        PUBLISHED.purchases(x, tx, age, 39).sum(),
        PUBLISHED.alive(x, tx, age).sum(),
        PUBLISHED.buys(x, tx, age, 39).sum(),
        log_likelihood(PUBLISHED, x, tx, age).sum(),
    ]
    assert sums == pytest.approx([1653.9484, 1917.2173, 617.3708, -9582.4268], abs=1e-4)


def test_cdnow_likelihood_and_slope_elsewhere_are_the_known_ones(public_data):
    history, at = rounded(cdnow(public_data)), np.array([0.3, 2.0, 0.6, 1.5])
    model = BgNbd(*at)
    assert -log_likelihood(model, *history).mean() == pytest.approx(4.155516, abs=1e-6)
    slope = -gradient(model, *history).mean(axis=1) * at
    assert slope == pytest.approx([0.295966, -0.149666, -0.008936, 0.004455], abs=1e-6)


def test_cdnow_histories_with_weights_give_the_same_as_customer_by_customer(public_data):
    rows = cdnow(public_data)
    each = fit_bgnbd(*(rows[name].to_numpy() for name in ("x", "tx", "age")), np.ones(len(rows)))
    counted = rows.groupby(["x", "tx", "age"]).size().reset_index(name="customers")
    found = fit_bgnbd(*(counted[name].to_numpy(float) for name in ("x", "tx", "age", "customers")))
    assert len(counted) == 1016
    assert astuple(found) == pytest.approx(astuple(each), rel=1e-4)


def test_the_whole_cohort_of_cdnow_gives_the_known_parameters(public_data):
    names = ["customer", "day", "discs", "value"]
    path = public_data / "retail/cdnow/CDNOW_master.txt.gz"
    rows = histories_of(pd.read_csv(path, sep=r"\s+", header=0, names=names))
    counted = rows.groupby(["x", "tx", "age"]).size().reset_index(name="customers")
    found = estimate_bgnbd(*(counted[name].to_numpy(float) for name in ("x", "tx", "age", "customers")))
    assert (found.customers, counted["x"] @ counted["customers"]) == (23_570, 24_337)
    assert astuple(found.model) == pytest.approx((0.2516, 4.7889, 0.7234, 2.1611), abs=1e-4)
    assert found.log_likelihood == pytest.approx(-95368.44, abs=0.01)
