"""What clean makes of what is new is what it makes of everything."""

import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from cdp.base.settings import ConfigFolder
from cdp.base.stage import Run, StageResult
from cdp.bronze.run import ingest
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


@pytest.fixture
def shop(run: Run) -> Run:
    folder = run.config.path / "sources"
    folder.mkdir()
    for source in (CRM, TILL, WEB, NEWS, ADS):
        (folder / f"{source['name']}.yaml").write_text(yaml.safe_dump(source))
    (run.config.path / "cdp.yaml").write_text(yaml.safe_dump({"exchange_rates": {"GBP": 1.2}}))
    return replace(run, config=ConfigFolder(run.config.path))


@pytest.fixture
def land(shop: Run) -> Callable[[int, Batch], tuple[Run, StageResult]]:
    """Lands a batch, ingests and cleans."""

    def go(number: int, batch: Batch) -> tuple[Run, StageResult]:
        for name, lines in batch.items():
            path = Path(shop.landing) / name / f"{number}.{'json' if name == 'web' else 'csv'}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(HEADERS.get(name, "") + "".join(f"{line}\n" for line in lines))
        now = replace(shop, run_id=f"run{number}")
        ingest(now)
        return now, clean(now)

    return go


def _tables(run: Run) -> dict[str, list[str]]:
    def shown(value: Any) -> Any:
        return sorted(value.items()) if isinstance(value, dict) else value

    found = {}
    for table in (*silver.TABLES, QUARANTINE):
        rows = run.lake.read(table).select([c.name for c in table.columns]).collect()
        found[table.name] = sorted(str([shown(value) for value in row]) for row in rows)
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_a_run_on_what_is_new_leaves_the_tables_of_a_run_on_everything(land: Any, seed: int):
    chance = random.Random(seed)
    land(0, _batch(chance, 60))
    for number in (1, 2):
        run, result = land(number, _batch(chance, 4))
        assert "5 where rows are new" in result.notes[0]
        assert [a for a in result.accounts if a.difference] == []

    by_step = _tables(run)
    clean(replace(run, full_refresh=True))

    for name, rows in _tables(run).items():
        assert by_step[name] == rows, name


def test_sources_without_new_rows_are_not_looked_at(land: Any):
    chance = random.Random(3)
    first, _ = land(0, _batch(chance, 60))
    orders = first.lake.version(silver.ORDERS)
    run, result = land(1, {"web": _batch(chance, 3)["web"]})

    assert result.notes[0] == "sources: 0 whole, 1 where rows are new, 4 not"
    assert run.lake.version(silver.ORDERS) == orders
    account = next(a for a in result.accounts if a.subject == "till")
    assert (account.rows_in, account.rows_out, account.rows_skipped) == (60, 0, 60)


def test_a_changed_setting_has_its_source_looked_at_whole(land: Any, shop: Run):
    chance = random.Random(4)
    land(0, _batch(chance, 60))
    event = {**WEB["produces"]["event"], "channel": "'app'"}
    (shop.config.path / "sources" / "web.yaml").write_text(yaml.safe_dump({**WEB, "produces": {"event": event}}))
    now = replace(shop, config=ConfigFolder(shop.config.path), run_id="after")
    result = clean(now)

    assert result.notes[0] == "sources: 1 whole, 0 where rows are new, 4 not"
    channels = now.lake.read(silver.EVENTS).where("source = 'web'").select("channel").distinct().collect()
    assert [row[0] for row in channels] == ["app"]


def test_a_source_that_is_no_more_leaves_nothing_behind(land: Any, shop: Run):
    land(0, _batch(random.Random(5), 30))
    (shop.config.path / "sources" / "news.yaml").unlink()
    now = replace(shop, config=ConfigFolder(shop.config.path), run_id="after")
    clean(now)

    assert now.lake.read(silver.EVENTS).where("source = 'news'").count() == 0
    assert now.lake.read(silver.CONSENTS).where("source = 'news'").count() == 0


def test_a_table_that_was_changed_by_others_is_made_anew(land: Any):
    run, _ = land(0, _batch(random.Random(6), 30))
    before = _tables(run)
    run.lake.delete(silver.EVENTS, "event = 'Clicked'")
    result = clean(run)

    assert "5 whole" in result.notes[0]
    assert _tables(run) == before
