"""Tiny silver tables, and the resolve stage run over them."""

from collections.abc import Callable
from datetime import date, datetime
from functools import partial
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from cdp.base.stage import Run
from cdp.identity.run import resolve
from cdp.silver.folding import folded_name
from cdp.silver.identifiers import identifiers
from cdp.tables.identity import ASSIGNMENTS
from cdp.tables.silver import CUSTOMER_RECORDS, IDENTIFIERS_TABLE

START = datetime(2026, 1, 1)


def person(key: str, given: str | None = None, **more: Any) -> dict[str, Any]:
    """A customer record `source:key`; emails, phones, ids (a dict), family, born, suffix, at."""
    source, record_key = key.split(":")
    return {"source": source, "record_key": record_key, "given": given, **more}


def activity(key: str, at: datetime = START, **ids: str) -> dict[str, Any]:
    """A set of identifiers seen together, without a customer record."""
    source, record_key = key.split(":")
    return {"source": source, "record_key": f"ids:{record_key}", "identifiers": ids, "at": at, "given": ...}


def records_frame(spark: SparkSession, people: list[dict[str, Any]]) -> DataFrame:
    def value(p: dict[str, Any], name: str, type_: str, nullable: bool) -> Any:
        known = {
            "source": p["source"],
            "record_key": p["record_key"],
            "given_name": p["given"],
            "family_name": p.get("family"),
            "given_name_key": folded_name(p["given"] or "") or None,
            "family_name_key": folded_name(p.get("family") or "") or None,
            "street": p.get("street"),
            "city": p.get("city"),
            "postal_code": p.get("postal_code"),
            "birth_date": date.fromisoformat(p["born"]) if p.get("born") else None,
            "name_suffix": p.get("suffix"),
            "emails": p.get("emails", []),
            "phones": p.get("phones", []),
            "identifiers": p.get("ids", {}),
            "raw": p.get("raw", {}),
            "flags": p.get("flags"),
            "updated_at": p.get("at", START),
        }
        return known.get(name)

    rows = [tuple(value(p, c.name, c.type, c.nullable) for c in CUSTOMER_RECORDS.columns) for p in people]
    return spark.createDataFrame(rows, CUSTOMER_RECORDS.schema)


def write_silver(run: Run, *rows: dict[str, Any]) -> None:
    """Put these records, and no others, into the lake."""
    spark = run.lake.spark
    records = records_frame(spark, [r for r in rows if r["given"] is not ...])
    schema = "source string, record_key string, identifiers map<string,string>, at timestamp"
    seen = [(r["source"], r["record_key"], r["identifiers"], r["at"]) for r in rows if r["given"] is ...]
    run.lake.replace(CUSTOMER_RECORDS, records)
    run.lake.replace(IDENTIFIERS_TABLE, identifiers(records, [spark.createDataFrame(seen, schema)], None))


@pytest.fixture
def silver(run: Run) -> Callable[..., None]:
    """`silver(person(...), activity(...))`: `write_silver` into the run's lake."""
    return partial(write_silver, run)


@pytest.fixture
def customers(run: Run) -> Callable[[], list[set[str]]]:
    """`customers()`: resolve, and give the customers as sets of `source:key`, in order."""

    def resolved() -> list[set[str]]:
        resolve(run)
        return clusters(run)

    return resolved


def clusters(run: Run) -> list[set[str]]:
    found: dict[str, set[str]] = {}
    for row in run.lake.read(ASSIGNMENTS).where("is_current").collect():
        key = row["record_key"].removeprefix("ids:")
        found.setdefault(row["customer_id"], set()).add(f"{row['source']}:{key}")
    return sorted(found.values(), key=sorted)
