"""Intervals on customers who buy or not, and spend log-normally, as the truth has it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp.models.intervals import COVERAGE, Interval, covered


def world(n: int, seed: int, usual: float, spread: float = 0.6) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probability of an order, revenue expected, and what came; the spread differs from customer to customer."""
    rng = np.random.default_rng(seed)
    buys = 1 / (1 + np.exp(-rng.normal(usual, 2, n)))
    centre = rng.normal(4, 1, n)
    spreads = np.where(centre < 4, spread * 1.5, spread)
    spent = np.exp(centre + spreads * rng.normal(size=n) - spreads**2 / 2)
    return buys, buys * np.exp(centre), np.where(rng.random(n) < buys, spent, 0)


@pytest.mark.parametrize("usual", [1.0, -1.0, -3.0], ids=["most buy", "some buy", "few buy"])
def test_four_of_five_of_new_customers_outcomes_lie_within(usual):
    interval = Interval.fitted(*world(4_000, 1, usual))
    buys, revenue, actual = world(20_000, 2, usual)
    low, high = interval.bounds(buys, revenue)

    assert covered(actual, low, high) > COVERAGE - 0.02, "more where nothing is likelier than four of five"
    for some in (high > 0, buys > 0.7, (buys > 0.3) & (buys < 0.7)):
        assert covered(actual[some], low[some], high[some]) == pytest.approx(COVERAGE, abs=0.035)


def test_intervals_of_expectations_that_are_too_sure_are_stretched():
    """The amounts are off by factors that nobody knew of."""
    buys, revenue, actual = world(4_000, 1, 1.0)
    off = np.exp(np.random.default_rng(3).normal(-0.32, 0.8, len(revenue)))
    wide = Interval.fitted(buys, revenue * off, actual)
    low, high = wide.bounds(buys, revenue * off)
    some = buys > 0.7
    assert covered(actual[some], low[some], high[some]) == pytest.approx(COVERAGE, abs=0.03)
    assert min(wide.spreads) * wide.scale > 0.9, "the root of 0.6 and 0.8 squared is 1"


def test_the_bounds_are_the_quantiles_of_a_simulation():
    interval = Interval(middles=[-(0.7**2) / 2], spreads=[0.7])
    for buys, mean in ((0.95, 30.0), (0.5, 30.0), (0.25, 30.0), (0.1, 30.0)):
        rng = np.random.default_rng(1)
        spent = np.exp(np.log(mean / buys) - 0.7**2 / 2 + 0.7 * rng.normal(size=400_000))
        drawn = np.where(rng.random(400_000) < buys, spent, 0)
        at = (0.1, 0.9) if 1 - buys < 0.1 else (0, 0.8)
        low, high = interval.bounds(np.array([buys]), np.array([mean]))
        assert (low[0], high[0]) == pytest.approx(tuple(np.quantile(drawn, at)), rel=0.02)


@given(
    st.lists(
        st.tuples(st.floats(1e-5, 1 - 1e-5), st.floats(0, 1e9), st.one_of(st.just(0.0), st.floats(0.01, 1e9))),
        min_size=1,
        max_size=80,
    )
)
def test_bounds_are_numbers_in_order_or_too_few_bought(rows):
    buys, revenue, actual = np.array(rows).T
    bought = int((actual > 0).sum())
    if bought < 30:
        with pytest.raises(ValueError, match=f"need 30 outcomes with revenue, found {bought}"):
            Interval.fitted(buys, revenue, actual)
        return
    low, high = Interval.fitted(buys, revenue, actual).bounds(buys, revenue)
    assert np.isfinite(low).all() and np.isfinite(high).all()
    assert (low >= 0).all() and (low <= high).all()


def test_all_equal_expectations_make_one_group():
    rng = np.random.default_rng(1)
    actual = np.where(rng.random(1_000) < 0.6, np.exp(rng.normal(3, 0.5, 1_000)), 0)
    interval = Interval.fitted(np.full(1_000, 0.6), np.full(1_000, actual.mean()), actual)
    low, high = interval.bounds(np.array([0.6]), np.array([actual.mean()]))
    assert len(interval.spreads) == 1
    assert np.isfinite(interval.bounds(np.array([0.6, 0.6]), np.array([0.01, 1e6]))).all()
    assert covered(actual, np.full(1_000, low[0]), np.full(1_000, high[0])) == pytest.approx(COVERAGE, abs=0.03)
