"""Lookalike segments on a small lake: who is found, who never is, and what is said of it."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
import yaml

from cdp.base.settings import ConfigFolder
from cdp.base.stage import Run, StageResult
from cdp.segments.config import Segment
from cdp.segments.lookalike import asked_by
from cdp.segments.run import STAGE
from cdp.tables.gold import (
    CUSTOMER_ORDER_LINES,
    CUSTOMER_ORDERS,
    EFFECTIVE_CONSENT,
    PROFILES,
    SEGMENT_MEMBERS,
    SEGMENT_STATUS,
    TRAITS,
)

DAY = date(2026, 1, 31)
N = 240
PEOPLE = [f"c{i:03}" for i in range(N)]
LOCALS = {c for i, c in enumerate(PEOPLE) if i % 8 in (0, 1)}
"""The seed: a quarter, who live in Bergen."""
ALIKE = {c for i, c in enumerate(PEOPLE) if i % 8 in (2, 3)}
"""Another quarter, who live elsewhere and buy as the seed does: often, and in stores."""
NO_ORDER = "c007"
SAID_NO, WITHDREW, SAID_YES = "c002", "c008", "c003"
"""Of those alike, of the seed, and of those alike."""


def profiles() -> list[dict[str, Any]]:
    return [
        {"customer_id": c, "city": "Bergen" if c in LOCALS else "Oslo", "country": "SE" if c > "c199" else "NO"}
        for c in PEOPLE
    ]


def orders() -> list[dict[str, Any]]:
    draw, rows = random.Random(4), []
    for c in PEOPLE:
        is_alike = c in LOCALS | ALIKE
        for n in range(0 if c == NO_ORDER else draw.randint(3, 8) if is_alike else draw.randint(1, 4)):
            on = DAY - timedelta(days=draw.randint(0, 300))
            rows.append(
                {
                    "source": "shop",
                    "order_id": f"{c}-{n}",
                    "customer_id": c,
                    "ordered_at": datetime(on.year, on.month, on.day),
                    "ordered_on": on,
                    "status": "completed",
                    "channel": "store" if draw.random() < (0.8 if is_alike else 0.3) else "web",
                    "amount": Decimal(draw.randint(5, 200)),
                }
            )
    return rows


def consents() -> list[dict[str, Any]]:
    said = {SAID_NO: "denied", WITHDREW: "withdrawn", SAID_YES: "granted"}
    own = [
        {"customer_id": c, "purpose": "profiling", "status": s, "is_allowed": s == "granted"} for c, s in said.items()
    ]
    return [*own, {"customer_id": "c010", "purpose": "advertising", "status": "denied", "is_allowed": False}]


SEED = """name: locals
rule:
  type: And
  conditions:
    - {type: Value, attribute: profile.city, operator: {type: Equal, value: Bergen}}
    - {type: Value, attribute: traits.orders, operator: {type: GreaterEqual, value: 0}}
"""
ABROAD = (
    "rule: {type: And, conditions: [{type: Value, attribute: profile.country, operator: {type: Equal, value: SE}}]}\n"
)


def alike(name: str = "alike", more: str = "", **settings: Any) -> str:
    wanted = {"seed": "locals", "size": 40, "min_seed": 20, **settings}
    return f"name: {name}\nlookalike: {{{', '.join(f'{k}: {v}' for k, v in wanted.items())}}}\n{more}"


@pytest.fixture
def shop(run: Run, fill: Callable[..., Any]) -> Run:
    bought = Counter(row["customer_id"] for row in orders())
    traits = [{"customer_id": c, "orders": bought[c]} for c in PEOPLE]
    tables = ((PROFILES, profiles()), (TRAITS, traits), (CUSTOMER_ORDERS, orders()), (EFFECTIVE_CONSENT, consents()))
    run.lake.together([partial(run.lake.replace, table, fill(table, *rows)) for table, rows in tables])
    (run.config.path / "segments").mkdir()
    return run


def segment(name: str, *conditions: str) -> Segment:
    rule = {"type": "And", "conditions": [yaml.safe_load(condition) for condition in conditions]}
    return Segment.model_validate({"name": name, "rule": rule})


def judge(run: Run, **files: str) -> StageResult:
    for name, text in files.items():
        (run.config.path / "segments" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return STAGE.run(run)


def members(run: Run, segment: str) -> set[str]:
    rows = run.lake.read(SEGMENT_MEMBERS).where(f"segment = '{segment}'").select("customer_id").collect()
    return {row[0] for row in rows}


def test_those_like_the_seed_are_found_and_nobody_who_must_not_be(shop: Run) -> None:
    follows = "name: both\nrule: {type: Or, conditions: [{type: include, segment: alike}, {type: include, segment: locals}]}\n"
    abroad = alike("abroad", ABROAD, seed="both", size="20%")
    result = judge(shop, locals=SEED, alike=alike(), abroad=abroad, both=follows)

    found = members(shop, "alike")
    assert len(found) == 40
    assert len(found & ALIKE) > 30, "a third of the others are alike, so 13 would be chance"
    assert not found & (LOCALS | {NO_ORDER, SAID_NO})
    assert members(shop, "both") == found | LOCALS

    candidates = {c for c in PEOPLE if c > "c199"} - found - LOCALS
    assert members(shop, "abroad") < candidates and len(members(shop, "abroad")) == -(-len(candidates) // 5)

    note = next(n for n in result.notes if n.startswith("alike: 40 members"))
    assert (
        "finds hidden members with AUC 0." in note and "lift" in note and "at its size, 22% of 178 candidates" in note
    )
    assert "seed locals with 59 of its 60 members (the others never ordered or object to profiling)" in note
    assert "2 others cannot be compared" in note
    assert "left out repeat_days (says the same as traits.orders)" in note

    STAGE.run(replace(shop, select=("alike",)))
    assert members(shop, "alike") == found, "the same customers give the same members"


def test_where_nothing_is_proven_the_audience_is_empty_or_flagged_and_the_others_go_on(
    shop: Run, fill: Callable[..., Any]
) -> None:
    draw = random.Random(1)
    by_chance = [{**row, "language": "no" if draw.random() < 0.3 else "sv"} for row in profiles()]
    shop.lake.replace(PROFILES, fill(PROFILES, *by_chance))
    chance = SEED.replace("locals", "chance").replace("city", "language").replace("Bergen", "'no'")
    small = SEED.replace("locals", "small").replace("city", "country").replace("Bergen", "SE")

    result = judge(
        shop,
        chance=chance,
        small=small,
        empty=alike("empty", seed="chance"),
        kept=alike("kept", seed="chance", if_unproven="keep"),
        too_small=alike("too_small", seed="small", min_seed=100),
    )

    sizes = {r["segment"]: (r["status"], r["size"]) for r in shop.lake.read(SEGMENT_STATUS).collect()}
    assert sizes["empty"] == ("live", 0) and sizes["too_small"] == ("live", 0)
    assert sizes["kept"] == ("live", 40) and sizes["small"] == ("live", 40)
    notes = {n.split(":")[0]: n for n in result.notes}
    assert "not proven better than chance, AUC 0." in notes["empty"] and "so it is empty" in notes["empty"]
    assert "kept all the same" in notes["kept"]
    assert "lookalike is empty: a seed of 40 is too few, wanted 100" in notes["too_small"]


def test_what_the_seed_s_rule_asks_is_found_through_the_segments_that_it_refers_to() -> None:
    days = "{type: Value, attribute: traits.last_order_at, operator: {type: TimeWithinPast, value: 9, unit: day}}"
    texts = "{type: Value, attribute: profile.city, operator: {type: Equal, value: x}}"
    counted = "{type: Value, source: behavior_timeline, event: Seen, operator: {type: Greater, value: 2}}"
    segments = {
        "inner": segment("inner", days, texts),
        "alike": Segment.model_validate({"name": "alike", "lookalike": {"seed": "inner", "size": 5}}),
        "outer": segment("outer", counted, "{type: exclude, segment: alike}"),
        "aside": segment("aside", "{type: Value, attribute: traits.orders, operator: {type: IsNull}}"),
    }

    found = list(asked_by("outer", segments))

    assert found[0].startswith("behavior_") and found[1:] == ["traits__last_order_at"]


def test_tables_of_features_are_read_only_where_a_lookalike_needs_them(run: Run) -> None:
    (run.config.path / "segments").mkdir()
    (run.config.path / "segments" / "locals.yaml").write_text(SEED, encoding="utf-8")
    without = {table.name for table in STAGE.reads(ConfigFolder(run.config.path))}
    (run.config.path / "segments" / "alike.yaml").write_text(alike(), encoding="utf-8")
    with_one = {table.name for table in STAGE.reads(ConfigFolder(run.config.path))}

    assert with_one - without == {CUSTOMER_ORDERS.name, CUSTOMER_ORDER_LINES.name}
