"""Signs of wrong customers without truth, pairs worth a look, and what a run would change."""

from datetime import datetime

import pytest
from pyspark.sql import SparkSession

from cdp.identity.config import IdentityConfig, QualityBand
from cdp.identity.preview import examples, preview, summed
from cdp.identity.quality import Check, checks
from cdp.identity.review import review_rows
from cdp.tables.identity import CHANGES, LINKS
from tests.identity.conftest import person, records_frame

MEMBERS = "source string, record_key string, component bigint"


def test_merged_and_split_people_are_counted(spark: SparkSession):
    home = {"street": "1 High Street", "postal_code": "10001"}
    people = [
        *(person(f"crm:{n}", name, family="Low", emails=["all@x.org"]) for n, name in enumerate(["Ann", "Bob", "Eve", "Kim"])),
        person("shop:1", "Max", family="Poe", emails=["max@x.org"], phones=["+331"], **home),
        person("shop:2", "max", family="poe", emails=["MAX@x.org"], **home),
        person("shop:3", "Max", family=None, emails=["max@x.org"]),
    ]
    components = {"crm": [1, 1, 1, 1], "shop": [2, 3, 4]}
    members = [("crm", str(n), c) for n, c in enumerate(components["crm"])]
    members += [("shop", str(n), c) for n, c in enumerate(components["shop"], start=1)]
    config = IdentityConfig(quality={"more than 3 given names": QualityBand(at_most=0, severity="error")})

    found = {
        c.name: c
        for c in checks(records_frame(spark, people), spark.createDataFrame(members, MEMBERS), (1, 100), config)
    }

    assert {name: (c.found, c.out_of) for name, c in found.items()} == {
        "more than 3 given names": (1, 4),
        "more than 3 family names": (0, 4),
        "more than 5 postal codes": (0, 4),
        "same name and e-mail": (1, 5),
        "same name and phone": (0, 1),
        "same name and address": (1, 1),
        "records whose customer changed": (1, 100),
    }
    assert found["more than 3 given names"].status == "orange"  # one may be chance
    assert found["records whose customer changed"].status == "green"


@pytest.mark.parametrize(
    ("found", "out_of", "status"),
    [(0, 0, "green"), (1, 100, "green"), (2, 100, "orange"), (6, 100, "red"), (101, 10_000, "orange"), (132, 10_000, "red")],
)
def test_a_band_is_broken_by_more_than_chance(found: int, out_of: int, status: str):
    check = Check("x", "merged", found, out_of, QualityBand(at_most=0.01, severity="error"))

    assert check.status == status
    assert check.is_broken == (status == "red")


def test_the_most_telling_pair_comes_first(spark: SparkSession):
    def link(left: str, right: str, weight: float, decision: str, rule: str = "comparison"):
        return ("crm", left, "crm", right, rule, weight, 0.5, None, decision, "-")

    links = [
        link("a", "b", 0.0, "review"),
        link("c", "d", 0.0, "review"),  # as open, and decides more pairs
        link("e", "f", -4.0, "review"),
        link("a", "g", 2.0, "accepted"),
        link("b", "g", 9.0, "accepted"),  # beyond doubt
        link("e", "g", 1.0, "refused"),
        link("f", "g", 0.0, "review", rule="email"),
    ]
    members = [("crm", key, n) for n, key in enumerate("abdefg")] + [("crm", "c", 7), ("crm", "c2", 7)]

    rows = review_rows(spark.createDataFrame(links, LINKS.schema), spark.createDataFrame(members, MEMBERS), 0.0).collect()

    told = [(r["place"], r["left_record_key"], r["right_record_key"], r["pairs"]) for r in sorted(rows)]
    assert told == [(1, "c", "d", 2), (2, "a", "b", 1), (3, "a", "g", 1), (4, "e", "f", 1)]
    assert [r["information"] for r in rows][1] == pytest.approx(1.0)


def test_a_preview_counts_ids_and_shows_the_largest(spark: SparkSession):
    def change(kind: str, now: str, before: str, records: int):
        return ("run", 0, datetime(2026, 1, 1), kind, now, before, records, "-")

    changes = [
        change("created", "c9", "c9", 3),
        *(change("merged", "c1", f"c{n}", n) for n in range(2, 9)),
        change("split", "c10", "c1", 4),
        change("split", "c11", "c1", 1),
    ]
    frame = spark.createDataFrame(changes, CHANGES.schema)

    found = summed(frame)

    assert (found.created, found.merged, found.split, found.moved, found.records) == (1, 7, 1, 0, 40)
    lines = preview(found, examples(frame))
    assert "would create 1 customers, merge 7 into others, split 1" in lines[0] and "40 records" in lines[0]
    assert lines[1].startswith("merged: c8 into c1, 8 records")
    assert len(lines) == 1 + 5 + 2
