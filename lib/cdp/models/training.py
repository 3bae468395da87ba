"""From orders and activity to the models of one training: the sample, the contests, and what is recorded of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cdp.models.config import ModelsConfig
from cdp.models.contest import Material, Outcome, Target, contest
from cdp.models.counts import OrderCounts
from cdp.models.cutoffs import Split, all_cutoffs
from cdp.models.features import FEATURES, features, outcomes
from cdp.models.learning import ByHorizon, Fits, Sample
from cdp.models.registry import Entry

_PARTS = 1_000_000


def sampled(rows: DataFrame, *, customers: int, most: int, seed: int) -> DataFrame:
    """The rows of about `most` of the `customers`, chosen by a hash of their id: the same ones each time."""
    if customers <= most:
        return rows
    part = F.pmod(F.xxhash64("customer_id", F.lit(seed)), F.lit(_PARTS))
    return rows.where(part < int(_PARTS * most / customers))


def training_rows(days: DataFrame, order_days: DataFrame, splits: Sequence[Split]) -> DataFrame:
    """Features at every cut-off with what came after it; outcomes are null where nothing did.

    Args:
        days: `activity.daily_activity`.
        order_days: `activity.daily_orders`.
        splits: a split of time for each horizon.
    """
    cutoffs = all_cutoffs(splits)
    after = outcomes(order_days, cutoffs, [split.horizon_days for split in splits])
    return features(days, cutoffs).join(after, on=["customer_id", "cutoff"], how="left")


@dataclass(frozen=True)
class TrainingTable:
    """`training_rows` on the driver: at most `max_customers` customers for each cut-off."""

    table: pd.DataFrame

    @classmethod
    def collect(cls, rows: DataFrame) -> "TrainingTable":
        table = rows.toPandas()
        table["cutoff"] = pd.to_datetime(table["cutoff"]).dt.date
        # Spark gives rows in any order, and sums of decimals in learners depend on it.
        table = table.sort_values(["cutoff", "customer_id"], ignore_index=True)
        table["customer"] = pd.factorize(table.pop("customer_id"), sort=True)[0]
        return cls(table)

    @property
    def customers(self) -> int:
        return int(self.table["customer"].nunique())

    def sample(self, cutoffs: Sequence[date], horizon_days: int) -> Sample:
        """Rows of some cut-offs with the outcome over one horizon."""
        rows = self.table[self.table["cutoff"].isin(list(cutoffs))]
        after = rows[[f"order_days_next_{horizon_days}", f"revenue_next_{horizon_days}"]].fillna(0).to_numpy(float)
        return Sample(
            rows[list(FEATURES)].astype(float).reset_index(drop=True),
            rows["customer"].to_numpy(),
            after[:, 0],
            np.maximum(after[:, 1], 0),
        )

    def material(self, split: Split, counts: OrderCounts, as_of: date) -> Material:
        """All that the contests of one horizon need."""
        return Material(
            split.horizon_days,
            self.sample(split.train, split.horizon_days),
            self.sample([split.validate], split.horizon_days),
            fits(counts, split.validate),
            fits(counts, as_of),
        )


def fits(counts: OrderCounts, cutoff: date) -> Fits:
    """BG/NBD and Gamma-Gamma of all customers as of a cut-off, each where it fits."""
    try:
        times = counts.fit_times(cutoff)
    except ValueError:
        return Fits(None, None)
    try:
        return Fits(times, counts.fit_spend(cutoff))
    except ValueError:
        return Fits(times, None)


def hold(target: Target, materials: Sequence[Material], config: ModelsConfig) -> tuple[ByHorizon, list[Outcome]]:
    """A contest for each horizon; the winners as one model."""
    held = [contest(target, material, config.training) for material in materials]
    return ByHorizon([o.horizon_days for o in held], [o.model for o in held]), held


def entry(
    held: Sequence[Outcome],
    materials: Sequence[Material],
    splits: Sequence[Split],
    config: ModelsConfig,
    facts: Mapping[str, Any],
) -> Entry:
    """What MLflow keeps of a training: settings, windows of data, chosen models, and every candidate's figures."""
    params: dict[str, Any] = {**facts, **config.training.model_dump(), "features": len(FEATURES)}
    metrics: dict[str, float] = {}
    for outcome, material, split in zip(held, materials, splits, strict=True):
        prefix = f"h{outcome.horizon_days}"
        params[f"{prefix}_chosen"] = outcome.chosen
        params[f"{prefix}_train_cutoffs"] = " ".join(str(day) for day in split.train)
        params[f"{prefix}_outcome_window"] = f"{split.validate + timedelta(days=1)} {facts['as_of']}"
        params[f"{prefix}_train_rows"] = len(material.train)
        params[f"{prefix}_validate_rows"] = len(material.validate)
        for name, figures in outcome.metrics.items():
            metrics.update({f"{prefix}.{name}.{figure}": value for figure, value in figures.items()})
        for what, fit in (("bgnbd", material.fits_now.times), ("gamma_gamma", material.fits_now.spend)):
            metrics.update({f"{prefix}.{what}.{name}": value for name, value in vars(fit).items()} if fit else {})
    return Entry(params, metrics, {"as_of": str(facts["as_of"])})


def told(outcome: Outcome) -> str:
    """What a person wants to know of a contest: who was chosen, how good it is, and against what."""
    target, chosen = outcome.target, outcome.chosen
    figure, name = target.headline
    found = outcome.metrics.get(chosen, {})
    text = f"{target.name}, {outcome.horizon_days} days: {chosen}, {name} {found.get(figure, float('nan')):.3f}"
    if "total_bias" in found:
        text += f", total {found['total_bias']:+.0%}"
    if chosen != target.baseline:
        text += f"; beats {target.baseline} ({outcome.metrics[target.baseline][figure]:.3f})"
    else:
        text += "; the baseline" + ("" if outcome.why else ", which no candidate beat")
    return text + "".join(f"; {why}" for why in outcome.why)
