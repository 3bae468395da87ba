"""The segment stage on a small lake: members, history, feed and health through several days."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from cdp.base.contracts import Table
from cdp.base.errors import UsageError
from cdp.base.settings import ConfigFolder
from cdp.base.stage import Run, StageResult
from cdp.segments.compile import in_segment
from cdp.segments.config import Segment
from cdp.segments.evaluate import evaluated
from cdp.segments.load import load_segments
from cdp.segments.plan import plan
from cdp.segments.rows import member_rows
from cdp.segments.run import STAGE
from cdp.tables.gold import (
    EFFECTIVE_CONSENT,
    PREDICTIONS,
    PROFILES,
    SEGMENT_CHANGES,
    SEGMENT_HISTORY,
    SEGMENT_MEMBERS,
    SEGMENT_STATUS,
    TRAITS,
)
from cdp.tables.identity import CHANGES

TABLES = (SEGMENT_MEMBERS, SEGMENT_CHANGES, SEGMENT_STATUS, SEGMENT_HISTORY)

DAY = date(2026, 1, 31)


def buyers(at_least: int, name: str = "buyers", more: str = "") -> str:
    operator = f"{{type: GreaterEqual, value: {at_least}}}"
    condition = f"{{type: Value, attribute: traits.orders, operator: {operator}}}"
    return f"name: {name}\nrule: {{type: And, conditions: [{condition}]}}\n{more}"


class Shop:
    """A lake with people who have some number of orders, and the stage on it."""

    def __init__(self, run: Run, fill: Callable[..., Any]) -> None:
        self.run, self.fill = run, fill
        (run.config.path / "segments").mkdir()

    def segments(self, **files: str) -> None:
        for old in (self.run.config.path / "segments").glob("*.yaml"):
            old.unlink()
        for name, text in files.items():
            (self.run.config.path / "segments" / f"{name}.yaml").write_text(text, encoding="utf-8")

    def people(self, **orders: int) -> None:
        profiles = [{"customer_id": name} for name in orders]
        traits = [{"customer_id": name, "orders": n} for name, n in orders.items()]
        puts = [partial(self.put, PROFILES, *profiles), partial(self.put, TRAITS, *traits)]
        self.run.lake.together(puts)

    def put(self, table: Table, *rows: dict[str, Any]) -> None:
        self.run.lake.replace(table, self.fill(table, *rows))

    def on(self, day: date = DAY, **more: Any) -> StageResult:
        again = ConfigFolder(self.run.config.path)  # a process of its own would read the files anew
        return STAGE.run(replace(self.run, as_of=day, run_id=f"r{day}", config=again, **more))

    def rows(self, table: Table, *columns: str) -> list[tuple[Any, ...]]:
        return sorted(tuple(row) for row in self.run.lake.read(table).select(*columns).collect())


@pytest.fixture
def shop(run: Run, fill: Callable[..., Any]) -> Shop:
    return Shop(run, fill)


MEMBER = ("segment", "customer_id", "entered_on")
CHANGE = ("segment", "changed_on", "customer_id", "change", "reason")
BOTH = "name: both\nrule: {type: And, conditions: [{type: include, segment: buyers}]}\n"
CONTROL = "holdout: {percent: 25, salt: spring}\n"


def test_tables_follow_people_and_rules_through_the_days_and_a_rerun_changes_nothing(shop: Shop) -> None:
    two = DAY + timedelta(days=1)
    old, new = buyers(2, "old"), buyers(2, "new")
    shop.segments(old=old, new=new, buyers=buyers(2))
    shop.people(ann=2, bob=1, cyn=5)
    shop.on()
    first = shop.rows(SEGMENT_STATUS, "segment", "version")

    shop.segments(new=buyers(3, "new"), buyers=buyers(2))  # one is gone, one has another rule
    shop.people(ann=2, bob=3, cyn=0)
    shop.on(two)

    after = {
        t.name: shop.rows(t, *[c.name for c in t.columns if c.name != "run_id"]) for t in TABLES if t != SEGMENT_HISTORY
    }
    assert shop.rows(SEGMENT_MEMBERS, *MEMBER) == [
        ("buyers", "ann", DAY),
        ("buyers", "bob", two),
        ("new", "bob", two),
    ]
    assert [row for row in shop.rows(SEGMENT_CHANGES, *CHANGE) if row[1] == two] == [
        ("buyers", two, "bob", "entered", "data"),
        ("buyers", two, "cyn", "exited", "data"),
        ("new", two, "ann", "exited", "rule"),
        ("new", two, "bob", "entered", "rule"),
        ("new", two, "cyn", "exited", "rule"),
        ("old", two, "ann", "exited", "rule"),
        ("old", two, "cyn", "exited", "rule"),
    ]
    status = shop.rows(SEGMENT_STATUS, "segment", "status", "size", "previous_size", "version_since")
    assert status == [("buyers", "live", 2, 2, DAY), ("new", "live", 1, 2, two)]
    assert dict(first)["buyers"] == dict(shop.rows(SEGMENT_STATUS, "segment", "version"))["buyers"]
    assert dict(first)["new"] != dict(shop.rows(SEGMENT_STATUS, "segment", "version"))["new"]

    shop.on(two)

    again = {
        t.name: shop.rows(t, *[c.name for c in t.columns if c.name != "run_id"]) for t in TABLES if t != SEGMENT_HISTORY
    }
    assert again == after


def test_a_segment_that_fails_keeps_its_members_and_the_others_go_on(shop: Shop) -> None:
    two = DAY + timedelta(days=1)
    shop.segments(
        buyers=buyers(2, more="purpose: email_marketing\n"),
        both=BOTH + CONTROL,
        users=buyers(1, "users", CONTROL),
    )
    consents = [{"customer_id": c, "is_allowed": c == "ann"} for c in ("ann", "bob")]
    shop.put(EFFECTIVE_CONSENT, *[{**c, "purpose": "email_marketing", "status": "granted"} for c in consents])
    shop.put(PREDICTIONS, {"customer_id": "ann", "horizon_days": 90, "tier": "rest", "lifecycle": "new"})
    shop.people(ann=2, bob=2, cyn=2)
    result = shop.on()

    assert result.broken_rules == () and result.rows_out == 9
    suppressed = [c for s, c, is_ in shop.rows(SEGMENT_MEMBERS, "segment", "customer_id", "is_suppressed") if is_]
    assert suppressed == ["bob", "cyn"]  # one said no, the other never said anything

    broken = "name: buyers\nrule: {type: And, conditions: [{type: Value, attribute: profile.city,"
    broken += " operator: {type: Regexp, value: '(unclosed'}}]}\n"
    cheap = "{type: Value, attribute: predictions.ltv, horizon_days: 45, operator: {type: Less, value: 9}}"
    cheap = f"name: cheap\nrule: {{type: And, conditions: [{cheap}]}}\n"
    shop.segments(buyers=broken, both=BOTH, users=buyers(1, "users", CONTROL), cheap=cheap)
    shop.people(ann=2, dan=1)
    result = shop.on(two)

    members = shop.rows(SEGMENT_MEMBERS, *MEMBER)
    assert [m for m in members if m[0] == "users"] == [("users", "ann", DAY), ("users", "dan", two)]
    assert {m[1:] for m in members if m[0] == "buyers"} == {(c, DAY) for c in ("ann", "bob", "cyn")}
    status = {s: rest for s, *rest in shop.rows(SEGMENT_STATUS, "segment", "status", "size", "computed_on")}
    assert status == {
        "both": ["failed", 3, DAY],
        "buyers": ["failed", 3, DAY],
        "cheap": ["failed", 0, two],
        "users": ["live", 2, two],
    }
    assert result.broken_rules == (
        "segment both: it refers to buyers, which failed",
        "segment buyers: Spark cannot evaluate the rule: PatternSyntaxException",
        "segment cheap: horizon_days 45 is not scored; scored: 90",
    )


def test_lost_and_given_consent_of_members_who_stay_is_in_the_feed_however_often_a_date_runs(shop: Shop) -> None:
    two = DAY + timedelta(days=1)
    wants = "{type: Value, attribute: consent.sms, operator: {type: Equal, value: true}}"
    shop.segments(
        buyers=buyers(2, more="purpose: sms\n"), texted=f"name: texted\nrule: {{type: And, conditions: [{wants}]}}\n"
    )
    shop.people(ann=2, bob=2, cyn=2)

    def allow(*who: str) -> None:
        rows = [{"customer_id": c, "purpose": "sms", "is_allowed": c in who} for c in ("ann", "bob", "cyn")]
        shop.put(
            EFFECTIVE_CONSENT, *[{**row, "status": "granted" if row["is_allowed"] else "withdrawn"} for row in rows]
        )

    allow("ann", "cyn")
    shop.on()
    allow("bob", "cyn")
    for _ in range(2):
        shop.on(two)

        assert [row for row in shop.rows(SEGMENT_CHANGES, *CHANGE) if row[1] == two] == [
            ("buyers", two, "ann", "suppressed", "consent"),
            ("buyers", two, "bob", "released", "consent"),
            ("texted", two, "ann", "exited", "consent"),
            ("texted", two, "bob", "entered", "data"),
        ]
        spans = {
            (s, c): [tuple(span) for span in spans]
            for s, c, spans in shop.rows(SEGMENT_HISTORY, "segment", "customer_id", "suppressed")
        }
        assert (
            spans["buyers", "ann"] == [(two, None)]
            and spans["buyers", "bob"] == [(DAY, two)]
            and not spans["buyers", "cyn"]
        )


def test_what_tables_are_written_from_hangs_on_none_of_them(shop: Shop) -> None:
    shop.segments(buyers=buyers(3))
    shop.people(ann=3)
    shop.on()

    judged = evaluated(shop.run, plan(load_segments(shop.run.config), ()), shop.run.lake.read(SEGMENT_HISTORY))

    # Spark drops what is persisted of a table when that is written, and everybody would be worked out anew.
    tables = judged.stand._jdf.queryExecution().analyzed().collectLeaves().toString()
    assert "LogicalRDD" in tables and "Relation" not in tables


def test_only_selected_segments_are_written_and_a_dry_run_writes_nothing(shop: Shop) -> None:
    shop.segments(buyers=buyers(2), both=BOTH, users=buyers(1, "users"))
    shop.people(ann=2)

    dry = shop.on(dry_run=True)
    assert dry.notes[1] == "buyers: 1 members (1 in, 0 out), 0 suppressed, 0 held out"
    assert not shop.run.lake.exists(SEGMENT_MEMBERS)

    shop.on(select=("both",))
    assert shop.rows(SEGMENT_MEMBERS, *MEMBER) == [("both", "ann", DAY)]
    assert shop.rows(SEGMENT_STATUS, "segment") == [("both",)]
    with pytest.raises(UsageError, match="did you mean buyers"):
        shop.on(select=("buyrs",))


def test_the_universal_control_group_is_the_same_everywhere_and_the_surviving_id_decides_after_a_merge(
    shop: Shop,
) -> None:
    """Two who are held out and two who are not, and one of each kind is taken into the other."""
    two = DAY + timedelta(days=1)
    draw = {
        c: int(hashlib.sha256(f"everybody|{c}".encode()).hexdigest()[:8], 16) / 16**8
        for c in (f"c{i}" for i in range(20))
    }
    low, lower, *_, high, higher = sorted(draw, key=lambda c: draw[c])
    (shop.run.config.path / "segments.yaml").write_text("holdout: {percent: 50}\nexclude_always: [complaints]\n")
    shop.segments(
        buyers=buyers(2), best=buyers(3, "best", "holdout: {percent: 0}\n"), complaints=buyers(9, "complaints")
    )
    shop.people(**dict.fromkeys((low, lower, high, higher), 5), angry=9)
    shop.on()

    held = ("segment", "customer_id", "is_held_out")
    everybody = [(c, c in (low, lower)) for c in (low, lower, high, higher)]
    rows = [(s, *who) for s in ("best", "buyers") for who in everybody]
    assert [r for r in shop.rows(SEGMENT_MEMBERS, *held) if r[1] != "angry"] == sorted(rows)
    assert [s for s, c, _ in shop.rows(SEGMENT_MEMBERS, *held) if c == "angry"] == ["complaints"]

    merges = [
        {"change": "merged", "customer_id": kept, "previous_customer_id": gone}
        for kept, gone in ((low, high), (higher, lower))
    ]
    shop.put(CHANGES, *[{**m, "changed_at": datetime(2026, 2, 1)} for m in merges])
    shop.people(**{low: 10, higher: 10})
    shop.segments(buyers=buyers(2), best=buyers(3, "best"), complaints=buyers(99, "complaints"))
    shop.on(two)

    expected = [(s, c, c == low) for s in ("best", "buyers") for c in (low, higher)]
    assert shop.rows(SEGMENT_MEMBERS, *held) == sorted(expected)


def test_the_control_group_is_a_stable_share_that_segments_of_one_salt_have_in_common(
    spark: SparkSession,
) -> None:
    everybody = spark.range(400).select(F.concat(F.lit("c"), "id").alias("customer_id"))
    rule = {"type": "And", "conditions": [{"type": "include", "segment": "x"}]}
    groups = {
        "spring": {"percent": 25, "salt": "spring"},
        "also_spring": {"percent": 25, "salt": "spring"},
        "own": {"percent": 25},
        "more": {"percent": 50, "salt": "spring"},
        "all": {"percent": 100},
        "none": {},
    }
    segments = {
        name: Segment.model_validate({"name": name, "rule": rule, "holdout": holdout})
        for name, holdout in groups.items()
    }
    frame = everybody.withColumns({in_segment(name): F.lit(True) for name in segments})
    rows = member_rows(frame, segments, dict.fromkeys(segments, "v")).where("is_held_out").collect()
    held = {name: {row["customer_id"] for row in rows if row["segment"] == name} for name in segments}

    bucket = {f"c{i}": int(hashlib.sha256(f"spring|c{i}".encode()).hexdigest()[:8], 16) / 16**8 for i in range(400)}

    assert held["spring"] == {c for c, b in bucket.items() if b < 0.25}
    assert held["spring"] == held["also_spring"] != held["own"]
    assert held["spring"] < held["more"]  # more people, none let go
    assert held["all"] == set(bucket) and held["none"] == set()
