"""What is registered: what a prospect is expected to do within the horizon, from the probability of an order."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cdp.models.intervals import Interval
from cdp.models.likelihood import Floats
from cdp.models.propensity.answers import BaseRate, Blend

PROBABILITY, ORDERS, REVENUE, LOW, HIGH = range(5)
"""The columns of what `Prospects` predicts."""


class Prospects:
    """The answer over one horizon.

    Whoever orders is expected to do as those did who were learned from: what tells who orders, such as a visit, tells little
    of how much a stranger spends.

    Args:
        answer: says how likely an order is within `learn_days`.
        features: columns of the table that it takes.
        horizon_days: days looked ahead.
        learn_days: days of outcome that it learned from.
        orders: mean days with an order within `learn_days` of those who ordered.
        revenue: their mean revenue within these.
        interval: spread of revenue; None: none is told.
    """

    def __init__(
        self,
        answer: BaseRate | Blend | None = None,
        features: Sequence[str] = (),
        horizon_days: int = 90,
        learn_days: int = 90,
        orders: float = 1.0,
        revenue: float = 0.0,
        interval: Interval | None = None,
    ) -> None:
        self.answer = answer or BaseRate()
        self.features = list(features)
        self.horizon_days = horizon_days
        self.learn_days = learn_days
        self.orders = orders
        self.revenue = revenue
        self.interval = interval

    def predict(self, table: pd.DataFrame) -> Floats:
        """Probability of an order, days with an order, revenue, and the ends of its 80 % interval: NaN where none is told."""
        likely, times = self.answer.predict(table), self.horizon_days / self.learn_days
        # Where less than the horizon was learned from, its further days are like those.
        probability = -np.expm1(times * np.log1p(-likely))
        orders, revenue = likely * self.orders * times, likely * self.revenue * times
        nothing = np.full(len(table), np.nan)
        ends = self.interval.bounds(probability, revenue) if self.interval else (nothing, nothing)
        return np.stack([probability, orders, revenue, *ends], axis=1)
