"""Pareto/NBD: purchases at a steady rate until the customer leaves, at any moment, not only after a purchase.

Sources: Schmittlein, Morrison and Colombo (1987), Counting Your Customers, Management Science 33(1), 1-24; Fader and
Hardie (2005), A Note on Deriving the Pareto/NBD Model, brucehardie.com/notes/009.

Who is not there any more left at some time between the last purchase and now. The papers write the integral over that time
as a difference of two hypergeometric functions, which cancel for active customers and fail where alpha = beta. Here the
integral itself is taken, by Gauss-Legendre quadrature, which gives the gradient, too: the derivatives are means over the
time of leaving.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, expit, exprel, gammaln

from cdp.models.lifetimes import histories, negative_binomial
from cdp.models.likelihood import Family, Fitted, Floats

_RULES = ((8, 4.0, 2.0), (12, 16.0, 2.0), (16, 32.0, 4.0), (24, np.inf, np.inf))
"""Nodes that give ten digits, for an integrand that falls by so much in its logarithm, over such a length."""
_NEGLIGIBLE = 32.0  # exp(-32) of the integrand's height
_VALUES = 32_768  # of a block: what is worked out of it then stays in the processor's cache
_FINE_NODES, _FINE_WEIGHTS = np.polynomial.legendre.leggauss(256)


@dataclass(frozen=True)
class ParetoNbd:
    """A fitted model: purchases Poisson with rate Gamma(r, alpha), until the customer leaves at rate Gamma(s, beta).

    In all methods `x` is the number of repeat purchases, `tx` the time from the first to the last purchase (0 where
    x = 0) and `age` the time from the first purchase to now, in the unit of the fit.
    """

    r: float
    alpha: float
    s: float
    beta: float

    def alive(self, x: Floats, tx: Floats, age: Floats) -> Floats:
        """Probability that the customer has not left; below 1 where x = 0."""
        stay, leave, _ = _stay_and_leave(self, x, tx, age)
        return np.asarray(expit(stay - leave))

    def buys(self, x: Floats, tx: Floats, age: Floats, horizon: float | Floats) -> Floats:
        """Probability of at least one purchase within the horizon.

        That of a first purchase at a time `u` from now, before which the customer has neither bought nor left, is, given
        that the customer is still there, the mean of lambda * exp(-(lambda + mu) * u) over lambda Gamma(r + x, alpha + age)
        and mu Gamma(s, beta + age). It is integrated over the horizon.
        """
        rate, leaving = self.alpha + age, self.beta + age
        log_area, _ = _integral(self.r + x + 1, self.s, rate, leaving, horizon)
        first = (self.r + x) / rate * np.exp(log_area)
        return np.asarray(self.alive(x, tx, age) * np.minimum(first, 1))

    def purchases(self, x: Floats, tx: Floats, age: Floats, horizon: float | Floats) -> Floats:
        """Purchases to expect within the horizon."""
        leaving = self.beta + age
        log = np.log1p(horizon / leaving)
        staying = leaving * log * exprel((1 - self.s) * log)  # time to expect of who is still there
        return np.asarray(self.alive(x, tx, age) * (self.r + x) / (self.alpha + age) * staying)

    def pmf(self, n: Floats, horizon: float) -> Floats:
        """Probability that a new customer makes `n` repeat purchases within the horizon after the first one.

        Those who stay for the horizon, and those who leave within it, over the time at which they do.
        """
        low = min(self.alpha, self.beta)
        width = np.log1p(horizon / low)
        place = width * (1 + _FINE_NODES) / 2
        time = low * np.expm1(place)
        leaves = self.s * np.exp(-(self.s + 1) * np.log1p(time / self.beta)) / self.beta
        share = leaves * low * np.exp(place) * width * _FINE_WEIGHTS / 2
        left = negative_binomial(np.asarray(n)[..., None], self.r, self.alpha, time) @ share
        still = np.exp(-self.s * np.log1p(horizon / self.beta))
        return np.asarray(still * negative_binomial(n, self.r, self.alpha, horizon) + left)


def log_likelihood(model: ParetoNbd, x: Floats, tx: Floats, age: Floats) -> Floats:
    """Log-likelihood of each customer."""
    stay, leave, _ = _stay_and_leave(model, x, tx, age)
    return np.asarray(_constant(model, x) + np.logaddexp(stay, leave))


def gradient(model: ParetoNbd, x: Floats, tx: Floats, age: Floats) -> Floats:
    """Derivatives of each customer's log-likelihood by r, alpha, s and beta: one row a parameter."""
    return _evaluate(model, x, tx, age)[1]


def fit_pareto_nbd(x: Floats, tx: Floats, age: Floats, weight: Floats) -> ParetoNbd:
    """The most likely model.

    Args:
        x, tx, age: distinct histories, see `ParetoNbd`.
        weight: customers with each of them.

    Raises:
        ValueError: there is no history, no repeat purchase, or a history that cannot be.
    """
    x, tx, age, weight = histories("Pareto/NBD", x, tx, age, weight)
    return _FAMILY.fit(x, (tx, age), weight, age.max() / 10)


def estimate_pareto_nbd(x: Floats, tx: Floats, age: Floats, weight: Floats) -> Fitted[ParetoNbd]:
    """The same with standard errors and likelihood; arguments and errors as for `fit_pareto_nbd`."""
    x, tx, age, weight = histories("Pareto/NBD", x, tx, age, weight)
    return _FAMILY.estimate(x, (tx, age), weight, age.max() / 10)


def _evaluate(model: ParetoNbd, x: Floats, tx: Floats, age: Floats) -> tuple[Floats, Floats]:
    r, alpha, s, beta = model.r, model.alpha, model.s, model.beta
    stay, leave, means = _stay_and_leave(model, x, tx, age, with_means=True)
    here = expit(stay - leave)
    gone = 1 - here
    # Means over the time of leaving, or of `age` for who is still there.
    log_rate = here * np.log(alpha + age) + gone * (np.log(alpha + tx) + means[0])
    log_leaving = here * np.log(beta + age) + gone * (np.log(beta + tx) + means[1])
    d_r = digamma(r + x) - digamma(r) + np.log(alpha) - log_rate
    d_alpha = r / alpha - (r + x) * (here / (alpha + age) + gone * means[2])
    d_s = np.log(beta) + gone / s - log_leaving
    d_beta = s / beta - s * here / (beta + age) - (s + 1) * gone * means[3]
    return np.asarray(_constant(model, x) + np.logaddexp(stay, leave)), np.stack([d_r, d_alpha, d_s, d_beta])


def _constant(model: ParetoNbd, x: Floats) -> Floats:
    r, alpha, s, beta = model.r, model.alpha, model.s, model.beta
    return np.asarray(gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta))


def _stay_and_leave(
    model: ParetoNbd, x: Floats, tx: Floats, age: Floats, *, with_means: bool = False
) -> tuple[Floats, Floats, Floats]:
    """Logarithms of the likelihoods of being still there, and of having left since the last purchase, without `_constant`.

    The third are means over the time of leaving, see `_integral`.
    """
    r, alpha, s, beta = model.r, model.alpha, model.s, model.beta
    stay = -(r + x) * np.log(alpha + age) - s * np.log(beta + age)
    log_area, means = _integral(r + x, s + 1, alpha + tx, beta + tx, age - tx, with_means=with_means)
    leave = np.log(s) - (r + x) * np.log(alpha + tx) - (s + 1) * np.log(beta + tx) + log_area
    return np.asarray(stay), np.asarray(leave), means


def _integral(
    p: Floats | float, q: Floats | float, a: Floats, b: Floats, width: Floats | float, *, with_means: bool = False
) -> tuple[Floats, Floats]:
    """Logarithm of the integral of (1 + u/a)^-p (1 + u/b)^-q over u from 0 to `width`: one for each customer.

    Returns:
        The logarithm, -inf where the width is 0; and, if asked for, means under the normalised integrand, one row each:
        log(1 + u/a), log(1 + u/b), 1/(a + u), 1/(b + u).
    """
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
        area, means = np.empty(low.size), np.empty((4, low.size) if with_means else 0)
        for nodes, rows in _blocks(fall, length):
            found = _by_nodes(nodes, low[rows], of_low[rows], high[rows], of_high[rows], length[rows], with_means)
            area[rows] = found[0]
            if with_means:
                means[:, rows] = found[1:]
        log_area = np.log(low) + np.log(length) + np.log(area)
    if with_means:
        means = np.where(is_a, means, means[[1, 0, 3, 2]]).reshape(4, *columns[0].shape)
    return log_area.reshape(columns[0].shape), means


def _by_nodes(
    nodes: int, low: Floats, of_low: Floats, high: Floats, of_high: Floats, length: Floats, with_means: bool
) -> list[Floats]:
    """The integral as a share of low * length, and means of log(1 + u/low), log(1 + u/high), 1/(low + u), 1/(high + u).

    Along log(1 + u/low) the factor of `low` falls steadily, and that of `high` goes over into a steady fall once.
    """
    places, weights = np.polynomial.legendre.leggauss(nodes)
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
    """Numbers of nodes, and rows for which they are enough."""
    rule = np.full(len(fall), len(_RULES) - 1)
    for place, (_, most_fall, most_length) in reversed([*enumerate(_RULES)]):
        rule[(fall <= most_fall) & (length <= most_length)] = place
    for place, (nodes, _, _) in enumerate(_RULES):
        rows, size = np.flatnonzero(rule == place), _VALUES // nodes
        for start in range(0, len(rows), size):
            yield nodes, rows[start : start + size]


_FAMILY = Family(ParetoNbd, _evaluate, (0.5, 2.0, 0.5, 2.0), {"r": False, "alpha": True, "s": False, "beta": True})
