"""Membership through time against a slow version in plain Python."""

import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from cdp.segments.config import Segment
from cdp.segments.consents import demanded
from cdp.segments.history import changes, history_after, members_after, standing
from cdp.segments.rows import MEMBER
from cdp.tables.gold import EFFECTIVE_CONSENT, SEGMENT_HISTORY
from cdp.tables.identity import CHANGES

START = date(2026, 1, 1)


Spans = list[tuple[date, date | None]]


def interval(who: str, start: date, end: date | None, spans: Spans | None = None) -> tuple[Any, ...]:
    return ("s", "v1", who, start, end, spans or [])


def day(number: int) -> date:
    return START + timedelta(days=number)


def now(spark: SparkSession, *who: str, version: str = "v1", suppressed: tuple[str, ...] = ()) -> DataFrame:
    return spark.createDataFrame([("s", version, name, name in suppressed, False, None) for name in who], MEMBER)


def intervals(members: dict[date, dict[str, bool]], until: date) -> list[tuple[Any, ...]]:
    """The slow version: walk through the days on which the segment was judged; members with whether they are suppressed."""
    found: list[tuple[Any, ...]] = []
    since: dict[str, date] = {}
    spans: dict[str, Spans] = {}
    for judged in sorted(d for d in members if d <= until):
        for who in sorted({*since, *members[judged]}):
            if who not in since:
                since[who], spans[who] = judged, []
            is_suppressed = members[judged].get(who, False)
            is_open = bool(spans[who]) and spans[who][-1][1] is None
            if is_suppressed and not is_open:
                spans[who].append((judged, None))
            if is_open and not is_suppressed:
                spans[who][-1] = (spans[who][-1][0], judged)
            if who not in members[judged]:
                found.append(interval(who, since.pop(who), judged, spans.pop(who)))
    return sorted([*found, *(interval(who, start, None, spans[who]) for who, start in since.items())], key=str)


def test_intervals_equal_a_walk_through_the_days_also_when_an_earlier_day_is_judged_again(
    spark: SparkSession,
) -> None:
    chance = random.Random(3)
    people = [f"p{n}" for n in range(12)]
    held: list[tuple[Any, ...]] = []
    judged: dict[date, dict[str, bool]] = {}
    for number in (0, 1, 3, 3, 4, 2, 5):  # day 3 twice, and back to day 2
        on = day(number)
        judged = {d: who for d, who in judged.items() if d < on}
        judged[on] = {name: chance.random() < 0.5 for name in people if chance.random() < 0.7}
        history = spark.createDataFrame(held, SEGMENT_HISTORY.schema)
        suppressed = tuple(name for name, is_ in judged[on].items() if is_)

        stand = standing(history, now(spark, *judged[on], suppressed=suppressed), as_of=on)
        held = [tuple(row) for row in history_after(history, stand, as_of=on).collect()]

        held = [(*row[:5], [tuple(span) for span in row[5]]) for row in held]
        assert sorted(held, key=str) == intervals(judged, on), on
    assert any(len(row[5]) > 1 for row in held)


def test_a_member_keeps_the_day_and_the_version_of_the_entry(spark: SparkSession) -> None:
    history = spark.createDataFrame([interval("ann", day(0), None)], SEGMENT_HISTORY.schema)

    stand = standing(history, now(spark, "ann", "bob", version="v2"), as_of=day(2))

    members = {row["customer_id"]: row for row in members_after(stand, as_of=day(2)).collect()}
    assert {w: (m["version"], m["entered_on"]) for w, m in members.items()} == {
        "ann": ("v2", day(0)),
        "bob": ("v2", day(2)),
    }
    kept = {row["customer_id"]: row["version"] for row in history_after(history, stand, as_of=day(2)).collect()}
    assert kept == {"ann": "v1", "bob": "v2"}


LETTERS = "email_marketing"


def feed(
    spark: SparkSession,
    fill: Callable[..., DataFrame],
    since: date | None,
    *fates: dict[str, Any],
    allowed: tuple[str, ...] = ("ann",),
) -> set[tuple[str, str, str]]:
    """Of those in, cyn, dev, eve and fay stay, ann goes and bob comes on day 2; dev loses consent, and eve gets it. Nobody
    knows how fay was before. The rule demands consent, and those `allowed` give it."""
    spans: dict[str, Spans] = {"eve": [(day(0), None)], "cyn": [(day(0), day(1))]}
    history = [interval(c, day(0), None, spans.get(c)) for c in ("ann", "cyn", "dev", "eve")]
    history.append(("s", "v1", "fay", day(0), None, None))
    stand = standing(
        spark.createDataFrame(history, SEGMENT_HISTORY.schema),
        now(spark, "bob", "cyn", "dev", "eve", "fay", suppressed=("bob", "dev", "fay")),
        as_of=day(2),
    )
    rows = [("s", "v1", since, day(2) if since == day(2) else day(0), [LETTERS])] if since else []
    status = spark.createDataFrame(
        rows, "segment string, current string, version_since date, purpose_since date, demanded array<string>"
    )
    consent = fill(
        EFFECTIVE_CONSENT, *({"customer_id": c, "purpose": LETTERS, "is_allowed": c in allowed} for c in ("ann", "dev"))
    )
    found = changes(stand, status, fill(CHANGES, *fates), consent, as_of=day(2), run_id="r")
    return {(row["customer_id"], row["change"], row["reason"]) for row in found.collect()}


def test_the_feed_says_why(spark: SparkSession, fill: Callable[..., DataFrame]) -> None:
    at = datetime(2026, 1, 3)
    merged = {"change": "merged", "customer_id": "bob", "previous_customer_id": "ann", "changed_at": at}
    grown = {"change": "merged", "customer_id": "dev", "previous_customer_id": "old", "changed_at": at}
    erased = {"change": "erased", "customer_id": "ann", "previous_customer_id": "ann", "changed_at": at}
    later = {**merged, "changed_at": datetime(2026, 1, 4)}
    consent = {("dev", "suppressed", "consent"), ("eve", "released", "consent")}
    by_rule = {("dev", "suppressed", "rule"), ("eve", "released", "rule")}

    assert feed(spark, fill, day(0), later) == {("ann", "exited", "data"), ("bob", "entered", "data"), *consent}
    assert feed(spark, fill, day(0), allowed=()) == {("ann", "exited", "consent"), ("bob", "entered", "data"), *consent}
    assert feed(spark, fill, day(0), merged, grown, allowed=()) == {
        ("ann", "exited", "merge"),
        ("bob", "entered", "merge"),
        ("dev", "suppressed", "merge"),
        ("eve", "released", "consent"),
    }
    assert feed(spark, fill, day(0), merged, erased) == {
        ("ann", "exited", "erasure"),
        ("bob", "entered", "merge"),
        *consent,
    }
    assert feed(spark, fill, day(2), merged) == {("ann", "exited", "rule"), ("bob", "entered", "rule"), *by_rule}
    gone = feed(spark, fill, None)
    assert {("ann", "exited", "rule"), ("bob", "entered", "rule")} <= gone


def consented(**more: Any) -> dict[str, Any]:
    return {"type": "Value", "attribute": f"consent.{LETTERS}", "operator": {"type": "Equal", "value": True, **more}}


@pytest.mark.parametrize(
    ("conditions", "wanted"),
    [
        ([consented()], {LETTERS}),
        ([consented(value=False)], set()),
        ([consented(value=False, **{"not": True})], {LETTERS}),
        ([{**consented(), "operator": {"type": "NotEqual", "value": False}}], {LETTERS}),
        ([{"type": "And", "conditions": [consented()]}], {LETTERS}),
        ([{"type": "Or", "conditions": [consented(), {"type": "include", "segment": "other"}]}], set()),
        ([{"type": "Not", "conditions": [consented()]}], set()),
        ([{"type": "include", "segment": "other"}], {"sms"}),
        ([{"type": "exclude", "segment": "other"}], set()),
    ],
)
def test_what_consent_a_rule_demands(conditions: list[dict[str, Any]], wanted: set[str]) -> None:
    other = {"name": "other", "rule": {"type": "And", "conditions": [{**consented(), "attribute": "consent.sms"}]}}
    segment = {"name": "s", "rule": {"type": "And", "conditions": conditions}}
    segments = {d["name"]: Segment.model_validate(d) for d in (other, segment)}

    assert demanded("s", segments) == wanted
