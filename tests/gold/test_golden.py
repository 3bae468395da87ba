"""The golden record and the identifiers, on a handful of people."""

from collections.abc import Callable
from datetime import date, datetime
from hashlib import sha256
from typing import Any

import pytest
from chispa import assert_df_equality
from pyspark.sql import DataFrame, Row, SparkSession

from cdp.gold.config import ProfilesConfig
from cdp.gold.contacts import contact_signs
from cdp.gold.golden import profiles
from cdp.gold.identifiers import customer_identifiers, seen_identifiers
from cdp.tables.gold import CUSTOMER_IDENTIFIERS, PROFILES, TIMELINE
from cdp.tables.identity import AUDIT
from cdp.tables.silver import CONSENTS, CUSTOMER_RECORDS, EVENTS, IDENTIFIERS_TABLE
from tests.conftest import Fill
from tests.gold.conftest import AS_OF, record

LATER = datetime(2026, 2, 9)


def jan(day: int) -> datetime:
    return datetime(2026, 1, day)


def seen(key: str, id_type: str, value: str, day: int = 1, **more: Any) -> dict[str, Any]:
    kind = "activity" if ":ids:" in key else "customer_record"
    row = {"record_type": kind, "first_seen_at": jan(day), "last_seen_at": jan(day), "seen_count": 1}
    return record(key, id_type=id_type, id_value=value, **{**row, **more})


ANNA = {"full_name": "Anna Smith", "given_name": "Anna", "family_name": "Smith"}
OLD_HOME = {"street": "1 Old Rd", "street_2": "Flat 2", "city": "Bath", "postal_code": "BA1", "country": "GB"}

# By customer, each of whom shows one thing.
RECORDS = {
    "ann": [
        record("crm:a1", **ANNA, **OLD_HOME, emails=["ann@x.uk"], attributes={"tier": "gold", "job": "cook"}, updated_at=jan(1)),
        record("shop:a2", given_name="Ann", city="York", country="GB", emails=["second@x.uk", "ann@x.uk"], language="en",
               attributes={"tier": " ", "job": "chef"}, updated_at=jan(5)),
        record("mail:a3", language=" \n", gender="", emails=["third@x.uk", "aaa@x.uk"], updated_at=jan(9)),
    ],
    "tie": [
        record("crm:t1", gender="F", birth_date=date(1980, 1, 1), updated_at=jan(3)),
        record("shop:t2", gender="M", birth_date=date(1981, 1, 1), updated_at=jan(3)),
        record("mail:t3", gender="F", birth_date=date(1980, 1, 1), updated_at=jan(2)),
    ],
    "changed": [record("crm:c1", given_name="Lea", created_at=jan(7), updated_at=LATER)],
    "later": [record("crm:x1", given_name="Max", updated_at=LATER)],
}  # fmt: skip
IDENTIFIERS = {
    "ann": [
        *(seen("crm:a1", "email", "ann@x.uk", 1), seen("shop:a2", "email", "second@x.uk", 5)),
        *(seen("shop:a2", "email", "ann@x.uk", 5), seen("mail:a3", "email", "aaa@x.uk", 9)),
        *(seen("mail:a3", "email", "third@x.uk", 9), seen("mail:a3", "email", "na@na.com", 9)),
        seen("web:ids:a", "email", "web@x.uk", 20, last_seen_at=LATER, seen_count=4),
    ],
    "visitor": [seen("web:ids:v", "anonymous_id", "v", 2), seen("app:ids:v", "android.idfa", "v", 4)],
    "reader": [seen("mail:ids:r", "email", "r@x.uk", 2)],
    "buyer": [seen("pos:ids:b", "loyalty_id", "77", 2)],
    "nobody": [seen("web:ids:n", "email", "na@na.com", 2)],
    "later": [seen("web:ids:l", "email", "later@x.uk", first_seen_at=LATER, last_seen_at=LATER)],
}

Build = Callable[..., tuple[DataFrame, DataFrame]]


@pytest.fixture(scope="module")
def build(spark: SparkSession, fill: Fill, owners: Callable[..., DataFrame]) -> Build:
    """`build(settings)`: gold.profiles and gold.customer_identifiers."""

    def make(settings: dict[str, Any], *, is_reversed: bool = False) -> tuple[DataFrame, DataFrame]:
        records = [{"emails": [], "attributes": None, **row} for rows in RECORDS.values() for row in rows]
        ids = [row for rows in IDENTIFIERS.values() for row in rows]
        owned = {
            f"{r['source']}:{r['record_key']}": who
            for rows in (RECORDS, IDENTIFIERS)
            for who, group in rows.items()
            for r in group
        }
        order = -1 if is_reversed else 1
        blocked = {"kind": "blocked_value", "id_type": "email", "value_hash": sha256(b"na@na.com").hexdigest()}
        who = owners(owned)
        known = seen_identifiers(fill(IDENTIFIERS_TABLE, *ids[::order]), who, fill(AUDIT, blocked), as_of=AS_OF)
        done = [{"customer_id": "reader", "occurred_at": jan(30), "kind": "event", "event": "Email Opened"}]
        records_ = fill(CUSTOMER_RECORDS, *records[::order])
        config = ProfilesConfig.model_validate(settings)
        signs = contact_signs(fill(EVENTS), fill(CONSENTS), as_of=AS_OF)
        made = profiles(records_, known, signs, fill(TIMELINE, *done), who, config, as_of=AS_OF)
        return made, customer_identifiers(known)

    return make


@pytest.fixture(scope="module")
def people(build: Build) -> dict[str, Row]:
    """The profiles by customer, with the default settings."""
    found, _ = build({})
    return {row["customer_id"]: row for row in found.select([c.name for c in PROFILES.columns]).collect()}


def test_the_most_recent_value_that_is_not_blank_wins(people: dict[str, Row]) -> None:
    assert people["ann"]["language"] == "en"  # newer: a blank
    assert people["ann"]["gender"] is None  # empty everywhere
    assert people["ann"]["attributes"] == {"tier": "gold", "job": "chef"}


def test_a_whole_name_and_a_whole_address_come_before_a_newer_part(people: dict[str, Row]) -> None:
    ann = people["ann"]
    assert (ann["full_name"], ann["given_name"], ann["family_name"]) == ("Anna Smith", "Anna", "Smith")
    assert {name: ann[name] for name in OLD_HOME} == OLD_HOME


def test_provenance_names_record_time_and_strategy(people: dict[str, Row]) -> None:
    crm = ("crm", "a1", jan(1), "most_recent")
    assert people["ann"]["provenance"] == {
        **dict.fromkeys([*ANNA, *OLD_HOME], crm),
        "language": ("shop", "a2", jan(5), "most_recent"),
        "email": ("mail", "a3", jan(9), "best"),
        "attributes.tier": crm,
        "attributes.job": ("shop", "a2", jan(5), "most_recent"),
    }


def test_a_record_s_first_address_comes_first_then_its_others_then_older_records_then_activity(
    people: dict[str, Row],
) -> None:
    assert people["ann"]["emails"] == ["third@x.uk", "aaa@x.uk", "second@x.uk", "ann@x.uk", "web@x.uk"]
    assert people["ann"]["email"] == "third@x.uk"


def test_who_is_known_by_devices_alone_is_anonymous_and_has_no_records(people: dict[str, Row]) -> None:
    def described(name: str) -> tuple[Any, ...]:
        row = people[name]
        return row["records"], row["is_anonymous"], row["email"], row["sources"]

    assert described("visitor") == (0, True, None, ["app", "web"])
    assert described("reader") == (0, False, "r@x.uk", ["mail"])
    assert described("buyer") == (0, False, None, ["pos"])
    assert described("nobody") == (0, True, None, ["web"])  # a placeholder is no e-mail address
    assert described("tie") == (3, False, None, ["crm", "mail", "shop"])


def test_traces_after_the_run_s_date_do_not_count(people: dict[str, Row]) -> None:
    assert "later" not in people
    assert (people["changed"]["given_name"], people["changed"]["first_seen_at"]) == ("Lea", jan(7))
    assert people["changed"]["last_seen_at"] == jan(7)
    assert people["ann"]["last_seen_at"] == jan(20)
    assert (people["reader"]["first_seen_at"], people["reader"]["last_seen_at"]) == (jan(2), jan(30))


def test_records_of_one_instant_are_told_apart_whatever_their_order(build: Build, people: dict[str, Row]) -> None:
    again = {row["customer_id"]: row for row in build({}, is_reversed=True)[0].collect()}
    assert again == people
    assert people["tie"]["gender"] == "M"  # shop, the last by name


def test_each_strategy_chooses_by_its_own_measure(build: Build) -> None:
    settings = {
        "default": "oldest",
        "attributes": {
            "birth_date": "most_frequent",
            "gender": {"strategy": "source_priority", "sources": ["crm", "shop"]},
            "email": {"strategy": "source_priority", "sources": ["crm"]},
            "attributes.job": "most_recent",
        },
    }
    found = {row["customer_id"]: row for row in build(settings)[0].where("customer_id in ('ann', 'tie')").collect()}
    ann, tie = found["ann"], found["tie"]
    assert tie["birth_date"] == date(1980, 1, 1)
    assert tie["provenance"]["birth_date"]["source"] == "crm"  # as frequent, but newer than mail's
    assert tie["gender"] == "F"
    assert ann["language"] == "en"
    assert ann["emails"][0] == "ann@x.uk"
    assert ann["attributes"] == {"tier": "gold", "job": "chef"}
    assert ann["provenance"]["attributes.tier"]["strategy"] == "oldest"
    assert ann["provenance"]["attributes.job"]["strategy"] == "most_recent"


def test_what_was_not_chosen_is_kept_beside_it_with_where_it_came_from(people: dict[str, Row]) -> None:
    def others(who: str, name: str) -> list[tuple[Any, ...]]:
        return [(o["values"], o["source"], o["record_key"], o["at"]) for o in people[who]["runners_up"][name]]

    assert others("ann", "name") == [({"given_name": "Ann"}, "shop", "a2", jan(5))]
    assert others("ann", "address") == [({"city": "York", "country": "GB"}, "shop", "a2", jan(5))]  # as one, too
    assert others("ann", "attributes.job") == [({"attributes.job": "cook"}, "crm", "a1", jan(1))]
    assert [values["email"] for values, *_ in others("ann", "email")] == people["ann"]["emails"][1:]
    assert others("tie", "birth_date")[0][0] == {"birth_date": "1980-01-01"}  # once, though two records say so
    assert "language" not in people["ann"]["runners_up"]
    assert people["reader"]["runners_up"] == {}


def test_identifiers_are_summed_up_over_records_and_blocked_ones_point_to_nobody(
    build: Build, spark: SparkSession
) -> None:
    _, found = build({})
    wanted = [
        (
            *("ann", "email", "ann@x.uk", jan(1), jan(5), 2, ["crm", "shop"], True),
            [("crm", "a1", jan(1), jan(1), True), ("shop", "a2", jan(5), jan(5), True)],
        ),
        ("ann", "email", "web@x.uk", jan(20), jan(20), 4, ["web"], True, []),  # seen again after the run's date
    ]
    expected = spark.createDataFrame(wanted, CUSTOMER_IDENTIFIERS.schema)
    actual = found.where("id_value in ('ann@x.uk', 'web@x.uk', 'na@na.com', 'later@x.uk')")
    assert_df_equality(actual, expected, ignore_row_order=True, ignore_nullable=True, ignore_metadata=True)
