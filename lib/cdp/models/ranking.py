"""How well a ranking finds the few among the many: AUC, lift, and how sure both are. Rows may weigh more than one."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cdp.models.likelihood import Floats


@dataclass(frozen=True)
class Ranked:
    """Rows with a score, best first, those of one score together: within ties the order is nobody's merit.

    Attributes:
        order: rows by score, highest first.
        starts: where in `order` each group of equal scores begins.
        is_sought: whether a row is one of the few, in the order of `order`.
    """

    order: np.ndarray
    starts: np.ndarray
    is_sought: np.ndarray

    @classmethod
    def by(cls, score: Floats, is_sought: np.ndarray) -> "Ranked":
        order = np.argsort(-score, kind="stable")
        placed = score[order]
        starts = np.flatnonzero(np.r_[True, placed[1:] != placed[:-1]])
        return cls(order, starts, np.asarray(is_sought, dtype=bool)[order])

    def groups(self, weight: Floats) -> tuple[Floats, Floats]:
        """Weight of the few and of the others in each group of equal scores."""
        placed = weight[self.order]
        sought = np.add.reduceat(np.where(self.is_sought, placed, 0.0), self.starts)
        return sought, np.add.reduceat(placed, self.starts) - sought


def auc(ranked: Ranked, weight: Floats) -> float:
    """Share of pairs of one of the few and one of the others in which the former is higher; ties count half.

    0.5 where there are none of either.
    """
    sought, others = ranked.groups(weight)
    pairs = sought.sum() * others.sum()
    if pairs <= 0:
        return 0.5
    lower = others.sum() - np.cumsum(others)
    return float((sought * (lower + others / 2)).sum() / pairs)


def lift(ranked: Ranked, weight: Floats, share: float) -> float:
    """How many times as many of the few the best `share` of all rows hold as the same number drawn at random.

    1 where there are none. A row, or group of equal scores, that the share cuts counts by the part inside.
    """
    sought, others = ranked.groups(weight)
    if sought.sum() <= 0 or not 0 < share <= 1:
        return 1.0
    reached = np.cumsum(sought + others)
    found = np.interp(share * reached[-1], np.r_[0, reached], np.r_[0, np.cumsum(sought)])
    return float(found / sought.sum() / share)


def interval(
    ranked: Ranked, weight: Floats, figure: Callable[[Ranked, Floats], float], *, draws: int = 200, seed: int = 0
) -> tuple[float, float]:
    """95 % of a figure, by the bootstrap: the few and the others are each drawn anew as often as there are of them."""
    random = np.random.default_rng(seed)
    sought = np.flatnonzero(ranked.is_sought)
    others = np.flatnonzero(~ranked.is_sought)
    found = []
    for _ in range(draws):
        times = np.zeros(len(ranked.order))
        for rows in (sought, others):
            if len(rows):
                drawn = random.integers(0, len(rows), len(rows))
                times[ranked.order[rows]] = np.bincount(drawn, minlength=len(rows))
        found.append(figure(ranked, weight * times))
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)
