"""The rows of a propensity as Spark frames, for training and for scoring alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cdp.base.contracts import Table
from cdp.models.activity import daily_activity
from cdp.models.features import FEATURES, features
from cdp.models.past import sampled
from cdp.models.propensity.config import PropensityConfig
from cdp.models.propensity.eligible import is_eligible, sources_of, with_struct
from cdp.models.propensity.history import (
    as_of_cutoffs,
    came_after,
    columns_of,
    daily_events,
    occurrences,
)
from cdp.models.propensity.snapshot import (
    became,
    profile_features,
    states,
    target_feature,
    trait_features,
    with_profile,
    with_traits,
)

_NONE_IS_ZERO = tuple(
    name for name in FEATURES if name.startswith(("revenue", "order_days")) or name in ("categories", "channels")
)
"""Features of orders that are 0, not unknown, for who never ordered."""


@dataclass(frozen=True)
class Inputs:
    """The gold tables, of those who may be learned from and scored.

    Attributes:
        orders, lines, timeline, profiles, traits, history: `gold.orders`, `gold.order_lines`, `gold.timeline`,
            `gold.profiles`, `gold.traits`, `gold.traits_history`.
        table: contract of the traits, own ones among them.
    """

    orders: DataFrame
    lines: DataFrame
    timeline: DataFrame
    profiles: DataFrame
    traits: DataFrame
    history: DataFrame
    table: Table


def some(inputs: Inputs, *, customers: int, most: int, seed: int) -> Inputs:
    """The inputs of about `most` of the `customers`, as `past.sampled` chooses them."""
    orders, lines, timeline = (
        sampled(rows, customers=customers, most=most, seed=seed)
        for rows in (inputs.orders, inputs.lines, inputs.timeline)
    )
    return Inputs(orders, lines, timeline, inputs.profiles, inputs.traits, inputs.history, inputs.table)


def of_events(
    inputs: Inputs, propensity: PropensityConfig, events: Sequence[str], cutoffs: Sequence[date], *, as_of: date
) -> tuple[DataFrame, DataFrame]:
    """Features of every eligible customer with any trace by a cut-off, and what came after.

    Returns:
        customer_id, cutoff, `FEATURES` (of who never ordered: 0 where that is what it is, else null), `OWN_FEATURES`, and
        the columns of `columns_of(events)`; and `came_after` of the same cut-offs.
    """
    training = propensity.training
    happened = occurrences(training.predict, inputs.timeline, inputs.orders, inputs.lines, as_of=as_of)
    days = daily_events(inputs.timeline, happened, events, as_of=as_of)
    bought = features(daily_activity(inputs.orders, inputs.lines, inputs.timeline, as_of=as_of), cutoffs)
    rows = as_of_cutoffs(days, events, cutoffs).join(
        bought.select("customer_id", "cutoff", *FEATURES), on=["customer_id", "cutoff"], how="left"
    )
    rows = _eligible(rows.fillna(0.0, list(_NONE_IS_ZERO)), inputs, propensity, cutoffs)
    return rows, came_after(days, cutoffs, training.predict_window_days)


def of_today(inputs: Inputs, propensity: PropensityConfig, keys: Sequence[str], *, as_of: date) -> DataFrame:
    """Everybody of whom it is known whether they are in the predicted state today, with traits and profile as features.

    Returns:
        customer_id, cutoff, happened (1: is in the state), and the columns of `today_columns`.
    """
    predict = propensity.training.predict
    known = states(inputs.profiles if predict.kind == "profile" else inputs.traits, predict, inputs.table, as_of=as_of)
    rows = (
        known.select("customer_id", F.col("is_there").cast("double").alias("happened"))
        .join(with_traits(inputs.traits, inputs.table).drop("cutoff"), on="customer_id", how="left")
        .join(with_profile(inputs.profiles, keys, as_of=as_of), on="customer_id", how="left")
        .withColumn("cutoff", F.lit(as_of))
    )
    target = target_feature(predict)
    rows = rows.drop(*[column for column, name in today_columns(inputs.table, keys).items() if name == target])
    return _eligible(rows, inputs, propensity, [as_of])


def of_traits(inputs: Inputs, propensity: PropensityConfig, cutoffs: Sequence[date], *, as_of: date) -> DataFrame:
    """Those who were not in the predicted state on a day on which traits were kept, with their traits of that day.

    Returns:
        customer_id, cutoff, happened (1: came into it within the window after), and the columns of `trait_columns`.
    """
    training = propensity.training
    known = states(inputs.history.where(F.col("as_of") <= F.lit(as_of)), training.predict, inputs.table, as_of=as_of)
    labels = became(known, cutoffs, training.predict_window_days)
    rows = labels.join(with_traits(inputs.history, inputs.table), on=["customer_id", "cutoff"], how="inner")
    return _eligible(rows, inputs, propensity, cutoffs, by_day=True)


def not_there_yet(inputs: Inputs, propensity: PropensityConfig, *, as_of: date) -> DataFrame:
    """Those who are not in the predicted state today: customer_id."""
    predict = propensity.training.predict
    known = states(inputs.profiles if predict.kind == "profile" else inputs.traits, predict, inputs.table, as_of=as_of)
    return known.where(~F.col("is_there")).select("customer_id")


def traits_of_today(inputs: Inputs, propensity: PropensityConfig, *, as_of: date) -> DataFrame:
    """Everybody's traits of today: customer_id, cutoff, and the columns of `trait_columns`."""
    rows = with_traits(inputs.traits, inputs.table).withColumn("cutoff", F.lit(as_of))
    return _eligible(rows, inputs, propensity, [as_of])


def event_columns(events: Sequence[str]) -> dict[str, str]:
    """Columns of `of_events` that are called otherwise as features."""
    return columns_of(events)


def trait_columns(table: Table) -> dict[str, str]:
    """Columns of traits, and the features that they are."""
    return {f"trait_{i}": name for i, name in enumerate(trait_features(table))}


def today_columns(table: Table, keys: Sequence[str]) -> dict[str, str]:
    """Columns of `of_today`, and the features that they are."""
    return {**trait_columns(table), **{f"profile_{i}": name for i, name in enumerate(profile_features(keys))}}


def days_of_history(history: DataFrame, *, as_of: date) -> list[date]:
    """The days on which traits were kept; a row for each run's date comes to the driver."""
    days = history.where(F.col("as_of") <= F.lit(as_of)).select("as_of").groupBy("as_of").agg(F.lit(1)).collect()
    return sorted(row["as_of"] for row in days)


def _eligible(
    rows: DataFrame, inputs: Inputs, propensity: PropensityConfig, cutoffs: Sequence[date], *, by_day: bool = False
) -> DataFrame:
    """The rows of eligible customers; `by_day`: their traits are asked as of the cut-off."""
    condition, predict = propensity.training.eligible_users, propensity.training.predict
    if condition is None:
        return rows
    asked = sources_of(condition)
    if "profile" in asked:
        rows = with_struct(rows, inputs.profiles, "profile")
    if "traits" in asked:
        rows = with_struct(rows, inputs.history if by_day else inputs.traits, "traits", by_day=by_day)
    return rows.where(is_eligible(condition, predict, inputs.table, cutoffs)).drop("profile", "traits")
