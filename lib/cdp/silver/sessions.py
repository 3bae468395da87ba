"""Sessions: what one device did without a long pause."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

_CHANNELS = ("web", "app")
_VIEWS = ("Page Viewed", "Screen Viewed")
_PURCHASE = "Order Completed"
_OF_DEVICES = ("anonymous_id", "device_id", "cookie_id", "ga_client_id", "idfa", "gaid", "push_token")
"""Identifiers that say which device it was, not who held it."""


def session_events(events: DataFrame) -> DataFrame:
    """The events that sessions are made of, with `device`.

    Those on the channels web and app, and those that name no channel but an `anonymous_id`, as trackers alone give one.
    Opening an e-mail or writing to the service is no visit, and a receipt of a till no click.

    Args:
        events: `silver.events`.

    Returns:
        The events that count, with `device`: the `anonymous_id`, else the record's key. An event with neither is left
        out, as it is nobody's.
    """
    is_visit = F.col("channel").isin(*_CHANNELS) | (F.col("channel").isNull() & _visitor().isNotNull())
    return with_device(events).where(is_visit & F.col("device").isNotNull())


def with_device(events: DataFrame) -> DataFrame:
    """The events with `device`: the `anonymous_id`, else the record's key."""
    return events.withColumn("device", F.coalesce(_visitor(), "record_key"))


def _visitor() -> Column:
    return F.nullif(F.try_element_at("identifiers", F.lit("anonymous_id")), F.lit(""))


def sessions(events: DataFrame, *, idle_minutes: int) -> DataFrame:
    """Cut what each device did into sessions.

    A session goes on while no two of its events lie more than `idle_minutes` apart, whatever the events are; exactly so
    far apart is no pause. Neither midnight nor another campaign ends it. Where the source says by a `session_id` what
    belongs together, that holds in place of pauses; events of the device without one make sessions among themselves.

    What comes out for a device depends on its own events alone: all events of some devices give those devices' sessions.

    Args:
        events: `silver.events`.
        idle_minutes: the longest pause within a session.

    Returns:
        `silver.sessions`.
    """
    visits = session_events(events).withColumn("_us", F.unix_micros("occurred_at"))
    # One sort: the pauses, their running count and the places of events all go by the same order.
    in_turn = Window.partitionBy("source", "device", "session_id").orderBy("occurred_at", "event_id")
    pause = F.col("_us") - F.lag("_us").over(in_turn)
    is_start = F.col("session_id").isNull() & (pause > idle_minutes * 60_000_000)
    placed = visits.withColumns({"_starts": is_start.cast("int"), "_place": F.row_number().over(in_turn)})
    numbered = placed.withColumn("_session", F.coalesce(F.sum("_starts").over(in_turn), F.lit(0)))
    by_session = numbered.groupBy("source", "device", "session_id", "_session").agg(*_facts())
    seconds = F.floor((F.unix_micros("ended_at") - F.unix_micros("started_at")) / 1_000_000)
    first = F.to_json(F.struct("source", "device", "_first_id", F.unix_micros("started_at").alias("at")))
    return by_session.select(
        "source",
        "device",
        F.coalesce("session_id", F.sha2(first, 256)).alias("session_id"),
        F.coalesce("_identified", "_last_record").alias("record_key"),
        "started_at",
        "ended_at",
        seconds.cast("bigint").alias("seconds"),
        "events",
        "page_views",
        "first_event",
        "landing_page",
        "channel",
        "campaign",
        "is_converted",
        "order_ids",
    )


def _facts() -> list[Column]:
    is_purchase = F.col("event") == _PURCHASE
    is_identified = F.size(F.map_filter("identifiers", lambda kind, _: ~kind.isin(*_OF_DEVICES))) > 0
    page = F.nullif(F.trim(F.try_element_at("properties", F.lit("path"))), F.lit(""))
    order_id = F.nullif(F.trim(F.try_element_at("properties", F.lit("order_id"))), F.lit(""))
    return [
        _last("record_key", is_identified).alias("_identified"),
        _last("record_key", F.col("record_key").isNotNull()).alias("_last_record"),
        _first("event_id").alias("_first_id"),
        F.min("occurred_at").alias("started_at"),
        F.max("occurred_at").alias("ended_at"),
        F.count("*").alias("events"),
        F.count_if(F.col("event").isin(*_VIEWS)).alias("page_views"),
        _first("event").alias("first_event"),
        _first(page, F.col("event").isin(*_VIEWS) & page.isNotNull()).alias("landing_page"),
        _first("channel", F.col("channel").isNotNull()).alias("channel"),
        _first("campaign", F.col("campaign").isNotNull()).alias("campaign"),
        F.coalesce(F.bool_or(is_purchase), F.lit(False)).alias("is_converted"),
        F.array_sort(F.collect_set(F.when(is_purchase, order_id))).alias("order_ids"),
    ]


def _first(value: str | Column, condition: Column | None = None) -> Column:
    """Of the session's first event for which `condition` holds; an event's place passes over no tie."""
    return F.min_by(value, "_place" if condition is None else F.when(condition, F.col("_place")))


def _last(value: str | Column, condition: Column) -> Column:
    return F.max_by(value, F.when(condition, F.col("_place")))
