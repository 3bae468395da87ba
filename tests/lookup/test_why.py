"""`cdp why` on a lake that was written without Spark."""

import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cdp.base.errors import CdpError
from cdp.cli import app
from cdp.segments.config import Group
from cdp.segments.words import said_condition
from cdp.tables.gold import (
    EFFECTIVE_CONSENT,
    HOUSEHOLDS,
    LOOKUP_KEYS,
    PREDICTIONS,
    PROFILES,
    SEGMENT_MEMBERS,
    SEGMENT_STATUS,
    TIMELINE,
    TRAITS,
)

from .conftest import ANNA, JOSE, OTTO, write

ON = date(2026, 1, 31)
EMAIL = "{type: Value, attribute: profile.email, operator: {type: EndWith, value: gmail.com}}"
GOOD = f"""
name: good
purpose: email_marketing
rule:
  type: And
  conditions:
    - {EMAIL}
    - {{type: Value, attribute: traits.revenue, operator: {{type: GreaterEqual, value: 100}}}}
    - type: Or
      conditions:
        - {{type: Value, attribute: predictions.ltv, horizon_days: 90, operator: {{type: Greater, value: 50}}}}
        - {{type: Value, attribute: household.size, operator: {{type: Greater, value: 2}}}}
    - {{type: Value, attribute: consent.sms, operator: {{type: Equal, value: true}}}}
    - type: Value
      source: behavior_timeline
      event: Product Added
      timeWindow: {{duration: 7, unit: day}}
      operator: {{type: Equal, value: 0}}
"""
OTHERS = {
    "angry": "name: angry\nrule: {type: And, conditions: [{type: Value, attribute: traits.open_tickets, operator: {type: Greater, value: 0}}]}\n",
    "few": f"name: few\nlimit: {{size: 10}}\nrule: {{type: And, conditions: [{EMAIL}]}}\n",
    "alike": "name: alike\nlookalike: {seed: good, size: 5%}\n",
    "after": "name: after\nrule: {type: And, conditions: [{type: include, segment: few}, {type: exclude, segment: good}]}\n",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("why")
    (folder / "conf" / "segments").mkdir(parents=True)
    for name, text in {"good": GOOD, **OTHERS}.items():
        (folder / "conf" / "segments" / f"{name}.yaml").write_text(text, encoding="utf-8")
    (folder / "conf" / "segments.yaml").write_text("exclude_always: [angry]\n", encoding="utf-8")
    lake = folder / "lake"
    emails = {ANNA: "anna.z@gmail.com", JOSE: "jose@gmail.com", OTTO: "otto@x.org"}
    write(
        lake,
        PROFILES,
        *({"customer_id": c, "full_name": "Same Name", "email": e, "emails": [e]} for c, e in emails.items()),
    )
    write(lake, LOOKUP_KEYS, {"bucket": "-", "key": "-", "kind": "email", "value": "-", "customer_id": ANNA})
    traits = [(ANNA, "100.00", 0), (JOSE, "99.99", 1)]
    write(lake, TRAITS, *({"customer_id": c, "revenue": Decimal(r), "open_tickets": n} for c, r, n in traits))
    write(
        lake,
        PREDICTIONS,
        {"customer_id": ANNA, "horizon_days": 90, "ltv": 50.5},
        {"customer_id": ANNA, "horizon_days": 365, "ltv": 1.0},
    )
    write(lake, HOUSEHOLDS, {"household_id": "h1", "customer_ids": [ANNA, JOSE], "size": 3, "street": "Secret Street"})
    write(lake, EFFECTIVE_CONSENT, {"customer_id": ANNA, "purpose": "sms", "is_allowed": True})
    added = {"kind": "event", "source": "web", "event": "Product Added"}
    times = [(ANNA, datetime(2026, 1, 24, 23, 59)), (JOSE, datetime(2026, 1, 25)), (JOSE, datetime(2026, 2, 1))]
    write(lake, TIMELINE, *({**added, "customer_id": c, "reference": str(at), "occurred_at": at} for c, at in times))
    write(lake, SEGMENT_MEMBERS, *({"customer_id": ANNA, "segment": s, "entered_on": ON} for s in ("good", "few")))
    write(
        lake,
        SEGMENT_STATUS,
        *(
            {"segment": s, "version": "?", "status": "live", "computed_on": ON}
            for s in ("good", "few", "alike", "after")
        ),
    )
    return folder


def ask(place: Path, *words: str) -> Any:
    found = CliRunner().invoke(
        app, ["why", *words, "--lake", str(place / "lake"), "--config", str(place / "conf")], catch_exceptions=False
    )
    return found.output


def told(place: Path, customer: str, segment: str, *more: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ask(place, customer, segment, "--json", *more))
    return found


def flat(conditions: list[dict[str, Any]]) -> dict[str, tuple[Any, Any]]:
    found = {}
    for c in conditions:
        found[c["condition"]] = (c["holds"], c.get("value"))
        found |= flat(c["conditions"])
    return found


def test_each_condition_is_told_with_the_value_that_met_or_missed_it(place: Path) -> None:
    anna, jose = told(place, ANNA, "good"), told(place, JOSE, "good", "--show-pii")

    assert (anna["is_member"], anna["holds"], anna["entered_on"]) == (True, True, "2026-01-31")
    assert flat(anna["conditions"]) == {
        "all of": (True, None),
        "profile.email EndWith gmail.com": (True, "a***@g***.com"),
        "traits.revenue GreaterEqual 100": (True, 100.0),
        "at least one of": (True, None),
        "predictions.ltv (90 days) Greater 50": (True, 50.5),
        "household.size Greater 2": (True, 3),
        "consent.sms Equal true": (True, True),
        "Count in Product Added of the last 7 day Equal 0": (True, 0),
        "not in angry (exclude_always in conf/segments.yaml)": (True, None),
    }
    assert (jose["is_member"], jose["holds"]) == (False, False)
    missed = {name: value for name, (holds, value) in flat(jose["conditions"]).items() if holds is False}
    assert missed == {
        "all of": None,
        "traits.revenue GreaterEqual 100": 99.99,
        "predictions.ltv (90 days) Greater 50": None,
        "consent.sms Equal true": False,
        "Count in Product Added of the last 7 day Equal 0": 1,
        "not in angry (exclude_always in conf/segments.yaml)": None,
    }
    assert flat(jose["conditions"])["profile.email EndWith gmail.com"] == (True, "jose@gmail.com")
    later = flat(told(place, JOSE, "good", "--as-of", "2026-02-28")["conditions"])
    assert later["Count in Product Added of the last 7 day Equal 0"] == (True, 0)


def test_what_only_a_run_over_all_customers_can_tell_is_left_to_its_tables(place: Path) -> None:
    few, alike, after = (told(place, ANNA, name) for name in ("few", "alike", "after"))

    assert (few["holds"], few["is_member"]) == (None, True)
    assert flat(few["conditions"])["among the first 10 of those"] == (None, None)
    assert (alike["holds"], alike["is_member"]) == (None, False)
    assert "gold.segment_members says" in few["notes"][-1]
    assert flat(after["conditions"])["in few"] == (True, None)  # by its last run
    assert (after["holds"], flat(after["conditions"])["not in good"]) == (False, (False, None))
    assert told(place, OTTO, "few")["holds"] is False  # whoever misses the rule is in no list


def test_a_terminal_shows_a_tree_without_readable_personal_values(place: Path) -> None:
    text = ask(place, ANNA, "good")

    assert "in good since 2026-01-31" in text and "✓ all of" in text and "(a***@g***.com)" in text
    assert "anna" not in text.lower()
    assert "the rule has changed since the run of 2026-01-31" in text


@pytest.mark.parametrize(
    ("operator", "wanted"),
    [
        ({"type": "TimeWithinPast", "value": 7, "unit": "day"}, "TimeWithinPast 7 day"),
        ({"type": "TimeRange", "duration": {"day": 7}, "from": {"last": 1, "unit": "month"}}, "TimeRange 7 day from 1 month ago"),
        ({"type": "Between", "min": date(2026, 1, 1), "not": True}, "not Between min 2026-01-01"),
        ({"type": "In", "value": list("abcdefg")}, "In a, b, c, d, e and 2 more"),
        ({"type": "Less", "value": {"attribute": "predictions.ltv", "horizon_days": 90}}, "Less predictions.ltv (90 days)"),
        ({"type": "IsNull"}, "IsNull"),
    ],
)  # fmt: skip
def test_operators_are_told_in_a_line(operator: dict[str, Any], wanted: str) -> None:
    group = Group.model_validate(
        {"type": "And", "conditions": [{"type": "Value", "attribute": "traits.x", "operator": operator}]}
    )

    assert said_condition(group.conditions[0]) == f"traits.x {wanted}"


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ([ANNA, "goood"], "SEGMENT: found goood, and no segment of this name; did you mean good?"),
        ([ANNA, "angry"], "SEGMENT: angry was never computed"),
        (["nobody@x.org", "good"], "nobody has this identifier or name"),
    ],
)
def test_what_cannot_be_answered_says_why(place: Path, words: list[str], wanted: str) -> None:
    with pytest.raises(CdpError, match=wanted.replace("?", r"\?")):
        ask(place, *words)
