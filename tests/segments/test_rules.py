"""Every operator and condition type against a slow evaluator, on people chosen for nulls and edges of windows, and made ones."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cdp.segments.reading import OPERATORS as OPERATORS_OF_YAML

from . import by_sql, made
from .judged import Fill, Rules, by_spark, hold_one_by_one, hold_together, slowly, tables_with, with_ids, write_lists
from .made import AS_OF, END, MOMENTS

SECOND = timedelta(seconds=1)
ENDS_OF_FEBRUARY = datetime(2026, 3, 1)  # one month before END


def entry(at: datetime, event: str, **more: Any) -> dict[str, Any]:
    plain = {
        "channel": "web",
        "campaign": None,
        "amount": None,
        "properties": None,
        "kind": "event",
        "source": "web",
        "reference": "r",
    }
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
    attribute("predictions.next_order_on", {"type": "TimeWithinNext", "value": 1, "unit": "day"}, horizon_days=90),
]
SEQUENCES: list[dict[str, Any]] = [
    {"type": "Sequence", "steps": [{"event": "Order Completed"}, {"event": "Product Added"}]},
    {
        "type": "Sequence",
        "correlateOn": ["properties.product_id"],
        "steps": [ADDED, {**ADDED, "within": {"duration": 7, "unit": "day"}}],
    },
    {
        "type": "Sequence",
        "timeWindow": {"duration": 7, "unit": "day"},
        "steps": [ADDED, {"event": "Product Viewed", "not": True}],
    },
]
ATOMS = (
    [attribute(path, {**operator, "not": n}) for path, operator in OPERATORS for n in (False, True)]
    + LISTS
    + BEHAVIORS
    + PREDICTED
    + SEQUENCES
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_lists(tmp_path_factory.mktemp("lists"))


def test_every_operator_and_condition_type_agrees_with_the_evaluator(fill: Fill, folder: Path) -> None:
    people = with_ids(PEOPLE)
    rules = Rules.of([{"type": "And", "conditions": [atom]} for atom in ATOMS], folder)

    hold_together(people, rules, by_spark(tables_with(fill, people), rules))


@settings(max_examples=4, derandomize=True, suppress_health_check=list(HealthCheck))
@given(people=st.lists(made.person(), min_size=15, max_size=20), rules=made.rules(fewest=12, most=made.MOST))
def test_rules_of_any_shape_agree_with_the_evaluator(
    fill: Fill, folder: Path, people: list[dict[str, Any]], rules: list[dict[str, Any]]
) -> None:
    told = with_ids({f"c{n}": person for n, person in enumerate(people)})
    of_any_shape = Rules.of(rules, folder)

    hold_together(told, of_any_shape, by_spark(tables_with(fill, told), of_any_shape))


@settings(max_examples=150, derandomize=True, suppress_health_check=list(HealthCheck))
@given(people=st.lists(made.person(), min_size=1, max_size=3), rules=made.rules(fewest=1, most=4))
def test_what_why_says_of_rules_of_any_shape_agrees_with_the_evaluator(
    folder: Path, people: list[dict[str, Any]], rules: list[dict[str, Any]]
) -> None:
    told = with_ids({f"c{n}": person for n, person in enumerate(people)})
    of_any_shape = Rules.of(rules, folder)

    hold_one_by_one(told, of_any_shape, slowly(told, of_any_shape))


def drawn(count: int) -> dict[str, dict[str, Any]]:
    """People of whom SQL has something to say: values are missing, alike, or lie on the edge of a window."""
    chance = Random(12)

    def moment() -> datetime:
        return chance.choice(MOMENTS) - chance.choice((0, 0, 2, 24)) * timedelta(hours=1)

    def done() -> dict[str, Any]:
        event = chance.choice(["Product Viewed", "Product Added", "Order Completed", "Checkout Started"])
        of = {
            "product_id": chance.choice(["p1", "p2", " "]),
            "cart_id": chance.choice(["k1", "k2", ""]),
            "price": chance.choice(["3", "20", "x"]),
        }
        return entry(moment(), event, properties={k: v for k, v in of.items() if chance.random() < 0.8} or None,
                     amount=chance.choice([None, Decimal("10.00"), Decimal("99.99")]), channel=chance.choice([None, "web", "email", "store"]),
                     campaign=chance.choice([None, "spring"]), reference=str(chance.random()))  # fmt: skip

    def somebody() -> dict[str, Any]:
        choices: dict[str, list[Any]] = {
            "profile.country": ["FR", "GB", "DE"], "profile.city": ["Bath", "London", "Berlin", "lyon", "Mannheim-Nord"],
            "profile.birth_date": [date(1989, 12, 31), date(1990, 1, 1)], "profile.attributes.tier": ["11", "11.5", "gold", "NaN"],
            "traits.orders": [0, 2, 3, 4], "traits.revenue": [Decimal("0.01"), Decimal("120.50"), Decimal("120.51")], "traits.last_order_at": [moment()],
            "predictions.ltv@90": [49.9, 50.0], "predictions.churn_percentile@90": [0.5, 0.4], "predictions.next_order_on@90": [AS_OF, END.date(), date(2026, 4, 15)],
            "consent.email_marketing": [True, False], "household.size": [1, 2, 3],
        }  # fmt: skip
        found = {name: chance.choice(values) for name, values in choices.items() if chance.random() < 0.75}
        lines = [
            {
                "source": "shop",
                "order_id": str(n),
                "line_no": 1,
                "ordered_at": moment(),
                "product_id": chance.choice(["p1", "p2", ""]),
                "quantity": Decimal(1),
            }
            for n in range(chance.randint(0, 2))
        ]
        several = {"profile.emails": ["a@x.com", "b@x.fr", "c@x.com"], "profile.sources": ["crm", "shop", "web"]}
        return {
            **found, **{name: chance.sample(values, chance.randint(0, 3)) for name, values in several.items()},
            "is_anonymous": chance.random() < 0.2, "timeline": [done() for _ in range(chance.randint(0, 6))], "order_lines": lines,
            "was_in": {"s0"} if chance.random() < 0.3 else set(),
        }  # fmt: skip

    return {f"c{n}": somebody() for n in range(count)}


def test_every_operator_and_condition_type_agrees_with_sql(fill: Fill, folder: Path) -> None:
    people = with_ids({**PEOPLE, **drawn(150)})
    rules = Rules.of(by_sql.all_rules(AS_OF), folder, for_everybody=True)

    wrong, sizes = by_sql.differing(tables_with(fill, people), rules, [], AS_OF)

    assert not wrong, "\n".join(wrong)
    assert all(0 < size < len(people) for size in sizes), sizes
    tried = {c["operator"]["type"] for c in (r["conditions"][0] for r in by_sql.all_rules(AS_OF)) if "operator" in c}
    assert tried == OPERATORS_OF_YAML.keys()
