"""Ten days of increments, merges, splits, an erasure, consent and new rules through the stage, against a record in plain Python."""

import hashlib
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from typing import Any

import pyarrow as pa
from deltalake import write_deltalake
from pyspark.sql import functions as F

from cdp.base.contracts import Table
from cdp.segments.past import former_ids
from cdp.tables.gold import (
    EFFECTIVE_CONSENT,
    LOOKUP_KEYS,
    PROFILES,
    SEGMENT_CHANGES,
    SEGMENT_HISTORY,
    SEGMENT_MEMBERS,
    SEGMENT_STATUS,
    SEGMENT_VERSIONS,
    TRAITS,
)
from cdp.tables.identity import CHANGES

from .test_run import Shop, buyers, shop  # noqa: F401

TABLES = (SEGMENT_MEMBERS, SEGMENT_HISTORY, SEGMENT_CHANGES, SEGMENT_STATUS, SEGMENT_VERSIONS)
PURPOSE = "purpose: sms\n"
WANTS_SMS = "{type: Value, attribute: consent.sms, operator: {type: Equal, value: true}}"
TEXTED = f"name: texted\nrule: {{type: And, conditions: [{WANTS_SMS}]}}\n"
LEFT = "name: left\nrule: {type: And, conditions: [{type: include, segment: buyers, when: before}]}\n"


def day(number: int) -> date:
    return date(2026, 1, 20) + timedelta(days=number)


@dataclass
class World:
    """What the stage finds on a day: orders and consent of each customer, who was whom, and what the rules ask.

    `now` has the customer who has the records of a former id, `went` those who have some records of an id that goes on.
    """

    orders: dict[str, int] = field(
        default_factory=lambda: {"ann": 2, "bob": 2, "cyn": 3, "dan": 0, "eve": 5, "fay": 2, "gus": 1, "hal": 4}
    )
    allows: set[str] = field(default_factory=lambda: {"ann", "cyn", "eve", "fay", "hal"})
    now: dict[str, str] = field(default_factory=dict)
    went: dict[str, str] = field(default_factory=dict)
    happened: list[tuple[int, str, str, str]] = field(default_factory=list)
    at_least: int = 2
    has_purpose: bool = False
    has_late: bool = False

    def merge(self, on: int, kept: str, gone: str) -> None:
        self.orders[kept] += self.orders.pop(gone)
        self.allows.discard(gone)
        self.now = {**{former: kept if c == gone else c for former, c in self.now.items()}, gone: kept}
        self.happened.append((on, "merged", kept, gone))

    def split(self, on: int, kept: str, new: str, orders: int) -> None:
        self.orders[kept] -= orders
        self.orders[new] = orders
        self.went[kept] = new
        self.happened.append((on, "split", new, kept))

    def erase(self, on: int, who: str) -> None:
        del self.orders[who]
        self.allows.discard(who)
        self.happened.append((on, "erased", who, who))


def days() -> Iterator[tuple[int, World, bool]]:
    """What there is on each day, and whether the stage runs: not on days 2, 5, 7 and 9, and twice on day 6."""
    world = World()
    yield 1, world, True
    world.orders |= {"dan": 1, "gus": 2}
    yield 2, world, False
    world.merge(3, "ann", "bob")
    world.at_least = 1
    yield 3, world, True
    world.orders["ivy"] = 1
    world.allows.discard("cyn")
    world.has_late, world.has_purpose = True, True
    yield 4, world, True
    world.merge(5, "cyn", "dan")
    world.orders["hal"] = 0
    yield 5, world, False
    world.split(6, "eve", "eve2", 3)
    world.allows.add("gus")
    yield 6, world, True
    world.orders["ivy"] = 3  # late, and the day is run again
    world.allows.discard("ann")
    yield 6, world, True
    world.orders["fay"] = 4
    yield 7, world, False
    world.erase(8, "gus")
    world.at_least, world.has_late = 3, False
    yield 8, world, True
    world.split(9, "ann", "bob2", 1)
    world.now["bob"] = "bob2"  # the records that came with bob
    world.allows |= {"cyn", "ann"}
    yield 9, world, False
    world.merge(10, "fay", "eve2")
    world.orders |= {"hal": 3, "ivy": 0}
    yield 10, world, True


Day = dict[str, set[str]]


def members(world: World, before: dict[int, Day]) -> Day:
    """Who is in what, by the words of docs/segments.md."""
    ordered = {c for c, n in world.orders.items() if n >= 1}
    draw = {c: hashlib.sha256(f"limit|few|{c}".encode()).hexdigest()[:13] for c in ordered}
    found = {
        "buyers": {c for c, n in world.orders.items() if n >= world.at_least},
        "few": set(sorted(ordered, key=lambda c: draw[c])[:2]),
        "texted": set(world.allows),
    }
    found["rest"] = ordered - found["few"]
    if world.has_late:
        found["late"] = ordered
    were = {world.now.get(c, c) for of_day in before.values() for c in of_day["buyers"]}
    found["left"] = (were & world.orders.keys()) - found["buyers"]
    return found


CUSTOMER = [("customer_id", pa.string())]


def put(shop: Shop, table: Table, columns: list[Any], rows: Iterable[Any], **same: Any) -> None:  # noqa: F811
    """The columns of a table that the stage reads, written without Spark: it is one of many."""
    found = pa.Table.from_pylist(
        [dict(zip([name for name, _ in columns], row, strict=True)) for row in rows], pa.schema(columns)
    )
    for name, value in same.items():
        found = found.append_column(name, pa.array([value] * len(found), pa.bool_() if value is False else pa.string()))
    write_deltalake(shop.run.lake.path(table), found, mode="overwrite")


def run_day(shop: Shop, number: int, world: World) -> None:  # noqa: F811
    """Fill gold with what there is, and run the stage."""
    late = {"late": buyers(1, "late")} if world.has_late else {}
    shop.segments(
        buyers=buyers(world.at_least, more=PURPOSE if world.has_purpose else ""),
        few=buyers(1, "few", "limit: {size: 2}\n"), rest=buyers(1, "rest"), texted=TEXTED, left=LEFT, **late,
    )  # fmt: skip
    at = {on: datetime.combine(day(on), time(), timezone.utc) for on, *_ in world.happened}
    put(shop, PROFILES, CUSTOMER, (*((c,) for c in world.orders),), is_anonymous=False)
    put(shop, TRAITS, [*CUSTOMER, ("orders", pa.int64())], world.orders.items())
    put(
        shop,
        EFFECTIVE_CONSENT,
        [*CUSTOMER, ("is_allowed", pa.bool_())],
        ((c, c in world.allows) for c in world.orders),
        purpose="sms",
    )
    put(
        shop,
        LOOKUP_KEYS,
        [("value", pa.string()), *CUSTOMER],
        (*world.now.items(), *world.went.items()),
        kind="customer_id",
    )
    put(
        shop, CHANGES, [("changed_at", pa.timestamp("us", "UTC")), ("change", pa.string()), *CUSTOMER, ("previous_customer_id", pa.string())],
        ((at[on], *rest) for on, *rest in world.happened),
    )  # fmt: skip
    shop.on(day(number))


def snapshot(shop: Shop) -> dict[str, list[str]]:  # noqa: F811
    return {t.name: sorted(str(row) for row in shop.run.lake.read(t).collect()) for t in TABLES}


def answers(shop: Shop) -> tuple[set[Any], set[Any], set[Any]]:  # noqa: F811
    """Who was in each segment on each day: by the ids of that day, by those of today, and who of them was suppressed."""
    lake = shop.run.lake
    asked = lake.spark.createDataFrame([(n, day(n)) for n in range(1, 11)], "number int, asked date")
    is_in = "entered_on <= asked AND (exited_on IS NULL OR exited_on > asked)"
    is_suppressed = "exists(suppressed, s -> s.since <= asked AND (s.until IS NULL OR s.until > asked))"
    former = former_ids(lake.read(LOOKUP_KEYS), lake.read(PROFILES)).withColumnRenamed("customer_id", "now")
    found = (
        asked.join(lake.read(SEGMENT_HISTORY), on=F.expr(is_in), how="inner")
        .join(former, on=F.expr("customer_id = former"), how="left")
        .selectExpr(
            "number", "segment", "customer_id", "coalesce(now, customer_id) AS now", f"{is_suppressed} AS suppressed"
        )
        .collect()
    )
    assert len({row[:3] for row in found}) == len(found)  # nobody is in a segment twice on a day
    return {row[:3] for row in found}, {(*row[:2], row[3]) for row in found}, {row[:3] for row in found if row[4]}


def told(record: dict[int, Day]) -> set[tuple[int, str, str]]:
    """A record as rows; on a day without a run what held on the last one before it goes on."""
    last: Day = {}
    found = set()
    for number in range(1, 11):
        last = record.get(number, last)
        found |= {(number, segment, c) for segment, who in last.items() for c in who}
    return found


def test_who_was_in_a_segment_on_a_day_is_what_a_record_kept_day_by_day_says_and_a_past_date_can_be_run_again(
    shop: Shop,  # noqa: F811
) -> None:
    (shop.run.config.path / "segments.yaml").write_text("priorities: {promo: [few, rest]}\n")
    record: dict[int, Day] = {}
    suppressed: dict[int, Day] = {}
    later: list[tuple[int, World]] = []
    after_six: dict[str, list[str]] = {}
    six = World()
    for number, world, runs in days():
        if not runs:
            continue
        run_day(shop, number, world)
        record[number] = members(world, {n: found for n, found in record.items() if n < number})
        unsent = record[number]["buyers"] - world.allows if world.has_purpose else set()
        suppressed[number] = {"buyers": unsent}
        if number == 6:
            after_six, six = snapshot(shop), deepcopy(world)
        elif number > 6:
            later.append((number, deepcopy(world)))

    by_day, by_today, unsent_by_day = answers(shop)

    assert by_day == told(record)
    assert unsent_by_day == told(suppressed)
    now = later[-1][1].now
    assert by_today == {(number, segment, now.get(c, c)) for number, segment, c in told(record)}
    # The data says something: everybody merged, split off or erased was in before or after, and ids differ.
    assert {(2, "rest", "bob"), (3, "few", "gus"), (6, "late", "eve2"), (10, "left", "bob2")} <= by_day
    assert (8, "few", "gus") not in by_day and (2, "rest", "bob2") in by_today
    why = {(n, s, c): reason for n, s, c, reason in reasons(shop)}
    assert (why[3, "rest", "bob"], why[8, "few", "gus"], why[8, "late", "ivy"]) == ("merge", "erasure", "rule")

    end = snapshot(shop)
    run_day(shop, 6, six)
    assert snapshot(shop) == after_six
    for number, world in later:
        run_day(shop, number, world)
    assert snapshot(shop) == end


def reasons(shop: Shop) -> Iterator[tuple[int, str, str, str]]:  # noqa: F811
    for on, segment, who, change, reason in shop.rows(
        SEGMENT_CHANGES, "changed_on", "segment", "customer_id", "change", "reason"
    ):
        if change == "exited":
            yield (on - day(0)).days, segment, who, reason
