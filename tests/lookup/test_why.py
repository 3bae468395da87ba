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
    CUSTOMER_IDENTIFIERS,
    CUSTOMER_ORDER_LINES,
    EFFECTIVE_CONSENT,
    HOUSEHOLDS,
    LOOKUP_KEYS,
    PREDICTIONS,
    PROFILES,
    SEGMENT_HISTORY,
    SEGMENT_MEMBERS,
    SEGMENT_STATUS,
    TIMELINE,
    TRAITS,
)

from .conftest import ANNA, FORMER, JOSE, OTTO, write

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
    "left_cart": """
name: left_cart
rule:
  type: And
  conditions:
    - type: Sequence
      correlateOn: [properties.cart_id]
      steps: [{event: Product Added}, {event: Order Completed, not: true, within: {duration: 1, unit: day}}]
""",
    "bought_it": """
name: bought_it
rule:
  type: And
  conditions:
    - type: Sequence
      correlateOn: [properties.search]
      steps:
        - {event: Searched}
        - {source: order_lines, within: {duration: 1, unit: day}, correlateOn: {properties.search: brand}}
""",
    "known": "name: known\nrule: {type: Or, conditions: [{type: List, file: vip.csv, identifier: email}, {type: List, file: ids.csv, identifier: customer_id}]}\n",
    "former": "name: former\nrule: {type: Or, conditions: [{type: include, segment: good, when: before}, {type: include, segment: few, when: ever}]}\n",
    "asked": "name: asked\nrule: {type: And, conditions: [{type: Sql, query: SELECT customer_id FROM gold.orders}]}\n",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("why")
    (folder / "conf" / "segments").mkdir(parents=True)
    for name, text in {"good": GOOD, **OTHERS}.items():
        (folder / "conf" / "segments" / f"{name}.yaml").write_text(text, encoding="utf-8")
    (folder / "conf" / "segments" / "lists").mkdir()
    (folder / "conf" / "segments" / "lists" / "vip.csv").write_text("email\nOTTO@x.org\n<Anna.Z@gmail.com>\n")
    (folder / "conf" / "segments" / "lists" / "ids.csv").write_text(f"customer_id\n{FORMER}\n")
    (folder / "conf" / "segments.yaml").write_text("exclude_always: [angry]\n", encoding="utf-8")
    lake = folder / "lake"
    emails = {ANNA: "anna.z@gmail.com", JOSE: "jose@gmail.com", OTTO: "otto@x.org"}
    write(
        lake,
        PROFILES,
        *({"customer_id": c, "full_name": "Same Name", "email": e, "emails": [e]} for c, e in emails.items()),
    )
    former = [("customer_id", FORMER, JOSE), ("customer_id", OTTO, JOSE), ("email", "-", ANNA)]
    write(
        lake, LOOKUP_KEYS, *({"bucket": "-", "key": "-", "kind": k, "value": v, "customer_id": c} for k, v, c in former)
    )
    write(
        lake,
        CUSTOMER_IDENTIFIERS,
        *({"customer_id": c, "id_type": "email", "id_value": e} for c, e in emails.items() if c != OTTO),
    )
    was = [("good", FORMER, date(2026, 1, 1)), ("few", JOSE, ON), ("few", OTTO, date(2026, 1, 1))]
    write(lake, SEGMENT_HISTORY, *({"segment": s, "customer_id": c, "entered_on": on} for s, c, on in was))
    line = {"source": "shop", "line_no": 1, "ordered_at": datetime(2026, 1, 12), "brand": "Private words"}
    write(lake, CUSTOMER_ORDER_LINES, {**line, "order_id": "o1", "customer_id": JOSE})
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
    carts = [
        (ANNA, "Product Added", "k1", 9), (ANNA, "Order Completed", "k1", 11), (ANNA, "Product Added", "k2", 10),
        (JOSE, "Product Added", "k3", 9), (JOSE, "Order Completed", "k3", 12),
    ]  # fmt: skip
    searched = {
        "event": "Searched",
        "reference": "s",
        "occurred_at": datetime(2026, 1, 10),
        "properties": {"search": "Private words"},
    }
    write(
        lake,
        TIMELINE,
        *({**added, "customer_id": c, "reference": str(at), "occurred_at": at} for c, at in times),
        *(
            {
                **added,
                "customer_id": c,
                "event": event,
                "reference": str(hour),
                "occurred_at": datetime(2026, 1, 10, hour),
                "properties": {"cart_id": cart},
            }
            for c, event, cart, hour in carts
        ),
        {**added, **searched, "customer_id": JOSE},
    )
    write(lake, SEGMENT_MEMBERS, *({"customer_id": ANNA, "segment": s, "entered_on": ON} for s in ("good", "few")))
    write(
        lake,
        SEGMENT_STATUS,
        *(
            {"segment": s, "version": "?", "status": "live", "computed_on": ON}
            for s in ("good", *OTHERS)
            if s != "angry"
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


def test_a_sequence_is_told_with_the_chain_that_met_it_or_with_what_the_best_one_lacks(place: Path) -> None:
    sequence, last = "Product Added, then not Order Completed within 1 day", "not Order Completed within 1 day"
    anna, jose = told(place, ANNA, "left_cart"), told(place, JOSE, "left_cart")

    assert flat(anna["conditions"]) == {
        "all of": (True, None),
        sequence: (True, {"properties.cart_id": "k2"}),
        "Product Added": (True, "2026-01-10T10:00:00Z"),
        last: (True, None),
        "not in angry (exclude_always in conf/segments.yaml)": (True, None),
    }
    of_jose = flat(jose["conditions"])
    assert of_jose[sequence] == (False, {"properties.cart_id": "k3"})
    assert (of_jose["Product Added"], of_jose[last]) == (
        (True, "2026-01-10T09:00:00Z"),
        (False, "2026-01-10T12:00:00Z"),
    )
    text = ask(place, JOSE, "left_cart")
    assert "(properties.cart_id k3)" in text and "(2026-01-10 12:00: came)" in text
    open_ = flat(told(place, ANNA, "left_cart", "--as-of", "2026-01-10")["conditions"])
    assert open_[last] == (False, "2026-01-11T10:00:00Z")
    assert flat(told(place, OTTO, "left_cart")["conditions"])["Product Added"] == (False, None)


def test_what_a_chain_has_in_common_is_masked_where_it_may_be_personal(place: Path) -> None:
    sequence = "Searched, then order line within 1 day"
    found = told(place, JOSE, "bought_it")

    assert flat(found["conditions"])[sequence] == (False, {"properties.search": "***"})
    assert flat(found["conditions"])["order line within 1 day"] == (False, "2026-01-12T00:00:00Z")  # too late
    assert "Private" not in ask(place, JOSE, "bought_it")
    assert "Private" in ask(place, JOSE, "bought_it", "--show-pii")


def test_lists_and_former_membership_are_told_and_of_sql_that_only_spark_can_tell(place: Path) -> None:
    anna, jose = (flat(told(place, c, "known")["conditions"]) for c in (ANNA, JOSE))
    vip, ids = "email in the list vip.csv", "customer_id in the list ids.csv"

    assert (anna[vip], anna[ids]) == ((True, "a***@g***.com"), (False, None))
    assert (jose[vip], jose[ids]) == ((False, None), (True, FORMER))
    assert flat(told(place, OTTO, "known")["conditions"])[vip] == (False, None)  # the address is on his profile only

    formerly, ever = "formerly in good", "in, now or ever, few"
    outcomes = {c: flat(told(place, c, "former")["conditions"]) for c in (ANNA, JOSE, OTTO)}
    assert {c: (found[formerly][0], found[ever][0]) for c, found in outcomes.items()} == {
        ANNA: (False, True),  # in few by the last run, and in good now
        JOSE: (True, False),  # under an id that was merged; in few only since the run's date
        OTTO: (False, True),
    }
    asked = told(place, ANNA, "asked")
    assert (asked["holds"], flat(asked["conditions"])["the query finds the customer"]) == (None, (None, None))


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
