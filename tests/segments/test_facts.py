"""Lists, queries and former membership: what they find, through the stage where that matters."""

import gzip
import hashlib
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession

from cdp.base.stage import Run
from cdp.segments.listed import People, counts, flags, on_lists, read_list
from cdp.segments.lists import ListCondition
from cdp.segments.past import former_ids, was_in
from cdp.segments.run import STAGE
from cdp.tables.gold import (
    CUSTOMER_IDENTIFIERS,
    CUSTOMER_ORDERS,
    LOOKUP_KEYS,
    PROFILES,
    SEGMENT_HISTORY,
    SEGMENT_MEMBERS,
    TIMELINE,
)

from .test_run import DAY, Shop, buyers, shop  # noqa: F401

Fill = Callable[..., DataFrame]

KNOWN = [
    ("ann", "email", "ann@example.com"),
    ("ann", "phone", "+33612345678"),
    ("bob", "email", "bob.lee+shop@gmail.com"),
    ("bob", "email", "shared@example.com"),
    ("cyn", "email", "shared@example.com"),
    ("cyn", "loyalty_id", "0042"),
    ("gone", "email", "gone@example.com"),  # has no profile
]
FORMER = [("old", "bob"), ("bob", "cyn")]  # of bob only some records went to cyn


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_lists_are_matched_in_the_form_of_identifiers_and_hashed(
    spark: SparkSession, fill: Fill, tmp_path: Path
) -> None:
    emails = [
        "\"Ann\" <ANN@Example.com>", "ann@example.com ", "", "  ", sha("ann@example.com").upper(), sha("boblee@gmail.com"),
        sha("bob.lee+shop@gmail.com"), "boblee@gmail.com", "shared@example.com", "gone@example.com", "no address", sha("x"),
    ]  # fmt: skip
    lines = ['"name";"email"', *(f'"a;b";"{text.replace(chr(34), chr(34) * 2)}"' for text in emails)]
    (tmp_path / "people.csv").write_text("\ufeff" + "\r\n".join(lines) + "\r\n", encoding="utf-8")
    with gzip.open(tmp_path / "people.csv.gz", "wt", encoding="utf-8") as file:
        file.write(
            "phone\n06 12 34 56 78\n+33 6 12 34 56 78\n"
            + sha("33612345678")
            + "\n"
            + sha("+33612345678")
            + "\n0699999999\n"
        )
    pq.write_table(pa.table({"id": ["0042", "42", None]}), tmp_path / "cards.parquet")
    (tmp_path / "ids.csv").write_text("Customer_ID,customer_id\nann,old\ncyn,bob\n,nobody\n", encoding="utf-8")
    wanted = {
        "emails": ListCondition.model_validate(
            {"type": "List", "file": "people.csv", "identifier": "email"}, context=tmp_path
        ),
        "phones": ListCondition.model_validate(
            {"type": "List", "file": "people.csv.gz", "identifier": "phone"}, context=tmp_path
        ),
        "cards": ListCondition.model_validate(
            {"type": "List", "file": "cards.parquet", "identifier": "loyalty_id", "column": "id"}, context=tmp_path
        ),
        "ids": ListCondition.model_validate(
            {"type": "List", "file": "ids.csv", "identifier": "customer_id"}, context=tmp_path
        ),
    }
    profiles = fill(PROFILES, *[{"customer_id": c} for c in ("ann", "bob", "cyn")])
    identifiers = [dict(zip(("customer_id", "id_type", "id_value"), row, strict=True)) for row in KNOWN]
    keys = fill(LOOKUP_KEYS, *[{"kind": "customer_id", "value": old, "customer_id": new} for old, new in FORMER])
    people = People(profiles, fill(CUSTOMER_IDENTIFIERS, *identifiers), former_ids(keys, profiles))

    matched = on_lists(wanted, people, lambda c: read_list(spark, c), "FR").cache()

    on = flags(matched, list(wanted)).collect()
    assert {(row["customer_id"], name) for row in on for name in wanted if row[name]} == {
        ("ann", "emails"), ("bob", "emails"), ("cyn", "emails"), ("ann", "phones"), ("cyn", "cards"), ("bob", "ids"),
    }  # fmt: skip
    # ann twice, bob by two hashes; not his mailbox's other name in clear, nor what is nobody's.
    assert {tuple(row) for row in counts(matched).collect()} == {
        ("emails", 9, 5), ("phones", 4, 3), ("cards", 2, 1), ("ids", 3, 2),
    }  # fmt: skip
    matched.unpersist()


def test_who_was_in_a_segment_is_told_from_before_the_runs_date_alone(fill: Fill) -> None:
    intervals = [
        ("buyers", "ann", date(2026, 1, 1), date(2026, 1, 5)),
        ("buyers", "old", date(2026, 1, 1), date(2026, 1, 2)),
        ("buyers", "cyn", DAY, None),
        ("buyers", "dan", DAY + timedelta(days=1), None),
        ("others", "eve", date(2026, 1, 1), None),
        ("unasked", "fay", date(2026, 1, 1), None),
    ]
    history = fill(
        SEGMENT_HISTORY,
        *[{"segment": s, "customer_id": c, "entered_on": a, "exited_on": b} for s, c, a, b in intervals],
    )
    profiles = fill(PROFILES, *[{"customer_id": c} for c in ("ann", "bob", "cyn")])
    keys = fill(LOOKUP_KEYS, *[{"kind": "customer_id", "value": old, "customer_id": new} for old, new in FORMER])

    found = was_in(history, former_ids(keys, profiles), {"b": "buyers", "o": "others"}, as_of=DAY).collect()

    assert {tuple(row) for row in found} == {("ann", True, False), ("bob", True, False), ("eve", False, True)}


def of(name: str, *conditions: str, more: str = "") -> str:
    return f"name: {name}\nrule: {{type: And, conditions: [{', '.join(conditions)}]}}\n{more}"


def test_facts_decide_on_members_through_the_days(shop: Shop) -> None:  # noqa: F811
    lists = shop.run.config.path / "segments" / "lists"
    query = "SELECT customer_id FROM gold.orders WHERE orders.ordered_on <= :as_of UNION ALL SELECT NULL AS customer_id FROM silver.products;"
    files = {
        "buyers": buyers(2),
        "ever": of("ever", "{type: include, segment: buyers, when: ever}"),
        "before": of("before", "{type: include, segment: buyers, when: before}"),
        "never": of("never", "{type: exclude, segment: buyers, when: ever}"),
        "not_left": of("not_left", "{type: exclude, segment: buyers, when: before}"),
        "known": of("known", "{type: List, file: vip.csv, identifier: email}"),
        "asked": of("asked", f'{{type: Sql, query: "{query}"}}'),
        "unlike": of("unlike", '{type: Sql, query: "SELECT customer_id FROM gold.orders WHERE amuont > 1"}'),
        "through": of("through", "{type: exclude, segment: unlike}"),
        "did": of("did", "{type: Sequence, steps: [{event: A}, {event: B}]}"),
    }
    shop.segments(**files)
    lists.mkdir()
    (lists / "vip.csv").write_text("email\nANN@example.com\nbob@example.com\n", encoding="utf-8")
    shop.people(ann=2, bob=2, cyn=0)
    shop.put(CUSTOMER_IDENTIFIERS, {"customer_id": "ann", "id_type": "email", "id_value": "ann@example.com"})
    order = {"source": "shop", "ordered_at": datetime(2026, 1, 31), "status": "completed"}
    days = [("ann", DAY), ("ann", DAY), ("bob", DAY + timedelta(days=1)), (None, DAY)]
    orders = [{**order, "order_id": str(n), "customer_id": c, "ordered_on": on} for n, (c, on) in enumerate(days)]
    shop.put(CUSTOMER_ORDERS, *orders)
    did = {"customer_id": "cyn", "kind": "event", "occurred_at": datetime(2026, 1, 9)}
    shop.put(TIMELINE, {**did, "event": "A", "reference": "1"}, {**did, "event": "B", "reference": "2"})
    result = shop.on()

    def members() -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for segment, customer in shop.rows(SEGMENT_MEMBERS, "segment", "customer_id"):
            found.setdefault(segment, set()).add(customer)
        return found

    assert members() == {
        "buyers": {"ann", "bob"}, "ever": {"ann", "bob"}, "never": {"cyn"}, "not_left": {"ann", "bob", "cyn"},
        "known": {"ann"}, "asked": {"ann"}, "did": {"cyn"},
    }  # fmt: skip
    assert any("list vip.csv: 1 of 2 are known customers" in note for note in result.notes)
    failed = {line.split(": ")[0]: line for line in result.broken_rules}
    assert failed.keys() == {"segment through", "segment unlike"}
    assert "query: [UNRESOLVED_COLUMN" in failed["segment unlike"]

    two = DAY + timedelta(days=1)
    shop.segments(**{name: files[name] for name in ("buyers", "ever", "before", "never", "not_left")})
    shop.people(ann=2, bob=1, cyn=2)
    for _ in range(2):  # again on the day, and the day is told the same
        shop.on(two)
        assert members() == {
            "buyers": {"ann", "cyn"}, "ever": {"ann", "bob", "cyn"}, "before": {"bob"}, "not_left": {"ann", "cyn"},
        }  # fmt: skip


def test_a_query_that_fails_on_the_data_fails_its_own_segment(shop: Shop) -> None:  # noqa: F811
    query = "SELECT customer_id FROM gold.traits WHERE CAST(customer_id AS int) = 1"
    shop.segments(buyers=buyers(2), failing=of("failing", f'{{type: Sql, query: "{query}"}}'))
    shop.people(ann=2)

    result = shop.on(dry_run=True)

    assert result.notes[0].startswith("buyers: 1 members")
    # Neither the note nor the error names the value.
    assert result.broken_rules == ("segment failing: Spark cannot evaluate the rule: CAST_INVALID_INPUT",)
    assert re.search(r"\bann\b", result.notes[1]) is None


def test_a_list_makes_the_stage_out_of_date_and_what_facts_read_is_among_its_tables(run: Run) -> None:
    folder = run.config.path / "segments"
    (folder / "lists").mkdir(parents=True)
    (folder / "a.yaml").write_text(of("a", "{type: List, file: vip.csv, identifier: email}"), encoding="utf-8")
    (folder / "b.yaml").write_text(
        of("b", '{type: Sql, query: "SELECT customer_id FROM gold.orders"}'), encoding="utf-8"
    )

    def settings(email: str) -> Any:
        (folder / "lists" / "vip.csv").write_text(f"email\n{email}\n", encoding="utf-8")
        return STAGE.settings(run.config)

    assert settings("a@x.fr") == settings("a@x.fr") != settings("b@x.fr")
    assert {"gold.customer_identifiers", "gold.orders"} <= {t.name for t in STAGE.reads(run.config)}
