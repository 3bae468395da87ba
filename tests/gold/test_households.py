"""Who shares a home, under several rules."""

import pytest

from cdp.gold.households import households
from cdp.identity.config import HouseholdRule
from cdp.tables.gold import PROFILES
from tests.conftest import Fill

PEOPLE = [
    {"customer_id": "a", "street": "Hauptstraße 5", "postal_code": "10115", "family_name": "Müller", "city": "Berlin"},
    {"customer_id": "b", "street": "hauptstr. 5", "postal_code": "10115", "family_name": "MULLER", "city": "Berlin"},
    {"customer_id": "c", "street": "Hauptstrasse 5", "postal_code": "10115", "family_name": "Meier"},
    {"customer_id": "d", "street": "Hauptstr 55", "postal_code": "10115", "family_name": "Müller"},
    {"customer_id": "e", "street": "Hauptstraße 5", "postal_code": None, "family_name": "Müller"},
    {"customer_id": "f", "street": "-", "postal_code": "10115", "family_name": "Müller"},
    {"customer_id": "g", "street": "-", "postal_code": "10115", "family_name": "Müller"},
]


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        ({}, [(["a", "b"], "Müller")]),
        ({"and": None}, [(["a", "b", "c"], None)]),
        ({"same": ["postal_code"]}, [(["a", "b", "d", "f", "g"], "Müller")]),
    ],
    ids=["address and family name", "all who live there", "another part of the address"],
)
def test_people_who_agree_in_every_field_of_the_rule_share_a_home(
    fill: Fill, rule: dict[str, object], wanted: list[tuple[list[str], str | None]]
) -> None:
    found = households(fill(PROFILES, *PEOPLE), HouseholdRule.model_validate(rule)).collect()

    assert [(row["customer_ids"], row["family_name"]) for row in found] == wanted
    assert [row["size"] for row in found] == [len(members) for members, _ in wanted]
    assert found[0]["street"] == "Hauptstraße 5"  # as the first member writes it
