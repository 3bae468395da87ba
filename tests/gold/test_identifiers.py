"""Identifiers that a customer has given up, from run to run."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from pyspark.sql import DataFrame

from cdp.gold.identifiers import customer_identifiers, seen_identifiers, with_former
from cdp.tables.gold import CUSTOMER_IDENTIFIERS
from cdp.tables.identity import AUDIT
from cdp.tables.silver import IDENTIFIERS_TABLE
from tests.conftest import Fill
from tests.gold.conftest import record

Step = Callable[[int, dict[str, str], list[dict[str, Any]], DataFrame], DataFrame]


def jan(day: int) -> datetime:
    return datetime(2026, 1, day)


def carried(key: str, id_type: str, value: str, *, made: int, changed: int) -> dict[str, Any]:
    kind = "activity" if ":ids:" in key else "customer_record"
    times = {"first_seen_at": jan(made), "last_seen_at": jan(changed)}
    return record(key, record_type=kind, id_type=id_type, id_value=value, seen_count=1, **times)


@pytest.fixture
def step(fill: Fill, owners: Callable[..., DataFrame]) -> Step:
    """`step(day, owners, identifiers, before)`: gold.customer_identifiers as of a day of January."""

    def run(day: int, who: dict[str, str], identifiers: list[dict[str, Any]], before: DataFrame) -> DataFrame:
        every = with_former(fill(IDENTIFIERS_TABLE, *identifiers), before)
        return customer_identifiers(seen_identifiers(every, owners(who), fill(AUDIT), as_of=date(2026, 1, day)))

    return run


def told(found: DataFrame) -> dict[str, list[tuple[str, bool]]]:
    """By customer, each identifier and whether it is current."""
    by_customer: dict[str, list[tuple[str, bool]]] = {}
    for row in found.orderBy("customer_id", "id_value").collect():
        by_customer.setdefault(row["customer_id"], []).append((row["id_value"], row["is_current"]))
    return by_customer


def test_an_address_that_was_changed_still_finds_its_owner(fill: Fill, step: Step) -> None:
    who = {"crm:1": "ann", "shop:2": "ann", "web:ids:o": "ann"}
    others = [
        carried("shop:2", "phone", "+331", made=1, changed=1),
        carried("web:ids:o", "email", "old@x.uk", made=1, changed=1),  # an old visit does not make it current
    ]
    first = step(1, who, [carried("crm:1", "email", "old@x.uk", made=1, changed=1), *others], fill(CUSTOMER_IDENTIFIERS))
    assert told(first) == {"ann": [("+331", True), ("old@x.uk", True)]}

    after = [carried("crm:1", "email", "new@x.uk", made=1, changed=2), *others]
    second = step(2, who, after, first)
    assert told(second) == {"ann": [("+331", True), ("new@x.uk", True), ("old@x.uk", False)]}
    old = second.where("id_value = 'old@x.uk'").first()
    assert (old["first_seen_at"], old["last_seen_at"], old["seen_count"], old["sources"]) == (jan(1), jan(1), 2, ["crm", "web"])
    assert old["carriers"] == [("crm", "1", jan(1), jan(1), False)]
    # The same day again says the same, and so does the day after.
    again = step(2, who, after, second)
    assert sorted(again.collect()) == sorted(second.collect()) == sorted(step(3, who, after, again).collect())
    # Taken up again it is counted once, as the record's own.
    back = step(4, who, [carried("crm:1", "email", "old@x.uk", made=1, changed=4), *others], second)
    assert told(back) == {"ann": [("+331", True), ("new@x.uk", False), ("old@x.uk", True)]}
    assert back.where("id_value = 'old@x.uk'").first()["seen_count"] == 2


def test_of_two_who_were_one_each_has_what_the_own_records_carried(fill: Fill, step: Step) -> None:
    both = [
        carried("crm:1", "email", "ann@x.uk", made=1, changed=1),
        carried("shop:2", "email", "bob@x.uk", made=1, changed=1),
        carried("crm:1", "phone", "+331", made=1, changed=1),
        carried("shop:2", "phone", "+331", made=1, changed=1),
    ]
    first = step(1, {"crm:1": "one", "shop:2": "one"}, both, fill(CUSTOMER_IDENTIFIERS))
    changed = [carried("crm:1", "email", "a@x.uk", made=1, changed=2), carried("shop:2", "phone", "+331", made=1, changed=1)]
    second = step(2, {"crm:1": "one", "shop:2": "one"}, changed, first)
    assert told(second) == {"one": [("+331", True), ("a@x.uk", True), ("ann@x.uk", False), ("bob@x.uk", False)]}

    parted = step(3, {"crm:1": "one", "shop:2": "bob"}, changed, second)
    assert told(parted) == {
        "one": [("+331", False), ("a@x.uk", True), ("ann@x.uk", False)],
        "bob": [("+331", True), ("bob@x.uk", False)],
    }


def test_nothing_is_left_of_a_record_that_is_gone(fill: Fill, step: Step) -> None:
    rows = [carried("crm:1", "email", "a@x.uk", made=1, changed=1), carried("shop:2", "email", "b@x.uk", made=1, changed=1)]
    first = step(1, {"crm:1": "ann", "shop:2": "ann"}, rows, fill(CUSTOMER_IDENTIFIERS))
    assert told(step(2, {"shop:2": "ann"}, rows[1:], first)) == {"ann": [("b@x.uk", True)]}


def test_what_was_carried_after_the_run_s_date_is_not_known_yet(fill: Fill, step: Step) -> None:
    late = [carried("crm:1", "email", "late@x.uk", made=3, changed=3)]
    first = step(3, {"crm:1": "ann"}, late, fill(CUSTOMER_IDENTIFIERS))
    assert told(step(2, {"crm:1": "ann"}, [], first)) == {}


def test_a_table_of_an_older_layout_remembers_nothing(fill: Fill, step: Step) -> None:
    now = [carried("crm:1", "email", "a@x.uk", made=1, changed=1)]
    older = fill(CUSTOMER_IDENTIFIERS).drop("carriers", "is_current")
    assert told(step(1, {"crm:1": "ann"}, now, older)) == {"ann": [("a@x.uk", True)]}
