"""Everybody is found by whatever they are or were known by."""

import pytest

from cdp.base.errors import UsageError
from cdp.lookup.ask import Asked, address, asked, guessed, is_number, typed_id
from cdp.lookup.find import find
from cdp.lookup.read import Tables
from tests.lookup.conftest import ANNA, EVE, FORMER, JOSE, OTTO, SPLIT, VISITOR


def found(tables: Tables, wanted: Asked) -> list[str]:
    return [match.customer_id for match in find(tables, wanted).matches]


@pytest.mark.parametrize(
    ("kind", "text", "customers"),
    [
        ("email", "Anna <ANNA.Z@gmail.com>;", [ANNA]),
        ("email", "annaz@googlemail.com", [ANNA]),  # dots and the domain's other name mean nothing to Gmail
        ("email", "former@x.org", [ANNA]),
        ("email", "for.mer@x.org", []),  # elsewhere a dot makes another address
        ("email", "family@x.org", [OTTO, EVE]),
        ("phone", "06 12 34 56 78", [ANNA]),
        ("phone", "0033 612-345-678", [ANNA]),
        ("phone", "612 34 56 78", [ANNA, JOSE]),  # the same digits in Spain
        ("phone", "07 12 34 56 78", []),
        ("loyalty_id", "fr 0012", [ANNA]),
        ("loyalty_id", "fr\u00a00012", [ANNA]),  # as copied from a page
        ("crm_id", "1234", [ANNA]),
        ("crm_id", "o'neill", [EVE]),
        ("user_id", "aB", [EVE, OTTO]),
        ("user_id", "ab", [EVE, OTTO]),
        ("anonymous_id", "web-77", [VISITOR]),
        ("loyalty_id", "1234", []),  # another type's
        ("customer_id", ANNA.upper(), [ANNA]),
        ("customer_id", FORMER, [ANNA]),
        ("customer_id", SPLIT, [OTTO, EVE]),
        ("name", "Zimmermann, Anna", [ANNA]),
        ("name", "Ana Zimmerman", [ANNA]),
        ("name", "anna unverwechselbr", [ANNA]),  # a name before marriage
        ("name", "Jose Garcia", [JOSE]),
        ("name", "GARCÍA LOPES", [JOSE]),
        ("name", "A. Zimmermann", [ANNA]),
        ("name", "Pepe Garcia Lopez", [JOSE]),
        ("name", "Zimmrmann", [ANNA]),
        ("name", "AnnaZimmermann", [ANNA]),
        ("name", "Ypsilanti", [EVE, OTTO]),
        ("name", "Karl Ypsilanti", []),
        ("name", "zoe ohara", ["c00000000000000000006"]),
    ],
)  # fmt: skip
def test_who_is_found(tables: Tables, kind: str, text: str, customers: list[str]):
    assert sorted(found(tables, asked(kind, text, option="--x"))) == sorted(customers)


@pytest.mark.parametrize(
    ("typed", "scores"),
    [("aB", [(EVE, 1.0), (OTTO, 0.99)]), ("Ab", [(OTTO, 1.0), (EVE, 0.99)]), ("A-B", [(OTTO, 0.99), (EVE, 0.99)])],
)
def test_who_has_it_as_typed_comes_first_and_hides_nobody(tables: Tables, typed: str, scores: list[tuple[str, float]]):
    assert [(m.customer_id, m.score) for m in find(tables, asked("user_id", typed, option="--id")).matches] == scores


def test_one_mailbox_one_number_and_one_customer_have_no_other_spelling(tables: Tables):
    for kind, text in (("email", "ANNA.Z@gmail.com"), ("phone", "06 12 34 56 78"), ("customer_id", FORMER.upper())):
        assert find(tables, asked(kind, text, option="--x", country="FR" if kind == "phone" else None)).matches[0].score == 1


@pytest.mark.parametrize(
    ("text", "customers"),
    [("anna.z@gmail.com", [ANNA]), ("0612345678", [ANNA, JOSE]), ("FR-0012", [ANNA]), ("1234", [ANNA]), (FORMER, [ANNA]),
     (ANNA, [ANNA]), ("Eve Ypsilanti", [EVE]), ("anonymous_id=web-77", [VISITOR]), ("crm_id=1234", [ANNA])],
)  # fmt: skip
def test_one_box_tells_what_is_meant(tables: Tables, text: str, customers: list[str]):
    assert set(found(tables, guessed(text, option="Search"))) >= set(customers[:1])


def test_a_country_tells_whose_digits_they_are(tables: Tables):
    assert found(tables, asked("phone", "612 34 56 78", option="--phone", country="es")) == [JOSE]
    assert is_number("0612345678", "+33612345678", None) and not is_number("0612345678", "+33612345678", "ES")


@pytest.mark.parametrize(
    ("kind", "text"),
    [("email", "anna"), ("email", " "), ("phone", "12 34"), ("name", "123"), ("name", "x" * 300), ("crm_id", " - "), ("name", "a\x00b")],
)
def test_what_nobody_can_be_found_by_is_refused_without_repeating_it(kind: str, text: str):
    with pytest.raises(UsageError, match=r"^--x: ") as refused:
        asked(kind, text, option="--x")
    assert not text.strip() or text not in str(refused.value)
    with pytest.raises(UsageError, match="wanted TYPE=VALUE"):
        typed_id("1234", option="--id")


def test_an_address_is_taken_out_of_what_stands_around_it():
    typed = ("Anna <Anna@X.org>", "mailto:anna@x.org?subject=hi", " anna@x.org. ", "'anna@x.org'", "<anna@x.org>,")
    assert {address(text) for text in typed} == {"anna@x.org"}
    assert address("anna@bücher.example") == "anna@xn--bcher-kva.example"
