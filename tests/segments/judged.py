"""People as gold tables, and all rules judged in one run: by Spark, by the slow evaluator and by what `cdp why` asks."""

import gzip
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame

from cdp.conditions.clock import Clock
from cdp.segments.attributes import BUILT_IN, Attribute
from cdp.segments.check import problems_of
from cdp.segments.config import Segment
from cdp.segments.facts import tables_of, with_facts
from cdp.segments.frame import customer_frame
from cdp.segments.load import in_order
from cdp.segments.members import in_segment, needs_of, with_membership
from cdp.segments.named import named_as
from cdp.segments.person import Judge, Known
from cdp.segments.query import SqlCondition
from cdp.tables.gold import (
    CUSTOMER_IDENTIFIERS,
    CUSTOMER_ORDER_LINES,
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
from .made import AS_OF, QUERIES

People = Mapping[str, Mapping[str, Any]]
Fill = Callable[..., DataFrame]
BEFORE = date(2026, 1, 1)

ON_LISTS: Mapping[str, set[tuple[str, str]]] = {
    "people.csv": {("email", "ann@example.com"), ("email", "bob@example.com"), ("email", "d.e+f@gmail.com")},
    "phones.csv.gz": {("phone", "+33612345678"), ("phone", "+33698765432")},
    "cards.parquet": {("loyalty_id", "42")},
    "ids.csv": {("customer_id", "c0"), ("customer_id", "old-c2")},
}
"""Whom the files of `write_lists` mean."""


def write_lists(folder: Path) -> Path:
    """Lists in several ways of writing."""

    def sha(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    emails = ['"""Ann"" <ANN@Example.com>"', sha("bob@example.com").upper(), "", "no address", sha("de@gmail.com")]
    text = "\r\n".join(["name;e_mail", *(f"x;{email}" for email in emails), "short", ""])
    (folder / "people.csv").write_text("\ufeff" + text, encoding="utf-8")
    with gzip.open(folder / "phones.csv.gz", "wt", encoding="utf-8") as file:
        file.write(f"phone\n06 12 34 56 78\n\n{sha('33698765432')}\n0699999999\n")
    pq.write_table(pa.table({"id": [42, 7, None]}), folder / "cards.parquet")
    (folder / "ids.csv").write_text("customer_id\nc0\n old-c2 \nnobody\n", encoding="utf-8")
    return folder


def on_list(file: str, person: Mapping[str, Any]) -> bool:
    """By the words of docs/segments.md, whom `write_lists` has written down for."""
    own = {*person.get("identifiers", ()), *(("customer_id", c) for c in ids(person))}
    return bool(own & ON_LISTS[file])


def ids(person: Mapping[str, Any]) -> list[str]:
    """A person's id, and the one that was merged into it."""
    name = person["customer_id"]
    return [name, *([f"old-{name}"] if person.get("has_former_id") else [])]


def with_ids(people: People) -> dict[str, dict[str, Any]]:
    """People with their ids, and the segments that they were in before the run's date."""
    found = {}
    for name, person in people.items():
        found[name] = {**person, "customer_id": name}
        own = {
            f"s{n}"
            for n, is_former, is_today in person.get("was", ())
            if not is_today and (person["has_former_id"] or not is_former)
        }
        found[name]["was_in"] = own | set(person.get("was_in", ()))
    return found


def tables_with(fill: Fill, people: People) -> dict[str, DataFrame]:
    """People as gold tables."""
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in ("profile", "traits", "predictions", "consent", "household", "timeline", "lines", "identifiers", "history", "keys")}  # fmt: skip
    for name, person in people.items():
        key = {"customer_id": name}
        tier = person.get("profile.attributes.tier")
        extra = {"attributes": None if tier is None else {"tier": tier}, "is_anonymous": person["is_anonymous"]}
        rows["profile"].append({**key, **_part(person, "profile"), **extra})
        if traits := _part(person, "traits"):
            rows["traits"].append({**key, **traits})
        for horizon in (90, 365):
            scores = {k.split(".")[1].split("@")[0]: v for k, v in person.items() if k.endswith(f"@{horizon}")}
            if scores:
                rows["predictions"].append({**key, "horizon_days": horizon, **scores})
        if "consent.email_marketing" in person:
            allowed = person["consent.email_marketing"]
            rows["consent"].append({**key, "purpose": "email_marketing", "is_allowed": allowed})
        if "household.size" in person:
            home = {"household_id": f"h-{name}", "customer_ids": [name, "zoe"], "size": person["household.size"]}
            rows["household"].append(home)
        rows["timeline"] += [{**key, **entry} for entry in person["timeline"]]
        rows["lines"] += [{**key, **line} for line in person.get("order_lines", ())]
        rows["identifiers"] += [{**key, "id_type": t, "id_value": v} for t, v in person.get("identifiers", ())]
        rows["keys"] += [{"kind": "customer_id", "value": former, **key} for former in ids({**person, **key})[1:]]
        rows["history"] += [
            {**key, "segment": s, "entered_on": BEFORE}
            for s in sorted(person.get("was_in", ()) if "was" not in person else ())
        ]
        for n, is_former, is_today in person.get("was", ()):
            who = f"old-{name}" if is_former else name
            rows["history"].append(
                {"customer_id": who, "segment": f"s{n}", "entered_on": AS_OF if is_today else BEFORE}
            )
    tables = {
        "profile": PROFILES, "traits": TRAITS, "predictions": PREDICTIONS, "consent": EFFECTIVE_CONSENT, "household": HOUSEHOLDS,
        "timeline": TIMELINE, "lines": CUSTOMER_ORDER_LINES, "identifiers": CUSTOMER_IDENTIFIERS, "history": SEGMENT_HISTORY,
        "keys": LOOKUP_KEYS,
    }  # fmt: skip
    return {source: fill(table, *rows[source]) for source, table in tables.items()}


def _part(person: Mapping[str, Any], source: str) -> dict[str, Any]:
    found = {k.split(".")[1]: v for k, v in person.items() if k.startswith(f"{source}.") and k.count(".") == 1}
    return {k: v for k, v in found.items() if "@" not in k}


_OF_FACTS = {
    "timeline": TIMELINE, "lines": CUSTOMER_ORDER_LINES, "history": SEGMENT_HISTORY, "keys": LOOKUP_KEYS, "profile": PROFILES,
    "identifiers": CUSTOMER_IDENTIFIERS, "traits": TRAITS,
}  # fmt: skip


@dataclass(frozen=True)
class Rules:
    """Rules as segments s0, s1 ...; every third is for people who are known by more than a cookie, if not all for everybody."""

    documents: dict[str, dict[str, Any]]
    segments: dict[str, Segment]

    @classmethod
    def of(cls, rules: list[dict[str, Any]], folder: Path, *, for_everybody: bool = False) -> "Rules":
        """Checked as files are."""
        documents = {
            f"s{i}": {"name": f"s{i}", "rule": rule, "include_anonymous": for_everybody or i % 3 > 0}
            for i, rule in enumerate(rules)
        }
        segments = {name: Segment.model_validate(d, context=folder) for name, d in documents.items()}
        assert problems_of(segments, BUILT_IN, complete=True) == {}
        return cls(documents, in_order(segments))


def by_spark(tables: Mapping[str, DataFrame], rules: Rules, as_of: date = AS_OF) -> dict[tuple[str, str], bool]:
    """Whether each person (by id) is in each segment, by one query."""
    needs = needs_of(list(rules.segments.values()))
    clock = Clock(as_of)
    frame = customer_frame(tables, attributes=needs.attributes, behaviors=needs.behaviors, clock=clock)
    wanted = tables_of(needs.facts.values())
    read = {t.name: tables[source] for source, t in _OF_FACTS.items() if t.name in wanted}
    frame = with_facts(frame, needs.facts, read, clock, "FR").frame
    rows = (
        with_membership(frame, rules.segments, clock).select("customer_id", *map(in_segment, rules.segments)).collect()
    )
    return {(row["customer_id"], name): row[in_segment(name)] for row in rows for name in rules.segments}


def slowly(people: People, rules: Rules) -> dict[tuple[str, str], bool]:
    """The same by the slow evaluator."""
    slow = Evaluator(AS_OF, rules.documents, on_list, QUERIES)
    return {(who, name): slow.is_member(name, person) for who, person in people.items() for name in rules.documents}


def by_person(
    people: People, rules: Rules, stored: Mapping[tuple[str, str], bool]
) -> dict[tuple[str, str], bool | None]:
    """The same as `cdp why` judges, which asks `stored` where it cannot tell."""
    found: dict[tuple[str, str], bool | None] = {}
    for who, person in people.items():
        judge = Judge(known(person, lambda name, who=who: stored[who, name]), rules.segments, Clock(AS_OF), BUILT_IN)
        found |= {(who, name): judge.membership(name).holds for name in rules.documents}
    return found


def known(person: Mapping[str, Any], stored: Callable[[str], bool]) -> Known:
    """A person as `cdp why` reads one of the tables, and in which segments the last run found it."""

    def value(attribute: Attribute) -> Any:
        name = f"{attribute.source}.{attribute.name}" + (f".{attribute.key}" if attribute.key else "")
        found = person.get(name + (f"@{attribute.horizon_days}" if attribute.horizon_days else ""))
        return bool(found) if attribute.source == "consent" else found

    identifiers: dict[str, list[str]] = {"customer_id": ids(person)}
    for kind, text in person.get("identifiers", ()):
        identifiers.setdefault(kind, []).append(text)
    return Known(
        is_anonymous=person["is_anonymous"],
        value=value,
        timeline=person["timeline"],
        stored=stored,
        customer_id=person["customer_id"],
        order_lines=person.get("order_lines", ()),
        was_in=person["was_in"].__contains__,
        on_list=lambda condition: named_as(condition, identifiers, "FR"),
    )


def hold_together(people: People, rules: Rules, found: Mapping[tuple[str, str], bool]) -> None:
    """That Spark's outcomes are those of the evaluator, and so are those of `cdp why`, which lacks one only for SQL."""
    slow = slowly(people, rules)
    for key in sorted(slow):
        who, name = key
        assert found[key] is slow[key], (
            f"{who}: found {found[key]} for {rules.documents[name]['rule']} of {people[who]}"
        )
    hold_one_by_one(people, rules, slow)


def hold_one_by_one(people: People, rules: Rules, slow: Mapping[tuple[str, str], bool]) -> None:
    """That the outcomes of `cdp why` are those of the evaluator."""
    for (who, name), holds in by_person(people, rules, slow).items():
        asks_spark = any(isinstance(c, SqlCondition) for _, c in rules.segments[name].conditions())
        rule = rules.documents[name]["rule"]
        assert holds is slow[who, name] or (holds is None and asks_spark), (
            f"{who}: told {holds} for {rule} of {people[who]}"
        )
