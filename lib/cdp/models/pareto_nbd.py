"""Pareto/NBD: purchases at a steady rate until the customer leaves, at any moment, not only after a purchase.

Sources: Schmittlein, Morrison and Colombo (1987), Counting Your Customers, Management Science 33(1), 1-24; Fader and
Hardie (2005), A Note on Deriving the Pareto/NBD Model, brucehardie.com/notes/009.

Who is not there any more left at some time between the last purchase and now. The papers write the integral over that time
as a difference of two hypergeometric functions, which cancel for active customers and fail where alpha = beta. Here the
integral itself is taken (`quadrature`), and with it the gradient: its derivatives are means over the time of leaving.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, expit, exprel, gammaln

from cdp.models.lifetimes import histories, negative_binomial
from cdp.models.likelihood import Family, Fitted, Floats
from cdp.models.quadrature import integral, integral_and_means

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
        log_area = integral(self.r + x, self.s + 1, self.alpha + tx, self.beta + tx, age - tx)
        stay, leave = _stay_and_leave(self, x, tx, age, log_area)
        return np.asarray(expit(stay - leave))

    def buys(self, x: Floats, tx: Floats, age: Floats, horizon: float | Floats) -> Floats:
        """Probability of at least one purchase within the horizon.

        That of a first purchase at a time `u` from now, before which the customer has neither bought nor left, is, given
        that the customer is still there, the mean of lambda * exp(-(lambda + mu) * u) over lambda Gamma(r + x, alpha + age)
        and mu Gamma(s, beta + age). It is integrated over the horizon.
        """
        rate, leaving = self.alpha + age, self.beta + age
        log_area = integral(self.r + x + 1, self.s, rate, leaving, horizon)
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
    return _evaluate(model, x, tx, age)[0]


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
    log_area, log_a, log_b, one_by_a, one_by_b = integral_and_means(r + x, s + 1, alpha + tx, beta + tx, age - tx)
    stay, leave = _stay_and_leave(model, x, tx, age, log_area)
    here = expit(stay - leave)
    gone = 1 - here
    # Means over the time of leaving, or of `age` for who is still there.
    log_rate = here * np.log(alpha + age) + gone * (np.log(alpha + tx) + log_a)
    log_leaving = here * np.log(beta + age) + gone * (np.log(beta + tx) + log_b)
    d_r = digamma(r + x) - digamma(r) + np.log(alpha) - log_rate
    d_alpha = r / alpha - (r + x) * (here / (alpha + age) + gone * one_by_a)
    d_s = np.log(beta) + gone / s - log_leaving
    d_beta = s / beta - s * here / (beta + age) - (s + 1) * gone * one_by_b
    likelihood = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta) + np.logaddexp(stay, leave)
    return np.asarray(likelihood), np.stack([d_r, d_alpha, d_s, d_beta])


def _stay_and_leave(model: ParetoNbd, x: Floats, tx: Floats, age: Floats, log_area: Floats) -> tuple[Floats, Floats]:
    """Logarithms of the likelihoods of being still there, and of having left since, up to what they share.

    `log_area` is the integral over the time of leaving, as a share of the likelihood of having left at once.
    """
    r, alpha, s, beta = model.r, model.alpha, model.s, model.beta
    stay = -(r + x) * np.log(alpha + age) - s * np.log(beta + age)
    leave = np.log(s) - (r + x) * np.log(alpha + tx) - (s + 1) * np.log(beta + tx) + log_area
    return np.asarray(stay), np.asarray(leave)


_FAMILY = Family(ParetoNbd, _evaluate, (0.5, 2.0, 0.5, 2.0), {"r": False, "alpha": True, "s": False, "beta": True})
