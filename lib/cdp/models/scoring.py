"""Predictions for every customer from the champion models, in batches on the executors."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.models.features import FEATURES, HORIZON

_SCORES = (
    "customer_id string, horizon_days int, churn_probability double, expected_orders double,"
    " expected_order_value double, ltv double, next_order_in int"
)
_TIERS = (("top_1", 0.99), ("top_5", 0.95), ("top_10", 0.90), ("top_25", 0.75), ("top_50", 0.50))

Batches = Iterator[pd.DataFrame]


def scores(features: DataFrame, ltv: Any, churn: Any) -> DataFrame:
    """What each model says of each customer and horizon.

    Args:
        features: `features.features` at one cut-off.
        ltv, churn: `learning.ByHorizon`; the horizons that both know are scored.

    Returns:
        customer_id, horizon_days, churn_probability, expected_orders (days with an order), expected_order_value, ltv,
        next_order_in (days; null where no order is likelier than one).
    """
    wanted = features.select("customer_id", *FEATURES)
    return wanted.mapInPandas(_scorer(ltv, churn), _SCORES)


def _scorer(ltv: Any, churn: Any) -> Callable[[Batches], Batches]:
    horizons = [h for h in ltv.horizons if h in set(churn.horizons)]

    def score(batches: Batches) -> Batches:
        for batch in batches:
            for horizon in horizons:
                yield scored(batch, horizon, ltv, churn)

    return score


def scored(batch: pd.DataFrame, horizon_days: int, ltv: Any, churn: Any) -> pd.DataFrame:
    """One batch of features over one horizon; columns as in `scores`."""
    rows = batch[list(FEATURES)].astype(float)
    rows[HORIZON] = float(horizon_days)
    expected = np.maximum(ltv.predict(rows), 0)
    orders, value = np.round(expected[:, 0], 6), np.round(expected[:, 1], 2)
    away = np.clip(np.round(churn.predict(rows), 6), 0, 1)
    # Half of all waiting times at this rate are shorter.
    wait = np.ceil(np.log(2) * horizon_days / np.maximum(orders, 1e-6))
    return pd.DataFrame(
        {
            "customer_id": batch["customer_id"],
            "horizon_days": np.int32(horizon_days),
            "churn_probability": away,
            "expected_orders": orders,
            "expected_order_value": value,
            "ltv": np.round(orders * value, 2),
            "next_order_in": pd.Series(np.clip(wait, 1, horizon_days), index=batch.index)
            .where(away < 0.5)
            .astype("Int32"),
        }
    )


def predictions(scores: DataFrame, *, as_of: date, ltv_model: str, churn_model: str) -> DataFrame:
    """`gold.predictions` from `scores`, which is read twice: once to count, once to place each customer.

    Places are told by counts of values, rounded to a bounded number of them: 100,001 probabilities, and values in steps
    of a fiftieth of a per cent. So neither a sort of all customers nor more than that many rows on the driver is needed.
    """
    keyed = scores.withColumns(
        {
            "churn_key": F.round(F.col("churn_probability") * 100_000).cast("bigint"),
            "ltv_key": F.floor(F.log1p("ltv") * 5_000).cast("bigint"),
        }
    )
    keys = F.explode(F.array(_measure("churn"), _measure("ltv"))).alias("measure")
    counts = (
        keyed.select("horizon_days", keys)
        .groupBy("horizon_days", "measure.name", "measure.key")
        .agg(F.count(F.lit(1)).alias("customers"))
        .toPandas()
    )
    for name in ("churn", "ltv"):
        places = scores.sparkSession.createDataFrame(shares_below(counts[counts["name"] == name], name), _places(name))
        keyed = keyed.join(F.broadcast(places), on=["horizon_days", f"{name}_key"], how="inner")
    return keyed.select(
        "customer_id",
        "horizon_days",
        "churn_probability",
        "churn_percentile",
        "expected_orders",
        "expected_order_value",
        "ltv",
        "ltv_percentile",
        _tier().alias("tier"),
        F.date_add(F.lit(as_of), F.col("next_order_in")).alias("next_order_on"),
        F.lit(ltv_model).alias("ltv_model"),
        F.lit(churn_model).alias("churn_model"),
        F.lit(as_of).alias("scored_on"),
    )


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


def _measure(name: str) -> Column:
    return F.struct(F.lit(name).alias("name"), F.col(f"{name}_key").alias("key"))


def _places(name: str) -> str:
    return f"horizon_days int, {name}_key bigint, {name}_percentile double"


def _tier() -> Column:
    tier = F.lit("rest")
    for name, least in reversed(_TIERS):
        tier = F.when(F.col("ltv_percentile") >= least, name).otherwise(tier)
    return tier
