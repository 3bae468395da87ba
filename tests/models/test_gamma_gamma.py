"""The Gamma-Gamma model against published values."""

from dataclasses import astuple

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp.models.gamma_gamma import (
    GammaGamma,
    correlation,
    estimate_gamma_gamma,
    fit_gamma_gamma,
    gradient,
    log_likelihood,
)
from tests.models.test_bgnbd import cdnow
from tests.models.test_lifetimes import arrays

PUBLISHED = GammaGamma(p=6.25, q=3.74, v=15.44)


@pytest.mark.parametrize(
    ("x", "m", "expected"),
    [(2, 22.35, 24.6637), (1, 11.77, 18.9169), (0, 0, 35.2190), (7, 73.74, 71.4697)],
)
def test_published_parameters_give_the_known_spend(x, m, expected):
    assert PUBLISHED.spend(*arrays(x, m))[0] == pytest.approx(expected, abs=5e-5)


def test_who_took_back_more_than_was_bought_counts_as_unknown():
    assert PUBLISHED.spend(*arrays(2, -5))[0] == pytest.approx(PUBLISHED.population_mean)


@given(logs=st.lists(st.floats(-2, 3), min_size=3, max_size=3), x=st.integers(1, 300), m=st.floats(0.01, 1e4))
def test_the_likelihood_is_that_of_forty_digits(logs, x, m):
    model = GammaGamma(*np.exp(logs))
    with mpmath.workdps(40):
        p, q, v, total = (mpmath.mpf(value) for value in (model.p, model.q, model.v, x * mpmath.mpf(m)))
        # The density of the mean of x purchases, Gamma(p x, nu x) with nu Gamma(q, v), integrated over nu.
        density = v**q * total ** (p * x) / (m * mpmath.beta(p * x, q) * (v + total) ** (p * x + q))
        expected = float(mpmath.log(density))
    assert log_likelihood(model, *arrays(x, m))[0] == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(logs=st.lists(st.floats(-2, 3), min_size=3, max_size=3), x=st.integers(1, 300), m=st.floats(0.01, 1e4))
def test_the_gradient_is_the_slope_of_the_likelihood(logs, x, m):
    at, step = np.array(logs), 1e-5

    def likelihood(values: np.ndarray) -> float:
        return float(log_likelihood(GammaGamma(*np.exp(values)), *arrays(x, m))[0])

    slopes = [(likelihood(at + step * unit) - likelihood(at - step * unit)) / (2 * step) for unit in np.eye(3)]
    found = gradient(GammaGamma(*np.exp(at)), *arrays(x, m))[:, 0] * np.exp(at)
    assert found == pytest.approx(slopes, rel=1e-4, abs=1e-4)


def test_parameters_of_simulated_customers_are_found_within_their_standard_errors():
    rng, true, n = np.random.default_rng(3), GammaGamma(4.0, 3.5, 20.0), 20_000
    x = 1.0 + rng.poisson(2, n)
    m = rng.gamma(true.p * x, 1 / (x * rng.gamma(true.q, 1 / true.v, n)))
    found = estimate_gamma_gamma(x, m, np.ones(n))
    assert (found.customers, found.is_converged, found.bounded) == (n, True, ())
    for name, value in vars(true).items():
        error = found.standard_errors[name]
        assert 0 < error < value / 5
        assert abs(getattr(found.model, name) - value) < 4 * error
    expected = true.p * (true.v + x * m) / (true.p * x + true.q - 1)
    assert found.model.spend(x, m).mean() == pytest.approx(expected.mean(), rel=0.01)


def test_a_fit_is_the_same_whatever_the_currency():
    rng = np.random.default_rng(4)
    x, m = 1.0 + rng.poisson(2, 2_000), rng.gamma(4, 10, 2_000) * rng.gamma(5, 0.2, 2_000)
    pounds, pence = (estimate_gamma_gamma(x, m * unit, np.ones(2_000)) for unit in (1, 100))
    assert pence.model.v == pytest.approx(pounds.model.v * 100, rel=1e-4)
    assert pence.standard_errors["v"] == pytest.approx(pounds.standard_errors["v"] * 100, rel=1e-3)
    assert pence.log_likelihood == pytest.approx(pounds.log_likelihood - 2_000 * np.log(100))


def test_cdnow_gives_the_published_parameters(public_data):
    rows = cdnow(public_data)
    came_back = rows[rows["x"] > 0]
    x, m = came_back["x"].to_numpy(), came_back["m"].to_numpy()
    found = estimate_gamma_gamma(x, m, np.ones(len(x)))
    assert (found.customers, found.is_converged) == (946, True)
    # The published set has means of its own rounding; these are of the cents.
    assert astuple(found.model) == pytest.approx((6.248802, 3.744588, 15.447748), rel=4e-4)
    assert found.log_likelihood == pytest.approx(-4055.92, abs=0.01)
    assert PUBLISHED.spend(x, m).sum() == pytest.approx(33474.156, rel=2e-5)
    assert np.corrcoef(x, m)[0, 1] == pytest.approx(0.1139, abs=1e-4)
    at = np.array([5.0, 3.0, 10.0])
    assert -log_likelihood(GammaGamma(*at), x, m).mean() == pytest.approx(4.480407, abs=5e-5)
    slope = -gradient(GammaGamma(*at), x, m).mean(axis=1) * at
    assert slope == pytest.approx([-0.846384, 0.916085, -0.797830], abs=2e-4)


def test_spending_without_a_finite_mean_is_refused():
    rng = np.random.default_rng(1)
    m = np.exp(rng.normal(0, 6, 500))
    with pytest.raises(ValueError, match="uneven"):
        fit_gamma_gamma(np.ones(500), m, np.ones(500))


@pytest.mark.parametrize(
    ("x", "m", "weight", "message"),
    [
        ([], [], [], "came back and spent"),
        ([1], [10], [0], "came back and spent"),
        ([1, 0], [10, 20], [1, 1], "x > 0"),
        ([1, 2], [10, -20], [1, 1], "m > 0"),
        ([1, 2], [10, np.nan], [1, 1], "m > 0"),
        ([1, 2], [10, 20], [1], "same length"),
    ],
)
def test_spending_that_says_nothing_or_cannot_be_is_refused(x, m, weight, message):
    with pytest.raises(ValueError, match=message):
        fit_gamma_gamma(*[np.array(values, dtype=float) for values in (x, m, weight)])


def test_customers_who_all_spend_the_same_give_a_model_and_no_false_errors():
    found = estimate_gamma_gamma(np.full(50, 3.0), np.full(50, 20.0), np.ones(50))
    assert found.model.spend(*arrays(3, 20))[0] == pytest.approx(20, rel=0.01)
    assert found.bounded and all(found.standard_errors[name] is None for name in found.bounded)


def test_a_correlation_weighs_customers():
    x, m = np.array([1.0, 2.0, 4.0]), np.array([10.0, 20.0, 40.0])
    assert correlation(x, m, np.ones(3)) == pytest.approx(1)
    assert correlation(x, m[::-1], np.array([1.0, 1.0, 0.0])) == pytest.approx(-1)
    assert correlation(x, np.ones(3), np.ones(3)) == 0
