"""From the checks to a verdict: whether scores may be given out, which rules are broken, and what a person must know."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from cdp.base.settings import did_you_mean
from cdp.models.watch import checks
from cdp.models.watch.config import CHECKS, WatchConfig
from cdp.models.watch.drift import Today
from cdp.models.watch.health import ALL, ERROR, Health, Watched, health
from cdp.models.watch.past import HELD_BACK, Past
from cdp.models.watch.realised import Realised

_SHOWN = 5
_ADVICE = {
    "share_missing": "features that had values have none: look for a source that sends nothing (ops.files, ops.reconciliation)",
    "share_equal": "features that differed between customers are the same for all: look for a source that sends nothing or"
    " half of it (ops.files, ops.reconciliation)",
    "scored_customers_change": "far fewer customers than in the last scoring: look for orders that are gone or were cut"
    " from their customers (ops.reconciliation, identity.changes)",
    "score_jump": "the mean score is another one than in the last scoring by the same model: look for amounts in another"
    " unit or currency, or orders that came twice",
    "feature_drift": "customers are others than the model was trained on: train again, and look at what has changed",
    "score_drift": "the model says other things than when it was judged: look at feature_drift, and train again",
    "model_age_days": "train again",
}
_LATER = "what the model said did not come true as it should: look at the tenths in gold.model_health, and train again"


@dataclass(frozen=True)
class Verdict:
    """What is to be done with the scores of a run.

    Attributes:
        rows: `gold.model_health` of the run's date.
        held_back: the scores must not be given out; the last good predictions stay.
        broken_rules: for `StageResult.broken_rules`, a sentence a check.
        notes: lines worth a person's eyes.
    """

    rows: tuple[Health, ...]
    held_back: bool
    broken_rules: tuple[str, ...]
    notes: tuple[str, ...]


def verdict(
    today: Today,
    judged: Sequence[Realised],
    past: Past,
    models: Sequence[Watched],
    config: WatchConfig,
    *,
    as_of: date,
) -> Verdict:
    """Judge a scoring.

    Args:
        today: what was counted of features and scores.
        judged: what came true of predictions, where no earlier run has said it.
        past: of the scorings before.
        models: whose scores they are.
        config: by what they are judged.
        as_of: the run's date.
    """
    rows = [
        *checks.input_checks(today, models, config, as_of),
        *checks.score_checks(today, models, past, config, as_of),
        *[row for one in judged for row in checks.afterwards(one, config, as_of)],
        *checks.carried(past.previous, judged, as_of),
    ]
    errors = [row for row in rows if row.status == ERROR]
    holding = [check for check in config.hold_back if any(row.check == check for row in errors)]
    is_released = bool(config.release_until and as_of <= config.release_until)
    held = bool(holding) and not is_released
    rows.append(health(as_of, ALL, HELD_BACK, float(held), 0))
    told = {check: _sentence(check, errors, past) for check in CHECKS if any(row.check == check for row in errors)}
    broken = tuple(text for check, text in told.items() if not (is_released and check in holding))
    notes = [
        *(_held_notes(holding, past, as_of) if held else []),
        *([f"released until {config.release_until}: {told[check]}" for check in holding] if is_released else []),
        *_drift_notes(rows, config),
        *_realised_notes(rows, judged),
        *_setting_notes(models, config),
    ]
    return Verdict(tuple(rows), held, broken, tuple(notes))


def _held_notes(holding: Sequence[str], past: Past, as_of: date) -> Iterator[str]:
    stay = f"gold.predictions stays as of {past.good_on}" if past.good_on else "gold.predictions stays as it is"
    since = f", as since {past.held_since}" if past.held_since else ""
    yield f"the scores of {as_of} are HELD BACK{since}: {', '.join(holding)}; {stay}"
    yield (
        "mend what is broken and run score again; if it is right as it is, give the scores out with"
        f" `watch: {{release_until: {as_of}}}` in conf/models.yaml; see docs/model-watching.md"
    )


def _sentence(check: str, errors: Sequence[Health], past: Past) -> str:
    rows = [row for row in errors if row.check == check]
    places = sorted({(-abs(row.value or 0), _place(row), f"{row.value:.3g}") for row in rows})
    shown = ", ".join(f"{place} {value}" for _, place, value in places[:_SHOWN])
    more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
    known = [row for row in rows if past.status(row.reading) == ERROR]
    when = f"as on {past.last_on}" if len(known) == len(rows) else "new" if past.last_on else ""
    return f"{check}: {shown}{more}{f' ({when})' if when else ''}; {_ADVICE.get(check, _LATER)}"


def _place(row: Health) -> str:
    """What a row is about, without the model where a feature is: models that were trained together share it."""
    about = (
        row.subject if row.subject and row.horizon_days is None else " ".join(filter(None, (row.model, row.subject)))
    )
    return f"{about}, {row.horizon_days} days:" if row.horizon_days is not None else about


def _drift_notes(rows: Sequence[Health], config: WatchConfig) -> Iterator[str]:
    """What has moved beyond the further bound, where that is no error and so is said nowhere else."""
    for check, what in (("feature_drift", "features"), ("score_drift", "scores")):
        bounds = config.bounds(check)
        judged = {_place(row): row for row in rows if row.check == check and row.status in ("ok", "warn")}
        far = sorted(
            ((row.value or 0.0, place) for place, row in judged.items() if _is_far(row, bounds.error)), reverse=True
        )
        if far and bounds.severity == "warn":
            shown = ", ".join(f"{place} {value:.2f}" for value, place in far[:_SHOWN])
            more = f" and {len(far) - _SHOWN} more" if len(far) > _SHOWN else ""
            yield (
                f"{len(far)} of {len(judged)} {what} are far from those of the training (PSI from"
                f" {bounds.error:g} on): {shown}{more}"
            )


def _is_far(row: Health, bound: float | None) -> bool:
    return bound is not None and row.status == "warn" and (row.value or 0.0) >= bound


def _realised_notes(rows: Sequence[Health], judged: Sequence[Realised]) -> Iterator[str]:
    found = {(row.scored_on, row.horizon_days, row.check): row for row in rows if row.subject is None}
    named = (
        ("realised_auc", "ROC AUC of churn {:.3f}"),
        ("calibration_error", "calibration error {:.3f}"),
        ("value_error", "total value {:+.0%}"),
        ("value_gini", "normalised Gini {:.3f}"),
        ("coverage", "{:.0%} within the interval"),
    )
    for one in judged:
        texts = []
        for check, text in named:
            row = found.get((*one.kept, check))
            if row is not None and row.value is not None:
                texts.append(text.format(row.value) + ("" if row.status == "ok" else f" ({row.status})"))
        left_out = f"; {one.left_out:,} are known no more" if one.left_out else ""
        figures = ", ".join(texts) or "nothing to tell"
        yield (
            f"predictions of {one.kept.scored_on} over {one.kept.horizon_days} days came true for {one.customers:,}"
            f" customers{left_out}: {figures}"
        )


def _setting_notes(models: Sequence[Watched], config: WatchConfig) -> Iterator[str]:
    bare = [watched.model for watched in models if watched.reference is None]
    if bare:
        yield f"{', '.join(bare)}: registered without reference histograms, so drift is not judged; `train` makes new models"
    known = sorted({name for watched in models if watched.reference for name in watched.reference.features})
    for name in config.ignore_features:
        if known and name not in known:
            yield f"watch.ignore_features: {name} is no feature of the models{did_you_mean(name, known)}"
