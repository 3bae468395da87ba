"""Predictions for everybody without an order, in batches on the executors."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cdp.models.features import BEHAVIOUR, has_ordered
from cdp.models.learning import ByHorizon
from cdp.models.propensity.answers import Blend, Explained
from cdp.models.prospects.model import HIGH, LOW, ORDERS, PROBABILITY, REVENUE
from cdp.models.scoring import expected, placed
from cdp.tables.gold import PREDICTIONS

PROSPECT = "prospect"
"""Tier and lifecycle of who has not ordered yet."""

_REASONS = next(c.type for c in PREDICTIONS.columns if c.name == "ltv_reasons")
_SCORES = (
    "customer_id string, horizon_days int, buy_probability double, expected_orders double, expected_order_value double,"
    f" ltv double, ltv_low double, ltv_high double, next_order_in int, ltv_reasons {_REASONS}"
)

Batches = Iterator[pd.DataFrame]


def scores(features: DataFrame, model: ByHorizon, horizons: Sequence[int], *, with_reasons: bool) -> DataFrame:
    """What the model says of each prospect and horizon.

    Args:
        features: `features.features` of everybody at one cut-off.
        model: of `Prospects`.
        horizons: of it, those that are wanted.
        with_reasons: whether to say why.

    Returns:
        customer_id, horizon_days, buy_probability, expected_orders (days with an order), expected_order_value, ltv, ltv_low,
        ltv_high (null where the model gives no interval), next_order_in (days; null where no order is likelier than one),
        ltv_reasons (what moves the log-odds of an order; empty for a rule).
    """
    rows = features.where(~has_ordered()).select("customer_id", *BEHAVIOUR)
    return rows.mapInPandas(_scorer(model, horizons, with_reasons), _SCORES)


def predictions(found: DataFrame, *, as_of: date, model: str) -> DataFrame:
    """The rows of `gold.predictions` of prospects, placed among prospects, from `scores`, which is read twice."""
    return placed(found, ("ltv",)).select(
        "customer_id",
        "horizon_days",
        F.lit(None).cast("double").alias("churn_probability"),
        F.lit(None).cast("double").alias("churn_percentile"),
        F.array().cast(_REASONS).alias("churn_reasons"),
        "buy_probability",
        "expected_orders",
        "expected_order_value",
        "ltv",
        "ltv_low",
        "ltv_high",
        "ltv_percentile",
        F.lit(PROSPECT).alias("tier"),
        "ltv_reasons",
        F.lit(PROSPECT).alias("lifecycle"),
        F.date_add(F.lit(as_of), F.col("next_order_in")).alias("next_order_on"),
        F.lit(model).alias("ltv_model"),
        F.lit(None).cast("string").alias("churn_model"),
        F.lit(as_of).alias("scored_on"),
    )


def _scorer(model: ByHorizon, horizons: Sequence[int], with_reasons: bool) -> Callable[[Batches], Batches]:
    def score(batches: Batches) -> Batches:
        explained = {}
        for horizon in horizons:
            answer = model.at(horizon).answer
            # Rules have no reasons but themselves.
            explained[horizon] = Explained(answer) if with_reasons and isinstance(answer, Blend) else None
        for batch in batches:
            for horizon in horizons:
                yield scored(batch, horizon, model, explained[horizon])

    return score


def scored(
    batch: pd.DataFrame, horizon_days: int, model: ByHorizon, explained: Explained | None = None
) -> pd.DataFrame:
    """One batch of features over one horizon; columns as in `scores`."""
    table = batch[list(BEHAVIOUR)].astype(float)
    told = model.at(horizon_days).predict(table)
    likely = np.clip(np.round(told[:, PROBABILITY], 6), 0, 1)
    columns = {
        **expected(batch, horizon_days, told[:, [ORDERS, REVENUE, LOW, HIGH]]),
        "buy_probability": likely,
        "next_order_in": _wait(likely, horizon_days),
        "ltv_reasons": explained.reasons(table) if explained else [[] for _ in range(len(batch))],
    }
    return pd.DataFrame(columns)


def _wait(likely: np.ndarray, horizon_days: int) -> Any:
    """Days within which half of those as likely to order have done so, if each day is like the others."""
    days = np.ceil(np.log(2) * horizon_days / -np.log1p(-np.clip(likely, 1e-6, 1 - 1e-6)))
    found = pd.array(np.clip(days, 1, horizon_days), dtype="Int32")
    found[likely <= 0.5] = pd.NA
    return found
