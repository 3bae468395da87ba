"""What each strategy makes of the values of one customer, and which contact point is the best."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from pyspark.sql import DataFrame, Row

from cdp.gold.config import ProfilesConfig
from cdp.gold.contacts import contact_signs
from cdp.gold.golden import profiles
from cdp.gold.identifiers import seen_identifiers
from cdp.tables.gold import TIMELINE
from cdp.tables.identity import AUDIT
from cdp.tables.silver import CONSENTS, CUSTOMER_RECORDS, EVENTS, IDENTIFIERS_TABLE
from tests.conftest import Fill
from tests.gold.conftest import AS_OF, record

Rows = list[dict[str, Any]]
Chosen = Callable[..., dict[str, Row]]


def jan(day: int) -> datetime:
    return datetime(2026, 1, day)


@pytest.fixture
def chosen(fill: Fill, owners: Callable[..., DataFrame]) -> Chosen:
    """`chosen(settings, records, ...)`: profiles by customer; `customers` has those of record keys, all others are Ann's."""

    def make(
        settings: dict[str, Any],
        records: Rows,
        events: Rows = (),
        consents: Rows = (),
        seen: Rows = (),
        customers: dict[str, str] | None = None,
    ) -> dict[str, Row]:
        rows = [{"emails": [], "phones": [], **row} for row in records]
        ids = [
            record(f"{r['source']}:{r['record_key']}", record_type="customer_record", id_type=kind, id_value=value,
                   first_seen_at=r["updated_at"], last_seen_at=r["updated_at"])
            for r in rows
            for kind, values in (("email", r["emails"]), ("phone", r["phones"]))
            for value in values
        ]  # fmt: skip
        ids += seen
        owned = (customers or {}).get
        who = owners({f"{r['source']}:{r['record_key']}": owned(r["record_key"], "ann") for r in (*rows, *ids)})
        known = seen_identifiers(fill(IDENTIFIERS_TABLE, *ids), who, fill(AUDIT), as_of=AS_OF)
        signs = contact_signs(fill(EVENTS, *events), fill(CONSENTS, *consents), as_of=AS_OF)
        config = ProfilesConfig.model_validate(settings)
        found = profiles(fill(CUSTOMER_RECORDS, *rows), known, signs, fill(TIMELINE), who, config, as_of=AS_OF)
        return {row["customer_id"]: row for row in found.collect()}

    return make


def contact(key: str, email: str, day: int, **more: Any) -> dict[str, Any]:
    return record(key, emails=[email], updated_at=jan(day), **more)


def event(source: str, name: str, day: int, **properties: str) -> dict[str, Any]:
    return {"source": source, "event": name, "occurred_at": jan(day), "properties": properties}


def consent(source: str, status: str, day: int, **more: Any) -> dict[str, Any]:
    row = {"source": source, "purpose": "email_marketing", "status": status, "captured_at": jan(day)}
    return {**row, **more}


def test_the_least_the_greatest_the_fullest_and_all_together(chosen: Chosen) -> None:
    home = {"street": "1 Rd", "city": "Bath"}
    records = [
        record("crm:1", birth_date=date(1980, 2, 1), gender="f", **home, postal_code="BA1", updated_at=jan(1),
               attributes={"shoe": "9", "since": "2019", "code": "9", "likes": "tea", "note": "a longer note"}),
        record("shop:2", birth_date=date(1979, 1, 1), gender="female", **home, updated_at=jan(2),
               attributes={"shoe": "10", "since": "1e3", "code": "10", "likes": "chess", "note": "short "}),
        record("web:3", birth_date=date(1981, 1, 1), gender=" ", updated_at=jan(3),
               attributes={"shoe": "9.50", "since": " 20 ", "code": "x1", "likes": "tea", "note": "n"}),
        record("pos:4", updated_at=jan(4), attributes={"likes": "go", "shoe": ""}),
    ]  # fmt: skip
    own = {"shoe": "max", "since": "min", "code": "max", "note": "most_complete", "likes": {"strategy": "union", "limit": 2}}
    settings = {
        "birth_date": "min", "gender": "most_complete", "address": "most_complete", **{f"attributes.{k}": v for k, v in own.items()}
    }  # fmt: skip
    found = chosen({"attributes": settings}, records)["ann"]

    assert (found["birth_date"], found["gender"], found["postal_code"]) == (date(1979, 1, 1), "female", "BA1")
    # 10 is more than 9.5, and 1e3 less than 2019 but more than 20; where one is no number, x1 comes after 9 and 10.
    assert found["attributes"] == {"shoe": "10", "since": " 20 ", "code": "x1", "note": "a longer note", "likes": "go, tea"}
    assert found["provenance"]["attributes.likes"] == ("pos", "4", jan(4), "union")
    others = {name: [next(iter(o["values"].values())) for o in found["runners_up"][name]] for name in found["runners_up"]}
    assert others["birth_date"] == ["1980-02-01", "1981-01-01"]  # the next least first
    assert others["attributes.shoe"] == ["9.50", "9"]
    assert others["attributes.likes"] == ["chess"]  # what the limit left out


def test_a_longer_list_of_runners_up_ends_after_ten(chosen: Chosen) -> None:
    records = [record(f"crm:{i:02}", gender=f"g{i:02}", updated_at=jan(1 + i)) for i in range(13)]
    found = chosen({}, records)["ann"]
    assert found["gender"] == "g12"
    assert [o["values"]["gender"] for o in found["runners_up"]["gender"]] == [f"g{i:02}" for i in range(11, 1, -1)]


# By what they show: the address that wins of old@ (crm, of the first) and new@ (shop, of the ninth), with what was seen of
# them. All are looked at by one query, as customers of these names.
CASES: dict[str, tuple[str, Rows, Rows]] = {
    "time": ("new", [], []),
    "a click": ("old", [event("crm", "Email Link Clicked", 3)], []),
    "the later open": ("new", [event("crm", "Email Opened", 3), event("shop", "Email Opened", 4)], []),
    "that it arrives is no interest": ("new", [event("crm", "Email Delivered", 3)], []),
    "permission before interest": ("old", [event("shop", "Email Opened", 2)], [consent("crm", "granted", 1)]),
    "a withdrawal": ("new", [event("crm", "Email Opened", 2)], [consent("crm", "granted", 1), consent("crm", "withdrawn", 2)]),
    "a refusal": ("old", [], [consent("shop", "denied", 2)]),
    "at once, against": ("new", [], [consent("crm", "granted", 1), consent("crm", "denied", 1)]),
    "an ended grant": ("new", [], [consent("crm", "granted", 1, expires_at=jan(31))]),
    "a grant not yet given": ("new", [], [consent("crm", "granted", 1, captured_at=datetime(2026, 2, 1))]),
    "a grant for something else": ("new", [], [consent("crm", "granted", 1, purpose="sms_marketing")]),
    "a bounce, whatever was granted": ("old", [event("shop", "Email Bounced", 3, bounce_type="hard")], [consent("shop", "granted", 1)]),
    "a bounce of no kind": ("old", [event("shop", "Email Bounced", 3)], []),
    "a soft bounce": ("new", [event("shop", "Email Bounced", 3, bounce_type="Soft Bounce")], []),
    "a bounce that is over": ("new", [event("shop", "Email Bounced", 3), event("shop", "Email Delivered", 4)], []),
}  # fmt: skip


def test_the_best_address_is_one_that_arrives_then_allowed_then_read_then_new(chosen: Chosen) -> None:
    def of(case: str, rows: Rows) -> Rows:
        return [{**row, "record_key": case} for row in rows]

    records = [row for case in CASES for row in of(case, [contact("crm:-", "old@x.uk", 1), contact("shop:-", "new@x.uk", 9)])]
    events = [row for case, (_, seen, _) in CASES.items() for row in of(case, seen)]
    consents = [row for case, (*_, said) in CASES.items() for row in of(case, said)]

    found = chosen({}, records, events, consents, customers={case: case for case in CASES})

    assert {case: row["email"] for case, row in found.items()} == {case: f"{first}@x.uk" for case, (first, *_) in CASES.items()}
    assert {tuple(sorted(row["emails"])) for row in found.values()} == {("new@x.uk", "old@x.uk")}  # no other is lost


def test_what_cannot_be_reached_never_wins_whatever_the_strategy(chosen: Chosen) -> None:
    records = [
        contact("crm:1", "bin@x.uk", 1, email_flags=["role disposable"]),
        contact("shop:2", "own@x.uk", 2, phones=["+331", "+332"]),
    ]
    rejected = record("web:ids:p", event_id="r", event="SMS Rejected", occurred_at=jan(5))
    seen = [record("web:ids:p", record_type="activity", id_type="phone", id_value="+331")]
    settings = {"default": "oldest", "attributes": {"email": {"strategy": "oldest", "limit": 1}}}
    found = chosen(settings, records, [rejected], seen=seen)["ann"]
    assert (found["email"], found["emails"]) == ("own@x.uk", ["own@x.uk"])
    assert [o["values"] for o in found["runners_up"]["email"]] == [{"email": "bin@x.uk"}]
    assert found["phones"] == ["+332", "+331"]
