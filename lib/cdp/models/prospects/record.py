"""What MLflow keeps of a training of first orders."""

from collections.abc import Mapping, Sequence
from typing import Any

from cdp.models.config import Training
from cdp.models.features import BEHAVIOUR
from cdp.models.promotion import Decision
from cdp.models.propensity.answers import BASE_RATE, BLEND
from cdp.models.prospects.training import Trained
from cdp.models.registry import Candidate, Entry

_IN_WORDS = {BASE_RATE: "the base rate", BLEND: "trees and line"}


def entry(
    held: Sequence[Trained],
    training: Training,
    facts: Mapping[str, Any],
    tables: Mapping[str, tuple[str, int]],
) -> Entry:
    """Settings, windows of data, what buyers bring, everybody's figures.

    Args:
        held: the models, by horizon.
        training: the settings.
        facts: of the data, from `training.facts`.
        tables: what was read: by name of the table its place and version.
    """
    params: dict[str, Any] = {**facts, **training.model_dump(), "features": len(BEHAVIOUR)}
    metrics: dict[str, float] = {}
    candidates: dict[str, dict[str, float]] = {}
    for one in held:
        prefix, split, outcome = f"h{one.horizon_days}", one.split, one.outcome
        params[f"{prefix}_chosen"] = outcome.chosen
        params[f"{prefix}_learned_from"] = " ".join(str(day) for day in split.final)
        params[f"{prefix}_outcome_days"] = split.learn_days
        params[f"{prefix}_judged_on"] = " ".join(str(test.judge.cutoff[0]) for test in outcome.told)
        metrics |= {
            f"{prefix}.prospects": float(one.prospects),
            f"{prefix}.bought": float(one.bought),
            f"{prefix}.order_days_of_buyers": one.model.orders,
            f"{prefix}.revenue_of_buyers": one.model.revenue,
        }
        metrics |= {f"{prefix}.{name}": value for name, value in outcome.metrics.get(outcome.chosen, {}).items()}
        for name, figures in outcome.metrics.items():
            candidates.setdefault(name, {}).update({f"{prefix}.{figure}": value for figure, value in figures.items()})
    chosen = {one.outcome.chosen for one in held}
    return Entry(
        params,
        metrics,
        tags={"as_of": str(facts["as_of"])},
        candidates=[Candidate(name, figures, name in chosen) for name, figures in candidates.items()],
        texts={"features.txt": "\n".join(BEHAVIOUR)},
        note=note(held, facts),
        tables=tables,
    )


def note(held: Sequence[Trained], facts: Mapping[str, Any], decision: Decision | None = None) -> str:
    """In words, for the page of the run and of the registered version."""
    lines = [
        f"Trained as of {facts['as_of']} on people who had not ordered by some day since {facts['first_order_on']}.",
        "",
        *[f"* {told(one)}" for one in held],
    ]
    if decision:
        lines += ["", f"**{'Champion' if decision.is_promoted else 'Not promoted'}**: {decision.why}."]
    return "\n".join(lines)


def told(one: Trained) -> str:
    """What a person wants to know of a contest: who was chosen, how good it is, and from whom it was learned."""
    outcome = one.outcome
    text = f"prospects, {one.horizon_days} days: {_IN_WORDS[outcome.chosen]}"
    if outcome.auc is not None:
        text += f", ROC AUC {outcome.auc:.3f}"
    text += f", of {one.prospects:,} rows {one.bought:,} with a first order within {one.split.learn_days} days"
    if outcome.is_rule:
        text += "; a rule" + (", which nothing learned beat" if BLEND in outcome.metrics else "")
    else:
        text += f"; beats {_IN_WORDS[BASE_RATE]}"
    return "; ".join([text, *one.notes])
