"""Everything a customer did, bought or stated, in one shape."""

from datetime import date
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.gold.orders import is_late
from cdp.gold.owners import with_customer
from cdp.tables.gold import TIMELINE

KINDS = ("event", "order", "consent")

# Segment's names of what happens to an order.
_ORDER_EVENTS = {"completed": "Order Completed", "cancelled": "Order Cancelled", "returned": "Order Refunded"}
_CONSENT_EVENTS = {"granted": "Consent Granted", "denied": "Consent Denied", "withdrawn": "Consent Withdrawn"}

FATES = ("kept", "late", "nobodys", "repeated")
"""What becomes of a row: it goes on; it is of a time after the run's date; nobody can be told whose it is; it tells
again of an order that is there itself."""


def timeline_rows(
    events: DataFrame, orders: DataFrame, consents: DataFrame, owners: DataFrame, *, as_of: date
) -> DataFrame:
    """All rows that may enter `gold.timeline`, with `fate`, one of FATES.

    A tracker's `Order Completed` is left out where the same customer's order of that number is there: the purchase
    would count twice. What only the tracker knows of it, such as the cart, goes to the order's properties.

    Args:
        events: `silver.events`.
        orders: `gold.orders`.
        consents: `silver.consents`.
        owners: `owners.current_owners`.
        as_of: the run's date.
    """
    owned = with_customer(events, owners)
    parts = [
        _events(owned, orders),
        _orders(orders, _tracked(owned.where(~is_late("occurred_at", as_of)))),
        _consents(with_customer(consents, owners)),
    ]
    rows = reduce(DataFrame.unionByName, parts)
    fate = (
        F.when(is_late("occurred_at", as_of), "late")
        .when(F.col("customer_id").isNull(), "nobodys")
        .when(F.col("is_repeated"), "repeated")
        .otherwise("kept")
    )
    return rows.withColumn("fate", fate).drop("is_repeated")


def fate_counts() -> list[Column]:
    """A count for each kind and fate of `timeline_rows`, named kind_fate."""
    return [
        F.count_if((F.col("kind") == kind) & (F.col("fate") == fate)).alias(f"{kind}_{fate}")
        for kind in KINDS
        for fate in FATES
    ]


def kept(rows: DataFrame) -> DataFrame:
    """`gold.timeline` of `timeline_rows`."""
    return rows.where(F.col("fate") == "kept").select([c.name for c in TIMELINE.columns])


def _events(events: DataFrame, orders: DataFrame) -> DataFrame:
    known = orders.where("customer_id is not null").select("customer_id", F.col("order_id").alias("_told")).distinct()
    marked = events.withColumn("_told", _told()).join(
        known.withColumn("is_repeated", F.lit(True)), on=["customer_id", "_told"], how="left"
    )
    return marked.select(
        "customer_id",
        "occurred_at",
        F.lit("event").alias("kind"),
        "source",
        F.col("event_id").alias("reference"),
        "event",
        "channel",
        _campaign(),
        F.lit(None).cast("decimal(18,2)").alias("amount"),
        "properties",
        F.coalesce("is_repeated", F.lit(False)).alias("is_repeated"),
    )


def _told() -> Column:
    """The order that a tracker's event says is completed; null: none."""
    return F.when(F.col("event") == _ORDER_EVENTS["completed"], F.col("properties")["order_id"])


def _tracked(events: DataFrame) -> DataFrame:
    """customer_id, order_id and what the first event that tells of the order knows of it."""
    told = events.withColumn("order_id", _told()).where("customer_id IS NOT NULL AND order_id IS NOT NULL")
    first = F.min_by("properties", F.struct("occurred_at", "source", "event_id"))
    return told.groupBy("customer_id", "order_id").agg(first.alias("_tracked"))


def _orders(orders: DataFrame, tracked: DataFrame) -> DataFrame:
    own = _known("order_id", "status", "refers_to", "store_id", "coupon", "discount")
    # Of a cancelled one too: whoever ordered a cart and thought better of it has not left it.
    told = F.when(F.col("status").isin("completed", "cancelled"), F.col("_tracked"))
    more = F.map_filter(told, lambda name, value: value.isNotNull() & ~F.map_contains_key("_own", name))
    joined = orders.join(tracked, on=["customer_id", "order_id"], how="left").withColumn("_own", own)
    return joined.select(
        "customer_id",
        F.col("ordered_at").alias("occurred_at"),
        F.lit("order").alias("kind"),
        "source",
        F.col("order_id").alias("reference"),
        _named(_ORDER_EVENTS).alias("event"),
        "channel",
        _campaign(),
        "amount",
        F.coalesce(F.map_concat("_own", more), "_own").alias("properties"),
        F.lit(False).alias("is_repeated"),
    )


def _consents(consents: DataFrame) -> DataFrame:
    return consents.select(
        "customer_id",
        F.col("captured_at").alias("occurred_at"),
        F.lit("consent").alias("kind"),
        "source",
        F.col("consent_id").alias("reference"),
        _named(_CONSENT_EVENTS).alias("event"),
        F.lit(None).cast("string").alias("channel"),
        F.lit(None).cast("string").alias("campaign"),
        F.lit(None).cast("decimal(18,2)").alias("amount"),
        _known("purpose", "legal_basis", "jurisdiction").alias("properties"),
        F.lit(False).alias("is_repeated"),
    )


def _campaign() -> Column:
    return F.coalesce("campaign.name", "campaign.source").alias("campaign")


def _named(names: dict[str, str]) -> Column:
    by_status = [F.when(F.col("status") == status, name) for status, name in names.items()]
    return F.coalesce(*by_status)


def _known(*columns: str) -> Column:
    entries = [part for name in columns for part in (F.lit(name), F.col(name).cast("string"))]
    return F.map_filter(F.create_map(*entries), lambda _, value: value.isNotNull())
