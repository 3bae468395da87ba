"""BG/NBD: how many purchases to expect of a customer, from how many there were, and when the last one was.

Source: Fader, Hardie and Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science 24(2), 275-284. The
expectation uses Euler's transformation of the hypergeometric function, whose terms do not grow with the number of
purchases; the textbook form gives NaN for very active customers.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, gammaln, hyp2f1

from cdp.models.likelihood import Floats, fitted

_START = (0.5, 1.0, 0.7, 2.0)


@dataclass(frozen=True)
class BgNbd:
    """A fitted model: purchases Poisson with rate Gamma(r, alpha); after each the customer leaves with p Beta(a, b).

    In all methods `x` is the number of repeat purchases, `tx` the time from the first to the last purchase (0 where
    x = 0) and `age` the time from the first purchase to now, in the unit of the fit.
    """

    r: float
    alpha: float
    a: float
    b: float

    def alive(self, x: Floats, tx: Floats, age: Floats) -> Floats:
        """Probability that the customer has not left. It is 1 where x = 0, so it is no measure of churn."""
        stay, leave = _stay_and_leave(self, x, tx, age)
        return np.asarray(1 / (1 + np.exp(np.minimum(leave - stay, 700))))

    def buys(self, x: Floats, tx: Floats, age: Floats, horizon: float) -> Floats:
        """Probability of at least one purchase within the horizon."""
        quiet = (self.r + x) * np.log((self.alpha + age) / (self.alpha + age + horizon))
        return np.asarray(self.alive(x, tx, age) * -np.expm1(quiet))

    def purchases(self, x: Floats, tx: Floats, age: Floats, horizon: float) -> Floats:
        """Purchases to expect within the horizon."""
        a = 1 + 1e-6 if abs(self.a - 1) < 1e-7 else self.a
        total = a + self.b + x - 1
        total = np.where(np.abs(total) < 1e-9, 1e-9, total)
        z = horizon / (self.alpha + age + horizon)
        series = hyp2f1(a + self.b - 1 - self.r, a - 1, total, z)
        lasting = 1 - np.exp((a - 1) * np.log1p(-z)) * series
        return np.asarray(self.alive(x, tx, age) * total / (a - 1) * lasting)


def log_likelihood(model: BgNbd, x: Floats, tx: Floats, age: Floats) -> Floats:
    """Log-likelihood of each customer."""
    r, alpha, a, b = model.r, model.alpha, model.a, model.b
    stay, leave = _stay_and_leave(model, x, tx, age)
    constant = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    return np.asarray(
        constant + gammaln(a + b) + gammaln(b + x) - gammaln(b) - gammaln(a + b + x) + np.logaddexp(stay, leave)
    )


def gradient(model: BgNbd, x: Floats, tx: Floats, age: Floats) -> Floats:
    """Derivatives of each customer's log-likelihood by r, alpha, a and b: one row a parameter."""
    r, alpha, a, b = model.r, model.alpha, model.a, model.b
    here = model.alive(x, tx, age)
    gone = 1 - here
    d_r = digamma(r + x) - digamma(r) + np.log(alpha) - here * np.log(alpha + age) - gone * np.log(alpha + tx)
    d_alpha = r / alpha - (r + x) * (here / (alpha + age) + gone / (alpha + tx))
    d_a = digamma(a + b) - digamma(a + b + x) + gone / a
    left = np.where(x > 0, gone / np.where(x > 0, b + x - 1, 1), 0)
    d_b = digamma(a + b) + digamma(b + x) - digamma(b) - digamma(a + b + x) - left
    return np.stack([d_r, d_alpha, d_a, d_b])


def fit_bgnbd(x: Floats, tx: Floats, age: Floats, weight: Floats) -> BgNbd:
    """The most likely model.

    Args:
        x, tx, age: distinct histories, see `BgNbd`.
        weight: customers with each of them.

    Raises:
        ValueError: there is no history, or no repeat purchase.
    """
    if weight.sum() <= 0 or not (x > 0).any():
        raise ValueError("BG/NBD needs customers who came back")
    scale = float(age.max()) / 10  # keeps log-parameters near 0, whatever the unit of time
    tx, age, share = tx / scale, age / scale, weight / weight.sum()

    def loss(logs: Floats) -> tuple[float, Floats]:
        model = BgNbd(*np.exp(logs))
        slope = gradient(model, x, tx, age) @ share * np.exp(logs)
        return -float(log_likelihood(model, x, tx, age) @ share), -slope

    r, alpha, a, b = fitted(loss, _START)
    return BgNbd(r, alpha * scale, a, b)


def _stay_and_leave(model: BgNbd, x: Floats, tx: Floats, age: Floats) -> tuple[Floats, Floats]:
    stay = -(model.r + x) * np.log(model.alpha + age)
    # Where x = 0 nobody can have left; the denominator is made harmless before it is thrown away.
    after = np.where(x > 0, model.b + x - 1, 1)
    leave = np.where(x > 0, np.log(model.a) - np.log(after) - (model.r + x) * np.log(model.alpha + tx), -np.inf)
    return np.asarray(stay), np.asarray(leave)
