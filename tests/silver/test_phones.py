"""Phone numbers are read as libphonenumber reads them, in the country of the record."""

from collections.abc import Callable
from typing import Any

import phonenumbers
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from cdp.silver.phones import _long_way, _short_way, numbers_in, phones_e164
from tests.silver.generated import PHONES

Cleaned = Callable[..., list[dict[str, Any]]]
Rounds = list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]

_READ = {  # text and country of the record; numbers
    ("06 12 34 56 78", "FR"): ["+33612345678"],
    ("+33 (0)6 12 34 56 78", None): ["+33612345678"],
    ("0033 6 12 34 56 78", "FR"): ["+33612345678"],
    ("06.12.34.56.78", "FR"): ["+33612345678"],
    ("020 7946 0018", "GB"): ["+442079460018"],
    ("+44 20 7946 0018", "FR"): ["+442079460018"],
    ("030/12345678", "DE"): ["+493012345678"],
    ("612 34 56 78", "ES"): ["+34612345678"],
    ("(212) 555-0100", "US"): ["+12125550100"],
    ("1-212-555-0100", "US"): ["+12125550100"],
    ("011 33 6 12 34 56 78", "US"): ["+33612345678"],
    ("(212) 555-0100 ext. 7", "US"): ["+12125550100"],
    ("tel: 06 12 34 56 78", "FR"): ["+33612345678"],
    ("06 12 34 56 78 / 01 42 68 53 00", "FR"): ["+33612345678", "+33142685300"],
    ("06 12 34 56 78 ou 01 42 68 53 00", "FR"): ["+33612345678", "+33142685300"],
    ("06 12 34 56 78; 06 12 34 56 78", "FR"): ["+33612345678", "+33612345678"],
    ("٠٦١٢٣٤٥٦٧٨", "FR"): ["+33612345678"],
    ("０６１２３４５６７８", "FR"): ["+33612345678"],
    ("044 668 18 00", "CH"): ["+41446681800"],
    ("03-3234-5678", "JP"): ["+81332345678"],
    ("06 12 34 56 78", None): [],  # nobody knows whose
    ("06 12 34 56", "FR"): [],
    ("0000000000", "FR"): [],
    ("123", "US"): [],
    ("n/a", "FR"): [],
    ("+33 6 12 34 56 78\n", None): ["+33612345678"],
    ("06 12 34 56 78", "XX"): [],
}
_REGIONS = ["FR", "GB", "DE", "ES", "US", "CH", "JP", "XX", None]


def test_numbers_are_read_in_their_country():
    assert {key: numbers_in(*key) for key in _READ} == _READ


def test_a_record_has_its_numbers_once_in_their_order_and_says_what_was_none(cleaned: Cleaned):
    several, none, elsewhere = cleaned(
        {"phone": "06 12 34 56 78", "phones": ["+33612345678", None, " ", "01 42 68 53 00", "12"], "country": "France"},
        {"phone": " ", "country": "FR"},
        {"phone": "044 668 18 00", "country": "Schweiz"},
        default_country="US",
    )

    assert (several["phones"], several["flags"]) == (["+33612345678", "+33142685300"], ["phone: not valid"])
    assert several["raw"]["phone"] == "06 12 34 56 78"
    assert (none["phones"], none["flags"]) == ([], [])
    assert elsewhere["phones"] == ["+41446681800"]


def test_nothing_is_an_array_of_nothing(spark: SparkSession):
    frame = spark.createDataFrame([(1, None), (2, []), (3, [None, ""])], "id int, numbers array<string>")

    assert [r[1] for r in frame.select("id", phones_e164(F.col("numbers"), F.lit("FR"))).collect()] == [[], [], []]


@st.composite
def _written(draw: st.DrawFn) -> tuple[str, str | None]:
    """An example number of some country with some digits changed, in one of the ways people write."""
    region = draw(st.sampled_from(["FR", "GB", "DE", "ES", "US", "CA", "CH", "IT", "JE", "KZ"]))
    kind = draw(st.sampled_from([0, 1, 3, 4, 6, 7]))
    number = phonenumbers.example_number_for_type(region, kind) or phonenumbers.example_number(region)
    form = draw(st.sampled_from([0, 1, 2]))
    text = list(phonenumbers.format_number(number, form))
    for place in draw(st.lists(st.integers(0, len(text) - 1), max_size=3)):
        text[place] = draw(st.sampled_from("0123456789 .-/()"))
    whole = "".join(text)
    if draw(st.booleans()):
        whole = whole.replace("+", "00")
    return whole, draw(st.sampled_from([region, *_REGIONS]))


@settings(max_examples=3000)
@given(_written() | st.tuples(PHONES, st.sampled_from(_REGIONS)))
def test_the_short_way_says_nothing_or_the_same_as_the_long_one(written: tuple[str, str | None]):
    found = _short_way(*written)

    assert found is None or found == _long_way(*written)


def test_numbers_that_went_through_are_left_as_they_are(rounds: Rounds):
    assert [(once["phones"], twice["phones"]) for _, once, twice in rounds if once["phones"] != twice["phones"]] == []
