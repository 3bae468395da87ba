"""Events held to a tracking plan."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from pyspark.sql import DataFrame, SparkSession

from cdp.base.errors import ConfigError
from cdp.base.settings import ConfigFolder
from cdp.base.stage import Run
from cdp.bronze.run import ingest
from cdp.silver.run import clean
from cdp.silver.tracking import held_to_plan, violation_counts
from cdp.silver.tracking_plan import TrackingPlan, load_tracking_plan
from cdp.tables import silver
from cdp.tables.bronze import QUARANTINE
from cdp.tables.ops import TRACKING_VIOLATIONS

VIEWED: dict[str, Any] = {
    "event": "Product Viewed",
    "properties": [
        {"name": "sku", "required": True, "pattern": "^P"},
        {"name": "price", "type": "number"},
        {"name": "pieces", "type": "integer"},
        {"name": "currency", "enum": ["EUR", "USD"]},
        {"name": "gift", "type": "boolean"},
        {"name": "at", "type": "datetime"},
        {"name": "tags", "type": "array"},
    ],
}
FREE = {"event": "Searched", "allow_unplanned": True, "properties": [{"name": "query", "required": True}]}


def _events(spark: SparkSession, *rows: tuple[str, dict[str, str] | None]) -> DataFrame:
    data = [(number, event, properties, [], True) for number, (event, properties) in enumerate(rows)]
    shape = "no int, event string, properties map<string,string>, _failed array<string>, _taken boolean"
    return spark.createDataFrame(data, shape)


def _held(frame: DataFrame, **enforcement: str) -> list[Any]:
    plan = TrackingPlan.model_validate({"rules": [VIEWED, FREE], "enforcement": enforcement})
    return held_to_plan(frame, plan).orderBy("no").collect()


@pytest.mark.parametrize(
    ("event", "properties", "violations"),
    [
        ("Product Viewed", {"sku": "P1", "price": "1.50", "pieces": "2", "currency": "EUR", "gift": "true"}, None),
        ("Product Viewed", {"sku": "P1", "at": "2026-01-01T10:00:00Z", "tags": "[1]"}, None),
        ("Product Viewed", {}, ["sku: Required"]),
        ("Product Viewed", None, ["sku: Required"]),
        ("Product Viewed", {"sku": "X1"}, ["sku: Pattern"]),
        ("Product Viewed", {"sku": "P1", "price": "dear", "pieces": "1.5"}, ["pieces: Type", "price: Type"]),
        ("Product Viewed", {"sku": "P1", "currency": "GBP"}, ["currency: Enum"]),
        ("Product Viewed", {"sku": "P1", "gift": "maybe", "at": "noon", "tags": "x"}, ["at: Type", "gift: Type", "tags: Type"]),
        ("Product Viewed", {"sku": "P1", "colour: x": "red"}, ["colour: x: UnplannedProperty"]),
        ("Searched", {"query": "a", "more": "b"}, None),
        ("Product viewed", {"sku": "P1"}, ["event: UnplannedEvent"]),
        (None, None, ["event: UnplannedEvent"]),
    ],
)
def test_each_violation_is_named(spark: SparkSession, event: str, properties: dict[str, str] | None, violations: Any):
    (row,) = _held(_events(spark, (event, properties)))

    assert row["violations"] == violations
    assert (row["_taken"], row["_failed"], row["properties"]) == (True, [], properties)


def test_the_switches_set_aside_drop_and_omit(spark: SparkSession):
    frame = _events(
        spark,
        ("Product Viewed", {"sku": "P1"}),
        ("Product Viewed", {"sku": "X"}),
        ("Odd", {"sku": "P1"}),
        ("Product Viewed", {"sku": "P1", "new": "1"}),
    )

    strict = _held(frame, unplanned_event="quarantine", violation="quarantine", unplanned_property="omit")
    assert [row["_failed"] for row in strict] == [[], ["event.sku: Pattern"], ["event.event: UnplannedEvent"], []]
    assert strict[3]["properties"] == {"sku": "P1"}
    assert strict[3]["violations"] == ["new: UnplannedProperty"]
    dropped = _held(frame, unplanned_event="drop", violation="drop")
    assert [row["_taken"] for row in dropped] == [True, False, False, True]


def test_violations_are_counted_by_event_and_field(spark: SparkSession):
    shape = "source string, event string, violations array<string>"
    data = [("web", "A", ["x: Type", "a: b: Enum"]), ("web", "A", ["x: Type"]), ("web", "B", None), ("app", "A", ["x: Type"])]
    counts = violation_counts([spark.createDataFrame(data, shape)])

    assert sorted(tuple(row) for row in counts.collect()) == [
        ("app", "A", "x", "Type", 1),
        ("web", "A", "a: b", "Enum", 1),
        ("web", "A", "x", "Type", 2),
    ]


SOURCE: dict[str, Any] = {
    "name": "web",
    "format": "json",
    "path": "web/*.json",
    "columns": [{"name": "id"}, {"name": "what"}, {"name": "sku"}, {"name": "at", "type": "timestamp"}],
    "produces": {
        "event": {"event_id": "id", "event": "what", "occurred_at": "at", "properties": {"sku": "sku"}, "where": "what <> 'no'"}
    },
}


def _configure(run: Run, plan: dict[str, Any]) -> None:
    (run.config.path / "sources").mkdir(exist_ok=True)
    (run.config.path / "sources" / "web.yaml").write_text(yaml.safe_dump(SOURCE))
    (run.config.path / "tracking_plan.yaml").write_text(yaml.safe_dump(plan))


def test_a_plan_is_applied_and_counted_by_clean(run: Run):
    plan = {"version": 3, "rules": [{"event": "View", "properties": [{"name": "sku", "required": True}]}]}
    _configure(run, {**plan, "enforcement": {"unplanned_event": "quarantine"}})
    folder = Path(run.landing) / "web"
    folder.mkdir(parents=True)
    sent = [("1", "View", '"a"'), ("2", "View", "null"), ("3", "Odd", '"a"'), ("4", "no", '"a"')]
    lines = [f'{{"id":"{i}","what":"{e}","sku":{s},"at":"2026-01-01T00:00:00Z"}}' for i, e, s in sent]
    (folder / "a.json").write_text("\n".join(lines))
    ingest(run)
    result = clean(run)

    kept = run.lake.read(silver.EVENTS).orderBy("event_id").select("event_id", "violations", "occurred_at").collect()
    assert [tuple(row)[:2] for row in kept] == [("1", None), ("2", ["sku: Required"])]
    assert kept[0]["occurred_at"] == datetime(2026, 1, 1)
    assert [row["reasons"] for row in run.lake.read(QUARANTINE).collect()] == [["event.event: UnplannedEvent"]]
    counts = run.lake.read(TRACKING_VIOLATIONS).orderBy("event").collect()
    assert [(c["event"], c["field"], c["violation_type"], c["rows"], c["plan_version"]) for c in counts] == [
        ("Odd", "event", "UnplannedEvent", 1, 3),
        ("View", "sku", "Required", 1, 3),
    ]
    assert "web: 1 x View, sku: Required" in result.notes
    assert all(account.difference == 0 for account in result.accounts)


@pytest.mark.parametrize(
    ("plan", "problem"),
    [
        ({"sources": ["wob"]}, "sources: wob is no source of events; did you mean web?"),
        ({"rules": [{"event": "A"}, {"event": "A"}]}, "A is there twice"),
        ({"rules": [{"event": "A", "properties": [{"name": "x", "pattern": "("}]}]}, "not a regular expression"),
        ({"enforcement": {"violation": "forwrd"}}, "enforcement.violation"),
    ],
)
def test_a_wrong_plan_is_named(run: Run, plan: dict[str, Any], problem: str):
    _configure(run, plan)

    with pytest.raises(ConfigError, match=r"tracking_plan\.yaml") as caught:
        load_tracking_plan(ConfigFolder(run.config.path))
    assert problem in str(caught.value)
