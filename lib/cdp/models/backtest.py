"""Back-tests: on days of the past, what each candidate would have said, beside what then happened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from cdp.models import churn, value
from cdp.models.blend import Blend, slope_of
from cdp.models.config import Training
from cdp.models.cutoffs import YEAR, Fold, Split, year_before
from cdp.models.experts import LEARNED, RATE, TEXTBOOK, Experts
from cdp.models.learning import Learned
from cdp.models.level import Season, season_of
from cdp.models.likelihood import Floats
from cdp.models.past import Past

BLENDS: Mapping[str, Sequence[str]] = {
    "blend": (*LEARNED, TEXTBOOK, RATE),
    "steady": (*LEARNED, RATE, RATE),
    "models": (*LEARNED, TEXTBOOK),
    "learned": LEARNED,
    "trees": ("trees",),
    "line": ("line",),
    "bgnbd": (TEXTBOOK,),
}
"""Candidates made of experts, by name, the sturdiest first: of two that do as well, the earlier is taken."""

CHURN_BLENDS = tuple(name for name in BLENDS if name not in ("models", "steady"))
"""Those for churn, of which the last year's rate tells nothing: there `models` is `blend`, and `steady` is `learned`."""

_LEAST_CUTOFFS = 3

VALUE_BASELINE, CHURN_BASELINE = "historic_rate", "recency_rule"
"""What is used where there is too little to judge by."""


@dataclass(frozen=True)
class Judged:
    """One back-test.

    Attributes:
        cutoff: the day that features end on.
        customer: numbers of the customers.
        bought, revenue: what they did within the outcome: 1 for any order; spent, at least 0.
        value: by candidate `value`'s four columns.
        churn: by candidate the probability of no order.
        buys: by candidate that is a blend, the probability of an order that goes with its value.
    """

    cutoff: date
    customer: np.ndarray
    bought: Floats
    revenue: Floats
    value: Mapping[str, Floats]
    churn: Mapping[str, Floats]
    buys: Mapping[str, Floats]


@dataclass(frozen=True)
class Backtests:
    """All back-tests of a horizon, the oldest first, and what they teach of the whole.

    Attributes:
        judged: the back-tests.
        slopes: by blend, what its log-odds should be multiplied by.
        left_out: candidates that could not be made, with the reason.
    """

    judged: Sequence[Judged]
    slopes: Mapping[str, float]
    left_out: Sequence[str]


def run_backtests(past: Past, split: Split, training: Training, *, first_order_on: date) -> Backtests:
    """Make every candidate as of each back-test's day, from what was known then, and let it predict."""
    heard: dict[str, list[tuple[Floats, Floats]]] = {}
    judged: list[Judged] = []
    left_out: list[str] = []
    for fold in reversed(split.folds):
        if past.features(fold.judge).empty or all(past.features(day).empty for day in fold.train):
            continue  # the first who ordered may not be in the sample
        # What a back-test is calibrated by are the older ones, as in use it will be by all of them.
        slopes = {name: slope_of(told) for name, told in heard.items()}
        found, log_odds, why = _judged(past, split.learn_days, fold, training, first_order_on, slopes)
        judged.append(found)
        left_out.extend(reason for reason in why if reason not in left_out)
        if len(fold.train) < _LEAST_CUTOFFS:
            continue  # learned from too little to tell how sure a model for use may be
        for name, told in log_odds.items():
            heard.setdefault(name, []).append((told, found.bought))
    return Backtests(judged, {name: slope_of(told) for name, told in heard.items()}, left_out)


def season_at(past: Past, cutoff: date, days: int, training: Training, first_order_on: date) -> Season | None:
    """The season of the days after a cut-off, as the year before had it; None where orders reach not back so far."""
    before = year_before(cutoff, first_order_on=first_order_on, training=training)
    if before is None or days > YEAR or (features := past.features(before)).empty:
        return None
    return season_of(past.textbook(before), features, *past.outcome(before, days), days)


def _judged(
    past: Past, days: int, fold: Fold, training: Training, first_order_on: date, slopes: Mapping[str, float]
) -> tuple[Judged, dict[str, Floats], list[str]]:
    features = past.features(fold.judge)
    order_days, revenue = past.outcome(fold.judge, days)
    sample, why = past.sample(fold.train, days), []
    try:
        learned = Learned(training.seed).fit(sample)
    except ValueError as error:
        learned, why = None, [f"trees and line: {error}"]
    history = history_days(fold.judge, first_order_on)
    experts = Experts(days, days, learned, past.textbook(fold.judge), history)
    if TEXTBOOK not in experts.names:
        why.append("BG/NBD did not fit")
    view, season = experts.view(features), season_at(past, fold.judge, days, training, first_order_on)
    by_value = {name: rule.predict(features) for name, rule in value.rules(days, history, features).items()}
    rule = churn.RecencyRule().fit(sample.inputs, sample.churned)
    by_churn, buys, odds = {CHURN_BASELINE: rule.predict(features)}, {}, {}
    for name, who in BLENDS.items():
        if not set(who) <= set(experts.names):
            continue
        blend = Blend.levelled(experts, who, view, season, slope=slopes.get(name, 1.0))
        told = blend.forecast_of(view)
        nothing = np.full(len(features), np.nan)
        by_value[name] = np.stack([told.orders, told.revenue, nothing, nothing], axis=1)
        buys[name] = told.buys
        if name in CHURN_BLENDS:
            by_churn[name] = 1 - told.buys
        odds[name] = blend.log_odds(view) / blend.slope
    bought = np.asarray(order_days > 0, dtype=float)
    return Judged(fold.judge, past.customer(fold.judge), bought, revenue, by_value, by_churn, buys), odds, why


def history_days(cutoff: date, first_order_on: date) -> int:
    """Days that orders reach back from a cut-off, both counted."""
    return (cutoff - first_order_on).days + 1
