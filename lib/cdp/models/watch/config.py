"""The section `watch` of conf/models.yaml: how models in use are judged, and what holds their scores back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from pydantic import Field, field_validator, model_validator

from cdp.base.settings import Strict, did_you_mean

Worse = Literal["above", "below", "beyond"]
Severity = Literal["record", "warn", "error"]


@dataclass(frozen=True)
class Bounds:
    """Where a check warns and where it fails.

    Attributes:
        worse: where worse values lie; `beyond`: further from 0, on either side.
        warn, error: from these values on; None: never.
        severity: the worst status that the check may give; `record`: it is written down and not judged.
    """

    worse: Worse
    warn: float | None
    error: float | None
    severity: Severity = "warn"


CHECKS: Mapping[str, Bounds] = {
    "feature_drift": Bounds("above", 0.1, 0.25),
    "score_drift": Bounds("above", 0.1, 0.25),
    "share_missing": Bounds("above", 0.5, 0.95, "error"),
    "share_equal": Bounds("above", 0.9, 0.99, "error"),
    "scored_customers_change": Bounds("below", -0.2, -0.5, "error"),
    "score_jump": Bounds("beyond", 0.25, 1.0, "error"),
    "realised_auc": Bounds("below", 0.6, 0.5),
    "realised_brier": Bounds("above", 1.0, 1.25),
    "calibration_error": Bounds("above", 0.1, 0.2),
    "value_error": Bounds("beyond", 0.3, 0.6),
    "value_gini": Bounds("below", 0.2, 0.0),
    "coverage": Bounds("below", 0.7, 0.5),
    "model_age_days": Bounds("above", 180.0, 365.0),
}
"""The checks with their defaults; docs/model-watching.md says what each one is and why it is set so."""


class Limit(Strict):
    """What differs from the defaults of a check."""

    warn: float | None = None
    """From this value on it is a warning; null: as by default."""
    error: float | None = None
    """From this value on it is an error, where the severity allows one; null: as by default."""
    severity: Severity | None = None
    """The worst that the check may give: `record` (never judged), `warn` or `error` (exit code 3); null: as by default."""


class WatchConfig(Strict):
    """How models in use are watched."""

    limits: dict[str, Limit] = Field(default_factory=dict)
    """What differs from the defaults of the checks, by their names."""
    hold_back: tuple[str, ...] = ("share_missing", "share_equal", "scored_customers_change", "score_jump")
    """Checks whose errors keep the last good predictions in place of the new ones."""
    release_until: date | None = None
    """Up to this run's date nothing is held back: for a change that somebody has looked at and found right."""
    ignore_features: tuple[str, ...] = ()
    """Features that are not judged, e.g. those of a channel that was given up."""
    min_customers: int = Field(default=200, ge=2)
    """With fewer customers a figure is written down and not judged."""
    min_each_outcome: int = Field(default=30, ge=1)
    """So many must have come back, and so many must not have, before churn is judged."""
    compare_within_days: int = Field(default=31, ge=1)
    """A scoring that is older is not what a new one is compared with."""
    snapshot_every_days: int = Field(default=30, ge=1)
    """Days between two scorings that are kept, to be held against what happened."""
    keep_days: int = Field(default=730, ge=1)
    """For how long they are kept."""

    @field_validator("limits")
    @classmethod
    def _checks_exist(cls, value: dict[str, Limit]) -> dict[str, Limit]:
        for name, limit in value.items():
            _check_name(name)
            bounds = _with(CHECKS[name], limit)
            if (
                bounds.warn is not None
                and bounds.error is not None
                and not _in_order(bounds.worse, bounds.warn, bounds.error)
            ):
                wanted = {"above": "at most", "below": "at least", "beyond": "above 0 and at most"}[bounds.worse]
                raise ValueError(
                    f"{name}: wanted a warn that is {wanted} error ({bounds.error:g}), found {bounds.warn:g}"
                )
        return value

    @field_validator("hold_back")
    @classmethod
    def _held_by_checks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            _check_name(name)
        return value

    @model_validator(mode="after")
    def _is_consistent(self) -> "WatchConfig":
        for name in self.hold_back:
            severity = self.bounds(name).severity
            if severity != "error":
                raise ValueError(
                    f"hold_back: {name} has severity {severity}, so it never holds anything back;"
                    f" wanted limits: {{{name}: {{severity: error}}}} beside it"
                )
        if self.keep_days < self.snapshot_every_days:
            raise ValueError(
                f"keep_days: wanted at least snapshot_every_days ({self.snapshot_every_days}), found {self.keep_days}"
            )
        return self

    def bounds(self, check: str) -> Bounds:
        """What holds for a check."""
        limit = self.limits.get(check)
        return _with(CHECKS[check], limit) if limit else CHECKS[check]

    def too_short_for(self, horizons_days: tuple[int, ...]) -> str | None:
        """Why scorings are not kept long enough for a horizon to pass; None where they are."""
        longest = max(horizons_days)
        if self.keep_days >= longest:
            return None
        return f"watch.keep_days: wanted at least the longest of horizons_days ({longest}), found {self.keep_days}"


def _check_name(name: str) -> None:
    if name not in CHECKS:
        raise ValueError(f"{name} is no check{did_you_mean(name, tuple(CHECKS))}")


def _with(default: Bounds, limit: Limit) -> Bounds:
    return Bounds(
        default.worse,
        default.warn if limit.warn is None else limit.warn,
        default.error if limit.error is None else limit.error,
        limit.severity or default.severity,
    )


def _in_order(worse: Worse, warn: float, error: float) -> bool:
    return error <= warn if worse == "below" else warn <= error and (worse == "above" or warn > 0)
