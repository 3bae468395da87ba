"""What MLflow keeps of a training: enough for a stranger to tell which model is in use, why, on what data and how good."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cdp.models.config import ModelsConfig
from cdp.models.contest import Material, Outcome, Target
from cdp.models.features import FEATURES, HORIZON
from cdp.models.likelihood import Floats
from cdp.models.promotion import Decision
from cdp.models.reasons import REASONS, Reasons
from cdp.models.registry import Candidate, Entry
from cdp.models.training import told
from cdp.models.watch.reference import Score, reference

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_EXPLAINED = 500
"""Customers whose reasons say what counts most."""
_RESAMPLED = 200
_RESAMPLED_ROWS = 20_000


def entry(
    held: Sequence[Outcome],
    held_on: Sequence[Material],
    config: ModelsConfig,
    facts: Mapping[str, Any],
    textbook: Mapping[str, float],
) -> Entry:
    """Settings, windows of data, chosen candidates, everybody's figures, pictures.

    Args:
        held: the contests of a target, by horizon.
        held_on: what they were held on.
        config: the settings.
        facts: of the data, from `training.facts`.
        textbook: parameters of BG/NBD and Gamma-Gamma, with standard errors.
    """
    params: dict[str, Any] = {**facts, **config.training.model_dump(), "features": len(FEATURES)}
    metrics: dict[str, float] = {}
    candidates: dict[str, dict[str, float]] = {}
    pictures: dict[str, Figure] = {}
    for outcome, material in zip(held, held_on, strict=True):
        prefix, split = f"h{outcome.horizon_days}", outcome.split
        params[f"{prefix}_chosen"] = outcome.chosen
        params[f"{prefix}_learned_from"] = " ".join(str(day) for day in split.final)
        params[f"{prefix}_outcome_days"] = split.learn_days
        params[f"{prefix}_judged_on"] = " ".join(str(fold.judge) for fold in split.folds)
        for name, figures in outcome.metrics.items():
            candidates.setdefault(name, {}).update({f"{prefix}.{figure}": value for figure, value in figures.items()})
        if outcome.metrics:
            actual, said = _on_backtests(outcome, material)
            metrics |= {f"{prefix}.{name}": value for name, value in outcome.metrics[outcome.chosen].items()}
            metrics |= {f"{prefix}.{name}": value for name, value in _interval(outcome.target, actual, said).items()}
            from cdp.models.pictures import contest_picture

            pictures[f"{prefix}.svg"] = contest_picture(outcome, actual, said, importance(outcome, material))
    return Entry(
        params,
        {**metrics, **textbook},
        candidates=[Candidate(name, figures, _is_chosen(name, held)) for name, figures in candidates.items()],
        pictures=pictures,
        note=note(held, facts),
    )


def note(held: Sequence[Outcome], facts: Mapping[str, Any], decision: Decision | None = None) -> str:
    """In words, for the page of the run and of the registered version."""
    lines = [
        f"Trained as of {facts['as_of']} on orders from {facts['first_order_on']}: {facts['customers']:,} customers"
        f" ({facts['customers_sampled']:,} learned from).",
        "",
        *[f"* {told(outcome)}" for outcome in held],
    ]
    if decision:
        lines += ["", f"**{'Champion' if decision.is_promoted else 'Not promoted'}**: {decision.why}."]
    return "\n".join(lines)


def importance(outcome: Outcome, material: Material) -> dict[str, float]:
    """By reason, the mean size of what it adds to the scores of some customers as of the run's date; empty for a rule."""
    blend = getattr(outcome.model, "blend", None)
    if blend is None:
        return {}
    features = material.past.features(material.as_of)
    some = blend.experts.view(features.iloc[:: max(len(features) // _EXPLAINED, 1)])
    explain = Reasons(blend).of_value if outcome.target.name == "ltv" else Reasons(blend).of_churn
    size = np.abs(explain(some)).mean(axis=0)
    return {REASONS[i]: float(size[i]) for i in np.flatnonzero(size)}


def reference_text(target: Target, held: Sequence[Outcome], held_on: Sequence[Material]) -> str:
    """Histograms of what the model was given and said on the newest back-test, for later scorings to be held against:
    `watch.reference.Reference` as JSON. Without a back-test of a horizon, what it says as of the run's date."""
    as_of, past = held_on[0].as_of, held_on[0].past
    newest = max((m.split.folds[0].judge for m in held_on if m.split.folds), default=as_of)
    scores = {}
    for outcome, material in zip(held, held_on, strict=True):
        # Where a shorter outcome was judged, what was said of that is no measure for what is said of the horizon.
        if outcome.metrics and outcome.split.learn_days == outcome.horizon_days:
            scores[outcome.horizon_days] = target.predicted(material.backtests.judged[-1])[outcome.chosen]
        else:
            scores[outcome.horizon_days] = target.answer(outcome.model.predict(past.features(as_of)))
    score: Score = "ltv" if target.name == "ltv" else "churn_probability"
    return reference(past.features(newest), scores, score=score, trained_on=as_of).to_json()


def example(features: pd.DataFrame, horizon_days: int) -> pd.DataFrame:
    """One row as models take it, of nobody: the median of each feature."""
    usual = features.median(skipna=True).fillna(0.0)
    return pd.DataFrame([{**usual.to_dict(), HORIZON: float(horizon_days)}]).astype(float)


def textbook_figures(counts: Any, as_of: Any) -> dict[str, float]:
    """Parameters of BG/NBD and Gamma-Gamma with standard errors, how three models of times compare by likelihood, and how
    number and value of purchases go together, where they fit."""
    found = {"spend_correlation": counts.spend_correlation(as_of)}
    for model in ("bgnbd", "mbgnbd", "pareto_nbd"):
        try:
            fitted = counts.estimate_times(as_of, model)
        except ValueError:
            continue
        found[f"{model}.log_likelihood"] = fitted.log_likelihood
        found |= _parameters(model, fitted)
    with suppress(ValueError):
        found |= _parameters("gamma_gamma", counts.estimate_spend(as_of))
    return found


def _parameters(name: str, fitted: Any) -> dict[str, float]:
    found = {f"{name}.{parameter}": float(value) for parameter, value in vars(fitted.model).items()}
    errors = {
        f"{name}.{parameter}.se": error for parameter, error in fitted.standard_errors.items() if error is not None
    }
    return {**found, **errors}


def _is_chosen(name: str, held: Sequence[Outcome]) -> bool:
    return any(outcome.chosen == name for outcome in held)


def _on_backtests(outcome: Outcome, material: Material) -> tuple[Floats, Floats]:
    tests = material.backtests.judged
    said = np.concatenate([outcome.target.predicted(test)[outcome.chosen] for test in tests])
    return np.concatenate([outcome.target.actual(test) for test in tests]), said


def _interval(target: Target, actual: Floats, said: Floats) -> dict[str, float]:
    """The middle 95 % of the headline metric over resampled rows."""
    figure = target.headline[0]
    rng = np.random.default_rng(0)
    size = min(len(actual), _RESAMPLED_ROWS)
    found = []
    for _ in range(_RESAMPLED):
        rows = rng.integers(0, len(actual), size)
        value = target.headline_of(actual[rows], said[rows])
        if np.isfinite(value):
            found.append(value)
    if len(found) < _RESAMPLED / 2:
        return {}
    # A resample of fewer rows strays more, by the root of how many fewer.
    middle, shrink = float(np.median(found)), np.sqrt(size / len(actual))
    low, high = np.quantile(found, [0.025, 0.975])
    return {f"{figure}_low": middle + (low - middle) * shrink, f"{figure}_high": middle + (high - middle) * shrink}
