"""What people did: every aggregate that the rules of a run ask for, in one pass over the timeline."""

from collections.abc import Mapping
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.conditions.clock import Clock
from cdp.conditions.columns import Kind, number_in
from cdp.conditions.filters import filter_holds
from cdp.conditions.holds import literal
from cdp.segments.attributes import timeline_column
from cdp.segments.config import BehaviorCondition


def behavior(timeline: DataFrame, wanted: Mapping[str, BehaviorCondition], clock: Clock) -> DataFrame:
    """Summarise each customer's timeline up to the end of the run's date.

    Args:
        timeline: `gold.timeline`.
        wanted: conditions by the name of their aggregate's column.
        clock: the run's date.

    Returns:
        customer_id and a column for each of `wanted`; only customers with an entry that counts for one of them.
    """
    counts = {name: _counts(condition, clock) for name, condition in wanted.items()}
    any_counts = reduce(lambda a, b: a | b, counts.values())
    outcomes = [_outcome(condition, counts[name]).alias(name) for name, condition in wanted.items()]
    return timeline.where(any_counts).groupBy("customer_id").agg(*outcomes)


def value_if_none(condition: BehaviorCondition) -> int | None:
    """What the aggregate is for somebody without an entry: counts and sums are 0, the others are missing."""
    return 0 if condition.aggregation.type in ("Count", "CountDistinct", "Sum") else None


def outcome_kind(condition: BehaviorCondition) -> Kind:
    """Kind of what the aggregation gives. A property is taken for a number, as nothing else of it can be summed."""
    if condition.aggregation.column is None:
        return "number"
    kind = timeline_column(condition.aggregation.column).kind
    return "number" if kind == "loose" or condition.aggregation.type == "CountDistinct" else kind


def _counts(condition: BehaviorCondition, clock: Clock) -> Column:
    """Whether an entry counts for the condition: its name, its time and the filter."""
    at = F.col("occurred_at")
    is_in = at < literal(clock.end)
    if condition.timeWindow:
        low = clock.ago(condition.timeWindow.duration, condition.timeWindow.unit)
        is_in &= at >= literal(low)
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
    value = found.value
    if found.kind == "loose" and aggregation.type != "CountDistinct":
        value = number_in(value)
    counted = F.when(counts, value)
    if aggregation.type == "CountDistinct":
        # count_distinct would send every entry through the shuffle once an aggregate; a set is per person and small.
        return F.size(F.collect_set(counted))
    if aggregation.type == "Sum":
        return F.coalesce(F.sum(counted), F.lit(0))
    return {"Average": F.avg, "Min": F.min, "Max": F.max}[aggregation.type](counted)
