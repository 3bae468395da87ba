"""Chooses among candidates by what happened after the day that their features end on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from cdp.models import churn, value
from cdp.models.config import Training
from cdp.models.learning import Fits, Sample
from cdp.models.likelihood import Floats
from cdp.models.metrics import churn_metrics, deviances, log_losses, value_metrics

Candidate = Callable[[Sample, Fits], Any]


@dataclass(frozen=True)
class Target:
    """Something to predict.

    Attributes:
        name: `ltv` or `churn`.
        baseline: the candidate that the others must beat.
        headline: the metric that a person is told, with its name.
        candidates: makes the candidates for a horizon and seed.
        predicted: a model's answer for features, as one number a row.
        actual: the outcome, as one number a row.
        losses: loss of each row, from outcome and prediction; what decides is its mean.
        metrics: figures to record, from the same.
    """

    name: str
    baseline: str
    headline: tuple[str, str]
    candidates: Callable[[int, int], Mapping[str, Candidate]]
    predicted: Callable[[Any, pd.DataFrame], Floats]
    actual: Callable[[Sample], Floats]
    losses: Callable[[Floats, Floats], Floats]
    metrics: Callable[[Floats, Floats], Mapping[str, float]]


LTV = Target(
    name="ltv",
    baseline=value.BASELINE,
    headline=("normalised_gini", "normalised Gini"),
    candidates=value.candidates,
    predicted=lambda model, features: model.predict(features).prod(axis=1),
    actual=lambda sample: sample.revenue,
    losses=deviances,
    metrics=value_metrics,
)
CHURN = Target(
    name="churn",
    baseline=churn.BASELINE,
    headline=("roc_auc", "ROC AUC"),
    candidates=churn.candidates,
    predicted=lambda model, features: model.predict(features),
    actual=lambda sample: sample.churned,
    losses=log_losses,
    metrics=churn_metrics,
)
TARGETS = (LTV, CHURN)


@dataclass(frozen=True)
class Material:
    """All that a contest needs for one horizon.

    Attributes:
        train, validate: rows before and at the validation's cut-off.
        fits_then: fitted on orders up to the validation's cut-off.
        fits_now: fitted on orders up to the date of the run.
    """

    horizon_days: int
    train: Sample
    validate: Sample
    fits_then: Fits
    fits_now: Fits


@dataclass(frozen=True)
class Outcome:
    """Who won, and how everybody did on the validation.

    Attributes:
        model: the winner, made anew from training and validation rows together.
        metrics: by candidate; without a contest only the baseline's.
        why: why there was no contest, or why candidates were left out.
    """

    target: Target
    horizon_days: int
    chosen: str
    model: Any
    metrics: Mapping[str, Mapping[str, float]]
    why: Sequence[str] = field(default=())


def contest(target: Target, material: Material, training: Training) -> Outcome:
    """Choose the candidate with the least mean loss on the validation among those that beat the baseline.

    To beat it, the mean of the row by row difference must exceed its standard error: a lead that chance alone would
    often give is none. If nobody does, the baseline itself is chosen.
    """
    validate = material.validate
    makers = target.candidates(material.horizon_days, training.seed)
    why = _too_little(material, training)
    losses, metrics, left_out = {}, {}, [why] if why else []
    for name in [target.baseline] if why else makers:
        try:
            model = makers[name](material.train, material.fits_then)
        except ValueError as error:
            left_out.append(f"{name}: {error}")
            continue
        predicted, actual = target.predicted(model, validate.features), target.actual(validate)
        if not np.isfinite(predicted).all():
            left_out.append(f"{name}: gives no number for some customers")
            continue
        losses[name] = target.losses(actual, predicted)
        metrics[name] = target.metrics(actual, predicted)
    chosen = best(losses, target.baseline)
    final = makers[chosen](material.train.plus(validate), material.fits_now)
    return Outcome(target, material.horizon_days, chosen, final, metrics, tuple(left_out))


def best(losses: Mapping[str, Floats], baseline: str) -> str:
    """Name of the candidate with the least mean loss that is better than the baseline by more than a standard error."""
    ahead = {}
    for name, loss in losses.items():
        if name != baseline:
            gain = losses[baseline] - loss
            if gain.mean() > gain.std() / np.sqrt(len(gain)):
                ahead[name] = float(loss.mean())
    return min(ahead, key=lambda name: (ahead[name], name)) if ahead else baseline


def _too_little(material: Material, training: Training) -> str | None:
    for what, sample in (("train", material.train), ("validate", material.validate)):
        if len(sample) < training.min_customers:
            return f"only {len(sample):,} rows to {what} on, wanted {training.min_customers:,}"
        fewest = int(min(sample.churned.sum(), len(sample) - sample.churned.sum()))
        if fewest < training.min_each_outcome:
            return f"only {fewest:,} rows to {what} on have the rarer outcome, wanted {training.min_each_outcome:,}"
    return None
