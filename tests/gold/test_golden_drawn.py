"""The golden record of made-up customers, against the same rules in plain Python."""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import strategies as st
from pyspark.sql import DataFrame, Row

from cdp.gold.config import GROUPS, LISTS, ProfilesConfig
from cdp.gold.contacts import contact_signs
from cdp.gold.golden import profiles
from cdp.gold.identifiers import seen_identifiers
from cdp.tables.gold import TIMELINE
from cdp.tables.identity import AUDIT
from cdp.tables.silver import CONSENTS, CUSTOMER_RECORDS, EVENTS, IDENTIFIERS_TABLE
from tests.conftest import Fill
from tests.gold.conftest import AS_OF
from tests.gold.slow import Customer, golden
from tests.silver.generated import drawn

END = datetime(2026, 2, 1)
CUSTOMERS = 150

# Few values each, so that many of them are equal; times up to the last instant of the run's date, and one after it.
TIMES = st.sampled_from([datetime(2026, 1, 1), datetime(2026, 1, 2), END - timedelta(microseconds=1), END])
EARLY = st.sampled_from([datetime(2025, 12, 30), datetime(2026, 1, 1)])
EMAILS, PHONES = ["a@x.fr", "b@x.fr", "c@x.fr"], ["+33612345678", "+442079460018"]
TEXTS = st.sampled_from([None, " ", "\n", "Al", "al", "Bo Li"])
VALUES = st.sampled_from(["9", "10", " 9.0", "1e1", "-3", "x9", "", " ", "café, au lait", "Zo"])
RECORDS = st.fixed_dictionaries(
    {
        **{c: TEXTS for columns in GROUPS.values() for c in columns},
        "birth_date": st.sampled_from([None, date(1980, 2, 1), date(1980, 1, 2)]),
        "emails": st.lists(st.sampled_from(EMAILS), unique=True, max_size=2),
        "email_flags": st.sampled_from([["", ""], ["role", "disposable"], ["role disposable", ""]]),
        "phones": st.lists(st.sampled_from(PHONES), unique=True, max_size=2),
        "attributes": st.none() | st.dictionaries(st.sampled_from(["size", "likes", "job's"]), VALUES, max_size=3),
        "created_at": st.none() | EARLY,
        "updated_at": TIMES,
    }
)
EVENT = st.tuples(
    st.sampled_from(["Email Delivered", "Email Opened", "Email Link Clicked", "Email Bounced", "SMS Rejected", "SMS Delivered"]),
    TIMES,
    st.sampled_from([None, {}, {"bounce_type": "Soft"}, {"bounce_type": "hard"}]),
)
CONSENT = st.tuples(
    st.sampled_from(["email_marketing", "sms_marketing", "profiling"]),
    st.sampled_from(["granted", "denied", "withdrawn"]),
    TIMES,
    st.sampled_from([None, END - timedelta(days=9), END]),
)


def _customer(made: tuple[Any, ...], name: str) -> Customer:
    """A customer of the drawn parts, whose records are told apart by their source and a number."""
    records, seen, events, consents = made
    who = Customer()
    for i, (source, columns) in enumerate(records):
        # Two kinds of keys that the sources share: which of them is greater does not go with the order of the list.
        who.records.append({"source": source, "record_key": f"{name}-{9 - i}", **columns})
    who.records = [r for r in who.records if min(r["created_at"] or r["updated_at"], r["updated_at"]) < END]
    for r in who.records:
        at = {"first_seen_at": min(r["created_at"] or r["updated_at"], r["updated_at"]), "last_seen_at": r["updated_at"]}
        for kind, list_ in LISTS.items():
            who.identifiers += [_identifier(r, "customer_record", kind, value, at) for value in r[list_]]
    for i, (source, kind, value, first, last) in enumerate(seen):
        record = {"source": source, "record_key": f"ids:{name}-{i}"}
        at = {"first_seen_at": first, "last_seen_at": last}
        who.identifiers.append(_identifier(record, "activity", kind, value, at))
    keys = [(i["source"], i["record_key"]) for i in who.identifiers]
    if keys:
        for i, (place, (event, at, properties)) in enumerate(events):
            source, key = keys[place % len(keys)]
            row = {"source": source, "record_key": key, "event_id": f"{name}-{i}", "event": event}
            who.events.append({**row, "occurred_at": at, "properties": properties})
        for i, (place, (purpose, status, at, ends)) in enumerate(consents):
            source, key = keys[place % len(keys)]
            row = {"source": source, "record_key": key, "consent_id": f"{name}-{i}", "purpose": purpose, "status": status}
            who.consents.append({**row, "captured_at": at, "expires_at": ends})
    return who


def _identifier(record: dict[str, Any], record_type: str, kind: str, value: str, at: dict[str, datetime]) -> dict[str, Any]:
    row = {"source": record["source"], "record_key": record["record_key"], "record_type": record_type}
    return {**row, "id_type": kind, "id_value": value, "seen_count": 1, **at}


SOURCES = st.sampled_from(["crm", "shop", "mail"])
PLACES = st.integers(0, 20)
CONTACTS = st.sampled_from([*(("email", e) for e in EMAILS), *(("phone", p) for p in PHONES)])
SEEN = st.tuples(SOURCES, CONTACTS, EARLY, TIMES).map(lambda s: (s[0], *s[1], s[2], max(s[2], s[3])))
PARTS = st.tuples(
    st.lists(st.tuples(SOURCES, RECORDS), max_size=4),
    st.lists(SEEN, max_size=3),
    st.lists(st.tuples(PLACES, EVENT), max_size=5),
    st.lists(st.tuples(PLACES, CONSENT), max_size=3),
)
SETTINGS = {
    "without a file": {},
    "the oldest": {"default": "oldest", "attributes": {"attributes.size": "max", "attributes.likes": "union", "birth_date": "max"}},
    "what most say": {
        "default": "most_frequent",
        "attributes": {"gender": "max", "attributes.likes": {"strategy": "union", "limit": 1}, "email": {"strategy": "best", "limit": 1}},
    },
    "the fullest": {
        "default": "most_complete",
        "attributes": {"birth_date": "min", "attributes.size": "min", "attributes.job's": {"strategy": "union", "separator": "'\\"}},
    },
    "the most trusted": {
        "default": {"strategy": "source_priority", "sources": ["mail", "crm"]},
        "attributes": {"language": "min", "phone": "best", "attributes": "max"},
    },
}


@pytest.fixture(scope="module")
def customers() -> dict[str, Customer]:
    return {f"c{i}": _customer(made, f"c{i}") for i, made in enumerate(drawn(PARTS, CUSTOMERS))}


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=list(SETTINGS))
def test_the_golden_record_is_that_of_the_rules_in_plain_python(
    fill: Fill, owners: Callable[..., DataFrame], customers: dict[str, Customer], settings: dict[str, Any]
) -> None:
    config = ProfilesConfig.model_validate(settings)

    def rows(part: str) -> Iterable[dict[str, Any]]:
        return (row for who in customers.values() for row in getattr(who, part))

    owned = {f"{r['source']}:{r['record_key']}": who for who, c in customers.items() for r in (*c.records, *c.identifiers)}
    who = owners(owned)
    seen = seen_identifiers(fill(IDENTIFIERS_TABLE, *rows("identifiers")), who, fill(AUDIT), as_of=AS_OF)
    signs = contact_signs(fill(EVENTS, *rows("events")), fill(CONSENTS, *rows("consents")), as_of=AS_OF)
    made = profiles(fill(CUSTOMER_RECORDS, *rows("records")), seen, signs, fill(TIMELINE), who, config, as_of=AS_OF)

    found = {row["customer_id"]: shown(row) for row in made.collect()}

    wanted = {name: golden(c, config, END) for name, c in customers.items() if c.records or c.identifiers}
    assert found.keys() == wanted.keys() and len(wanted) > CUSTOMERS / 2
    assert {name: (found[name], row) for name, row in wanted.items() if found[name] != row} == {}
    assert all(sum(kind in row["runners_up"] for row in wanted.values()) > 9 for kind in (*LISTS, "name"))


def shown(row: Row) -> dict[str, Any]:
    """The golden columns of a profile, in the shape of `slow.golden`."""
    columns = [c for group in GROUPS.values() for c in group] + [*LISTS, *LISTS.values(), "attributes"]
    others = {
        name: [(o["values"], o["source"], o["record_key"], o["at"]) for o in values] for name, values in row["runners_up"].items()
    }
    provenance = {name: tuple(origin) for name, origin in row["provenance"].items()}
    return {**{c: row[c] for c in columns}, "provenance": provenance, "runners_up": others}
