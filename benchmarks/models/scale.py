"""What it takes to fit the models to millions of customers, and how near the fit comes to the truth.

    python benchmarks/models/scale.py [--customers 100000 1000000] [--truth bgnbd]

For each number: customers of three years are made up in Spark by known parameters, and written. Then Spark counts their
histories, as `train` does, and the models are fitted to the counts on the driver, with standard errors. Printed are the seconds
of both, the rows that are left, whether they are of days or of weeks, and the parameters beside the true ones. The same
numbers give the same customers.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

PROJECT = Path(__file__).resolve().parents[2]
for folder in (PROJECT, PROJECT / "lib"):
    sys.path.insert(0, str(folder))
# Spark's Python workers make the customers with the same code.
os.environ["PYTHONPATH"] = os.pathsep.join([str(PROJECT / "lib"), str(PROJECT), os.environ.get("PYTHONPATH", "")])

from cdp.base.session import fit_to, spark_session  # noqa: E402
from cdp.models.bgnbd import BgNbd  # noqa: E402
from cdp.models.counts import OrderCounts, history_counts  # noqa: E402
from cdp.models.gamma_gamma import GammaGamma  # noqa: E402
from cdp.models.likelihood import Fitted  # noqa: E402
from cdp.models.mbgnbd import MbgNbd  # noqa: E402
from cdp.models.pareto_nbd import ParetoNbd  # noqa: E402
from tests.models.simulated import simulate  # noqa: E402

CUTOFF = date(2026, 1, 31)
DAYS = 1095
# CDNOW's customers, in days.
TRUTHS = {
    "bgnbd": BgNbd(0.243, 30.9, 0.793, 2.426),
    "mbgnbd": MbgNbd(0.525, 43.3, 0.891, 1.614),
    "pareto_nbd": ParetoNbd(0.553, 74.0, 0.606, 81.7),
}
SPEND = GammaGamma(6.25, 3.74, 15.44)
CUSTOMERS_A_TASK = 250_000
_BYTES_OF_A_CUSTOMER = 1_000
"""Extracts and tables of one, by which a run fits its session."""


def make(spark: SparkSession, path: Path, model: BgNbd | MbgNbd | ParetoNbd, customers: int) -> None:
    """`features.order_history` of so many customers, in files."""

    def histories(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for batch in batches:
            # Spark cuts the same numbers into the same batches, so these are the same customers each time.
            seed = int(batch["id"].iloc[0])
            rng = np.random.default_rng([1, seed])
            age = rng.integers(1, DAYS + 1, len(batch)).astype(float)
            truth = simulate(model, age, 1.0, seed)
            x = np.maximum(truth.x, 1)
            spend = rng.gamma(SPEND.p * x, 1 / (x * rng.gamma(SPEND.q, 1 / SPEND.v, len(x))))
            yield pd.DataFrame(
                {
                    "cutoff": CUTOFF,
                    "repeat_days": truth.x,
                    "active_days": np.where(truth.x > 0, np.clip(np.rint(truth.tx), 1, age), 0),
                    "age_days": age,
                    "repeat_value": np.where(truth.x > 0, spend, np.nan),
                }
            )

    schema = "cutoff date, repeat_days double, active_days double, age_days double, repeat_value double"
    tasks = max(2, customers // CUSTOMERS_A_TASK)
    made = spark.range(0, customers, 1, tasks).mapInPandas(histories, schema)
    made.withColumn("repeat_value", F.nanvl("repeat_value", F.lit(None))).write.parquet(str(path))


def measure(spark: SparkSession, path: Path, truth: str) -> None:
    """Count, fit, and print."""
    began = time.perf_counter()
    counts = OrderCounts.collect(history_counts(spark.read.parquet(str(path))))
    unit = "days" if counts.step_days == 1 else "weeks"
    print(
        f"{counts.customers(CUTOFF):,} customers: {len(counts.table):,} rows of {unit} in {time.perf_counter() - began:.1f} s"
    )
    for name in TRUTHS:
        began = time.perf_counter()
        counts.fit_times(CUTOFF, name)
        fit = time.perf_counter() - began
        began = time.perf_counter()
        found = counts.estimate_times(CUTOFF, name)
        both = time.perf_counter() - began
        print(
            f"  {name:12} fit {fit:5.1f} s, with errors {both:5.1f} s   {found.log_likelihood:.1f}"
            + ("" if found.is_converged else "   not converged")
        )
        if name == truth:
            print_parameters(TRUTHS[name], found)
    began = time.perf_counter()
    spend = counts.estimate_spend(CUTOFF)
    print(f"  {'gamma_gamma':12} with errors {time.perf_counter() - began:5.1f} s")
    print_parameters(SPEND, spend)


def print_parameters(true: object, found: Fitted[Any]) -> None:
    for name, value in vars(true).items():
        near, error = getattr(found.model, name), found.standard_errors[name]
        shown = "-" if error is None else f"{error:.4f}"
        print(f"    {name:6} true {value:8.4f}   found {near:8.4f}   {near / value - 1:+7.2%}   standard error {shown}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--truth", choices=TRUTHS, default="bgnbd", help="the model by which customers are made up")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    sys.stdout.reconfigure(line_buffering=True)
    spark = spark_session("models", memory="6g")
    try:
        for customers in arguments.customers:
            path = folder / str(customers)
            fit_to(spark, customers * _BYTES_OF_A_CUSTOMER)
            make(spark, path, TRUTHS[arguments.truth], customers)
            measure(spark, path, arguments.truth)
    finally:
        spark.stop()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
