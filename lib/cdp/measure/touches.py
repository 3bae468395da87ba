"""Touches: the contacts of a customer that may have brought an order."""

from datetime import date, timedelta

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from cdp.measure.config import AttributionConfig

DIRECT = "direct"
UNKNOWN = "unknown"


def touches(timeline: DataFrame, costs: DataFrame, settings: AttributionConfig, *, as_of: date) -> DataFrame:
    """The customer's contacts; the events of one visit (same channel and campaign, no long pause) are one.

    A page of events says no more for a campaign than one event, so counting events would favour long visits.

    Args:
        timeline: `gold.timeline`; uses kind, event, occurred_at, channel, campaign and its key. A completed order that
            carries a campaign is a touch of its own too.
        costs: `silver.campaign_costs`; says which marketing channel a campaign is of.
        settings: which events count.
        as_of: last day of data to use.

    Returns:
        customer_id, touched_at (start of the visit), touch_source and reference (its first event), channel (the
        campaign's marketing channel where its costs say one, `direct` for a visit of the person's own accord, else the
        event's), campaign (null: none), is_direct. (touched_at, touch_source, reference) is unique within a customer.
    """
    names = F.col("event").isin(list(settings.events)) if settings.events else F.col("campaign").isNotNull()
    before = F.lit(as_of + timedelta(days=1)).cast("timestamp")
    is_touch = (F.col("kind") == "event") & names & ~F.col("event").isin(list(settings.ignored_events))
    # Where no visits are tracked, the campaign that an order carries is all that is known; else it is part of its visit.
    is_bought = (F.col("kind") == "order") & (F.col("event") == "Order Completed") & F.col("campaign").isNotNull()
    seen = timeline.where((is_touch | is_bought) & (F.col("occurred_at") < before))
    # Partitioned by customer alone: the join with the customer's orders then needs no further shuffle.
    in_turn = Window.partitionBy("customer_id").orderBy("channel", "campaign", "occurred_at", "source", "reference")
    earlier = F.lag(F.struct("channel", "campaign", "occurred_at")).over(in_turn)
    starts = seen.withColumn("earlier", earlier).where(_starts_visit(settings.visit_gap_minutes))
    is_direct = F.col("campaign").isNull() & F.coalesce(
        F.col("channel").isin(list(settings.direct_channels)), F.lit(False)
    )
    return (
        starts.join(F.broadcast(_marketing_channels(costs, as_of)), on="campaign", how="left")
        .withColumn("is_direct", is_direct)
        .select(
            "customer_id",
            F.col("occurred_at").alias("touched_at"),
            F.col("source").alias("touch_source"),
            "reference",
            _channel().alias("channel"),
            "campaign",
            "is_direct",
        )
    )


def _starts_visit(gap_minutes: int) -> Column:
    before, same = F.col("earlier"), F.lit(True)
    for name in ("channel", "campaign"):
        same = same & before[name].eqNullSafe(F.col(name))
    pause = F.unix_micros("occurred_at") - F.unix_micros(before["occurred_at"])
    return before.isNull() | ~same | (pause > gap_minutes * 60 * 1_000_000)


def _channel() -> Column:
    own = F.coalesce("channel", F.lit(UNKNOWN))
    bought = F.col("bought")
    # A campaign that runs on several channels keeps the event's own where it is one of them.
    marketing = F.when(F.array_contains(bought, own), own).otherwise(F.get(bought, F.lit(0)))
    return F.when(F.col("is_direct"), F.lit(DIRECT)).otherwise(F.coalesce(marketing, own))


def _marketing_channels(costs: DataFrame, as_of: date) -> DataFrame:
    """campaign, bought: the channels it was paid on, the dearest first (ties by name). As many rows as campaigns."""
    spent = costs.where(F.col("day") <= F.lit(as_of)).groupBy("campaign", "channel").agg(F.sum("cost").alias("cost"))
    by_cost = F.sort_array(F.collect_list(F.struct((-F.col("cost")).alias("cost"), "channel")))
    return spent.groupBy("campaign").agg(by_cost.getField("channel").alias("bought"))
