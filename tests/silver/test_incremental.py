"""What clean makes of what is new is what it makes of everything."""

import json
import random
import shutil
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from pyspark.sql import SparkSession

from cdp.base.console import Console
from cdp.base.lake import Lake
from cdp.base.settings import ConfigFolder
from cdp.base.stage import Run, StageResult
from cdp.bronze.run import ingest
from cdp.silver import scope
from cdp.silver.run import clean
from cdp.tables import silver
from cdp.tables.bronze import QUARANTINE

CRM: dict[str, Any] = {
    "name": "crm",
    "format": "csv",
    "path": "crm/*.csv",
    "primary_key": ["id"],
    "occurred_at": "updated",
    "deleted": "name = 'gone'",
    "columns": [{"name": n} for n in ("id", "name", "email", "card", "optin")] + [{"name": "updated", "type": "date"}],
    "produces": {
        "customer_record": {"given_name": "name", "email": "email", "identifiers": {"loyalty_id": "card"}},
        "consent": {"purpose": "'email'", "status": "if(optin = 'x', 'perhaps', optin)", "identifiers": {"email": "email"}},
        "event": {"event": "'Signed Up'", "occurred_at": "updated", "identifiers": {"loyalty_id": "card"}},
    },
}
TILL: dict[str, Any] = {
    "name": "till",
    "format": "csv",
    "path": "till/*.csv",
    "primary_key": ["receipt", "line"],
    "occurred_at": "sold",
    "columns": [
        *[{"name": n} for n in ("receipt", "line", "card", "sku", "currency", "back")],
        {"name": "n", "type": "int"},
        {"name": "price", "type": "decimal(10,2)"},
        {"name": "sold", "type": "date"},
    ],
    "produces": {
        "order": {
            "order_id": "receipt",
            "ordered_at": "sold",
            "currency": "currency",
            "status": "if(n < 0, 'returned', 'completed')",
            "refers_to": "back",
            "identifiers": {"loyalty_id": "card"},
        },
        "order_line": {"order_id": "receipt", "product_id": "sku", "quantity": "n", "line_no": "line", "unit_price": "price"},
    },
}
WEB: dict[str, Any] = {
    "name": "web",
    "format": "json",
    "path": "web/*.json",
    "primary_key": ["id"],
    "occurred_at": "at",
    "columns": [*[{"name": n} for n in ("id", "device", "user", "kind")], {"name": "at", "type": "timestamp"}],
    "produces": {
        "event": {
            "event": "kind",
            "event_id": "id",
            "occurred_at": "at",
            "channel": "'web'",
            "identifiers": {"anonymous_id": "device", "email": "user"},
        }
    },
}
NEWS: dict[str, Any] = {
    "name": "news",
    "format": "csv",
    "path": "news/*.csv",
    "columns": [{"name": n} for n in ("email", "status", "day")],
    "produces": {
        "consent": {"purpose": "'email'", "status": "status", "captured_at": "day", "identifiers": {"email": "email"}},
        "event": {"event": "concat('News ', status)", "occurred_at": "day", "identifiers": {"email": "email"}},
    },
}
ADS: dict[str, Any] = {
    "name": "ads",
    "format": "csv",
    "path": "ads/*.csv",
    "primary_key": ["id"],
    "columns": [{"name": n} for n in ("id", "campaign", "channel", "day", "cost")],
    "produces": {"campaign_cost": {"campaign": "campaign", "channel": "channel", "day": "day", "cost": "cost"}},
}
Batch = dict[str, list[str]]


def _batch(chance: random.Random, rows: int) -> Batch:
    """Lines of each source: few keys, so that versions, moves from one key to another and repeats are common."""

    def pick(*of: str) -> str:
        return chance.choice(of)

    def day() -> str:
        return f"2026-01-0{chance.randint(1, 9)}"

    def one(count: int) -> str:
        return str(chance.randint(1, count))

    crm = [
        ",".join((one(9), pick("Ann", "Bob", "gone"), f"{one(4)}@x.org", one(5), pick("granted", "denied", "x", ""), day()))
        for _ in range(rows)
    ]
    till = [
        ",".join((f"r{one(6)}", one(3), one(5), f"s{one(3)}", pick("EUR", "GBP", "XTS"), pick("", "", f"r{one(6)}"), pick("1", "2", "-1"), "2.50", day()))
        for _ in range(rows)
    ]
    web = [
        json.dumps(
            {"id": one(30), "device": pick("a", "b", "c"), "user": f"{one(4)}@x.org" if chance.random() < 0.3 else None,
             "kind": pick("Page Viewed", "Clicked"), "at": f"{day()}T10:{chance.randint(10, 59)}:00Z"}
        )
        for _ in range(rows)
    ]  # fmt: skip
    news = [",".join((f"{one(4)}@x.org", pick("granted", "withdrawn", "odd"), day())) for _ in range(rows)]
    ads = [",".join((one(8), pick("spring", "fall"), pick("Web", "web", ""), day(), pick("1.5", "2", "x"))) for _ in range(rows)]
    return {"crm": crm, "till": till, "web": web, "news": news, "ads": ads}


HEADERS = {
    "crm": "id,name,email,card,optin,updated\n",
    "till": "receipt,line,card,sku,currency,back,n,price,sold\n",
    "news": "email,status,day\n",
    "ads": "id,campaign,channel,day,cost\n",
}


ROWS = 60


def _run(spark: SparkSession, folder: Path, run_id: str) -> Run:
    lake, config = Lake(spark, str(folder / "lake")), ConfigFolder(folder / "conf")
    began = datetime(2026, 2, 1, 3)
    return Run(run_id, "test", date(2026, 1, 31), began, lake, config, str(folder / "landing"), Console("quiet"))


def _land(spark: SparkSession, folder: Path, number: int, batch: Batch) -> tuple[Run, StageResult]:
    """Land a batch, ingest and clean."""
    for name, lines in batch.items():
        path = folder / "landing" / name / f"{number}.{'json' if name == 'web' else 'csv'}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(HEADERS.get(name, "") + "".join(f"{line}\n" for line in lines))
    run = _run(spark, folder, f"run{number}")
    ingest(run)
    return run, clean(run)


@pytest.fixture(scope="module")
def cleaned_once(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with a first batch in it, for each test to take a copy of."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "conf" / "sources").mkdir(parents=True)
    for source in (CRM, TILL, WEB, NEWS, ADS):
        (folder / "conf" / "sources" / f"{source['name']}.yaml").write_text(yaml.safe_dump(source))
    (folder / "conf" / "cdp.yaml").write_text(yaml.safe_dump({"exchange_rates": {"GBP": 1.2}}))
    _land(spark, folder, 0, _batch(random.Random(1), ROWS))
    return folder


@pytest.fixture
def shop(cleaned_once: Path, tmp_path: Path) -> Path:
    return shutil.copytree(cleaned_once, tmp_path / "shop")


def _tables(run: Run) -> dict[str, list[str]]:
    def shown(value: Any) -> Any:
        return sorted(value.items()) if isinstance(value, dict) else value

    found = {}
    for table in (*silver.TABLES, QUARANTINE):
        rows = run.lake.read(table).select([c.name for c in table.columns]).collect()
        found[table.name] = sorted(str([shown(value) for value in row]) for row in rows)
    return found


def test_a_run_on_what_is_new_leaves_the_tables_of_a_run_on_everything(
    spark: SparkSession, shop: Path, monkeypatch: pytest.MonkeyPatch
):
    chance = random.Random(2)
    # First what new rows concern is looked for, then small sources are looked at all together.
    for number, few_rows in ((1, 0), (2, 1_000)):
        monkeypatch.setattr(scope, "_FEW_ROWS", few_rows)
        run, result = _land(spark, shop, number, _batch(chance, 5))
        assert "5 where rows are new" in result.notes[0]
        assert [a for a in result.accounts if a.difference] == []

    by_step = _tables(run)
    clean(replace(run, full_refresh=True))

    for name, rows in _tables(run).items():
        assert by_step[name] == rows, name


def test_sources_without_new_rows_are_not_looked_at(spark: SparkSession, shop: Path):
    orders = _run(spark, shop, "before").lake.version(silver.ORDERS)
    run, result = _land(spark, shop, 1, {"web": _batch(random.Random(3), 3)["web"]})

    assert result.notes[0] == "sources: 0 whole, 1 where rows are new, 4 not"
    assert run.lake.version(silver.ORDERS) == orders
    account = next(a for a in result.accounts if a.subject == "till")
    assert (account.rows_in, account.rows_out, account.rows_skipped) == (ROWS, 0, ROWS)


def test_a_changed_setting_has_its_source_looked_at_whole(spark: SparkSession, shop: Path):
    event = {**WEB["produces"]["event"], "channel": "'app'"}
    (shop / "conf" / "sources" / "web.yaml").write_text(yaml.safe_dump({**WEB, "produces": {"event": event}}))
    run = _run(spark, shop, "after")
    result = clean(run)

    assert result.notes[0] == "sources: 1 whole, 0 where rows are new, 4 not"
    channels = run.lake.read(silver.EVENTS).where("source = 'web'").select("channel").distinct().collect()
    assert [row[0] for row in channels] == ["app"]


def test_a_source_that_is_no_more_leaves_nothing_behind(spark: SparkSession, shop: Path):
    (shop / "conf" / "sources" / "news.yaml").unlink()
    run = _run(spark, shop, "after")
    clean(run)

    assert run.lake.read(silver.EVENTS).where("source = 'news'").count() == 0
    assert run.lake.read(silver.CONSENTS).where("source = 'news'").count() == 0


def test_a_table_that_was_changed_by_others_is_made_anew(spark: SparkSession, shop: Path):
    run = _run(spark, shop, "after")
    before = _tables(run)
    run.lake.delete(silver.EVENTS, "event = 'Clicked'")
    result = clean(run)

    assert "5 whole" in result.notes[0]
    assert _tables(run) == before
