"""What journeys ask of everybody: a row a customer, a column for each condition."""

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.conditions.clock import Clock
from cdp.conditions.holds import any_of
from cdp.journeys.config import Journey
from cdp.segments.attributes import BUILT_IN, Catalogue
from cdp.segments.compile import condition_holds, in_segment
from cdp.segments.rows import held_out, is_suppressed

EXCLUDED, SUPPRESSED, HELD_OUT = "is_excluded", "suppressed_in", "held_out_in"


def customers(
    asked: DataFrame, members: DataFrame, journeys: Mapping[str, Journey], clock: Clock, catalogue: Catalogue = BUILT_IN
) -> DataFrame:
    """Judge every customer by every condition.

    Args:
        asked: a row a customer, with all that the conditions ask (`cdp.segments.evaluate.asked_of`).
        members: segment and customer_id of `gold.segment_members`.
        journeys: by name.
        clock: the run's date.
        catalogue: what there is to ask.

    Returns:
        customer_id and `Journey.columns` of each journey, true or false; suppressed_in and held_out_in (names of the journeys
        that deliver nothing to the customer, for want of consent or to measure); is_excluded (in a segment that
        conf/segments.yaml excludes always).
    """
    wanted = sorted({s for j in journeys.values() for s in j.as_segment.references})
    frame = asked
    if wanted:
        those = members.where(F.col("segment").isin(wanted)).groupBy("customer_id")
        flags = those.agg(*[F.bool_or(F.col("segment") == s).alias(in_segment(s)) for s in wanted])
        frame = frame.join(flags, on="customer_id", how="left").withColumns(
            {in_segment(s): F.coalesce(F.col(in_segment(s)), F.lit(False)) for s in wanted}
        )
    met = {
        column: condition_holds(condition, clock, catalogue)
        for journey in journeys.values()
        for (_, condition), column in zip(journey.conditions(), journey.columns().values(), strict=True)
    }
    excluding = sorted({s for j in journeys.values() for s in j.excluded})
    return frame.select(
        "customer_id",
        *[holds.alias(column) for column, holds in met.items()],
        any_of([F.lit(False), *[F.col(in_segment(s)) for s in excluding]]).alias(EXCLUDED),
        _names({name: is_suppressed(j.as_segment) for name, j in journeys.items()}).alias(SUPPRESSED),
        _names({name: held_out(j.as_segment) for name, j in journeys.items()}).alias(HELD_OUT),
    )


def _names(flags: Mapping[str, Column]) -> Column:
    """Names of those that hold."""
    return F.array_compact(F.array(*[F.when(flag, F.lit(name)) for name, flag in flags.items()])).cast("array<string>")
