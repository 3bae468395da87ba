"""The integral of two falling powers, which Pareto/NBD is made of, by Gauss-Legendre quadrature for many customers at once.

Of (1 + u/a)^-p (1 + u/b)^-q, over u from 0 to `width`. It is taken along log(1 + u/low), with `low` the smaller one of a and
b: along that the factor of `low` falls steadily, and the other goes over into a steady fall once, however far apart a and b are.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cdp.models.likelihood import Floats

_RULES = tuple(
    (*np.polynomial.legendre.leggauss(nodes), fall, length)
    for nodes, fall, length in ((8, 4.0, 2.0), (12, 16.0, 2.0), (16, 32.0, 4.0), (24, np.inf, np.inf))
)
"""Nodes and weights that give ten digits, for an integrand that falls by so much in its logarithm, over such a length."""

_NEGLIGIBLE = 32.0  # exp(-32) of the integrand's height
_VALUES = 32_768  # of a block: what is worked out of it then stays in the processor's cache


def integral(p: Floats | float, q: Floats | float, a: Floats, b: Floats, width: Floats | float) -> Floats:
    """Logarithm of the integral, -inf where the width is 0."""
    return _integrated(p, q, a, b, width, with_means=False)[0]


def integral_and_means(
    p: Floats | float, q: Floats | float, a: Floats, b: Floats, width: Floats | float
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """The same, and means under the integrand: of log(1 + u/a), log(1 + u/b), 1/(a + u) and 1/(b + u)."""
    log_area, log_a, log_b, one_by_a, one_by_b = _integrated(p, q, a, b, width, with_means=True)
    return log_area, log_a, log_b, one_by_a, one_by_b


def _integrated(
    p: Floats | float, q: Floats | float, a: Floats, b: Floats, width: Floats | float, *, with_means: bool
) -> list[Floats]:
    columns = np.broadcast_arrays(*[np.asarray(values, dtype=float) for values in (p, q, a, b, width)])
    p, q, a, b, width = (values.ravel() for values in columns)
    is_a = a <= b
    low, of_low, high, of_high = np.where(is_a, [a, p, b, q], [b, q, a, p])
    with np.errstate(over="ignore", divide="ignore"):
        # Beyond there is nothing to be seen, and the nodes are wanted where there is.
        reach = np.minimum(low * np.expm1(_NEGLIGIBLE / of_low), high * np.expm1(_NEGLIGIBLE / of_high))
        reach = np.minimum(reach, width)
        length = np.log1p(reach / low)
        fall = of_low * length + of_high * np.log1p(reach / high)
        found = np.empty((5 if with_means else 1, low.size))
        for rule, rows in _blocks(fall, length):
            found[:, rows] = _by_nodes(
                rule, low[rows], of_low[rows], high[rows], of_high[rows], length[rows], with_means
            )
        found[0] = np.log(low) + np.log(length) + np.log(found[0])
    if with_means:
        found = np.where(is_a, found, found[[0, 2, 1, 4, 3]])
    return [row.reshape(columns[0].shape) for row in found]


def _by_nodes(
    rule: int, low: Floats, of_low: Floats, high: Floats, of_high: Floats, length: Floats, with_means: bool
) -> list[Floats]:
    """The integral as a share of low * length, and means of log(1 + u/low), log(1 + u/high), 1/(low + u), 1/(high + u)."""
    places, weights, _, _ = _RULES[rule]
    log_low = length[:, None] * ((1 + places) / 2)
    at_low = low[:, None] * np.exp(log_low)
    at_high = at_low + (high - low)[:, None]
    log_high = np.log(at_high / high[:, None])
    height = np.exp((1 - of_low)[:, None] * log_low - of_high[:, None] * log_high) * (weights / 2)
    area = height.sum(axis=1)
    if not with_means:
        return [area]
    return [area, *[np.einsum("ij,ij->i", height, v) / area for v in (log_low, log_high, 1 / at_low, 1 / at_high)]]


def _blocks(fall: Floats, length: Floats) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Rules, and rows for which they are good enough."""
    rule = np.full(len(fall), len(_RULES) - 1)
    for number, (_, _, most_fall, most_length) in reversed([*enumerate(_RULES)]):
        rule[(fall <= most_fall) & (length <= most_length)] = number
    for number, (places, *_) in enumerate(_RULES):
        rows, size = np.flatnonzero(rule == number), _VALUES // len(places)
        for start in range(0, len(rows), size):
            yield number, rows[start : start + size]
