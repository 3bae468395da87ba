"""What `train` and `score` take with many customers.

    python benchmarks/models/stages.py [--customers 100000 1000000] [--no-reasons]

Customers of three years are made up in Spark, who come back and leave as BG/NBD says, with an order line for each order and an
e-mail now and then; then both stages run on their lake, with two horizons and without recommendations. Printed are the seconds
of each, and what the training told. The same number gives the same customers.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "lib"))

from cdp.base.console import Console  # noqa: E402 - the library is found by the line above
from cdp.base.contracts import Table  # noqa: E402
from cdp.base.lake import Lake  # noqa: E402
from cdp.base.session import fit_to, spark_session  # noqa: E402
from cdp.base.settings import ConfigFolder  # noqa: E402
from cdp.base.stage import Run  # noqa: E402
from cdp.models.run import score, train  # noqa: E402
from cdp.tables.gold import CUSTOMER_ORDER_LINES, CUSTOMER_ORDERS, TIMELINE  # noqa: E402

AS_OF = date(2026, 1, 31)
DAYS = 1095
_CUSTOMERS_A_TASK = 50_000
_BYTES_OF_A_CUSTOMER = 1000
_MOST_ORDERS = 60


def orders(spark: SparkSession, customers: int) -> DataFrame:
    """number, ago (days before `AS_OF`), amount."""

    def made(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for batch in batches:
            rng = np.random.default_rng([7, int(batch["id"].iloc[0])])
            n = len(batch)
            first, gap = rng.integers(0, DAYS, n), 1 / np.maximum(rng.gamma(0.6, 1 / 45, n), 1e-4)
            usual, leaves = rng.gamma(6, 8, n), rng.beta(0.8, 3, n)
            number, day, alive = batch["id"].to_numpy(), first.astype(float), np.ones(n, dtype=bool)
            for _ in range(_MOST_ORDERS):
                alive &= day < DAYS
                amount = np.round(usual * rng.gamma(4, 0.25, n), 2) + 1
                yield pd.DataFrame({"number": number, "ago": DAYS - 1 - day, "amount": amount})[alive].astype(
                    {"ago": int}
                )
                alive &= rng.random(n) >= leaves
                day = day + np.ceil(rng.exponential(gap))

    tasks = max(2, customers // _CUSTOMERS_A_TASK)
    return spark.range(0, customers, 1, tasks).mapInPandas(made, "number bigint, ago int, amount double")


def fill(lake: Lake, customers: int) -> int:
    """Orders, lines and e-mails of so many customers; how many orders there are."""
    path = f"{lake.root}-made"
    orders(lake.spark, customers).write.parquet(path)
    made = lake.spark.read.parquet(path).withColumn("on", F.date_sub(F.lit(AS_OF), F.col("ago")))
    rows = made.selectExpr(
        "concat('c', number) AS customer_id", "'shop' AS source", "concat(number, '-', ago) AS order_id", "on AS ordered_on",
        "CAST(on AS timestamp) AS ordered_at", "'completed' AS status", "CAST(amount AS decimal(18,2)) AS amount",
        "0 AS refunded", "CAST(amount AS decimal(18,2)) AS net_amount", "1 AS line_no", "concat('p', number % 500) AS product_id",
        "1 AS quantity", "concat('k', ago % 9) AS category", "'web' AS channel",
    ).dropDuplicates(["order_id"])  # fmt: skip
    mails = made.where("number % 3 = 0").selectExpr(
        "concat('c', number) AS customer_id", "CAST(on AS timestamp) AS occurred_at", "'event' AS kind", "'mail' AS source",
        "concat(number, '-', ago) AS reference", "'Email Delivered' AS event", "'email' AS channel",
    ).dropDuplicates(["reference"])  # fmt: skip
    for table, found in ((CUSTOMER_ORDERS, rows), (CUSTOMER_ORDER_LINES, rows), (TIMELINE, mails)):
        lake.replace(table, _as(table, found))
    return lake.read(CUSTOMER_ORDERS).count()


def _as(table: Table, rows: DataFrame) -> DataFrame:
    return rows.select(
        *[(F.col(c.name) if c.name in rows.columns else F.lit(None)).cast(c.type).alias(c.name) for c in table.columns]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--no-reasons", action="store_true", help="leave out why scores are what they are")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    sys.stdout.reconfigure(line_buffering=True)
    spark = spark_session("models", memory="6g")
    conf = folder / "conf"
    conf.mkdir()
    reasons = "false" if arguments.no_reasons else "true"
    (conf / "models.yaml").write_text(f"recommendations: false\nreasons: {reasons}\n", encoding="utf-8")
    try:
        for customers in arguments.customers:
            lake = Lake(spark, str(folder / str(customers)))
            # The stages' session is fitted to the whole lake, of which this one has three tables.
            fit_to(spark, customers * _BYTES_OF_A_CUSTOMER, compiled=True)
            count = fill(lake, customers)
            run = Run(
                run_id="benchmark", job="train", as_of=AS_OF, started_at=datetime(2026, 2, 1), lake=lake,
                config=ConfigFolder(conf), landing="", console=Console("quiet"),
            )  # fmt: skip
            print(f"{customers:,} customers, {count:,} orders")
            for name, stage in (("train", train), ("score", score)):
                began = time.perf_counter()
                result = stage(run)
                print(
                    f"  {name:6} {time.perf_counter() - began:6.1f} s",
                    *[f"    {note}" for note in result.notes],
                    sep="\n",
                )
    finally:
        spark.stop()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
