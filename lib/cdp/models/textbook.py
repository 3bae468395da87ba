"""The textbook's view of customers as of a day: BG/NBD for the days with an order, Gamma-Gamma for what one comes to."""

import numpy as np
import pandas as pd

from cdp.models.bgnbd import BgNbd, fit_bgnbd
from cdp.models.gamma_gamma import GammaGamma, fit_gamma_gamma
from cdp.models.likelihood import Floats

COLUMNS = ("lifetime_alive", "lifetime_buys", "lifetime_orders", "lifetime_revenue")
"""What it adds to the features: probability of not having left for good, probability of an order within a horizon, days
with an order in it, and what they come to."""


class Textbook:
    """Fitted on customers' orders up to one day.

    Args:
        times: r, alpha, a and b of BG/NBD in days; empty where it did not fit.
        spend: p, q and v of Gamma-Gamma; empty where it did not fit.
        usual_value: mean value of a day with an order, for want of Gamma-Gamma.
    """

    def __init__(self, times: tuple[float, ...] = (), spend: tuple[float, ...] = (), usual_value: float = 0.0) -> None:
        self.times = times
        self.spend = spend
        self.usual_value = usual_value

    @classmethod
    def of(cls, times: BgNbd | None, spend: GammaGamma | None, usual_value: float) -> "Textbook":
        """From fitted models, either of which may be missing."""
        return cls(
            (times.r, times.alpha, times.a, times.b) if times else (),
            (spend.p, spend.q, spend.v) if spend else (),
            usual_value,
        )

    @classmethod
    def fitted(cls, features: pd.DataFrame) -> "Textbook":
        """On features of customers as of one day; what does not fit is left out."""
        x, tx, age = history(features)
        value = column(features, "repeat_value")
        with_value = (x > 0) & (value > 0)
        try:
            times = fit_bgnbd(x, tx, age, np.ones(len(x)))
        except ValueError:
            times = None
        try:
            spend = fit_gamma_gamma(x[with_value], value[with_value], np.ones(int(with_value.sum())))
        except ValueError:
            spend = None
        return cls.of(times, spend, usual_value(features))

    def columns(self, features: pd.DataFrame, horizon_days: int) -> pd.DataFrame:
        """`COLUMNS` of customers; all missing where BG/NBD did not fit."""
        if not self.times:
            return pd.DataFrame(np.nan, index=features.index, columns=list(COLUMNS))
        model, (x, tx, age) = BgNbd(*self.times), history(features)
        orders = np.maximum(model.purchases(x, tx, age, horizon_days), 0)
        value = np.full(len(x), self.usual_value)
        if self.spend:
            value = GammaGamma(*self.spend).spend(x, column(features, "repeat_value"))
        found = (model.alive(x, tx, age), model.buys(x, tx, age, horizon_days), orders, orders * value)
        return pd.DataFrame(dict(zip(COLUMNS, found, strict=True)), index=features.index)


def history(features: pd.DataFrame) -> tuple[Floats, Floats, Floats]:
    """x, tx and age for BG/NBD."""
    return column(features, "repeat_days"), column(features, "active_days"), column(features, "age_days")


def usual_value(features: pd.DataFrame) -> float:
    """Mean value of a day with an order in the past of customers."""
    revenue = np.maximum(column(features, "revenue"), 0).sum()
    return float(revenue / max((column(features, "repeat_days") + 1).sum(), 1))


def column(features: pd.DataFrame, name: str) -> Floats:
    """A feature as numbers, 0 where it has no value."""
    return np.asarray(np.nan_to_num(features[name].to_numpy(dtype=float)))
