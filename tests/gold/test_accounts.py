"""Companies that customers belong to, and what the members of a group did together."""

from datetime import datetime
from decimal import Decimal

from pyspark.sql import DataFrame

from cdp.gold.accounts import accounts
from cdp.gold.config import AccountRule
from cdp.gold.members import with_sums
from cdp.tables.gold import ACCOUNTS, HOUSEHOLDS, PROFILES, TRAITS
from tests.conftest import Fill

RULE = AccountRule()


def test_case_accents_punctuation_and_legal_forms_tell_no_companies_apart(fill: Fill) -> None:
    names = {
        "a": "Müller & Söhne GmbH & Co. KG", "b": "MULLER & SOHNE", "c": "Müller & Söhne",  # one
        "d": "Acme S.A.S.", "e": "acme, Inc.", "f": " Acme", "g": "Acme Bikes Ltd",  # one, and another
        "h": "AG", "i": "G.m.b.H.", "j": " ", "k": "- ", "l": None,  # what is only a legal form is a name; blanks are none
    }  # fmt: skip
    people = [{"customer_id": who, "attributes": {"company": name, "job": "-"}} for who, name in names.items()]
    people.append({"customer_id": "m", "attributes": None})

    found = accounts(fill(PROFILES, *people), RULE, fill(ACCOUNTS)).collect()

    assert {(row["name"], "".join(row["customer_ids"])) for row in found} == {
        ("MULLER & SOHNE", "abc"), ("Acme", "def"), ("Acme Bikes Ltd", "g"), ("AG", "h"), ("G.m.b.H.", "i"),
    }  # fmt: skip
    assert all(row["size"] == len(row["customer_ids"]) for row in found)
    of_job = accounts(fill(PROFILES, *people), AccountRule(name="attributes.job"), fill(ACCOUNTS))
    assert of_job.isEmpty()


def test_what_fills_the_field_is_no_company(fill: Fill) -> None:
    fillers = ["n/a", "N.A.", "-", "None", "no company", "Self-Employed", "Sélf employed", "xxx", "000", "Unknown", "Privat", "aucune"]
    names = [*fillers, "NA Systems", "AAA", "3M", "Nobody Ltd", "None of Us GmbH"]
    people = [{"customer_id": f"c{i}", "attributes": {"company": name}} for i, name in enumerate(names)]

    found = accounts(fill(PROFILES, *people), RULE, fill(ACCOUNTS)).collect()

    assert sorted(row["name"] for row in found) == ["3M", "AAA", "NA Systems", "Nobody Ltd", "None of Us GmbH"]


def test_an_account_keeps_its_id_when_it_is_written_otherwise(fill: Fill) -> None:
    def made(names: dict[str, str], before: DataFrame) -> DataFrame:
        return accounts(fill(PROFILES, *[{"customer_id": w, "attributes": {"company": n}} for w, n in names.items()]), RULE, before)

    first = made({"a": "Acme", "b": "Acme"}, fill(ACCOUNTS))
    renamed = made({"a": "Zeta", "b": "Zeta", "c": "Zeta"}, first)
    assert [r["account_id"] for r in renamed.collect()] == [r["account_id"] for r in first.collect()]


def test_what_members_did_is_summed_up(fill: Fill) -> None:
    early, late = datetime(2025, 1, 1), datetime(2026, 1, 1)
    did = [
        {"customer_id": "a", "orders": 2, "orders_365d": 1, "revenue": Decimal(30), "revenue_365d": Decimal(10),
         "first_order_at": early, "last_order_at": late, "last_active_at": early},
        {"customer_id": "b", "orders": 0, "orders_365d": 0, "revenue": Decimal("-5.5"), "revenue_365d": Decimal("-5.5"),
         "last_active_at": late},
        {"customer_id": "x", "orders": 9, "orders_365d": 9, "revenue": Decimal(99), "revenue_365d": Decimal(99)},
    ]  # fmt: skip
    homes = fill(HOUSEHOLDS, {"household_id": "h", "customer_ids": ["a", "b"], "size": 2})
    groups = homes.select("household_id", "customer_ids", "size", "family_name", "street", "city", "postal_code", "country")

    (row,) = with_sums(groups, fill(TRAITS, *did), "household_id").select([c.name for c in HOUSEHOLDS.columns]).collect()

    assert tuple(row)[8:] == (1, 2, 1, Decimal("24.50"), Decimal("4.50"), early, late, late)
