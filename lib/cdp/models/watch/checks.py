"""What is judged of a scoring: what models were fed, what they say, and what came true of what they said before."""

from collections.abc import Iterator, Sequence
from datetime import date

from cdp.models.watch import figures
from cdp.models.watch.config import Bounds, WatchConfig
from cdp.models.watch.drift import (
    Today,
    chance_psi,
    expected_apart,
    expected_present,
    missing_lost,
    psi,
    variety_lost,
)
from cdp.models.watch.health import ALL, Health, Watched, health
from cdp.models.watch.past import MEAN_SCORE, SCORED, Past
from cdp.models.watch.realised import Realised
from cdp.models.watch.reference import Histogram

_FEWEST = 30
"""Customers who must be expected to have a value, or another one than most, before its lack says anything."""
_CENT, _MILLIONTH = 0.01, 1e-6

AFTERWARDS = (
    "realised_auc",
    "realised_brier",
    "calibration_error",
    "value_error",
    "value_gini",
    "coverage",
    "decile_predicted",
    "decile_realised",
    "decile_ratio",
    "customers_left_out",
    "customers_merged",
)
"""Checks that hold predictions against what happened."""


def input_checks(today: Today, models: Sequence[Watched], config: WatchConfig, as_of: date) -> Iterator[Health]:
    """What the models were fed, against what they were trained on: a few rows a model and feature."""
    for watched in models:
        for name, then in watched.reference.features.items() if watched.reference else ():
            if name not in config.ignore_features:
                yield from _feature(watched.model, name, then, today.feature(name, then.edges), config, as_of)


def _feature(
    model: str, name: str, then: Histogram, now: Histogram, config: WatchConfig, as_of: date
) -> Iterator[Health]:
    enough = min(now.total, then.total) >= config.min_customers
    for check, value, is_enough, chance in (
        ("feature_drift", psi(then, now), enough, chance_psi(then, now)),
        ("share_missing", missing_lost(then, now), enough and expected_present(then, now) >= _FEWEST, None),
        ("share_equal", variety_lost(then, now), enough and expected_apart(then, now) >= _FEWEST, None),
    ):
        yield health(
            as_of, model, check, value, now.total, config.bounds(check),
            subject=name, is_enough=is_enough and (check != "share_equal" or now.present > 0),
            at_least=chance if is_enough else None,
        )  # fmt: skip


def score_checks(
    today: Today, models: Sequence[Watched], past: Past, config: WatchConfig, as_of: date
) -> Iterator[Health]:
    """What the models say, against what they said when they were judged and when they last scored."""
    horizons = sorted(set.intersection(*[set(w.horizons_days) for w in models])) if models else []
    for horizon in horizons:
        yield from _customers(today, horizon, past, config, as_of)
        for watched in models:
            yield from _level(today, watched, horizon, past, config, as_of)
    for watched in models:
        yield from _drift(today, watched, config, as_of)
        if watched.reference:
            age = (as_of - watched.reference.trained_on).days
            yield health(as_of, watched.model, "model_age_days", float(age), 0, config.bounds("model_age_days"))


def _customers(today: Today, horizon: int, past: Past, config: WatchConfig, as_of: date) -> Iterator[Health]:
    count = today.level("ltv", horizon).customers
    yield health(as_of, ALL, SCORED, float(count), count, horizon_days=horizon)
    before = past.level(ALL, horizon, SCORED)
    change = count / before.customers - 1 if before and before.customers else None
    yield health(
        as_of, ALL, "scored_customers_change", change, count, config.bounds("scored_customers_change"),
        horizon_days=horizon, is_enough=before is not None and before.customers >= config.min_customers,
    )  # fmt: skip


def _level(
    today: Today, watched: Watched, horizon: int, past: Past, config: WatchConfig, as_of: date
) -> Iterator[Health]:
    found, score = today.level(watched.score, horizon), watched.score
    mean = found.mean if found.customers else None
    yield health(as_of, watched.model, MEAN_SCORE, mean, found.customers, horizon_days=horizon, subject=score)
    before = past.level(watched.model, horizon, MEAN_SCORE, score)
    jump = None
    if mean is not None and before is not None and before.value is not None:
        jump = _jump(before.value, mean, is_probability=score == "churn_probability")
    yield health(
        as_of, watched.model, "score_jump", jump, found.customers, config.bounds("score_jump"), horizon_days=horizon,
        subject=score,
        is_enough=before is not None and min(before.customers, found.customers) >= config.min_customers,
    )  # fmt: skip


def _jump(before: float, now: float, *, is_probability: bool) -> float:
    """How many times the mean has grown, less 1; below 0: how many times it has shrunk. Of probabilities, their odds."""
    if is_probability:
        before, now = ((p + _MILLIONTH) / (1 - p + _MILLIONTH) for p in (before, now))
    else:
        before, now = before + _CENT, now + _CENT
    return now / before - 1 if now >= before else 1 - before / now


def _drift(today: Today, watched: Watched, config: WatchConfig, as_of: date) -> Iterator[Health]:
    for horizon, then in sorted(watched.reference.scores.items()) if watched.reference else ():
        now = today.score(watched.score, horizon, then.edges)
        enough = min(now.total, then.total) >= config.min_customers
        yield health(
            as_of, watched.model, "score_drift", psi(then, now), now.total, config.bounds("score_drift"),
            horizon_days=horizon, subject=watched.score, is_enough=enough,
            at_least=chance_psi(then, now) if enough else None,
        )  # fmt: skip


def afterwards(found: Realised, config: WatchConfig, as_of: date) -> Iterator[Health]:
    """What came true of the predictions of one day over one horizon."""
    yield from _churn(found, config, as_of)
    yield from _value(found, config, as_of)
    for check, count in (("customers_left_out", found.left_out), ("customers_merged", found.merged)):
        yield _row(found, ALL, check, float(count), count, as_of)


def _churn(found: Realised, config: WatchConfig, as_of: date) -> Iterator[Health]:
    churn, model = found.churn, found.churn_model
    churned = int(churn["churned"].sum())
    fewest = min(churned, found.customers - churned)
    enough = found.customers >= config.min_customers
    both = enough and fewest >= config.min_each_outcome
    tenths = figures.churn_tenths(churn)
    chance = figures.chance_of_calibration_error(tenths)
    of_mean = figures.brier_of_the_mean(churn) or 0.0
    for check, value, is_enough, bounds, at_least in (
        ("realised_auc", figures.auc(churn), both, config.bounds("realised_auc"), None),
        ("realised_brier", figures.brier(churn), both, _times(config.bounds("realised_brier"), of_mean), None),
        ("calibration_error", figures.calibration_error(tenths), enough, config.bounds("calibration_error"), chance),
    ):
        yield _row(found, model, check, value, found.customers, as_of, bounds, is_enough=is_enough, at_least=at_least)
    yield from _tenths(found, model, tenths, as_of)


def _value(found: Realised, config: WatchConfig, as_of: date) -> Iterator[Health]:
    model, enough = found.ltv_model, found.customers >= config.min_customers
    for check, value in (("value_error", figures.value_error(found.ltv)), ("value_gini", figures.value_gini(found))):
        yield _row(found, model, check, value, found.customers, as_of, config.bounds(check), is_enough=enough)
    if found.with_interval:
        share, count = found.covered / found.with_interval, found.with_interval
        is_enough = count >= config.min_customers
        yield _row(found, model, "coverage", share, count, as_of, config.bounds("coverage"), is_enough=is_enough)
    yield from _tenths(found, model, figures.value_tenths(found.ltv), as_of)


def _tenths(found: Realised, model: str, tenths: list[figures.Tenth], as_of: date) -> Iterator[Health]:
    for tenth in tenths:
        ratio = tenth.actual / tenth.predicted if tenth.predicted > 0 else None
        for check, value in (
            ("decile_predicted", tenth.predicted),
            ("decile_realised", tenth.actual),
            ("decile_ratio", ratio),
        ):
            yield _row(found, model, check, value, tenth.customers, as_of, subject=f"{tenth.number:02d}")


def _row(
    found: Realised, model: str, check: str, value: float | None, customers: int, as_of: date,
    bounds: Bounds | None = None, *, subject: str | None = None, is_enough: bool = True, at_least: float | None = None,
) -> Health:  # fmt: skip
    more = {} if bounds is None else {"bounds": bounds}
    return health(
        as_of, model, check, value, customers, **more, horizon_days=found.kept.horizon_days, subject=subject,
        scored_on=found.kept.scored_on, is_enough=is_enough, at_least=at_least,
    )  # fmt: skip


def _times(bounds: Bounds, factor: float) -> Bounds:
    warn, error = (None if bound is None else bound * factor for bound in (bounds.warn, bounds.error))
    return Bounds(bounds.worse, warn, error, bounds.severity)


def carried(previous: Sequence[Health], judged: Sequence[Realised], as_of: date) -> Iterator[Health]:
    """What the last run said of the newest predictions that came true, where none newer have: as of this run's date.

    So the newest date of the table has the whole picture, and nothing is worked out twice.
    """
    newer = {one.kept.horizon_days for one in judged}
    rows = [row for row in previous if row.check in AFTERWARDS and row.scored_on and row.horizon_days not in newer]
    newest = {
        row.horizon_days: max(r.scored_on for r in rows if r.scored_on and r.horizon_days == row.horizon_days)
        for row in rows
    }
    for row in rows:
        if row.scored_on == newest[row.horizon_days]:
            yield row._replace(as_of=as_of)
