"""What the report says of segments, against counting in plain Python."""

import random
from datetime import date, timedelta
from itertools import combinations_with_replacement

from pyspark.sql import SparkSession

from cdp.measure import segments_counted
from cdp.measure.segment_sections import sizes
from cdp.measure.segments_counted import OVERLAPPING, WEEKS, weeks_until
from cdp.measure.tallies import Tally, collect
from cdp.tables.gold import SEGMENT_HISTORY, SEGMENT_MEMBERS, SEGMENT_STATUS
from cdp.tables.journeys import JOURNEY_STATUS
from tests.measure.frames import frame
from tests.measure.test_kpis import AS_OF, tallies
from tests.measure.test_report import page

CHANCE = random.Random(4)


def test_sizes_over_time_and_overlaps_are_those_of_counting(spark: SparkSession) -> None:
    names = [f"s{n}" for n in range(OVERLAPPING + 2)]
    people = {name: {f"p{n}" for n in range(30) if CHANCE.random() < 0.2 + 0.07 * i} for i, name in enumerate(names)}
    intervals = []
    for n in range(80):
        entered = AS_OF - timedelta(days=CHANCE.randint(-5, 150))
        out = entered + timedelta(days=CHANCE.randint(1, 90)) if CHANCE.random() < 0.7 else None
        intervals.append((CHANCE.choice(["a", "b"]), f"p{n}", entered, out))
    columns = ("segment", "customer_id", "entered_on", "exited_on")
    history = frame(spark, SEGMENT_HISTORY, [dict(zip(columns, row, strict=True)) for row in intervals])
    rows = [{"segment": s, "customer_id": p, "entered_on": AS_OF} for s, those in people.items() for p in those]
    status = [
        {"segment": s, "size": len(those), "version_since": AS_OF, "computed_on": AS_OF} for s, those in people.items()
    ]
    members, states = frame(spark, SEGMENT_MEMBERS, rows), frame(spark, SEGMENT_STATUS, status)

    parts = {
        "moves": segments_counted.moves(history, as_of=AS_OF),
        "overlap": segments_counted.overlap(members, states),
    }
    steps = [
        {
            "journey": "j",
            "step": s,
            "step_no": n,
            "status": "live",
            "size": n,
            "reached": n * 10,
            "version_since": AS_OF,
            "computed_on": AS_OF,
        }
        for n, s in ((10, "late"), (2, "early"))
    ]
    told = segments_counted.steps(frame(spark, JOURNEY_STATUS, steps))
    found = collect(parts | {"segments": segments_counted.segments(states), "steps": told})

    days = weeks_until(AS_OF)
    assert len(days) == WEEKS and days[-1] == AS_OF and days[0] == AS_OF - timedelta(days=84)
    for name in ("a", "b"):
        there = [(start, end) for s, _, start, end in intervals if s == name]
        assert sizes(found["moves"], name, days) == [
            sum(s <= on and (e is None or e > on) for s, e in there) for on in days
        ]
    assert [(t.keys[2], t.values[0], t.values[3]) for t in found["steps"]] == [("early", 2, 20), ("late", 10, 100)]
    largest = sorted(names, key=lambda name: (-len(people[name]), name))[:OVERLAPPING]
    assert {t.keys: t.values for t in found["overlap"]} == {
        (one, other): (len(both),)
        for one, other in combinations_with_replacement(sorted(largest), 2)
        if (both := people[one] & people[other])
    }
    assert {t.keys: t.values[0] for t in found["segments"]} == {
        (s, "x", None): len(those) for s, those in people.items()
    }


def test_the_section_tells_overlap_growth_age_and_failures() -> None:
    now, before = 1769817600.0, 1769731200.0  # 31 and 30 January
    html = page(
        tallies(
            segments=[
                Tally(("big", "live", None), (40.0, 0.0, 0.0, 30.0), now),
                Tally(("small", "failed", "horizon_days 45 is not scored"), (10.0, 0.0, 0.0, 10.0), before),
            ],
            segment_moves=[
                Tally(("big", "2025-11-08"), (30.0, 5.0)),
                Tally(("big", date(2026, 1, 20).isoformat()), (15.0, 0.0)),
            ],
            segment_overlap=[
                Tally(("big", "big"), (40.0,)),
                Tally(("big", "small"), (5.0,)),
                Tally(("small", "small"), (10.0,)),
            ],
            journey_steps=[
                Tally(("welcome", "0001", "reminder", "live", None), (1234.0, 0.0, 0.0, 4321.0, 5.0, 0.0), now),
                Tally(("broken", "0001", "hello", "failed", "PatternSyntaxException"), (0.0,) * 6, now),
            ],
        )
    )

    assert "1 of 2 are older than 2026-01-31: small." in html
    assert "horizon_days 45 is not scored" in html.replace("<wbr>", "") and "small (failed: last good members)" in html
    assert "reminder" in html and "1,234" in html and "4,321" in html
    assert "broken (failed: PatternSyntaxException)" in html
    assert "12.5 %" in html and "50.0 %" in html
    assert (
        "Members of big, the last 13 weeks" in html and "31 Jan, members: 40" in html and "17 Jan, members: 25" in html
    )
    assert "Members of small, the last" not in html  # nothing is known of its past
