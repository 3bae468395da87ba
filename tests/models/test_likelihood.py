"""Standard errors against models whose information is known."""

import numpy as np
import pytest

from cdp.models.likelihood import Family, Floats


def exponential(rate: float, x: Floats) -> tuple[Floats, Floats]:
    return np.log(rate) - rate * x, np.stack([1 / rate - x])


def product(pair: tuple[float, float], x: Floats) -> tuple[Floats, Floats]:
    """A rate that is the product of two parameters, which no data can tell apart."""
    one, other = pair
    values, slopes = exponential(one * other, x)
    return values, np.stack([slopes[0] * other, slopes[0] * one])


def test_an_exponential_rate_has_the_error_that_theory_gives_it():
    x = np.array([1.0, 2.0, 4.0])
    weight = np.array([50.0, 25.0, 25.0])
    found = Family(float, exponential, (1.0,), {"rate": False}).estimate(x, (), weight, 1.0)
    assert found.model == pytest.approx(0.5)
    assert found.standard_errors == pytest.approx({"rate": 0.5 / 10}, rel=1e-5)  # rate / sqrt(n)
    assert found.log_likelihood == pytest.approx(100 * (np.log(0.5) - 1))
    assert (found.customers, found.is_converged, found.bounded) == (100, True, ())


def test_parameters_that_the_data_cannot_tell_apart_have_no_error():
    family = Family(lambda one, other: (one, other), product, (1.0, 1.0), {"one": False, "other": False})
    found = family.estimate(np.array([1.0, 3.0]), (), np.ones(2), 1.0)
    assert found.model[0] * found.model[1] == pytest.approx(0.5)
    assert found.standard_errors == {"one": None, "other": None}


def test_a_parameter_at_its_bound_is_named_and_has_no_error():
    found = Family(float, exponential, (1.0,), {"rate": False}).estimate(np.array([1e-9]), (), np.ones(1), 1.0)
    assert found.model == pytest.approx(np.exp(8))
    assert (found.bounded, found.standard_errors, found.is_converged) == (("rate",), {"rate": None}, True)
