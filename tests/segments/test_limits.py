"""Limits, priorities, exclusions and the universal control group against sets and sorting in plain Python."""

import hashlib
import math
import random
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from cdp.conditions.clock import Clock
from cdp.segments.caps import last_place
from cdp.segments.config import Segment
from cdp.segments.load import in_order, versions
from cdp.segments.members import with_membership
from cdp.segments.rows import member_rows
from cdp.segments.shared import SharedConfig

from .test_history import day

CLOCK = Clock(day(30))
CHANCE = random.Random(11)
PEOPLE = {
    f"c{i:02}": {"orders": CHANCE.randint(0, 6), "revenue": CHANCE.choice([None, 1.5, 20.0, 20.0, -3.0, float("nan")]), "anonymous": i % 9 == 0}
    for i in range(90)
}  # fmt: skip


@pytest.fixture(scope="module")
def frame(spark: SparkSession) -> DataFrame:
    rows = [(c, p["anonymous"], p["orders"], p["revenue"]) for c, p in PEOPLE.items()]
    return spark.createDataFrame(
        rows, "customer_id string, is_anonymous boolean, traits__orders bigint, traits__revenue double"
    ).persist()


def buyers(name: str, at_least: int, **more: Any) -> dict[str, Any]:
    condition = {"type": "Value", "attribute": "traits.orders", "operator": {"type": "GreaterEqual", "value": at_least}}
    return {"name": name, "rule": {"type": "And", "conditions": [condition, *more.pop("also", [])]}, **more}


def refers(kind: str, segment: str) -> dict[str, Any]:
    return {"type": kind, "segment": segment}


def by(attribute: str, order: str = "descending") -> dict[str, str]:
    return {"attribute": f"traits.{attribute}", "order": order}


RULES = [
    buyers("complaints", 6),
    buyers("ten", 2, limit={"size": 10}),
    buyers("share", 1, limit={"size": "20%"}, include_anonymous=True),
    buyers("salted", 1, limit={"size": "20%", "salt": "spring"}, ignore_exclusions=True),
    buyers("also_salted", 3, limit={"size": "20%", "salt": "spring"}, ignore_exclusions=True),
    buyers("best", 1, limit={"size": "15%", "by": by("revenue")}),
    buyers("worst", 1, limit={"size": 40, "by": by("revenue", "ascending")}),
    buyers("busiest", 0, limit={"size": 7, "by": by("orders")}),
    buyers("all", 5, limit={"size": 1000}),
    buyers("second", 1, also=[refers("exclude", "share")]),
    buyers("third", 0, also=[refers("include", "second")], limit={"size": 5}),
    buyers("nobody", 9, limit={"size": 5}),
]
SHARED: dict[str, Any] = {
    "exclude_always": ["complaints"],
    "priorities": {"promo": ["ten", "second", "third"], "value": ["best", "worst", "busiest"]},
    "holdout": {"percent": 30},
}


def slow(documents: list[dict[str, Any]], shared: dict[str, Any]) -> dict[str, set[str]]:
    """Members by the words of docs/segments.md; `documents` come each after those it depends on."""
    found: dict[str, set[str]] = {}
    for d in documents:
        first, *others = d["rule"]["conditions"]
        inside = {c for c, p in PEOPLE.items() if p["orders"] >= first["operator"]["value"]}
        inside = {c for c in inside if d.get("include_anonymous") or not PEOPLE[c]["anonymous"]}
        for other in others:
            inside = (
                inside & found[other["segment"]] if other["type"] == "include" else inside - found[other["segment"]]
            )
        for name in shared["exclude_always"]:
            if name != d["name"] and not d.get("ignore_exclusions"):
                inside = inside - found[name]
        for names in shared["priorities"].values():
            for name in names[: names.index(d["name"])] if d["name"] in names else []:
                inside = inside - found[name]
        found[d["name"]] = limited(d["name"], d["limit"], inside) if "limit" in d else inside
    return found


def limited(name: str, limit: dict[str, Any], inside: set[str]) -> set[str]:
    drawn = {
        c: int(hashlib.sha256(f"limit|{limit.get('salt', name)}|{c}".encode()).hexdigest()[:13], 16) for c in inside
    }
    share = float(limit["size"][:-1]) / 100 if isinstance(limit["size"], str) else None
    if "by" not in limit:
        if share is not None:
            return {c for c in inside if drawn[c] < share * 16**13}
        return set(sorted(inside, key=lambda c: (drawn[c], c))[: limit["size"]])

    def place(c: str) -> tuple[bool, float, str]:
        value = PEOPLE[c][limit["by"]["attribute"].split(".")[1]]
        if value is None or math.isnan(value):
            return True, 0, c
        return False, value if limit["by"]["order"] == "ascending" else -value, c

    size = math.ceil(share * len(inside)) if share is not None else limit["size"]
    return set(sorted(inside, key=place)[:size])


def judged(frame: DataFrame, documents: list[dict[str, Any]], shared: dict[str, Any]) -> list[Any]:
    config = SharedConfig.model_validate(shared)
    parsed = [Segment.model_validate(d) for d in documents]
    ordered = in_order(
        {s.name: s.with_shared(config.of(s.name, ignores_exclusions=s.ignore_exclusions)) for s in parsed}
    )
    return member_rows(with_membership(frame, ordered, CLOCK), ordered, versions(ordered)).collect()


def test_limits_priorities_and_exclusions_are_those_of_sets_and_sorting(frame: DataFrame) -> None:
    found = judged(frame, RULES, SHARED)

    expected = slow(RULES, SHARED)
    assert {d["name"]: {row["customer_id"] for row in found if row["segment"] == d["name"]} for d in RULES} == expected
    assert expected["third"] == set()  # `second` comes first and would have them all
    assert 0 < len(expected["share"]) < 90 and len(expected["ten"]) == 10
    assert expected["also_salted"] < expected["salted"]
    everybody = {c for c in PEOPLE if int(hashlib.sha256(f"everybody|{c}".encode()).hexdigest()[:8], 16) / 16**8 < 0.3}
    assert 10 < len(everybody) < 50
    assert {row["customer_id"] for row in found if row["is_held_out"]} == everybody & set().union(*expected.values())


@pytest.mark.parametrize("kind", ["spread", "tied", "few values", "one long prefix"])
def test_the_last_place_is_that_of_sorting_whatever_the_values(spark: SparkSession, kind: str) -> None:
    chance = random.Random(5)
    value = {
        "spread": lambda: chance.lognormvariate(0, 3),
        "tied": lambda: 1.0,
        "few values": lambda: chance.choice([1.0, 2.0, math.inf]),
    }
    prefix = "customer-" if kind == "one long prefix" else ""
    rows = [(value.get(kind, value["tied"])(), f"{prefix}{chance.randrange(16**9):09x}") for _ in range(300)]
    frame = spark.createDataFrame(rows, "key double, customer_id string").repartition(3).persist()

    for place in (1, 150, 300):
        assert last_place(frame, place, enough=20) == sorted(rows)[place - 1]


def test_a_sample_is_no_part_of_the_control_group(frame: DataFrame) -> None:
    """Both are drawn with the same salt; the sample has its share of held out people and of others."""
    document = buyers(
        "a", 0, include_anonymous=True, holdout={"percent": 50, "salt": "s"}, limit={"size": "50%", "salt": "s"}
    )

    held = [row["is_held_out"] for row in judged(frame, [document], {})]

    assert len(held) * 0.2 < sum(held) < len(held) * 0.8


def test_a_draw_holds_on_to_people_when_others_come(frame: DataFrame) -> None:
    """Of ten people a drawn one stays unless somebody with a lower draw comes in; of a share everybody stays."""
    documents = [buyers("ten", 2, limit={"size": 10}), buyers("part", 2, limit={"size": "30%"})]
    few = frame.where(F.col("customer_id") < "c60")

    before, after = ({(r["segment"], r["customer_id"]) for r in judged(f, documents, {})} for f in (few, frame))

    gone, new = ({c for s, c in x if s == "ten"} for x in (before - after, after - before))
    assert len(gone) == len(new) < 10 and all(c >= "c60" for c in new)
    assert {c for s, c in before if s == "part"} <= {c for s, c in after if s == "part"}


def test_amounts_and_truth_values_are_ranked_as_numbers(spark: SparkSession) -> None:
    rows = [
        ("ann", False, 1, Decimal("9.99")),
        ("bob", False, 1, Decimal("10.01")),
        ("cyn", False, 1, Decimal("10.00")),
    ]
    frame = spark.createDataFrame(
        rows, "customer_id string, is_anonymous boolean, traits__orders bigint, traits__revenue decimal(18,2)"
    )

    found = judged(frame, [buyers("a", 0, limit={"size": 2, "by": by("revenue")})], {})

    assert {row["customer_id"] for row in found} == {"bob", "cyn"}
