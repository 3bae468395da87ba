"""What a propensity is answered with: trees and a line together, or one of two rules."""

from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import brentq

from cdp.models.learning import Booster, Line, probability
from cdp.models.likelihood import Floats
from cdp.models.propensity.encoding import Encoder
from cdp.models.propensity.history import SILENCE
from cdp.models.reasons import says_something, strongest
from cdp.models.shapley import TreeShapley

BASE_RATE, SILENCE_RULE, BLEND = "base_rate", "silence_rule", "blend"

_GROUPS = 10
_FURTHEST = 30.0


class BaseRate:
    """The share of all to whom it happened."""

    def __init__(self) -> None:
        self.rate = 0.0

    def fit(self, table: pd.DataFrame, happened: Floats) -> "BaseRate":
        # One more of each outcome, so that nothing is certain.
        self.rate = float((happened.sum() + 1) / (len(happened) + 2))
        return self

    def predict(self, table: pd.DataFrame) -> Floats:
        return np.full(len(table), self.rate)


class SilenceRule:
    """The share to whom it happened of those for whom it is as long ago; those to whom it never happened are a group."""

    def __init__(self) -> None:
        self.edges_ = np.zeros(0)
        self.rates_ = np.zeros(2)

    def fit(self, table: pd.DataFrame, happened: Floats) -> "SilenceRule":
        silence = table[SILENCE].to_numpy(dtype=float)
        known = silence[~np.isnan(silence)]
        self.edges_ = np.unique(np.quantile(known, np.linspace(0, 1, _GROUPS + 1)[1:-1])) if len(known) else np.zeros(0)
        group, groups = self._group(silence), len(self.edges_) + 2
        size = np.bincount(group, minlength=groups)
        hits = np.bincount(group, weights=happened, minlength=groups)
        self.rates_ = (hits + 1) / (size + 2)
        return self

    def predict(self, table: pd.DataFrame) -> Floats:
        return np.asarray(self.rates_[self._group(table[SILENCE].to_numpy(dtype=float))])

    def _group(self, silence: Floats) -> np.ndarray:
        places = np.searchsorted(self.edges_, silence, side="right")
        return np.where(np.isnan(silence), len(self.edges_) + 1, places)


class Blend:
    """The mean log-odds of trees and a line, at the level of what they were learned from.

    Args:
        slope: what the mean is multiplied by, so that as many do it as is said at every height.
        seed: random state.
    """

    def __init__(self, slope: float = 1.0, seed: int = 42) -> None:
        self.slope = slope
        self.seed = seed
        self.level = 0.0

    def fit(self, table: pd.DataFrame, happened: Floats, ignored: tuple[str, ...] = ()) -> "Blend":
        """Learn from rows with both outcomes.

        Args:
            table: features, numbers and texts.
            happened: 1 or 0.
            ignored: features to leave out.
        """
        self.encoder_ = Encoder().fit(table, ignored)
        inputs = self.encoder_.transform(table)
        if inputs.shape[1] == 0:
            raise ValueError("no feature tells one row from another")
        self.trees_ = Booster("log_loss", self.seed).fit(inputs, happened)
        self.line_ = Line("log_loss").fit(inputs, happened)
        return self.levelled(table, happened)

    def levelled(self, table: pd.DataFrame, happened: Floats) -> "Blend":
        """Bring the mean probability of rows to the share of them to whom it happened."""
        told, share = self.slope * self.mean_odds(table), float(happened.mean())
        self.level = float(brentq(lambda more: probability(told + more).mean() - share, -_FURTHEST, _FURTHEST))
        return self

    def mean_odds(self, table: pd.DataFrame) -> Floats:
        """Before slope and level."""
        inputs = self.encoder_.transform(table)
        return np.asarray((self.trees_.raw(inputs) + self.line_.raw(inputs)) / 2)

    def predict(self, table: pd.DataFrame) -> Floats:
        return probability(self.slope * self.mean_odds(table) + self.level)


class Explained:
    """Says why a blend answers as it does: exact Shapley values of the trees and of the line, averaged.

    Args:
        blend: that answers.
    """

    def __init__(self, blend: Blend) -> None:
        self._blend = blend
        self._trees = TreeShapley(blend.trees_.trees_)

    def effects(self, table: pd.DataFrame) -> Floats:
        """What each of the encoder's `features` adds to the log-odds of a usual row: a row each."""
        blend = self._blend
        inputs = blend.encoder_.transform(table)
        names = {str(name): i for i, name in enumerate(inputs)}
        by_column = np.zeros(inputs.shape)
        shares = self._trees.of(blend.trees_.matrix(inputs))
        for columns, parts in ((blend.trees_.columns_, shares), (blend.line_.columns_, blend.line_.parts(inputs))):
            by_column[:, [names[name] for name in columns]] += blend.slope / 2 * parts
        # The line's middle is that of its own sample, whose mean customer adds nothing.
        found = np.zeros((len(table), len(blend.encoder_.features)))
        np.add.at(found.T, blend.encoder_.sources(), by_column.T)
        return found

    def reasons(self, table: pd.DataFrame) -> list[list[dict[str, Any]]]:
        """The strongest reasons of each row, the strongest first: reason, value (where it is a number), effect."""
        encoder, effects = self._blend.encoder_, self.effects(table)
        order, _ = strongest(effects)
        is_told = says_something(effects)
        used = {i: encoder.features[i] for i in np.unique(order)}
        labels = {i: encoder.label(table, name) for i, name in used.items()}
        values = {i: encoder.values(table, name) for i, name in used.items()}
        return [
            [
                {
                    "reason": labels[i][row],
                    "value": None if np.isnan(values[i][row]) else float(values[i][row]),
                    "effect": round(float(effects[row, i]), 4),
                }
                for i in places
                if is_told[row, i]
            ]
            for row, places in enumerate(order)
        ]


class PropensityModel:
    """What is registered: the answer, and what the frame that it takes is made of.

    Args:
        answer: one of the three.
        features: columns of the frame that it takes.
        events: those that have features of their own.
        keys: keys of `profile.attributes` that are features.
        is_state: whether it tells of a state of now, not of what comes.
    """

    def __init__(
        self,
        answer: "BaseRate | SilenceRule | Blend | None" = None,
        features: tuple[str, ...] = (),
        events: tuple[str, ...] = (),
        keys: tuple[str, ...] = (),
        is_state: bool = False,
    ) -> None:
        self.answer = answer or BaseRate()
        self.features = list(features)
        self.events = list(events)
        self.keys = list(keys)
        self.is_state = is_state

    def predict(self, table: pd.DataFrame) -> Floats:
        return self.answer.predict(table)
