"""What `gold.model_health` says of the scorings before the run's date."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cdp.models.watch.health import ALL, Health, from_row

HELD_BACK, SCORED, MEAN_SCORE = "held_back", "scored_customers", "mean_score"
"""What is written down of each scoring for those after it to be compared with."""


@dataclass(frozen=True)
class Past:
    """The scorings before the run's date.

    Attributes:
        previous: all rows of the last one.
        good_on: the last day whose scores were given out; None: there is none to compare with.
        good: what is written down of it, by model, horizon, check and subject.
        held_since: first of the days on end up to the last one whose scores were held back.
        is_again: the run's date itself has been scored before.
    """

    previous: tuple[Health, ...] = ()
    good_on: date | None = None
    good: Mapping[tuple[str, int | None, str, str | None], Health] | None = None
    held_since: date | None = None
    is_again: bool = False

    @property
    def last_on(self) -> date | None:
        """The day of the last scoring."""
        return self.previous[0].as_of if self.previous else None

    def level(self, model: str, horizon_days: int, check: str, subject: str | None = None) -> Health | None:
        """What was written down of the last scores that were given out."""
        return (self.good or {}).get((model, horizon_days, check, subject))

    def status(self, reading: str) -> str | None:
        """What the last scoring said of the same."""
        return next((row.status for row in self.previous if row.reading == reading), None)


def earlier(health: DataFrame, *, as_of: date, since: date) -> DataFrame:
    """The rows of `gold.model_health` that tell of the scorings before `as_of`: all of the last one, and what is written down
    of each since `since`; and that of `as_of` itself, if it has been scored before. Some hundreds, and ten a scoring.
    """
    last = health.where(F.col("as_of") < F.lit(as_of)).agg(F.max("as_of").alias("last_on"))
    is_kept = F.col("check").isin(HELD_BACK, SCORED, MEAN_SCORE) & F.col("as_of").between(F.lit(since), F.lit(as_of))
    both = health.join(F.broadcast(last), how="cross")
    return both.where((F.col("as_of") == F.col("last_on")) | is_kept).drop("last_on")


def past(rows: Iterable[Mapping[str, object]], *, as_of: date, compare_within_days: int) -> Past:
    """What the rows of `earlier` come to.

    The scores that were given out last are compared with as long as they were fresh when the first ones after them came:
    what was held back ever since does not make a break look normal in time.
    """
    found = sorted((from_row(row) for row in rows), key=lambda row: (row.as_of, row.reading))
    is_again = any(row.as_of == as_of for row in found)
    found = [row for row in found if row.as_of < as_of]
    if not found:
        return Past(is_again=is_again)
    last_on = found[-1].as_of
    previous = tuple(row for row in found if row.as_of == last_on)
    was_held = {row.as_of: bool(row.value) for row in found if row.check == HELD_BACK and row.model == ALL}
    good_on = max((day for day, held in was_held.items() if not held), default=None)
    held = [day for day, is_held in was_held.items() if is_held and (good_on is None or day > good_on)]
    held_since = min(held, default=None)
    if good_on is None or ((held_since or as_of) - good_on).days > compare_within_days:
        return Past(previous, held_since=held_since, is_again=is_again)
    good = {(row.model, row.horizon_days, row.check, row.subject): row for row in found if row.as_of == good_on}
    return Past(previous, good_on, good, held_since, is_again)
