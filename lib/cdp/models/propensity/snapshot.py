"""Customers by the columns of their profile and traits: features of what has no history of events."""

from collections.abc import Sequence
from datetime import date, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.base.contracts import Table
from cdp.conditions.clock import Clock
from cdp.conditions.columns import Named, kind_of, typed
from cdp.conditions.holds import Operand, holds
from cdp.conditions.operators import In
from cdp.models.features import for_each_cutoff
from cdp.models.propensity.config import Predict
from cdp.tables.gold import PROFILES

MOST_ATTRIBUTES = 100
"""Keys of `profile.attributes` that are features: those that most customers have."""

_OF_PROFILE = ("country", "language", "days_known", "days_since_seen")
_NO_FEATURES = {"customer_id", "as_of"}


def trait_features(traits: Table) -> list[str]:
    """The columns of gold.traits that are features: numbers, dates, lists and texts that are not personal."""
    return [
        c.name
        for c in traits.columns
        if c.name not in _NO_FEATURES and not c.pii and (kind_of(c.type) or c.type.startswith("array<"))
    ]


def profile_features(keys: Sequence[str]) -> list[str]:
    """The features that a profile gives, with the keys of its attributes."""
    return [*_OF_PROFILE, *(f"attributes.{key}" for key in keys)]


def attribute_keys(profiles: DataFrame) -> list[str]:
    """The keys of attributes that most profiles have, at most `MOST_ATTRIBUTES`; ties by name."""
    keys = profiles.select(
        F.explode(F.map_filter("attributes", lambda _, value: value.isNotNull())).alias("key", "value")
    )
    most = keys.groupBy("key").count().orderBy(F.desc("count"), "key").limit(MOST_ATTRIBUTES)
    return sorted(row["key"] for row in most.collect())  # at most `MOST_ATTRIBUTES` rows


def with_traits(rows: DataFrame, traits: Table) -> DataFrame:
    """Traits as features, in columns trait_0 ...: numbers as doubles, times as days before `as_of`, lists by their size.

    Args:
        rows: `gold.traits`, or its history.
        traits: their contract.

    Returns:
        customer_id, cutoff (their `as_of`), and a column for each of `trait_features`: double, or string.
    """
    types = {c.name: c.type for c in traits.columns}
    columns = [
        _as_feature(F.col(name), types[name], F.col("as_of")).alias(f"trait_{i}")
        for i, name in enumerate(trait_features(traits))
    ]
    return rows.select("customer_id", F.col("as_of").alias("cutoff"), *columns)


def with_profile(profiles: DataFrame, keys: Sequence[str], *, as_of: date) -> DataFrame:
    """Profiles as features, in columns profile_0 ... as of today: customer_id, and one for each of `profile_features`."""
    columns = [
        F.col("country"),
        F.col("language"),
        _as_feature(F.col("first_seen_at"), "timestamp", F.lit(as_of)),
        _as_feature(F.col("last_seen_at"), "timestamp", F.lit(as_of)),
        *[F.col("attributes")[key] for key in keys],
    ]
    return profiles.select("customer_id", *[column.alias(f"profile_{i}") for i, column in enumerate(columns)])


def target_column(predict: Predict, traits: Table) -> Named | None:
    """The column of profile or traits that is predicted; None where there is none, or it is a list."""
    table = PROFILES if predict.kind == "profile" else traits
    path = predict.profile or predict.trait or ""
    found = typed(path, [c for c in table.columns if c.name not in _NO_FEATURES])
    return None if found is None or found.is_array else found


def target_feature(predict: Predict) -> str:
    """The feature that is the predicted column itself, and so is none."""
    return predict.profile or predict.trait or ""


def states(rows: DataFrame, predict: Predict, traits: Table, *, as_of: date) -> DataFrame:
    """Who is in the predicted state: the rows' customer_id and `as_of` where they have one, and is_there.

    Those of whom the column says nothing are left out.
    """
    column = target_column(predict, traits)
    assert column is not None
    is_there = holds(In(type="In", value=predict.values), Operand(column.value, column.kind), Clock(as_of))
    kept = [name for name in ("customer_id", "as_of") if name in rows.columns]
    return rows.where(column.value.isNotNull()).select(*kept, is_there.alias("is_there"))


def known_days(days: Sequence[date], *, window_days: int, step_days: int, most: int) -> list[date]:
    """The days on which traits were kept from which it is known what came within the window after, newest first.

    Known is it where traits were kept again in the last tenth of the window, or on its last day. Two of them are at least
    `step_days` apart.
    """
    latest = timedelta(days=window_days - window_days // 10)
    found: list[date] = []
    for day in sorted(days, reverse=True):
        is_known = any(day + latest <= other <= day + timedelta(days=window_days) for other in days)
        if is_known and (not found or (found[-1] - day).days >= step_days):
            found.append(day)
    return found[:most]


def became(states: DataFrame, cutoffs: Sequence[date], window_days: int) -> DataFrame:
    """Those who were not in the state on a cut-off, and whether they came into it within the window after.

    Args:
        states: `states` of the history of traits.
        cutoffs: days of it.
        window_days: days after, the last included.

    Returns:
        customer_id, cutoff, happened (1 or 0).
    """
    at = states.where(F.col("as_of").isin(list(cutoffs)) & ~F.col("is_there")).select(
        "customer_id", F.col("as_of").alias("cutoff")
    )
    there = states.where("is_there")
    after = for_each_cutoff(there, cutoffs, lambda day: F.datediff("as_of", day).between(1, window_days))
    reached = after.groupBy("customer_id", "cutoff").agg(F.lit(1.0).alias("happened"))
    return at.join(reached, on=["customer_id", "cutoff"], how="left").withColumn(
        "happened", F.coalesce("happened", F.lit(0.0))
    )


def _as_feature(column: Column, type_: str, as_of: Column) -> Column:
    kind = kind_of(type_)
    if kind == "time":
        return F.datediff(as_of, column.cast("date")).cast("double")
    if kind in ("number", "boolean"):
        return column.cast("double")
    return column if kind == "text" else F.size(column).cast("double")
