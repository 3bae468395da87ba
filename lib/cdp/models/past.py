"""Customers as of several days of the past, and what each did after: the rows that models learn from and are judged by."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import reduce

import numpy as np
import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.models.experts import with_textbook
from cdp.models.features import BEHAVIOUR, FEATURES, features, has_ordered, outcomes
from cdp.models.learning import Sample
from cdp.models.likelihood import Floats
from cdp.models.textbook import Textbook

_PARTS = 1_000_000


def sampled(rows: DataFrame, *, customers: int, most: int, seed: int) -> DataFrame:
    """The rows of about `most` of the `customers`, chosen by a hash of their id: the same ones each time."""
    return rows if customers <= most else rows.where(_is_drawn(customers, most, seed))


def sampled_apart(rows: DataFrame, *, customers: int, people: int, most: int, seed: int) -> DataFrame:
    """Of `features.features` of everybody, the rows of about `most` of the `customers` who ordered, and of as many of the
    `people`, customers or not, who had not yet. Both are chosen by the hash of `sampled`."""
    if max(customers, people) <= most:
        return rows
    return rows.where(F.when(has_ordered(), _is_drawn(customers, most, seed)).otherwise(_is_drawn(people, most, seed)))


def people_in(*tables: DataFrame) -> int:
    """About how many different customer_id there are in some tables together. They are counted where the rows lie."""
    ids = reduce(DataFrame.unionAll, [table.select("customer_id") for table in tables])
    return int(ids.agg(F.approx_count_distinct("customer_id")).collect()[0][0])


def past_rows(
    days: DataFrame,
    order_days: DataFrame,
    cutoffs: Sequence[date],
    outcome_days: Sequence[int],
    *,
    everybody: bool = False,
) -> DataFrame:
    """Features at every cut-off with what came after it; outcomes are null where nothing did.

    Args:
        days: `activity.daily_activity`.
        order_days: `activity.daily_orders`.
        cutoffs: last days of data for features.
        outcome_days: lengths of outcomes.
        everybody: also of those who had not ordered by the cut-off.
    """
    after = outcomes(order_days, cutoffs, outcome_days)
    return features(days, cutoffs, everybody=everybody).join(after, on=["customer_id", "cutoff"], how="left")


def _is_drawn(people: int, most: int, seed: int) -> Column:
    """Whether a row is that of one of about `most` of the `people`: whoever is drawn of many is also drawn of fewer."""
    part = F.pmod(F.xxhash64("customer_id", F.lit(seed)), F.lit(_PARTS))
    return part < int(_PARTS * most / max(people, most))


@dataclass(frozen=True)
class Past:
    """`past_rows` on the driver: at most `max_customers` customers for each cut-off, and as many prospects, who had not
    ordered by it. What is told of customers never holds a prospect."""

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
        """How many there are with an order by any of the cut-offs."""
        return int(self.table.loc[self.table["repeat_days"].notna(), "customer"].nunique())

    def features(self, cutoff: date) -> pd.DataFrame:
        """`FEATURES` of the customers as of a cut-off."""
        return self._at(cutoff)[list(FEATURES)].astype(float).reset_index(drop=True)

    def customer(self, cutoff: date) -> np.ndarray:
        """Their numbers, in the same order."""
        return self._at(cutoff)["customer"].to_numpy()

    def outcome(self, cutoff: date, days: int) -> tuple[Floats, Floats]:
        """Days with an order, and revenue of at least 0, in the days after a cut-off."""
        return _outcome(self._at(cutoff), days)

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

    def prospects(self, cutoff: date) -> pd.DataFrame:
        """`BEHAVIOUR` of those known as of a cut-off who had not ordered by it."""
        return self._prospects_at(cutoff)[list(BEHAVIOUR)].astype(float).reset_index(drop=True)

    def prospect(self, cutoff: date) -> np.ndarray:
        """Their numbers, in the same order: whoever orders later has the same one as a customer."""
        return self._prospects_at(cutoff)["customer"].to_numpy()

    def prospect_outcome(self, cutoff: date, days: int) -> tuple[Floats, Floats]:
        """Their days with an order, and revenue of at least 0, in the days after a cut-off."""
        return _outcome(self._prospects_at(cutoff), days)

    def _at(self, cutoff: date) -> pd.DataFrame:
        return self.table[(self.table["cutoff"] == cutoff) & self.table["repeat_days"].notna()]

    def _prospects_at(self, cutoff: date) -> pd.DataFrame:
        return self.table[(self.table["cutoff"] == cutoff) & self.table["repeat_days"].isna()]


def _outcome(rows: pd.DataFrame, days: int) -> tuple[Floats, Floats]:
    after = rows[[f"order_days_next_{days}", f"revenue_next_{days}"]].fillna(0).to_numpy(float)
    return after[:, 0], np.maximum(after[:, 1], 0)
