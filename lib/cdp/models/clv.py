"""Customer lifetime value: what purchases to come are worth today.

Source: Fader, Hardie and Lee (2005), RFM and CLV, Journal of Marketing Research 42(4), 415-430; periods in place of
continuous time. Without a horizon or a discount the value may be infinite, so both are always part of it.
"""

import numpy as np

from cdp.models.gamma_gamma import GammaGamma
from cdp.models.lifetimes import Lifetimes
from cdp.models.likelihood import Floats

_DAYS_A_YEAR = 365.0


def discounted_value(
    model: Lifetimes,
    x: Floats,
    tx: Floats,
    age: Floats,
    spend: Floats | float,
    *,
    period: float,
    periods: int,
    rate: float = 0.0,
    margin: float = 1.0,
) -> Floats:
    """Value of the purchases of the next periods; what is bought in a period counts as bought at its end.

    Args:
        model: of purchases.
        x, tx, age: histories, see `Lifetimes`.
        spend: to expect of a purchase, see `GammaGamma.spend`.
        period: length of a period, in the unit of the model's times.
        periods: how many of them.
        rate: discount rate a period; see `rate_of_period`.
        margin: share of the spending that counts.

    Returns:
        The value of each customer, in the currency of `spend`.

    Raises:
        ValueError: no period, or a discount rate of -1 or less.
    """
    if periods < 1 or not 0 < period < np.inf:
        raise ValueError(f"the value needs one period or more, each longer than 0, not {periods} of {period}")
    if not -1 < rate < np.inf:
        raise ValueError(f"the discount rate must be above -1, not {rate}")
    until, value = np.zeros(np.shape(x)), np.zeros(np.shape(x))
    for number in range(1, periods + 1):
        reached = np.maximum(model.purchases(x, tx, age, period * number), until)
        value = value + (reached - until) / (1 + rate) ** number
        until = reached
    return np.asarray(value * spend * margin)


def new_customer_value(
    model: Lifetimes, spend: GammaGamma, *, period: float, periods: int, rate: float = 0.0, margin: float = 1.0
) -> float:
    """The same of a customer who has just bought for the first time; that purchase itself is not in it."""
    nothing = np.zeros(1)
    value = discounted_value(
        model,
        nothing,
        nothing,
        nothing,
        spend.population_mean,
        period=period,
        periods=periods,
        rate=rate,
        margin=margin,
    )
    return float(value[0])


def rate_of_period(yearly: float, days: float) -> float:
    """Discount rate of a period of so many days: a yearly rate compounds to itself over 365 days.

    Raises:
        ValueError: a yearly rate of -1 or less.
    """
    if not -1 < yearly < np.inf:
        raise ValueError(f"the yearly discount rate must be above -1, not {yearly}")
    return float(np.expm1(np.log1p(yearly) * days / _DAYS_A_YEAR))
