"""Which scorings are kept, to be held against what happens after them."""

from collections.abc import Sequence
from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cdp.models.watch.realised import Kept
from cdp.tables.gold import PREDICTION_SNAPSHOTS

_WHERE_GIVEN = ("ltv_low", "ltv_high")


def is_due(kept_on: Sequence[date], *, as_of: date, every_days: int) -> bool:
    """Whether the scores of a day are kept: the first ones, then those of a day so many days after the last that were.

    What was kept of the day itself or later does not count, so that a day gives the same when it is run again.
    """
    before = [day for day in kept_on if day < as_of]
    return not before or (as_of - max(before)).days >= every_days


def snapshot(scores: DataFrame, *, as_of: date, ltv_model: str, churn_model: str) -> DataFrame:
    """`gold.prediction_snapshots` of a day.

    Args:
        scores: customer_id, horizon_days, churn_probability, expected_orders, ltv, and where there are intervals ltv_low
            and ltv_high.
        as_of: the run's date.
        ltv_model, churn_model: registered models and versions.
    """
    there = set(scores.columns)
    ends = {name: F.col(name) if name in there else F.lit(None).cast("double") for name in _WHERE_GIVEN}
    given = {"ltv_model": F.lit(ltv_model), "churn_model": F.lit(churn_model), "scored_on": F.lit(as_of)}
    return scores.withColumns({**ends, **given}).select(*[column.name for column in PREDICTION_SNAPSHOTS.columns])


def first_kept_day(*, as_of: date, keep_days: int) -> date:
    """Snapshots of days before this one are dropped."""
    return as_of - timedelta(days=keep_days)


def passed(kept: Sequence[Kept], *, as_of: date) -> list[Kept]:
    """Those whose horizon has passed, in order."""
    return sorted(one for one in kept if one.ends_on <= as_of)
