"""The split of time: at which days of the past features are taken, to learn from and to judge by."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from cdp.models.config import Training

YEAR = 365
_LEAST_OUTCOME_DAYS = 28
"""Four weeks: the shortest outcome from which anything is learned, as each weekday counts alike in it."""
_LEAST_STEP_DAYS = 7


@dataclass(frozen=True)
class Fold:
    """One back-test: what would have been learned then, and what happened after.

    Attributes:
        train: cut-offs to learn from, newest first; each one's outcome ends on `judge` or before.
        judge: the cut-off to judge by; its outcome ends on the run's date or before.
    """

    train: tuple[date, ...]
    judge: date


@dataclass(frozen=True)
class Split:
    """Cut-off days of a horizon; each is the last day of data that features may use.

    Attributes:
        horizon_days: days that are predicted.
        learn_days: days of outcome that are learned from; fewer than `horizon_days` where the orders reach not back
            far enough.
        final: cut-offs that the model in use learns from, newest first; each one's outcome ends on the run's date or
            before.
        folds: back-tests, the newest first; none where orders reach not even back for one.
    """

    horizon_days: int
    learn_days: int
    final: tuple[date, ...]
    folds: tuple[Fold, ...]


def split_time(horizon_days: int, *, first_order_on: date, as_of: date, training: Training) -> Split | None:
    """The cut-offs of a horizon; None where nothing can be learned from so short a history.

    No back-test learns from an outcome that ends after its own features do, so nothing it is judged by was learned from.
    Where orders reach back less than three horizons, a shorter outcome is learned from: a third of what they do, so that a
    back-test has as long an outcome to learn from, from more than one day; four weeks at least.
    """
    history = (as_of - first_order_on).days - training.min_history_days
    learn_days = min(horizon_days, max(history // 3, min(_LEAST_OUTCOME_DAYS, horizon_days)))
    final = _cutoffs(as_of, learn_days, first_order_on, training)
    if not final:
        return None
    folds = []
    newest = as_of - timedelta(days=learn_days)
    room = (newest - first_order_on).days - learn_days - training.min_history_days
    step = _step(room, training.backtests, training)
    for i in range(training.backtests):
        judge = newest - timedelta(days=step * i)
        train = _cutoffs(judge, learn_days, first_order_on, training)
        if train:
            folds.append(Fold(train, judge))
    return Split(horizon_days, learn_days, final, tuple(folds))


def year_before(cutoff: date, *, first_order_on: date, training: Training) -> date | None:
    """The same day a year earlier, whose outcome tells of the season; None where too few orders lie before it."""
    day = cutoff - timedelta(days=YEAR)
    return day if (day - first_order_on).days >= training.min_history_days else None


def all_cutoffs(splits: Sequence[Split], *, first_order_on: date, as_of: date, training: Training) -> list[date]:
    """Every day at which features are taken for several horizons, oldest first: the run's date itself among them."""
    judges = {as_of, *(fold.judge for split in splits for fold in split.folds)}
    years = {year_before(day, first_order_on=first_order_on, training=training) for day in judges}
    learned = {day for split in splits for day in split.final}
    learned |= {day for split in splits for fold in split.folds for day in fold.train}
    return sorted(judges | learned | {day for day in years if day})


def _cutoffs(known_until: date, learn_days: int, first_order_on: date, training: Training) -> tuple[date, ...]:
    newest = known_until - timedelta(days=learn_days)
    room = (newest - first_order_on).days - training.min_history_days
    if room < 0:
        return ()
    step = _step(room, training.cutoffs, training)
    return tuple(newest - timedelta(days=step * i) for i in range(training.cutoffs) if step * i <= room)


def _step(room: int, count: int, training: Training) -> int:
    """Days between cut-offs: as many as are set, fewer where that many cut-offs would not find room, never under a week."""
    return min(training.step_days, max(room // max(count - 1, 1), _LEAST_STEP_DAYS))
