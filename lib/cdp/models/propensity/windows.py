"""The days of the past at which features are taken, to learn what came within the window after, and to judge by it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

_LEAST_STEP_DAYS = 7


@dataclass(frozen=True)
class Windows:
    """Cut-offs, newest first.

    Attributes:
        final: to learn from for use; each one's window ends on the run's date or before.
        folds: back-tests, the newest first: cut-offs to learn from, whose windows end on the cut-off to judge by or before.
    """

    final: Sequence[date]
    folds: Sequence[tuple[Sequence[date], date]]

    @property
    def cutoffs(self) -> list[date]:
        """Every one of them, oldest first."""
        learned = {day for learn, _ in self.folds for day in learn}
        return sorted({*self.final, *learned, *(judge for _, judge in self.folds)})


def windows(
    window_days: int, *, earliest: date, as_of: date, count: int, step_days: int, backtests: int
) -> Windows | None:
    """The cut-offs of a window; None where there is no room for one.

    Args:
        window_days: days that are looked ahead.
        earliest: the first day that may be a cut-off.
        as_of: the last day of data.
        count: cut-offs to learn from, at most.
        step_days: days between two; fewer where that many would find no room, never under a week.
        backtests: at most.
    """

    def until(known: date, most: int) -> list[date]:
        newest = known - timedelta(days=window_days)
        room = (newest - earliest).days
        step = min(step_days, max(room // max(most - 1, 1), _LEAST_STEP_DAYS))
        return [newest - timedelta(days=step * i) for i in range(most) if step * i <= room]

    final = until(as_of, count)
    if not final:
        return None
    # The first back-test must find a whole window before it.
    judges = [day for day in until(as_of, backtests) if until(day, 1)]
    return Windows(final, [(until(judge, count), judge) for judge in judges])
