"""What BG/NBD and MBG/NBD share: customers who may leave after a purchase, with a probability Beta(a, b) of their own.

`stays` is the number of times at which a customer with `x` repeat purchases did not leave, if still there. It is all
in which the two models differ: x in BG/NBD, x + 1 in MBG/NBD, where one may leave after the first purchase too.

Sources: Fader, Hardie and Lee (2005), Marketing Science 24(2), 275-284; Batislam, Denizel and Filiztekin (2007),
International Journal of Research in Marketing 24(3), 201-209.
"""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from scipy.special import beta, betainc, betaincinv, betaln, digamma, expit, gammaln, hyp2f1

from cdp.models.lifetimes import negative_binomial
from cdp.models.likelihood import Floats

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)
_SPREAD = 4  # how strongly the nodes crowd at both ends of a distribution, where its quantiles run off
_SHARES = betainc(_SPREAD, _SPREAD, (1 + _NODES) / 2)
_OF_SHARES = _WEIGHTS / 2 * ((1 - _NODES**2) / 4) ** (_SPREAD - 1) / beta(_SPREAD, _SPREAD)


class BetaGeometric(Protocol):
    """The parameters of both."""

    @property
    def r(self) -> float: ...

    @property
    def alpha(self) -> float: ...

    @property
    def a(self) -> float: ...

    @property
    def b(self) -> float: ...


def alive(model: BetaGeometric, stays: Floats, x: Floats, tx: Floats, age: Floats) -> Floats:
    """Probability that the customer has not left."""
    stay, leave = _stay_and_leave(model, stays, x, tx, age)
    return np.asarray(expit(stay - leave))


def buys(model: BetaGeometric, stays: Floats, x: Floats, tx: Floats, age: Floats, horizon: float | Floats) -> Floats:
    """Probability of at least one purchase within the horizon: nobody who is still there leaves before the next one."""
    quiet = -(model.r + x) * np.log1p(horizon / (model.alpha + age))
    return np.asarray(alive(model, stays, x, tx, age) * -np.expm1(quiet))


def purchases(
    model: BetaGeometric, stays: Floats, x: Floats, tx: Floats, age: Floats, horizon: float | Floats
) -> Floats:
    """Purchases to expect within the horizon."""
    here = alive(model, stays, x, tx, age)
    shape, rate, b = model.r + x, model.alpha + age, model.b + stays
    return np.asarray(here * _purchases_while_there(shape, rate, model.a, b, horizon))


def pmf(model: BetaGeometric, stays: Floats, n: Floats, horizon: float) -> Floats:
    """Probability that a new customer makes `n` repeat purchases within the horizon, which leave `stays` to be survived."""
    r, alpha, a, b = model.r, model.alpha, model.a, model.b
    still = np.exp(betaln(a, b + stays) - betaln(a, b)) * negative_binomial(n, r, alpha, horizon)
    reached = np.where(n > 0, betainc(np.maximum(n, 1), r, horizon / (alpha + horizon)), 1)
    left = np.exp(betaln(a + 1, b + np.maximum(stays, 1) - 1) - betaln(a, b)) * reached
    return np.asarray(still + np.where(stays > 0, left, 0))


def evaluate(model: BetaGeometric, stays: Floats, x: Floats, tx: Floats, age: Floats) -> tuple[Floats, Floats]:
    """Log-likelihood of each customer, and its derivatives by r, alpha, a and b: one row a parameter."""
    r, alpha, a, b = model.r, model.alpha, model.a, model.b
    stay, leave = _stay_and_leave(model, stays, x, tx, age)
    constant = _by_count(lambda n: gammaln(r + n) - gammaln(r), x) + r * np.log(alpha)
    likelihood = constant + _by_count(lambda n: betaln(a, b + n) - betaln(a, b), stays) + np.logaddexp(stay, leave)
    here = expit(stay - leave)
    gone = 1 - here
    log_time = here * np.log(alpha + age) + gone * np.log(alpha + tx)
    d_r = _by_count(lambda n: digamma(r + n) - digamma(r), x) + np.log(alpha) - log_time
    d_alpha = r / alpha - (r + x) * (here / (alpha + age) + gone / (alpha + tx))
    d_a = _by_count(lambda n: digamma(a + b) - digamma(a + b + n), stays)
    d_b = d_a + _by_count(lambda n: digamma(b + n) - digamma(b), stays)
    d_b -= np.where(stays > 0, gone / _before(b, stays), 0)
    return likelihood, np.stack([d_r, d_alpha, d_a + gone / a, d_b])


def _stay_and_leave(model: BetaGeometric, stays: Floats, x: Floats, tx: Floats, age: Floats) -> tuple[Floats, Floats]:
    """Logarithms of the likelihoods of being still there, and of having left at the last purchase, up to what they share."""
    stay = -(model.r + x) * np.log(model.alpha + age)
    left = np.log(model.a) - np.log(_before(model.b, stays)) - (model.r + x) * np.log(model.alpha + tx)
    return np.asarray(stay), np.where(stays > 0, left, -np.inf)


def _by_count(function: Callable[[Floats], Floats], counts: Floats) -> Floats:
    """A costly function of counts, worked out once for each of them: there are few beside the customers."""
    distinct, place = np.unique(counts, return_inverse=True)
    return np.asarray(function(distinct)[place].reshape(np.shape(counts)))


def _before(b: float, stays: Floats) -> Floats:
    """`b` after all stays but the last; something harmless where there was none, and nobody can have left."""
    return np.asarray(np.where(stays > 0, b + stays - 1, 1))


def _purchases_while_there(shape: Floats, rate: Floats, a: float, b: Floats, horizon: float | Floats) -> Floats:
    """Mean of (1 - exp(-p * frequency * horizon)) / p over a frequency Gamma(shape, rate) and p Beta(a, b).

    Euler's transformation of the hypergeometric function: its terms do not grow with the number of purchases, where
    the textbook form gives NaN for very active customers.
    """
    a = 1 + 1e-6 if abs(a - 1) < 1e-7 else a  # a pole of both factors, where their product is smooth
    total = a + b - 1
    total = np.where(np.abs(total) < 1e-9, 1e-9, total)
    z = horizon / (rate + horizon)
    with np.errstate(all="ignore"):
        series = hyp2f1(total - shape, a - 1, total, z)
        found = total / (a - 1) * (1 - np.exp((a - 1) * np.log1p(-z)) * series)
    # Without leaving it would be the rate times the horizon; what rounding has put beyond that is put back.
    most = shape * horizon / rate
    is_lost = ~np.isfinite(found)
    if is_lost.any():
        found = np.where(is_lost, 0, found)
        found[is_lost] = _by_quantiles(
            a, *[np.broadcast_to(v, found.shape)[is_lost] for v in (b, shape, horizon / rate)]
        )
    return np.asarray(np.clip(found, 0, most))


def _by_quantiles(a: float, b: Floats, shape: Floats, ahead: Floats) -> Floats:
    """The same mean by quantiles of p, to four digits or more: for the few customers with whom the series overflows."""
    p = np.maximum(betaincinv(a, b[:, None], _SHARES), 1e-300)
    bought = -np.expm1(-shape[:, None] * np.log1p(p * ahead[:, None])) / p
    return np.asarray(bought @ _OF_SHARES)
