"""The report's section about the models in use: what they are fed, what they say, and what came true."""

from collections.abc import Sequence
from dataclasses import dataclass

from cdp.measure.facts import Facts
from cdp.measure.page import Grid, Section
from cdp.measure.words import MISSING, day, number, share
from cdp.tables.gold import MODEL_HEALTH

_MOST_FEATURES = 10
_WORDS = {"ok": "fine", "warn": "look at it", "error": "broken", "not_enough_data": "too little to judge"}


@dataclass(frozen=True)
class _Reading:
    """A row of `gold.model_health`."""

    check: str
    model: str
    horizon_days: int | None
    subject: str
    status: str
    scored_on: str
    value: float | None
    customers: float


def models(facts: Facts) -> Section:
    """The newest judgement of the models."""
    missing = facts.lacks("health", MODEL_HEALTH, "score")
    if missing:
        return Section("models", "Models", "", missing=missing)
    readings = _readings(facts)
    on = day(next(t.low for t in facts.tallies["health"]))
    is_held = any(r.check == "held_back" and r.value for r in readings)
    fate = "were held back: the last good predictions stay" if is_held else "were given out"
    grids = [_in_use(readings), _drift(readings), _came_true(readings), _tenths(facts, readings)]
    return Section(
        "models",
        "Models",
        f"The scores of {on} {fate}. PSI tells how far features and scores are from those of the training: from 0.1 on they"
        " have moved, from 0.25 on far. What came true is told once a horizon has passed since a scoring that was kept.",
        grids=[grid for grid in grids if grid.rows],
    )


def _readings(facts: Facts) -> list[_Reading]:
    found = []
    for (check, model, horizon, subject, status), (value, customers), *_ in facts.tallies["health"]:
        verdict, _, scored_on = (status or "").partition(" ")
        days = int(horizon) if horizon else None
        found.append(
            _Reading(check or "", model or "", days, subject or "", verdict, scored_on, value, customers or 0.0)
        )
    return sorted(found, key=lambda r: (r.model, r.horizon_days or 0, r.subject))


def _of(readings: Sequence[_Reading], check: str) -> list[_Reading]:
    return [r for r in readings if r.check == check]


def _in_use(readings: Sequence[_Reading]) -> Grid:
    drift = {(r.model, r.horizon_days): r for r in _of(readings, "score_drift")}
    ages = {r.model: r.value for r in _of(readings, "model_age_days")}
    rows = []
    for r in _of(readings, "mean_score"):
        moved = drift.get((r.model, r.horizon_days))
        mean = share(r.value) if r.subject == "churn_probability" else number(r.value, 2)
        psi, verdict = (number(moved.value, 2), _WORDS[moved.status]) if moved else (MISSING, MISSING)
        rows.append(
            [r.model, number(ages.get(r.model)), number(r.horizon_days), number(r.customers), mean, psi, verdict]
        )
    header = ("Model", "Age in days", "Days ahead", "Customers", "Mean score", "PSI of scores", "Verdict")
    return Grid("In use", header, rows)


def _drift(readings: Sequence[_Reading]) -> Grid:
    # Models that were trained together have the same features: of each the furthest is told.
    furthest: dict[str, _Reading] = {}
    for r in _of(readings, "feature_drift"):
        known = furthest.get(r.subject)
        if known is None or (r.value or 0.0) > (known.value or 0.0):
            furthest[r.subject] = r
    order = sorted(furthest.values(), key=lambda r: (-(r.value or 0.0), r.subject))[:_MOST_FEATURES]
    rows = [[r.subject, number(r.value, 2), _WORDS[r.status]] for r in order]
    return Grid("Features that have moved most since the training", ("Feature", "PSI", "Verdict"), rows)


def _came_true(readings: Sequence[_Reading]) -> Grid:
    named = ("realised_auc", "calibration_error", "value_error", "value_gini", "coverage")
    found = {(r.check, r.scored_on, r.horizon_days): r for r in readings if r.check in named}
    rows = []
    for scored_on, horizon in sorted({(on, days) for _, on, days in found}, key=lambda p: (p[0], p[1] or 0)):
        values = [found.get((check, scored_on, horizon)) for check in named]
        customers = max(r.customers for r in values if r is not None)
        auc, calibration, error, gini, coverage = (r.value if r is not None else None for r in values)
        figures = [number(auc, 3), number(calibration, 3), share(error), number(gini, 3), share(coverage)]
        rows.append([scored_on, number(horizon), number(customers), *figures])
    header = ("Scored on", "Days ahead", "Customers", "ROC AUC of churn", "Calibration error", "Total value, too much", "Gini of value", "In the interval")  # fmt: skip
    return Grid("What came true", header, rows)


def _tenths(facts: Facts, readings: Sequence[_Reading]) -> Grid:
    """Of the newest predictions over the shortest horizon."""
    named = [r for r in readings if r.check in ("decile_predicted", "decile_realised")]
    if not named:
        return Grid("", (), [])
    shortest = min(r.horizon_days or 0 for r in named)
    newest = max(r.scored_on for r in named if r.horizon_days == shortest)
    kept = [r for r in named if (r.horizon_days, r.scored_on) == (shortest, newest)]
    churn = {r.model for r in _of(readings, "realised_auc")}
    found = {(r.model in churn, r.check, r.subject): r.value for r in kept}
    rows = []
    for tenth in sorted({r.subject for r in kept}):
        p, y = (share(found.get((True, f"decile_{what}", tenth))) for what in ("predicted", "realised"))
        e, a = (facts.money(found.get((False, f"decile_{what}", tenth)), 2) for what in ("predicted", "realised"))
        rows.append([tenth.lstrip("0"), p, y, e, a])
    header = ("Tenth", "Churn, predicted", "Churn, realised", "Value, predicted", "Value, realised")
    return Grid(
        f"Tenths of the customers, highest first: predicted on {newest} for {shortest:,} days, and what came true",
        header,
        rows,
    )
