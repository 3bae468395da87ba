"""The run's date as the limit of what counts, in Spark's terms."""

from datetime import date, timedelta

from pyspark.sql import Column
from pyspark.sql import functions as F


def end_of(as_of: date) -> Column:
    """The first instant that no longer counts: midnight UTC after the run's date."""
    return days_before_end(as_of, 0)


def days_before_end(as_of: date, days: int) -> Column:
    """The instant `days` before the end of the run's date: the last N days begin there."""
    # As text with a cast: a datetime of Python would be read in the zone of the driver's machine.
    at = as_of + timedelta(days=1 - days)
    return F.lit(at.isoformat()).cast("timestamp")


def day(as_of: date) -> Column:
    return F.lit(as_of.isoformat()).cast("date")
