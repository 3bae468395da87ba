"""People and rules as hypothesis makes them: every kind of condition, on values that are missing or lie on the edge of a window."""

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import strategies as st

AS_OF = date(2026, 3, 31)
END = datetime(2026, 4, 1)
MICRO = timedelta(microseconds=1)
HOUR = timedelta(hours=1)

# One second, minute, hour, day, week, month, quarter and year before the end of the run's date, and days after it.
_EDGES = (
    *(END - timedelta(**span) for span in ({"seconds": 1}, {"minutes": 1}, {"hours": 1}, {"days": 1}, {"days": 7})),
    *(datetime(2026, 3, 1), datetime(2026, 1, 1), datetime(2025, 4, 1), END, END + timedelta(days=1)),
)  # fmt: skip
MOMENTS = [edge + n * MICRO for edge in _EDGES for n in (0, -1, 1)]
moments = st.sampled_from(MOMENTS)
days = st.sampled_from([date(2026, 3, 31), date(2026, 4, 1), date(2026, 4, 2), date(2026, 3, 1), date(1990, 4, 2)])


def _written(at: datetime, hours: float) -> str:
    """A moment as somebody in another time zone writes it."""
    return at.replace(tzinfo=timezone.utc).astimezone(timezone(timedelta(hours=hours))).isoformat()


_ZONED = [_written(at, hours) for at in MOMENTS for hours in (0, 2, -5.5, 14)]
zoned = st.sampled_from(_ZONED)
numbers = st.sampled_from([0, 1, 2, 3, 11, 12, 0.01, 10.5, 55.5, 120.5, -3])
words = st.sampled_from(["FR", "GB", "Bath", "Ba", "th", "x", "spring", "web"])
_LOOSE = ["12", " 11 ", "1e1", "x", "Ba", "true", "false", "2026-03-31", "NaN", "inf", "10.5", "-3", "0.25", "", " "]
loose = zoned | st.sampled_from(_LOOSE)

VALUES: dict[str, tuple[str, st.SearchStrategy[Any]]] = {
    "profile.country": ("text", st.sampled_from(["FR", "GB", "fr", " FR", ""])),
    "profile.city": ("text", st.sampled_from(["Bath", "Ba th", "bath", "Bäth", "Aix\nBa"])),
    "profile.birth_date": ("time", days),
    "profile.attributes.tier": ("loose", loose),
    "traits.orders": ("number", st.integers(0, 3)),
    "traits.revenue": ("number", st.sampled_from([Decimal(text) for text in ("0.00", "0.01", "120.50", "-3.00")])),
    "traits.last_order_at": ("time", moments),
    "predictions.ltv@90": ("number", st.sampled_from([0.0, 10.5, 55.5])),
    "predictions.ltv@365": ("number", st.sampled_from([0.0, 55.5])),
    "predictions.tier@90": ("text", st.sampled_from(["top_1", "rest"])),
    "predictions.next_order_on@90": ("time", days),
    "household.size": ("number", st.integers(1, 3)),
}
ARRAYS = {
    "profile.emails": ["ann@example.com", "bob@example.com", "x@work.example"],
    "profile.sources": ["crm", "shop", "web"],
}
OTHERS = {
    "number": ("traits.orders", "traits.revenue", "household.size"),
    "time": ("traits.last_order_at", "profile.birth_date"),
    "text": ("profile.country", "profile.city"),
}
"""What an attribute of the same kind may be compared with."""


def _things(count: int) -> list[dict[str, Any]]:
    """What entries are about. Drawn beforehand, so that a whole entry is one choice; mostly one object, so that chains come about."""
    chance = Random(4)

    def maybe(*values: Any) -> dict[str, Any]:
        return {key: value for key, found in values if (value := chance.choice(found)) is not None}

    read = [None, None, *chance.sample(_ZONED, 12), *_LOOSE]
    return [
        {
            "event": chance.choice("AABBC"),
            "kind": chance.choice(["event", "order"]),
            "channel": chance.choice(["web", "store", None]),
            "campaign": chance.choice([None, "spring"]),
            "amount": chance.choice([None, Decimal("10.50"), Decimal("0.00"), Decimal("120.50"), Decimal("-3.00")]),
            "properties": maybe(
                ("a", ["x", "x", "x", "y", " \n", ""]), ("b", ["x", "x", "y", None]), ("price", read), ("seen_at", read)
            )
            if chance.random() < 0.85
            else None,
        }
        for _ in range(count)
    ]


things = st.sampled_from(_things(200))


def entries(
    times: st.SearchStrategy[datetime], fewest: int = 0, most: int = 5
) -> st.SearchStrategy[list[dict[str, Any]]]:
    """A timeline; references tell entries of one moment apart, and are not in the order of time."""
    found = st.lists(st.tuples(times, things), min_size=fewest, max_size=most)
    return found.map(
        lambda rows: [{**e, "occurred_at": at, "source": "web", "reference": str(n)} for n, (at, e) in enumerate(rows)]
    )


def lines(times: st.SearchStrategy[datetime]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Lines of an order."""
    texts = [("x", "x", "y"), ("x", "y", "x"), ("y", None, ""), ("", "", None), ("x", "", None), ("y", "x", "x")]
    products = [dict(zip(("product_id", "brand", "category"), row, strict=True)) for row in texts]
    one = st.builds(lambda at, product: {**product, "ordered_at": at}, times, st.sampled_from(products))
    same = {"source": "shop", "order_id": "o1", "quantity": Decimal(1), "status": "completed"}
    return st.lists(one, max_size=2).map(lambda found: [{**row, **same, "line_no": n} for n, row in enumerate(found)])


# Few moments, so that many entries are of one, and many just so far apart as a box is long.
together = st.sampled_from(
    [END - hours * HOUR - micros * MICRO for hours in (1, 2, 3, 4, 24, 25, 48, 0) for micros in (0, 1)]
)

LISTS: dict[str, dict[str, Any]] = {
    "people.csv": {"identifier": "email", "column": "e_mail"},
    "phones.csv.gz": {"identifier": "phone"},
    "cards.parquet": {"identifier": "loyalty_id", "column": "id"},
    "ids.csv": {"identifier": "customer_id"},
}
IDENTIFIERS = [
    *(("email", f"{name}@example.com") for name in ("ann", "bob", "cyn")), ("email", "d.e+f@gmail.com"),
    ("phone", "+33612345678"), ("phone", "+33698765432"), ("phone", "+33611111111"),
    ("loyalty_id", "42"), ("loyalty_id", "042"),
]  # fmt: skip
QUERIES = {
    "SELECT customer_id FROM gold.traits WHERE orders >= 2": lambda p: (p.get("traits.orders") or 0) >= 2,
    "SELECT customer_id FROM gold.timeline WHERE occurred_at < :as_of GROUP BY customer_id HAVING count(*) > 1":
        lambda p: sum(e["occurred_at"] < END - timedelta(days=1) for e in p["timeline"]) > 1,
}  # fmt: skip
"""Queries, and what they say in Python."""

MOST = 16
"""Rules that refer to each other."""


@st.composite
def person(draw: st.DrawFn) -> dict[str, Any]:
    """Attributes by name, `timeline`, `order_lines`, `identifiers`, `was` (segment, by the former id, on the run's date)."""
    found = {path: value for path, (_, values) in VALUES.items() if (value := draw(st.none() | values)) is not None}
    # A row of predictions has a value and a tier, whatever else it has.
    has = {horizon for horizon in ("90", "365") if f"predictions.ltv@{horizon}" in found}
    found = {path: value for path, value in found.items() if "@" not in path or path.partition("@")[2] in has}
    if "90" in has:
        found.setdefault("predictions.tier@90", "rest")
    found |= {path: draw(st.lists(st.sampled_from(elements), max_size=3)) for path, elements in ARRAYS.items()}
    allowed = draw(st.sampled_from([None, True, False]))
    times = draw(st.sampled_from([moments, together]))
    was = st.tuples(st.integers(0, MOST - 1), st.booleans(), st.booleans())
    return {
        **found,
        **({} if allowed is None else {"consent.email_marketing": allowed}),
        "is_anonymous": draw(st.sampled_from([False, False, True])),
        "timeline": draw(entries(times)),
        "order_lines": draw(lines(times)),
        "identifiers": draw(st.lists(st.sampled_from(IDENTIFIERS), unique=True, max_size=3)),
        "has_former_id": draw(st.booleans()),
        "was": draw(st.lists(was, max_size=4, unique_by=lambda row: row[:2])),
    }


def _wanted(kind: str) -> st.SearchStrategy[Any]:
    time = (
        days
        | moments
        | moments.map(lambda at: at.replace(tzinfo=timezone.utc).astimezone(timezone(timedelta(hours=-3))))
    )
    return {"text": words, "number": numbers, "boolean": st.booleans(), "time": time | zoned}[kind]


_SPANS = st.fixed_dictionaries(
    {
        "value": st.integers(1, 3),
        "unit": st.sampled_from(["year", "quarter", "month", "week", "day", "hour", "minute", "second"]),
    }
)


@st.composite
def operator(draw: st.DrawFn, kind: str, *, references: bool = True) -> dict[str, Any]:
    """An operator that goes with a kind of value."""
    read_as = draw(st.sampled_from(["text", "number", "boolean", "moment"])) if kind == "loose" else kind
    # Of what may hold anything a text is compared as a text: times are given as such.
    values = days | moments if read_as == "moment" else _wanted(read_as)
    groups = ["equal", "in", "null"]
    groups += ["order", "between"] if read_as in ("number", "time", "moment") else []
    groups += ["text", "pattern"] if kind in ("text", "loose") else []
    groups += ["span", "range", "today"] if kind in ("time", "loose") else []
    group = draw(st.sampled_from(groups))
    if group in ("equal", "order"):
        names = ["Equal", "NotEqual"] if group == "equal" else ["Greater", "GreaterEqual", "Less", "LessEqual"]
        others = (
            st.sampled_from(OTHERS[kind]).map(lambda path: {"attribute": path})
            if references and kind in OTHERS
            else st.nothing()
        )
        found: dict[str, Any] = {"type": draw(st.sampled_from(names)), "value": draw(values | others)}
    elif group == "in":
        found = {
            "type": draw(st.sampled_from(["In", "NotIn"])),
            "value": draw(st.lists(values, min_size=1, max_size=3)),
        }
    elif group == "between":
        bounds = draw(st.sampled_from([("min",), ("max",), ("min", "max")]))
        found = {"type": "Between", **{bound: draw(values) for bound in bounds}}
    elif group == "text":
        texts = draw(words | st.lists(words, min_size=1, max_size=2))
        found = {"type": draw(st.sampled_from(["Contain", "StartWith", "EndWith"])), "value": texts}
    elif group == "pattern":
        found = {"type": "Regexp", "value": draw(st.sampled_from(["^[A-B][a-z]+$", r"\d", "^.$", "(Ba|th)", "a t"]))}
    elif group == "span":
        found = {"type": draw(st.sampled_from(["TimeWithinPast", "TimeWithinNext"])), **draw(_SPANS)}
    elif group == "range":
        length, ago = draw(_SPANS), draw(_SPANS)
        begin = draw(st.just({"last": ago["value"], "unit": ago["unit"]}) | days)
        found = {"type": "TimeRange", "duration": {length["unit"]: length["value"]}, "from": begin}
    else:
        found = {"type": {"null": "IsNull", "today": "TimeToday"}[group]}
    return {**found, "not": True} if draw(st.booleans()) else found


@st.composite
def of_attribute(draw: st.DrawFn) -> dict[str, Any]:
    path = draw(st.sampled_from([*VALUES, *ARRAYS, "consent.email_marketing"]))
    name, _, horizon = path.partition("@")
    found: dict[str, Any] = {"type": "Value", "attribute": name, **({"horizon_days": int(horizon)} if horizon else {})}
    if path in ARRAYS:
        element = st.sampled_from([*ARRAYS[path], "example", "ann"])
        counts = st.builds(
            lambda how, n: {how: n}, st.sampled_from(["atLeast", "atMost", "exactly"]), st.integers(1, 2)
        )
        matching = draw(st.sampled_from(["any", "all"]) | counts | st.just({"atMost": 0}))
        texts = draw(st.lists(element, min_size=1, max_size=2))
        kind = draw(st.sampled_from(["Equal", "NotEqual", "In", "NotIn", "Contain", "StartWith", "EndWith", "IsNull"]))
        value = {} if kind == "IsNull" else {"value": texts[0] if kind in ("Equal", "NotEqual") else texts}
        return {**found, "operator": {"type": kind, **value, "not": draw(st.booleans())}, "arrayMatching": matching}
    kind = "boolean" if path == "consent.email_marketing" else VALUES[path][0]
    return {**found, "operator": draw(operator(kind))}


COLUMNS = {
    "channel": "text",
    "event": "text",
    "campaign": "text",
    "amount": "number",
    "occurred_at": "time",
    "properties.price": "loose",
    "properties.seen_at": "loose",
}


@st.composite
def filters(draw: st.DrawFn, depth: int = 1) -> dict[str, Any]:
    def part() -> dict[str, Any]:
        if depth and draw(st.integers(0, 3)) == 0:
            return draw(filters(depth - 1))
        name = draw(st.sampled_from(list(COLUMNS)))
        return {"type": "Column", "column": name, "operator": draw(operator(COLUMNS[name], references=False))}

    count = draw(st.integers(1, 2))
    return {"type": draw(st.sampled_from(["And", "Or", "Not"])), "conditions": [part() for _ in range(count)]}


windows = st.fixed_dictionaries(
    {
        "duration": st.integers(1, 2),
        "unit": st.sampled_from(["year", "quarter", "month", "week", "day", "hour", "minute", "second"]),
    }
)
events = st.sampled_from(["A", "B", ["A", "B"], ["C", "B"]])


@st.composite
def of_behavior(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(["Count", "CountDistinct", "Sum", "Average", "Min", "Max"]))
    columns = {
        "CountDistinct": ("channel", "properties.price", "properties.a", "occurred_at"),
        **dict.fromkeys(["Sum", "Average"], ("amount", "properties.price")),
        **dict.fromkeys(["Min", "Max"], ("amount", "properties.price", "occurred_at", "campaign")),
    }
    found: dict[str, Any] = {"type": "Value", "source": "behavior_timeline"}
    outcome = "number"
    if kind != "Count" or draw(st.booleans()):
        column = draw(st.sampled_from(columns[kind])) if kind != "Count" else None
        found["aggregation"] = {"type": kind, **({"column": column} if column else {})}
        outcome = (
            {"occurred_at": "time", "campaign": "text"}.get(column or "", "number")
            if kind in ("Min", "Max")
            else "number"
        )
    for key, made in (("event", events), ("timeWindow", windows), ("filter", filters())):
        if draw(st.booleans()):
            found[key] = draw(made)
    return {**found, "operator": draw(operator(outcome))}


@st.composite
def sequence(draw: st.DrawFn) -> dict[str, Any]:
    correlated = draw(st.sampled_from([[], ["properties.a"], ["properties.a"], ["properties.a", "properties.b"]]))
    boxes = st.sampled_from(
        [{"duration": 1, "unit": "hour"}, {"duration": 1, "unit": "day"}, {"duration": 2, "unit": "hour"}]
    )
    steps: list[dict[str, Any]] = []
    for k in range(size := draw(st.integers(2, 5))):
        is_not = k > 0 and not steps[-1].get("not") and draw(st.integers(0, 2)) == 0
        step: dict[str, Any] = {"not": True} if is_not else {}
        if draw(st.integers(0, 4)) == 0:
            step["source"] = "order_lines"
            step["correlateOn"] = {c: draw(st.sampled_from(["product_id", "brand"])) for c in correlated}
            if draw(st.booleans()):
                is_x = {
                    "type": "Column",
                    "column": "category",
                    "operator": {"type": "Equal", "value": "x", "not": True},
                }
                step["filter"] = {"type": "And", "conditions": [is_x]}
        else:
            step["event"] = draw(
                st.sampled_from(["A", "B", "C", ["A", "B"]]) if is_not else st.sampled_from(["A", "B", ["A", "B"]])
            )
            if draw(st.integers(0, 4)) == 0:
                step["correlateOn"] = {c: draw(st.sampled_from(["properties.a", "properties.b"])) for c in correlated}
            if draw(st.integers(0, 4)) == 0:
                step["filter"] = draw(filters())
        if k > 0 and (not is_not or k == size - 1) and draw(st.booleans()):
            step["within"] = draw(boxes)
        steps.append(step)
    found = {"type": "Sequence", "steps": steps, "correlateOn": correlated}
    if draw(st.integers(0, 3)) == 0:
        found["timeWindow"] = draw(st.sampled_from([{"duration": 1, "unit": "day"}, {"duration": 4, "unit": "hour"}]))
    if draw(st.integers(0, 2)) == 0 and any(not s.get("not") and "source" not in s for s in steps):
        found["keep"] = draw(
            st.sampled_from([["reference"], ["properties.b", "kind"], ["properties.a", "occurred_at"]])
        )
    return found


on_list = st.sampled_from([{"type": "List", "file": file, **rest} for file, rest in LISTS.items()])
by_query = st.sampled_from([{"type": "Sql", "query": query} for query in QUERIES])


@st.composite
def rule(draw: st.DrawFn, number: int, depth: int = 2) -> dict[str, Any]:
    """The rule of segment `s{number}`, which may refer to those before it."""
    refers = st.builds(
        lambda kind, other, when: {"type": kind, "segment": f"s{other}", "when": when},
        st.sampled_from(["include", "exclude"]),
        st.integers(0, max(number - 1, 0)),
        st.sampled_from(["now", "ever", "before"]),
    )

    def part() -> dict[str, Any]:
        if depth and draw(st.integers(0, 3)) == 0:
            return draw(rule(number, depth - 1))
        kinds = [
            of_attribute(),
            of_attribute(),
            of_behavior(),
            of_behavior(),
            sequence(),
            on_list,
            by_query,
            *([refers] if number else []),
        ]
        return draw(st.one_of(*kinds))

    count = draw(st.integers(1, 2))
    return {"type": draw(st.sampled_from(["And", "Or", "Not"])), "conditions": [part() for _ in range(count)]}


@st.composite
def rules(draw: st.DrawFn, fewest: int, most: int) -> list[dict[str, Any]]:
    return [draw(rule(number)) for number in range(draw(st.integers(fewest, most)))]
