"""The traits of a made-up traits.yaml on made-up customers, against SQL that says the same another way."""

import random
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession

from cdp.base.settings import ConfigFolder
from cdp.conditions.clock import Clock
from cdp.gold.computed.columns import type_of
from cdp.gold.computed.compute import computed
from cdp.gold.computed.config import INPUTS, MOMENT, Counted, TraitsConfig
from cdp.gold.computed.load import load_traits
from cdp.tables.gold import CUSTOMER_ORDER_LINES, CUSTOMER_ORDERS, TIMELINE
from tests.conftest import Fill

AS_OF = date(2026, 3, 29)  # the day on which clocks in Europe go forward
END = datetime(2026, 3, 30)
CLOCK = Clock(AS_OF)

CONFIG = """
traits:
  - {name: views, type: event_counter, event: Product Viewed}
  - {name: views_7d, type: event_counter, event: Product Viewed, window: {days: 7}}
  - {name: views_before, type: event_counter, event: [Product Viewed, Product Added], window: {from: {days: 14}, to: {days: 7}}}
  - {name: views_month, type: event_counter, event: Product Viewed, window: {months: 1}}
  - name: shoe_views
    type: event_counter
    event: Product Viewed
    filter:
      type: And
      conditions:
        - {type: Column, column: properties.category, operator: {type: Equal, value: Shoes}}
        - {type: Column, column: properties.price, operator: {type: Greater, value: 10}}
  - {name: viewed_value, type: aggregation, aggregation: sum, property: properties.price, event: Product Viewed}
  - {name: viewed_average, type: aggregation, aggregation: avg, property: properties.price, event: Product Viewed}
  - {name: dearest_view, type: aggregation, aggregation: max, property: properties.price}
  - {name: first_view_at, type: aggregation, aggregation: min, property: occurred_at, event: Product Viewed}
  - {name: favourite, type: most_frequent, property: properties.category, event: Product Viewed}
  - {name: favourite_once, type: most_frequent, property: properties.category, event: Product Viewed, at_least: 1}
  - {name: first_category, type: first, property: properties.category}
  - {name: last_price, type: last, property: properties.price, value_type: number}
  - {name: categories_seen, type: unique_list, property: properties.category, limit: 2}
  - {name: categories_counted, type: unique_list_count, property: properties.category}
  - {name: spent_online, type: aggregation, aggregation: sum, property: amount, from: orders, window: {days: 90}, filter: {type: Or, conditions: [{type: Column, column: channel, operator: {type: In, value: [web, app]}}]}}
  - {name: average_spent, type: aggregation, aggregation: avg, property: amount, from: orders}
  - {name: last_campaign, type: last, property: campaign.name, from: orders}
  - {name: first_bought_on, type: first, property: ordered_on, from: orders}
  - {name: orders_counted, type: event_counter, from: orders}
  - {name: pieces, type: aggregation, aggregation: sum, property: quantity, from: order_lines}
  - {name: last_line, type: aggregation, aggregation: max, property: line_no, from: order_lines}
  - {name: brands, type: unique_list, property: brand, from: order_lines}
"""

# What each trait is, in SQL over the whole table `t` with the time as `at`: told once more, and in other words.
_NUMBER = "CASE WHEN try_cast(properties['price'] AS double) BETWEEN -1e300 AND 1e300 THEN try_cast(properties['price'] AS double) END"
_VIEW = "event = 'Product Viewed'"
_SORTED = "array_sort(collect_list({0}) FILTER (WHERE {1}), (a, b) -> CASE WHEN a < b THEN -1 WHEN a > b THEN 1 ELSE 0 END)"
_FIRST = "struct(at, kind, source, reference)"
WANTED: dict[str, dict[str, str]] = {
    "timeline": {
        "views": f"count_if({_VIEW})",
        "views_7d": f"count_if({_VIEW} AND at >= TIMESTAMP'2026-03-23 00:00:00Z')",
        "views_before": "count_if(event IN ('Product Viewed', 'Product Added')"
        " AND at >= TIMESTAMP'2026-03-16 00:00:00Z' AND at < TIMESTAMP'2026-03-23 00:00:00Z')",
        "views_month": f"count_if({_VIEW} AND at >= TIMESTAMP'2026-02-28 00:00:00Z')",
        "shoe_views": f"count_if({_VIEW} AND properties['category'] = 'Shoes' AND {_NUMBER} > 10)",
        "viewed_value": f"coalesce(sum({_NUMBER}) FILTER (WHERE {_VIEW}), 0)",
        "viewed_average": f"avg({_NUMBER}) FILTER (WHERE {_VIEW})",
        "dearest_view": f"max({_NUMBER})",
        "first_view_at": f"min(at) FILTER (WHERE {_VIEW})",
        "first_category": f"min_by(properties['category'], {_FIRST}) FILTER (WHERE trim(properties['category']) != '')",
        "last_price": f"max_by({_NUMBER}, {_FIRST}) FILTER (WHERE {_NUMBER} IS NOT NULL)",
        "categories_seen": "nullif(slice(sort_array(collect_set(nullif(trim(properties['category']), ''))), 1, 2), array())",
        "categories_counted": "count(DISTINCT nullif(trim(properties['category']), ''))",
    },
    "orders": {
        "spent_online": "coalesce(sum(amount) FILTER (WHERE channel IN ('web', 'app') AND at >= TIMESTAMP'2025-12-30 00:00:00Z'), 0)",
        "average_spent": "avg(amount)",
        "last_campaign": "max_by(campaign.name, struct(at, source, order_id)) FILTER (WHERE campaign.name IS NOT NULL)",
        "first_bought_on": "min_by(ordered_on, struct(at, source, order_id))",
        "orders_counted": "count(*)",
    },
    "order_lines": {
        "pieces": "sum(quantity)",
        "last_line": "max(line_no)",
        "brands": "nullif(sort_array(collect_set(brand)), array())",
    },
}


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> TraitsConfig:
    folder = tmp_path_factory.mktemp("conf")
    (folder / "traits.yaml").write_text(CONFIG, encoding="utf-8")
    return load_traits(ConfigFolder(folder))


def some_time(chance: random.Random) -> datetime:
    """Often an edge: the first and last instant of a window, and one too early or too late."""
    edge = END - timedelta(days=chance.choice([0, 1 / 24, 1, 7, 14, 30, 90]))
    if chance.random() < 0.3:
        edge = datetime(2026, 2, 28)
    return edge + chance.choice([timedelta(0), timedelta(microseconds=-1), timedelta(hours=-5), timedelta(hours=2)])


@pytest.fixture(scope="module")
def tables(fill: Fill) -> dict[str, DataFrame]:
    chance = random.Random(5)
    prices = ["5", "12.5", " 40 ", "cheap", "NaN", "Infinity", "-3", None]

    def entry(n: int) -> dict[str, Any]:
        properties = {"category": chance.choice(["Shoes", "Books", "Toys", " ", None]), "price": chance.choice(prices)}
        return {"customer_id": f"c{chance.randrange(12)}", "occurred_at": some_time(chance), "kind": "event",
                "source": chance.choice(["web", "app"]), "reference": f"e{n}",
                "event": chance.choice(["Product Viewed", "Product Added", "Page Viewed"]),
                "properties": {k: v for k, v in properties.items() if v is not None} or None}  # fmt: skip

    def order(n: int) -> dict[str, Any]:
        at = some_time(chance)
        campaign = {"name": chance.choice(["spring", "news", None]), "source": None, "medium": None, "content": None, "term": None}
        return {"customer_id": chance.choice([None, "c1", "c2", "c3"]), "source": "shop", "order_id": f"o{n}", "ordered_at": at,
                "ordered_on": at.date(), "amount": Decimal(chance.randrange(-500, 5000)) / 100,
                "channel": chance.choice(["web", "app", "store"]), "campaign": chance.choice([campaign, None])}  # fmt: skip

    def line(n: int) -> dict[str, Any]:
        return {"customer_id": chance.choice([None, "c1", "c2"]), "source": "shop", "order_id": f"o{n % 9}", "line_no": n,
                "ordered_at": some_time(chance), "quantity": Decimal(chance.randrange(1, 5000)) / 1000,
                "brand": chance.choice(["b", "a", None])}  # fmt: skip

    return {
        "timeline": fill(TIMELINE, *[entry(n) for n in range(400)]),
        "orders": fill(CUSTOMER_ORDERS, *[order(n) for n in range(60)]),
        "order_lines": fill(CUSTOMER_ORDER_LINES, *[line(n) for n in range(60)]),
    }


@pytest.mark.parametrize("input_", INPUTS)
@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_traits_equal_independent_sql_at_the_edges_of_windows_and_in_any_zone(
    spark: SparkSession, config: TraitsConfig, tables: dict[str, DataFrame], input_: str, zone: str
) -> None:
    traits = [t for t in config.counted if t.from_ == input_ and t.name in WANTED[input_]]
    at, rows = MOMENT[input_], tables[input_].localCheckpoint()
    spark.conf.set("spark.sql.session.timeZone", zone)
    try:
        found = computed(rows, traits, input_, CLOCK)
        # Sums are 0 for who has no entry where traits are put together; here nobody is told.
        filled = {t.name: 0 for t in traits if t.name in ("viewed_value", "spent_online")}
        found = found.na.fill(filled) if filled else found
        known = rows.where(f"customer_id IS NOT NULL AND {at} < TIMESTAMP'2026-03-30 00:00:00Z'")
        known.withColumn("at", known[at]).createOrReplaceTempView("t")
        asked = ", ".join(f"CAST({WANTED[input_][t.name]} AS {type_of(t)}) AS {t.name}" for t in traits)
        wanted = spark.sql(f"SELECT customer_id, {asked} FROM t GROUP BY customer_id")
        assert_df_equality(nullable(found), nullable(wanted), ignore_row_order=True)
    finally:
        spark.conf.set("spark.sql.session.timeZone", "UTC")
        spark.catalog.dropTempView("t")


def nullable(rows: DataFrame) -> DataFrame:
    """The same rows under a schema that says nothing of nulls, in lists neither."""
    return rows.sparkSession.createDataFrame(rows.collect(), ", ".join(f"{name} {type_}" for name, type_ in rows.dtypes))


def test_the_most_frequent_value_needs_two_entries_and_ties_go_by_name(
    config: TraitsConfig, fill: Fill
) -> None:
    def seen(customer: str, *categories: str) -> list[dict[str, Any]]:
        return [
            {"customer_id": customer, "occurred_at": END - timedelta(hours=n + 1), "kind": "event", "event": "Product Viewed",
             "reference": f"{customer}{n}", "properties": {"category": c}} for n, c in enumerate(categories)
        ]  # fmt: skip

    rows = fill(TIMELINE, *seen("ann", "Toys", "Books", "Toys", "Books"), *seen("bob", "Toys"), *seen("cyd", "b", "B", "b"))
    wanted = [t for t in config.counted if t.name.startswith("favourite")]
    found = {r["customer_id"]: (r["favourite"], r["favourite_once"]) for r in computed(rows, wanted, "timeline", CLOCK).collect()}
    assert found == {"ann": ("Books", "Books"), "bob": (None, "Toys"), "cyd": ("b", "b")}


def test_an_entry_after_the_runs_date_changes_nothing(config: TraitsConfig, tables: dict[str, DataFrame]) -> None:
    traits: list[Counted] = [t for t in config.counted if t.from_ == "timeline"]
    rows = tables["timeline"]
    known = rows.where("occurred_at < TIMESTAMP'2026-03-30 00:00:00Z'")
    assert rows.count() > known.count()
    one, other = computed(rows, traits, "timeline", CLOCK), computed(known, traits, "timeline", CLOCK)
    assert_df_equality(one, other, ignore_row_order=True)
