"""What profiles and computed traits cost: the steps of the `profile` stage, beside one plain pass over the same events.

    python benchmarks/traits.py [--events 1000000] [--customers 100000]

Makes a lake of that many events, then reads, groups and writes them once by customer with Spark alone, and builds profiles,
and traits with 40 and with 400 traits of one's own. What counts are the ratios.
"""

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import yaml
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from cdp.base.console import Console
from cdp.base.contracts import Table
from cdp.base.lake import Lake
from cdp.base.session import fit_to, spark_session
from cdp.base.settings import ConfigFolder
from cdp.base.stage import Run
from cdp.gold.run import STAGE
from cdp.tables.gold import TIMELINE
from cdp.tables.identity import ASSIGNMENTS
from cdp.tables.silver import CUSTOMER_RECORDS, EVENTS

AS_OF = date(2026, 1, 31)
NAMES = [f"Event {n}" for n in range(12)]
_BYTES_OF_AN_EXTRACT = 250
"""An event as a line of JSON."""
COLUMNS = ("price", "brand", "product_id")


def filled(rows: DataFrame, table: Table) -> DataFrame:
    """The columns of the table; those that the rows lack are empty."""
    nothing = {"string": "''", "int": "0", "bigint": "0L", "timestamp": "TIMESTAMP'2025-01-01'"}
    empty = {c.name: "map()" if c.type.startswith("map") else "array()" for c in table.columns}
    made = {
        c.name: f"CAST({'NULL' if c.nullable else nothing.get(c.type, empty[c.name])} AS {c.type}) AS {c.name}"
        for c in table.columns
    }
    return rows.selectExpr(*[c.name if c.name in rows.columns else made[c.name] for c in table.columns])


def make(spark: SparkSession, lake: Lake, events: int, customers: int) -> None:
    """Silver events and records, and who is who: each record a customer."""
    number = F.col("id").cast("string")
    records = spark.range(customers).select(
        F.lit("crm").alias("source"),
        number.alias("record_key"),
        F.concat(F.lit("c"), number).alias("customer_id"),
        F.concat(F.lit("Given"), (F.col("id") % 997).cast("string")).alias("given_name"),
        F.concat(F.lit("Family"), (F.col("id") % 4999).cast("string")).alias("family_name"),
        F.timestamp_seconds(F.lit(1.6e9) + F.rand(1) * 86400 * 1000).alias("updated_at"),
        F.lit(True).alias("is_current"),
    )
    lake.replace(ASSIGNMENTS, filled(records.withColumn("valid_from", F.col("updated_at")), ASSIGNMENTS))
    lake.replace(CUSTOMER_RECORDS, filled(records, CUSTOMER_RECORDS))
    properties = F.create_map(
        *(F.lit("price"), F.round(F.rand(2) * 100, 2).cast("string")),
        *(F.lit("brand"), F.concat(F.lit("b"), (F.rand(3) * 30).cast("int").cast("string"))),
        *(F.lit("product_id"), F.concat(F.lit("p"), (F.rand(4) * 500).cast("int").cast("string"))),
    )
    rows = spark.range(events).select(
        F.lit("crm").alias("source"),
        (F.rand(5) * customers).cast("bigint").cast("string").alias("record_key"),
        F.col("id").cast("string").alias("event_id"),
        F.element_at(F.array(*[F.lit(n) for n in NAMES]), (F.rand(6) * 12).cast("int") + 1).alias("event"),
        F.timestamp_seconds(F.lit(1.7384e9) + F.rand(7) * 86400 * 365).alias("occurred_at"),
        F.element_at(F.array(F.lit("web"), F.lit("app")), (F.rand(8) * 2).cast("int") + 1).alias("channel"),
        properties.alias("properties"),
    )
    lake.replace(EVENTS, filled(rows, EVENTS))


def traits(count: int) -> dict[str, object]:
    """A traits.yaml of so many traits, of all types in turn."""
    kinds = [
        {"type": "event_counter"},
        {"type": "aggregation", "aggregation": "sum", "property": "properties.price"},
        {"type": "last", "property": "properties.brand"},
        {"type": "unique_list_count", "property": "properties.product_id"},
        {"type": "most_frequent", "property": "properties.brand"},
    ]
    return {
        "traits": [
            {"name": f"t{n}", "event": NAMES[n % 12], "window": {"days": 7 * (n % 50 + 1)}, **kinds[n % 5]} for n in range(count)
        ]
    }


def seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--customers", type=int, default=100_000)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    spark = spark_session("traits", memory="8g")
    lake = Lake(spark, str(folder / "lake"))

    def plainly() -> None:
        events = lake.read(TIMELINE)
        price = F.sum(F.col("properties")["price"].try_cast("double")).alias("price")
        found = events.groupBy("customer_id").agg(F.count("*").alias("n"), F.max("occurred_at").alias("last"), price)
        found.write.format("delta").mode("overwrite").save(str(folder / "plain"))

    def stage(count: int) -> None:
        conf = folder / f"conf{count}"
        conf.mkdir(exist_ok=True)
        (conf / "traits.yaml").write_text(yaml.safe_dump(traits(count)), encoding="utf-8")
        run = Run("bench", "bench", AS_OF, datetime(2026, 2, 1), lake, ConfigFolder(conf), str(folder), Console("quiet"))
        STAGE.run(run)

    try:
        make(spark, lake, arguments.events, arguments.customers)
        # A run counts the extracts too, which are not made here.
        fit_to(spark, lake.files.size() + arguments.events * _BYTES_OF_AN_EXTRACT)
        stage(0)  # the timeline is there, and the JVM is warm
        plain = min(seconds(plainly) for _ in range(3))
        took = {count: min(seconds(lambda count=count: stage(count)) for _ in range(2)) for count in (0, 40, 400)}  # type: ignore[misc]
    finally:
        shutil.rmtree(folder)
    print(f"{arguments.events:,} events of {arguments.customers:,} customers")
    print(f"one scan, group and write       {plain:7.1f} s")
    for count, found in took.items():
        print(f"the stage with {count:3} own traits   {found:7.1f} s   {found / plain:5.1f} x")
    print(f"400 own traits beside 40: the stage {took[400] / took[40]:.1f} x, the traits alone {(took[400] - took[0]) / max(took[40] - took[0], 0.1):.1f} x")


if __name__ == "__main__":
    main()
