"""`gold.recommendations` of everybody: learned on the driver from a bounded sample, applied in batches on the executors."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from cdp.models.products.backtest import backtest
from cdp.models.products.batches import Recommender, histories_of, offered
from cdp.models.products.catalogue import MOST_PRODUCTS, Catalogue, catalogue_of
from cdp.models.products.config import RecommendationsConfig
from cdp.models.products.histories import Histories, Ints, day_number
from cdp.models.products.knowledge import Sales, learn
from cdp.models.products.purchases import histories, product_sales, purchases
from cdp.models.products.ranking import ByRule
from cdp.tables.gold import RECOMMENDATIONS

RECOMMENDER = "next_product/1"

_MOST_LEARNED = 5_000_000  # products and days of customers that come to the driver: 80 MB
_SHARES = 1_000_000  # a sample of customers is so many millionths of them
_MOST_PLACES = 50  # countries, those with most customers


@dataclass(frozen=True)
class Recommended:
    """What `recommend` found.

    Attributes:
        rows: `gold.recommendations`, computed when they are written.
        notes: what to tell the user.
        metrics: of the backtest, by name; none where nothing could be judged.
        people: histories that `rows` are made of, held until `release`.
    """

    rows: DataFrame
    notes: tuple[str, ...]
    metrics: Mapping[str, float]
    people: DataFrame | None = None

    def release(self) -> None:
        """Let go of what is held; `rows` are written by then."""
        if self.people is not None:
            self.people.unpersist()


@dataclass(frozen=True)
class Learned:
    """What `learn_recommender` found.

    Attributes:
        recommender: for `batches.offered`; None: there is nothing to offer.
        people: everybody who may be offered something, from `purchases.histories`, persisted; None with the above.
        notes, metrics: as of `Recommended`.
    """

    recommender: Recommender | None
    people: DataFrame | None
    notes: tuple[str, ...]
    metrics: Mapping[str, float]


def recommend(
    lines: DataFrame,
    products: DataFrame,
    profiles: DataFrame,
    consent: DataFrame,
    *,
    config: RecommendationsConfig,
    as_of: date,
    profiling_purpose: str | None = "profiling",
) -> Recommended:
    """What to offer to each customer.

    Args:
        lines: `gold.order_lines`.
        products: `silver.products`.
        profiles: `gold.profiles`; whoever is in it, or has bought something, gets a list.
        consent: `gold.effective_consent`.
        config: what may be offered.
        as_of: the run's date; later purchases are left out.
        profiling_purpose: whoever does not allow it gets best sellers, and is not learned from; None: nobody is exempt.
    """
    if not config.enabled:
        return Recommended(lines.sparkSession.createDataFrame([], RECOMMENDATIONS.schema), (), {})
    learned = learn_recommender(
        lines, products, profiles, consent, config=config, as_of=as_of, profiling_purpose=profiling_purpose
    )
    if learned.recommender is None or learned.people is None:
        return Recommended(lines.sparkSession.createDataFrame([], RECOMMENDATIONS.schema), learned.notes, {})
    return Recommended(offers_of(learned.people, learned.recommender), learned.notes, learned.metrics, learned.people)


def offers_of(people: DataFrame, recommender: Recommender) -> DataFrame:
    """`gold.recommendations` of people from `purchases.histories`, in batches."""
    wanted = people.select("customer_id", "products", "days", "country", "refuses")
    return wanted.mapInArrow(partial(offered, recommender=recommender), RECOMMENDATIONS.schema)


def learn_recommender(
    lines: DataFrame,
    products: DataFrame,
    profiles: DataFrame,
    consent: DataFrame,
    *,
    config: RecommendationsConfig,
    as_of: date,
    profiling_purpose: str | None = "profiling",
) -> Learned:
    """Everything that has to be known to make offers; arguments as of `recommend`.

    To the driver come at most `catalogue.MOST_PRODUCTS` products, and the purchases of at most `config.max_customers`
    customers (five million products and days), chosen by a hash of their id.
    """
    bought = purchases(lines, as_of=as_of)
    sold = product_sales(bought, products, as_of=as_of, config=config, most=MOST_PRODUCTS).toArrow()
    sold = sold.sort_by([("lines", "descending"), ("product_id", "ascending")])
    catalogue, notes = catalogue_of(sold, config)
    now = Sales(day_number(as_of), _numbers(sold, "recent"), _numbers(sold, "latest"))
    if not (catalogue.may_offer & (now.recent > 0)).any():
        told = f"nothing to recommend: no product that may be offered was bought in the {config.sellable_days} days up to {as_of}"
        return Learned(None, None, (*notes, told), {})
    numbers = _product_numbers(lines.sparkSession, catalogue)
    people = histories(
        bought,
        numbers,
        profiles,
        consent,
        profiling_purpose=profiling_purpose,
        require_consent=config.require_consent,
    ).persist()
    sample, places, sampled = _sample(people, config)
    verdict = backtest(
        sample,
        replace(catalogue, may_offer=np.ones(len(catalogue), dtype=bool)),
        Sales(now.day - config.outcome_days, _numbers(sold, "recent_before"), _numbers(sold, "latest_before")),
        outcome_days=config.outcome_days,
        recent_days=config.sellable_days,
        ease_max_products=config.ease_max_products,
        k=config.max,
    )
    knowledge = learn(
        sample, catalogue, now, recent_days=config.sellable_days, ease_max_products=config.ease_max_products
    )
    made_by = "rule" if isinstance(verdict.ranking, ByRule) else "learned"
    recommender = Recommender(
        knowledge=knowledge,
        ranking=verdict.ranking,
        places=places,
        most=config.max,
        max_per_category=config.max_per_category,
        exclude_days=config.exclude_bought_within_days,
        model_version=f"{RECOMMENDER} {knowledge.method} {made_by}",
        as_of=as_of,
    )
    return Learned(recommender, people, (*notes, *sampled, *verdict.notes), verdict.metrics)


def _numbers(table: Any, name: str) -> Ints:
    return np.asarray(table.column(name).to_numpy(), dtype=np.int64)


def _product_numbers(spark: SparkSession, catalogue: Catalogue) -> DataFrame:
    numbers = pa.array(np.arange(len(catalogue)), pa.int32())
    return spark.createDataFrame(pa.table({"product_id": pa.array(catalogue.ids, pa.string()), "number": numbers}))


def _sample(people: DataFrame, config: RecommendationsConfig) -> tuple[Histories, tuple[str, ...], list[str]]:
    """Those to learn from, in the order of a hash; their countries by number, those with most customers first; notes."""
    buyers = people.where("NOT refuses AND size(products) > 0")
    total = buyers.agg(F.count(F.lit(1)).alias("customers"), F.sum(F.size("products")).alias("rows")).collect()[0]
    customers, rows = total["customers"], total["rows"] or 0
    share = min(1.0, config.max_customers / max(customers, 1), _MOST_LEARNED / max(rows, 1))
    if share < 1:
        buyers = buyers.where(F.pmod("hash", F.lit(_SHARES)) < int(share * _SHARES))
    found = buyers.select("hash", "products", "days", "country").toArrow().sort_by("hash")
    counts = Counter(place for place in found.column("country").to_pylist() if place is not None)
    places = tuple(sorted(counts, key=lambda place: (-counts[place], place))[:_MOST_PLACES])
    notes = (
        [f"learned from {found.num_rows:,} of {customers:,} customers, chosen by a hash of their id"]
        if share < 1
        else []
    )
    return histories_of(found.combine_chunks(), places), places, notes
