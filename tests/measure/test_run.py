"""The whole stage on a small lake."""

import dataclasses
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from chispa import assert_df_equality
from pyspark.sql import SparkSession

from cdp.base.stage import Run
from cdp.measure.run import STAGE
from cdp.tables.gold import ATTRIBUTION, CUSTOMER_ORDERS, KPIS, PROFILES, TIMELINE
from tests.measure.frames import frame

_SEEN = {"first_seen_at": datetime(2025, 1, 1), "last_seen_at": datetime(2026, 1, 30), "sources": ["crm"]}


def filled(run: Run, spark: SparkSession) -> None:
    """One person who clicked and bought, and bought again after the run's date."""
    order = {"source": "shop", "customer_id": "cust-1", "status": "completed", "channel": "web"}
    bought = [("order-1", date(2026, 1, 20), 40), ("order-2", date(2026, 2, 3), 900)]
    orders = [
        {
            **order,
            "order_id": name,
            "ordered_at": datetime(on.year, on.month, on.day, 12),
            "ordered_on": on,
            "amount": Decimal(amount),
        }
        for name, on, amount in bought
    ]
    click = {
        "customer_id": "cust-1",
        "kind": "event",
        "event": "Email Link Clicked",
        "occurred_at": datetime(2026, 1, 19),
        "source": "mail",
        "reference": "event-1",
        "channel": "email",
        "campaign": "new_year",
    }
    person = {
        **_SEEN,
        "customer_id": "cust-1",
        "records": 2,
        "full_name": "Zenobia Quill",
        "email": "zenobia@example.com",
        "emails": ["zenobia@example.com"],
        "phones": [],
        "provenance": {},
    }
    run.lake.replace(CUSTOMER_ORDERS, frame(spark, CUSTOMER_ORDERS, orders))
    run.lake.replace(TIMELINE, frame(spark, TIMELINE, [click]))
    run.lake.replace(PROFILES, frame(spark, PROFILES, [person]))


def test_a_run_credits_orders_writes_figures_and_a_report_without_personal_data(run: Run, spark: SparkSession) -> None:
    filled(run, spark)

    result = STAGE.run(run)

    assert dict(result.outputs) == {"report": f"{run.lake.root}/reports/2026-01-31/index.html"}
    html = Path(dict(result.outputs)["report"]).read_text(encoding="utf-8")
    assert "€40" in html and "new_<wbr>year" in html
    assert "Not computed: this lake has no gold.predictions yet." in html
    for personal in ("Zenobia", "zenobia", "cust-1", "order-1", "event-1"):
        assert personal not in html
    credit = run.lake.read(ATTRIBUTION).select("model", "order_id", "channel", "credit", "revenue").distinct().collect()
    assert {tuple(row)[1:] for row in credit} == {("order-1", "email", 1.0, 40.0)}
    kpis = {(r["kpi"], r["period"], r["dimension"]): r["value"] for r in run.lake.read(KPIS).collect()}
    assert kpis["revenue", "total", "all"] == 40
    assert kpis["attributed_revenue", "month", "campaign=new_year"] == 40
    assert kpis["records_per_customer", "total", "all"] == 2

    # The same call again, after the first: the same tables and the same page.
    before = [run.lake.read(table).localCheckpoint() for table in (ATTRIBUTION, KPIS)]
    STAGE.run(run)

    assert Path(dict(result.outputs)["report"]).read_text(encoding="utf-8") == html
    for old, table in zip(before, (ATTRIBUTION, KPIS), strict=True):
        assert_df_equality(run.lake.read(table), old, ignore_row_order=True)


def test_an_empty_lake_gives_a_report_that_says_so(run: Run) -> None:
    result = STAGE.run(run)

    html = Path(dict(result.outputs)["report"]).read_text(encoding="utf-8")
    assert "There are no orders yet." in html
    assert html.count("Not computed") == 8


def test_a_dry_run_writes_nothing(run: Run, spark: SparkSession) -> None:
    filled(run, spark)

    result = STAGE.run(dataclasses.replace(run, dry_run=True))

    assert result.outputs == ()
    assert not run.lake.exists(ATTRIBUTION) and not run.lake.exists(KPIS)
    assert run.lake.files.names("reports") == []
