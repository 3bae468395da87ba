"""Discounted value against known values and a sum by hand."""

import numpy as np
import pytest

from cdp.models.bgnbd import BgNbd
from cdp.models.clv import discounted_value, new_customer_value, rate_of_period
from cdp.models.gamma_gamma import GammaGamma
from cdp.models.lifetimes import new_customer_purchases
from cdp.models.mbgnbd import MbgNbd
from cdp.models.pareto_nbd import ParetoNbd

TIMES, SPEND = BgNbd(0.243, 4.414, 0.793, 2.426), GammaGamma(6.25, 3.74, 15.44)
X, TX, AGE, M = np.array(
    [
        (2, 30.43, 38.86, 22.35),
        (1, 1.71, 38.86, 11.77),
        (0, 0, 38.86, 0),
        (7, 29.43, 38.86, 73.74),
    ]
).T
TWELVE_MONTHS = {"period": 4.345, "periods": 12, "rate": 0.01}


def test_a_year_of_months_at_one_per_cent_has_the_known_value():
    found = discounted_value(TIMES, X, TX, AGE, SPEND.spend(X, M), **TWELVE_MONTHS)
    assert found == pytest.approx([36.2892, 4.6373, 8.3690, 283.5328], abs=1e-4)


def test_a_margin_is_a_share_of_the_value():
    whole, part = (
        discounted_value(TIMES, X, TX, AGE, SPEND.spend(X, M), **TWELVE_MONTHS, margin=margin) for margin in (1, 0.3)
    )
    assert part == pytest.approx(0.3 * whole)


@pytest.mark.parametrize("model", [TIMES, MbgNbd(0.525, 6.183, 0.891, 1.614), ParetoNbd(0.553, 10.578, 0.606, 11.669)])
def test_without_a_discount_it_is_purchases_times_spend(model):
    found = discounted_value(model, X, TX, AGE, 10.0, period=13, periods=3)
    assert found == pytest.approx(10 * model.purchases(X, TX, AGE, 39))


def test_each_period_counts_at_its_end():
    found = discounted_value(TIMES, X, TX, AGE, 1.0, period=10, periods=2, rate=0.5)
    first, both = TIMES.purchases(X, TX, AGE, 10), TIMES.purchases(X, TX, AGE, 20)
    assert found == pytest.approx(first / 1.5 + (both - first) / 2.25)


def test_a_new_customer_is_worth_the_repeat_purchases_of_the_mean_customer():
    found = new_customer_value(TIMES, SPEND, period=39, periods=1)
    assert found == pytest.approx(1.196723 * 6.25 * 15.44 / 2.74, rel=1e-6)
    assert new_customer_value(TIMES, SPEND, period=1, periods=39, rate=0.01) < found
    assert new_customer_purchases(TIMES, 39.0) == pytest.approx(1.196723, abs=1e-6)


def test_rates_of_periods_compound_to_that_of_the_year():
    assert (1 + rate_of_period(0.15, 30)) ** (365 / 30) == pytest.approx(1.15)
    assert rate_of_period(0, 30) == 0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"periods": 0}, "one period"),
        ({"period": 0.0}, "longer than 0"),
        ({"period": float("inf")}, "longer than 0"),
        ({"rate": -1.0}, "above -1"),
        ({"rate": float("nan")}, "above -1"),
    ],
)
def test_a_value_without_an_end_or_a_discount_that_is_none_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        discounted_value(TIMES, X, TX, AGE, 1.0, **{**TWELVE_MONTHS, **wrong})
    with pytest.raises(ValueError, match="above -1"):
        rate_of_period(-1.0, 30)
