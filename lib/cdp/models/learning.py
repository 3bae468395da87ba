"""What learns from outcomes: trees and lines, each for the odds of an order and for what the orders come to.

scikit-learn is imported where it is used: its import takes seconds, and a worker that scores with BG/NBD needs none of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, log_expit, logit

from cdp.models import textbook
from cdp.models.features import FEATURES, HORIZON
from cdp.models.likelihood import Floats

INPUTS = (*FEATURES, *textbook.COLUMNS)
"""What experts see of a customer: features, and what the textbook says over the days of outcome."""

CLIP = 1e-5
"""No probability is nearer to 0 or 1."""

_FEW_ROWS = 20_000
_BOOSTING = {
    "learning_rate": 0.06,
    "max_iter": 80,
    "max_leaf_nodes": 6,
    "min_samples_leaf": 40,
    "l2_regularization": 5.0,
    "early_stopping": False,
}
_LEAST_BUYERS = 10


@dataclass(frozen=True)
class Sample:
    """Customers as of one or several cut-offs, and what came after.

    Attributes:
        inputs: `INPUTS`, one row a customer and cut-off.
        customer: number of the customer; one person has a row for each cut-off.
        order_days: days with an order within the outcome.
        revenue: spent within the outcome, returns taken off, at least 0.
    """

    inputs: pd.DataFrame
    customer: np.ndarray
    order_days: Floats
    revenue: Floats

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def bought(self) -> Floats:
        """1 where there was an order within the outcome."""
        return np.asarray(self.order_days > 0, dtype=float)

    @property
    def paid(self) -> np.ndarray:
        """Whether there was one that was not returned as a whole."""
        return np.asarray((self.order_days > 0) & (self.revenue > 0))

    @property
    def churned(self) -> Floats:
        """1 where there was none."""
        return np.asarray(self.order_days == 0, dtype=float)


def lacking(sample: Sample) -> str | None:
    """What a sample has too little of for anything to be learned from it; None where it has enough."""
    bought, paid = int(sample.bought.sum()), int(sample.paid.sum())
    if min(bought, len(sample) - bought) < _LEAST_BUYERS:
        return f"needs {_LEAST_BUYERS} rows of each outcome, found {bought} that bought of {len(sample):,}"
    if paid < _LEAST_BUYERS:
        return f"needs {_LEAST_BUYERS} rows that spent something, found {paid}"
    return None


class Booster:
    """Gradient boosted trees on those inputs that have any value in the sample.

    Args:
        loss: `log_loss` for a probability, `poisson` for a mean, `squared_error`.
        seed: random state.
    """

    def __init__(self, loss: str = "poisson", seed: int = 42) -> None:
        self.loss = loss
        self.seed = seed

    def fit(self, inputs: pd.DataFrame, target: Floats) -> "Booster":
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        # scikit-learn fails on a column without any value.
        self.columns_ = [str(name) for name in inputs if inputs[name].notna().any()]
        settings: dict[str, Any] = {**_BOOSTING, "loss": self.loss, "random_state": self.seed}
        kind = HistGradientBoostingClassifier if self.loss == "log_loss" else HistGradientBoostingRegressor
        with threads_for(len(inputs)):
            self.trees_ = kind(**settings).fit(self.matrix(inputs), target)
        return self

    def raw(self, inputs: pd.DataFrame) -> Floats:
        """The log-odds, the logarithm of the mean, or the value, as the loss has it: what the trees add up."""
        is_odds = self.loss == "log_loss"
        with threads_for(len(inputs)):
            ask = self.trees_.decision_function if is_odds else self.trees_.predict
            found = np.asarray(ask(self.matrix(inputs)), dtype=float)
        return np.log(np.maximum(found, CLIP)) if self.loss == "poisson" else found

    def matrix(self, inputs: pd.DataFrame) -> Floats:
        """The inputs that the trees know."""
        return np.asarray(inputs[self.columns_], dtype=float)


class Line:
    """A line through the logarithms of the inputs; one without a value counts as the middle of the sample.

    Args:
        loss: `log_loss` for log-odds, `squared_error` for a value.
    """

    def __init__(self, loss: str = "log_loss") -> None:
        self.loss = loss

    def fit(self, inputs: pd.DataFrame, target: Floats) -> "Line":
        from sklearn.linear_model import LogisticRegression, Ridge

        self.columns_ = [str(name) for name in inputs if inputs[name].notna().any()]
        values = _logs(inputs, self.columns_)
        self.middle_ = np.nanmedian(values, axis=0)
        filled = np.where(np.isnan(values), self.middle_, values)
        self.mean_, spread = filled.mean(axis=0), filled.std(axis=0)
        self.spread_ = np.where(spread > 1e-9, spread, 1)
        scaled = (filled - self.mean_) / self.spread_
        # Standardised inputs that say much the same need a firm hand: the penalties are those of some ten rows.
        line = LogisticRegression(C=0.1, max_iter=500) if self.loss == "log_loss" else Ridge(alpha=10.0)
        line.fit(scaled, target)
        self.slope_, self.shift_ = np.ravel(line.coef_), float(np.ravel(line.intercept_)[0])
        return self

    def raw(self, inputs: pd.DataFrame) -> Floats:
        """The log-odds, or the value."""
        return np.asarray(self.parts(inputs).sum(axis=1) + self.shift_)

    def parts(self, inputs: pd.DataFrame) -> Floats:
        """What each of `columns_` adds to `shift_`, which is the sample's mean customer: exact Shapley values of a line."""
        values = _logs(inputs, self.columns_)
        filled = np.where(np.isnan(values), self.middle_, values)
        # Far outside of what was seen a line is no better than at the end of it.
        scaled = np.clip((filled - self.mean_) / self.spread_, -6, 6)
        return np.asarray(scaled * self.slope_)


class TwoPart:
    """Whether a customer buys, and how much one who buys spends: the logarithm of spending has no end on one side only.

    Args:
        kind: `trees` or `line`.
        seed: random state.
    """

    def __init__(self, kind: str = "trees", seed: int = 42) -> None:
        self.kind = kind
        self.seed = seed

    def fit(self, sample: Sample) -> "TwoPart":
        """Raises ValueError where the sample is `lacking`."""
        if why := lacking(sample):
            raise ValueError(why)
        paid = sample.paid
        self.odds_ = self._expert("log_loss").fit(sample.inputs, sample.bought)
        self.spend_ = self._expert("squared_error").fit(sample.inputs[paid], np.log(sample.revenue[paid]))
        # The mean of a skewed thing is above the exponent of its logarithm's mean: the share that makes the sample's
        # total right (smearing, after Duan 1983).
        self.smear_ = 0.0
        self.smear_ = float(np.log(sample.revenue.sum() / np.exp(self.log_value(sample.inputs)).sum()))
        return self

    def log_odds(self, inputs: pd.DataFrame) -> Floats:
        """Of an order within the outcome."""
        return np.asarray(np.clip(self.odds_.raw(inputs), -_ODDS, _ODDS))

    def log_value(self, inputs: pd.DataFrame, log_odds: Floats | None = None) -> Floats:
        """Logarithm of the revenue expected within the outcome; `log_odds`, where they are told already."""
        log_odds = self.log_odds(inputs) if log_odds is None else log_odds
        return np.asarray(log_expit(log_odds) + self.spend_.raw(inputs) + self.smear_)

    def _expert(self, loss: str) -> "Booster | Line":
        return Booster(loss, self.seed) if self.kind == "trees" else Line(loss)


class Learned:
    """All that is learned from one sample: trees, lines, and the number of days with an order."""

    def __init__(self, seed: int = 42) -> None:
        self.seed = seed

    def fit(self, sample: Sample) -> "Learned":
        """Raises ValueError where the sample has too few rows of an outcome."""
        self.experts_ = {kind: TwoPart(kind, self.seed).fit(sample) for kind in ("trees", "line")}
        self.orders_ = Booster("poisson", self.seed).fit(sample.inputs, sample.order_days)
        return self


class ByHorizon:
    """A model for each horizon; a row's `horizon_days` says which of them answers."""

    def __init__(self, horizons: Sequence[int] = (), models: Sequence[Any] = ()) -> None:
        self.horizons = list(horizons)
        self.models = list(models)

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        asked = rows[HORIZON].to_numpy()
        where = [(np.flatnonzero(asked == h), model) for h, model in zip(self.horizons, self.models, strict=True)]
        answers = [(rows_of, model.predict(rows.iloc[rows_of])) for rows_of, model in where if len(rows_of)]
        order = np.argsort(np.concatenate([rows_of for rows_of, _ in answers]), kind="stable")
        return np.asarray(np.concatenate([answer for _, answer in answers])[order])

    def at(self, horizon_days: int) -> Any:
        """The model of one horizon."""
        return self.models[self.horizons.index(horizon_days)]


_ODDS = float(logit(1 - CLIP))


def threads_for(rows: int) -> Any:
    """Keeps libraries to one thread while they work on few rows: more would wait for each other longer than they work."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    return threadpool_limits(limits=1 if rows < _FEW_ROWS else None)


def probability(log_odds: Floats) -> Floats:
    """Of log-odds, never 0 nor 1."""
    return np.asarray(np.clip(expit(log_odds), CLIP, 1 - CLIP))


def odds(probability: Floats) -> Floats:
    """Log-odds of probabilities, which count as no nearer to 0 or 1 than `CLIP`."""
    return np.asarray(logit(np.clip(probability, CLIP, 1 - CLIP)))


def _logs(inputs: pd.DataFrame, columns: list[str]) -> Floats:
    values = inputs[columns].to_numpy(dtype=float)
    return np.asarray(np.sign(values) * np.log1p(np.abs(values)))
