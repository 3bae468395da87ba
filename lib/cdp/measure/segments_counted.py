"""What is counted of segments and journeys. Keys and sums of every tally are listed in its docstring, in order."""

from datetime import date, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.measure.tallies import Part, part

WEEKS = 13
"""Weeks whose last days are shown, the run's date among them."""

OVERLAPPING = 8
"""Segments of which every pair is counted, the largest."""


def weeks_until(as_of: date) -> list[date]:
    """The run's date and the same day of the weeks before it, the oldest first."""
    return [as_of - timedelta(weeks=back) for back in reversed(range(WEEKS))]


def segments(rows: DataFrame) -> Part:
    """Keys: segment, status, why it failed. Sums: size, suppressed, held out, size before. Low: as of which date.

    Args:
        rows: `gold.segment_status`.
    """
    sums = [F.col(c) for c in ("size", "suppressed", "held_out", "previous_size")]
    keys = [F.col(c) for c in ("segment", "status", "error")]
    return part(rows, keys, sums, low=F.col("computed_on").cast("timestamp"))


def moves(history: DataFrame, *, as_of: date) -> Part:
    """Who came into a segment and who went: as many lines as segments and days, however many people there are.

    Keys: segment, day; what was before the first of the weeks is of its day. Sums: came, went.

    Args:
        history: `gold.segment_history`.
        as_of: last day of data to use.
    """
    first = F.lit(weeks_until(as_of)[0])
    came = F.struct(F.greatest("entered_on", first).alias("day"), F.lit(1).alias("came"), F.lit(0).alias("went"))
    went = F.struct(F.greatest("exited_on", first).alias("day"), F.lit(0).alias("came"), F.lit(1).alias("went"))
    # `greatest` passes over what is missing, but who is still in has not gone.
    both = F.when(F.col("exited_on").isNull(), F.array(came)).otherwise(F.array(came, went))
    steps = history.select("segment", F.explode(both).alias("step")).where(F.col("step.day") <= F.lit(as_of))
    return part(steps, [F.col("segment"), F.col("step.day")], [F.col("step.came"), F.col("step.went")])


def overlap(members: DataFrame, status: DataFrame) -> Part:
    """How many people are in two segments at once, of the largest ones.

    Keys: two segments in order of name, or the same one twice. Sums: people.

    Args:
        members: `gold.segment_members`.
        status: `gold.segment_status`.
    """
    largest = status.orderBy(F.desc("size"), "segment").limit(OVERLAPPING).select("segment")
    held = (
        members.join(F.broadcast(largest), on="segment", how="left_semi")
        .groupBy("customer_id")
        .agg(F.sort_array(F.collect_list("segment")).alias("names"))
        .groupBy("names")
        .agg(F.count(F.lit(1)).alias("people"))
    )

    def with_later(one: Column) -> Column:
        later = F.filter("names", lambda other: other >= one)
        return F.transform(later, lambda other: F.struct(one.alias("one"), other.alias("other")))

    pairs = held.select("people", F.explode(F.flatten(F.transform("names", with_later))).alias("pair"))
    return part(pairs, [F.col("pair.one"), F.col("pair.other")], [F.col("people")])


def steps(rows: DataFrame) -> Part:
    """Keys: journey, place of the step, step, status, why it failed. Sums: size, suppressed, held out, reached, converted,
    exited. Low: as of which date.

    Args:
        rows: `gold.journey_status`.
    """
    sums = [F.col(c) for c in ("size", "suppressed", "held_out", "reached", "converted", "exited")]
    keys = [
        F.col("journey"),
        F.lpad(F.col("step_no").cast("string"), 4, "0"),
        F.col("step"),
        F.col("status"),
        F.col("error"),
    ]
    return part(rows, keys, sums, low=F.col("computed_on").cast("timestamp"))
