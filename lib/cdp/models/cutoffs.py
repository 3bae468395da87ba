"""The split of time: at which days of the past features are taken, to learn from and to judge by."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from cdp.models.config import Training


@dataclass(frozen=True)
class Split:
    """Cut-off days of a horizon; each is the last day of data that features may use.

    Attributes:
        horizon_days: days of outcome after a cut-off.
        train: cut-offs to learn from, newest first; each one's outcome ends before `validate` or on it.
        validate: the cut-off to judge by; its outcome ends on the run's date.
    """

    horizon_days: int
    train: tuple[date, ...]
    validate: date


def split_time(horizon_days: int, *, first_order_on: date, as_of: date, training: Training) -> Split | None:
    """The cut-offs of a horizon; None where the orders do not reach back far enough.

    The whole outcome of each cut-off lies before the date of the run, and that of each training cut-off before the
    validation's features end, so that nothing the judge sees was learned from.
    """
    validate = as_of - timedelta(days=horizon_days)
    newest = validate - timedelta(days=horizon_days)
    days = [newest - timedelta(days=training.step_days * i) for i in range(training.cutoffs)]
    train = [d for d in days if (d - first_order_on).days >= training.min_history_days]
    return Split(horizon_days, tuple(train), validate) if train else None


def needed_since(horizon_days: int, *, as_of: date, training: Training) -> date:
    """The day on which orders must have begun for the horizon to be learned."""
    return as_of - timedelta(days=2 * horizon_days + training.min_history_days)


def all_cutoffs(splits: Sequence[Split]) -> list[date]:
    """Every cut-off of several horizons, oldest first."""
    return sorted({day for split in splits for day in (*split.train, split.validate)})
