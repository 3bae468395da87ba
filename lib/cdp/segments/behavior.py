"""What people did: every aggregate that the rules of a run ask for, in one pass over the timeline, or two."""

from collections.abc import Iterable, Mapping
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.conditions.clock import Clock
from cdp.conditions.columns import Kind, number_in
from cdp.conditions.filters import filter_holds
from cdp.segments.attributes import timeline_column
from cdp.segments.config import BehaviorCondition
from cdp.segments.windows import may_count, within


def behavior(timeline: DataFrame, wanted: Mapping[str, BehaviorCondition], clock: Clock) -> DataFrame:
    """Summarise each customer's timeline up to the end of the run's date.

    Args:
        timeline: `gold.timeline`.
        wanted: conditions by the name of their aggregate's column.
        clock: the run's date.

    Returns:
        customer_id and a column for each of `wanted`; no customers without an entry of an event and time that one of them
        asks for. Counts and sums may be null in place of 0.
    """
    different = {n: c for n, c in wanted.items() if c.aggregation.type == "CountDistinct"}
    others = {n: c for n, c in wanted.items() if n not in different}
    parts = [_aggregated(timeline, others, clock)] if others else []
    parts += [_counted_different(timeline, different, clock)] if different else []
    return reduce(lambda a, b: a.join(b, on="customer_id", how="full"), parts)


def _aggregated(timeline: DataFrame, wanted: Mapping[str, BehaviorCondition], clock: Clock) -> DataFrame:
    outcomes = [_outcome(condition, _counts(condition, clock)).alias(name) for name, condition in wanted.items()]
    return timeline.where(_may_count(wanted.values(), clock)).groupBy("customer_id").agg(*outcomes)


def _counted_different(timeline: DataFrame, wanted: Mapping[str, BehaviorCondition], clock: Clock) -> DataFrame:
    """Numbers of different values, in a look of their own.

    `count_distinct` would send every entry through the shuffle once an aggregate, and a set among the other aggregates
    would make Spark sort all entries by customer. Here only what counts goes on, as texts.
    """
    values = [timeline_column(c.aggregation.column or "").value.cast("string") for c in wanted.values()]
    hits = [
        F.when(_counts(condition, clock) & value.isNotNull(), F.struct(F.lit(i).alias("which"), value.alias("value")))
        for i, (condition, value) in enumerate(zip(wanted.values(), values, strict=True))
    ]
    some = timeline.where(_may_count(wanted.values(), clock)).select(
        "customer_id", F.explode(F.array(*hits)).alias("hit")
    )
    each = (
        some.where("hit IS NOT NULL").select("customer_id", "hit.*").dropDuplicates(["customer_id", "which", "value"])
    )
    return each.groupBy("customer_id").agg(
        *[F.count_if(F.col("which") == i).alias(name) for i, name in enumerate(wanted)]
    )


def value_if_none(condition: BehaviorCondition) -> int | None:
    """What the aggregate is for somebody without an entry: counts and sums are 0, the others are missing."""
    return 0 if condition.aggregation.type in ("Count", "CountDistinct", "Sum") else None


def outcome_kind(condition: BehaviorCondition) -> Kind:
    """Kind of what the aggregation gives. A property is taken for a number, as nothing else of it can be summed."""
    if condition.aggregation.column is None:
        return "number"
    kind = timeline_column(condition.aggregation.column).kind
    return "number" if kind == "loose" or condition.aggregation.type == "CountDistinct" else kind


def _may_count(wanted: Iterable[BehaviorCondition], clock: Clock) -> Column:
    return may_count([(condition.events, condition.timeWindow) for condition in wanted], clock, "occurred_at")


def _counts(condition: BehaviorCondition, clock: Clock) -> Column:
    """Whether an entry counts for the condition: its name, its time and the filter."""
    is_in = within(condition.timeWindow, clock, "occurred_at")
    if condition.events:
        is_in &= F.col("event").isin(*condition.events)
    if condition.filter:
        is_in &= filter_holds(condition.filter, clock, timeline_column)
    return is_in


def _outcome(condition: BehaviorCondition, counts: Column) -> Column:
    aggregation = condition.aggregation
    if aggregation.column is None:
        return F.count_if(counts)
    found = timeline_column(aggregation.column)
    counted = F.when(counts, number_in(found.value) if found.kind == "loose" else found.value)
    if aggregation.type == "Sum":
        return F.coalesce(F.sum(counted), F.lit(0))
    return {"Average": F.avg, "Min": F.min, "Max": F.max}[aggregation.type](counted)
