"""Who shares a home, under several rules."""

import pytest
from pyspark.sql import DataFrame

from cdp.gold.households import households
from cdp.identity.config import HouseholdRule
from cdp.tables.gold import HOUSEHOLDS, PROFILES
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
    found = households(fill(PROFILES, *PEOPLE), HouseholdRule.model_validate(rule), fill(HOUSEHOLDS)).collect()

    assert [(row["customer_ids"], row["family_name"]) for row in found] == wanted
    assert [row["size"] for row in found] == [len(members) for members, _ in wanted]
    assert found[0]["street"] == "Hauptstraße 5"  # as the first member writes it


def test_a_household_keeps_its_id_through_moves_and_partings(fill: Fill) -> None:
    def homes(streets: dict[str, str], before: DataFrame) -> DataFrame:
        people = [
            {"customer_id": who, "street": street, "postal_code": "10115", "family_name": "Meier"} for who, street in streets.items()
        ]
        return households(fill(PROFILES, *people), HouseholdRule(), before)

    def members(found: DataFrame) -> dict[str, tuple[str, ...]]:
        return {row["household_id"]: tuple(row["customer_ids"]) for row in found.collect()}

    first = homes({"a": "Old 1", "b": "Old 1", "c": "Old 1", "d": "Old 1"}, fill(HOUSEHOLDS))
    ((old, _),) = members(first).items()
    # Three move and one marries in; strangers of the same name move in behind them.
    moved = homes({"a": "New 2", "b": "New 2", "c": "New 2", "d": "Far 3", "m": "New 2", "x": "Old 1", "y": "Old 1"}, first)
    assert members(moved)[old] == ("a", "b", "c", "m") and len(members(moved)) == 2
    # They part, two and two: one of the pairs keeps the id, the same one however often it is asked.
    parted = homes({"a": "New 2", "b": "New 2", "c": "Far 4", "m": "Far 4", "x": "Old 1", "y": "Old 1"}, moved)
    assert len(members(parted)) == 3 and old in members(parted)
    assert members(parted) == members(homes({"m": "Far 4", "c": "Far 4", "b": "New 2", "a": "New 2", "y": "Old 1", "x": "Old 1"}, moved))
    # Both join again under one roof: one id, and no new one.
    again = homes({"a": "New 2", "b": "New 2", "c": "New 2", "m": "New 2", "x": "Old 1", "y": "Old 1"}, parted)
    assert set(members(again)) <= set(members(parted)) and len(members(again)) == 2
