"""From extracts to canonical entities, by configuration alone."""

import os
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from cdp.base.contracts import Table
from cdp.base.errors import ConfigError
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
    "columns": [
        {"name": "id"},
        {"name": "Full Name"},
        {"name": "dob"},
        {"name": "email"},
        {"name": "phone"},
        {"name": "land"},
        {"name": "optin"},
        {"name": "updated", "type": "timestamp"},
    ],
    "produces": {
        "customer_record": {
            "full_name": "Full Name",
            "birth_date": "to_date(dob, 'dd/MM/yyyy')",
            "email": "email",
            "phone": "phone",
            "country": "land",
            "identifiers": {"crm_id": "id"},
        },
        "consent": {"purpose": "'email_marketing'", "status": "case optin when 'Y' then 'granted' when 'N' then 'denied' end"},
    },
}
SHOP: dict[str, Any] = {
    "name": "shop",
    "format": "json",
    "path": "shop/*.json",
    "primary_key": ["no"],
    "occurred_at": "at",
    "columns": [
        {"name": "no"},
        {"name": "at", "type": "timestamp"},
        {"name": "customer", "type": "struct<email:string,id:string>"},
        {"name": "currency"},
        {"name": "lines", "type": "array<struct<sku:string,n:int,price:decimal(12,2)>>"},
    ],
    "produces": {
        "order": {
            "order_id": "no",
            "ordered_at": "at",
            "currency": "currency",
            "channel": "'web'",
            "identifiers": {"email": "customer.email", "shop_id": "customer.id"},
        },
        "order_line": {
            "explode": "lines",
            "order_id": "no",
            "product_id": "lines.sku",
            "quantity": "lines.n",
            "unit_price": "lines.price",
        },
        "event": {
            "where": "currency = 'EUR'",
            "event": "'Order Completed'",
            "occurred_at": "at",
            "identifiers": {"shop_id": "customer.id"},
            "properties": {"order_id": "no"},
        },
    },
}


@pytest.fixture
def land(run: Run) -> Any:
    """Writes sources, platform settings and files, then ingests and cleans; returns run and result."""

    def go(files: dict[str, str], *sources: dict[str, Any], **platform: Any) -> tuple[Run, StageResult]:
        (run.config.path / "sources").mkdir(exist_ok=True)
        for source in sources:
            (run.config.path / "sources" / f"{source['name']}.yaml").write_text(yaml.safe_dump(source))
        (run.config.path / "cdp.yaml").write_text(yaml.safe_dump(platform))
        for name, text in files.items():
            path = Path(run.landing) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        current = replace(run, config=ConfigFolder(run.config.path), run_id=f"r{len(list(Path(run.landing).rglob('*')))}")
        ingest(current)
        return current, clean(current)

    return go


def _rows(run: Run, table: Table, *columns: str) -> list[tuple[Any, ...]]:
    return sorted((tuple(row) for row in run.lake.read(table).select(*columns).collect()), key=str)


HEADER = "id,Full Name,dob,email,phone,land,optin,updated\n"


def test_a_customer_record_is_put_into_one_form_and_keeps_what_was_sent(land: Any):
    run, result = land(
        {"crm/a.csv": HEADER + "7,DR. ÉLODIE  MARTIN-DUPONT JR,24/12/1980, E.M@Shop.FR ,06 12 34 56 78,France,Y,2026-01-02T03:04:05\n"},
        CRM,
    )

    columns = ("given_name", "family_name", "name_suffix", "birth_date", "emails", "phones", "country")
    assert _rows(run, silver.CUSTOMER_RECORDS, *columns) == [
        ("Élodie", "Martin-Dupont", "Jr", date(1980, 12, 24), ["e.m@shop.fr"], ["+33612345678"], "FR")
    ]
    raw = run.lake.read(silver.CUSTOMER_RECORDS).first()["raw"]
    assert (raw["email"], raw["phone"], raw["country"]) == ("E.M@Shop.FR", "06 12 34 56 78", "France")
    assert _rows(run, silver.IDENTIFIERS_TABLE, "record_type", "id_type", "id_value") == [
        ("customer_record", "crm_id", "7"),
        ("customer_record", "email", "e.m@shop.fr"),
        ("customer_record", "phone", "+33612345678"),
    ]
    assert _rows(run, silver.CONSENTS, "record_key", "purpose", "status", "captured_at") == [
        ("7", "email_marketing", "granted", datetime(2026, 1, 2, 3, 4, 5))
    ]
    assert all(account.difference == 0 for account in result.accounts)


def test_the_newest_version_of_a_key_wins_whatever_the_order_of_the_files(land: Any):
    newer = HEADER + "7,Ann New,,,,,,2026-01-03T00:00:00\n"
    older = HEADER + "7,Ann Old,,,,,,2026-01-01T00:00:00\n"

    run, _ = land({"crm/a.csv": newer, "crm/b.csv": older}, CRM)

    assert _rows(run, silver.CUSTOMER_RECORDS, "full_name") == [("Ann New",)]


def test_a_row_on_which_an_expression_fails_goes_to_quarantine_and_the_others_on(land: Any):
    run, result = land(
        {"crm/a.csv": HEADER + "1,A B,24-12-1980,,,,,\n2,C D,,,,,,\n3,E F,30/02/1980,x,,,,\n"},
        CRM,
    )

    assert [row[0] for row in _rows(run, silver.CUSTOMER_RECORDS, "record_key")] == ["2"]
    rows = run.lake.read(QUARANTINE).where("stage = 'clean'").collect()
    assert sorted((r["_file_row"], *r["reasons"]) for r in rows) == [
        (1, "customer_record.birth_date failed"),
        (3, "customer_record.birth_date failed"),
    ]
    assert result.rows_refused == 2
    assert all(account.difference == 0 for account in result.accounts)


def test_a_mended_row_leaves_quarantine_on_the_next_run(land: Any):
    run, _ = land({"crm/a.csv": HEADER + "1,A B,24-12-1980,,,,,\n"}, CRM)
    lenient = {**CRM["produces"]["customer_record"], "birth_date": "try_to_date(dob, 'dd-MM-yyyy')"}
    run, _ = land({}, {**CRM, "produces": {"customer_record": lenient}})

    assert _rows(run, silver.CUSTOMER_RECORDS, "birth_date") == [(date(1980, 12, 24),)]
    assert run.lake.read(QUARANTINE).count() == 0


def test_orders_lines_and_events_come_out_of_nested_json(land: Any):
    lines = '[{"sku":"s1","n":2,"price":3.5},{"sku":"s2","n":-1,"price":1}]'
    run, result = land(
        {
            "shop/a.json": f'{{"no":"o1","at":"2026-01-02T10:00:00+01:00","customer":{{"email":"A@B.fr","id":"9"}},'
            f'"currency":"GBP","lines":{lines}}}\n{{"no":"o2","at":"2026-01-03T00:00:00Z","currency":"EUR","lines":[]}}\n'
        },
        SHOP,
        exchange_rates={"GBP": 1.2},
    )

    assert _rows(run, silver.ORDERS, "order_id", "ordered_at", "total", "amount", "identifiers", "status") == [
        ("o1", datetime(2026, 1, 2, 9), Decimal("6.00"), Decimal("7.20"), {"email": "a@b.fr", "shop_id": "9"}, "completed"),
        ("o2", datetime(2026, 1, 3), None, None, None, "completed"),
    ]
    assert _rows(run, silver.ORDER_LINES, "line_no", "product_id", "quantity", "amount") == [
        (1, "s1", Decimal("2.000"), Decimal("8.40")),
        (2, "s2", Decimal("-1.000"), Decimal("-1.20")),
    ]
    assert _rows(run, silver.EVENTS, "event", "record_key", "properties") == [
        ("Order Completed", None, {"order_id": "o2"})
    ]
    owner = run.lake.read(silver.ORDERS).where("order_id = 'o1'").first()["record_key"]
    assert owner.startswith("ids:")
    assert {row[0] for row in _rows(run, silver.IDENTIFIERS_TABLE, "record_key")} == {owner}
    assert all(account.difference == 0 for account in result.accounts)


def test_an_amount_in_a_currency_without_a_rate_is_set_aside_not_guessed(land: Any):
    run, _ = land(
        {"shop/a.json": '{"no":"o1","at":"2026-01-02T10:00:00Z","currency":"XTS","lines":[{"sku":"a","n":1,"price":1}]}\n'},
        SHOP,
    )

    assert run.lake.read(silver.ORDERS).count() == 0
    assert run.lake.read(QUARANTINE).first()["reasons"] == ["order.currency: no exchange rate"]


RATES: dict[str, Any] = {
    "name": "bank",
    "format": "csv",
    "path": "bank/*.csv",
    "primary_key": ["code", "day"],
    "columns": [{"name": "code"}, {"name": "day", "type": "date"}, {"name": "per_euro", "type": "decimal(18,6)"}],
    "produces": {"exchange_rate": {"currency": "code", "day": "day", "rate": "1 / per_euro"}},
}


def test_an_order_and_its_lines_are_converted_by_the_rate_of_their_day(land: Any):
    def order(no: str, at: str) -> str:
        return f'{{"no":"{no}","at":"{at}","currency":"GBP","lines":[{{"sku":"a","n":1,"price":10}}]}}\n'

    rates = "code,day,per_euro\nGBP,2026-01-02,0.8\nGBP,2026-01-04,0.5\nGBP,2026-01-05,-1\nPOUND,2026-01-05,1\nUSD,2026-01-05,\n"
    orders = order("old", "2026-01-01T23:59:59Z") + order("before", "2026-01-03T00:00:00Z") + order("on", "2026-01-04T00:00:00Z")
    run, result = land({"bank/a.csv": rates, "shop/a.json": orders}, RATES, SHOP)

    assert _rows(run, silver.EXCHANGE_RATES, "currency", "day", "rate") == [
        ("GBP", date(2026, 1, 2), Decimal("1.25")),
        ("GBP", date(2026, 1, 4), Decimal("2")),
    ]
    assert _rows(run, silver.ORDERS, "order_id", "total", "amount", "net_amount") == [
        ("before", Decimal(10), Decimal("12.5"), Decimal("12.5")),
        ("on", Decimal(10), Decimal(20), Decimal(20)),
    ]
    lines = run.lake.read(silver.ORDER_LINES).where("order_id in ('before', 'on')").select("order_id", "amount").collect()
    assert {tuple(row) for row in lines} == {("before", Decimal("12.50")), ("on", Decimal("20.00"))}
    reasons = run.lake.read(QUARANTINE).select("reasons").collect()
    assert sorted(reason for row in reasons for reason in row["reasons"]) == [
        "exchange_rate.currency is not three letters",
        "exchange_rate.rate is missing",
        "exchange_rate.rate is not above 0",
        "order.currency: no exchange rate",
    ]
    assert all(account.difference == 0 for account in result.accounts)


def test_a_corrected_order_replaces_its_lines(land: Any):
    def order(at: str, *skus: str) -> str:
        lines = ",".join(f'{{"sku":"{sku}","n":1,"price":1}}' for sku in skus)
        return f'{{"no":"o1","at":"{at}","currency":"EUR","lines":[{lines}]}}\n'

    run, _ = land({"shop/a.json": order("2026-01-02T00:00:00Z", "x", "y"), "shop/b.json": order("2026-01-03T00:00:00Z", "z")}, SHOP)

    assert _rows(run, silver.ORDER_LINES, "product_id") == [("z",)]


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("substring(email from)", "email: not a SQL expression"),
        ("mydb.lower(email)", "email: no function"),
    ],
)
def test_an_expression_that_only_spark_finds_wrong_is_named_with_its_key(land: Any, expression: str, problem: str):
    record = {**CRM["produces"]["customer_record"], "email": expression}

    with pytest.raises(ConfigError) as caught:
        land({"crm/a.csv": HEADER + "1,,,,,,,\n"}, {**CRM, "produces": {"customer_record": record}})

    assert caught.value.file == "source crm: produces.customer_record"
    assert caught.value.problems[0].startswith(problem)


def test_sources_that_produce_nothing_leave_empty_tables(land: Any):
    run, result = land({"crm/a.csv": HEADER + "1,,,,,,,\n"}, {**CRM, "produces": {}})

    assert all(run.lake.exists(table) for table in silver.TABLES)
    assert result.rows_in == 0


def test_versions_and_deleted_keys_are_accounted_for(land: Any):
    source = {**CRM, "deleted": "optin = 'D'"}
    run, _ = land({"crm/a.csv": HEADER + "1,Ann,,,,,Y,2026-01-01\n2,Bob,,,,,Y,2026-01-01\n3,Eve,,,,,Y,2026-01-03\n"}, source)
    run, result = land({"crm/b.csv": HEADER + "1,,,,,,D,2026-01-02\n3,,,,,,D,2026-01-02\n"}, source)

    # 1 is gone; 3 was written anew after it had been deleted.
    assert _rows(run, silver.CUSTOMER_RECORDS, "record_key", "full_name") == [("2", "Bob"), ("3", "Eve")]
    account = next(a for a in result.accounts if a.subject == "crm")
    assert (account.rows_in, account.rows_out, account.rows_skipped, account.difference) == (5, 2, 3, 0)
    assert "crm: 1 keys are gone by the source's own word" in result.notes


def test_a_key_comes_back_with_a_newer_row(land: Any):
    source = {**CRM, "deleted": "optin = 'D'"}
    land({"crm/a.csv": HEADER + "1,Ann,,,,,D,2026-01-01\n"}, source)
    run, _ = land({"crm/b.csv": HEADER + "1,Ann,,,,,Y,2026-01-02\n"}, source)

    assert _rows(run, silver.CUSTOMER_RECORDS, "record_key") == [("1",)]


def test_a_row_on_which_deleted_fails_is_set_aside(land: Any):
    source = {**CRM, "deleted": "cast(land as int) = 1"}
    run, _ = land({"crm/a.csv": HEADER + "1,Ann,,,,x,Y,2026-01-01\n2,Bob,,,,0,Y,2026-01-01\n"}, source)

    assert _rows(run, silver.CUSTOMER_RECORDS, "record_key") == [("2",)]
    reasons = run.lake.read(QUARANTINE).select("reasons").first()
    assert reasons["reasons"] == ["consent.deleted failed", "customer_record.deleted failed"]


@pytest.mark.parametrize("pattern", ["crm/*.csv", "crm/*/part.csv"])
def test_what_a_newer_snapshot_lacks_is_gone_and_an_empty_one_is_none(land: Any, run: Run, pattern: str):
    source = {**CRM, "path": pattern, "delivery": "snapshot"}
    names = [pattern.replace("*", day) for day in ("a", "b", "c")]
    land({names[0]: HEADER + "1,Ann,,,,,Y,2026-01-01\n2,Bob,,,,,Y,2026-01-01\n"}, source)
    (Path(run.landing) / names[1]).parent.mkdir(exist_ok=True)
    (Path(run.landing) / names[1]).write_text(HEADER + "2,Bob B,,,,,Y,2026-01-01\n")
    os.utime(Path(run.landing) / names[1], (2_000_000_000, 2_000_000_000))
    now, result = land({}, source)
    (Path(run.landing) / names[2]).parent.mkdir(exist_ok=True)
    (Path(run.landing) / names[2]).write_text(HEADER)
    os.utime(Path(run.landing) / names[2], (2_100_000_000, 2_100_000_000))
    land({}, source)

    assert _rows(now, silver.CUSTOMER_RECORDS, "record_key", "full_name") == [("2", "Bob B")]
    account = next(a for a in result.accounts if a.subject == "crm")
    assert (account.rows_in, account.rows_out, account.rows_skipped) == (3, 1, 2)


def test_deleted_without_a_key_is_refused(land: Any):
    keyless = {k: v for k, v in CRM.items() if k not in ("primary_key", "produces")}
    with pytest.raises(ConfigError, match="deleted: needs a primary_key"):
        land({"crm/a.csv": HEADER}, {**keyless, "deleted": "optin = 'D'"})
