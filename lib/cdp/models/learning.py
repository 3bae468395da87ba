"""What candidates learn from, and the gradient boosting that both predictions share.

scikit-learn is imported where it is used: its import takes seconds, and a worker that scores with BG/NBD needs none of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cdp.models.bgnbd import BgNbd
from cdp.models.features import FEATURES, HORIZON
from cdp.models.gamma_gamma import GammaGamma
from cdp.models.likelihood import Floats

_FEW_ROWS = 20_000
_BOOSTING = {
    "learning_rate": 0.06,
    "max_iter": 80,
    "max_leaf_nodes": 12,
    "min_samples_leaf": 40,
    "l2_regularization": 5.0,
    "early_stopping": False,
}


@dataclass(frozen=True)
class Sample:
    """Customers as of one or several cut-offs, and what came after.

    Attributes:
        features: `FEATURES`, one row a customer and cut-off.
        customer: number of the customer, so that the rows of one never stand on both sides of a split.
        order_days: days with an order within the horizon.
        revenue: spent within the horizon, returns taken off, at least 0.
    """

    features: pd.DataFrame
    customer: np.ndarray
    order_days: Floats
    revenue: Floats

    def __len__(self) -> int:
        return len(self.features)

    @property
    def churned(self) -> Floats:
        """1 where there was no order within the horizon."""
        return np.asarray(self.order_days == 0, dtype=float)

    def plus(self, other: "Sample") -> "Sample":
        """The rows of both."""
        return Sample(
            pd.concat([self.features, other.features], ignore_index=True),
            np.concatenate([self.customer, other.customer]),
            np.concatenate([self.order_days, other.order_days]),
            np.concatenate([self.revenue, other.revenue]),
        )


@dataclass(frozen=True)
class Fits:
    """Models of all customers' orders up to the same day as the newest features; None where they do not fit."""

    times: BgNbd | None
    spend: GammaGamma | None


class Booster:
    """Gradient boosted trees on those features that have any value in the sample.

    Args:
        loss: `poisson` or `gamma` for a mean, `log_loss` for a probability.
        seed: random state.
    """

    def __init__(self, loss: str = "poisson", seed: int = 42) -> None:
        self.loss = loss
        self.seed = seed

    def fit(self, features: pd.DataFrame, target: Floats) -> "Booster":
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        # scikit-learn fails on a column without any value.
        self.columns_ = [name for name in FEATURES if features[name].notna().any()]
        settings: dict[str, Any] = {**_BOOSTING, "loss": self.loss, "random_state": self.seed}
        kind = HistGradientBoostingClassifier if self.loss == "log_loss" else HistGradientBoostingRegressor
        # On few rows threads wait for each other longer than they work.
        with threadpool_limits(limits=1 if len(features) < _FEW_ROWS else None):
            self.trees_ = kind(**settings).fit(self._matrix(features), target)
        return self

    def predict(self, features: pd.DataFrame) -> Floats:
        """The mean, or the probability of 1."""
        matrix = self._matrix(features)
        found = self.trees_.predict_proba(matrix)[:, 1] if self.loss == "log_loss" else self.trees_.predict(matrix)
        return np.asarray(found, dtype=float)

    def _matrix(self, features: pd.DataFrame) -> Floats:
        return np.asarray(features[self.columns_], dtype=float)


class ByHorizon:
    """A model for each horizon; a row's `horizon_days` says which of them answers."""

    def __init__(self, horizons: Sequence[int] = (), models: Sequence[Any] = ()) -> None:
        self.horizons = horizons
        self.models = models

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        answers = [model.predict(rows[rows[HORIZON] == h]) for h, model in zip(self.horizons, self.models, strict=True)]
        where = [np.flatnonzero(rows[HORIZON] == h) for h in self.horizons]
        order = np.argsort(np.concatenate(where), kind="stable")
        return np.asarray(np.concatenate(answers)[order])

    def at(self, horizon_days: int) -> Any:
        """The model of one horizon."""
        return self.models[list(self.horizons).index(horizon_days)]


def column(features: pd.DataFrame, name: str) -> Floats:
    """A feature as numbers, 0 where it has no value."""
    return np.asarray(np.nan_to_num(features[name].to_numpy(dtype=float)))


def history(features: pd.DataFrame) -> tuple[Floats, Floats, Floats]:
    """x, tx and age for BG/NBD."""
    return column(features, "repeat_days"), column(features, "active_days"), column(features, "age_days")
