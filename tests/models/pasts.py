"""Customers as of several days of the past, without Spark: features from purchases, in pandas."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta

import numpy as np
import pandas as pd

from cdp.models.config import Training
from cdp.models.contest import Material
from cdp.models.cutoffs import Split, all_cutoffs, split_time
from cdp.models.features import FEATURES, SEASON_WINDOWS, WINDOWS
from cdp.models.past import Past
from cdp.models.textbook import Textbook

AS_OF = date(2026, 1, 31)
_UNKNOWN = ("days_since_email_click", "days_since_visit", "email_open_rate_90d", "repeat_value", "gap_days", "overdue")

Plant = Callable[[pd.DataFrame], pd.DataFrame]
"""Changes rows of a past before anything learns from them: features, and what came after."""


def purchases(customers: int, days: int, seed: int = 1) -> pd.DataFrame:
    """Customers who come, come back and leave as BG/NBD says: customer, ago (days before `AS_OF`), value."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(customers):
        gap, mean = 1 / rng.gamma(1.0, 1 / 40), rng.gamma(4, 10)
        day = float(rng.integers(0, days))
        while day < days:
            rows.append((number, days - 1 - int(day), round(rng.gamma(6, mean / 6) + 1, 2)))
            if rng.random() < 0.1:
                break
            day += rng.exponential(gap) + 1
    return pd.DataFrame(rows, columns=["customer", "ago", "value"]).drop_duplicates(["customer", "ago"])


def nobody(n: int) -> pd.DataFrame:
    """`FEATURES` of customers who bought once, today, for nothing."""
    features = pd.DataFrame(0.0, index=range(n), columns=list(FEATURES))
    features["age_days"] = 1.0
    features[list(_UNKNOWN)] = np.nan
    return features


def features_at(bought: pd.DataFrame, ago: int) -> pd.DataFrame:
    """Customer and `FEATURES` as of a day; what no order tells of is 0, or unknown."""
    known = bought[bought["ago"] >= ago].assign(age=lambda rows: rows["ago"] - ago).sort_values(["customer", "age"])
    by = known.groupby("customer")
    found = nobody(by.ngroups).set_index(by.size().index)
    days, total, newest, oldest = by.size(), by["value"].sum(), by["age"].min(), by["age"].max()
    found["repeat_days"], found["active_days"], found["age_days"] = days - 1, oldest - newest, oldest + 1
    found["repeat_value"] = (total - by["value"].last()) / (days - 1).replace(0, np.nan)
    found["recency_days"], found["revenue"], found["mean_day_value"] = newest, total, total / days
    found["last_day_value"], found["days_known"] = by["value"].first(), oldest
    windows = {f"{w}d": known["age"] < w for w in WINDOWS}
    windows |= {f"year_ago_{w}d": known["age"].between(365 - w, 364) for w in SEASON_WINDOWS}
    for name, within in windows.items():
        some = known[within].groupby("customer")["value"]
        found[f"revenue_{name}"] = some.sum().reindex(found.index, fill_value=0)
        found[f"order_days_{name}"] = some.size().reindex(found.index, fill_value=0)
    found["order_days_trend"] = 2 * found["order_days_90d"] - found["order_days_180d"]
    found["revenue_trend"] = 2 * found["revenue_90d"] - found["revenue_180d"]
    found["gap_days"] = found["active_days"] / found["repeat_days"].replace(0, np.nan)
    found["overdue"] = found["recency_days"] / found["gap_days"].replace(0, np.nan)
    found["orders_per_day"] = found["pieces_per_order"] = found["lines_per_order"] = 1
    return found.astype(float).reset_index()


def rows_at(bought: pd.DataFrame, cutoff: date, outcomes: Sequence[int]) -> pd.DataFrame:
    """Features as of a day with what came after: the rows of `Past`."""
    ago = (AS_OF - cutoff).days
    rows = features_at(bought, ago).assign(cutoff=cutoff)
    for days in outcomes:
        after = bought[bought["ago"].between(ago - days, ago - 1)].groupby("customer")["value"]
        rows[f"order_days_next_{days}"] = rows["customer"].map(after.size()).astype(float)
        rows[f"revenue_next_{days}"] = rows["customer"].map(after.sum())
    return rows


def split_of(bought: pd.DataFrame, horizon_days: int, training: Training) -> tuple[Split, date]:
    """The split of time of a shop, and the day of its first order."""
    first = AS_OF - timedelta(days=int(bought["ago"].max()))
    split = split_time(horizon_days, first_order_on=first, as_of=AS_OF, training=training)
    assert split is not None
    return split, first


def past_of(bought: pd.DataFrame, split: Split, first: date, training: Training, plant: Plant | None = None) -> Past:
    """All that a contest of one horizon looks at."""
    cutoffs = all_cutoffs([split], first_order_on=first, as_of=AS_OF, training=training)
    outcomes = sorted({split.learn_days, split.horizon_days})
    rows = pd.concat([rows_at(bought, cutoff, outcomes) for cutoff in cutoffs], ignore_index=True)
    return Past(plant(rows) if plant else rows)


def material_of(
    bought: pd.DataFrame, horizon_days: int = 60, training: Training | None = None, plant: Plant | None = None
) -> Material:
    """What a contest is held on."""
    training = training or Training()
    split, first = split_of(bought, horizon_days, training)
    past = past_of(bought, split, first, training, plant)
    now: Textbook = past.textbook(AS_OF)
    return Material.of(split, past, now, training, as_of=AS_OF, first_order_on=first)
