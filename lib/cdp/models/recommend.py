"""Up to five products for a customer: what they buy again, what goes with what they have, else what sells best."""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

RECOMMENDER = "item_cooccurrence/1"

_BASKET = 20  # products of a customer, the last ones bought, so that pairs stay bounded
_NEIGHBOURS = 10  # of a product
_AGAIN = 3  # at most; the rest is for what the customer does not have
_PAIR_SUPPORT = 2  # customers who must have both
_UNITS = 1_000_000_000  # similarities are whole billionths: their sum does not depend on the order of rows
_OFFERS = "array<struct<score:double,product_id:string,reason:string>>"


def purchases(lines: DataFrame, *, as_of: date) -> DataFrame:
    """`gold.order_lines` that were bought by `as_of`: customer_id (null: nobody known), product_id, bought_on."""
    bought = lines.where("status = 'completed' AND quantity > 0")
    dated = bought.select("customer_id", "product_id", F.to_date("ordered_at").alias("bought_on"))
    return dated.where(F.col("bought_on") <= F.lit(as_of))


def products_sold(purchases: DataFrame, *, as_of: date, days: int) -> DataFrame:
    """Products sold in the last `days`: product_id, buyings in them (by whomever), holders (customers who ever bought it)."""
    is_recent = F.datediff(F.lit(as_of), "bought_on") < days
    by_product = purchases.groupBy("product_id").agg(
        F.count_if(is_recent).alias("buyings"), F.approx_count_distinct("customer_id", 0.02).alias("holders")
    )
    return by_product.where("buyings > 0")


def baskets(purchases: DataFrame) -> DataFrame:
    """What each customer has bought: customer_id, items (the last 20 products: last_on, product_id, days bought on)."""
    known = purchases.where("customer_id IS NOT NULL").repartition("customer_id")
    by_day = known.groupBy("customer_id", "product_id", "bought_on").agg(F.count(F.lit(1)).alias("lines"))
    by_product = by_day.groupBy("customer_id", "product_id").agg(
        F.max("bought_on").alias("last_on"), F.count(F.lit(1)).alias("days")
    )
    newest_first = F.sort_array(F.collect_list(F.struct("last_on", "product_id", "days")), asc=False)
    return by_product.groupBy("customer_id").agg(F.slice(newest_first, 1, _BASKET).alias("items"))


def neighbours(baskets: DataFrame, sold: DataFrame) -> DataFrame:
    """What the customers who have a product also have, by cosine: n(a and b) / sqrt(n(a) n(b)).

    Args:
        baskets: from `baskets`.
        sold: from `products_sold`; only these are anybody's neighbours.

    Returns:
        product_id (of any basket), is_sold, others: up to 10 of (similarity in billionths, product_id), the most
        similar first.
    """
    have = baskets.select(F.col("items.product_id").alias("all")).withColumn("a", F.explode("all"))
    pairs = have.select("a", F.explode("all").alias("product_id")).groupBy("a", "product_id").count()
    known = pairs.join(F.broadcast(sold), on="product_id", how="left")
    is_sold, is_same = F.col("holders").isNotNull(), F.col("a") == F.col("product_id")
    strength = F.col("count") / F.sqrt(F.greatest("holders", F.lit(1)))
    other = F.when(
        is_sold & ~is_same & (F.col("count") >= _PAIR_SUPPORT), F.struct(strength.alias("strength"), "product_id")
    )
    by_product = known.groupBy("a").agg(
        F.max(F.when(is_same, F.col("count"))).alias("own"),
        F.max(is_same & is_sold).alias("is_sold"),
        F.slice(F.sort_array(F.collect_list(other), asc=False), 1, _NEIGHBOURS).alias("others"),
    )
    similar = F.transform(
        "others",
        lambda o: F.struct(
            F.round(o["strength"] / F.sqrt("own") * _UNITS).cast("bigint").alias("similarity"),
            o["product_id"].alias("product_id"),
        ),
    )
    return by_product.select(F.col("a").alias("product_id"), "is_sold", similar.alias("others"))


def recommendations(
    baskets: DataFrame, neighbours: DataFrame, best: Sequence[tuple[str, int]], *, as_of: date, most: int
) -> DataFrame:
    """`gold.recommendations`: what is bought again before what goes with it before what sells best.

    Args:
        baskets, neighbours: from the functions of these names.
        best: the best sellers with their buyings, enough to be left with `most` for who has 20 of them.
        as_of: date of the run.
        most: products for a customer.
    """
    items = baskets.select("customer_id", F.explode("items").alias("item")).select("customer_id", "item.*")
    told = items.join(neighbours, on="product_id", how="inner").repartition("customer_id")
    zero = F.lit(0).cast("bigint")
    own = F.struct("product_id", zero.alias("similarity"), F.col("days").alias("days"), "is_sold")
    others = F.transform(
        "others",
        lambda o: F.struct(
            o["product_id"].alias("product_id"), o["similarity"].alias("similarity"),
            F.lit(0).cast("bigint").alias("days"), F.lit(True).alias("is_sold"),
        ),
    )  # fmt: skip
    by_product = (
        told.select("customer_id", F.explode(F.concat(F.array(own), others)).alias("hint"))
        .groupBy("customer_id", "hint.product_id")
        .agg(
            (F.sum("hint.similarity") / _UNITS).alias("similarity"),
            F.max("hint.days").alias("days"),
            F.min("hint.is_sold").alias("is_sold"),
        )
    )
    by_customer = by_product.groupBy("customer_id").agg(
        _top("days >= 2 AND is_sold", 3 - 1 / F.col("days"), "buy_again", _AGAIN).alias("again"),
        _top("days = 0", 1 + F.col("similarity") / (1 + F.col("similarity")), "bought_together", most).alias("others"),
        F.collect_list(F.when(F.col("days") > 0, F.col("product_id"))).alias("owned"),
    )
    chosen = by_customer.select("customer_id", F.posexplode(_chosen(best, most)).alias("position", "offer"))
    return chosen.select(
        "customer_id",
        (F.col("position") + 1).alias("rank"),
        "offer.product_id",
        "offer.score",
        "offer.reason",
        (F.col("offer.reason") == "best_seller").alias("is_fallback"),
        F.lit(RECOMMENDER).alias("model_version"),
        F.lit(as_of).alias("scored_on"),
    )


def _top(condition: str, score: Column, reason: str, most: int) -> Column:
    offer = F.struct(score.alias("score"), F.col("product_id"), F.lit(reason).alias("reason"))
    return F.slice(F.sort_array(F.collect_list(F.when(F.expr(condition), offer)), asc=False), 1, most)


def _chosen(best: Sequence[tuple[str, int]], most: int) -> Column:
    """The offers of a customer in order: `again`, `others`, then best sellers that are neither `owned` nor offered yet."""
    top = float(max((buyings for _, buyings in best), default=1))
    fallback = F.array(
        *[
            F.struct(
                F.lit(buyings / top).alias("score"),
                F.lit(product).alias("product_id"),
                F.lit("best_seller").alias("reason"),
            )
            for product, buyings in best
        ]
    ).cast(_OFFERS)
    personal = F.concat("again", "others")
    new = F.filter(
        fallback,
        lambda offer: (
            ~F.array_contains("owned", offer["product_id"])
            & ~F.exists(personal, lambda other: other["product_id"] == offer["product_id"])
        ),
    )
    return F.slice(F.concat(personal, new), 1, most)
