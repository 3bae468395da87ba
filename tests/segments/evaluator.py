"""A slow, obvious evaluator of segment rules in plain Python, written from docs/segments.md alone."""

import math
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from dateutil.relativedelta import relativedelta

Person = Mapping[str, Any]
"""Attributes by name; `timeline`: a list of entries."""


class Evaluator:
    """Judges people by segments as written in YAML.

    `on_list` says who is on a list, and `queries` what a query means; both are plain Python.
    """

    def __init__(
        self,
        as_of: date,
        segments: Mapping[str, Mapping[str, Any]],
        on_list: Callable[[str, Person], bool] = lambda file, person: False,
        queries: Mapping[str, Callable[[Person], bool]] | None = None,
    ) -> None:
        self.now = datetime(as_of.year, as_of.month, as_of.day) + timedelta(days=1)
        self.segments, self.on_list, self.queries = segments, on_list, queries or {}

    def is_member(self, name: str, person: Person) -> bool:
        segment = self.segments[name]
        if person["is_anonymous"] and not segment.get("include_anonymous"):
            return False
        return self.holds(segment["rule"], person)

    def holds(self, c: Mapping[str, Any], person: Person) -> bool:
        if c["type"] in ("And", "Or", "Not"):
            return _group(c["type"], [self.holds(inner, person) for inner in c["conditions"]])
        if c["type"] in ("include", "exclude"):
            now, was = self.is_member(c["segment"], person), c["segment"] in person.get("was_in", ())
            inside = {"now": now, "ever": now or was, "before": was and not now}[c.get("when", "now")]
            return inside == (c["type"] == "include")
        if c["type"] == "Sequence":
            return Chains(c, person, self).any()
        if c["type"] == "List":
            return self.on_list(c["file"], person)
        if c["type"] == "Sql":
            return self.queries[c["query"]](person)
        if "source" in c:
            return self.meets(c["operator"], self.aggregate(c, person), person)
        silent = False if c["attribute"].startswith("consent.") else None  # no statement: not allowed
        value = person.get(_name(c), silent)
        if isinstance(value, list):
            return self.list_meets(c, value, person)
        return self.meets(c["operator"], value, person)

    def list_meets(self, c: Mapping[str, Any], values: list[Any], person: Person) -> bool:
        operator = c["operator"]
        if operator["type"] == "IsNull":
            met = not values
        else:
            plain = {k: v for k, v in operator.items() if k != "not"}
            plain["type"] = {"NotEqual": "Equal", "NotIn": "In"}.get(plain["type"], plain["type"])
            n = sum(self.meets(plain, v, person) for v in values)
            how = c.get("arrayMatching", "any")
            if isinstance(how, dict):
                ((kind, wanted),) = how.items()
                met = {"atLeast": n >= wanted, "atMost": n <= wanted, "exactly": n == wanted}[kind]
            else:
                met = n > 0 and (how == "any" or n == len(values))
        return met != (bool(operator.get("not")) != (operator["type"] in ("NotEqual", "NotIn")))

    def aggregate(self, c: Mapping[str, Any], person: Person) -> Any:
        entries = [e for e in person["timeline"] if e["occurred_at"] < self.now]
        if "timeWindow" in c:
            low = self.now - _span(c["timeWindow"]["unit"], c["timeWindow"]["duration"])
            entries = [e for e in entries if e["occurred_at"] >= low]
        if "event" in c:
            names = [c["event"]] if isinstance(c["event"], str) else c["event"]
            entries = [e for e in entries if e["event"] in names]
        if "filter" in c:
            entries = [e for e in entries if self.filter_holds(c["filter"], e)]
        aggregation = c.get("aggregation", {"type": "Count"})
        if aggregation["type"] == "Count":
            return len(entries)
        column = aggregation["column"]
        values = [v for v in (_of_entry(e, column) for e in entries) if v is not None]
        if aggregation["type"] == "CountDistinct":
            return len(set(values))
        if column.startswith("properties."):
            values = [n for n in (_number(v) for v in values) if n is not None]
        if aggregation["type"] == "Sum":
            return sum(values)
        if not values:
            return None
        made: dict[str, Callable[[list[Any]], Any]] = {
            "Min": min,
            "Max": max,
            "Average": lambda v: sum(v) / len(v),
        }
        return made[aggregation["type"]](values)

    def filter_holds(self, c: Mapping[str, Any], entry: Mapping[str, Any]) -> bool:
        if c["type"] != "Column":
            return _group(c["type"], [self.filter_holds(inner, entry) for inner in c["conditions"]])
        return self.meets(c["operator"], _of_entry(entry, c["column"]), {})

    def meets(self, operator: Mapping[str, Any], value: Any, person: Person) -> bool:
        kind = operator["type"]
        if kind in ("NotEqual", "NotIn"):
            inner = {**operator, "type": kind.removeprefix("Not"), "not": not operator.get("not", False)}
            return self.meets(inner, value, person)
        met = value is None if kind == "IsNull" else value is not None and self.met(operator, value, person)
        return met != operator.get("not", False)

    def met(self, operator: Mapping[str, Any], value: Any, person: Person) -> bool:
        kind, wanted = operator["type"], operator.get("value")
        if kind == "In":
            return any(_compare("Equal", value, w) for w in wanted)
        if kind == "Between":
            low, high = operator.get("min"), operator.get("max")
            return (low is None or _compare("GreaterEqual", value, low)) and (
                high is None or _compare("LessEqual", value, high)
            )
        if kind in ("Contain", "StartWith", "EndWith"):
            texts = [wanted] if isinstance(wanted, str) else wanted
            test = {"Contain": str.__contains__, "StartWith": str.startswith, "EndWith": str.endswith}[kind]
            return any(test(value, text) for text in texts)
        if kind == "Regexp":
            return re.search(wanted, value) is not None
        if kind.startswith("Time"):
            at = _time(value)
            low, high = self.span(operator)
            return at is not None and low <= at < high
        if isinstance(wanted, dict):
            wanted = person.get(_name(wanted))
            if isinstance(wanted, date):  # two attributes are compared as moments
                value, wanted = _time(value), _time(wanted)
            return wanted is not None and _compare(kind, value, wanted)
        return _compare(kind, value, wanted)

    def span(self, operator: Mapping[str, Any]) -> tuple[datetime, datetime]:
        kind = operator["type"]
        if kind == "TimeToday":
            return self.now - timedelta(days=1), self.now
        if kind == "TimeWithinPast":
            return self.now - _span(operator["unit"], operator["value"]), self.now
        if kind == "TimeWithinNext":
            return self.now, self.now + _span(operator["unit"], operator["value"])
        begin = operator["from"]
        low = datetime(begin.year, begin.month, begin.day) if isinstance(begin, date) else None
        low = low or self.now - _span(begin["unit"], begin["last"])
        ((unit, count),) = operator["duration"].items()
        return low, low + _span(unit, count)


def _name(c: Mapping[str, Any]) -> str:
    return c["attribute"] + (f"@{c['horizon_days']}" if "horizon_days" in c else "")


def _group(kind: str, parts: list[bool]) -> bool:
    return {"And": all(parts), "Or": any(parts), "Not": not any(parts)}[kind]


def _span(unit: str, count: int) -> relativedelta:
    return relativedelta(months=3 * count) if unit == "quarter" else relativedelta(**{f"{unit}s": count})  # type: ignore[arg-type]


def _of_entry(entry: Mapping[str, Any], column: str) -> Any:
    name, _, key = column.partition(".")
    return (entry[name] or {}).get(key) if key else entry[name]


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _time(value: Any) -> datetime | None:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)
    return value.astimezone(timezone.utc).replace(tzinfo=None) if value.tzinfo else value


def _compare(kind: str, value: Any, wanted: Any) -> bool:
    """Compare as the wanted value's type: a date means a whole day, a number reads a text as a number."""
    if isinstance(value, date) and isinstance(wanted, str):
        wanted = date.fromisoformat(wanted) if len(wanted) == 10 else datetime.fromisoformat(wanted)
    if isinstance(wanted, bool):
        value = {"true": True, "false": False}.get(value) if isinstance(value, str) else value
    elif isinstance(wanted, int | float | Decimal):
        number = _number(value)
        if number is None:
            return False
        value, wanted = number, float(wanted)
    elif isinstance(wanted, datetime):
        value, wanted = _time(value), _time(wanted)
    elif isinstance(wanted, date):
        at = _time(value)
        value = at.date() if at else None
    if value is None:
        return False
    return {
        "Equal": lambda: value == wanted,
        "Greater": lambda: value > wanted,
        "GreaterEqual": lambda: value >= wanted,
        "Less": lambda: value < wanted,
        "LessEqual": lambda: value <= wanted,
    }[kind]()


class Chains:
    """The slow, obvious reading of a sequence: every choice of entries is tried."""

    def __init__(self, sequence: Mapping[str, Any], person: Person, evaluator: Evaluator) -> None:
        self.evaluator, self.sequence, self.steps = evaluator, sequence, sequence["steps"]
        low = datetime.min
        if "timeWindow" in sequence:
            low = evaluator.now - _span(sequence["timeWindow"]["unit"], sequence["timeWindow"]["duration"])
        lines = [
            {**line, "occurred_at": line["ordered_at"], "kind": "order line"} for line in person.get("order_lines", [])
        ]
        entries = sorted([*person["timeline"], *lines], key=_place)
        self.entries = [e for e in entries if low <= e["occurred_at"] < evaluator.now]

    def any(self) -> bool:
        return self.continues(0, None, None)

    def kept(self) -> dict[str, list[str]] | None:
        """What is kept of the object with a chain that has the newest entry; None: there is no chain."""
        wanted = [k for k, step in enumerate(self.steps) if not step.get("not")]
        mine: dict[tuple[str, ...], list[tuple[int, int]]] = {}
        for i in range(len(self.entries)):
            for k in [k for k in wanted if self.fits(k, i)]:
                about = self.object(k, i)
                if about is not None and all(i != other for _, other in mine.get(tuple(about), [])):
                    mine.setdefault(tuple(about), []).append((k, i))
        starts = {tuple(self.object(0, i) or ()) for i in self.nexts(0, None, None) if self.chain_from(i)}
        if not starts:
            return None
        newest = max(starts, key=lambda about: (self.entries[mine[about][-1][1]]["occurred_at"], about))
        found = {
            path: list(
                dict.fromkeys(str(v) for k, i in mine[newest] if (v := self.value(k, i, path)) and str(v).strip())
            )
            for path in self.sequence["keep"]
        }
        return {path: values or None for path, values in found.items()}  # type: ignore[misc]

    def chain_from(self, i: int) -> bool:
        return self.continues(1, i, self.object(0, i))

    def value(self, k: int, i: int, path: str) -> Any:
        """What an entry has under the name that its step has for a column."""
        name = self.steps[k].get("correlateOn", {}).get(path, path)
        of_lines = ("product_id", "category", "brand")  # those that sequences of the tests ask for
        is_known = name in of_lines if self.entries[i]["kind"] == "order line" else name not in of_lines
        return _of_entry(self.entries[i], name) if is_known else None

    def continues(self, k: int, before: int | None, shared: Any) -> bool:
        """Whether the steps from k on can follow the entry at `before`, of an object with the values `shared`."""
        if k == len(self.steps):
            return True
        step = self.steps[k]
        if step.get("not"):
            assert before is not None
            rest = range(before + 1, len(self.entries))
            against = [i for i in rest if self.fits(k, i) and self.object(k, i) == shared]
            if k + 1 < len(self.steps):
                chosen = [i for i in self.nexts(k + 1, before, shared) if not any(n < i for n in against)]
                return any(self.continues(k + 2, i, shared) for i in chosen)
            if "within" not in step:
                return not against
            ends = self.entries[before]["occurred_at"] + _span(step["within"]["unit"], step["within"]["duration"])
            return ends < self.evaluator.now and all(self.entries[i]["occurred_at"] > ends for i in against)
        return any(
            self.continues(k + 1, i, self.object(k, i) if before is None else shared)
            for i in self.nexts(k, before, shared)
        )

    def nexts(self, k: int, before: int | None, shared: Any) -> list[int]:
        """Entries that can be step k after the entry at `before`."""
        found = []
        for i in range(0 if before is None else before + 1, len(self.entries)):
            if not self.fits(k, i) or self.object(k, i) is None or (before is not None and self.object(k, i) != shared):
                continue
            box = self.steps[k].get("within")
            if box and before is not None:
                latest = self.entries[before]["occurred_at"] + _span(box["unit"], box["duration"])
                if self.entries[i]["occurred_at"] > latest:
                    continue
            found.append(i)
        return found

    def fits(self, k: int, i: int) -> bool:
        step, entry = self.steps[k], self.entries[i]
        if (step.get("source") == "order_lines") != (entry["kind"] == "order line"):
            return False
        if "event" in step and entry["event"] not in (
            [step["event"]] if isinstance(step["event"], str) else step["event"]
        ):
            return False
        return "filter" not in step or self.evaluator.filter_holds(step["filter"], entry)

    def object(self, k: int, i: int) -> list[str] | None:
        """What the entry is about; None where that is not known."""
        named = self.steps[k].get("correlateOn", {})
        values = [_of_entry(self.entries[i], named.get(c, c)) for c in self.sequence.get("correlateOn", [])]
        return None if any(v is None or not v.strip() for v in values) else values


def _place(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    order = entry["order_id"] if entry["kind"] == "order line" else entry["reference"]
    return entry["occurred_at"], entry["kind"], entry["source"], order, entry.get("line_no", 0)
