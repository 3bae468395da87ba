"""A country is known by its codes, and by its names in the languages of Europe."""

from collections.abc import Callable
from typing import Any

import pycountry
from pyspark.sql import SparkSession

from cdp.silver.countries import _codes, country_of

Cleaned = Callable[..., list[dict[str, Any]]]
Rounds = list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]

_KNOWN = {
    "FR": "FR",
    "fr": "FR",
    "FRA": "FR",
    "250": "FR",
    " France ": "FR",
    "FRANKREICH": "FR",
    "Francia": "FR",
    "UK": "GB",
    "U.K.": "GB",
    "England": "GB",
    "Northern Ireland": "GB",
    "Großbritannien": "GB",
    "Royaume-Uni": "GB",
    "U.S.A.": "US",
    "États-Unis": "US",
    "Etats-Unis": "US",
    "EE.UU.": "US",
    "Deutschland": "DE",
    "Německo": "DE",
    "Германия": "DE",
    "Γερμανία": "DE",
    "España": "ES",
    "ESPANA": "ES",
    "Holland": "NL",
    "Schweiz": "CH",
    "Côte d'Ivoire": "CI",
    "Türkiye": "TR",
    "South Korea": "KR",
    "Kosovo": None,  # ISO 3166 has none
    "Frankland": None,
    "XX": None,
    "99": None,
    "-": None,
    "": None,
    None: None,
}


def _found(spark: SparkSession, texts: list[str | None]) -> dict[str | None, str | None]:
    frame = spark.createDataFrame([(text,) for text in texts], "text string")
    return dict(frame.selectExpr("text", f"{country_of('text')} AS code").collect())


def test_countries_are_known_by_code_and_name(spark: SparkSession):
    assert _found(spark, list(_KNOWN)) == _KNOWN


def test_what_the_shelves_hold_is_what_a_plain_map_holds(spark: SparkSession):
    codes: dict[str | None, str | None] = {**_codes()}

    assert len(codes) > 3000
    assert _found(spark, list(codes)) == codes


def test_every_country_is_known_by_all_that_iso_calls_it(spark: SparkSession):
    expected = {
        text: country.alpha_2
        for country in pycountry.countries
        for text in (country.alpha_2, country.alpha_3, country.numeric, country.name, getattr(country, "official_name", None))
        if text
    }

    assert _found(spark, list(expected)) == expected


def test_the_default_is_for_those_that_name_none(cleaned: Cleaned):
    none, unknown, named = cleaned({}, {"country": "Frankland"}, {"country": "Espagne"}, default_country="FR")

    assert [r["country"] for r in (none, unknown, named)] == ["FR", None, "ES"]
    assert (unknown["flags"], unknown["raw"]) == (["country: unknown"], {"country": "Frankland"})


def test_countries_that_went_through_are_left_as_they_are(rounds: Rounds):
    assert [(o["country"], t["country"]) for _, o, t in rounds if o["country"] != t["country"]] == []
    assert {o["country"] for _, o, _ in rounds} <= {None, *(c.alpha_2 for c in pycountry.countries)}
