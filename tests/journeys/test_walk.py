"""Where people are, how they came there and why they went, against a slow version in plain Python."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import yaml
from pyspark.sql import DataFrame, SparkSession

from cdp.journeys.config import Journey
from cdp.journeys.history import changes, history_after, members_after, stays, tallies
from cdp.journeys.moves import trail
from cdp.journeys.paths import paths
from cdp.journeys.steps import SendStep
from cdp.journeys.visits import entrants, eve, standing, visits
from cdp.segments.shared import SharedConfig
from cdp.tables.journeys import JOURNEY_HISTORY
from tests.journeys.simulate import Book, Stay, World

START = date(2026, 1, 28)  # a Wednesday, near the end of a month
MET = "{type: Value, attribute: traits.orders, operator: {type: Greater, value: 1}}"
CHANGE = (
    "journey",
    "customer_id",
    "entered_as",
    "entered_on",
    "position",
    "change",
    "from_step",
    "to_step",
    "moved_on",
    "reason",
)
HISTORY = tuple(c.name for c in JOURNEY_HISTORY.columns)


def journey(text: str, *, excludes: tuple[str, ...] = ()) -> Journey:
    found = Journey.model_validate(yaml.safe_load(text.replace("MET", MET)))
    return found.with_shared(SharedConfig(exclude_always=excludes))


LINE = journey(
    """
    name: line
    entry: {segment: s}
    goal: MET
    steps:
      - {name: mail, type: send, stay: {duration: 2, unit: day}}
      - {name: pause, type: wait, for: {duration: 1, unit: month}, weekday: friday}
      - {name: opened, type: branch, cases: [{if: MET, next: done}, {if: MET, next: offer}], else: halves}
      - {name: halves, type: split, shares: [{percent: 30, next: offer}, {percent: 70, next: done}]}
      - {name: offer, type: send}
      - {name: done, type: end}
    """,
    excludes=("complaints",),
)
# Quick ways all over: several steps in one run, and more after days without one.
QUICK = """
    name: quick
    entry: {segment: t, since: 2026-01-20}
    reentry: {after: {duration: 2, unit: day}}
    exit: MET
    ignore_exclusions: true
    steps:
      - {name: short, type: wait, for: {duration: 1, unit: day}}
      - {name: asked, type: wait, until: MET, at_most: {duration: 2, unit: day}, otherwise: again}
      - {name: third, type: branch, cases: [{if: MET, next: over}], else: mail}
      - {name: mail, type: send, next: over}
      - {name: again, type: split, shares: [{percent: 50, next: short}, {percent: 25.5, next: monday}, {percent: 24.5, next: over}]}
      - {name: monday, type: wait, weekday: monday, next: over}
      - {name: over, type: end}
    """
ROUND = journey(
    """
    name: round
    entry: {segment: s}
    steps:
      - {name: a, type: wait, for: {duration: 1, unit: day}}
      - {name: b, type: branch, cases: [{if: MET, next: mail}], else: c}
      - {name: c, type: wait, for: {duration: 2, unit: day}, next: a}
      - {name: mail, type: send, next: a}
    """
)
CHANGED = QUICK.replace("monday, type: wait", "tuesday, type: wait").replace("next: monday", "next: tuesday")


class Town:
    """People who change from day to day, and merge, part and vanish."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.ids = [f"c{n:02}" for n in range(60)]
        self.there = set(self.ids)
        self.heirs: dict[str, set[str]] = {}
        self.erased: set[str] = set()
        self.members: dict[str, dict[str, date]] = {"s": {}, "t": {}}
        self.columns = [c for j in (LINE, journey(QUICK), ROUND) for c in j.columns().values()]

    def day(self, on: date, *, moves: bool) -> World:
        chance = self.chance
        if moves:
            self._merge()
        for members in self.members.values():
            for customer in self.ids:
                if customer in members and chance.random() < 0.3:
                    del members[customer]
                elif customer not in members and chance.random() < 0.4:
                    members[customer] = on - timedelta(days=chance.choice([0, 0, 5, 30]))
        rare = {c: 0.08 if c.endswith("__0") else 0.4 for c in self.columns}
        return World(
            people={
                c: {column for column, share in rare.items() if chance.random() < share} for c in sorted(self.there)
            },
            members={s: dict(those) for s, those in self.members.items()},
            heirs={old: set(now) for old, now in self.heirs.items()},
            erased=frozenset(self.erased),
            excluded=frozenset(c for c in sorted(self.there) if chance.random() < 0.05),
            suppressed=frozenset(
                (j, c) for j in ("line", "quick") for c in sorted(self.there) if chance.random() < 0.3
            ),
        )

    def _merge(self) -> None:
        """One into another, one into two, one erased, one gone, and one that comes back."""
        chance = self.chance
        back = [c for c in sorted(self.heirs) if chance.random() < 0.2]
        for customer in back:
            del self.heirs[customer]
            self.there.add(customer)
        gone, parted, erased, lost = chance.sample(sorted(self.there), 4)
        left = sorted(self.there - {gone, parted, erased, lost})
        now = {gone: {chance.choice(left)}, parted: set(chance.sample(left, 2))}
        self.there -= {gone, parted, erased, lost}
        self.erased.add(erased)
        for old, heirs in self.heirs.items():
            self.heirs[old] = {now_ for c in heirs for now_ in now.get(c, {c})} & self.there or {left[0]}
        self.heirs.update(now)


def world_frames(spark: SparkSession, world: World, journeys: dict[str, Journey]) -> dict[str, DataFrame]:
    columns = [c for j in journeys.values() for c in j.columns().values()]
    rows = [
        (
            c,
            *(column in meets for column in columns),
            c in world.excluded,
            [j for j in journeys if (j, c) in world.suppressed],
            [],
        )
        for c, meets in world.people.items()
    ]
    flags = "".join(f", {c} boolean" for c in columns)
    shape = f"customer_id string{flags}, is_excluded boolean, suppressed_in array<string>, held_out_in array<string>"
    members = [(s, c, on) for s, those in world.members.items() for c, on in those.items()]
    former = [(old, c) for old, now in world.heirs.items() for c in sorted(now)]
    return {
        "customers": spark.createDataFrame(rows, shape),
        "members": spark.createDataFrame(members, "segment string, customer_id string, entered_on date"),
        "former": spark.createDataFrame(former, "former string, customer_id string"),
        "erased": spark.createDataFrame([(c,) for c in sorted(world.erased)], "customer_id string"),
    }


class Kept:
    """The history as the code under test writes it, run by run."""

    def __init__(self, spark: SparkSession) -> None:
        self.spark, self.rows = spark, []  # type: ignore[var-annotated]

    def run(self, journeys: dict[str, Journey], world: World, on: date) -> tuple[DataFrame, DataFrame]:
        frames = world_frames(self.spark, world, journeys)
        history = self.spark.createDataFrame(self.rows, JOURNEY_HISTORY.schema)
        before = eve(history, as_of=on)
        come = entrants(frames["members"], before, frames["former"], journeys, as_of=on)
        everyone = visits(standing(before, frames["former"]), come, journeys, as_of=on)
        found = stays(paths(everyone, frames["customers"], frames["erased"], journeys, as_of=on), journeys, as_of=on)
        self.rows = [tuple(row) for row in history_after(before, found).select(*HISTORY).collect()]
        return before, found


def expected(stays_: list[Stay]) -> list[tuple[Any, ...]]:
    return sorted((tuple(getattr(s, c) for c in HISTORY) for s in stays_), key=str)


def days() -> Iterator[tuple[int, bool]]:
    """Numbers of days with a run, and whether people merge before it: there are days without, one has two, and one comes back."""
    merging = {2, 7, 8, 4, 9, 40}
    seen: set[int] = set()
    for number in (0, 1, 2, 3, 7, 7, 8, 4, 9, 40, 70):
        yield number, number in merging - seen
        seen.add(number)


def test_a_walk_through_the_days_equals_one_in_plain_python(spark: SparkSession) -> None:
    town, book, kept = Town(1), Book(), Kept(spark)
    seen: set[tuple[str, str]] = set()
    for number, moves in days():
        on = START + timedelta(days=number)
        quick = journey(CHANGED if number in (9, 40) else QUICK)
        journeys = {"line": LINE, "quick": quick, "round": ROUND}
        if number == 70:
            del journeys["round"]
        world = town.day(on, moves=moves)
        book.run(journeys, world, on)

        before, found = kept.run(journeys, world, on)

        assert sorted(kept.rows, key=str) == expected(book.stays), on
        if number in (2, 8, 70):  # a query more
            told = changes(found, as_of=on, run_id="r").select(*CHANGE).collect()
            assert sorted((tuple(row) for row in told), key=str) == sorted(book.changes, key=str)
        seen |= {(what, reason) for *_, what, _, _, _, reason in book.changes}
    here = [s for s in book.stays if s.left_on is None]
    members = {(r["journey"], r["customer_id"]): r for r in members_after(found, journeys).collect()}
    assert {key: (r["step"], r["since"], r["version"]) for key, r in members.items()} == {
        (s.journey, s.customer_id): (s.step, s.since, journeys[s.journey].hash) for s in here
    }
    assert all(r["is_suppressed"] == (key in world.suppressed) for key, r in members.items())
    assert all(
        r["is_deliverable"] == isinstance(journeys[r["journey"]].by_name[r["step"]], SendStep) for r in members.values()
    )
    counts = {(r["journey"], r["step"]): r for r in tallies(history_after(before, found), found, as_of=on).collect()}
    for key, row in counts.items():
        those = [s for s in book.stays if (s.journey, s.step) == key]
        assert row["reached"] == sum(s.reason != "merge" for s in those)
        assert row["converted"] == sum(s.outcome == "converted" for s in those)
        assert row["size"] == sum(s.left_on is None for s in those)
    assert {reason for _, reason in seen} >= {
        *("data", "time", "condition", "otherwise", "share", "merge"),
        *("converted", "exited", "ended", "rule", "split", "erasure"),
    }


def test_a_circle_is_walked_as_often_as_days_are_made_up_for(spark: SparkSession) -> None:
    start = [("round", "ann", ("round.a", START, "data"), False), ("round", "bob", ("round.a", START, "data"), True)]
    column = ROUND.columns()["steps.1.cases.0.if"]
    shape = (
        f"journey string, customer_id string, start struct<at: string, since: date, reason: string>, {column} boolean"
    )
    rows = spark.createDataFrame(start, shape)

    walked = rows.select(
        "customer_id", trail("start", {"round": ROUND}, as_of=START + timedelta(days=99)).alias("trail")
    )

    passed = {row["customer_id"]: row["trail"] for row in walked.collect()}
    # A round of three steps takes three days; who is to be sent something stands there.
    assert len(passed["ann"]) == 99 + 1 and passed["ann"][-1]["at"] == "round.a"
    assert passed["ann"][-1]["since"] == START + timedelta(days=99)
    assert [s["at"] for s in passed["bob"]] == ["round.a", "round.b", "round.mail"]
    assert passed["bob"][-1]["since"] == START + timedelta(days=99)


def test_missed_days_leave_people_where_daily_runs_do_as_long_as_nothing_is_sent_and_nothing_changes(
    spark: SparkSession,
) -> None:
    waits = journey(
        """
        name: waits
        entry: {segment: s}
        steps:
          - {name: a, type: wait, for: {duration: 2, unit: day}}
          - {name: b, type: branch, cases: [{if: MET, next: c}], else: d}
          - {name: c, type: wait, for: {duration: 3, unit: day}, weekday: monday}
          - {name: d, type: wait, for: {duration: 1, unit: week}}
          - {name: over, type: end}
        """
    )
    (column,) = waits.columns().values()
    world = World(people={"ann": {column}, "bob": set()}, members={"s": {"ann": START, "bob": START}})

    kept = Kept(spark)
    kept.run({"waits": waits}, world, START)
    first = list(kept.rows)

    def after(*numbers: int) -> list[tuple[Any, ...]]:
        kept.rows = list(first)
        for number in numbers:
            kept.run({"waits": waits}, world, START + timedelta(days=number))
        told = [HISTORY.index(c) for c in ("customer_id", "step", "since", "until", "reason", "outcome")]
        return sorted((tuple(row[i] for i in told) for row in kept.rows), key=str)

    assert after(12) == after(2, 5, 12)
