"""What customers did, a row a customer and day: the one source of features and outcomes."""

from collections.abc import Mapping
from datetime import date

from pyspark.sql import Column, DataFrame, GroupedData
from pyspark.sql import functions as F

_COUNTS = (
    "orders",
    "returns",
    "discounted_orders",
    "store_orders",
    "cents",
    "lines",
    "thousandths",
    "emails_delivered",
    "emails_opened",
    "emails_clicked",
    "visits",
    "products_viewed",
    "products_added",
    "tickets",
)
_SETS = ("categories", "channels")


def daily_activity(orders: DataFrame, lines: DataFrame, timeline: DataFrame, *, as_of: date) -> DataFrame:
    """What each customer did on each day up to and including `as_of`.

    All of a customer lands in one place with the only shuffle, so that what is computed from it needs none of its own.
    Everything is a whole number, whose sum does not depend on the order in which Spark meets the rows.

    Args:
        orders: `gold.orders`; those without a customer are left out.
        lines: `gold.order_lines`.
        timeline: `gold.timeline`.
        as_of: last day of data to use.

    Returns:
        One row a customer and day on which there was anything: customer_id, on (date), and as bigint: orders
        (completed), returns, discounted_orders, store_orders, cents (hundredths of the reporting currency spent, returns
        taken off), lines (of completed orders), thousandths (of pieces bought), emails_delivered, emails_opened,
        emails_clicked, visits (web and app events), products_viewed, products_added, tickets; null where there were none
        of the kind. categories and channels of completed orders are sets of 64 bits, in which a few of many share a bit.
    """
    facts = _order_facts(orders)
    for others in (_line_facts(lines), _event_facts(timeline)):
        facts = facts.unionByName(others, allowMissingColumns=True)
    sums = [F.sum(name).alias(name) for name in _COUNTS]
    return _by_day(facts, as_of).agg(*sums, *[F.bit_or(name).alias(name) for name in _SETS])


def daily_orders(orders: DataFrame, *, as_of: date) -> DataFrame:
    """The same from orders alone, for what needs no more: customer_id, on, orders, cents."""
    return _by_day(_order_facts(orders), as_of).agg(F.sum("orders").alias("orders"), F.sum("cents").alias("cents"))


def _order_facts(orders: DataFrame) -> DataFrame:
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
            "cents": (F.col("amount") * 100).cast("bigint"),
            "channels": F.when(completed, _bit("channel")),
        },
    )


def _line_facts(lines: DataFrame) -> DataFrame:
    bought = lines.where("customer_id IS NOT NULL AND status = 'completed' AND quantity > 0")
    measures = {
        "lines": F.lit(1).cast("bigint"),
        "thousandths": (F.col("quantity") * 1000).cast("bigint"),
        "categories": _bit("category"),
    }
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
    is_visit = F.coalesce(F.col("channel").isin("web", "app"), F.lit(False))
    concerned = F.col("event").isin(list(by_event.values())) | is_visit
    events = timeline.where((F.col("kind") == "event") & concerned)
    return _facts(events, F.to_date("occurred_at"), {**measures, "visits": _one_if(is_visit)})


def _facts(rows: DataFrame, on: Column, measures: Mapping[str, Column]) -> DataFrame:
    return rows.select("customer_id", on.alias("on"), *[column.alias(name) for name, column in measures.items()])


def _one_if(condition: Column) -> Column:
    return F.when(condition, F.lit(1).cast("bigint"))


def _bit(name: str) -> Column:
    """One of 64 bits for a word; null for none."""
    return F.when(F.col(name).isNotNull(), F.expr(f"shiftleft(1L, int(pmod(xxhash64({name}), 64)))"))


def _by_day(facts: DataFrame, as_of: date) -> GroupedData:
    return facts.where(F.col("on") <= F.lit(as_of)).repartition("customer_id").groupBy("customer_id", "on")
