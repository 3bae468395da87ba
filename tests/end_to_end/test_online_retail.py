"""A fifth of the invoices of a real web shop (UCI Online Retail, half a million order lines), by configuration alone."""

import gzip
from pathlib import Path

import pandas as pd
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from cdp.base.lake import Lake
from cdp.tables import gold, silver
from tests.end_to_end.conftest import run_pipeline

_FILE = "online_retail/online_retail.csv.gz"


@pytest.fixture
def landing(public_data: Path, tmp_path: Path) -> Path:
    """Extracts with the lines, as they are, of invoices whose number ends with 0 or 5."""
    extract = tmp_path / "landing" / _FILE
    extract.parent.mkdir(parents=True)
    with gzip.open(public_data / "retail" / _FILE, "rb") as whole, gzip.open(extract, "wb") as part:
        part.write(next(whole))
        part.writelines(line for line in whole if line.split(b",", 1)[0].endswith((b"0", b"5")))
    return tmp_path / "landing"


def test_a_real_shop_runs_through_every_stage(spark: SparkSession, landing: Path, tmp_path: Path):
    # By another library.
    sold = pd.read_csv(landing / _FILE, dtype={"CustomerID": "string", "InvoiceNo": "string", "StockCode": "string"})
    assert len(sold) > 100_000
    config = Path(__file__).parent / "online_retail"
    code, summary = run_pipeline(tmp_path / "lake", landing, config, as_of="2011-12-09")

    assert code == 0, summary
    assert all(a["difference"] == 0 for s in summary["stages"] for a in s["accounts"])
    lake = Lake(spark, str(tmp_path / "lake"))

    lines = lake.read(silver.ORDER_LINES).agg(F.count("*").alias("n"), F.sum("quantity").alias("pieces")).first()
    assert lines["n"] == len(sold)
    assert int(lines["pieces"]) == int(sold["Quantity"].sum())
    assert lake.read(silver.ORDERS).count() == sold["InvoiceNo"].nunique()

    named = sold.dropna(subset=["CustomerID"])
    customers = lake.read(gold.PROFILES).where("records > 0").count()
    assert customers == named["CustomerID"].nunique()

    # A line is rounded to the penny before it is summed, so half a penny a line may differ.
    revenue = float(lake.read(gold.CUSTOMER_ORDERS).where("customer_id is not null").agg(F.sum("amount")).first()[0])
    assert revenue == pytest.approx((named["Quantity"] * named["UnitPrice"]).sum(), abs=0.005 * len(named))

    buyers = lake.read(gold.TRAITS).where("orders > 0").count()
    assert 0 < lake.read(gold.PREDICTIONS).where("horizon_days = 90 AND tier <> 'prospect'").count() <= buyers
