"""What a dry run of a segment shows, counted again in plain Python."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from cdp.base.console import Console
from cdp.base.stage import Run
from cdp.segments.run import STAGE
from cdp.tables.gold import (
    CUSTOMER_IDENTIFIERS,
    EFFECTIVE_CONSENT,
    PROFILES,
    SEGMENT_MEMBERS,
    SEGMENT_STATUS,
    TRAITS,
)

CHANCE = random.Random(2)


def somebody(n: int) -> dict[str, Any]:
    def sometimes(text: str) -> str | None:
        return text if CHANCE.random() < 0.6 else None

    where = {
        "email": sometimes(f"anna{n}@gmail.com"),
        "phone": sometimes(f"+3361234567{n}"),
        "street": sometimes("Secret Street 1"),
    }
    facts = {
        "orders": CHANCE.randint(0, 4),
        "revenue": Decimal(CHANCE.randint(0, 200)),
        "allows": CHANCE.random() < 0.5,
    }
    kind = CHANCE.choice(["idfa", "cookie_id", "push_token"])
    device = {"kind": kind, "is_current": CHANCE.random() < 0.7, "is_anonymous": n % 7 == 0}
    return {
        "customer_id": f"c{n:02}",
        "full_name": "Anna Zimmermann",
        "postal_code": sometimes("75011"),
        **where,
        **facts,
        **device,
    }


PEOPLE = [somebody(n) for n in range(40)]
OF_PROFILES = ("customer_id", "full_name", "email", "phone", "street", "postal_code", "is_anonymous")
RULE = """
name: good
purpose: sms
holdout: {percent: 30}
rule:
  type: And
  conditions:
    - {type: Value, attribute: traits.orders, operator: {type: GreaterEqual, value: 1}}
    - {type: Value, attribute: traits.revenue, operator: {type: Greater, value: 50}}
    - {type: Not, conditions: [{type: Value, attribute: consent.email, operator: {type: Equal, value: true}}]}
"""
ANGRY = "name: angry\nrule: {type: And, conditions: [{type: Value, attribute: traits.orders, operator: {type: Equal, value: 4}}]}\n"
TESTS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "traits.orders GreaterEqual 1": lambda p: p["orders"] >= 1,
    "traits.revenue Greater 50": lambda p: p["revenue"] > 50,
    "none of": lambda p: True,
    "not in angry (exclude_always)": lambda p: p["orders"] != 4,
}


class Told(Console):
    def __init__(self) -> None:
        super().__init__("quiet")
        self.tables: dict[str, tuple[Any, Any]] = {}

    def table(self, title: str, header: Any, rows: Any) -> None:
        self.tables[title] = (tuple(header), [tuple(row) for row in rows])


@pytest.fixture
def told(run: Run, fill: Callable[..., Any]) -> dict[str, tuple[Any, Any]]:
    (run.config.path / "segments").mkdir()
    for name, text in {"good": RULE, "angry": ANGRY}.items():
        (run.config.path / "segments" / f"{name}.yaml").write_text(text, encoding="utf-8")
    (run.config.path / "segments.yaml").write_text("exclude_always: [angry]\n", encoding="utf-8")
    known = {"id_value": "-", "seen_count": 1, "sources": []}
    ids = [
        {**known, "customer_id": p["customer_id"], "id_type": p["kind"], "is_current": p["is_current"]} for p in PEOPLE
    ]
    others = [("half", p) for p in PEOPLE[:20]] + [("few", p) for p in PEOPLE[:5]] + [("good", p) for p in PEOPLE[:9]]
    run.lake.replace(PROFILES, fill(PROFILES, *({c: p[c] for c in OF_PROFILES} for p in PEOPLE)))
    run.lake.replace(TRAITS, fill(TRAITS, *({c: p[c] for c in ("customer_id", "orders", "revenue")} for p in PEOPLE)))
    run.lake.replace(CUSTOMER_IDENTIFIERS, fill(CUSTOMER_IDENTIFIERS, *ids))
    allowed = (
        {"customer_id": p["customer_id"], "purpose": "sms", "status": "granted", "is_allowed": p["allows"]}
        for p in PEOPLE
    )
    run.lake.replace(EFFECTIVE_CONSENT, fill(EFFECTIVE_CONSENT, *allowed))
    rows = ({"segment": s, "customer_id": p["customer_id"], "entered_on": date(2026, 1, 30)} for s, p in others)
    run.lake.replace(SEGMENT_MEMBERS, fill(SEGMENT_MEMBERS, *rows))
    run.lake.replace(
        SEGMENT_STATUS,
        fill(SEGMENT_STATUS, {"segment": "good", "status": "live", "size": 9, "computed_on": date(2026, 1, 30)}),
    )
    console = Told()
    STAGE.run(replace(run, console=console, dry_run=True, select=("good",)))
    return console.tables


def test_a_dry_run_shows_size_conditions_reach_overlap_and_masked_examples(told: dict[str, tuple[Any, Any]]) -> None:
    named = [p for p in PEOPLE if not p["is_anonymous"]]
    members = [p for p in named if all(test(p) for test in TESTS.values())]
    size = len(members)
    assert 5 < size < len(named)

    assert told["Dry run"][1] == [("good", size, date(2026, 1, 30), 9, size - 9, size, 0)]
    shaping = told[f"good: {size} of {len(named)} meet the rule"][1]
    assert {row[0]: row[1:] for row in shaping} == {
        text: (sum(all(t(p) for n, t in TESTS.items() if n != text) for p in named) - size, sum(map(test, named)))
        for text, test in TESTS.items()
    }
    assert shaping == sorted(shaping, key=lambda row: -row[1])
    ways: dict[str, Callable[[dict[str, Any]], bool]] = {
        "all": lambda p: True,
        "e-mail": lambda p: p["email"] is not None,
        "phone": lambda p: p["phone"] is not None,
        "device or push": lambda p: p["kind"] != "cookie_id" and p["is_current"],
        "address": lambda p: p["street"] is not None and p["postal_code"] is not None,
    }
    header, reach = told["good: reach"]
    assert header == ("members with", "members", "allow sms", "and not held out")
    assert [row[:3] for row in reach] == [
        (way, sum(map(has, members)), sum(has(p) and p["allows"] for p in members)) for way, has in ways.items()
    ]
    assert all(row[3] <= row[2] for row in reach)
    both = {name: sum(p in members for p in PEOPLE[:n]) for name, n in (("half", 20), ("few", 5))}
    assert told["good: overlap"][1] == [(n, count, f"{count / size:.1%}") for n, count in both.items() if count]
    examples = told["good: examples"][1]
    assert [row[0] for row in examples] == [p["customer_id"] for p in members][:10]
    assert {row[1] for row in examples} == {"A*** Z***"}
    assert {row[2] for row in examples} <= {None, "a***@g***.com"}
