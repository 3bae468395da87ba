"""Sequences against a slow evaluator that tries every choice of entries, on made rules and histories."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame

import cdp.segments.chains as chains
from cdp.conditions.clock import Clock
from cdp.segments.chains import sequences
from cdp.segments.check import sequence_problems
from cdp.segments.sequence import SequenceCondition
from cdp.segments.trail import trail_of
from cdp.tables.gold import CUSTOMER_ORDER_LINES, TIMELINE

from . import made
from .evaluator import Chains, Evaluator
from .made import AS_OF, END, HOUR

SECOND = timedelta(seconds=1)

Fill = Callable[..., DataFrame]


def entry(at: datetime, event: str, reference: str = "r", **more: Any) -> dict[str, Any]:
    return {
        "occurred_at": at, "event": event, "kind": "event", "source": "web", "reference": reference,
        "channel": None, "campaign": None, "amount": None, "properties": None, **more,
    }  # fmt: skip


def line(at: datetime, product: str, order: str = "o1", number: int = 1, **more: Any) -> dict[str, Any]:
    plain = {"source": "shop", "order_id": order, "line_no": number, "ordered_at": at, "quantity": Decimal(1)}
    return {**plain, "product_id": product, "category": None, "brand": None, **more}


def check(fill: Fill, people: dict[str, dict[str, Any]], wanted: list[dict[str, Any]]) -> int:
    """Judge all sequences in one run, compare each with the evaluator, and say how often one held."""
    found = {f"s{i}": SequenceCondition.model_validate(s) for i, s in enumerate(wanted)}
    assert [list(sequence_problems(s)) for s in found.values()] == [[] for _ in found]
    timeline = [{"customer_id": name, **e} for name, person in people.items() for e in person["timeline"]]
    lines = [{"customer_id": name, **row} for name, person in people.items() for row in person.get("order_lines", [])]
    nobodys = line(END - HOUR, "p")
    tables = {
        "behavior_timeline": fill(TIMELINE, *timeline),
        "order_lines": fill(CUSTOMER_ORDER_LINES, *lines, nobodys),
    }
    rows = sequences(tables, found, Clock(AS_OF)).collect()
    fast = {(row["customer_id"], name) for row in rows for name in found if row[name]}
    slow = Evaluator(AS_OF, {})
    obvious = {
        (who, f"s{i}") for who, person in people.items() for i, s in enumerate(wanted) if Chains(s, person, slow).any()
    }
    wrong = sorted(fast ^ obvious)
    assert not wrong, f"{wrong[0]}: {wanted[int(wrong[0][1][1:])]} of {people[wrong[0][0]]}"
    for row in rows:
        for i, s in enumerate(wanted):
            if "keep" in s:
                kept = Chains(s, people[row["customer_id"]], slow).kept()
                assert row[found[f"s{i}"].kept] == kept, f"{s} of {people[row['customer_id']]}"
    return len(fast)


ADDED, STARTED, BOUGHT = "Product Added", "Checkout Started", "Order Completed"
DAY_BOX = {"within": {"duration": 1, "unit": "day"}}
CART = {"correlateOn": ["properties.cart_id"]}
ABANDONED = {"type": "Sequence", **CART, "steps": [{"event": ADDED}, {"event": BOUGHT, "not": True, **DAY_BOX}]}
FUNNEL = {"type": "Sequence", "steps": [{"event": ADDED}, {"event": STARTED, **DAY_BOX}, {"event": BOUGHT, **DAY_BOX}]}
VIEWED_AND_BOUGHT = {
    "type": "Sequence",
    "correlateOn": ["properties.product_id"],
    "steps": [
        {"event": "Product Viewed"},
        {
            "source": "order_lines",
            "within": {"duration": 7, "unit": "day"},
            "correlateOn": {"properties.product_id": "product_id"},
        },
    ],
}


def cart(at: datetime, event: str, cart_id: str | None, reference: str = "r", **more: Any) -> dict[str, Any]:
    return entry(at, event, reference, properties={"cart_id": cart_id} if cart_id is not None else None, **more)


EDGES: dict[str, list[dict[str, Any]]] = {
    "left": [cart(END - 25 * HOUR, ADDED, "a")],
    "undecided": [
        cart(END - 24 * HOUR, ADDED, "a")
    ],  # the day ends with the run's date, of which no entry is known yet
    "just_decided": [cart(END - 24 * HOUR - SECOND, ADDED, "a")],
    "bought_in_time": [cart(END - 48 * HOUR, ADDED, "a"), cart(END - 24 * HOUR, BOUGHT, "a")],
    "bought_late": [cart(END - 48 * HOUR, ADDED, "a"), cart(END - 24 * HOUR + SECOND, BOUGHT, "a")],
    "bought_another": [cart(END - 48 * HOUR, ADDED, "a"), cart(END - 47 * HOUR, BOUGHT, "b")],
    "bought_at_once": [cart(END - 48 * HOUR, ADDED, "a", "1"), cart(END - 48 * HOUR, BOUGHT, "a", "2")],
    "bought_before": [cart(END - 48 * HOUR, ADDED, "a", "2"), cart(END - 48 * HOUR, BOUGHT, "a", "1")],
    "no_cart": [
        cart(END - 48 * HOUR, ADDED, None),
        cart(END - 47 * HOUR, ADDED, ""),
        cart(END - 46 * HOUR, ADDED, " \n"),
    ],
    "added_again": [
        cart(END - 48 * HOUR, ADDED, "a"),
        cart(END - 2 * HOUR, ADDED, "a", "2"),
        cart(END - HOUR, BOUGHT, "a"),
    ],
    "tomorrow": [cart(END, ADDED, "a"), cart(END + 30 * HOUR, STARTED, "a")],
    "nothing": [],
}


def test_an_abandoned_cart_is_one_that_was_not_itself_ordered_within_the_day(fill: Fill) -> None:
    people = {name: {"timeline": rows} for name, rows in EDGES.items()}
    rows = sequences({"behavior_timeline": fill(TIMELINE, *[{"customer_id": n, **e} for n, p in EDGES.items() for e in p])},
                     {"abandoned": SequenceCondition.model_validate(ABANDONED)}, Clock(AS_OF)).collect()  # fmt: skip

    assert {row["customer_id"] for row in rows if row["abandoned"]} == {
        "left", "just_decided", "bought_late", "bought_another", "bought_before", "added_again",
    }  # fmt: skip
    assert check(fill, people, [ABANDONED, FUNNEL]) == 6


def test_a_product_that_was_viewed_and_then_bought_itself(fill: Fill) -> None:
    def viewed(at: datetime, product: str | None) -> dict[str, Any]:
        return entry(at, "Product Viewed", properties={"product_id": product} if product else None)

    people: dict[str, dict[str, Any]] = {
        "bought": {
            "timeline": [viewed(END - 50 * HOUR, "p")],
            "order_lines": [line(END - HOUR, "q"), line(END - HOUR, "p", number=2)],
        },
        "at_once": {"timeline": [viewed(END - HOUR, "p")], "order_lines": [line(END - HOUR, "p")]},
        "other": {"timeline": [viewed(END - 50 * HOUR, "p")], "order_lines": [line(END - HOUR, "q")]},
        "before": {"timeline": [viewed(END - HOUR, "p")], "order_lines": [line(END - 2 * HOUR, "p")]},
        "late": {"timeline": [viewed(END - 7 * 24 * HOUR - 2 * SECOND, "p")], "order_lines": [line(END - SECOND, "p")]},
        "in_time": {"timeline": [viewed(END - 7 * 24 * HOUR - SECOND, "p")], "order_lines": [line(END - SECOND, "p")]},
        "unknown": {"timeline": [viewed(END - 50 * HOUR, None)], "order_lines": [line(END - HOUR, "p")]},
    }

    assert check(fill, people, [VIEWED_AND_BOUGHT]) == 3


def test_what_is_kept_is_looked_for_among_the_first_entries_of_an_object(fill: Fill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chains, "MOST_LOOKED_AT", 2)
    sequence = SequenceCondition.model_validate({**ABANDONED, "keep": ["properties.product_id"]})
    rows = [
        {
            "customer_id": "ann",
            **entry(END - (50 - n) * HOUR, ADDED, str(n), properties={"cart_id": "a", "product_id": f"p{n}"}),
        }
        for n in range(4)
    ]

    (row,) = sequences({"behavior_timeline": fill(TIMELINE, *rows)}, {"s": sequence}, Clock(AS_OF)).collect()

    assert row["s"] and row[sequence.kept] == {"properties.product_id": ["p0", "p1"]}


def test_entries_that_must_not_come_use_up_nothing_of_what_is_looked_at(fill: Fill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chains, "MOST_LOOKED_AT", 2)
    sequence = SequenceCondition.model_validate({**ABANDONED, "keep": ["properties.product_id"]})
    rows = [cart(END - (60 - n) * HOUR, BOUGHT, "a", str(n)) for n in range(3)]
    left = entry(END - 50 * HOUR, ADDED, "4", properties={"cart_id": "a", "product_id": "p"})
    people = [{"customer_id": "ann", **e} for e in [*rows, left]]

    (row,) = sequences({"behavior_timeline": fill(TIMELINE, *people)}, {"s": sequence}, Clock(AS_OF)).collect()

    assert row["s"] and row[sequence.kept] == {"properties.product_id": ["p"]}


def test_sequences_of_ten_steps_half_of_which_must_not_come(fill: Fill) -> None:
    def steps(*names: str) -> list[dict[str, Any]]:
        return [{"event": name, **({"not": True} if name.startswith("no") else {})} for name in names]

    alternating = [f"{kind}{n}" for n in range(5) for kind in ("yes", "no")]
    last_has_time = [*steps(*alternating[:-1]), {"event": "no4", "not": True, **DAY_BOX}]
    wanted = [
        {"type": "Sequence", "steps": steps(*alternating)},
        {"type": "Sequence", "steps": steps(*[f"yes{n}" for n in range(10)])},
        {"type": "Sequence", "steps": last_has_time},
    ]

    def at_hours(*names: str) -> dict[str, Any]:
        begin = END - timedelta(days=3)
        return {"timeline": [entry(begin + n * HOUR, name, str(n)) for n, name in enumerate(names)]}

    people = {
        "whole": at_hours(*[f"yes{n}" for n in range(5)]),
        "all_ten": at_hours(*[f"yes{n}" for n in range(10)]),
        "nine": at_hours(*[f"yes{n}" for n in range(9)]),
        "between": at_hours("yes0", "yes1", "yes2", "yes3", "no3", "yes4"),
        "before": at_hours("no3", "yes0", "yes1", "yes2", "yes3", "yes4"),
        "after": at_hours("yes0", "yes1", "yes2", "yes3", "yes4", "no4"),
        "again": at_hours("yes0", "yes1", "yes2", "yes3", "yes4", "no4", "yes3", "yes4"),
    }

    assert check(fill, people, wanted) == 11


def test_of_several_carts_that_were_left_the_newest_is_kept_with_its_products(fill: Fill) -> None:
    def added(at: datetime, cart_id: str, product: str | None, reference: str) -> dict[str, Any]:
        properties = {"cart_id": cart_id, **({"product_id": product} if product else {})}
        return {"customer_id": "ann", **entry(at, ADDED, reference, properties=properties)}

    rows = [
        added(END - 60 * HOUR, "old", "p9", "1"),
        added(END - 50 * HOUR, "left", "p2", "2"),
        added(END - 49 * HOUR, "left", "p1", "3"),
        added(END - 48 * HOUR, "left", "p2", "4"),
        added(END - 47 * HOUR, "left", None, "5"),
        added(END - 40 * HOUR, "bought", "p7", "6"),
        {"customer_id": "ann", **cart(END - 39 * HOUR, BOUGHT, "bought", "7")},
    ]
    keep = ["properties.cart_id", "properties.product_id", "properties.nothing"]
    sequence = SequenceCondition.model_validate({**ABANDONED, "keep": keep})

    (row,) = sequences({"behavior_timeline": fill(TIMELINE, *rows)}, {"s": sequence}, Clock(AS_OF)).collect()

    assert row["s"] and row[sequence.kept] == dict(zip(keep, (["left"], ["p2", "p1"], None), strict=True))


person = st.fixed_dictionaries(
    {"timeline": made.entries(made.together, fewest=3, most=8), "order_lines": made.lines(made.together)}
)
HEALTH = list(HealthCheck)


@settings(max_examples=3, derandomize=True, suppress_health_check=HEALTH)
@given(people=st.lists(person, min_size=40, max_size=50), wanted=st.lists(made.sequence(), min_size=30, max_size=40))
def test_sequences_of_any_shape_agree_with_the_evaluator(
    fill: Fill, people: list[dict[str, Any]], wanted: list[dict[str, Any]]
) -> None:
    check(fill, {f"c{n}": found for n, found in enumerate(people)}, wanted)


@settings(max_examples=400, derandomize=True, suppress_health_check=HEALTH)
@given(of=person, wanted=made.sequence())
def test_the_chain_that_is_told_is_one_of_the_longest_that_trying_every_choice_finds(
    of: dict[str, Any], wanted: dict[str, Any]
) -> None:
    sequence = SequenceCondition.model_validate(wanted)
    slow = Chains(wanted, of, Evaluator(AS_OF, {}))
    longest = sorted(prefixes(slow), key=len)[-1]

    trail = trail_of(sequence, {"behavior_timeline": of["timeline"], "order_lines": of["order_lines"]}, Clock(AS_OF))

    assert (trail.missing is None) == slow.any()
    told = tuple(trail.times.values())
    assert len(told) == len(longest)
    assert told in {tuple(slow.entries[i]["occurred_at"] for i in chain) for chain in prefixes(slow)}
    if trail.missing:
        assert trail.missing.step not in trail.times
        assert set(range(trail.missing.step)) <= {
            *trail.times,
            *(n for n, step in enumerate(wanted["steps"]) if step.get("not")),
        }


def prefixes(slow: Chains) -> list[tuple[int, ...]]:
    """Every beginning of a chain, as numbers of entries."""
    found: list[tuple[int, ...]] = [()]

    def go_on(k: int, chosen: tuple[int, ...], shared: Any) -> None:
        found.append(chosen)
        if k == len(slow.steps) or (slow.steps[k].get("not") and k + 1 == len(slow.steps)):
            return
        forbidden = k if slow.steps[k].get("not") else None
        k += forbidden is not None
        for i in slow.nexts(k, chosen[-1], shared):
            between = range(chosen[-1] + 1, i)
            if forbidden is None or not any(
                slow.fits(forbidden, n) and slow.object(forbidden, n) == shared for n in between
            ):
                go_on(k + 1, (*chosen, i), shared)

    for i in slow.nexts(0, None, None):
        go_on(1, (i,), slow.object(0, i))
    return found
