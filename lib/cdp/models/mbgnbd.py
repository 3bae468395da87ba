"""MBG/NBD: BG/NBD in which a customer may leave right after the first purchase too, so that one-time buyers may be gone.

Source: Batislam, Denizel and Filiztekin (2007), Empirical validation and comparison of models for customer base
analysis, International Journal of Research in Marketing 24(3), 201-209.
"""

from dataclasses import dataclass

from cdp.models import beta_geometric
from cdp.models.lifetimes import histories
from cdp.models.likelihood import Family, Fitted, Floats


@dataclass(frozen=True)
class MbgNbd:
    """A fitted model: purchases Poisson with rate Gamma(r, alpha); after each the customer leaves with p Beta(a, b).

    In all methods `x` is the number of repeat purchases, `tx` the time from the first to the last purchase (0 where
    x = 0) and `age` the time from the first purchase to now, in the unit of the fit.
    """

    r: float
    alpha: float
    a: float
    b: float

    def alive(self, x: Floats, tx: Floats, age: Floats) -> Floats:
        """Probability that the customer has not left; below 1 where x = 0."""
        return beta_geometric.alive(self, x + 1, x, tx, age)

    def buys(self, x: Floats, tx: Floats, age: Floats, horizon: float | Floats) -> Floats:
        """Probability of at least one purchase within the horizon."""
        return beta_geometric.buys(self, x + 1, x, tx, age, horizon)

    def purchases(self, x: Floats, tx: Floats, age: Floats, horizon: float | Floats) -> Floats:
        """Purchases to expect within the horizon."""
        return beta_geometric.purchases(self, x + 1, x, tx, age, horizon)

    def pmf(self, n: Floats, horizon: float) -> Floats:
        """Probability that a new customer makes `n` repeat purchases within the horizon after the first one."""
        return beta_geometric.pmf(self, n + 1, n, horizon)


def log_likelihood(model: MbgNbd, x: Floats, tx: Floats, age: Floats) -> Floats:
    """Log-likelihood of each customer."""
    return _evaluate(model, x, tx, age)[0]


def gradient(model: MbgNbd, x: Floats, tx: Floats, age: Floats) -> Floats:
    """Derivatives of each customer's log-likelihood by r, alpha, a and b: one row a parameter."""
    return _evaluate(model, x, tx, age)[1]


def fit_mbgnbd(x: Floats, tx: Floats, age: Floats, weight: Floats) -> MbgNbd:
    """The most likely model.

    Args:
        x, tx, age: distinct histories, see `MbgNbd`.
        weight: customers with each of them.

    Raises:
        ValueError: there is no history, no repeat purchase, or a history that cannot be.
    """
    x, tx, age, weight = histories("MBG/NBD", x, tx, age, weight)
    return _FAMILY.fit(x, (tx, age), weight, age.max() / 10)


def estimate_mbgnbd(x: Floats, tx: Floats, age: Floats, weight: Floats) -> Fitted[MbgNbd]:
    """The same with standard errors and likelihood; arguments and errors as for `fit_mbgnbd`."""
    x, tx, age, weight = histories("MBG/NBD", x, tx, age, weight)
    return _FAMILY.estimate(x, (tx, age), weight, age.max() / 10)


def _evaluate(model: MbgNbd, x: Floats, tx: Floats, age: Floats) -> tuple[Floats, Floats]:
    return beta_geometric.evaluate(model, x + 1, x, tx, age)


_FAMILY = Family(MbgNbd, _evaluate, (0.5, 1.0, 0.7, 2.0), {"r": False, "alpha": True, "a": False, "b": False})
