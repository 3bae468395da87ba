"""Fits a model by maximum likelihood, over the logarithms of its positive parameters."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_BOUND = 8.0  # of log-parameters


def fitted(loss: Callable[[Floats], tuple[float, Floats]], start: Sequence[float]) -> tuple[float, ...]:
    """The parameters that make a loss smallest.

    Args:
        loss: of the logarithms of the parameters: its value and its slope.
        start: parameters to begin with.
    """
    from scipy.optimize import minimize

    found: Any = minimize(
        loss,
        np.log(start),
        jac=True,
        method="L-BFGS-B",
        bounds=[(-_BOUND, _BOUND)] * len(start),
        options={"ftol": 1e-14, "gtol": 1e-9},
    )
    return tuple(float(value) for value in np.exp(found.x))
