"""The segment stage on a small lake: members, history, feed and health through several days."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cdp.base.contracts import Table
from cdp.base.errors import UsageError
from cdp.base.settings import ConfigFolder
from cdp.base.stage import Run, StageResult
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
        for old in (self.run.config.path / "segments").iterdir():
            old.unlink()
        for name, text in files.items():
            (self.run.config.path / "segments" / f"{name}.yaml").write_text(text, encoding="utf-8")

    def people(self, **orders: int) -> None:
        self.put(PROFILES, *[{"customer_id": name} for name in orders])
        self.put(TRAITS, *[{"customer_id": name, "orders": n} for name, n in orders.items()])

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
INTERVAL = ("customer_id", "entered_on", "exited_on")
CHANGE = ("changed_on", "customer_id", "change", "reason")


def test_members_history_and_feed_follow_people_through_the_days(shop: Shop) -> None:
    one, two, three = DAY, DAY + timedelta(days=1), DAY + timedelta(days=2)
    shop.segments(buyers=buyers(2))

    shop.people(ann=2, bob=1, cyn=5)
    shop.on(one)
    shop.people(ann=2, bob=3, cyn=0)  # bob comes in, cyn goes
    shop.on(two)
    shop.people(ann=2, bob=3, cyn=2)  # cyn comes back
    shop.on(three)

    assert shop.rows(SEGMENT_MEMBERS, *MEMBER) == [
        ("buyers", "ann", one),
        ("buyers", "bob", two),
        ("buyers", "cyn", three),
    ]
    assert sorted(shop.rows(SEGMENT_HISTORY, "customer_id", "entered_on")) == [
        ("ann", one),
        ("bob", two),
        ("cyn", one),
        ("cyn", three),
    ]
    closed = shop.run.lake.read(SEGMENT_HISTORY).where("exited_on IS NOT NULL").select(*INTERVAL).collect()
    assert [tuple(row) for row in closed] == [("cyn", one, two)]
    assert shop.rows(SEGMENT_CHANGES, *CHANGE) == [
        (one, "ann", "entered", "rule"),  # the rule is new
        (one, "cyn", "entered", "rule"),
        (two, "bob", "entered", "data"),
        (two, "cyn", "exited", "data"),
        (three, "cyn", "entered", "data"),
    ]
    assert shop.rows(SEGMENT_STATUS, "status", "size", "previous_size", "version_since") == [
        ("live", 3, 2, one)
    ]


def test_a_rerun_gives_the_same_tables_and_an_earlier_date_takes_back_what_came_after(shop: Shop) -> None:
    two = DAY + timedelta(days=1)
    tables = (SEGMENT_MEMBERS, SEGMENT_HISTORY, SEGMENT_CHANGES, SEGMENT_STATUS)

    def content() -> list[Any]:
        return [sorted(str(row) for row in shop.run.lake.read(t).drop("run_id").collect()) for t in tables]

    shop.segments(buyers=buyers(2))
    shop.people(ann=2, bob=1)
    shop.on()
    first = content()
    shop.people(ann=1, bob=2)
    shop.on(two)
    second = content()

    shop.on(two)
    assert content() == second
    shop.people(ann=2, bob=1)
    shop.on()
    assert content()[:3] == first[:3]


def test_a_changed_rule_is_a_new_version_and_moves_only_those_it_moves(shop: Shop) -> None:
    two = DAY + timedelta(days=1)
    shop.segments(buyers=buyers(2))
    shop.people(ann=2, bob=5)
    shop.on()
    before = shop.rows(SEGMENT_STATUS, "version")

    shop.segments(buyers=buyers(3))
    shop.on(two)

    changes = [row for row in shop.rows(SEGMENT_CHANGES, *CHANGE) if row[0] == two]
    assert changes == [(two, "ann", "exited", "rule")]
    assert shop.rows(SEGMENT_MEMBERS, *MEMBER) == [("buyers", "bob", DAY)]
    assert shop.rows(SEGMENT_STATUS, "version") != before
    assert shop.rows(SEGMENT_STATUS, "version_since") == [(two,)]


def test_a_segment_that_is_gone_lets_its_members_go_with_a_word(shop: Shop) -> None:
    two = DAY + timedelta(days=1)
    shop.segments(buyers=buyers(2), others=buyers(1, "others"))
    shop.people(ann=2)
    shop.on()

    shop.segments(others=buyers(1, "others"))
    shop.on(two)

    assert shop.rows(SEGMENT_MEMBERS, "segment") == [("others",)]
    changes = shop.rows(SEGMENT_CHANGES, "changed_on", "segment", "change", "reason")
    assert (two, "buyers", "exited", "rule") in changes and len(changes) == 3


def test_a_merge_is_the_reason_for_the_ids_it_moves(shop: Shop) -> None:
    two = DAY + timedelta(days=1)
    shop.segments(buyers=buyers(2))
    shop.people(ann=2, bob=1)
    shop.on()

    shop.people(bob=3)
    merge = {"change": "merged", "customer_id": "bob", "previous_customer_id": "ann"}
    shop.put(CHANGES, {**merge, "changed_at": datetime(2026, 2, 1)})
    shop.on(two)

    moves = [row for row in shop.rows(SEGMENT_CHANGES, *CHANGE) if row[0] == two]
    assert moves == [(two, "ann", "exited", "merge"), (two, "bob", "entered", "merge")]


def test_a_segment_that_fails_keeps_its_members_and_the_others_go_on(shop: Shop) -> None:
    two = DAY + timedelta(days=1)
    good = {"buyers": buyers(2), "users": buyers(1, "users")}
    shop.segments(**good)
    shop.people(ann=2)
    shop.on()

    broken = "name: buyers\nrule: {type: And, conditions: [{type: Value, attribute: profile.city,"
    broken += " operator: {type: Regexp, value: '(unclosed'}}]}\n"
    both = "name: both\nrule: {type: And, conditions: [{type: include, segment: buyers}]}\n"
    shop.segments(buyers=broken, users=good["users"], both=both)
    shop.people(ann=2, bob=2)
    result = shop.on(two)

    assert shop.rows(SEGMENT_MEMBERS, *MEMBER) == [
        ("buyers", "ann", DAY),
        ("users", "ann", DAY),
        ("users", "bob", two),
    ]
    status = dict(shop.rows(SEGMENT_STATUS, "segment", "status"))
    assert status == {"both": "failed", "buyers": "failed", "users": "live"}
    assert [rule.split(":")[0] for rule in result.broken_rules] == ["segment both", "segment buyers"]
    assert "it refers to buyers" in result.broken_rules[0]
    assert (two, "ann", "exited", "rule") not in shop.rows(SEGMENT_CHANGES, *CHANGE)


def test_a_horizon_that_is_not_scored_fails_the_segment_and_says_so(shop: Shop) -> None:
    condition = (
        "{type: Value, attribute: predictions.ltv, horizon_days: 45, operator: {type: Less, value: 9}}"
    )
    shop.segments(cheap=f"name: cheap\nrule: {{type: And, conditions: [{condition}]}}\n")
    shop.people(ann=2)
    shop.put(PREDICTIONS, {"customer_id": "ann", "horizon_days": 90, "tier": "rest"})

    result = shop.on()

    assert result.broken_rules == ("segment cheap: horizon_days 45 is not scored; scored: 90",)


def test_members_without_consent_are_counted_as_suppressed(shop: Shop) -> None:
    shop.segments(buyers=buyers(1, more="purpose: email_marketing\n"))
    shop.people(ann=1, bob=1, cyn=1)
    shop.put(
        EFFECTIVE_CONSENT,
        {"customer_id": "ann", "purpose": "email_marketing", "status": "granted", "is_allowed": True},
        {"customer_id": "bob", "purpose": "email_marketing", "status": "denied", "is_allowed": False},
    )

    shop.on()

    assert shop.rows(SEGMENT_MEMBERS, "customer_id", "is_suppressed") == [
        ("ann", False),
        ("bob", True),
        ("cyn", True),  # never said anything
    ]
    assert shop.rows(SEGMENT_STATUS, "size", "suppressed") == [(3, 2)]


def test_the_control_group_is_a_stable_share_that_salts_share(shop: Shop) -> None:
    people = {f"c{i:03d}": 1 for i in range(400)}
    more = "holdout: {percent: 25, salt: spring}\n"
    shop.segments(
        a=buyers(1, "a", more), b=buyers(1, "b", more), c=buyers(1, "c", "holdout: {percent: 25}\n")
    )
    shop.people(**people)
    shop.on()
    held = {
        s: {
            c
            for t, c, h in shop.rows(SEGMENT_MEMBERS, "segment", "customer_id", "is_held_out")
            if h and t == s
        }
        for s in "abc"
    }

    assert held["a"] == held["b"] != held["c"]
    assert 0.18 < len(held["a"]) / 400 < 0.32
    assert "c000" not in held["a"] or "c000" in held["b"]


def test_only_selected_segments_are_written(shop: Shop) -> None:
    two = DAY + timedelta(days=1)
    both = "name: both\nrule: {type: And, conditions: [{type: include, segment: buyers}]}\n"
    shop.segments(buyers=buyers(2), both=both)
    shop.people(ann=2)
    shop.on()

    shop.people(ann=2, bob=2)
    shop.on(two, select=("both",))

    assert shop.rows(SEGMENT_MEMBERS, *MEMBER) == [
        ("both", "ann", DAY),
        ("both", "bob", two),
        ("buyers", "ann", DAY),
    ]
    assert shop.rows(SEGMENT_STATUS, "segment", "computed_on") == [("both", two), ("buyers", DAY)]
    with pytest.raises(UsageError, match="did you mean buyers"):
        shop.on(two, select=("buyrs",))


def test_a_dry_run_writes_nothing(shop: Shop) -> None:
    shop.segments(buyers=buyers(2))
    shop.people(ann=2)

    result = shop.on(dry_run=True)

    assert result.notes == ("buyers: 1 members (1 in, 0 out), 0 suppressed, 0 held out",)
    assert not shop.run.lake.exists(SEGMENT_MEMBERS)


def test_no_segments_leave_empty_tables(shop: Shop, tmp_path: Path) -> None:
    shop.segments()
    shop.people(ann=2)

    assert shop.on().rows_out == 0
    assert shop.rows(SEGMENT_MEMBERS, "segment") == []
