"""What customers did, a row a customer and day: the one source of features and outcomes."""

from collections.abc import Mapping
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

MONEY = "decimal(18,2)"

_COUNTS = (
    "orders",
    "returns",
    "discounted_orders",
    "store_orders",
    "emails_delivered",
    "emails_opened",
    "emails_clicked",
    "visits",
    "products_viewed",
    "products_added",
    "tickets",
)


def daily_activity(orders: DataFrame, lines: DataFrame, timeline: DataFrame, *, as_of: date) -> DataFrame:
    """What each customer did on each day up to and including `as_of`.

    All of a customer lands in one place with the only shuffle, so that what is computed from it needs none of its own.

    Args:
        orders: `gold.orders`; those without a customer are left out.
        lines: `gold.order_lines`.
        timeline: `gold.timeline`.
        as_of: last day of data to use.

    Returns:
        One row a customer and day on which there was anything: customer_id, on (date), revenue (reporting currency,
        returns negative), spend (the same without returns), counts (bigint, 0 where there were none): orders (completed),
        returns, discounted_orders, store_orders, pieces, emails_delivered, emails_opened, emails_clicked, visits (web
        and app events), products_viewed, products_added, tickets; categories and channels (of completed orders, arrays).
    """
    facts = order_facts(orders)
    for others in (_line_facts(lines), _event_facts(timeline)):
        facts = facts.unionByName(others, allowMissingColumns=True)
    return _by_day(facts.where(F.col("on") <= F.lit(as_of)))


def daily_orders(orders: DataFrame, *, as_of: date) -> DataFrame:
    """The same from orders alone, for what needs no more: customer_id, on, orders, revenue."""
    days = order_facts(orders).where(F.col("on") <= F.lit(as_of))
    return (
        days.repartition("customer_id")
        .groupBy("customer_id", "on")
        .agg(F.sum("orders").alias("orders"), F.sum("revenue").alias("revenue"))
    )


def order_facts(orders: DataFrame) -> DataFrame:
    """A row an order or return of a known customer, with what it adds to the day's figures."""
    completed = F.col("status") == "completed"
    is_discounted = (F.coalesce("discount", F.lit(0)) > 0) | F.col("coupon").isNotNull()
    # A cancelled order is left out altogether: when it was cancelled is not known, so neither what was known before.
    kept = orders.where("customer_id IS NOT NULL AND status IN ('completed', 'returned')")
    return _facts(
        kept,
        F.col("ordered_on"),
        {
            "orders": _one_if(completed),
            "returns": _one_if(~completed),
            "discounted_orders": _one_if(completed & is_discounted),
            "store_orders": _one_if(completed & F.col("channel").eqNullSafe("store")),
            "revenue": F.col("amount"),
            "spend": F.when(completed, F.col("amount")),
            "channel": F.when(completed, F.col("channel")),
        },
    )


def _line_facts(lines: DataFrame) -> DataFrame:
    bought = lines.where("customer_id IS NOT NULL AND status = 'completed' AND quantity > 0")
    measures = {"pieces": F.col("quantity"), "category": F.col("category")}
    return _facts(bought, F.to_date("ordered_at"), measures)


def _event_facts(timeline: DataFrame) -> DataFrame:
    by_event = {
        "emails_delivered": "Email Delivered",
        "emails_opened": "Email Opened",
        "emails_clicked": "Email Link Clicked",
        "products_viewed": "Product Viewed",
        "products_added": "Product Added",
        "tickets": "Ticket Created",
    }
    measures = {name: _one_if(F.col("event") == event) for name, event in by_event.items()}
    is_visit = F.col("channel").isin("web", "app")
    concerned = F.col("event").isin(list(by_event.values())) | is_visit
    events = timeline.where((F.col("kind") == "event") & F.coalesce(concerned, F.lit(False)))
    return _facts(events, F.to_date("occurred_at"), {**measures, "visits": _one_if(is_visit)})


def _facts(rows: DataFrame, on: Column, measures: Mapping[str, Column]) -> DataFrame:
    return rows.select("customer_id", on.alias("on"), *[column.alias(name) for name, column in measures.items()])


def _one_if(condition: Column) -> Column:
    return F.when(condition, F.lit(1))


def _by_day(facts: DataFrame) -> DataFrame:
    none = F.lit(0)
    # Decimals, not doubles: their sum does not depend on the order in which Spark meets the rows.
    return (
        facts.repartition("customer_id")
        .groupBy("customer_id", "on")
        .agg(
            *[F.coalesce(F.sum(name), none).alias(name) for name in _COUNTS],
            *[F.coalesce(F.sum(name), none.cast(MONEY)).alias(name) for name in ("revenue", "spend")],
            F.coalesce(F.sum("pieces"), none).cast("decimal(18,3)").alias("pieces"),
            F.collect_set("category").alias("categories"),
            F.collect_set("channel").alias("channels"),
        )
    )
