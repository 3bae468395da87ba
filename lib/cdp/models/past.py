"""Customers as of several days of the past, and what each did after: the rows that models learn from and are judged by."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cdp.models.experts import with_textbook
from cdp.models.features import FEATURES, features, outcomes
from cdp.models.learning import Sample
from cdp.models.likelihood import Floats
from cdp.models.textbook import Textbook

_PARTS = 1_000_000


def sampled(rows: DataFrame, *, customers: int, most: int, seed: int) -> DataFrame:
    """The rows of about `most` of the `customers`, chosen by a hash of their id: the same ones each time."""
    if customers <= most:
        return rows
    part = F.pmod(F.xxhash64("customer_id", F.lit(seed)), F.lit(_PARTS))
    return rows.where(part < int(_PARTS * most / customers))


def past_rows(
    days: DataFrame, order_days: DataFrame, cutoffs: Sequence[date], outcome_days: Sequence[int]
) -> DataFrame:
    """Features at every cut-off with what came after it; outcomes are null where nothing did.

    Args:
        days: `activity.daily_activity`.
        order_days: `activity.daily_orders`.
        cutoffs: last days of data for features.
        outcome_days: lengths of outcomes.
    """
    after = outcomes(order_days, cutoffs, outcome_days)
    return features(days, cutoffs).join(after, on=["customer_id", "cutoff"], how="left")


@dataclass(frozen=True)
class Past:
    """`past_rows` on the driver: at most `max_customers` customers for each cut-off."""

    table: pd.DataFrame
    _textbooks: dict[date, Textbook] = field(default_factory=dict)

    @classmethod
    def collect(cls, rows: DataFrame) -> "Past":
        table = rows.toPandas()
        table["cutoff"] = pd.to_datetime(table["cutoff"]).dt.date
        # Spark gives rows in any order, and sums of decimals in learners depend on it.
        table = table.sort_values(["cutoff", "customer_id"], ignore_index=True)
        table["customer"] = pd.factorize(table.pop("customer_id"), sort=True)[0]
        return cls(table)

    @property
    def customers(self) -> int:
        """How many there are."""
        return int(self.table["customer"].nunique())

    def features(self, cutoff: date) -> pd.DataFrame:
        """`FEATURES` of the customers as of a cut-off."""
        return self._at(cutoff)[list(FEATURES)].astype(float).reset_index(drop=True)

    def customer(self, cutoff: date) -> np.ndarray:
        """Their numbers, in the same order."""
        return self._at(cutoff)["customer"].to_numpy()

    def outcome(self, cutoff: date, days: int) -> tuple[Floats, Floats]:
        """Days with an order, and revenue of at least 0, in the days after a cut-off."""
        after = self._at(cutoff)[[f"order_days_next_{days}", f"revenue_next_{days}"]].fillna(0).to_numpy(float)
        return after[:, 0], np.maximum(after[:, 1], 0)

    def textbook(self, cutoff: date) -> Textbook:
        """The textbook as of a cut-off."""
        if cutoff not in self._textbooks:
            self._textbooks[cutoff] = Textbook.fitted(self.features(cutoff))
        return self._textbooks[cutoff]

    def sample(self, cutoffs: Sequence[date], days: int) -> Sample:
        """Rows of some cut-offs, each with the textbook of its own day, and outcomes over some days."""
        parts = [with_textbook(self.features(cutoff), self.textbook(cutoff), days) for cutoff in cutoffs]
        after = [self.outcome(cutoff, days) for cutoff in cutoffs]
        return Sample(
            pd.concat(parts, ignore_index=True),
            np.concatenate([self.customer(cutoff) for cutoff in cutoffs]),
            np.concatenate([order_days for order_days, _ in after]),
            np.concatenate([revenue for _, revenue in after]),
        )

    def _at(self, cutoff: date) -> pd.DataFrame:
        return self.table[self.table["cutoff"] == cutoff]
