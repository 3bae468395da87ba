"""The rows that a propensity is learned from and judged by, and how they are split."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from cdp.models.likelihood import Floats

_PARTS = 5
_KEYS = ["cutoff", "customer_id"]


@dataclass(frozen=True)
class Rows:
    """Customers as of one or several days, and whether it happened to them.

    Attributes:
        table: features, numbers and texts.
        customer: number of the customer; one person may have a row for each cut-off.
        cutoff: the day that a row is as of.
        happened: 1 or 0.
    """

    table: pd.DataFrame
    customer: np.ndarray
    cutoff: np.ndarray
    happened: Floats

    @classmethod
    def of(cls, collected: pd.DataFrame, names: dict[str, str]) -> "Rows":
        """From what Spark gave in any order.

        Args:
            collected: customer_id, cutoff, happened, and features.
            names: columns that are called otherwise as features.
        """
        # Sums of decimals in learners depend on the order of rows.
        ordered = collected.sort_values(_KEYS, ignore_index=True)
        cutoff = pd.to_datetime(ordered["cutoff"]).dt.date.to_numpy()
        customer = pd.factorize(ordered["customer_id"], sort=True)[0]
        happened = ordered["happened"].to_numpy(dtype=float)
        return cls(ordered.drop(columns=[*_KEYS, "happened"]).rename(columns=names), customer, cutoff, happened)

    def __len__(self) -> int:
        return len(self.happened)

    @property
    def fewest(self) -> int:
        """How many rows have the rarer outcome."""
        positives = int(self.happened.sum())
        return min(positives, len(self) - positives)

    def at(self, where: np.ndarray) -> "Rows":
        """Some of the rows, by a mask."""
        kept = self.table.loc[where].reset_index(drop=True)
        return Rows(kept, self.customer[where], self.cutoff[where], self.happened[where])

    def of_days(self, cutoffs: Sequence[date]) -> "Rows":
        """The rows of some cut-offs."""
        return self.at(np.isin(self.cutoff.astype("datetime64[D]"), np.array(list(cutoffs), dtype="datetime64[D]")))


@dataclass(frozen=True)
class Parts:
    """A back-test: rows to learn from, and rows to judge by."""

    learn: Rows
    judge: Rows


def parts_in_time(rows: Rows, folds: Sequence[tuple[Sequence[date], date]]) -> list[Parts]:
    """A back-test for each (cut-offs to learn from, cut-off to judge by), in their order."""
    return [Parts(rows.of_days(learn), rows.of_days([judge])) for learn, judge in folds]


def parts_by_customer(rows: Rows) -> list[Parts]:
    """Where nothing is known of the past: each fifth of the customers is judged by what the others teach."""
    part = rows.customer % _PARTS
    return [Parts(rows.at(part != i), rows.at(part == i)) for i in range(_PARTS)]


def folds_of(cutoffs: Sequence[date], window_days: int, most: int) -> list[tuple[list[date], date]]:
    """The newest cut-offs to judge by, each with those whose window had ended by then; at most `most`, newest first."""
    found = []
    for judge in sorted(cutoffs, reverse=True):
        learn = [day for day in cutoffs if day + timedelta(days=window_days) <= judge]
        if learn:
            found.append((learn, judge))
    return found[:most]
