"""Up to five products for a customer: what they buy again, what goes with what they have, else what sells best."""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

RECOMMENDER = "item_cooccurrence/1"

_BASKET = 20  # products of a customer, the last ones bought, so that pairs stay bounded
_NEIGHBOURS = 20  # of a product
_AGAIN = 3  # at most; the rest is for what the customer does not have
_PAIR_SUPPORT = 2  # customers who must have both


def purchases(lines: DataFrame, *, as_of: date) -> DataFrame:
    """`gold.order_lines` that were bought by `as_of`: customer_id (null: nobody known), product_id, bought_on."""
    bought = lines.where("status = 'completed' AND quantity > 0")
    dated = bought.select("customer_id", "product_id", F.to_date("ordered_at").alias("bought_on"))
    return dated.where(F.col("bought_on") <= F.lit(as_of))


def best_sellers(purchases: DataFrame, *, as_of: date, days: int) -> DataFrame:
    """Products sold in the last `days`: product_id, buyings (a receipt without customer counts as well)."""
    recent = purchases.where(F.datediff(F.lit(as_of), "bought_on") < days)
    return recent.groupBy("product_id").agg(F.count(F.lit(1)).alias("buyings"))


def baskets(purchases: DataFrame) -> DataFrame:
    """What each customer has bought: customer_id, items (the last 20 products; product_id, days they were bought on)."""
    known = purchases.where("customer_id IS NOT NULL")
    by_product = known.groupBy("customer_id", "product_id").agg(
        F.max("bought_on").alias("last_on"), F.count_distinct("bought_on").alias("days")
    )
    newest_first = F.sort_array(F.collect_list(F.struct("last_on", "product_id", "days")), asc=False)
    return by_product.groupBy("customer_id").agg(F.slice(newest_first, 1, _BASKET).alias("items"))


def neighbours(baskets: DataFrame, sold: DataFrame) -> DataFrame:
    """Products that the same customers have, by cosine: n(a and b) / sqrt(n(a) n(b)).

    Args:
        baskets: from `baskets`.
        sold: products that may be recommended.

    Returns:
        product_id, others: up to 20 of (similarity, product_id), the most similar first.
    """
    items = F.col("items.product_id")
    one = baskets.select(F.explode(items).alias("a"), items.alias("all"))
    pairs = one.select("a", F.explode("all").alias("b")).groupBy("a", "b").agg(F.count(F.lit(1)).alias("both"))
    alone = pairs.where("a = b").select(F.col("a").alias("product_id"), F.col("both").alias("alone"))
    first = alone.withColumnsRenamed({"product_id": "a", "alone": "n_a"})
    second = alone.join(sold, on="product_id", how="left_semi").withColumnsRenamed({"product_id": "b", "alone": "n_b"})
    together = (
        pairs.where((F.col("a") != F.col("b")) & (F.col("both") >= _PAIR_SUPPORT))
        .join(F.broadcast(first), on="a", how="inner")
        .join(F.broadcast(second), on="b", how="inner")
    )
    similarity = F.round(F.col("both") / F.sqrt(F.col("n_a") * F.col("n_b")), 9).alias("similarity")
    return (
        together.select("a", F.struct(similarity, F.col("b").alias("product_id")).alias("other"))
        .groupBy(F.col("a").alias("product_id"))
        .agg(F.slice(F.sort_array(F.collect_list("other"), asc=False), 1, _NEIGHBOURS).alias("others"))
    )


def recommendations(
    baskets: DataFrame, neighbours: DataFrame, sold: DataFrame, best: Sequence[tuple[str, int]], *, as_of: date, most: int
) -> DataFrame:
    """`gold.recommendations`: best first; what is bought again before what goes with it before what sells best.

    Args:
        baskets, neighbours: from the functions of these names.
        sold: products that may be recommended, from `best_sellers`.
        best: the first of them with their buyings, enough to be left with `most` for who has 20 of them.
        as_of: date of the run.
        most: products for a customer.
    """
    items = baskets.select("customer_id", F.explode("items").alias("item")).select("customer_id", "item.*")
    again = (
        items.where("days >= 2")
        .join(sold, on="product_id", how="left_semi")
        .select("customer_id", "product_id", (2 + 1 - 1 / F.col("days")).alias("score"), F.lit("buy_again").alias("reason"))
    )
    with_others = (
        items.join(neighbours, on="product_id", how="inner")
        .select("customer_id", F.explode("others").alias("other"))
        .groupBy("customer_id", F.col("other.product_id").alias("product_id"))
        .agg(F.sum(F.col("other.similarity").cast("decimal(18,9)")).cast("double").alias("sum"))
        .select("customer_id", "product_id", _squeezed("sum").alias("score"), F.lit("bought_together").alias("reason"))
    )
    offers = again.unionByName(with_others).groupBy("customer_id").agg(
        _top("buy_again", _AGAIN).alias("again"), _top("bought_together", _BASKET + most).alias("others")
    )
    chosen = baskets.join(offers, on="customer_id", how="left").select("customer_id", _chosen(best, most).alias("offers"))
    return chosen.select("customer_id", F.posexplode("offers").alias("position", "offer")).select(
        "customer_id",
        (F.col("position") + 1).alias("rank"),
        "offer.product_id",
        "offer.score",
        "offer.reason",
        (F.col("offer.reason") == "best_seller").alias("is_fallback"),
        F.lit(RECOMMENDER).alias("model_version"),
        F.lit(as_of).alias("scored_on"),
    )


def _squeezed(name: str) -> Column:
    """A number from 0 on into 1 to 2, in the same order: below whatever is bought again."""
    return 1 + F.col(name) / (1 + F.col(name))


def _top(reason: str, most: int) -> Column:
    offer = F.when(F.col("reason") == reason, F.struct("score", "product_id", "reason"))
    return F.slice(F.sort_array(F.collect_list(offer), asc=False), 1, most)


def _chosen(best: Sequence[tuple[str, int]], most: int) -> Column:
    """The offers of a customer, in order, from their arrays `again`, `others`, `items` and the best sellers."""
    kind = "array<struct<score:double,product_id:string,reason:string>>"
    owned = F.col("items.product_id")
    none = F.array().cast(kind)
    top = float(max((n for _, n in best), default=1))
    fallback = F.array(
        *[
            F.struct(F.lit(n / top).alias("score"), F.lit(p).alias("product_id"), F.lit("best_seller").alias("reason"))
            for p, n in best
        ]
    ).cast(kind)
    others = F.filter(F.coalesce("others", none), lambda offer: ~F.array_contains(owned, offer["product_id"]))
    personal = F.slice(F.concat(F.coalesce("again", none), others), 1, most)
    new = F.filter(
        fallback,
        lambda offer: ~F.array_contains(owned, offer["product_id"])
        & ~F.exists(personal, lambda p: p["product_id"] == offer["product_id"]),
    )
    return F.slice(F.concat(personal, new), 1, most)
