"""The probability of no order within the horizon: candidates, and the rule that they must beat.

It is never 1 - P(alive) of BG/NBD: that is 0 for everybody who bought once, most of whom do not come back.
"""

import numpy as np
import pandas as pd

from cdp.models.blend import Blend
from cdp.models.experts import View
from cdp.models.likelihood import Floats
from cdp.models.textbook import column

_GROUPS = 10


class BlendedChurn:
    """One less the probability of an order that experts agree on."""

    def __init__(self, blend: Blend | None = None) -> None:
        self.blend = blend or Blend()

    def predict(self, features: pd.DataFrame) -> Floats:
        return self.told(self.blend.experts.view(features))

    def told(self, view: View) -> Floats:
        """The same from what the experts have said already."""
        return np.asarray(1 - self.blend.forecast_of(view).buys)


class RecencyRule:
    """The share that stayed away among those of the sample whose last order was as long ago.

    Args:
        times: how many outcomes of the sample's length fit into the horizon.
    """

    def __init__(self, times: float = 1.0) -> None:
        self.times = times

    def fit(self, features: pd.DataFrame, churned: Floats) -> "RecencyRule":
        recency = column(features, "recency_days")
        limits = np.linspace(0, 1, _GROUPS + 1)[1:-1]
        self.edges_ = np.unique(np.quantile(recency, limits)) if len(recency) else np.zeros(0)
        group = np.searchsorted(self.edges_, recency, side="right")
        size = np.bincount(group, minlength=len(self.edges_) + 1)
        stayed_away = np.bincount(group, weights=churned, minlength=len(self.edges_) + 1)
        # One more of each outcome, so that no group is certain.
        self.rates_ = (stayed_away + 1) / (size + 2)
        return self

    def predict(self, features: pd.DataFrame) -> Floats:
        group = np.searchsorted(self.edges_, column(features, "recency_days"), side="right")
        return np.asarray(self.rates_[group] ** self.times)
