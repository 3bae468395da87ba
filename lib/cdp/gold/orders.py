"""Orders and their lines, with the customer and the product."""

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.gold.owners import with_customer
from cdp.gold.times import end_of


def is_late(column: str, as_of: date) -> Column:
    """Whether a row is of a time after the run's date, and so does not count."""
    return F.col(column) >= end_of(as_of)


def customer_orders(orders: DataFrame, owners: DataFrame) -> DataFrame:
    """`gold.orders` of `silver.orders`; receipts without a customer are kept.

    A return takes its amount off whatever sign its source gives it, a cancellation comes to nothing, and an order
    whose source tells no amount counts as 0. `refunded` and `net_amount` are those of the orders given (`netted`).
    """
    return with_customer(orders, owners).select(
        "source",
        "order_id",
        "customer_id",
        "ordered_at",
        F.to_date("ordered_at").alias("ordered_on"),
        "status",
        "refers_to",
        "channel",
        "store_id",
        F.coalesce(_signed("amount"), F.lit(0)).cast("decimal(18,2)").alias("amount"),
        "discount",
        "coupon",
        "campaign",
        "refunded",
        "net_amount",
    )


def customer_order_lines(lines: DataFrame, orders: DataFrame, products: DataFrame) -> DataFrame:
    """`gold.order_lines`; status and ordered_at are null where the order is not there (refused, or after the run's date).

    Args:
        lines: `silver.order_lines`.
        orders: `gold.orders`.
        products: `silver.products`; a product that is not there leaves category, brand and cost empty.
    """
    of_order = orders.select("source", "order_id", "customer_id", "ordered_at", "status")
    of_product = products.select("product_id", "category", "brand", F.col("cost").alias("_cost"))
    joined = lines.join(of_order, on=["source", "order_id"], how="left")
    joined = joined.join(of_product, on="product_id", how="left")
    is_return = F.col("status") == "returned"
    pieces = F.when(is_return, -F.abs("quantity")).otherwise(F.col("quantity"))
    billed = F.when(F.col("status") == "cancelled", F.lit(0)).otherwise(pieces)
    return joined.select(
        "source",
        "order_id",
        "line_no",
        "customer_id",
        "ordered_at",
        "status",
        "product_id",
        "category",
        "brand",
        pieces.cast("decimal(18,3)").alias("quantity"),
        _signed("amount").cast("decimal(18,2)").alias("amount"),
        (billed * F.col("_cost")).cast("decimal(18,2)").alias("cost"),
    )


def _signed(amount: str) -> Column:
    status = F.col("status")
    return F.when(status == "cancelled", F.lit(0)).when(status == "returned", -F.abs(amount)).otherwise(F.col(amount))
