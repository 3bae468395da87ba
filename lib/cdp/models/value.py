"""What revenue to expect of a customer within the horizon: candidates, and the rules that they must beat.

Each model's `predict` gives four columns: days with an order, revenue, and the ends of its 80 % interval, which are NaN for
rules, as they say nothing of how sure they are.
"""

import numpy as np
import pandas as pd

from cdp.models.blend import Blend
from cdp.models.experts import View
from cdp.models.features import SEASON_WINDOWS
from cdp.models.intervals import Interval
from cdp.models.likelihood import Floats
from cdp.models.textbook import column, usual_value

YEAR = 365


class BlendedValue:
    """Experts' mean, with intervals."""

    def __init__(self, blend: Blend | None = None, interval: Interval | None = None) -> None:
        self.blend = blend or Blend()
        self.interval = interval

    def predict(self, features: pd.DataFrame) -> Floats:
        return self.told(self.blend.experts.view(features))

    def told(self, view: View) -> Floats:
        """The same from what the experts have said already."""
        told = self.blend.forecast_of(view)
        nothing = np.full(len(told.revenue), np.nan)
        ends = self.interval.bounds(told.buys, told.revenue) if self.interval else (nothing, nothing)
        return np.stack([told.orders, told.revenue, *ends], axis=1)


class HistoricRate:
    """The days of the last year, or as many as orders reach back, go on."""

    def __init__(self, horizon_days: int = 90, history_days: int = YEAR, usual_value: float = 0.0) -> None:
        self.horizon_days = horizon_days
        self.history_days = history_days
        self.usual_value = usual_value

    def predict(self, features: pd.DataFrame) -> Floats:
        share = self.horizon_days / min(YEAR, max(self.history_days, 1))
        days = column(features, "order_days_365d") * share
        return _rule(days, np.maximum(column(features, "revenue_365d"), 0) * share, self.usual_value)


class LastYearWindow:
    """The same days of last year come again."""

    def __init__(self, horizon_days: int = 90) -> None:
        self.horizon_days = horizon_days

    def predict(self, features: pd.DataFrame) -> Floats:
        window = next((w for w in SEASON_WINDOWS if w >= self.horizon_days), YEAR)
        suffix = f"year_ago_{window}d" if window < YEAR else f"{YEAR}d"
        share = self.horizon_days / window
        days = column(features, f"order_days_{suffix}") * share
        return _rule(days, np.maximum(column(features, f"revenue_{suffix}"), 0) * share, 0.0)


class LifetimeRate:
    """All days since the first order are alike, the next ones too."""

    def __init__(self, horizon_days: int = 90) -> None:
        self.horizon_days = horizon_days

    def predict(self, features: pd.DataFrame) -> Floats:
        share = self.horizon_days / np.maximum(column(features, "age_days"), 1)
        days = (column(features, "repeat_days") + 1) * share
        return _rule(days, np.maximum(column(features, "revenue"), 0) * share, 0.0)


def rules(
    horizon_days: int, history_days: int, features: pd.DataFrame
) -> dict[str, "HistoricRate | LastYearWindow | LifetimeRate"]:
    """The baselines, by name, the first of which is taken where nothing can be learned.

    Args:
        horizon_days: days looked ahead.
        history_days: days that orders reach back from the day of the features.
        features: of customers as of that day.
    """
    found: dict[str, HistoricRate | LastYearWindow | LifetimeRate] = {
        "historic_rate": HistoricRate(horizon_days, history_days, usual_value(features)),
        "lifetime_rate": LifetimeRate(horizon_days),
    }
    if history_days >= YEAR:
        found["last_year_window"] = LastYearWindow(horizon_days)
    return found


def _rule(days: Floats, revenue: Floats, usual: float) -> Floats:
    nothing = np.full(len(days), np.nan)
    # Days that brought nothing but returns are worth what days usually are, or they would be worth nothing for ever.
    revenue = np.where((days > 0) & (revenue <= 0), days * usual, revenue)
    return np.stack([days, revenue, nothing, nothing], axis=1)
