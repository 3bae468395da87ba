"""The groups of an identifier's value, found for all values at once, are those that an obvious way finds one by one."""

from random import Random
from typing import Any, NamedTuple

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from cdp.identity.config import BadValues, IdentityConfig, Policy
from cdp.identity.groups import _grouped_table, described, grouped, learned, node_of
from cdp.identity.people import Described, Who, told_apart
from tests.identity.conftest import person, records_frame

CROWD = 3
"""Given names of one contact point from which it is everybody's, in these tests."""
SMALL = 2
"""`max_cluster_size`: more than twenty records of one value are a crowd."""


class Row(NamedTuple):
    id_type: str
    id_value: str
    source: str
    record_key: str
    who: Who
    seen: int
    refused: str | None
    ids: int


people = st.builds(
    Who,
    st.sampled_from([None, "ann", "anna", "bob", "robert", "carl", "dora"]),
    st.sampled_from([None, "", "smith", "ann smith"]),
    st.sampled_from([None, None, "1980-01-02", "1950-03-04"]),
    st.sampled_from([None, None, "jr"]),
)
rows = st.builds(
    Row,
    st.sampled_from(["email", "phone", "card"]), st.sampled_from(["x", "y"]),
    st.sampled_from(["crm", "shop"]), st.sampled_from("abcdefghijklmn"),
    people, st.integers(1, 9), st.sampled_from([None, None, None, "placeholder"]), st.integers(1, 2),
)  # fmt: skip
tables = st.lists(rows, min_size=1, max_size=60, unique_by=lambda r: r[:4])
policies = st.sampled_from(["ambiguous", "most_recent", "existing"])


@settings(max_examples=300)
@given(tables, policies)
def test_all_values_at_once_are_grouped_as_one_by_one(table: list[Row], policy: Policy):
    config = IdentityConfig.model_validate(
        {
            "shared_identifier_policy": policy,
            "max_cluster_size": SMALL,
            "bad_values": [{"column": c, "distinct": "given_name", "threshold": CROWD} for c in ("email", "phone")],
        }
    )
    ordered = sorted(table)

    found = _grouped_table(_arrow(ordered), config).select(["refused", "hub", "first_hub", "groups"]).to_pylist()

    assert found == [_obvious(row, ordered, policy) for row in ordered]


@settings(max_examples=200)
@given(tables, policies, st.randoms(use_true_random=False))
def test_where_refused_rows_stand_changes_nothing(table: list[Row], policy: Policy, random: Random):
    config = IdentityConfig.model_validate({"shared_identifier_policy": policy, "max_cluster_size": SMALL})
    usable, refused = (sorted(row for row in table if (row.refused is None) == wanted) for wanted in (True, False))
    mixed = list(usable)
    for row in refused:
        mixed.insert(random.randint(0, len(mixed)), row)

    found = _grouped_table(_arrow(mixed), config).to_pylist()

    alone = [*_grouped_table(_arrow(usable), config).to_pylist()] if usable else []
    # Each in a table of its own, as if another task had it.
    alone += [_grouped_table(_arrow([row]), config).to_pylist()[0] for row in refused]
    assert sorted(found, key=repr) == sorted(alone, key=repr)


def test_refused_rows_of_one_value_are_spread_over_the_tasks(spark: SparkSession):
    rows = [("crm", f"{n}", "email", "na@na.com", "placeholder") for n in range(60)]
    rows += [("crm", f"{n}", "phone", "+4912345678", None) for n in range(60)]
    seen = spark.createDataFrame(rows, "source string, record_key string, id_type string, id_value string, refused string")
    at = F.timestamp_micros(F.lit(0))
    seen = seen.withColumns(
        {
            "node": node_of(), "record_type": F.lit("customer_record"), "first_seen_at": at, "last_seen_at": at,
            **{name: F.lit(None).cast("string") for name in Who._fields},
        }
    )  # fmt: skip
    is_adaptive = spark.conf.get("spark.sql.adaptive.enabled")
    spark.conf.set("spark.sql.adaptive.enabled", False)  # so that small partitions stay as they are
    try:
        found = grouped(seen, IdentityConfig()).select("id_type", "hub.record_key", F.spark_partition_id().alias("task")).collect()
    finally:
        spark.conf.set("spark.sql.adaptive.enabled", is_adaptive)

    assert len(found) == len(rows)
    assert {row["record_key"] for row in found if row["id_type"] == "phone"} == {"0"}
    assert {row["record_key"] for row in found if row["id_type"] == "email"} == {None}
    assert len({row["task"] for row in found if row["id_type"] == "phone"}) == 1
    assert len({row["task"] for row in found if row["id_type"] == "email"}) > 1


def _obvious(row: Row, table: list[Row], policy: Policy) -> dict[str, Any]:
    mine = [other for other in table if other[:2] == row[:2]]
    usable = [other for other in mine if other.refused is None]
    said = sorted({_said(other) for other in usable}, key=repr)
    described = []
    for who in said:
        seen = [other.seen for other in usable if _said(other) == who]
        described.append(Described(who, len(seen), min(seen), max(seen)))
    places, groups = told_apart(described, policy) if len(said) > 1 else (told_apart(described, policy)[0], 1)
    too_many = None
    if len(usable) > SMALL * 10:
        too_many = f"on more than {SMALL * 10} records"
    elif row.id_type != "card" and groups > CROWD:
        too_many = f"shared by more than {CROWD} people of different given names"

    def link(other: Row) -> int | None:
        if other.refused or too_many:
            return None
        place = places[said.index(_said(other))]
        if place.group is not None:
            return place.group
        if other.ids > 1:
            return None
        return -1 if place.by_policy is None else place.by_policy

    linked = [other for other in mine if link(other) is not None]
    hubs = [other for other in linked if link(other) == link(row)]
    return {
        "refused": row.refused or too_many,
        "hub": _record(min(hubs, key=_key)) if hubs else None,
        "first_hub": _record(min(linked, key=_key)) if linked and not row.refused else None,
        "groups": 1 if row.refused else groups,
    }


def _said(row: Row) -> Who:
    return Who(None, None, None, None) if row.id_type == "card" else row.who


def _key(row: Row) -> tuple[str, str]:
    return row.source, row.record_key


def _record(row: Row) -> dict[str, Any]:
    return {"source": row.source, "record_key": row.record_key, "node": _node(row)}


def _node(row: Row) -> int:
    return ord(row.record_key) * 2 + (row.source == "shop")


def _arrow(table: list[Row]) -> pa.Table:
    columns: dict[str, list[Any]] = {
        "node": [_node(row) for row in table],
        **{name: [getattr(row, name) for row in table] for name in ("source", "record_key", "id_type", "id_value", "refused", "ids")},
        "record_type": ["customer_record"] * len(table),
        **{name: [getattr(row.who, name) for row in table] for name in Who._fields},
        "is_person": [True] * len(table),
    }
    texts = ("refused", *Who._fields)
    seen = pa.array([row.seen for row in table], pa.timestamp("us", tz="UTC"))
    return pa.table(
        {name: pa.array(values, pa.string()) if name in texts else pa.array(values) for name, values in columns.items()}
        | {"first_seen_at": seen, "last_seen_at": seen}
    )


def test_a_name_in_its_own_script_says_who_somebody_is(spark: SparkSession):
    records = records_frame(
        spark,
        [
            person("crm:1", "Иван", family="Петров", born="1980-01-02", suffix="Jr"),
            person("crm:2", "Jean-Paul", family="D'Été"),
            person("crm:3", "秀英"),
            person("crm:4"),
        ],
    )
    seen = spark.createDataFrame([("crm", key) for key in "12345"], "source string, record_key string")

    found = described(seen, records).orderBy("record_key").collect()

    assert [Who(*(row[name] for name in Who._fields)) for row in found] == [
        Who("ivan", "ivan petrov", "1980-01-02", "jr"),
        Who("jean paul", "dete jean paul", None, None),
        Who("xiuying", "xiuying", None, None),
        Who(None, "", None, None),
        Who(None, None, None, None),  # no customer record
    ]


@pytest.mark.parametrize("field", ["given_name", "middle_name", "native_name"])
def test_names_of_every_script_count_where_too_many_share_a_value(spark: SparkSession, field: str):
    records = records_frame(spark, [person(f"crm:{i}", name) for i, name in enumerate(["Иван", "Мария", "Иван", "Ivan"])])
    records = records.withColumns({"native_name": F.col("given_name"), "middle_name": F.col("given_name")})
    cards = [("crm", "0", "card", "a"), ("crm", "1", "card", "a"), ("crm", "2", "card", "b"), ("crm", "3", "card", "b")]
    seen = spark.createDataFrame(cards, "source string, record_key string, id_type string, id_value string")

    found = learned(seen, records, (BadValues(column="card", distinct=field, threshold=1),))

    assert found is not None
    assert [tuple(row) for row in found.collect()] == [("card", "a", f"shared by more than 1 people of different {field}")]
