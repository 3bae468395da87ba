"""Scores of every eligible customer, in batches on the executors, and the place of each among them."""

from collections.abc import Callable, Iterator
from datetime import date

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cdp.models.propensity.answers import Blend, Explained, PropensityModel
from cdp.models.scoring import shares_below
from cdp.tables.gold import PROPENSITIES

_REASONS = next(c.type for c in PROPENSITIES.columns if c.name == "reasons")
_SCORES = f"customer_id string, score double, reasons {_REASONS}"
_STEPS = 100_000
"""Steps of a probability by which places are told."""

Batches = Iterator[pd.DataFrame]


def scores(rows: DataFrame, model: PropensityModel, names: dict[str, str], *, with_reasons: bool) -> DataFrame:
    """What a model says of each row.

    Args:
        rows: customer_id, and the features.
        model: that answers.
        names: columns that are called otherwise as features.
        with_reasons: whether to say why.

    Returns:
        customer_id, score, reasons (empty for a rule, which has no reasons but itself).
    """
    return rows.mapInPandas(scorer(model, names, with_reasons), _SCORES)


def scorer(model: PropensityModel, names: dict[str, str], with_reasons: bool) -> Callable[[Batches], Batches]:
    """The same for batches of pandas."""

    def score(batches: Batches) -> Batches:
        answer = model.answer
        explained = Explained(answer) if with_reasons and isinstance(answer, Blend) else None
        for batch in batches:
            table = batch.rename(columns=names)
            yield pd.DataFrame(
                {
                    "customer_id": batch["customer_id"],
                    "score": np.clip(np.round(model.predict(table), 6), 0, 1),
                    "reasons": explained.reasons(table) if explained else [[] for _ in range(len(batch))],
                }
            )

    return score


def propensities(found: DataFrame, name: str, *, horizon_days: int | None, version: str, as_of: date) -> DataFrame:
    """`gold.propensities` of one model, from `scores`, which is read twice: to count, and to place each customer.

    Args:
        found: `scores`.
        name: of the propensity.
        horizon_days: within how many days it is to happen; None for a state.
        version: registered model and version.
        as_of: the run's date.
    """
    keyed = found.withColumn("score_key", F.round(F.col("score") * _STEPS).cast("bigint"))
    # At most a row for each step comes to the driver.
    counts = keyed.groupBy(F.col("score_key").alias("key")).agg(F.count(F.lit(1)).alias("customers")).toPandas()
    places = shares_below(counts.assign(horizon_days=0), "score")[["score_key", "score_percentile"]]
    known = found.sparkSession.createDataFrame(places, "score_key bigint, score_percentile double")
    return keyed.join(F.broadcast(known), on="score_key", how="inner").select(
        "customer_id",
        F.lit(name).alias("model"),
        F.lit(horizon_days).cast("int").alias("horizon_days"),
        "score",
        F.col("score_percentile").alias("percentile"),
        "reasons",
        F.lit(version).alias("model_version"),
        F.lit(as_of).alias("scored_on"),
    )
