"""The mean of experts, brought to one level: log-odds of an order, days with one, and revenue.

Revenue is averaged as it is, not as logarithms: most of it comes from a few customers, whom logarithms would shrink.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cdp.models.experts import Experts, View
from cdp.models.learning import probability
from cdp.models.level import Level, Season, level_of, mean_odds
from cdp.models.likelihood import Floats

_LEAST_OUTCOMES = 30


@dataclass(frozen=True)
class Forecast:
    """What is expected of customers within the horizon: probability of an order, days with one, and revenue."""

    buys: Floats
    orders: Floats
    revenue: Floats


class Blend:
    """Some experts of one horizon, averaged: what is left of their mistakes is what they have in common.

    Args:
        experts: of the horizon.
        names: of those that are averaged.
        slope: what the mean log-odds are multiplied by, so that as many buy as is said at every height.
        level: added after that.
    """

    def __init__(
        self, experts: Experts | None = None, names: Sequence[str] = (), slope: float = 1.0, level: Level | None = None
    ) -> None:
        level = level or Level()
        self.experts = experts or Experts()
        self.names = list(names)
        self.slope = slope
        self.odds_level = level.odds
        self.value_level = dict(level.value)
        self.orders_level = dict(level.orders)
        self.usual_odds: dict[str, float] = {}
        self.usual_value: dict[str, float] = {}

    @classmethod
    def levelled(
        cls, experts: Experts, names: Sequence[str], view: View, season: Season | None, *, slope: float = 1.0
    ) -> "Blend":
        """At the level that opinions on all customers agree on; `view` is what the experts say of these."""
        return cls(experts, names, slope, level_of(view, names, season, slope=slope))

    def forecast_of(self, view: View) -> Forecast:
        """From what the experts say."""
        buys = probability(self.log_odds(view) + self.odds_level)
        revenue = _mean(view.value, self.names, self.value_level)
        tell_orders = [name for name in self.names if name in view.orders] or list(view.orders)
        orders = _mean(view.orders, tell_orders, self.orders_level)
        # Whoever buys at all has one day with an order.
        return Forecast(buys, np.maximum(orders, buys), revenue)

    def log_odds(self, view: View) -> Floats:
        """The mean log-odds before the level is added."""
        return np.asarray(self.slope * mean_odds(view, self.names))


def _mean(logarithms: Mapping[str, Floats], names: Sequence[str], level: Mapping[str, float]) -> Floats:
    return np.asarray(np.mean([np.exp(logarithms[name] + level.get(name, 0.0)) for name in names], axis=0))


def slope_of(told: Sequence[tuple[Floats, Floats]]) -> float:
    """What log-odds must be multiplied by to say as much as they know: 1 if they neither boast nor hide.

    A logistic regression of outcomes on log-odds (Platt 1999), with a level of its own for each back-test, since a level
    that was wrong for all says nothing of the slope. Kept between 0.7 and 1.4.

    Args:
        told: log-odds, and 1 for those who bought, of each back-test.
    """
    from sklearn.linear_model import LogisticRegression

    if not told:
        return 1.0
    log_odds, bought = np.concatenate([part for part, _ in told]), np.concatenate([part for _, part in told])
    if min(bought.sum(), (1 - bought).sum()) < _LEAST_OUTCOMES or log_odds.std() < 1e-6:
        return 1.0
    levels = np.repeat(np.eye(len(told)), [len(part) for part, _ in told], axis=0)
    line = LogisticRegression(C=1e6, max_iter=500, fit_intercept=False).fit(np.column_stack([log_odds, levels]), bought)
    return float(np.clip(line.coef_[0, 0], 0.7, 1.4))
