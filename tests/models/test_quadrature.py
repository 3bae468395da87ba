"""The integral of Pareto/NBD against twenty digits."""

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdp.models.quadrature import integral, integral_and_means


@settings(max_examples=20)
@given(
    p=st.sampled_from([0.01, 0.5, 2.0, 12.0, 90.0, 4_000.0]),
    q=st.sampled_from([0.01, 1.01, 2.0, 40.0]),
    logs=st.tuples(*[st.floats(-6, 6)] * 3),
)
def test_the_integral_and_its_means_are_those_of_twenty_digits(p, q, logs):
    a, b, width = np.exp(logs)
    with mpmath.workdps(20):

        def powers(u):
            return (1 + u / a) ** -p * (1 + u / b) ** -q

        # Pieces that grow from where the integrand is steepest.
        steep = min(a / p, b / q)
        ends = [0, *[steep * 4**n for n in range(-1, 20) if steep * 4**n < width], width]
        area = mpmath.quad(powers, ends)
        weighed = [
            lambda u: powers(u) * mpmath.log1p(u / a),
            lambda u: powers(u) * mpmath.log1p(u / b),
            lambda u: powers(u) / (a + u),
            lambda u: powers(u) / (b + u),
        ]
        means = [float(mpmath.quad(values, ends) / area) for values in weighed]
        log_area = float(mpmath.log(area))
    given_ = [np.array([value]) for value in (p, q, a, b, width)]
    found = [values[0] for values in integral_and_means(*given_)]
    assert found[0] == pytest.approx(log_area, rel=1e-9, abs=1e-9)
    assert found[1:] == pytest.approx(means, rel=1e-7)
    assert integral(*given_)[0] == found[0]


def test_where_there_is_no_width_there_is_nothing():
    none = np.zeros(2)
    assert (integral(none + 1, none + 2, none + 3, none + 4, none) == -np.inf).all()
