"""How good recommendations are on a real shop, beside plain baselines, and how long they take on a made-up one.

    python benchmarks/recommend.py [--days 90] [--k 12] [--data ../shared/data]
    python benchmarks/recommend.py --customers 100000 [--products 10] [--catalogue 5000]

The first call learns from UCI Online Retail up to `--days` before its end, and holds lists of `--k` products against what was
bought in these days. Every figure is of the customers who bought something (something new to them) in both parts. The second
times each step for so many customers with so many products each.
"""

import argparse
import gzip
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from cdp.base.session import fit_to, spark_session
from cdp.models.products.batches import Recommender, histories_of
from cdp.models.products.catalogue import MOST_PRODUCTS
from cdp.models.products.config import RecommendationsConfig
from cdp.models.products.evaluate import evaluate
from cdp.models.products.histories import Floats, Histories
from cdp.models.products.links import bm25, ease, has
from cdp.models.products.purchases import histories, product_sales, purchases
from cdp.models.products.recommend import learn_recommender, offers_of, recommend
from cdp.tables.gold import EFFECTIVE_CONSENT
from cdp.tables.silver import PRODUCTS

PROJECT = Path(__file__).resolve().parents[1]
EVERYTHING = 1_000
"""More products than come into question for anybody."""
_BYTES_A_LINE = 200


def online_retail(folder: Path) -> pd.DataFrame:
    """Lines sold to known customers: customer_id, product_id, ordered_on, country."""
    with gzip.open(folder / "retail" / "online_retail" / "online_retail.csv.gz", "rt", encoding="utf-8") as file:
        rows = pd.read_csv(file, dtype={"CustomerID": "string", "InvoiceNo": "string", "StockCode": "string"})
    sold = rows[rows["CustomerID"].notna() & (rows["Quantity"] > 0) & ~rows["InvoiceNo"].str.startswith("C")]
    found = sold.rename(columns={"CustomerID": "customer_id", "StockCode": "product_id", "Country": "country"})
    found["ordered_on"] = pd.to_datetime(found["InvoiceDate"]).dt.date
    return found[["customer_id", "product_id", "ordered_on", "country"]].drop_duplicates()


def tables(spark: SparkSession, rows: pd.DataFrame) -> tuple[DataFrame, DataFrame, DataFrame, DataFrame]:
    """`gold.order_lines`, an empty catalogue, `gold.profiles` with country, and no statement of consent."""
    lines = spark.createDataFrame(rows[["customer_id", "product_id", "ordered_on"]]).selectExpr(
        "customer_id", "product_id", "CAST(ordered_on AS TIMESTAMP) AS ordered_at", "'completed' AS status",
        "CAST(NULL AS STRING) AS category", "CAST(NULL AS STRING) AS brand", "1 AS quantity", "1 AS amount",
    )  # fmt: skip
    people = spark.createDataFrame(rows.groupby("customer_id", as_index=False)["country"].first())
    return (
        lines,
        spark.createDataFrame([], PRODUCTS.schema),
        people,
        spark.createDataFrame([], EFFECTIVE_CONSENT.schema),
    )


def quality(spark: SparkSession, folder: Path, days: int, k: int) -> None:
    rows = online_retail(folder)
    as_of = rows["ordered_on"].max() - timedelta(days=days)
    learned = learn_recommender(*tables(spark, rows), config=RecommendationsConfig(outcome_days=days), as_of=as_of)
    assert learned.recommender and learned.people
    is_past = rows["ordered_on"] <= as_of
    had, truth = (rows.loc[part, ["customer_id", "product_id"]].drop_duplicates() for part in (is_past, ~is_past))
    truth = truth[truth["customer_id"].isin(had["customer_id"])]
    mix = offers_of(learned.people, replace(learned.recommender, most=EVERYTHING)).toPandas()
    lists = {"our mix": mix, **baselines(learned.people, learned.recommender, k)}
    lists |= {f"  {reason}": part for reason, part in mix.groupby("reason")}
    active = int(learned.recommender.knowledge.is_offered.sum())
    found = {name: evaluate(part, truth, had, k=k, active_products=active) for name, part in lists.items()}
    print(f"as of {as_of}, {days} days ahead, {k} places, {active:,} products")
    print(pd.DataFrame(found).T.drop(columns=["customers", "new_customers"]).round(4).to_string())
    print(f"{found['our mix']['customers']:.0f} customers, {found['our mix']['new_customers']:.0f} with something new")
    print("\n".join(learned.notes))


def baselines(people: DataFrame, recommender: Recommender, k: int) -> dict[str, pd.DataFrame]:
    """Lists by one plain score over all products, of `k` products that the customer has or not, and `k` new ones."""
    rows = people.where("size(products) > 0").select("customer_id", "products", "days", "country").toArrow()
    known = histories_of(rows.combine_chunks(), recommender.places)
    knowledge, bought = recommender.knowledge, has(known, len(recommender.knowledge.catalogue))
    buyers = np.asarray(bought.sum(axis=0)).ravel()
    popularity = np.tile(knowledge.popularity / knowledge.popularity.max(), (known.size, 1))
    frequency = np.zeros_like(popularity)
    frequency[known.owned.customer, known.owned.product] = known.owned.days
    scores = {
        "popularity": popularity,
        "own frequency": frequency + 0.5 * popularity,
        "EASE": (bought @ ease(bought, np.flatnonzero(buyers >= 3))).toarray(),
        "item-item BM25": (bought @ bm25(bought)).toarray(),
    }
    ids = np.array(rows.column("customer_id").to_pylist()), np.array(knowledge.catalogue.ids)
    return {name: _lists(score, known, knowledge.is_offered, ids, k) for name, score in scores.items()}


def _lists(
    score: Floats, known: Histories, is_offered: Floats, ids: tuple[np.ndarray, np.ndarray], k: int
) -> pd.DataFrame:
    score = np.where(is_offered, score, -np.inf)
    new = score.copy()
    new[known.owned.customer, known.owned.product] = -np.inf
    parts = []
    for table in (score, new):
        product = np.argsort(-table, axis=1, kind="stable")[:, :k]
        value = np.take_along_axis(table, product, axis=1)
        parts.append(
            pd.DataFrame(
                {
                    "customer_id": np.repeat(ids[0], product.shape[1]),
                    "product_id": ids[1][product.ravel()],
                    "rank": -value.ravel(),
                }
            )
        )
    # A list of k of all is followed by what is needed for k new ones; ranks are the scores, so the order is one.
    found = pd.concat(parts).drop_duplicates(["customer_id", "product_id"])
    return found[found["rank"] < np.inf]


def speed(spark: SparkSession, customers: int, products: int, catalogue: int) -> None:
    end = date(2026, 1, 31)
    fit_to(spark, customers * products * _BYTES_A_LINE)
    # Products are as uneven as those of a shop, and those of a customer lie near each other.
    lines = spark.range(customers * products).selectExpr(
        f"concat('c', id % {customers}) AS customer_id",
        f"concat('p', CAST({catalogue} * pow(pmod(hash(id, 1), 100000) / 1e5, 2) AS INT) % {catalogue}) AS product_id",
        f"CAST(date_sub(DATE'{end}', pmod(hash(id, 2), 400)) AS TIMESTAMP) AS ordered_at",
        "'completed' AS status", f"concat('category ', pmod(hash(id % {customers}), 40)) AS category",
        "concat('brand ', pmod(hash(id, 3), 100)) AS brand", "1 AS quantity", "10 AS amount",
    ).persist()  # fmt: skip
    print(f"{lines.count():,} lines")
    people = spark.range(customers + customers // 2).selectExpr("concat('c', id) AS customer_id", "'DE' AS country")
    rest = spark.createDataFrame([], PRODUCTS.schema), people, spark.createDataFrame([], EFFECTIVE_CONSENT.schema)
    bought, config = purchases(lines, as_of=end), RecommendationsConfig()
    with timed("  how products sell"):
        sold = product_sales(bought, rest[0], as_of=end, config=config, most=MOST_PRODUCTS).toArrow()
    numbers = spark.createDataFrame(
        [(name, n) for n, name in enumerate(sold.column("product_id").to_pylist())], "product_id string, number int"
    )
    with timed("  histories"):
        made = histories(bought, numbers, *rest[1:])
        made.agg(F.sum(F.hash("customer_id", "products", "days"))).collect()
    with timed("learn, with these"):
        found = recommend(lines, *rest, config=config, as_of=end)
    with timed("offer to everybody"):
        count = found.rows.selectExpr("count(*)", "sum(hash(customer_id, rank, product_id, score))").first()
    print(f"{count[0]:,} rows")
    print("\n".join(found.notes))


@contextmanager
def timed(name: str) -> Iterator[None]:
    begin = time.perf_counter()
    yield
    print(f"{name:20} {time.perf_counter() - begin:6.1f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--k", type=int, default=12)
    parser.add_argument("--data", type=Path, default=PROJECT.parent / "shared" / "data")
    parser.add_argument("--customers", type=int, help="time a made-up shop with so many")
    parser.add_argument("--products", type=int, default=10, help="lines of each of them")
    parser.add_argument("--catalogue", type=int, default=5_000)
    arguments = parser.parse_args()
    if not arguments.customers and not arguments.data.is_dir():
        parser.error(f"--data {arguments.data}: found nothing, wanted the folder of public data sets")
    spark = spark_session("recommend", memory="6g")
    try:
        if arguments.customers:
            speed(spark, arguments.customers, arguments.products, arguments.catalogue)
        else:
            quality(spark, arguments.data, arguments.days, arguments.k)
    finally:
        spark.stop()


if __name__ == "__main__":
    main()
