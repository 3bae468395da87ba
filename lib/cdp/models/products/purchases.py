"""What was bought, how products sell, and the history of each customer, on Spark."""

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.models.products.config import RecommendationsConfig
from cdp.models.products.histories import day_number

_MOST_PURCHASES = 500  # products and days of a customer, the newest ones


def purchases(lines: DataFrame, *, as_of: date) -> DataFrame:
    """`gold.order_lines` that were bought by `as_of`.

    Returns:
        customer_id (null: nobody known), product_id, day (since 1970-01-01), category, brand, quantity, amount.
    """
    bought = lines.where("status = 'completed' AND quantity > 0")
    day = F.unix_date(F.to_date("ordered_at")).alias("day")
    rows = bought.select("customer_id", "product_id", day, "category", "brand", "quantity", "amount")
    return rows.where(F.col("day") <= day_number(as_of))


def product_sales(
    purchases: DataFrame, products: DataFrame, *, as_of: date, config: RecommendationsConfig, most: int
) -> DataFrame:
    """How each product sells, and what the catalogue says of it.

    Args:
        purchases: from `purchases`.
        products: `silver.products`; what it does not know is taken from the lines.
        as_of: the run's date.
        config: `sellable_days` and `outcome_days` say what is counted.
        most: products, those with most lines.

    Returns:
        product_id, lines (ever), recent (lines of the last `sellable_days`), latest (of the last third of them),
        recent_before and latest_before (the same as of `outcome_days` earlier), category, brand, price (of the list, else
        the mean one of the recent lines), in_stock.
    """
    today, days = day_number(as_of), config.sellable_days
    third, before = max(1, days // 3), today - config.outcome_days
    newest_category, newest_brand = (
        F.max(F.when(F.col(name).isNotNull(), F.struct("day", name)))[name].alias(f"line_{name}")
        for name in ("category", "brand")
    )
    is_recent = F.col("day") > today - days
    paid, pieces = (F.sum(F.when(is_recent, F.col(name))) for name in ("amount", "quantity"))
    sold = purchases.groupBy("product_id").agg(
        F.count(F.lit(1)).alias("lines"),
        F.count_if(is_recent).alias("recent"),
        F.count_if(F.col("day") > today - third).alias("latest"),
        F.count_if(_within(before, days)).alias("recent_before"),
        F.count_if(_within(before, third)).alias("latest_before"),
        newest_category,
        newest_brand,
        F.try_divide(paid, pieces).cast("double").alias("mean_price"),
    )
    first = sold.orderBy("lines", "product_id", ascending=[False, True]).limit(most)
    listed = products.select("product_id", "category", "brand", "price", "in_stock")
    return first.join(listed, on="product_id", how="left").select(
        "product_id",
        *("lines", "recent", "latest", "recent_before", "latest_before"),
        F.coalesce("category", "line_category").alias("category"),
        F.coalesce("brand", "line_brand").alias("brand"),
        F.coalesce(F.col("price").cast("double"), "mean_price").alias("price"),
        "in_stock",
    )


def _within(last: int, days: int) -> Column:
    return (F.col("day") > last - days) & (F.col("day") <= last)


def histories(
    purchases: DataFrame,
    numbers: DataFrame,
    profiles: DataFrame,
    consent: DataFrame,
    *,
    profiling_purpose: str | None = "profiling",
    require_consent: str | None = None,
) -> DataFrame:
    """Everybody who may be offered something, with what they bought. One shuffle brings all of a person together.

    Args:
        purchases: from `purchases`.
        numbers: product_id, number: the products to look at.
        profiles: `gold.profiles`.
        consent: `gold.effective_consent`.
        profiling_purpose: whoever does not allow it refuses; None: nobody does.
        require_consent: purpose that a person must allow; None: none.

    Returns:
        customer_id, hash (of the id), products and days (arrays of the same length: each product and day on which it was
        bought, the newest 500), country, refuses (as `models.objections` has it). One row a customer of `profiles`, or with
        a purchase.
    """
    known = purchases.where("customer_id IS NOT NULL").join(F.broadcast(numbers), on="product_id", how="left")
    item = F.when(F.col("number").isNotNull(), F.struct("day", "number"))
    bought = known.select("customer_id", item.alias("item"), F.lit(True).alias("is_person"))
    people = profiles.select("customer_id", "country", F.lit(True).alias("is_person"))
    refuses = (F.col("purpose") == F.lit(profiling_purpose)) & ~F.col("is_allowed")
    allows = (F.col("purpose") == F.lit(require_consent)) & F.col("is_allowed")
    said = consent.where(F.col("purpose").isin([p for p in (profiling_purpose, require_consent) if p])).select(
        "customer_id", refuses.alias("refuses"), allows.alias("allows")
    )
    facts = bought.unionByName(people, allowMissingColumns=True).unionByName(said, allowMissingColumns=True)
    newest = F.slice(F.sort_array(F.collect_set("item"), asc=False), 1, _MOST_PURCHASES)
    found = (
        facts.repartition("customer_id")
        .groupBy("customer_id")
        .agg(
            newest.alias("items"),
            F.max("country").alias("country"),
            F.max("is_person").alias("is_person"),
            F.max("refuses").alias("refuses"),
            F.max("allows").alias("allows"),
        )
    )
    may = F.col("is_person") if require_consent is None else F.col("is_person") & F.col("allows")
    return found.where(may).select(
        "customer_id",
        F.xxhash64("customer_id").alias("hash"),
        F.col("items.number").alias("products"),
        F.col("items.day").alias("days"),
        "country",
        F.coalesce("refuses", F.lit(False)).alias("refuses"),
    )
