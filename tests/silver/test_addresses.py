"""An address in one line comes apart by the customs of its country; what is not understood stays in the street."""

from collections.abc import Callable
from typing import Any

import pytest

from cdp.silver.postal import patterns

Cleaned = Callable[..., list[dict[str, Any]]]
Rounds = list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]

_LINES = {  # line, country as sent; street, city, region, postal code, country
    ("12 bis rue de la Paix, 75002 Paris", "FR"): ("12 bis rue de la Paix", "Paris", None, "75002", "FR"),
    ("12 rue de la Paix 75002 Paris", "FR"): ("12 rue de la Paix", "Paris", None, "75002", "FR"),
    ("12 rue de la Paix\n75002 PARIS\nFrance", None): ("12 rue de la Paix", "Paris", None, "75002", "FR"),
    ("5 rue du 8 Mai 1945, 59000 Lille Cedex 9", "FR"): ("5 rue du 8 Mai 1945", "Lille Cedex 9", None, "59000", "FR"),
    ("10 Downing Street, London SW1A 2AA", "GB"): ("10 Downing Street", "London", None, "SW1A 2AA", "GB"),
    ("10 Downing Street, London, sw1a2aa, UK", None): ("10 Downing Street", "London", None, "SW1A 2AA", "GB"),
    ("1 High St, Woking, Surrey, GU21 6XX", "GB"): ("1 High St", "Woking", "Surrey", "GU21 6XX", "GB"),
    ("Hauptstraße 5, 10115 Berlin", "DE"): ("Hauptstraße 5", "Berlin", None, "10115", "DE"),
    ("Hauptstr. 5, D-10115 Berlin, Deutschland", None): ("Hauptstr. 5", "Berlin", None, "10115", "DE"),
    ("Calle Mayor 12, 2º B, 28013 Madrid", "ES"): ("Calle Mayor 12, 2º B", "Madrid", None, "28013", "ES"),
    ("C/ Mayor, 12, 28013 Madrid, Madrid", "ES"): ("C/ Mayor, 12", "Madrid", "Madrid", "28013", "ES"),
    ("350 Fifth Ave, New York, NY 10118", "US"): ("350 Fifth Ave", "New York", "NY", "10118", "US"),
    ("350 Fifth Ave, New York, NY 10118-0110, USA", None): ("350 Fifth Ave", "New York", "NY", "10118-0110", "US"),
    ("638 Downey St, Salem, OR", "US"): ("638 Downey St", "Salem", "OR", None, "US"),
    ("638 Downey St, Salem, Oregon", "US"): ("638 Downey St", "Salem", "Oregon", None, "US"),
    ("1 Main St, St Louis MO", "US"): ("1 Main St", "St Louis", "MO", None, "US"),
    ("1 Main St, Port Washington", "US"): ("1 Main St", "Port Washington", None, None, "US"),
    ("500 Fifth Ave, Suite B, Washington", "US"): ("500 Fifth Ave, Suite B", "Washington", None, None, "US"),
    ("Unit 5, Oak Ct", "US"): ("Unit 5", "Oak Ct", None, None, "US"),
    ("Unit 4, Elm Ave NE", "US"): ("Unit 4", "Elm Ave NE", None, None, "US"),
    ("12 Rue X, Come in", "US"): ("12 Rue X", "Come in", None, None, "US"),
    ("12 Rue X, Montréal, Québec", "CA"): ("12 Rue X", "Montréal", "Québec", None, "CA"),
    ("1 Elm St, West Virginia", "US"): ("1 Elm St", "West Virginia", None, None, "US"),
    ("350 Fifth Ave, New York", "US"): ("350 Fifth Ave", "New York", None, None, "US"),
    ("350 Fifth Ave, New York, New York", "US"): ("350 Fifth Ave", "New York", "New York", None, "US"),
    ("Apt 4, 1200 Elm Ave NW", "US"): ("Apt 4, 1200 Elm Ave NW", None, None, None, "US"),
    ("12 Rue X, Montréal QC", "CA"): ("12 Rue X", "Montréal", "QC", None, "CA"),
    ("350 Fifth Ave, New York, NY 10118, New York, NY, 10118", "US"): ("350 Fifth Ave", "New York", "NY", "10118", "US"),
    ("Damrak 1, 1012 LG Amsterdam", "NL"): ("Damrak 1", "Amsterdam", None, "1012 LG", "NL"),
    ("Via Roma 1, 00184 Roma RM, Italia", None): ("Via Roma 1", "Roma RM", None, "00184", "IT"),
    ("Bahnhofstrasse 1, 8001 Zürich", "CH"): ("Bahnhofstrasse 1", "Zürich", None, "8001", "CH"),
    ("12 rue de la Paix, Paris", "FR"): ("12 rue de la Paix", "Paris", None, None, "FR"),
    ("somewhere", "FR"): ("somewhere", None, None, None, "FR"),
}  # fmt: skip

_STREETS = {  # street, country; unit, house number, name
    ("12 rue de la Paix", "FR"): (None, "12", "rue de la Paix"),
    ("12 bis, rue de la Paix", "FR"): (None, "12 bis", "rue de la Paix"),
    ("12B rue de la Paix", "FR"): (None, "12B", "rue de la Paix"),
    ("rue du 8 Mai 1945", "FR"): (None, None, "rue du 8 Mai 1945"),
    ("12 rue de la Paix, Appt 4", "FR"): ("Appt 4", "12", "rue de la Paix"),
    ("12 rue de la Paix Bât. A", "FR"): ("Bât. A", "12", "rue de la Paix"),
    ("Flat 3, 10 High Street", "GB"): ("Flat 3", "10", "High Street"),
    ("10-12 High Street", "GB"): (None, "10-12", "High Street"),
    ("The Old Rectory", "GB"): (None, None, "The Old Rectory"),
    ("Hauptstraße 5a", "DE"): (None, "5a", "Hauptstraße"),
    ("Hauptstr.5", "DE"): (None, "5", "Hauptstr."),
    ("Straße des 17. Juni 135", "DE"): (None, "135", "Straße des 17. Juni"),
    ("Hauptstraße 5-7, 3. OG", "DE"): ("3. OG", "5-7", "Hauptstraße"),
    ("Postfach 12 34", "DE"): (None, None, "Postfach 12 34"),
    ("Calle Mayor 12, 2º B", "ES"): ("2º B", "12", "Calle Mayor"),
    ("Calle Mayor, nº 12", "ES"): (None, "12", "Calle Mayor"),
    ("350 5th Avenue", "US"): (None, "350", "5th Avenue"),
    ("5th Avenue", "US"): (None, None, "5th Avenue"),
    ("350 Fifth Ave Apt 4B", "US"): ("Apt 4B", "350", "Fifth Ave"),
    ("350 Fifth Ave #12", "US"): ("#12", "350", "Fifth Ave"),
    ("12 1/2 Elm St", "US"): (None, "12 1/2", "Elm St"),
    ("Highway 50", "US"): (None, None, "Highway 50"),
    ("PO Box 123", "US"): (None, None, "PO Box 123"),
    ("Damrak 1", "NL"): (None, "1", "Damrak"),
    ("Damrak 1", None): (None, "1", "Damrak"),
    ("1 Elm St", None): (None, "1", "Elm St"),
    ("東京都千代田区1-1", "JP"): (None, None, "東京都千代田区1-1"),
}  # fmt: skip

_CODES = {  # code, country; form, flags
    ("75002", "FR"): ("75002", []),
    ("F-75002", "FR"): ("75002", []),
    ("75 002", "FR"): ("75002", []),
    ("1200", "FR"): ("01200", ["postal_code: first zero restored"]),
    ("1200.0", "FR"): ("01200", ["postal_code: first zero restored"]),
    ("sw1a2aa", "GB"): ("SW1A 2AA", []),
    ("SW1A  2AA", "GB"): ("SW1A 2AA", []),
    ("10115", "DE"): ("10115", []),
    ("D 10115", "DE"): ("10115", []),
    ("8013", "ES"): ("08013", ["postal_code: first zero restored"]),
    ("10118-0110", "US"): ("10118-0110", []),
    ("101180110", "US"): ("10118-0110", []),
    ("1012lg", "NL"): ("1012 LG", []),
    ("00950", "PL"): ("00-950", []),
    ("k1a0b1", "CA"): ("K1A 0B1", []),
    ("SW1A 2AA", "FR"): ("SW1A 2AA", ["postal_code: not of the country"]),
    ("999", "DE"): ("999", ["postal_code: not of the country"]),
    ("999077", "HK"): ("999077", []),  # Hong Kong has none: what is sent is kept
    ("12345", None): ("12345", []),
}  # fmt: skip

_CITIES = {
    "BOULOGNE-SUR-MER": "Boulogne-sur-Mer",
    "paris": "Paris",
    "FRANKFURT AM MAIN": "Frankfurt am Main",
    "STRATFORD-UPON-AVON": "Stratford-upon-Avon",
    "PALMA DE MALLORCA": "Palma de Mallorca",
    "LE HAVRE": "Le Havre",
    "L'HAŸ-LES-ROSES": "L'Haÿ-les-Roses",
    "NY": "NY",
    "New York": "New York",
}


def test_a_line_comes_apart_by_the_customs_of_its_country(cleaned: Cleaned):
    records = cleaned(*[{"address": line, "country": country} for line, country in _LINES])

    found = [(r["street"], r["city"], r["region"], r["postal_code"], r["country"]) for r in records]
    assert dict(zip(_LINES, found, strict=True)) == _LINES


def test_a_street_has_its_unit_number_and_name(cleaned: Cleaned):
    records = cleaned(*[{"street": street, "country": country} for street, country in _STREETS])

    found = [(r["unit"], r["house_number"], r["street_name"]) for r in records]
    assert dict(zip(_STREETS, found, strict=True)) == _STREETS


def test_a_second_line_is_the_unit_where_it_is_nothing_else(cleaned: Cleaned):
    flat, company = cleaned({"street": "10 High St", "street_2": "Flat 3"}, {"street": "10 High St", "street_2": "Acme Ltd"})

    assert (flat["unit"], flat["house_number"], flat["street_2"]) == ("Flat 3", "10", "Flat 3")
    assert (company["unit"], company["street_2"]) == (None, "Acme Ltd")


def test_a_field_of_its_own_is_believed_before_the_line(cleaned: Cleaned):
    (record,) = cleaned({"address": "12 rue de la Paix, 75002 Paris", "city": "Lyon", "country": "FR"})

    assert (record["street"], record["city"], record["postal_code"]) == ("12 rue de la Paix", "Lyon", "75002")
    assert record["raw"]["address"] == "12 rue de la Paix, 75002 Paris"


def test_a_street_that_repeats_the_place_is_the_street_alone(cleaned: Cleaned):
    place = {"city": "New York", "region": "NY", "postal_code": "10118", "country": "US"}
    streets = ["350 Fifth Ave, New York, NY 10118", "350 Fifth Ave, new york 10118", "350 Fifth Ave, Albany, NY 10118", "350 Fifth Ave"]
    records = cleaned(*[{"street": street, **place} for street in streets])

    assert [r["street"] for r in records] == ["350 Fifth Ave", "350 Fifth Ave", "350 Fifth Ave, Albany, NY 10118", "350 Fifth Ave"]


@pytest.mark.parametrize("city", ["New\\E(York", "New\\\\EE(York", "New.York", "New York\\E"])
def test_a_place_is_no_pattern(cleaned: Cleaned, city: str):
    place = {"city": city, "region": "[NY", "postal_code": "10118", "country": "US"}
    streets = [f"350 Fifth Ave, {city}, [NY 10118", "350 Fifth Ave, NewxYork, [NY 10118"]
    records = cleaned(*[{"street": street, **place} for street in streets])

    assert [r["street"] for r in records] == ["350 Fifth Ave", "350 Fifth Ave, NewxYork, [NY 10118"]


def test_a_postal_code_takes_the_form_of_its_country(cleaned: Cleaned):
    records = cleaned(*[{"postal_code": code, "country": country} for code, country in _CODES])

    assert dict(zip(_CODES, [(r["postal_code"], r["flags"]) for r in records], strict=True)) == _CODES


def test_cities_take_capitals_where_they_belong(cleaned: Cleaned):
    records = cleaned(*[{"city": city} for city in _CITIES])

    assert dict(zip(_CITIES, [r["city"] for r in records], strict=True)) == _CITIES


def test_most_countries_have_a_pattern_of_codes():
    assert len(patterns()) > 150


def test_addresses_that_went_through_are_left_as_they_are(rounds: Rounds):
    fields = ("street", "street_2", "city", "region", "postal_code", "country", "unit", "house_number", "street_name")
    changed = [
        (sent["address"], sent["street"], sent["country"], field, once[field], twice[field])
        for sent, once, twice in rounds
        for field in fields
        if once[field] != twice[field]
    ]

    assert changed == []
