"""The extracts as files: what is there, whether it reads as its configuration says, what it must not hold."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from cdp.base.files import FileSystem
from cdp.base.settings import ConfigFolder
from cdp.bronze.config import SourceConfig, load_sources
from cdp.bronze.produces import Entity
from cdp.bronze.read import read_files
from cdp.bronze.rules import with_reasons
from cdp.sample.extracts import EXTRACTS

from .retailer import Sample

SOURCES = load_sources(ConfigFolder(Path(__file__).parents[2] / "conf"))


def test_there_is_a_configuration_for_each_extract_and_no_other():
    assert set(SOURCES) == {extract.name for extract in EXTRACTS}


def test_every_extract_has_one_file_that_is_named_for_source_and_day(sample: Sample):
    expected = {f"{e.name}/{e.name}_20261124-000.{e.extension}" for e in EXTRACTS}

    assert set(sample.files()) == expected
    assert sample.summary.files == len(EXTRACTS)
    assert all(rows > 0 for rows in sample.summary.rows.values())


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_all_rows_but_broken_ones_keep_the_contract_and_are_in_the_truth(
    spark: SparkSession, sample: Sample, name: str
):
    source = SOURCES[name]
    landing = str(sample.landing)
    found = FileSystem(spark, landing).glob(source.path)

    rows = with_reasons(read_files(spark, source, landing, found, is_local=True), source, "UTC")

    keys = F.concat_ws("|", *source.primary_key)
    read = rows.select(keys.alias("key"), F.size("_reasons").alias("reasons"), F.size("_warnings").alias("warnings"),
                       F.size("_errors").alias("errors"), F.size(F.map_keys("_extra")).alias("extra")).collect()  # fmt: skip
    truth = sample.table("record_truth").where(F.col("source") == name).select("record_key").collect()
    broken = sample.table("mess_truth").where(f"source = '{name}' and kind = 'broken_lines'").count()
    kept = [row for row in read if not row.reasons]
    assert len(read) == sample.summary.rows[name]
    assert len(read) - len(kept) == broken
    assert not [row for row in kept if row.warnings or row.errors or max(row.extra or 0, 0)]
    if name not in ("products", "campaign_costs"):
        assert {row.key for row in kept} == {row.record_key for row in truth}
        assert len(truth) == len({row.record_key for row in truth})


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_every_expression_of_a_source_resolves_against_its_columns(spark: SparkSession, name: str):
    source = SOURCES[name]
    ddl = ", ".join(f"`{column.name}` {column.type}" for column in source.columns)
    rows = spark.createDataFrame([], ddl)

    for _, entities in source.produces:
        for entity in entities:
            taken = rows
            if entity.explode:
                taken = rows.withColumn(entity.explode, F.explode(entity.explode))
            taken.selectExpr(*_expressions(entity)).schema  # noqa: B018


def _expressions(entity: Entity) -> list[str]:
    found: list[str] = []
    for name, value in entity:
        if name in ("explode", "key") or value is None:
            continue
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, dict):
            found.extend(value.values())
        else:
            found.extend(text for _, text in value if text is not None)
    return found


def test_csv_headers_are_the_declared_columns(sample: Sample):
    for extract in EXTRACTS:
        if extract.is_csv:
            source: SourceConfig = SOURCES[extract.name]
            text = next(iter((sample.landing / extract.name).iterdir())).read_bytes()
            header = text.split(b"\n", 1)[0].decode("ascii")
            assert header.split(source.options.delimiter) == [column.name for column in source.columns]


def test_the_till_system_writes_decimal_commas_and_latin_1(other_sample: Sample):
    sample = other_sample  # the half without mixed_encoding
    receipts = next((sample.landing / "pos_receipts").iterdir()).read_text(encoding="utf-8")
    members = next((sample.landing / "loyalty_members").iterdir()).read_bytes()

    assert re.search(r";\d+,\d\d;", receipts)
    assert re.search(r";\d\d\.\d\d\.\d{4} ", receipts)
    accents = [line for line in members.split(b"\n") if any(byte > 127 for byte in line)]
    assert accents
    assert all(_is_not_utf8(line) for line in accents)


def _is_not_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False


def test_nothing_of_the_truth_is_in_the_landing_folder(sample: Sample):
    future = {row.order_id for row in sample.table("future_orders").collect()}
    landed = sample.files()

    orders = (
        landed["shop_orders/shop_orders_20261124-000.json"]
        + landed["pos_receipts/pos_receipts_20261124-000.csv"]
    )
    known = set(re.findall(rb'"id":"(\d{13})"|\n([A-Z]{2}\d\d-\d+)', orders))
    assert len(future) > 50
    assert not future & {(number or receipt).decode() for number, receipt in known}
    assert all(word not in b"".join(landed.values()) for word in (b"person_id", b"household", b"holdout"))


def test_an_order_is_placed_at_the_end_of_the_visit_that_led_to_it(sample: Sample):
    landed = sample.files()
    orders = _lines(landed, "shop_orders")
    placed = {row["id"]: row["createdAt"] for row in orders if row.get("refersTo") is None}
    visits: dict[str, list[dict[str, Any]]] = {}
    for event in [*_lines(landed, "web_events"), *_lines(landed, "app_events")]:
        properties = event.get("properties") or {}
        if properties.get("cart_id"):
            visits.setdefault(properties["cart_id"], []).append(event)

    seen = 0
    for events in visits.values():
        told = [e for e in events if e.get("event") == "Order Completed"]
        if told and told[0]["properties"]["order_id"] in placed:
            seen += 1
            at = placed[told[0]["properties"]["order_id"]]
            assert told[0]["timestamp"] >= at
            assert all(e["timestamp"] < at for e in events if e.get("event") != "Order Completed")
    assert seen > 50


def _lines(landed: dict[str, bytes], extract: str) -> list[dict[str, Any]]:
    """Readable lines of an extract of the first dump."""
    rows = []
    for name, text in landed.items():
        if name.startswith(f"{extract}/") and "20261124" in name and not name.split("/")[1].startswith("."):
            for line in text.decode("utf-8").splitlines():
                try:
                    rows.append(json.loads(line))
                except json.JSONDecodeError:
                    continue  # a broken line, which the sample means to have
    return rows
