"""How much there will be in all: the level of predictions, on which opinions differ more than on who is better than whom.

Three opinions, each with a blind spot, are averaged with equal weights, which in forecasting is hard to beat (Bates and
Granger 1969; the M competitions): the process model knows how customers fade but no seasons; what was learned carries the
latest months' season forward; the same days a year earlier know the season, but of one year only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import logsumexp

from cdp.models.experts import LEARNED, TEXTBOOK, View
from cdp.models.learning import odds, probability
from cdp.models.likelihood import Floats
from cdp.models.textbook import Textbook

_FURTHEST = 40.0
"""From the surest log-odds, times the steepest slope, to where no probability is nearer to 0 or 1."""


@dataclass(frozen=True)
class Season:
    """How far the textbook was off over the same days a year earlier.

    Attributes:
        odds: log-odds of the share that bought, less those of the share expected.
        value: logarithm of revenue by revenue expected.
        orders: the same of days with an order.
    """

    odds: float
    value: float
    orders: float


@dataclass(frozen=True)
class Level:
    """What is added to everybody's log-odds, and to the logarithms of revenue and of order days that each expert tells."""

    odds: float = 0.0
    value: Mapping[str, float] = field(default_factory=dict)
    orders: Mapping[str, float] = field(default_factory=dict)


def season_of(
    textbook: Textbook, features: pd.DataFrame, order_days: Floats, revenue: Floats, days: int
) -> Season | None:
    """The season of the days after a cut-off a year ago; None where nothing was expected, or nothing happened.

    Args:
        textbook: fitted up to that cut-off.
        features, order_days, revenue: of the customers of then, and what they did in the `days` after.
    """
    if not textbook.times:
        return None
    expected = textbook.columns(features, days)
    found = np.array([(order_days > 0).mean(), revenue.sum(), order_days.sum()])
    told = expected[["lifetime_buys", "lifetime_revenue", "lifetime_orders"]].sum().to_numpy()
    told[0] /= len(features)
    if not (found > 0).all() or not (told > 0).all() or found[0] >= 1:
        return None
    by_odds = odds(found[:1]) - odds(told[:1])
    return Season(float(by_odds[0]), float(np.log(found[1] / told[1])), float(np.log(found[2] / told[2])))


def level_of(view: View, names: Sequence[str], season: Season | None, *, slope: float = 1.0) -> Level:
    """The level at which experts meet the mean of opinions.

    Args:
        view: what each expert says of all customers, or of a fair sample of them.
        names: experts who are brought to it. The textbook alone is left as it is.
        season: of a year ago, where known.
        slope: what the mean log-odds are multiplied by.
    """
    learned, has_textbook = [name for name in LEARNED if name in view.odds], TEXTBOOK in view.odds
    if tuple(names) == (TEXTBOOK,) or not (learned or has_textbook):
        return Level()
    shares, totals, orders = [], [], []
    if has_textbook:
        shares.append(_share(view.odds[TEXTBOOK]))
        totals.append(_total(view.value[TEXTBOOK]))
        orders.append(_total(view.orders[TEXTBOOK]))
    if has_textbook and season:
        shares.append(shares[0] + season.odds)
        totals.append(totals[0] + season.value)
        orders.append(orders[0] + season.orders)
    if learned:
        shares.append(float(np.mean([_share(view.odds[name]) for name in learned])))
        totals.append(float(np.mean([_total(view.value[name]) for name in learned])))
        orders.append(_total(view.orders["trees"]))
    share = float(probability(np.array([np.mean(shares)]))[0])
    return Level(
        odds=_shift(slope * mean_odds(view, names), share),
        value={name: float(np.mean(totals) - _total(view.value[name])) for name in names},
        orders={name: float(np.mean(orders) - _total(told)) for name, told in view.orders.items()},
    )


def mean_odds(view: View, names: Sequence[str]) -> Floats:
    """Mean log-odds of those among the named experts who tell any."""
    return np.asarray(np.mean([view.odds[name] for name in names if name in view.odds], axis=0))


def _share(log_odds: Floats) -> float:
    """Log-odds of the mean probability."""
    return float(odds(np.array([probability(log_odds).mean()]))[0])


def _total(logarithms: Floats) -> float:
    """Logarithm of the sum."""
    return float(logsumexp(logarithms))


def _shift(log_odds: Floats, share: float) -> float:
    """What must be added to log-odds for their probabilities to have a given mean."""
    return float(brentq(lambda shift: probability(log_odds + shift).mean() - share, -_FURTHEST, _FURTHEST))
