"""Pareto/NBD against published values; what it shares with the other models is in `test_lifetimes`."""

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import roots_genlaguerre

from cdp.models.lifetimes import new_customer_purchases
from cdp.models.pareto_nbd import ParetoNbd, estimate_pareto_nbd, log_likelihood
from tests.models import exact
from tests.models.test_bgnbd import cdnow
from tests.models.test_lifetimes import arrays

PUBLISHED = ParetoNbd(r=0.5534, alpha=10.5802, s=0.6061, beta=11.6562)


def test_published_parameters_give_the_published_predictions():
    # Walk-through of the R package BTYD, its customer 1516.
    history = arrays(26, 30.86, 31)
    assert PUBLISHED.alive(*history)[0] == pytest.approx(0.998, abs=5e-4)
    assert PUBLISHED.purchases(*history, 52)[0] == pytest.approx(25.46, abs=6e-3)
    assert new_customer_purchases(PUBLISHED, 52) == pytest.approx(1.473, abs=5e-4)


@pytest.mark.parametrize("other", [11.6562, 11.6562 * (1 + 1e-12), 11.6563])
def test_like_scales_of_buying_and_leaving_are_no_pole(other):
    model, history = ParetoNbd(0.5534, other, 0.6061, 11.6562), (3.0, 20.0, 39.0)
    found = log_likelihood(model, *arrays(*history))[0]
    assert found == pytest.approx(exact.log_likelihood(model, *history), rel=1e-11)


@pytest.mark.parametrize("s", [1 - 1e-9, 1.0, 1 + 1e-9])
def test_leaving_at_a_shape_of_one_is_no_pole(s):
    model = ParetoNbd(2.0, 5.0, s, 10.0)
    stays = 10 * np.log(40 / 10)  # time to expect of a new customer within thirty
    assert new_customer_purchases(model, 30) == pytest.approx(2 / 5 * stays, rel=1e-8)


@settings(max_examples=50)
@given(
    r=st.floats(0.5, 5),
    s=st.floats(0.5, 5),
    x=st.integers(0, 10),
    age=st.floats(1, 50),
    horizon=st.floats(0.1, 60),
)
def test_the_probability_of_buying_is_the_mean_over_rates_of_buying_and_leaving(r, s, x, age, horizon):
    model, history = ParetoNbd(r, 10.0, s, 12.0), arrays(x, age if x else 0, age)
    rate, of_rate = roots_genlaguerre(120, r + x - 1)
    leaving, of_leaving = roots_genlaguerre(120, s - 1)
    rate, leaving = rate[:, None] / (10 + age), leaving / (12 + age)
    # Whoever is there buys before leaving or the end with this probability.
    buys = rate / (rate + leaving) * -np.expm1(-(rate + leaving) * horizon)
    mean = of_rate @ buys @ of_leaving / (of_rate.sum() * of_leaving.sum())
    assert model.buys(*history, horizon)[0] == pytest.approx(model.alive(*history)[0] * mean, rel=2e-3)


def test_cdnow_gives_the_published_parameters(public_data):
    rows = cdnow(public_data)
    found = estimate_pareto_nbd(*(rows[name].to_numpy() for name in ("x", "tx", "age")), np.ones(len(rows)))
    assert astuple(found.model) == pytest.approx((0.553, 10.578, 0.606, 11.669), abs=1e-3)
    assert found.log_likelihood == pytest.approx(-9594.976, abs=0.01)
    assert (found.customers, found.is_converged, found.bounded) == (2357, True, ())
