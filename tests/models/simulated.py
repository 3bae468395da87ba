"""Customers made up as each model says, one step after another, with what became of them."""

from dataclasses import dataclass

import numpy as np

from cdp.models.bgnbd import BgNbd
from cdp.models.lifetimes import Lifetimes
from cdp.models.mbgnbd import MbgNbd
from cdp.models.pareto_nbd import ParetoNbd


@dataclass(frozen=True)
class Customers:
    """Histories up to now, and the truth: who is still there, and what each buys within the horizon."""

    x: np.ndarray
    tx: np.ndarray
    age: np.ndarray
    is_alive: np.ndarray
    bought: np.ndarray

    @property
    def history(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self.x, self.tx, self.age


def simulate(model: Lifetimes, age: np.ndarray, horizon: float, seed: int) -> Customers:
    """As many customers as ages."""
    rng = np.random.default_rng(seed)
    rate = rng.gamma(model.r, 1 / model.alpha, len(age))
    if isinstance(model, ParetoNbd):
        return _leaving_at_any_time(rng, rate, rng.gamma(model.s, 1 / model.beta, len(age)), age, horizon)
    assert isinstance(model, BgNbd | MbgNbd)
    leaves = rng.beta(model.a, model.b, len(age))
    first = 0 if isinstance(model, MbgNbd) else 1
    return _leaving_after_purchases(rng, rate, leaves, first, age, horizon)


def _leaving_at_any_time(
    rng: np.random.Generator, rate: np.ndarray, leaving: np.ndarray, age: np.ndarray, horizon: float
) -> Customers:
    lasts = rng.exponential(1 / leaving)
    seen = np.minimum(lasts, age)
    x = rng.poisson(rate * seen).astype(float)
    # The last of x moments that are spread evenly.
    tx = np.where(x > 0, seen * rng.random(len(age)) ** (1 / np.maximum(x, 1)), 0)
    bought = rng.poisson(rate * np.clip(lasts - age, 0, horizon))
    return Customers(x, tx, age, lasts > age, bought)


def _leaving_after_purchases(
    rng: np.random.Generator, rate: np.ndarray, leaves: np.ndarray, first: int, age: np.ndarray, horizon: float
) -> Customers:
    """`first` is the purchase after which a customer may leave at the earliest, 0 for the first one of all."""
    lasts = first + np.floor(np.log(rng.random(len(age))) / np.log1p(-leaves))  # repeat purchases until then
    would, ahead = rng.poisson(rate * age), rng.poisson(rate * horizon)
    is_alive = would < lasts
    x = np.minimum(would, lasts)
    # The x-th of `would` moments that are spread evenly.
    place = rng.beta(np.maximum(x, 1), np.maximum(would - x + 1, 1))
    tx = np.where(x > 0, age * place, 0)
    return Customers(x, tx, age, is_alive, np.where(is_alive, np.minimum(ahead, lasts - would), 0))
