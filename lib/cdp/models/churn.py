"""Candidates for the probability of no order within the horizon.

It is never 1 - P(alive) of BG/NBD: that is 0 for everybody who bought once, most of whom do not come back.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from cdp.models.bgnbd import BgNbd
from cdp.models.features import FEATURES
from cdp.models.learning import Booster, Fits, Sample, column, history
from cdp.models.likelihood import Floats

BASELINE = "recency_rule"

_GROUPS = 10
_FOLDS = 3
_CLIP = 1e-4


class RecencyRule:
    """The baseline: the share that stayed away among those of the sample whose last order was as long ago."""

    def fit(self, sample: Sample) -> "RecencyRule":
        recency = column(sample.features, "recency_days")
        self.edges_ = np.unique(np.quantile(recency, np.linspace(0, 1, _GROUPS + 1)[1:-1]))
        group = np.searchsorted(self.edges_, recency, side="right")
        size = np.bincount(group, minlength=len(self.edges_) + 1)
        stayed_away = np.bincount(group, weights=sample.churned, minlength=len(self.edges_) + 1)
        # One more of each outcome, so that no group is certain.
        self.rates_ = (stayed_away + 1) / (size + 2)
        return self

    def predict(self, features: pd.DataFrame) -> Floats:
        group = np.searchsorted(self.edges_, column(features, "recency_days"), side="right")
        return np.asarray(self.rates_[group])


class NoPurchase:
    """1 - P(at least one purchase) of BG/NBD."""

    def __init__(self, horizon_days: int = 90, times: tuple[float, ...] = ()) -> None:
        self.horizon_days = horizon_days
        self.times = times

    def predict(self, features: pd.DataFrame) -> Floats:
        return np.clip(1 - BgNbd(*self.times).buys(*history(features), self.horizon_days), _CLIP, 1 - _CLIP)


class LogisticChurn:
    """Logistic regression on the logarithms of the features; a missing one counts as the middle of the sample."""

    def fit(self, sample: Sample) -> "LogisticChurn":
        from sklearn.linear_model import LogisticRegression

        values = _logs(sample.features)
        is_known = ~np.isnan(values).all(axis=0)
        self.middle_ = np.zeros(values.shape[1])
        self.middle_[is_known] = np.nanmedian(values[:, is_known], axis=0)
        filled = np.where(np.isnan(values), self.middle_, values)
        self.mean_, spread = filled.mean(axis=0), filled.std(axis=0)
        self.spread_ = np.where(spread > 0, spread, 1)
        self.model_ = LogisticRegression(C=0.1, max_iter=300).fit((filled - self.mean_) / self.spread_, sample.churned)
        return self

    def predict(self, features: pd.DataFrame) -> Floats:
        values = _logs(features)
        filled = np.where(np.isnan(values), self.middle_, values)
        return np.asarray(self.model_.predict_proba((filled - self.mean_) / self.spread_)[:, 1])


class BoostedChurn:
    """Boosted trees, their odds put right by a line that is fitted on predictions for customers not learned from."""

    def __init__(self, seed: int = 42) -> None:
        self.seed = seed

    def fit(self, sample: Sample) -> "BoostedChurn":
        from sklearn.linear_model import LogisticRegression
        from sklearn.model_selection import GroupKFold

        held_out = np.empty(len(sample))
        for learn, judge in GroupKFold(_FOLDS).split(sample.features, groups=sample.customer):
            part = Booster("log_loss", self.seed).fit(sample.features.iloc[learn], sample.churned[learn])
            held_out[judge] = part.predict(sample.features.iloc[judge])
        line = LogisticRegression(C=1e6).fit(_odds(held_out).reshape(-1, 1), sample.churned)
        self.slope_, self.shift_ = float(line.coef_[0, 0]), float(line.intercept_[0])
        self.trees_ = Booster("log_loss", self.seed).fit(sample.features, sample.churned)
        return self

    def predict(self, features: pd.DataFrame) -> Floats:
        return np.asarray(expit(self.slope_ * _odds(self.trees_.predict(features)) + self.shift_))


Candidate = Callable[[Sample, Fits], Any]


def candidates(horizon_days: int, seed: int) -> Mapping[str, Candidate]:
    """How each candidate is made, the baseline first. `predict` gives the probability of no order.

    Each may raise ValueError where the sample is not enough for it.
    """
    return {
        BASELINE: lambda sample, fits: RecencyRule().fit(sample),
        "bgnbd": lambda sample, fits: _no_purchase(horizon_days, fits),
        "logistic": lambda sample, fits: LogisticChurn().fit(sample),
        "boosted_trees": lambda sample, fits: BoostedChurn(seed).fit(sample),
    }


def _no_purchase(horizon_days: int, fits: Fits) -> NoPurchase:
    if fits.times is None:
        raise ValueError("BG/NBD did not fit")
    model = fits.times
    return NoPurchase(horizon_days, (model.r, model.alpha, model.a, model.b))


def _logs(features: pd.DataFrame) -> Floats:
    values = features[list(FEATURES)].to_numpy(dtype=float)
    return np.asarray(np.sign(values) * np.log1p(np.abs(values)))


def _odds(probability: Floats) -> Floats:
    return np.asarray(logit(np.clip(probability, _CLIP, 1 - _CLIP)))
