"""Predictions for every customer from the champion models, in batches on the executors."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.models.config import Lifecycle
from cdp.models.features import FEATURES
from cdp.models.hearing import Answers, Panel, at_one_table
from cdp.models.likelihood import Floats
from cdp.models.reasons import MOST, REASONS, says_something, strongest

_REASON_COLUMNS = tuple(
    f"{target}_{what}_{place}"
    for target in ("churn", "ltv")
    for what in ("reason", "value", "effect")
    for place in range(MOST)
)
_SCORES = (
    "customer_id string, horizon_days int, churn_probability double, expected_orders double,"
    " expected_order_value double, ltv double, ltv_low double, ltv_high double, next_order_in int, lifecycle string, "
    + ", ".join(f"{name} {'int' if '_reason_' in name else 'double'}" for name in _REASON_COLUMNS)
)
_TIERS = (("top_1", 0.99), ("top_5", 0.95), ("top_10", 0.90), ("top_25", 0.75), ("top_50", 0.50))
_KEYS = {
    "churn": "bigint(round(churn_probability * 100000))",
    "ltv": "bigint(floor(log1p(ltv) * 5000))",
}
"""Whole numbers that values are placed by."""

Batches = Iterator[pd.DataFrame]


def scores(features: DataFrame, ltv: Any, churn: Any, *, lifecycle: Lifecycle, with_reasons: bool) -> DataFrame:
    """What each model says of each customer and horizon.

    Args:
        features: `features.features` at one cut-off.
        ltv, churn: `learning.ByHorizon`; the horizons that both know are scored.
        lifecycle: limits between its labels.
        with_reasons: whether to say why.

    Returns:
        customer_id, horizon_days, churn_probability, expected_orders (days with an order), expected_order_value, ltv,
        ltv_low, ltv_high (null where the model gives no interval), next_order_in (days; null where no order is likelier
        than one), lifecycle; for churn and ltv the three strongest reasons: <target>_reason_<0..2> (place in
        `reasons.REASONS`; null where none is given), <target>_value_... (the feature's), <target>_effect_...
    """
    labelled = features.select("customer_id", *FEATURES, lifecycle_label(lifecycle).alias("lifecycle"))
    at_one_table([ltv, churn])
    return labelled.mapInPandas(_scorer(ltv, churn, with_reasons), _SCORES)


def lifecycle_label(limits: Lifecycle) -> Column:
    """Where a customer stands, by the silence since the last order and what gaps between orders are usual for the customer.

    `new`: one order day, the first not longer ago than `new_days`. Else by silence as a multiple of the usual gap, which is
    that of the customer's own order days, drawn to `usual_gap_days` where they are few: `active`, then from `at_risk`,
    `dormant` and `lost` times on these.
    """
    gap = (F.col("active_days") + limits.usual_gap_days) / (F.col("repeat_days") + 1)
    silence = F.col("recency_days") / gap
    label = F.when(silence >= limits.lost, "lost").when(silence >= limits.dormant, "dormant")
    label = label.when(silence >= limits.at_risk, "at_risk").otherwise("active")
    is_new = (F.col("repeat_days") == 0) & (F.col("age_days") <= limits.new_days)
    return F.when(is_new, "new").otherwise(label)


def _scorer(ltv: Any, churn: Any, with_reasons: bool) -> Callable[[Batches], Batches]:
    def score(batches: Batches) -> Batches:
        panel = Panel(ltv, churn, with_reasons=with_reasons)
        for batch in batches:
            for horizon, answers in panel.ask(batch).items():
                yield scored(batch, horizon, answers)

    return score


def scored(batch: pd.DataFrame, horizon_days: int, answers: Answers) -> pd.DataFrame:
    """One batch of features, and what was said of it over one horizon; columns as in `scores`."""
    away = np.clip(np.round(answers.away, 6), 0, 1)
    columns = expected(batch, horizon_days, answers.value)
    # Half of all waiting times at this rate are shorter.
    wait = np.ceil(np.log(2) * horizon_days / np.maximum(columns["expected_orders"], 1e-6))
    columns |= {
        "churn_probability": away,
        "next_order_in": pd.Series(np.clip(wait, 1, horizon_days), index=batch.index).where(away < 0.5).astype("Int32"),
        "lifecycle": batch["lifecycle"],
    }
    columns |= _told("churn", answers.why_away, batch)
    columns |= _told("ltv", answers.why_value, batch)
    return pd.DataFrame(columns)


def expected(batch: pd.DataFrame, horizon_days: int, told: Floats) -> dict[str, Any]:
    """The columns of what is expected of a batch, as contracts take them.

    Args:
        batch: customer_id.
        horizon_days: days looked ahead.
        told: days with an order, revenue, and the ends of its interval: NaN where none is told.

    Returns:
        customer_id, horizon_days, expected_orders, expected_order_value, ltv, ltv_low, ltv_high.
    """
    orders = np.round(np.maximum(told[:, 0], 0), 6)
    revenue = np.round(np.maximum(told[:, 1], 0), 2)
    return {
        "customer_id": batch["customer_id"],
        "horizon_days": np.int32(horizon_days),
        "expected_orders": orders,
        "expected_order_value": np.round(revenue / np.maximum(orders, 1e-6), 2) * (orders > 0),
        "ltv": revenue,
        "ltv_low": _end(told[:, 2]),
        "ltv_high": _end(told[:, 3]),
    }


def _end(told: Floats) -> Any:
    """An end of the interval, missing where there is none."""
    found = pd.array(np.round(np.maximum(np.nan_to_num(told), 0), 2), dtype="Float64")
    found[np.isnan(told)] = pd.NA
    return found


def _told(target: str, parts: np.ndarray | None, batch: pd.DataFrame) -> Mapping[str, Any]:
    """The columns of the strongest reasons."""
    if parts is None:
        nothing = pd.array([pd.NA] * len(batch), dtype="Int32")
        return {name: nothing for name in _REASON_COLUMNS if name.startswith(f"{target}_")}
    place, effect = strongest(parts)
    # The rhythm is no single number: it has none to show.
    known = np.column_stack([batch[list(FEATURES)].to_numpy(dtype=float), np.full(len(batch), np.nan)])
    value = np.take_along_axis(known, place, axis=1)
    found: dict[str, Any] = {}
    for i in range(MOST):
        told = np.where(says_something(effect[:, i]), place[:, i], -1)
        found[f"{target}_reason_{i}"] = pd.array(told, dtype="Int32")
        found[f"{target}_value_{i}"] = pd.array(value[:, i], dtype="Float64")
        found[f"{target}_effect_{i}"] = np.round(effect[:, i], 4)
    return found


def predictions(scores: DataFrame, *, as_of: date, ltv_model: str, churn_model: str) -> DataFrame:
    """The rows of `gold.predictions` of customers with an order, from `scores`, which is read twice as `placed` says."""
    return placed(scores, ("churn", "ltv")).select(
        "customer_id",
        "horizon_days",
        "churn_probability",
        "churn_percentile",
        _why("churn").alias("churn_reasons"),
        F.round(1 - F.col("churn_probability"), 6).alias("buy_probability"),
        "expected_orders",
        "expected_order_value",
        "ltv",
        "ltv_low",
        "ltv_high",
        "ltv_percentile",
        _tier().alias("tier"),
        _why("ltv").alias("ltv_reasons"),
        "lifecycle",
        F.date_add(F.lit(as_of), F.col("next_order_in")).alias("next_order_on"),
        F.lit(ltv_model).alias("ltv_model"),
        F.lit(churn_model).alias("churn_model"),
        F.lit(as_of).alias("scored_on"),
    )


def placed(scores: DataFrame, measures: Sequence[str]) -> DataFrame:
    """Scores with the place of each among all of them, which are read twice: once to count, once to place.

    Places are told by counts of values, rounded to a bounded number of them: 100,001 probabilities, and values in steps
    of a fiftieth of a per cent. So neither a sort of all customers nor more than that many rows on the driver is needed.

    Args:
        scores: horizon_days, and what is measured: churn_probability, ltv.
        measures: `churn`, `ltv`.

    Returns:
        The scores with a column <measure>_percentile: the share of those over the same horizon that are lower.
    """
    keyed = scores.withColumns({f"{name}_key": F.expr(_KEYS[name]) for name in measures})
    keys = F.explode(F.array(*[_measure(name) for name in measures])).alias("measure")
    counts = (
        keyed.select("horizon_days", keys)
        .groupBy("horizon_days", "measure.name", "measure.key")
        .agg(F.count(F.lit(1)).alias("customers"))
        .toPandas()
    )
    for name in measures:
        places = scores.sparkSession.createDataFrame(shares_below(counts[counts["name"] == name], name), _places(name))
        keyed = keyed.join(F.broadcast(places), on=["horizon_days", f"{name}_key"], how="inner")
    return keyed


def shares_below(counts: pd.DataFrame, name: str) -> pd.DataFrame:
    """For each value of each horizon the share of customers with a lower one.

    Args:
        counts: horizon_days, key, customers.
        name: measure.

    Returns:
        horizon_days, <name>_key, <name>_percentile.
    """
    ordered = counts.sort_values(["horizon_days", "key"])
    groups = ordered.groupby("horizon_days")["customers"]
    share = (groups.cumsum() - ordered["customers"]) / groups.transform("sum")
    return pd.DataFrame(
        {"horizon_days": ordered["horizon_days"], f"{name}_key": ordered["key"], f"{name}_percentile": share}
    )


def _why(target: str) -> Column:
    names = F.array(*[F.lit(name) for name in REASONS])
    told = [
        F.struct(
            F.get(names, F.col(f"{target}_reason_{i}")).alias("reason"),
            F.col(f"{target}_value_{i}").alias("value"),
            F.col(f"{target}_effect_{i}").alias("effect"),
        )
        for i in range(MOST)
    ]
    # The strongest come first, so that those that are none are the last; a filter by a lambda would be interpreted.
    count = " + ".join(f"int(coalesce({target}_reason_{i} >= 0, false))" for i in range(MOST))
    return F.slice(F.array(*told), F.lit(1), F.expr(count))


def _measure(name: str) -> Column:
    return F.struct(F.lit(name).alias("name"), F.col(f"{name}_key").alias("key"))


def _places(name: str) -> str:
    return f"horizon_days int, {name}_key bigint, {name}_percentile double"


def _tier() -> Column:
    tier = F.lit("rest")
    for name, least in reversed(_TIERS):
        tier = F.when(F.col("ltv_percentile") >= least, name).otherwise(tier)
    return tier
