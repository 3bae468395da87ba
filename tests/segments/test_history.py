"""Membership through time against a slow version in plain Python."""

import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from cdp.segments.history import changes, history_after, members_after, standing
from cdp.tables.gold import SEGMENT_HISTORY
from cdp.tables.identity import CHANGES

START = date(2026, 1, 1)
NOW = "segment string, version string, customer_id string, is_suppressed boolean, is_held_out boolean"


def interval(who: str, start: date, end: date | None) -> tuple[Any, ...]:
    return ("s", "v1", who, start, end)


def day(number: int) -> date:
    return START + timedelta(days=number)


def now(spark: SparkSession, *who: str, version: str = "v1") -> DataFrame:
    return spark.createDataFrame([("s", version, name, False, False) for name in who], NOW)


def intervals(members: dict[date, set[str]], until: date) -> set[tuple[Any, ...]]:
    """The slow version: walk through the days on which the segment was judged."""
    found, since = set(), dict[str, date]()
    for judged in sorted(d for d in members if d <= until):
        for who in sorted(members[judged] - set(since)):
            since[who] = judged
        for who in sorted(set(since) - members[judged]):
            found.add(interval(who, since.pop(who), judged))
    return found | {interval(who, start, None) for who, start in since.items()}


def test_intervals_equal_a_walk_through_the_days_also_when_an_earlier_day_is_judged_again(
    spark: SparkSession,
) -> None:
    chance = random.Random(3)
    people = ["ann", "bob", "cyn", "dev"]
    held: list[tuple[Any, ...]] = []
    judged: dict[date, set[str]] = {}
    for number in (0, 1, 3, 3, 4, 2, 5):  # day 3 twice, and back to day 2
        on = day(number)
        judged = {d: who for d, who in judged.items() if d < on}
        judged[on] = {name for name in people if chance.random() < 0.5}
        history = spark.createDataFrame(held, SEGMENT_HISTORY.schema)

        stand = standing(history, now(spark, *judged[on]), as_of=on)
        held = [tuple(row) for row in history_after(history, stand, as_of=on).collect()]

        assert len(held) == len(set(held))
        assert set(held) == intervals(judged, on), on


def test_a_member_keeps_the_day_and_the_version_of_the_entry(spark: SparkSession) -> None:
    history = spark.createDataFrame([interval("ann", day(0), None)], SEGMENT_HISTORY.schema)

    stand = standing(history, now(spark, "ann", "bob", version="v2"), as_of=day(2))

    members = {row["customer_id"]: row for row in members_after(stand, as_of=day(2)).collect()}
    assert {w: (m["version"], m["entered_on"]) for w, m in members.items()} == {
        "ann": ("v2", day(0)),
        "bob": ("v2", day(2)),
    }
    kept = {
        row["customer_id"]: row["version"] for row in history_after(history, stand, as_of=day(2)).collect()
    }
    assert kept == {"ann": "v1", "bob": "v2"}


def feed(
    spark: SparkSession, fill: Callable[..., DataFrame], since: date | None, *fates: dict[str, Any]
) -> set[tuple[str, str, str]]:
    """Of ann, bob and cyn, cyn stays, ann goes and bob comes on day 2."""
    history = [interval("ann", day(0), None), interval("cyn", day(0), None)]
    stand = standing(
        spark.createDataFrame(history, SEGMENT_HISTORY.schema), now(spark, "bob", "cyn"), as_of=day(2)
    )
    rows = [("s", "v1", since)] if since else []
    status = spark.createDataFrame(rows, "segment string, current string, version_since date")
    found = changes(stand, status, fill(CHANGES, *fates), as_of=day(2), run_id="r")
    return {(row["customer_id"], row["change"], row["reason"]) for row in found.collect()}


def test_the_feed_says_why(spark: SparkSession, fill: Callable[..., DataFrame]) -> None:
    at = datetime(2026, 1, 3)
    merged = {"change": "merged", "customer_id": "bob", "previous_customer_id": "ann", "changed_at": at}
    erased = {"change": "erased", "customer_id": "ann", "previous_customer_id": "ann", "changed_at": at}
    later = {**merged, "changed_at": datetime(2026, 1, 4)}

    assert feed(spark, fill, day(0)) == {("ann", "exited", "data"), ("bob", "entered", "data")}
    assert feed(spark, fill, day(0), later) == {("ann", "exited", "data"), ("bob", "entered", "data")}
    assert feed(spark, fill, day(0), merged) == {("ann", "exited", "merge"), ("bob", "entered", "merge")}
    assert feed(spark, fill, day(0), merged, erased) == {
        ("ann", "exited", "erasure"),
        ("bob", "entered", "merge"),
    }
    assert feed(spark, fill, day(2), merged) == {("ann", "exited", "rule"), ("bob", "entered", "rule")}
    assert feed(spark, fill, None) == {("ann", "exited", "rule"), ("bob", "entered", "rule")}
