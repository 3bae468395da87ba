"""Events as of a day: what each customer did of them before, and whether the predicted one came after."""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cdp.conditions.clock import Clock
from cdp.conditions.columns import named
from cdp.conditions.filters import filter_holds
from cdp.conditions.holds import Operand, all_of, holds
from cdp.conditions.operators import Equal
from cdp.models.features import for_each_cutoff
from cdp.models.propensity.config import Predict
from cdp.tables.gold import TIMELINE

OWN_FEATURES = (
    "target_days",
    "target_days_30d",
    "target_days_90d",
    "target_days_365d",
    "target_days_since",
    "known_days",
)
"""Of the predicted event: days on which it happened, ever and lately, and since it last did; days since the first trace."""

SILENCE = "target_days_since"
"""Days since the predicted event last happened, null for never: what the rule goes by."""

MOST_EVENTS = 15
"""Events of which each has features of its own: those that most customers have."""

_PER_EVENT = ("days_30d", "days_365d", "days_since")
TIMELINE_COLUMNS = tuple(c for c in TIMELINE.columns if c.name != "customer_id")


def event_features(events: Sequence[str]) -> list[str]:
    """Names of the features of events."""
    return [f"event.{event}.{what}" for event in events for what in _PER_EVENT]


def occurrences(
    predict: Predict, timeline: DataFrame, orders: DataFrame, lines: DataFrame, *, as_of: date
) -> DataFrame:
    """When the predicted thing happened.

    Args:
        predict: an event or an order.
        timeline, orders, lines: `gold.timeline`, `gold.orders`, `gold.order_lines`.
        as_of: last day of data to use.

    Returns:
        customer_id, on (date): a row each time, of known customers.
    """
    if predict.event:
        clock = Clock(as_of)
        wanted = [F.col("event").isin(list(predict.event))]
        for key, value in predict.properties.items():
            operand = Operand(F.col("properties")[key], "loose")
            wanted.append(holds(Equal(type="Equal", value=value), operand, clock))
        if predict.filter is not None:
            wanted.append(filter_holds(predict.filter, clock, lambda path: named(path, TIMELINE_COLUMNS)))
        found = timeline.where(all_of(wanted)).select("customer_id", F.to_date("occurred_at").alias("on"))
    else:
        limits = [("category", predict.category), ("brand", predict.brand), ("product_id", predict.product_id)]
        limited = [F.col(name).isin(list(values)) for name, values in limits if values]
        rows = lines.where("quantity > 0").where(all_of(limited)) if limited else orders
        day = F.to_date("ordered_at")
        found = rows.where("status = 'completed'").select("customer_id", day.alias("on"))
    return found.where(F.col("customer_id").isNotNull() & (F.col("on") <= F.lit(as_of)))


def frequent_events(timeline: DataFrame, *, until: date) -> list[str]:
    """The events that most customers have up to a day, at most `MOST_EVENTS`; ties by name."""
    counted = (
        timeline.where(F.to_date("occurred_at") <= F.lit(until))
        .groupBy("event")
        .agg(F.countDistinct("customer_id").alias("customers"))
        .orderBy(F.desc("customers"), "event")
        .limit(MOST_EVENTS)
    )
    return [row["event"] for row in counted.collect()]  # at most `MOST_EVENTS` rows


def daily_events(timeline: DataFrame, happened: DataFrame, events: Sequence[str], *, as_of: date) -> DataFrame:
    """What was there of each customer on each day up to `as_of`.

    Returns:
        One row a customer and day with any trace: customer_id, on, target (how often the predicted thing happened), and
        event_0 ... (how often each of `events` did), null for never.
    """
    traces = timeline.select(
        "customer_id",
        F.to_date("occurred_at").alias("on"),
        *[F.when(F.col("event") == event, F.lit(1)).alias(f"event_{i}") for i, event in enumerate(events)],
    ).where(F.col("on") <= F.lit(as_of))
    facts = traces.unionByName(happened.withColumn("target", F.lit(1)), allowMissingColumns=True)
    counts = ["target", *(f"event_{i}" for i in range(len(events)))]
    return facts.groupBy("customer_id", "on").agg(*[F.sum(name).alias(name) for name in counts])


def as_of_cutoffs(days: DataFrame, events: Sequence[str], cutoffs: Sequence[date]) -> DataFrame:
    """What was known of every customer with any trace by a cut-off, for each cut-off.

    Args:
        days: `daily_events`.
        events: those that it was made of.
        cutoffs: last days of data to use.

    Returns:
        One row a customer and cut-off: customer_id, cutoff, `OWN_FEATURES`, and per event three columns
        event_0_days_30d ... in the order of `event_features`; all doubles, null where never.
    """
    before = for_each_cutoff(days, cutoffs, lambda day: F.col("on") <= day).withColumn("age", F.datediff("cutoff", "on"))
    target = {
        "target_days": "count_if(target > 0)",
        **{f"target_days_{n}d": f"count_if(target > 0 AND age < {n})" for n in (30, 90, 365)},
        "target_days_since": "min(if(target > 0, age, null))",
        "known_days": "max(age)",
    }
    of_events: dict[str, str] = {}
    for i in range(len(events)):
        of_events |= {f"event_{i}_days_{n}d": f"count_if(event_{i} > 0 AND age < {n})" for n in (30, 365)}
        of_events[f"event_{i}_days_since"] = f"min(if(event_{i} > 0, age, null))"
    wanted = {**target, **of_events}
    return before.groupBy("customer_id", "cutoff").agg(
        *[F.expr(f"double({sql})").alias(name) for name, sql in wanted.items()]
    )


def came_after(days: DataFrame, cutoffs: Sequence[date], window_days: int) -> DataFrame:
    """Who had the predicted thing within (cut-off, cut-off + window]: customer_id, cutoff, happened (1)."""
    targets = days.where("target > 0")
    after = for_each_cutoff(targets, cutoffs, lambda day: F.datediff("on", day).between(1, window_days))
    return after.groupBy("customer_id", "cutoff").agg(F.lit(1.0).alias("happened"))


def columns_of(events: Sequence[str]) -> dict[str, str]:
    """The columns of `as_of_cutoffs` of events, and the features that they are."""
    columns = [f"event_{i}_{what}" for i in range(len(events)) for what in _PER_EVENT]
    return dict(zip(columns, event_features(events), strict=True))
