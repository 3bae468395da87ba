"""What is not plausible is flagged and left out, and what was sent is kept."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from cdp.tables.silver import CUSTOMER_RECORDS

Cleaned = Callable[..., list[dict[str, Any]]]
Rounds = list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]

_BIRTHS = [  # date, year; date, year, flags; records are of 31 January 2026
    (date(1980, 12, 24), None, date(1980, 12, 24), 1980, []),
    (date(1980, 12, 24), 1981, date(1980, 12, 24), 1980, []),
    (None, 1981, None, 1981, []),
    (date(2026, 1, 31), None, date(2026, 1, 31), 2026, []),
    (date(2026, 2, 1), None, None, None, ["birth_date: in the future"]),
    (date(2026, 2, 1), 1981, None, 1981, ["birth_date: in the future"]),
    (date(1899, 12, 31), None, None, None, ["birth_date: placeholder"]),
    (date(1753, 1, 1), None, None, None, ["birth_date: placeholder"]),
    (date(1, 1, 1), None, None, None, ["birth_date: before 1900"]),
    (date(1900, 1, 1), None, None, None, ["birth_date: placeholder"]),
    (date(1970, 1, 1), None, None, None, ["birth_date: placeholder"]),
    (date(1900, 1, 2), None, date(1900, 1, 2), 1900, []),
    (None, 999, None, None, ["birth_year: not plausible"]),
    (None, 2027, None, None, ["birth_year: not plausible"]),
    (None, 0, None, None, ["birth_year: not plausible"]),
    (None, None, None, None, []),
    (date(2070, 10, 10), None, date(1970, 10, 10), 1970, ["birth_date: two-digit year"]),
    (date(2027, 1, 31), None, None, None, ["birth_date: in the future"]),
    (date(2100, 10, 10), None, None, None, ["birth_date: in the future"]),
    (date(1809, 12, 29), None, date(1809, 12, 29), 1809, ["birth_date: before 1900"]),
    (date(999, 12, 31), None, None, None, ["birth_date: before 1900"]),
    (None, 1809, None, 1809, []),
]
_VOCABULARY = {
    *("text: repaired", "name: placeholder", "birth_date: in the future", "birth_date: before 1900"),
    *("birth_date: placeholder", "birth_date: two-digit year", "birth_year: not plausible", "email: syntax", "phone: not valid", "country: unknown"),
    *("postal_code: first zero restored", "postal_code: not of the country"),
}


def test_births_that_are_not_plausible_are_flagged_and_left_out(cleaned: Cleaned):
    records = cleaned(*[{"birth_date": day, "birth_year": year} for day, year, *_ in _BIRTHS])

    assert [(r["birth_date"], r["birth_year"], r["flags"]) for r in records] == [tuple(b[2:]) for b in _BIRTHS]
    assert records[4]["raw"] == {"birth_date": "2026-02-01"}
    assert records[12]["raw"] == {"birth_year": "999"}


def test_what_is_plausible_is_told_by_the_record_s_own_day(cleaned: Cleaned):
    (record,) = cleaned({"birth_date": date(1990, 1, 2), "_updated_at": datetime(1989, 12, 31)})

    assert (record["birth_date"], record["flags"]) == (None, ["birth_date: in the future"])


def test_what_was_sent_is_kept_where_something_else_was_made_of_it(cleaned: Cleaned):
    changed, same = cleaned(
        {"full_name": "DR. ANN LEE", "email": "A@X.FR", "phones": ["06 12 34 56 78"], "country": "France", "city": "PARIS"},
        {"given_name": "Ann", "family_name": "Lee", "email": "a@x.fr", "phone": "+33612345678", "country": "FR", "city": "Paris"},
    )

    assert changed["raw"] == {
        "full_name": "DR. ANN LEE",
        "email": "A@X.FR",
        "phones": "06 12 34 56 78",
        "country": "France",
        "city": "PARIS",
    }
    assert (same["raw"], same["flags"]) == ({}, [])


def test_a_field_that_is_only_filled_is_flagged_and_empty(cleaned: Cleaned):
    unknown, repaired = cleaned({"given_name": "N/A", "family_name": "Lee"}, {"given_name": "RenÃ©e"})

    assert (unknown["given_name"], unknown["flags"], unknown["raw"]) == (None, ["name: placeholder"], {"given_name": "N/A"})
    assert (repaired["given_name"], repaired["flags"]) == ("Renée", ["text: repaired"])
    assert repaired["raw"] == {"given_name": "RenÃ©e"}


def test_a_record_of_nothing_is_a_record_of_nothing(cleaned: Cleaned):
    (record,) = cleaned(dict.fromkeys(("full_name", "email", "phone", "address", "city", "postal_code", "country"), ""))

    empty = {name for name, value in record.items() if value in (None, [], {})}
    assert {c.name for c in CUSTOMER_RECORDS.columns} - empty == {"source", "record_key", "updated_at"}


def test_whatever_is_sent_flags_are_of_the_vocabulary_and_what_was_sent_is_found_again(rounds: Rounds):
    assert {flag for _, once, _ in rounds for flag in once["flags"]} <= _VOCABULARY
    lost = [
        (field, sent[field], once.get(field), once["raw"].get(field))
        for sent, once, _ in rounds
        for field in ("full_name", "given_name", "family_name", "street", "city", "postal_code", "country", "birth_date")
        if sent[field] not in (None, "") and str(sent[field]) not in (str(once[field]), once["raw"].get(field))
    ]
    assert lost == []
