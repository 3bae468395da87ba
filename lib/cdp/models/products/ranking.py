"""How probable it is that a customer buys a product, learned from what the newest outcome window brought."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from cdp.models.products.histories import Flags, Floats, Ints
from cdp.models.products.knowledge import Knowledge
from cdp.models.products.sources import Candidates

_EVENTS_A_COEFFICIENT = 10  # the usual least, so that the coefficients of a logistic regression are not chance
_DECIMALS, _PROBABILITY_DECIMALS = 6, 9  # sums in another order must not change a rank
_MOST_AGAIN = 3  # products that the customer has, where nothing could be learned
_FEATURES = 28
_MOST_OTHERS = 50_000  # candidates that were not bought, to learn from
LEAST_BOUGHT = _EVENTS_A_COEFFICIENT * _FEATURES
"""Candidates that must have been bought in the outcome window, and as many that must not, to learn from it."""


@dataclass(frozen=True)
class Ranking:
    """A logistic regression over `features`.

    Attributes:
        mean, scale: of each feature.
        weights: of the scaled features.
        intercept: log-odds where all of them are at their mean.
    """

    mean: Floats
    scale: Floats
    weights: Floats
    intercept: float

    def scores(self, found: Candidates, knowledge: Knowledge) -> Floats:
        """Probability of each candidate to be bought within the outcome window."""
        odds = ((features(found, knowledge) - self.mean) / self.scale) @ self.weights + self.intercept
        return np.asarray(np.round(expit(odds), _PROBABILITY_DECIMALS))


@dataclass(frozen=True)
class ByRule:
    """What holds until enough was sold to learn from: what is due, up to three products bought on two days or more, what
    goes with what the customer has, what is like it, what sells in the country, what sells best."""

    def scores(self, found: Candidates, knowledge: Knowledge) -> Floats:
        """A sixth for each step of that order, and less than one within it; 0: not to be offered."""
        again = found.is_own & (found.is_due | (found.days > 1))
        tiers = (
            (found.is_own & ~again, 0),
            (found.is_due, 6),
            (again, 5),
            (found.is_linked, 4),
            (found.is_similar, 3),
            (found.is_local, 2),
        )
        tier = np.select([flag for flag, _ in tiers], [number for _, number in tiers], 1)
        popularity = knowledge.popularity[found.product]
        strength = np.select(
            [found.is_own, found.is_linked, found.is_similar],
            [
                found.days + 1 / (1 + found.days_since),
                found.link,
                found.category_share + found.brand_share + popularity,
            ],
            popularity * np.where(found.is_local, np.maximum(found.lift, 0), 1),
        )
        within = np.maximum(strength, 0)
        scores = np.where(tier > 0, (tier - 1 + np.maximum(within / (1 + within), 1e-6)) / 6, 0)
        rank = _rank_within(found.customer, np.where(again, scores, 0))
        return np.asarray(np.round(np.where(again & (rank >= _MOST_AGAIN), 0, scores), _DECIMALS))


def _rank_within(customer: Ints, scores: Floats) -> Ints:
    """Place of each row among its customer's, from 0; rows of a customer lie together."""
    order = np.lexsort((-scores, customer))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order)) - np.searchsorted(customer, customer[order])
    return place


def features(found: Candidates, knowledge: Knowledge) -> Floats:
    """What the probability is made of, a column each; those of products that the customer has stand apart.

    Counts and times work by their ratios, so they enter by their logarithms.
    """
    own = found.is_own.astype(float)
    product = found.product
    link = np.maximum(found.link, 0)
    rebought, sells = np.log(knowledge.rebought[product] + 0.05), np.log(knowledge.popularity[product] + 1e-6)
    trend = np.log(knowledge.trend[product])
    gaps = np.where(found.gap > 0, np.log1p(np.minimum(found.days_since / np.maximum(found.gap, 1), 10)), 0)
    basket, quiet = np.log1p(found.products_a_day), np.log1p(found.order_days_since)
    linked = np.log1p(50 * link)
    columns = (
        own,
        own * np.log1p(found.days),
        own * np.log(found.days / np.maximum(found.order_days, 1) + 0.01),
        own * np.log1p(found.days_since),
        own * gaps,
        own * gaps**2,
        own * (found.gap > 0),
        found.is_due.astype(float),
        rebought,
        own * rebought,
        linked,
        own * linked,
        np.clip(found.link, -1, 3),
        sells,
        own * sells,
        trend,
        own * trend,
        np.minimum(found.lift, 10),
        found.category_share,
        own * found.category_share,
        found.brand_share,
        np.log1p(found.order_days),
        quiet,
        own * quiet,
        basket,
        own * basket,
        found.is_linked.astype(float),
        found.is_similar.astype(float),
    )
    return np.column_stack(columns)


def fit(found: Candidates, knowledge: Knowledge, is_bought: Flags) -> Ranking | None:
    """The regression of what was bought on what was known before; None: too little to learn from.

    Args:
        found: candidates as of the day of `knowledge`.
        knowledge: of the products.
        is_bought: whether the customer bought the candidate in the days after it.
    """
    if min(int(is_bought.sum()), int((~is_bought).sum())) < LEAST_BOUGHT:
        return None
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    rows, each = _thinned(is_bought)
    table = features(found.picked(rows), knowledge)
    mean, scale = table.mean(axis=0), table.std(axis=0)
    scale = np.where(scale > 1e-9, scale, 1.0)
    weight = np.where(is_bought[rows], 1.0, each)
    learner = LogisticRegression(solver="newton-cholesky", max_iter=50)
    # Threads would wait for each other longer than they work.
    with threadpool_limits(limits=1):
        learner.fit((table - mean) / scale, is_bought[rows], sample_weight=weight)
    return Ranking(mean, scale, np.round(learner.coef_[0], _DECIMALS), round(float(learner.intercept_[0]), _DECIMALS))


def _thinned(is_bought: Flags) -> tuple[Ints, int]:
    """All rows that were bought, and every so manieth of the others, which then stands for so many."""
    others = np.flatnonzero(~is_bought)
    each = max(1, -(-len(others) // _MOST_OTHERS))
    return np.sort(np.concatenate([np.flatnonzero(is_bought), others[::each]])), each
