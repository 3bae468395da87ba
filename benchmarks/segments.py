"""What segments cost: the `segment` stage with 100 and with 110 segments, beside one plain pass over the same events.

    python benchmarks/segments.py [--customers 1000000] [--events 20000000]

Makes profiles, traits, predictions, consent and a timeline of so many, then reads, groups and writes the events once by customer
with Spark alone, and finds the members of 100 segments, a third of which ask what people did (a few in what order), and of
ten more. Everything is written and judged as in any run. What counts are the ratios.
"""

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from cdp.base.console import Console
from cdp.base.contracts import Table
from cdp.base.lake import Lake
from cdp.base.session import fit_to, spark_session
from cdp.base.settings import ConfigFolder
from cdp.base.stage import Run
from cdp.segments.run import STAGE
from cdp.tables.gold import EFFECTIVE_CONSENT, PREDICTIONS, PROFILES, SEGMENT_STATUS, TIMELINE, TRAITS

AS_OF = date(2026, 1, 31)
EVENTS = (
    "Product Viewed",
    "Product Added",
    "Checkout Started",
    "Order Completed",
    "Email Opened",
    "Email Link Clicked",
)
CATEGORIES = ("Women", "Men", "Shoes", "Kids", "Home", "Beauty", "Sports", "Electronics")
COUNTRIES = ("FR", "DE", "GB", "ES", "US")
PURPOSES = ("email_marketing", "advertising")
FEW, MANY = 100, 110
_BYTES_AN_EVENT = 30


def filled(rows: DataFrame, table: Table) -> DataFrame:
    """The columns of the table; those that the rows lack are empty."""
    return rows.select(
        *[(F.col(c.name) if c.name in rows.columns else F.lit(None)).cast(c.type).alias(c.name) for c in table.columns]
    )


def one_of(values: tuple[str, ...], seed: int) -> Column:
    return F.element_at(F.lit(list(values)), (F.rand(seed) * len(values)).cast("int") + 1)


def below(count: int, seed: int) -> Column:
    return (F.rand(seed) * count).cast("bigint")


def make(spark: SparkSession, lake: Lake, customers: int, events: int) -> None:
    """What the stage reads."""
    end = F.lit(AS_OF.isoformat()).cast("timestamp")

    def put(table: Table, rows: DataFrame) -> None:
        filled(rows, table).write.format("delta").save(lake.path(table))

    def days_ago(days: Column) -> Column:
        return F.timestamp_seconds(F.unix_timestamp(end) + 86_399 - (days * 86_400).cast("bigint"))

    people = spark.range(customers).select(F.concat(F.lit("c"), "id").alias("customer_id"))
    put(
        PROFILES,
        people.withColumns({
            "is_anonymous": F.rand(1) < 0.1,
            "country": one_of(COUNTRIES, 2),
            "city": F.concat(F.lit("City "), below(500, 3)),
            "birth_date": F.date_sub(F.lit(AS_OF), (F.rand(4) * 25_000).cast("int") + 6_500),
        }),
    )  # fmt: skip
    put(
        TRAITS,
        people.withColumns({
            "orders": (-F.log(F.rand(5)) * 3).cast("bigint"),
            "revenue": -F.log(F.rand(6)) * 150,
            "orders_365d": (-F.log(F.rand(7)) * 1.5).cast("bigint"),
            "days_since_last_order": (-F.log(F.rand(8)) * 150).cast("int"),
            "last_order_at": days_ago(F.rand(9) * 700),
            "last_active_at": days_ago(F.rand(10) * 400),
            "preferred_channel": one_of(("web", "app", "store"), 11),
            "categories": F.array_distinct(F.array(one_of(CATEGORIES, 12), one_of(CATEGORIES, 13))),
            "emails_clicked_90d": (-F.log(F.rand(14)) * 2).cast("bigint"),
            "open_tickets": F.when(F.rand(15) < 0.02, 1).otherwise(0),
        }),
    )  # fmt: skip
    put(
        PREDICTIONS,
        people.withColumns({
            "horizon_days": F.lit(90),
            "ltv": -F.log(F.rand(16)) * 40,
            "ltv_percentile": F.rand(17),
            "churn_percentile": F.rand(18),
            "tier": one_of(("top_1", "top_5", "top_10", "top_25", "top_50", "rest"), 19),
        }),
    )  # fmt: skip
    asked = people.select("customer_id", F.explode(F.lit(list(PURPOSES))).alias("purpose"))
    put(EFFECTIVE_CONSENT, asked.withColumn("is_allowed", F.rand(20) < 0.7))
    properties = F.create_map(
        *(F.lit("price"), F.round(F.rand(21) * 100, 2).cast("string")),
        *(F.lit("category"), one_of(CATEGORIES, 22)),
        *(F.lit("product_id"), F.concat(F.lit("p"), below(500, 23))),
        *(F.lit("cart_id"), F.concat(F.lit("cart"), below(events // 5, 24))),
    )
    put(
        TIMELINE,
        spark.range(events).select(
            # Some do much and many do little.
            F.concat(F.lit("c"), (F.pow(F.rand(25), 2) * customers).cast("bigint")).alias("customer_id"),
            days_ago(F.rand(26) * 730).alias("occurred_at"),
            F.lit("event").alias("kind"),
            F.lit("web").alias("source"),
            F.col("id").cast("string").alias("reference"),
            one_of(EVENTS, 27).alias("event"),
            one_of(("web", "app"), 28).alias("channel"),
            properties.alias("properties"),
        ),
    )


def did(n: int) -> dict[str, Any]:
    """A condition on what people did."""
    event, days = EVENTS[n % len(EVENTS)], 7 * (n % 20 + 1)
    window = {"timeWindow": {"duration": days, "unit": "day"}}
    of = {"type": "Value", "source": "behavior_timeline", "event": event}
    category = {
        "type": "Column",
        "column": "properties.category",
        "operator": {"type": "Equal", "value": CATEGORIES[n % 8]},
    }
    box = {"within": {"duration": n % 7 + 1, "unit": "day"}}
    kinds: list[dict[str, Any]] = [
        {**of, **window, "operator": {"type": "GreaterEqual", "value": 2 + days // 20}},
        {**of, **window, "aggregation": {"type": "Sum", "column": "properties.price"}, "operator": {"type": "Greater", "value": 60 + 3 * days}},
        {**of, **window, "aggregation": {"type": "CountDistinct", "column": "properties.product_id"}, "operator": {"type": "GreaterEqual", "value": 2 + days // 20}},
        {**of, **window, "filter": {"type": "And", "conditions": [category]}, "operator": {"type": "GreaterEqual", "value": 2}},
        {**of, "aggregation": {"type": "Max", "column": "occurred_at"}, "operator": {"type": "TimeWithinPast", "value": days // 7 + 1, "unit": "day"}},
        {"type": "Sequence", **window, "steps": [{"event": EVENTS[n % 3]}, {"event": "Order Completed", "not": True, **box}], "correlateOn": ["properties.cart_id"], "keep": ["properties.cart_id"]}
        if n % 2
        else {"type": "Sequence", **window, "steps": [{"event": EVENTS[n % 3]}, {"event": EVENTS[n % 3 + 1], **box}]},
    ]  # fmt: skip
    return kinds[n % len(kinds)]


def known(n: int) -> dict[str, Any]:
    """A condition on what is known of people."""
    kinds: list[tuple[str, dict[str, Any]]] = [
        ("traits.orders", {"type": "GreaterEqual", "value": n % 9 + 3}),
        ("traits.days_since_last_order", {"type": "Between", "min": n * 3, "max": n * 3 + 30}),
        ("profile.country", {"type": "In", "value": [COUNTRIES[n % 5], COUNTRIES[(n + 1) % 5]]}),
        ("traits.last_active_at", {"type": "TimeWithinPast", "value": n % 60 + 7, "unit": "day"}),
        ("traits.categories", {"type": "Equal", "value": CATEGORIES[n % 8]}),
        ("traits.revenue", {"type": "Greater", "value": 100 + 5 * n}),
        ("profile.city", {"type": "StartWith", "value": f"City {n}"}),
        ("traits.preferred_channel", {"type": "Equal", "value": ("web", "app", "store")[n % 3]}),
        ("predictions.churn_percentile", {"type": "GreaterEqual", "value": 0.5 + n % 40 / 100}),
        ("predictions.tier", {"type": "In", "value": ["top_1", "top_5", "top_10"]}),
        ("consent.advertising", {"type": "Equal", "value": True}),
    ]
    path, operator = kinds[n % len(kinds)]
    horizon = {"horizon_days": 90} if path.startswith("predictions") else {}
    return {"type": "Value", "attribute": path, "operator": operator, **horizon}


def segments(count: int) -> list[dict[str, Any]]:
    """Every third asks what people did and some thing known; the others three things known, one of ten for another segment."""
    made: list[dict[str, Any]] = []
    for n in range(count):
        if n % 3 == 0:
            conditions = [did(n // 3), known(n)]
        else:
            conditions = [known(n), {"type": "Or", "conditions": [known(n + 1), known(n + 4)]}, known(n + 2)]
        if n % 10 == 1:
            conditions[0] = {"type": "exclude", "segment": made[n - 1]["name"]}
        name = f"s{n:03}"
        rule = {"type": "And", "conditions": conditions}
        made.append({"name": name, "purpose": PURPOSES[n % 2], "holdout": {"percent": 10}, "rule": rule})
    return made


def seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=20_000_000)
    parser.add_argument("--times", type=int, default=2, help="how often each is measured; the least time counts")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    spark = spark_session("segments", memory="8g")
    lake = Lake(spark, str(folder / "lake"))
    for count in (FEW, MANY):
        (folder / f"conf{count}" / "segments").mkdir(parents=True)
        for segment in segments(count):
            file = folder / f"conf{count}" / "segments" / f"{segment['name']}.yaml"
            file.write_text(yaml.safe_dump(segment), encoding="utf-8")

    def plainly() -> None:
        price = F.sum(F.col("properties")["price"].try_cast("double")).alias("price")
        rows = lake.read(TIMELINE).groupBy("customer_id")
        found = rows.agg(F.count("*").alias("n"), F.max("occurred_at").alias("last"), price)
        found.write.format("delta").mode("overwrite").save(str(folder / "plain"))

    def stage(count: int, day: date = AS_OF) -> None:
        config = ConfigFolder(folder / f"conf{count}")
        result = STAGE.run(
            Run("bench", "bench", day, datetime(2026, 2, 1), lake, config, str(folder), Console("quiet"))
        )
        assert not result.broken_rules, result.broken_rules

    try:
        # The stage fits the session itself; what it is held against is compiled, whatever the size.
        fit_to(spark, arguments.events * _BYTES_AN_EVENT, compiled=True)
        make(spark, lake, arguments.customers, arguments.events)
        plain = min(seconds(plainly) for _ in range(arguments.times + 1))  # the first one warms the JVM
        took: dict[int, list[float]] = {FEW: [], MANY: []}
        for _ in range(arguments.times):
            for count, times in took.items():
                times.append(seconds(lambda count=count: stage(count)))  # type: ignore[misc]
        next_day = seconds(lambda: stage(FEW, AS_OF + timedelta(days=1)))
        sizes = [row["size"] for row in lake.read(SEGMENT_STATUS).collect()]
    finally:
        shutil.rmtree(folder)
    few, many = min(took[FEW]), min(took[MANY])
    print(
        f"{arguments.events:,} events of {arguments.customers:,} customers, {sum(sizes):,} memberships, {sizes.count(0)} empty"
    )
    print(f"one scan, group and write        {plain:7.1f} s")
    print(f"{FEW} segments, everybody new      {few:7.1f} s   {few / plain:5.1f} x")
    print(f"{FEW} segments, the day after      {next_day:7.1f} s   {next_day / plain:5.1f} x")
    print(f"{MANY} segments, everybody new      {many:7.1f} s   {many / few - 1:+6.1%}")


if __name__ == "__main__":
    main()
