"""Orders netted: what was given back is taken off the order it belongs to, so that no money counts twice."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F


def netted(orders: DataFrame) -> DataFrame:
    """Say of each order what was given back of it, and what it came to in the end.

    A return belongs to the order of its source that it refers to, unless that one is not there or is a return of
    something else: then it stands alone. Money counts by the amount in the reporting currency, so a return may be in
    another currency than its order, and comes at the rate of its own day.

    * completed: net_amount is amount - refunded. Who gives back more than was paid gets to 0, not below it.
    * cancelled: 0, whatever was given back of it, as nothing was earned.
    * returned, of an order that is there: 0, as it counts in that order's refunded.
    * returned, but above 0 and with returns of its own: 0. Shops call an order `refunded` when its last piece is back,
      and send what came back beside it.
    * returned, standing alone: -abs(amount), as its order counts nowhere.

    Args:
        orders: shaped like `silver.orders`; uses source, order_id, status, refers_to, amount and stated_refund. What
            refunded and net_amount say already is not looked at, so netting some of the orders anew (those up to a day)
            gives what these alone came to.

    Returns:
        The orders with `refunded` (the larger of stated_refund and the sum of the returns that belong to the order; 0
        for returns) and `net_amount`, never null. A missing amount counts as 0.
    """
    is_return = F.col("status") == "returned"
    family = family_of()
    is_head = family == F.col("order_id")
    amount = F.coalesce("amount", F.lit(0))
    # An order and its returns lie in one group: no join of the orders with themselves.
    group = Window.partitionBy("source", family)
    is_sale = ~is_return | (amount > 0)
    known = orders.withColumns(
        {
            "_returned": F.sum(F.when(is_return & ~is_head, F.abs(amount))).over(group),
            "_has_sale": F.bool_or(is_head & is_sale).over(group),
        }
    )
    counts_elsewhere = is_return & F.col("_has_sale") & F.col("_returned").isNotNull()
    refunded = F.greatest(F.coalesce("_returned", F.lit(0)), F.coalesce("stated_refund", F.lit(0)))
    net = (
        F.when((F.col("status") == "cancelled") | counts_elsewhere, F.lit(0))
        .when(is_return, -F.abs(amount))
        .otherwise(F.greatest(amount - F.col("refunded"), F.lit(0)))
    )
    of_sales = known.withColumn("refunded", F.when(is_return, F.lit(0)).otherwise(refunded).cast("decimal(18,2)"))
    return of_sales.withColumn("net_amount", net.cast("decimal(18,2)")).drop("_returned", "_has_sale")


def family_of() -> Column:
    """Which orders are netted with each other: an order and the returns that refer to it."""
    return F.coalesce(F.when(F.col("status") == "returned", F.col("refers_to")), "order_id")


def families_of(orders: DataFrame) -> DataFrame:
    """source and `_family` of every family that an order has to do with: that of its own name, and that it counts in."""
    every = F.explode(F.array_distinct(F.array("order_id", family_of()))).alias("_family")
    return orders.select("source", every)
