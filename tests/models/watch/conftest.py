"""Customers with features and scores, and models that were trained on them."""

from datetime import date

import numpy as np
import pandas as pd

from cdp.models.watch.drift import Slots, Today
from cdp.models.watch.health import Watched
from cdp.models.watch.reference import reference

AS_OF = date(2026, 1, 31)
TRAINED_ON = date(2026, 1, 1)
LTV, CHURN = "cdp_ltv/3", "cdp_churn/5"


def customers(n: int, seed: int = 1) -> pd.DataFrame:
    """Features: one spread out, one mostly 0, one often missing, one the same for all."""
    rng = np.random.default_rng(seed)
    revenue = np.round(rng.lognormal(3, 1, n), 2)
    visits = np.where(rng.random(n) < 0.7, 0.0, rng.integers(1, 20, n))
    gap = np.where(rng.random(n) < 0.4, np.nan, rng.integers(1, 300, n).astype(float))
    return pd.DataFrame({"revenue": revenue, "visits": visits, "gap": gap, "channels": np.ones(n)})


def scores_of(n: int, seed: int = 1) -> pd.DataFrame:
    """churn_probability and ltv."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {"churn_probability": np.round(rng.beta(2, 2, n), 6), "ltv": np.round(rng.lognormal(3, 1, n), 2)}
    )


def models(features: pd.DataFrame, scores: pd.DataFrame, horizon: int = 90) -> list[Watched]:
    """Both models, trained on these customers."""
    return [
        Watched(
            name, score, (horizon,), reference(features, {horizon: scores[score]}, score=score, trained_on=TRAINED_ON)
        )
        for name, score in ((LTV, "ltv"), (CHURN, "churn_probability"))
    ]


def counted(features: pd.DataFrame, scores: pd.DataFrame, watched: list[Watched], horizon: int = 90) -> Today:
    """What Spark would count of these customers, counted by numpy."""
    slots = Slots.of([w.reference for w in watched if w.reference])
    counts = {}
    for slot, (name, edges) in enumerate(slots.features):
        counts[None, slot] = bins(features[name].to_numpy(), edges)
    for slot, (score, _, edges) in enumerate(slots.scores, start=len(slots.features)):
        counts[horizon, slot] = bins(scores[score].to_numpy(), edges)
    for place, score in enumerate(("churn_probability", "ltv")):
        total = int((scores[score] * 1_000_000).round().sum())
        counts[horizon, -1 - place] = {0: (len(scores), total)}
    return Today(slots, counts)


def bins(values: np.ndarray, edges: tuple[float, ...]) -> dict[int, tuple[int, int]]:
    """Customers by bin, counted one by one; -1 for those without a value."""
    found: dict[int, tuple[int, int]] = {}
    for value in values:
        place = sum(value > edge for edge in edges) if np.isfinite(value) else -1
        found[place] = (found.get(place, (0, 0))[0] + 1, 0)
    return found
