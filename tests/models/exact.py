"""The models as their papers write them, in fifty digits: slow, and wrong nowhere."""

from typing import Any

import mpmath

from cdp.models.bgnbd import BgNbd
from cdp.models.mbgnbd import MbgNbd
from cdp.models.pareto_nbd import ParetoNbd

DIGITS = 50
Model = BgNbd | MbgNbd | ParetoNbd


def log_likelihood(model: Model, x: float, tx: float, age: float) -> float:
    with mpmath.workdps(DIGITS):
        stay, leave = _parts(model, *map(mpmath.mpf, (x, tx, age)))
        return float(mpmath.log(stay + leave))


def alive(model: Model, x: float, tx: float, age: float) -> float:
    with mpmath.workdps(DIGITS):
        stay, leave = _parts(model, *map(mpmath.mpf, (x, tx, age)))
        return float(stay / (stay + leave))


def purchases(model: Model, x: float, tx: float, age: float, horizon: float) -> float:
    with mpmath.workdps(DIGITS):
        x, tx, age, horizon = map(mpmath.mpf, (x, tx, age, horizon))
        stay, leave = _parts(model, x, tx, age)
        here = stay / (stay + leave)
        if isinstance(model, ParetoNbd):
            r, alpha, s, beta = map(mpmath.mpf, vars(model).values())
            ahead = (r + x) * (beta + age) / ((alpha + age) * (s - 1))
            return float(here * ahead * (1 - ((beta + age) / (beta + age + horizon)) ** (s - 1)))
        r, alpha, a, b = map(mpmath.mpf, vars(model).values())
        b += x + isinstance(model, MbgNbd)
        z = horizon / (alpha + age + horizon)
        series = mpmath.hyp2f1(r + x, b, a + b - 1, z)
        return float(here * (a + b - 1) / (a - 1) * (1 - (1 - z) ** (r + x) * series))


def buys(model: Model, x: float, tx: float, age: float, horizon: float) -> float:
    """1 less the probability of nothing more: having left, staying without a purchase, or leaving before one."""
    with mpmath.workdps(DIGITS):
        x, tx, age, horizon = map(mpmath.mpf, (x, tx, age, horizon))
        stay, leave = _parts(model, x, tx, age)
        r, alpha, s, beta = map(mpmath.mpf, vars(model).values())
        quiet = ((alpha + age) / (alpha + age + horizon)) ** (r + x)
        if isinstance(model, ParetoNbd):
            quiet *= ((beta + age) / (beta + age + horizon)) ** s

            def gone_before(u: Any) -> Any:
                return (1 + u / (alpha + age)) ** -(r + x) * s / (beta + age) * (1 + u / (beta + age)) ** -(s + 1)

            quiet += mpmath.quad(gone_before, [0, horizon / 100, horizon / 10, horizon])
        return float(stay / (stay + leave) * (1 - quiet))


def _parts(model: Model, x: Any, tx: Any, age: Any) -> tuple[Any, Any]:
    """Likelihood of the history of somebody who is still there, and of somebody who has left."""
    r, alpha, third, fourth = map(mpmath.mpf, vars(model).values())
    bought = mpmath.gamma(r + x) / mpmath.gamma(r) * alpha**r
    if isinstance(model, ParetoNbd):
        s, beta = third, fourth
        high, low, power = (alpha, beta, s + 1) if alpha >= beta else (beta, alpha, r + x)

        def series(time: Any) -> Any:
            found = mpmath.hyp2f1(r + s + x, power, r + s + x + 1, (high - low) / (high + time))
            return found / (high + time) ** (r + s + x)

        stay = bought * beta**s / ((alpha + age) ** (r + x) * (beta + age) ** s)
        return stay, bought * beta**s * s / (r + s + x) * (series(tx) - series(age))
    a, b = third, fourth
    stays = x + isinstance(model, MbgNbd)
    stay = bought * mpmath.beta(a, b + stays) / mpmath.beta(a, b) / (alpha + age) ** (r + x)
    if stays == 0:
        return stay, mpmath.mpf(0)
    return stay, bought * mpmath.beta(a + 1, b + stays - 1) / mpmath.beta(a, b) / (alpha + tx) ** (r + x)
