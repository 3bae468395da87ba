"""Gamma-Gamma: how much to expect of a purchase, from the mean of those seen so far, drawn to everybody's.

Source: Fader and Hardie (2013), The Gamma-Gamma Model of Monetary Value, brucehardie.com/notes/025. It supposes that
how much a customer spends does not depend on how often; `correlation` tells how far that holds.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, gammaln

from cdp.models.likelihood import Family, Fitted, Floats

_LEAST_Q = 1.001


@dataclass(frozen=True)
class GammaGamma:
    """A fitted model: spend per purchase Gamma(p, nu), nu Gamma(q, v) over customers."""

    p: float
    q: float
    v: float

    @property
    def population_mean(self) -> float:
        """Mean spend per purchase over all customers."""
        return self.p * self.v / (self.q - 1)

    def spend(self, x: Floats, m: Floats) -> Floats:
        """Spend per purchase to expect of customers with `x` purchases of mean `m`; the population's where x or m is 0."""
        known = (x > 0) & (m > 0)
        x, m = np.where(known, x, 0.0), np.where(known, m, 0.0)
        return np.asarray(self.p * (self.v + x * m) / (self.p * x + self.q - 1))


def log_likelihood(model: GammaGamma, x: Floats, m: Floats) -> Floats:
    """Log-likelihood of each customer."""
    p, q, v = model.p, model.q, model.v
    return np.asarray(
        gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(v)
        + (p * x - 1) * np.log(m) + p * x * np.log(x) - (p * x + q) * np.log(v + x * m)
    )  # fmt: skip


def gradient(model: GammaGamma, x: Floats, m: Floats) -> Floats:
    """Derivatives of each customer's log-likelihood by p, q and v: one row a parameter."""
    p, q, v = model.p, model.q, model.v
    total = np.log(v + x * m)
    d_p = x * (digamma(p * x + q) - digamma(p * x) + np.log(m) + np.log(x) - total)
    d_q = digamma(p * x + q) - digamma(q) + np.log(v) - total
    d_v = q / v - (p * x + q) / (v + x * m)
    return np.stack([d_p, d_q, d_v])


def fit_gamma_gamma(x: Floats, m: Floats, weight: Floats) -> GammaGamma:
    """The most likely model.

    Args:
        x: repeat purchases, above 0.
        m: mean spend per repeat purchase, above 0.
        weight: customers with each pair.

    Raises:
        ValueError: no such customer, a number that is not above 0, or spending so uneven that the population has no mean
            (q <= 1).
    """
    x, m, weight = _spending(x, m, weight)
    return _with_mean(_FAMILY.fit(x, (m,), weight, _mean(m, weight)))


def estimate_gamma_gamma(x: Floats, m: Floats, weight: Floats) -> Fitted[GammaGamma]:
    """The same with standard errors and likelihood; arguments and errors as for `fit_gamma_gamma`."""
    x, m, weight = _spending(x, m, weight)
    found = _FAMILY.estimate(x, (m,), weight, _mean(m, weight))
    _with_mean(found.model)
    return found


def correlation(x: Floats, m: Floats, weight: Floats) -> float:
    """Correlation of the logarithms of number and spend of purchases; above 0.3 the model's supposition is doubtful."""
    share = weight / weight.sum()
    log_x, log_m = np.log(x) - np.log(x) @ share, np.log(m) - np.log(m) @ share
    spread = np.sqrt((log_x**2 @ share) * (log_m**2 @ share))
    return float((log_x * log_m) @ share / spread) if spread > 0 else 0.0


def _spending(x: Floats, m: Floats, weight: Floats) -> tuple[Floats, Floats, Floats]:
    x, m, weight = (np.asarray(values, dtype=float) for values in (x, m, weight))
    if not x.shape == m.shape == weight.shape:
        raise ValueError("Gamma-Gamma needs x, m and weight of the same length")
    if not ((x > 0) & (x < np.inf) & (m > 0) & (m < np.inf) & (weight >= 0) & (weight < np.inf)).all():
        raise ValueError("Gamma-Gamma needs x > 0, m > 0 and weight >= 0")
    if not weight.sum() > 0:
        raise ValueError("Gamma-Gamma needs customers who came back and spent")
    return x, m, weight


def _mean(m: Floats, weight: Floats) -> float:
    return float(m @ weight / weight.sum())


def _with_mean(model: GammaGamma) -> GammaGamma:
    if model.q <= _LEAST_Q:
        raise ValueError("Gamma-Gamma does not fit: spending is so uneven that its mean is not finite")
    return model


def _evaluate(model: GammaGamma, x: Floats, m: Floats) -> tuple[Floats, Floats]:
    return log_likelihood(model, x, m), gradient(model, x, m)


_FAMILY = Family(GammaGamma, _evaluate, (2.0, 2.0, 2.0), {"p": False, "q": False, "v": True})
