"""How well `train` and `score` predict a real shop from their defaults, beside the textbook and plain rules.

    python benchmarks/models/shop.py [--data ../shared/data] [--shop online_retail|cdnow]

For several days of the past a lake is made of what was known then, both stages run on it, and the predictions are held against
what came. Printed for each window are, of revenue, the normalised Gini coefficient and the error of the total, of churn ROC
AUC, Brier score and calibration error, and the share of customers within the 80 % interval; for the peers the same where they
say it. The textbook is BG/NBD and Gamma-Gamma, fitted on the same customers.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "lib"))

from cdp.base.console import Console  # noqa: E402 - the library is found by the line above
from cdp.base.lake import Lake  # noqa: E402
from cdp.base.session import spark_session  # noqa: E402
from cdp.base.settings import ConfigFolder  # noqa: E402
from cdp.base.stage import Run  # noqa: E402
from cdp.models.activity import daily_activity, daily_orders  # noqa: E402
from cdp.models.features import features, outcomes  # noqa: E402
from cdp.models.metrics import churn_metrics, value_metrics  # noqa: E402
from cdp.models.run import score, train  # noqa: E402
from cdp.models.textbook import Textbook  # noqa: E402
from cdp.tables.gold import CUSTOMER_ORDER_LINES, CUSTOMER_ORDERS, PREDICTIONS, TIMELINE  # noqa: E402

WINDOWS = {
    "online_retail": [
        ("2011-09-10", 90),
        ("2011-08-11", 90),
        ("2011-07-12", 90),
        ("2011-06-12", 90),
        ("2011-06-12", 180),
    ],
    "cdnow": [("1997-09-30", 273), ("1997-12-31", 180), ("1998-03-31", 90)],
}
FIGURES = ("gini", "total", "auc", "brier", "ece", "within_80")


def online_retail(folder: Path) -> pd.DataFrame:
    """A row an order or return of a known customer: customer_id, order_id, on, amount, is_return, lines, pieces."""
    rows = pd.read_csv(folder / "retail" / "online_retail" / "online_retail.csv.gz", dtype={"CustomerID": "string"})
    rows = rows[rows["CustomerID"].notna()]
    rows["amount"] = rows["Quantity"] * rows["UnitPrice"]
    rows["on"] = pd.to_datetime(rows["InvoiceDate"]).dt.date
    found = rows.groupby(["CustomerID", "InvoiceNo"], as_index=False).agg(
        on=("on", "min"), amount=("amount", "sum"), lines=("StockCode", "size"), pieces=("Quantity", "sum")
    )
    found["is_return"] = found["InvoiceNo"].astype(str).str.startswith("C")
    return found.rename(columns={"CustomerID": "customer_id", "InvoiceNo": "order_id"})


def cdnow(folder: Path) -> pd.DataFrame:
    """The same of CDNOW's published sample, in which nothing is returned."""
    names = ["master", "customer_id", "on", "pieces", "amount"]
    rows = pd.read_csv(
        folder / "retail" / "cdnow" / "CDNOW_sample.txt", sep=r"\s+", header=None, names=names, dtype=str
    )
    rows["on"] = pd.to_datetime(rows["on"], format="%Y%m%d").dt.date
    rows["order_id"] = [str(i) for i in range(len(rows))]
    return rows.astype({"amount": float, "pieces": float}).assign(is_return=False, lines=1)


def fill(lake: Lake, orders: pd.DataFrame, *, until: date) -> None:
    """`gold.orders` and a line for each of them, of what was known on a day."""
    known = orders[orders["on"] <= until]
    rows = lake.spark.createDataFrame(known).withColumn("ordered_at", F.col("on").cast("timestamp"))
    status = F.when(F.col("is_return"), "returned").otherwise("completed").alias("status")
    made = {
        "source": F.lit("shop"),
        "ordered_on": F.col("on"),
        "status": status,
        "amount": F.col("amount").cast("decimal(18,2)"),
        "refunded": F.lit(0).cast("decimal(18,2)"),
        "net_amount": F.col("amount").cast("decimal(18,2)"),
        "line_no": F.lit(1),
        "product_id": F.lit("any"),
        "quantity": F.col("pieces").cast("decimal(18,3)"),
    }
    for table in (CUSTOMER_ORDERS, CUSTOMER_ORDER_LINES):
        columns = [
            made.get(c.name, F.col(c.name) if c.name in rows.columns else F.lit(None).cast(c.type)).alias(c.name)
            for c in table.columns
        ]
        lake.replace(table, rows.select(*columns))
    lake.replace(TIMELINE, lake.spark.createDataFrame([], TIMELINE.schema))


def windows(spark: SparkSession, orders: pd.DataFrame, cuts: list[tuple[str, int]]) -> Iterator[dict[str, object]]:
    """A row of figures for each window and method."""
    for text, horizon in cuts:
        as_of = date.fromisoformat(text)
        with tempfile.TemporaryDirectory() as folder:
            conf = Path(folder) / "conf"
            conf.mkdir()
            (conf / "models.yaml").write_text(f"horizons_days: [{horizon}]\nrecommendations: false\n")
            lake = Lake(spark, f"{folder}/lake")
            fill(lake, orders, until=as_of)
            run = Run(
                run_id="benchmark", job="train", as_of=as_of, started_at=datetime.combine(as_of, datetime.min.time()), lake=lake,
                config=ConfigFolder(conf), landing="", console=Console("quiet"),
            )  # fmt: skip
            began = time.monotonic()
            notes = [*train(run).notes, *score(run).notes]
            seconds = time.monotonic() - began
            told = lake.read(PREDICTIONS).where("tier <> 'prospect'").toPandas().set_index("customer_id").sort_index()
            inputs = [lake.read(t) for t in (CUSTOMER_ORDERS, CUSTOMER_ORDER_LINES, TIMELINE)]
            known = (
                features(daily_activity(*inputs, as_of=as_of), [as_of]).toPandas().set_index("customer_id").sort_index()
            )
            fill(lake, orders, until=as_of + timedelta(days=horizon))
            later = daily_orders(lake.read(CUSTOMER_ORDERS), as_of=as_of + timedelta(days=horizon))
            after = (
                outcomes(later, [as_of], [horizon]).toPandas().set_index("customer_id").reindex(known.index).fillna(0)
            )
            actual = np.maximum(after[f"revenue_next_{horizon}"].to_numpy(float), 0)
            away = (after[f"order_days_next_{horizon}"].to_numpy() == 0).astype(float)
            print(
                f"# {as_of}, {horizon} days: {seconds:.0f} s; " + "; ".join(n for n in notes if " days: " in n),
                file=sys.stderr,
            )
            told = told.loc[known.index]
            textbook = Textbook.fitted(known.reset_index(drop=True)).columns(known.reset_index(drop=True), horizon)
            share = horizon / min(365, int(known["age_days"].max()))
            said = {
                "cdp": (told["ltv"].to_numpy(), told["churn_probability"].to_numpy()),
                "BG/NBD + Gamma-Gamma": (
                    textbook["lifetime_revenue"].to_numpy(),
                    1 - textbook["lifetime_buys"].to_numpy(),
                ),
                "last 365 days": (np.maximum(known["revenue_365d"].to_numpy(), 0) * share, None),
                "recency": (None, known["recency_days"].to_numpy()),
            }
            for name, (revenue, churn) in said.items():
                row: dict[str, object] = {"window": f"{as_of} {horizon}d", "method": name}
                if revenue is not None:
                    found = value_metrics(actual, revenue)
                    row |= {"gini": found["normalised_gini"], "total": found["total_bias"]}
                if churn is not None:
                    is_probability = churn.max() <= 1
                    of_churn = churn_metrics(away, churn if is_probability else churn / (churn.max() + 1))
                    row["auc"] = of_churn["roc_auc"]
                    if is_probability:
                        row |= {"brier": of_churn["brier"], "ece": of_churn["calibration_error"]}
                if name == "cdp" and told["ltv_low"].notna().all():
                    row["within_80"] = ((actual >= told["ltv_low"]) & (actual <= told["ltv_high"])).mean()
                yield row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=PROJECT.parent / "shared" / "data")
    parser.add_argument("--shop", choices=list(WINDOWS), default="online_retail")
    options = parser.parse_args()
    orders = {"online_retail": online_retail, "cdnow": cdnow}[options.shop](options.data)
    spark = spark_session("benchmark")
    found = pd.DataFrame(windows(spark, orders, WINDOWS[options.shop]))
    spark.stop()
    for figure in FIGURES:
        table = found.pivot(index="method", columns="window", values=figure).dropna(how="all")
        table["mean size"] = table.abs().mean(axis=1)
        print(f"\n{figure}\n{table.round(4).to_string(na_rep='-')}")


if __name__ == "__main__":
    main()
