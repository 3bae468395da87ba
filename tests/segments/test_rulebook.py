"""Since when a rule holds, through runs of some and of earlier days."""

from datetime import date
from typing import Any

import pytest

from cdp.segments.config import Segment
from cdp.segments.plan import Plan
from cdp.segments.rulebook import Held, purpose_since, rule_since, rulebook_after

RULE = {"type": "And", "conditions": [{"type": "Value", "attribute": "traits.orders", "operator": {"type": "IsNull"}}]}


def day(number: int) -> date:
    return date(2026, 1, number)


def work(selected: str = "", failed: str = "", **versions: str) -> Plan:
    """Segments with their version and, behind a colon, purpose."""
    segments = {
        n: Segment.model_validate({"name": n, "rule": RULE, "purpose": v.partition(":")[2] or None})
        for n, v in versions.items()
    }
    found = Plan(segments, {n: v.partition(":")[0] for n, v in versions.items()}, frozenset(selected.split()))
    found.failed.update(dict.fromkeys(failed.split(), "why"))
    return found


def row(on: int, version: str | None, purpose: str | None = None, segment: str = "a") -> Held:
    return Held(segment, day(on), version, purpose)


HELD = [row(1, "v1"), row(3, "v1", "sms"), row(5, "v2", "sms"), row(7, None), row(2, "w", segment="b")]


@pytest.mark.parametrize(
    ("on", "plan", "wanted"),
    [
        (8, work(b="w"), HELD),
        (8, work(a="v2:sms", b="w"), [*HELD, row(8, "v2", "sms")]),  # it is there again
        (4, work(a="v1:sms", b="w"), [row(1, "v1"), row(3, "v1", "sms"), row(2, "w", segment="b")]),
        (4, work(a="v9", b="w"), [row(1, "v1"), row(3, "v1", "sms"), row(4, "v9"), row(2, "w", segment="b")]),
        (1, work(a="v1", b="w"), [row(1, "v1"), row(1, "w", segment="b")]),
        (4, work(selected="b", b="x"), [*HELD[:4], row(2, "w", segment="b"), row(4, "x", segment="b")]),
        (4, work(failed="b", b="x"), [row(1, "v1"), row(3, "v1", "sms"), row(4, None), HELD[4]]),
    ],
)
def test_what_came_on_the_day_or_later_is_taken_back(on: int, plan: Plan, wanted: list[Held]) -> None:
    found = rulebook_after(HELD, plan, {}, as_of=day(on))

    assert set(found) == set(wanted) and len(found) == len(wanted)
    assert set(rulebook_after(found, plan, {}, as_of=day(on))) == set(wanted)  # however often the day is run


def test_a_rule_holds_since_its_own_row_whatever_became_of_the_purpose() -> None:
    held = [row(1, "v1"), row(3, "v1", "sms"), row(5, "v2", "sms"), row(6, "v1", "sms")]

    assert (rule_since(held[:2], "a"), purpose_since(held[:2], "a")) == (day(1), day(3))
    assert (rule_since(held[:3], "a"), purpose_since(held[:3], "a")) == (day(5), day(3))
    assert rule_since(held, "a") == day(6)


def test_an_older_lake_says_it_in_the_health_of_the_segment() -> None:
    status: dict[str, Any] = {"version": "v1", "version_since": day(1), "purpose": None, "purpose_since": day(1)}

    assert rulebook_after([], work(a="v1"), {"a": status}, as_of=day(5)) == [row(1, "v1")]
    assert rulebook_after([], work(a="v2"), {"a": status}, as_of=day(5)) == [row(1, "v1"), row(5, "v2")]
    never = {**status, "purpose_since": None}  # failed from the beginning
    assert rulebook_after([], work(a="v1"), {"a": never}, as_of=day(5)) == [row(5, "v1")]
