"""What every model of purchases until a customer leaves can be asked, so that whoever asks need not know which one it is."""

from typing import Protocol

import numpy as np
from scipy.special import gammaln, xlogy

from cdp.models.likelihood import Floats


class Lifetimes(Protocol):
    """Purchases at a rate of each customer's own, Gamma(r, alpha) over customers, until they leave unseen.

    In all methods `x` is the number of repeat purchases, `tx` the time from the first to the last purchase (0 where
    x = 0), `age` the time from the first purchase to now and `horizon` the time ahead, all in the unit of the fit.
    """

    @property
    def r(self) -> float: ...

    @property
    def alpha(self) -> float: ...

    def alive(self, x: Floats, tx: Floats, age: Floats) -> Floats:
        """Probability that the customer has not left."""
        ...

    def buys(self, x: Floats, tx: Floats, age: Floats, horizon: float | Floats) -> Floats:
        """Probability of at least one purchase within the horizon."""
        ...

    def purchases(self, x: Floats, tx: Floats, age: Floats, horizon: float | Floats) -> Floats:
        """Purchases to expect within the horizon."""
        ...

    def pmf(self, n: Floats, horizon: float) -> Floats:
        """Probability that a new customer makes `n` repeat purchases within the horizon after the first one."""
        ...


def new_customer_purchases(model: Lifetimes, horizon: float | Floats) -> Floats:
    """Repeat purchases to expect of a customer within the horizon after the first purchase."""
    nothing = np.zeros(np.shape(horizon))
    return model.purchases(nothing, nothing, nothing, horizon)


def median_wait(model: Lifetimes, x: Floats, age: Floats) -> Floats:
    """Time in which the next purchase comes with a probability of a half, if the customer stays.

    The rate of who is still there is Gamma(r + x, alpha + age) in every one of these models. Infinite where the half is
    beyond what a number holds.
    """
    with np.errstate(over="ignore"):
        return np.asarray((model.alpha + age) * np.expm1(np.log(2) / (model.r + x)))


def histories(name: str, x: Floats, tx: Floats, age: Floats, weight: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """What a fit starts from, as numbers.

    Raises:
        ValueError: no customer, nobody who came back, or a history that cannot be.
    """
    x, tx, age, weight = (np.asarray(values, dtype=float) for values in (x, tx, age, weight))
    if not x.shape == tx.shape == age.shape == weight.shape:
        raise ValueError(f"{name} needs x, tx, age and weight of the same length")
    is_possible = (x >= 0) & (x < np.inf) & (tx >= 0) & (tx <= age) & (age < np.inf) & ((x > 0) | (tx == 0))
    if not (is_possible & (weight >= 0) & (weight < np.inf)).all():
        raise ValueError(f"{name} needs x >= 0, 0 <= tx <= age, tx = 0 where x = 0, and weight >= 0")
    if not (x[weight > 0] > 0).any() or not age[weight > 0].max() > 0:
        raise ValueError(f"{name} needs customers who came back")
    return x, tx, age, weight


def negative_binomial(n: Floats, r: float, alpha: float, time: float | Floats) -> Floats:
    """Probability of `n` purchases within the time by a customer who stays: Poisson with a rate Gamma(r, alpha)."""
    log = gammaln(r + n) - gammaln(r) - gammaln(n + 1) - r * np.log1p(time / alpha) + xlogy(n, time / (alpha + time))
    return np.asarray(np.exp(log))
