"""What trees, lines, the textbook and the last year each say of customers over one horizon, on scales that can be averaged."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cdp.models.cutoffs import YEAR
from cdp.models.features import FEATURES
from cdp.models.learning import CLIP, Learned, odds, probability
from cdp.models.likelihood import Floats
from cdp.models.textbook import Textbook, column

TEXTBOOK = "textbook"
LEARNED = ("trees", "line")
RATE = "rate"


@dataclass(frozen=True)
class View:
    """What each expert says, by its name.

    Attributes:
        odds: log-odds of an order within the horizon; the last year says nothing of them.
        value: logarithm of the revenue expected within it.
        orders: logarithm of the days with an order expected within it; the line says nothing of them.
        inputs: what trees and lines saw.
        own: of trees and lines, log-odds and logarithm of revenue over the days that they learned from.
    """

    odds: Mapping[str, Floats]
    value: Mapping[str, Floats]
    orders: Mapping[str, Floats]
    inputs: pd.DataFrame = field(default_factory=pd.DataFrame)
    own: Mapping[str, tuple[Floats, Floats]] = field(default_factory=dict)


class Experts:
    """The experts of one horizon.

    Args:
        horizon_days: days looked ahead.
        learn_days: days of outcome that trees and lines learned from.
        learned: trees and lines; None where there was too little to learn from.
        textbook: BG/NBD and Gamma-Gamma, fitted on orders up to the day of the features.
        history_days: days that orders reach back from that day.
    """

    def __init__(
        self,
        horizon_days: int = 90,
        learn_days: int = 90,
        learned: Learned | None = None,
        textbook: Textbook | None = None,
        history_days: int = YEAR,
    ) -> None:
        self.horizon_days = horizon_days
        self.learn_days = learn_days
        self.learned = learned
        self.textbook = textbook or Textbook()
        self.history_days = history_days

    @property
    def names(self) -> tuple[str, ...]:
        """Those who can say something."""
        return (*(LEARNED if self.learned else ()), *((TEXTBOOK,) if self.textbook.times else ()), RATE)

    def inputs(self, features: pd.DataFrame) -> pd.DataFrame:
        """What trees and lines see."""
        return with_textbook(features, self.textbook, self.learn_days)

    def view(self, features: pd.DataFrame, inputs: pd.DataFrame | None = None) -> View:
        """What everybody says of customers; `inputs`, where they are made already, are those of the same customers."""
        inputs = self.inputs(features) if inputs is None else inputs
        is_same = self.horizon_days == self.learn_days
        ahead = inputs if is_same else self.textbook.columns(features, self.horizon_days)
        share = self.horizon_days / min(YEAR, max(self.history_days, 1))
        view_odds, own = {}, {}
        value = {RATE: _log(np.maximum(column(features, "revenue_365d"), 0) * share)}
        orders = {RATE: _log(column(features, "order_days_365d") * share)}
        if self.learned:
            for name, expert in self.learned.experts_.items():
                view_odds[name] = expert.log_odds(inputs)
                value[name] = expert.log_value(inputs, view_odds[name])
                own[name] = view_odds[name], value[name]
                if not is_same:
                    view_odds[name] = self._longer(inputs, ahead, view_odds[name])
                    value[name] = value[name] + self._more(inputs, ahead, "lifetime_revenue")
            orders["trees"] = self.learned.orders_.raw(inputs)
            if not is_same:
                orders["trees"] = orders["trees"] + self._more(inputs, ahead, "lifetime_orders")
        if self.textbook.times:
            view_odds[TEXTBOOK] = odds(column(ahead, "lifetime_buys"))
            value[TEXTBOOK] = _log(column(ahead, "lifetime_revenue"))
            orders[TEXTBOOK] = _log(column(ahead, "lifetime_orders"))
        return View(view_odds, value, orders, inputs, own)

    def _longer(self, inputs: pd.DataFrame, ahead: pd.DataFrame, log_odds: Floats) -> Floats:
        """Log-odds over the days learned from as log-odds over the horizon: by what the textbook makes of each customer in
        both, else as if each day were like the others."""
        if self.textbook.times:
            return np.asarray(log_odds + odds(column(ahead, "lifetime_buys")) - odds(column(inputs, "lifetime_buys")))
        times = self.horizon_days / self.learn_days
        return odds(-np.expm1(times * np.log1p(-probability(log_odds))))

    def _more(self, inputs: pd.DataFrame, ahead: pd.DataFrame, name: str) -> "Floats | float":
        """Logarithm of how much more of something the horizon holds than the days learned from."""
        if self.textbook.times:
            return np.asarray(_log(column(ahead, name)) - _log(column(inputs, name)))
        return float(np.log(self.horizon_days / self.learn_days))


def with_textbook(features: pd.DataFrame, textbook: Textbook, days: int) -> pd.DataFrame:
    """`learning.INPUTS` from `FEATURES`."""
    return pd.concat([features[list(FEATURES)], textbook.columns(features, days)], axis=1)


def _log(expected: Floats) -> Floats:
    return np.asarray(np.log(np.maximum(expected, CLIP)))
