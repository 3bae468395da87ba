"""The journey stage on a small lake: tables through several days, what fails alone, and what is delivered."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cdp.activation.load import load_destinations
from cdp.activation.run import STAGE as ACTIVATE
from cdp.base.contracts import Table
from cdp.base.errors import ConfigError, UsageError
from cdp.base.settings import ConfigFolder
from cdp.base.stage import Run, StageResult
from cdp.journeys.run import STAGE
from cdp.tables.activation import DELIVERIES
from cdp.tables.gold import EFFECTIVE_CONSENT, LOOKUP_KEYS, PROFILES, SEGMENT_MEMBERS, TRAITS
from cdp.tables.identity import CHANGES
from cdp.tables.journeys import JOURNEY_CHANGES, JOURNEY_HISTORY, JOURNEY_MEMBERS, JOURNEY_STATUS, TABLES

DAY = date(2026, 1, 31)
ORDERED = "{type: Value, attribute: traits.orders, operator: {type: Greater, value: 1}}"
SEGMENT = "name: new\nrule: {type: And, conditions: [{type: Value, attribute: traits.orders, operator: {type: Equal, value: 1}}]}\n"
# Of those below eve alone is in the control group.
WELCOME = f"""
name: welcome
purpose: email_marketing
holdout: {{percent: 10, salt: a}}
entry: {{segment: new}}
goal: {ORDERED}
exit: {{type: include, segment: angry}}
steps:
  - {{name: hello, type: send}}
  - {{name: pause, type: wait, for: {{duration: 2, unit: day}}}}
  - {{name: offer, type: send}}
  - {{name: over, type: end}}
"""
MAIL = """
name: mail
journeys: [welcome.hello, welcome.offer]
requires_consent: {all: [email_marketing]}
fields:
  - {from: customer_id, to: id, identifier: true}
  - {from: segment, to: audience}
"""


class Shop:
    """A lake with people, and the stages on it."""

    def __init__(self, run: Run, fill: Callable[..., Any]) -> None:
        self.run, self.fill = run, fill
        self.files(segments__new=SEGMENT, segments__angry=SEGMENT.replace("name: new", "name: angry"))

    def files(self, **texts: str | None) -> None:
        for name, text in texts.items():
            file = self.run.config.path / f"{name.replace('__', '/')}.yaml"
            file.parent.mkdir(exist_ok=True)
            file.unlink(missing_ok=True)
            if text is not None:
                file.write_text(text, encoding="utf-8")

    def people(self, angry: tuple[str, ...] = (), **orders: int) -> None:
        """Whoever has one order is in the segment; all allow to be written to but cyn."""
        segments = [*(("new", c) for c, n in orders.items() if n == 1), *(("angry", c) for c in angry)]
        consent = [{"customer_id": c, "purpose": "email_marketing", "is_allowed": c != "cyn"} for c in orders]
        tables: list[tuple[Table, list[dict[str, Any]]]] = [
            (PROFILES, [{"customer_id": c} for c in orders]),
            (TRAITS, [{"customer_id": c, "orders": n} for c, n in orders.items()]),
            (EFFECTIVE_CONSENT, [{**row, "status": "granted"} for row in consent]),
            (SEGMENT_MEMBERS, [{"segment": s, "customer_id": c, "entered_on": DAY} for s, c in segments]),
        ]
        self.run.lake.together([partial(self.put, table, *rows) for table, rows in tables])

    def put(self, table: Table, *rows: dict[str, Any]) -> None:
        self.run.lake.replace(table, self.fill(table, *rows))

    def on(self, day: date = DAY, stage: Any = STAGE, **more: Any) -> StageResult:
        again = ConfigFolder(self.run.config.path)  # a process of its own would read the files anew
        return stage.run(replace(self.run, as_of=day, run_id=f"r{day}", config=again, **more))

    def rows(self, table: Table, *columns: str, where: str = "true") -> list[tuple[Any, ...]]:
        return sorted(
            (tuple(row) for row in self.run.lake.read(table).where(where).select(*columns).collect()), key=str
        )


@pytest.fixture
def shop(run: Run, fill: Callable[..., Any]) -> Shop:
    return Shop(run, fill)


def day(number: int) -> date:
    return DAY + timedelta(days=number)


AT = ("customer_id", "step", "since")
CHANGE = ("customer_id", "change", "from_step", "to_step", "moved_on", "reason")


def test_people_go_on_day_by_day_are_delivered_at_their_steps_and_a_rerun_of_a_day_takes_back_what_came_after(
    shop: Shop,
) -> None:
    shop.files(journeys__welcome=WELCOME, destinations__mail=MAIL)
    shop.people(ann=1, bob=1, cyn=1, eve=1, old=5)
    first = shop.on()
    shop.on(stage=ACTIVATE)

    assert first.notes == (
        "welcome: 4 people (4 came in, 0 left), 1 suppressed, 1 held out; hello 4, pause 0, offer 0",
    )
    assert shop.rows(JOURNEY_MEMBERS, *AT) == [(c, "hello", DAY) for c in ("ann", "bob", "cyn", "eve")]
    fate = ("customer_id", "segment", "action", "outcome", "reason")
    assert shop.rows(DELIVERIES, *fate) == [
        ("ann", "welcome.hello", "add", "sent", None),
        ("bob", "welcome.hello", "add", "sent", None),
        ("cyn", "welcome.hello", "add", "suppressed", "no consent: email_marketing"),
        ("eve", "welcome.hello", "add", "held_out", "control group"),
    ]

    # bob buys again, cyn is angry, dan is new, and ann is found to be the customer that was called old.
    shop.people(bob=2, cyn=1, dan=1, eve=1, old=1, angry=("cyn",))
    shop.put(LOOKUP_KEYS, {"kind": "customer_id", "value": "ann", "customer_id": "old", "key": "ann"})
    for again in range(2):
        shop.on(day(4))
        assert shop.rows(JOURNEY_CHANGES, *CHANGE, where=f"changed_on = '{day(4)}'") == [
            ("ann", "left", "hello", None, day(4), "merge"),
            ("bob", "left", "hello", None, day(4), "converted"),
            ("cyn", "left", "hello", None, day(4), "exited"),
            ("dan", "entered", None, "hello", day(4), "data"),
            ("eve", "moved", "hello", "pause", day(1), "time"),  # days without a run are made up for
            ("eve", "moved", "pause", "offer", day(4), "time"),  # but what is sent is sent now
            ("old", "entered", None, "hello", day(4), "merge"),
            ("old", "moved", "hello", "pause", day(1), "time"),
            ("old", "moved", "pause", "offer", day(4), "time"),
        ], again
        assert shop.rows(JOURNEY_MEMBERS, *AT) == [
            ("dan", "hello", day(4)),
            ("eve", "offer", day(4)),
            ("old", "offer", day(4)),
        ]
    counts = shop.rows(JOURNEY_STATUS, "step", "size", "suppressed", "held_out", "reached", "converted", "exited")
    assert counts == [
        ("hello", 1, 0, 0, 5, 1, 1),
        ("offer", 2, 0, 1, 2, 0, 0),
        ("over", 0, 0, 0, 0, 0, 0),
        ("pause", 0, 0, 0, 2, 0, 0),
    ]
    shop.on(day(4), stage=ACTIVATE)
    sent = shop.rows(DELIVERIES, *fate, where=f"delivered_on = '{day(4)}' AND outcome = 'sent'")
    assert sent == [
        ("ann", "welcome.hello", "remove", "sent", "left the step"),
        ("bob", "welcome.hello", "remove", "sent", "left the step"),
        ("dan", "welcome.hello", "add", "sent", None),
        ("old", "welcome.offer", "add", "sent", None),
    ]
    after = [shop.rows(t, *[c.name for c in t.columns]) for t in (JOURNEY_MEMBERS, JOURNEY_HISTORY)]
    shop.on(day(6))
    assert [
        row for row in shop.rows(JOURNEY_CHANGES, *CHANGE, where=f"changed_on = '{day(6)}'") if row[0] != "dan"
    ] == [
        ("eve", "left", "over", None, day(5), "ended"),
        ("eve", "moved", "offer", "over", day(5), "time"),
        ("old", "left", "over", None, day(5), "ended"),
        ("old", "moved", "offer", "over", day(5), "time"),
    ]
    shop.on(day(4))
    assert [shop.rows(t, *[c.name for c in t.columns]) for t in (JOURNEY_MEMBERS, JOURNEY_HISTORY)] == after
    assert shop.rows(JOURNEY_CHANGES, "changed_on", where=f"changed_on > '{day(4)}'") == []


def test_a_journey_that_fails_keeps_everybody_where_they_were_and_the_others_go_on(shop: Shop) -> None:
    other = WELCOME.replace("name: welcome", "name: other")
    shop.files(journeys__welcome=WELCOME, journeys__other=other)
    shop.people(ann=1, bob=1)
    assert shop.on(dry_run=True).rows_out == 4 and not shop.run.lake.exists(JOURNEY_MEMBERS)
    shop.on()

    # Nothing shows that before the rows are there: ann and bob have three letters.
    broken = "{type: Sql, query: SELECT customer_id FROM gold.profiles WHERE 1 / (length(customer_id) - 3) > 0}"
    third = WELCOME.replace("name: welcome", "name: third").replace(
        "type: end}", "type: wait, weekday: friday, next: hello}"
    )
    shop.files(journeys__welcome=WELCOME.replace(ORDERED, broken), journeys__third=third)
    result = shop.on(day(1))

    assert result.broken_rules == ("journey welcome: Spark cannot evaluate a condition: DIVIDE_BY_ZERO",)
    assert result.notes[2] == (
        "welcome: failed, its 2 people stay where they were: Spark cannot evaluate a condition: DIVIDE_BY_ZERO"
    )
    at = ("journey", "customer_id", "step")
    stand = {"other": "pause", "third": "hello", "welcome": "hello"}
    assert shop.rows(JOURNEY_MEMBERS, *at) == [(j, c, step) for j, step in stand.items() for c in ("ann", "bob")]
    status = shop.rows(JOURNEY_STATUS, "journey", "status", "computed_on", where="step = 'hello'")
    assert status == [("other", "live", day(1)), ("third", "live", day(1)), ("welcome", "failed", DAY)]

    shop.files(journeys__welcome=None, journeys__third=None)  # one file is gone, and one that is not selected stays
    shop.on(day(2), select=("other",))
    assert {j for j, *_ in shop.rows(JOURNEY_MEMBERS, *at)} == {"other", "third", "welcome"}
    with pytest.raises(UsageError, match="--select othr: no such journey; did you mean other"):
        shop.on(day(2), select=("othr",))
    shop.files(journeys__other=other.replace("name: pause", "name: rest"))  # where they stand is gone
    result = shop.on(day(2))
    assert "third: its file is gone, 2 left" in result.notes and "welcome: its file is gone, 2 left" in result.notes
    assert shop.rows(JOURNEY_MEMBERS, *at) == []
    assert {r for (r,) in shop.rows(JOURNEY_CHANGES, "reason", where=f"changed_on = '{day(2)}'")} == {"rule"}


def test_without_journeys_there_are_no_tables_and_the_erased_and_the_vanished_are_told_apart(shop: Shop) -> None:
    shop.people(ann=1, bob=1)
    assert shop.on().notes == ("no journeys in the configuration",)
    assert not any(shop.run.lake.exists(table) for table in TABLES) and not STAGE.reads(shop.run.config)

    shop.files(journeys__welcome=WELCOME)
    shop.on()
    erased = {
        "change": "erased",
        "customer_id": "ann",
        "previous_customer_id": "ann",
        "changed_at": datetime(2026, 2, 1),
    }
    shop.put(CHANGES, erased)
    shop.people(cyn=5)
    shop.files(journeys__welcome=None)  # who is gone has left for that, and not because the file is
    shop.on(day(1))

    assert shop.rows(JOURNEY_HISTORY, "customer_id", "left_on", "outcome") == [
        ("ann", day(1), "erasure"),
        ("bob", day(1), "data"),
    ]
    assert shop.rows(JOURNEY_MEMBERS, "customer_id") == [] == shop.rows(JOURNEY_STATUS, "journey")


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        ("[welcome.helo]", "journeys.0: no step welcome.helo; did you mean welcome.hello?"),
        ("[welcome]", "journeys.0: no step welcome"),
        ("[welcome.hello, welcome.pause]", "journeys.1: welcome.pause is a step of type wait; only people at a step of type send"),
        ("[welcome.hello, welcome.hello]", "journeys: a step is named twice"),
        ("[]", "segments: wanted segments, journeys or both"),
    ],
)  # fmt: skip
def test_a_destination_names_steps_at_which_people_are_delivered(tmp_path: Path, found: str, wanted: str) -> None:
    mail = MAIL.replace("[welcome.hello, welcome.offer]", found)
    files = {
        "segments/new": SEGMENT,
        "segments/angry": SEGMENT.replace("new", "angry"),
        "journeys/welcome": WELCOME,
        "destinations/mail": mail,
    }
    for path, text in files.items():
        file = tmp_path / f"{path}.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")

    with pytest.raises(ConfigError) as error:
        load_destinations(ConfigFolder(tmp_path))

    assert wanted in str(error.value)
