"""The prospects of the past as rows to learn from and to judge by."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from cdp.models.cutoffs import Fold, Split
from cdp.models.past import Past
from cdp.models.propensity.rows import Parts, Rows, parts_in_time


@dataclass(frozen=True)
class Seen:
    """The prospects of one horizon.

    Attributes:
        rows: all of them.
        final: those to learn from for use.
        folds: the back-tests that have prospects to learn from and to judge by, newest first.
        parts: their rows, in the same order.
    """

    rows: Rows
    final: Rows
    folds: Sequence[Fold]
    parts: Sequence[Parts]

    @classmethod
    def of(cls, past: Past, split: Split) -> "Seen":
        """With an order within `learn_days` as what is to be told."""
        cutoffs = {*split.final, *(fold.judge for fold in split.folds)}
        rows = rows_of(past, sorted(cutoffs.union(*(fold.train for fold in split.folds))), split.learn_days)
        parts = parts_in_time(rows, [(fold.train, fold.judge) for fold in split.folds])
        kept = [(f, p) for f, p in zip(split.folds, parts, strict=True) if len(p.learn) and len(p.judge)]
        return cls(rows, rows.of_days(split.final), [f for f, _ in kept], [p for _, p in kept])


@dataclass(frozen=True)
class Buyers:
    """Those prospects of some cut-offs who ordered within some days after.

    Attributes:
        count: rows of them.
        orders: mean days with an order.
        revenue: mean revenue.
    """

    count: int
    orders: float
    revenue: float

    @classmethod
    def of(cls, past: Past, cutoffs: Sequence[date], days: int) -> "Buyers | None":
        """None where nobody ordered."""
        after = [past.prospect_outcome(cutoff, days) for cutoff in cutoffs]
        orders, revenue = (np.concatenate(part) for part in zip(*after, strict=True))
        bought = orders > 0
        if not bought.any():
            return None
        return cls(int(bought.sum()), float(orders[bought].mean()), float(revenue[bought].mean()))


def rows_of(past: Past, cutoffs: Sequence[date], days: int) -> Rows:
    """The prospects of some cut-offs, in their order, and whether each ordered within some days."""
    numbers = [past.prospect(cutoff) for cutoff in cutoffs]
    return Rows(
        pd.concat([past.prospects(cutoff) for cutoff in cutoffs], ignore_index=True),
        np.concatenate(numbers),
        np.repeat(np.array(cutoffs, dtype=object), [len(part) for part in numbers]),
        np.concatenate([(past.prospect_outcome(cutoff, days)[0] > 0).astype(float) for cutoff in cutoffs]),
    )
