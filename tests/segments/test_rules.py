"""Every operator and condition type against a slow evaluator, on people chosen for nulls and edges of windows."""

import random
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame

from cdp.conditions.clock import Clock
from cdp.segments.attributes import BUILT_IN, Attribute
from cdp.segments.config import Segment
from cdp.segments.facts import tables_of, with_facts
from cdp.segments.frame import customer_frame
from cdp.segments.load import in_order
from cdp.segments.members import in_segment, needs_of, with_membership
from cdp.segments.person import Judge, Known
from cdp.segments.sequence import SequenceCondition
from cdp.tables.gold import (
    EFFECTIVE_CONSENT,
    HOUSEHOLDS,
    LOOKUP_KEYS,
    PREDICTIONS,
    PROFILES,
    SEGMENT_HISTORY,
    TIMELINE,
    TRAITS,
)

from .evaluator import Evaluator

AS_OF = date(2026, 3, 31)
END = datetime(2026, 4, 1)
SECOND = timedelta(seconds=1)
ENDS_OF_FEBRUARY = datetime(2026, 3, 1)  # one month before END


def entry(at: datetime, event: str, **more: Any) -> dict[str, Any]:
    plain = {"channel": "web", "campaign": None, "amount": None, "properties": None, "kind": "event", "source": "web", "reference": "r"}
    return {**plain, "occurred_at": at, "event": event, **more}


PEOPLE: dict[str, dict[str, Any]] = {
    "ann": {
        "is_anonymous": False,
        "profile.country": "FR",
        "profile.city": "Aix-en-Provence",
        "profile.birth_date": date(1990, 4, 2),
        "profile.emails": ["ann@example.com", "ann@work.example"],
        "profile.sources": ["crm", "shop"],
        "profile.attributes.tier": "12",
        "traits.orders": 3,
        "traits.revenue": Decimal("120.50"),
        "traits.last_order_at": END - SECOND,
        "predictions.ltv@90": 55.5,
        "predictions.churn_percentile@90": 0.7,
        "predictions.tier@90": "top_5",
        "predictions.ltv@365": 200.0,
        "predictions.next_order_on@90": date(2026, 4, 1),
        "consent.email_marketing": True,
        "household.size": 2,
        "was_in": {f"s{i}" for i in range(0, 40, 2)},
        "timeline": [
            entry(END - timedelta(days=7), "Product Added", properties={"price": "10.5", "product_id": "p1"}),
            entry(END - SECOND, "Product Added", properties={"price": "x", "product_id": "p1"}),
            entry(END, "Product Added", properties={"price": "99"}),  # after the run's date
            entry(END - timedelta(days=40), "Order Completed", amount=Decimal("120.50"), channel="store"),
        ],
    },
    "bob": {
        "is_anonymous": False,
        "profile.country": "GB",
        "profile.city": "Bath",
        "profile.birth_date": date(1985, 1, 1),
        "profile.emails": ["bob@example.com"],
        "profile.sources": ["shop"],
        "profile.attributes.tier": "gold",
        "traits.orders": 0,
        "traits.revenue": Decimal("0.00"),
        "traits.last_order_at": datetime(2026, 3, 31),
        "predictions.ltv@90": 5.0,
        "predictions.tier@90": "prospect",  # without a churn
        "consent.email_marketing": False,
        "timeline": [
            entry(
                END - timedelta(days=7) - SECOND,
                "Product Added",
                properties={"price": "3"},
                campaign="spring",
            ),
            entry(ENDS_OF_FEBRUARY, "Product Viewed", properties={"seen_at": "2026-03-31T10:00:00"}),
        ],
    },
    "cyn": {  # nothing known, no event at all
        "is_anonymous": False,
        "profile.emails": [],
        "profile.sources": [],
        "was_in": {f"s{i}" for i in range(0, 40, 3)},
        "timeline": [],
    },
    "dev": {  # a cookie
        "is_anonymous": True,
        "profile.country": "FR",
        "profile.emails": [],
        "profile.sources": ["web"],
        "traits.last_order_at": ENDS_OF_FEBRUARY - SECOND,
        "timeline": [entry(END - timedelta(hours=1), "Product Viewed", properties={"ok": "true"})],
    },
}


@pytest.fixture(scope="module")
def tables(fill: Any) -> dict[str, DataFrame]:
    """PEOPLE as gold tables."""

    def part(person: dict[str, Any], source: str) -> dict[str, Any]:
        found = {
            k.split(".")[1]: v for k, v in person.items() if k.startswith(f"{source}.") and k.count(".") == 1
        }
        return {k: v for k, v in found.items() if "@" not in k}

    profiles, traits, predictions, consents, homes, timeline, history = [], [], [], [], [], [], []
    for name, person in PEOPLE.items():
        key = {"customer_id": name}
        tier = person.get("profile.attributes.tier")
        extra = {"attributes": {"tier": tier} if tier else None, "is_anonymous": person["is_anonymous"]}
        profiles.append({**key, **part(person, "profile"), **extra})
        if name != "cyn":
            traits.append({**key, **part(person, "traits")})
        for horizon in (90, 365):
            scores = {
                k.split(".")[1].split("@")[0]: v for k, v in person.items() if k.endswith(f"@{horizon}")
            }
            if scores:
                predictions.append({**key, "horizon_days": horizon, **scores})
        if "consent.email_marketing" in person:
            allowed = person["consent.email_marketing"]
            consents.append({**key, "purpose": "email_marketing", "is_allowed": allowed})
        if "household.size" in person:
            homes.append(
                {"household_id": "h", "customer_ids": [name, "zoe"], "size": person["household.size"]}
            )
        timeline += [{**key, **e} for e in person["timeline"]]
        history += [{**key, "segment": s, "entered_on": date(2026, 1, 1)} for s in sorted(person.get("was_in", ()))]
    return {
        "profile": fill(PROFILES, *profiles),
        "traits": fill(TRAITS, *traits),
        "predictions": fill(PREDICTIONS, *predictions),
        "consent": fill(EFFECTIVE_CONSENT, *consents),
        "household": fill(HOUSEHOLDS, *homes),
        "timeline": fill(TIMELINE, *timeline),
        "history": fill(SEGMENT_HISTORY, *history),
        "keys": fill(LOOKUP_KEYS),
    }


def attribute(path: str, operator: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "Value", "attribute": path, "operator": operator, **more}


def did(operator: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "Value", "source": "behavior_timeline", "operator": operator, **more}


def column(name: str, **operator: Any) -> dict[str, Any]:
    return {"type": "Column", "column": name, "operator": operator}


OPERATORS: list[tuple[str, dict[str, Any]]] = [
    *[("traits.orders", {"type": t, "value": 3}) for t in ("Equal", "NotEqual", "Greater", "GreaterEqual")],
    *[("traits.revenue", {"type": t, "value": 120.5}) for t in ("Equal", "Less", "LessEqual", "Greater")],
    ("traits.revenue", {"type": "Between", "min": 0, "max": 120.5}),
    ("traits.revenue", {"type": "Between", "min": 0.01}),
    ("traits.revenue", {"type": "Between", "max": 0}),
    *[("profile.country", {"type": t, "value": "FR"}) for t in ("Equal", "NotEqual")],
    *[("profile.country", {"type": t, "value": ["GB", "DE"]}) for t in ("In", "NotIn")],
    *[("profile.city", {"type": t, "value": "Ba"}) for t in ("Contain", "StartWith", "EndWith")],
    ("profile.city", {"type": "EndWith", "value": ["Provence", "th"]}),
    ("profile.city", {"type": "Regexp", "value": "^[A-B][a-z]+$"}),
    ("profile.city", {"type": "IsNull"}),
    ("consent.email_marketing", {"type": "Equal", "value": True}),
    ("consent.email_marketing", {"type": "Equal", "value": False}),
    ("household.size", {"type": "GreaterEqual", "value": 2}),
    ("profile.attributes.tier", {"type": "Equal", "value": "gold"}),
    ("profile.attributes.tier", {"type": "Greater", "value": 11}),  # a text read as a number
    ("traits.last_order_at", {"type": "TimeToday"}),
    ("traits.last_order_at", {"type": "TimeWithinPast", "value": 1, "unit": "second"}),
    ("traits.last_order_at", {"type": "TimeWithinPast", "value": 1, "unit": "month"}),
    ("traits.last_order_at", {"type": "TimeWithinPast", "value": 1, "unit": "quarter"}),
    (
        "traits.last_order_at",
        {"type": "TimeRange", "duration": {"day": 1}, "from": {"last": 1, "unit": "day"}},
    ),
    ("traits.last_order_at", {"type": "TimeRange", "duration": {"month": 1}, "from": date(2026, 2, 1)}),
    ("traits.last_order_at", {"type": "Equal", "value": date(2026, 3, 31)}),  # a date is a whole day
    ("traits.last_order_at", {"type": "Greater", "value": date(2026, 3, 30)}),
    ("traits.last_order_at", {"type": "LessEqual", "value": "2026-03-31T00:00:00"}),
    ("traits.last_order_at", {"type": "Between", "min": date(2026, 3, 31), "max": date(2026, 3, 31)}),
    ("profile.birth_date", {"type": "Less", "value": date(1990, 1, 1)}),
    ("traits.orders", {"type": "GreaterEqual", "value": {"attribute": "household.size"}}),
]
LISTS: list[dict[str, Any]] = [
    attribute("profile.emails", {"type": t, "value": "example.com", "not": n}, arrayMatching=m)
    for t in ("EndWith", "Equal")
    for n in (False, True)
    for m in ("any", "all", {"atLeast": 2}, {"atMost": 0}, {"exactly": 1})
] + [
    attribute("profile.sources", {"type": "IsNull"}),
    attribute("profile.sources", {"type": "NotEqual", "value": "crm"}),
    attribute("profile.sources", {"type": "NotIn", "value": ["crm", "web"]}),
]
ADDED = {"event": "Product Added"}
WEEK = {"timeWindow": {"duration": 7, "unit": "day"}}
MONTH = {"timeWindow": {"duration": 1, "unit": "month"}}
PRICE = "properties.price"
BEHAVIORS: list[dict[str, Any]] = [
    did({"type": "GreaterEqual", "value": 1}, **ADDED, **WEEK),
    did({"type": "Equal", "value": 0}, **ADDED, **WEEK),  # also true for people without any event
    did({"type": "Equal", "value": 2}, event=["Product Added", "Product Viewed"]),
    did({"type": "GreaterEqual", "value": 1}, event="Product Viewed", **MONTH),
    *[
        did({"type": kind, "value": 10.5}, **ADDED, aggregation={"type": aggregation, "column": PRICE})
        for aggregation in ("Sum", "Average", "Min", "Max")
        for kind in ("LessEqual", "Greater")
    ],
    did({"type": "Less", "value": 1}, aggregation={"type": "Sum", "column": "amount"}),
    did({"type": "IsNull"}, aggregation={"type": "Average", "column": "amount"}),
    did(
        {"type": "Equal", "value": 1},
        aggregation={"type": "CountDistinct", "column": "properties.product_id"},
    ),
    did(
        {"type": "TimeWithinPast", "value": 1, "unit": "hour"},
        aggregation={"type": "Max", "column": "occurred_at"},
    ),
    did(
        {"type": "LessEqual", "value": {"attribute": "traits.last_order_at"}, "not": True},
        aggregation={"type": "Max", "column": "occurred_at"},
    ),
    did(
        {"type": "GreaterEqual", "value": 1},
        filter={
            "type": "Or",
            "conditions": [
                column("campaign", type="Equal", value="spring"),
                {
                    "type": "Not",
                    "conditions": [
                        column("channel", type="Equal", value="web"),
                        column("amount", type="Less", value=1),
                    ],
                },
            ],
        },
    ),
    did(
        {"type": "GreaterEqual", "value": 1},
        filter={"type": "And", "conditions": [column("properties.seen_at", type="TimeToday")]},
    ),
    did(
        {"type": "GreaterEqual", "value": 1},
        filter={"type": "And", "conditions": [column("properties.ok", type="Equal", value=True)]},
    ),
]
PREDICTED: list[dict[str, Any]] = [
    attribute("predictions.ltv", {"type": "Greater", "value": 100}, horizon_days=365),
    attribute("predictions.ltv", {"type": "Less", "value": 100}, horizon_days=90),
    attribute("predictions.ltv", {"type": "IsNull"}, horizon_days=365),
    *[
        attribute("predictions.churn_percentile", {"type": t, "value": 0.5, "not": n}, horizon_days=90)
        for t in ("GreaterEqual", "Less")
        for n in (False, True)
    ],
    attribute("predictions.churn_percentile", {"type": "IsNull"}, horizon_days=90),
    attribute("predictions.tier", {"type": "In", "value": ["top_1", "top_5"]}, horizon_days=90),
    attribute(
        "predictions.next_order_on", {"type": "TimeWithinNext", "value": 1, "unit": "day"}, horizon_days=90
    ),
]
SEQUENCES: list[dict[str, Any]] = [
    {"type": "Sequence", "steps": [{"event": "Order Completed"}, {"event": "Product Added"}]},
    {
        "type": "Sequence",
        "correlateOn": ["properties.product_id"],
        "steps": [ADDED, {**ADDED, "within": {"duration": 7, "unit": "day"}}],
    },
    {"type": "Sequence", "timeWindow": {"duration": 7, "unit": "day"}, "steps": [ADDED, {"event": "Product Viewed", "not": True}]},
]
ATOMS = (
    [attribute(path, {**operator, "not": n}) for path, operator in OPERATORS for n in (False, True)]
    + LISTS
    + BEHAVIORS
    + PREDICTED
    + SEQUENCES
)


SOURCES_OF_FACTS = {"timeline": TIMELINE, "history": SEGMENT_HISTORY, "keys": LOOKUP_KEYS, "profile": PROFILES}


def check(tables: dict[str, DataFrame], rules: list[dict[str, Any]]) -> None:
    """Judge all rules in one run, and compare each with the evaluator."""
    documents = {
        f"s{i}": {"name": f"s{i}", "rule": rule, "include_anonymous": i % 3 > 0}
        for i, rule in enumerate(rules)
    }
    segments = in_order({name: Segment.model_validate(d) for name, d in documents.items()})
    needs = needs_of(list(segments.values()))
    clock = Clock(AS_OF)
    frame = customer_frame(tables, attributes=needs.attributes, behaviors=needs.behaviors, clock=clock)
    read = {t.name: tables[source] for source, t in SOURCES_OF_FACTS.items() if t.name in tables_of(needs.facts.values())}
    frame = with_facts(frame, needs.facts, read, clock).frame
    judged = (
        with_membership(frame, segments, clock).select("customer_id", *map(in_segment, segments)).collect()
    )
    slow = Evaluator(AS_OF, documents)
    wrong = {
        name: f"{who}: found {row[in_segment(name)]} for {documents[name]['rule']}"
        for row in judged
        for name in documents
        if (who := row["customer_id"]) and row[in_segment(name)] is not slow.is_member(name, PEOPLE[who])
    }
    assert not wrong, "\n".join(wrong.values())
    for who in PEOPLE:
        row = next(r for r in judged if r["customer_id"] == who)
        inside = {name: row[in_segment(name)] for name in documents}
        judge = Judge(known(who, inside), segments, clock, BUILT_IN)
        told = {name: judge.membership(name) for name in documents}
        # What only Spark can tell has no outcome, and nothing else is left without one.
        others = {
            name: (inside[name], outcome, documents[name])
            for name, outcome in told.items()
            if outcome.holds is not inside[name] and not (outcome.holds is None and is_for_spark(segments[name]))
        }
        assert not others, f"{who}: {others}"


def is_for_spark(segment: Segment) -> bool:
    """Whether a rule has a condition that `cdp why` cannot judge."""
    conditions = [condition for _, condition in segment.conditions()]
    return any(isinstance(c, SequenceCondition) or getattr(c, "when", "now") != "now" for c in conditions)


def known(who: str, inside: dict[str, bool]) -> Known:
    """PEOPLE as `cdp why` reads them of the tables, and in which segments the last run found them."""
    person = PEOPLE[who]

    def value(attribute: Attribute) -> Any:
        name = f"{attribute.source}.{attribute.name}" + (f".{attribute.key}" if attribute.key else "")
        found = person.get(name + (f"@{attribute.horizon_days}" if attribute.horizon_days else ""))
        return bool(found) if attribute.source == "consent" else found

    return Known(person["is_anonymous"], value, person["timeline"], inside.__getitem__, who)


def test_every_operator_and_condition_type_agrees_with_the_evaluator(tables: dict[str, DataFrame]) -> None:
    check(tables, [{"type": "And", "conditions": [atom]} for atom in ATOMS])


def test_groups_and_references_of_any_depth_agree_with_the_evaluator(tables: dict[str, DataFrame]) -> None:
    chance = random.Random(7)

    def group(depth: int, others: int) -> dict[str, Any]:
        conditions = [
            group(depth - 1, others) if depth and chance.random() < 0.4 else chance.choice(ATOMS)
            for _ in range(chance.randint(1, 3))
        ]
        if others and chance.random() < 0.5:
            reference = f"s{chance.randrange(others)}"
            kind, when = chance.choice(["include", "exclude"]), chance.choice(["now", "ever", "before"])
            conditions.append({"type": kind, "segment": reference, "when": when})
        return {"type": chance.choice(["And", "Or", "Not"]), "conditions": conditions}

    check(tables, [group(3, i) for i in range(40)])
