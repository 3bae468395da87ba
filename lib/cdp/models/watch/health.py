"""A row of `gold.model_health`: a figure, the bounds it was judged by, and the verdict."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from cdp.models.watch.config import Bounds
from cdp.models.watch.reference import Reference, Score

ALL = "all"
"""In place of a model, where a figure concerns none of them alone."""

RECORDED = Bounds("above", None, None, "record")
"""Bounds of what is only written down."""

OK, WARN, ERROR, TOO_FEW = "ok", "warn", "error", "not_enough_data"


class Health(NamedTuple):
    """A row of `gold.model_health`, its columns in order."""

    as_of: date
    reading: str
    model: str
    horizon_days: int | None
    check: str
    subject: str | None
    value: float | None
    warn_at: float | None
    error_at: float | None
    worse: str
    status: str
    customers: int
    scored_on: date | None


@dataclass(frozen=True)
class Watched:
    """A model whose scores are about to be given out.

    Attributes:
        model: registered model and version.
        score: the column of scores that it gives.
        horizons_days: horizons that it knows.
        reference: what was kept of its training; None: it was registered without.
    """

    model: str
    score: Score
    horizons_days: tuple[int, ...]
    reference: Reference | None


def health(
    as_of: date,
    model: str,
    check: str,
    value: float | None,
    customers: int,
    bounds: Bounds = RECORDED,
    *,
    horizon_days: int | None = None,
    subject: str | None = None,
    scored_on: date | None = None,
    is_enough: bool = True,
    at_least: float | None = None,
) -> Health:
    """Judge a figure.

    Args:
        as_of: the run's date.
        model: registered model and version, or `ALL`.
        check: name.
        value: the figure; None where there is none.
        customers: how many it is based on.
        bounds: by what it is judged.
        horizon_days: days looked ahead.
        subject: feature, score or tenth.
        scored_on: day of the predictions that were held against what happened.
        is_enough: whether the figure is based on enough to be judged.
        at_least: bounds nearer to 0 count as this: what chance alone may give.
    """
    warn = _used(bounds.warn if bounds.severity != "record" else None, at_least)
    error = _used(bounds.error if bounds.severity == "error" else None, at_least)
    if bounds.severity == "record":
        status = OK
    elif value is None or not is_enough:
        status = TOO_FEW
    else:
        status = ERROR if _is_beyond(value, error, bounds) else WARN if _is_beyond(value, warn, bounds) else OK
    parts = [model, f"{horizon_days} days" if horizon_days is not None else None, check, subject]
    reading = " | ".join([part for part in [*parts, str(scored_on) if scored_on else None] if part])
    return Health(
        as_of,
        reading,
        model,
        horizon_days,
        check,
        subject,
        value,
        warn,
        error,
        bounds.worse,
        status,
        customers,
        scored_on,
    )


def from_row(row: Mapping[str, Any]) -> Health:
    """A row of the table."""
    return Health(**{name: row[name] for name in Health._fields})


def _used(bound: float | None, at_least: float | None) -> float | None:
    return bound if bound is None or at_least is None else max(bound, at_least)


def _is_beyond(value: float, bound: float | None, bounds: Bounds) -> bool:
    if bound is None:
        return False
    if bounds.worse == "below":
        return value <= bound
    return (abs(value) if bounds.worse == "beyond" else value) >= bound
