"""Candidates for the value of a customer: days with an order within the horizon, and what one of them comes to."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from cdp.models.bgnbd import BgNbd
from cdp.models.gamma_gamma import GammaGamma
from cdp.models.learning import Booster, Fits, Sample, column, history
from cdp.models.likelihood import Floats

BASELINE = "historic_rate"

_YEAR = 365


class HistoricRate:
    """The baseline: the next days bring what days of the last year did."""

    def __init__(self, horizon_days: int = 90, usual_value: float = 0.0) -> None:
        self.horizon_days = horizon_days
        self.usual_value = usual_value

    def predict(self, features: pd.DataFrame) -> Floats:
        days, revenue = column(features, "order_days_365d"), np.maximum(column(features, "revenue_365d"), 0)
        value = np.where(days > 0, revenue / np.maximum(days, 1), self.usual_value)
        return np.stack([days * self.horizon_days / _YEAR, value], axis=1)


class BuyTillYouDie:
    """BG/NBD for the days, Gamma-Gamma for their value; the usual value where spending does not fit the latter."""

    def __init__(
        self,
        horizon_days: int = 90,
        times: tuple[float, ...] = (),
        spend: tuple[float, ...] = (),
        usual_value: float = 0.0,
    ) -> None:
        self.horizon_days = horizon_days
        self.times = times
        self.spend = spend
        self.usual_value = usual_value

    def predict(self, features: pd.DataFrame) -> Floats:
        x, tx, age = history(features)
        days = BgNbd(*self.times).purchases(x, tx, age, self.horizon_days)
        value = np.full(len(x), self.usual_value)
        if self.spend:
            value = GammaGamma(*self.spend).spend(x, column(features, "repeat_value"))
        return np.stack([np.maximum(days, 0), value], axis=1)


class BoostedValue:
    """Boosted trees for the number of days, and, among those who bought, for the value of a day."""

    def __init__(self, seed: int = 42) -> None:
        self.seed = seed

    def fit(self, sample: Sample) -> "BoostedValue":
        bought = (sample.order_days > 0) & (sample.revenue > 0)
        value = sample.revenue[bought] / sample.order_days[bought]
        self.days_ = Booster("poisson", self.seed).fit(sample.features, sample.order_days)
        self.value_ = Booster("gamma", self.seed).fit(sample.features[bought], value)
        return self

    def predict(self, features: pd.DataFrame) -> Floats:
        return np.stack([self.days_.predict(features), self.value_.predict(features)], axis=1)


Candidate = Callable[[Sample, Fits], Any]


def candidates(horizon_days: int, seed: int) -> Mapping[str, Candidate]:
    """How each candidate is made, the baseline first. `predict` gives two columns: order days, and value of one.

    Each may raise ValueError where the sample is not enough for it.
    """
    return {
        BASELINE: lambda sample, fits: HistoricRate(horizon_days, _usual_value(sample)),
        "bgnbd_gamma_gamma": lambda sample, fits: _buy_till_you_die(horizon_days, sample, fits),
        "boosted_trees": lambda sample, fits: BoostedValue(seed).fit(sample),
    }


def _buy_till_you_die(horizon_days: int, sample: Sample, fits: Fits) -> BuyTillYouDie:
    if fits.times is None:
        raise ValueError("BG/NBD did not fit")
    model, spend = fits.times, fits.spend
    return BuyTillYouDie(
        horizon_days,
        (model.r, model.alpha, model.a, model.b),
        (spend.p, spend.q, spend.v) if spend else (),
        _usual_value(sample),
    )


def _usual_value(sample: Sample) -> float:
    """Mean value of an order day in the past of the sample."""
    revenue = np.maximum(column(sample.features, "revenue"), 0).sum()
    return float(revenue / max((column(sample.features, "repeat_days") + 1).sum(), 1))
