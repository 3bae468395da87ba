"""Why a customer's score is what it is: the inputs that move it most from that of a usual customer.

Of trees and of a line these are exact Shapley values (`shapley`, `Line.parts`). What the textbook says comes from the
rhythm of purchases as a whole and counts as one reason. Experts' reasons are weighed as their answers are. A probability
that becomes a factor of revenue passes its reasons on in proportion (Chen, Lundberg and Lee 2022, the rescale rule).
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.special import expit, log_expit, logsumexp

from cdp.models import textbook
from cdp.models.blend import Blend
from cdp.models.experts import RATE, View
from cdp.models.features import FEATURES
from cdp.models.learning import Booster, Line, TwoPart
from cdp.models.likelihood import Floats
from cdp.models.shapley import TreeShapley

RHYTHM = "purchase_rhythm"
"""How often a customer bought and how long the silence since is, as BG/NBD sees it."""

REASONS = (*FEATURES, RHYTHM)
"""Names of all reasons."""

MOST = 3
"""Reasons for a score."""

_LEAST_EFFECT = 5e-5
_PLACE = {**{name: i for i, name in enumerate(REASONS)}, **dict.fromkeys(textbook.COLUMNS, len(REASONS) - 1)}


class Reasons:
    """Explains the answers of one blend.

    Args:
        blend: of one horizon.
        shares: of blends whose reasons are told of the same customers; what they have in common is worked out once.
    """

    def __init__(self, blend: Blend, shares: "Shares | None" = None) -> None:
        self._blend = blend
        self._experts = blend.experts.learned.experts_ if blend.experts.learned else {}
        self._shares = shares or Shares()

    def of_churn(self, view: View) -> Floats:
        """What each of `REASONS` adds to the log-odds of no order: a row a customer.

        Args:
            view: what the blend's experts say of them.
        """
        names = [name for name in self._blend.names if name in view.odds]
        found = np.zeros((len(view.inputs), len(REASONS)))
        for name in names:
            found -= self._blend.slope / len(names) * self._odds(name, view)
        return found

    def of_value(self, view: View) -> Floats:
        """What each of `REASONS` adds to the logarithm of revenue; as `of_churn`."""
        told = {name: np.exp(view.value[name] + self._blend.value_level.get(name, 0.0)) for name in self._blend.names}
        share = {name: self._blend.names.count(name) * told[name] for name in told}
        total = np.maximum(sum(share.values()), 1e-9)
        found = np.zeros((len(view.inputs), len(REASONS)))
        for name in share:
            found += (share[name] / total)[:, None] * self._value(name, view)
        return found

    def _odds(self, name: str, view: View) -> Floats:
        log_odds, usual = view.odds[name], self._blend.usual_odds[name]
        if name not in self._experts:
            return _alone(RHYTHM, log_odds, usual)
        part, _ = self._shares.of(self._experts[name].odds_, view.inputs)
        # What the textbook adds for a horizon longer than the days that were learned from.
        more = log_odds - view.own[name][0]
        return np.asarray(part + _alone(RHYTHM, more, usual))

    def _value(self, name: str, view: View) -> Floats:
        if name not in self._experts:
            place = "revenue_365d" if name == RATE else RHYTHM
            return _alone(place, view.value[name], self._blend.usual_value[name])
        expert: TwoPart = self._experts[name]
        by_odds, usual = self._shares.of(expert.odds_, view.inputs)
        spent, _ = self._shares.of(expert.spend_, view.inputs)
        told, value = view.own[name]
        gap = told - usual
        near = np.abs(gap) < 1e-6
        passed_on = np.where(near, expit(-usual), (log_expit(told) - log_expit(usual)) / np.where(near, 1, gap))
        more = _alone(RHYTHM, view.value[name] - value, self._blend.usual_value[name])
        return np.asarray(by_odds * passed_on[:, None] + spent + more)


class Shares:
    """What each reason adds to the answers of trees and lines, worked out once for the same inputs."""

    def __init__(self) -> None:
        self._trees: dict[int, TreeShapley] = {}
        self._last: dict[int, tuple[pd.DataFrame, Floats, float]] = {}

    def of(self, expert: Booster | Line, inputs: pd.DataFrame) -> tuple[Floats, float]:
        """What each of `REASONS` adds to what is usual, a row a customer; and the usual."""
        last = self._last.get(id(expert))
        if last is None or last[0] is not inputs:
            last = self._last[id(expert)] = (inputs, *self._of(expert, inputs))
        return last[1], last[2]

    def _of(self, expert: Booster | Line, inputs: pd.DataFrame) -> tuple[Floats, float]:
        if isinstance(expert, Line):
            parts, usual = expert.parts(inputs), expert.shift_
        else:
            if id(expert) not in self._trees:
                self._trees[id(expert)] = TreeShapley(expert.trees_)
            trees = self._trees[id(expert)]
            parts, usual = trees.of(expert.matrix(inputs)), trees.usual
        found = np.zeros((len(inputs), len(REASONS)))
        for i, name in enumerate(expert.columns_):
            found[:, _PLACE[name]] += parts[:, i]
        return found, usual


def usual_answers(view: View) -> tuple[Mapping[str, float], Mapping[str, float]]:
    """Means, over customers, of what the textbook and the last year's rate say, and of what the textbook adds to others for
    a longer horizon: log-odds, and logarithms of revenue, by expert."""

    def usual(name: str, told: Floats, kind: int) -> float:
        if name == RATE:  # for many it is 0, of which no logarithm has a mean
            return float(logsumexp(told) - np.log(len(told)))
        return float(np.mean(told - (view.own[name][kind] if name in view.own else 0.0)))

    by_odds = {name: usual(name, told, 0) for name, told in view.odds.items()}
    return by_odds, {name: usual(name, told, 1) for name, told in view.value.items()}


def _alone(reason: str, told: Floats, usual: float) -> Floats:
    found = np.zeros((len(told), len(REASONS)))
    found[:, _PLACE[reason]] = told - usual
    return found


def says_something(effect: Floats) -> np.ndarray:
    """Whether what is added is told: what is nothing to four digits is no reason. By the digits that `strongest` goes by, so
    that what is none comes after what is one."""
    return np.asarray(np.round(np.abs(effect), 6) > _LEAST_EFFECT)


def strongest(parts: Floats) -> tuple[np.ndarray, Floats]:
    """The `MOST` reasons of each customer, the strongest first: their places in `REASONS`, and what they add."""
    # Among equals the earlier in the list, as sums of floats differ in their last digits from machine to machine.
    order = np.argsort(-np.round(np.abs(parts), 6), axis=1, kind="stable")[:, :MOST]
    return order, np.take_along_axis(parts, order, axis=1)
