"""The Gamma-Gamma model against published values."""

import numpy as np
import pytest

from cdp.models.gamma_gamma import GammaGamma, correlation, fit_gamma_gamma, gradient, log_likelihood
from tests.models.test_bgnbd import arrays, cdnow

PUBLISHED = GammaGamma(p=6.25, q=3.74, v=15.44)


@pytest.mark.parametrize(
    ("x", "m", "expected"),
    [(2, 22.35, 24.6637), (1, 11.77, 18.9169), (0, 0, 35.2190), (7, 73.74, 71.4697)],
)
def test_published_parameters_give_the_known_spend(x, m, expected):
    assert PUBLISHED.spend(*arrays(x, m))[0] == pytest.approx(expected, abs=5e-5)


def test_who_took_back_more_than_was_bought_counts_as_unknown():
    assert PUBLISHED.spend(*arrays(2, -5))[0] == pytest.approx(PUBLISHED.population_mean)


def test_the_gradient_is_the_slope_of_the_likelihood():
    x, m = np.array([1.0, 4.0, 9.0]), np.array([12.0, 30.0, 55.0])
    at, step = np.log([5.0, 3.0, 10.0]), 1e-5
    slopes = [
        (
            log_likelihood(GammaGamma(*np.exp(at + step * u)), x, m)
            - log_likelihood(GammaGamma(*np.exp(at - step * u)), x, m)
        )
        / (2 * step)
        for u in np.eye(3)
    ]
    assert gradient(GammaGamma(5, 3, 10), x, m) * np.array([[5], [3], [10]]) == pytest.approx(
        np.array(slopes), rel=1e-5
    )


def test_cdnow_gives_the_published_parameters(public_data):
    rows = cdnow(public_data)
    came_back = rows[rows["x"] > 0]
    x, m = came_back["x"].to_numpy(), came_back["m"].to_numpy()
    found = fit_gamma_gamma(x, m, np.ones(len(x)))
    assert len(x) == 946
    assert (found.p, found.q, found.v) == pytest.approx((6.25, 3.74, 15.44), rel=2e-3)
    assert log_likelihood(found, x, m).sum() == pytest.approx(-4055.92, abs=0.01)


def test_spending_without_a_finite_mean_is_refused():
    rng = np.random.default_rng(1)
    m = np.exp(rng.normal(0, 6, 500))
    with pytest.raises(ValueError, match="uneven"):
        fit_gamma_gamma(np.ones(500), m, np.ones(500))


def test_a_correlation_weighs_customers():
    x, m = np.array([1.0, 2.0, 4.0]), np.array([10.0, 20.0, 40.0])
    assert correlation(x, m, np.ones(3)) == pytest.approx(1)
    assert correlation(x, m[::-1], np.array([1.0, 1.0, 0.0])) == pytest.approx(-1)
    assert correlation(x, np.ones(3), np.ones(3)) == 0
