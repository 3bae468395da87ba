"""Names keep their accents, lose their titles and shouting, and are taken apart as people read them."""

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from cdp.silver.contacts import email_form, phones_e164
from cdp.silver.countries import country_code
from cdp.silver.names import cased, parts_of, suffix_of, without_title


def _one(spark: SparkSession, value: str | None, expression: object) -> object:
    return spark.createDataFrame([(value,)], "text string").select(expression).first()[0]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("MARIE-CLAIRE", "Marie-Claire"),
        ("o'brien", "O'Brien"),
        ("McDonald", "McDonald"),
        ("élodie", "Élodie"),
        ("X", "X"),
        (None, None),
    ],
)
def test_case_is_put_right_only_where_it_was_all_one(spark: SparkSession, text: str | None, name: str | None):
    assert _one(spark, text, cased(F.col("text"))) == name


@pytest.mark.parametrize(
    ("text", "name"), [("Mr. John Smith", "John Smith"), ("Frau Anna", "Anna"), ("Drew Mrozek", "Drew Mrozek"), ("  ", None)]
)
def test_titles_are_left_out_and_names_that_look_like_them_kept(spark: SparkSession, text: str, name: str | None):
    assert _one(spark, text, without_title(F.col("text"))) == name


@pytest.mark.parametrize(
    ("text", "parts"),
    [("John Smith", ("John", "Smith")), ("Smith, John Q", ("John Q", "Smith")), ("Cher", (None, "Cher"))],
)
def test_a_whole_name_is_taken_apart(spark: SparkSession, text: str, parts: tuple[str | None, str]):
    given, family = parts_of(F.col("text"))

    assert tuple(_one(spark, text, F.struct(given.alias("g"), family.alias("f")))) == parts


@pytest.mark.parametrize(("text", "suffix"), [("Smith Jr.", "Jr"), ("Smith, III", "III"), ("Junior", None), ("Smith", None)])
def test_suffixes_are_found_behind_a_name(spark: SparkSession, text: str, suffix: str | None):
    assert _one(spark, text, suffix_of(F.col("text"))) == suffix


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (" A.B+c@Example.COM ", "a.b+c@example.com"),
        ("mailto:a@b.fr", "a@b.fr"),
        ("a@b", None),
        ("a b@c.fr", None),
        ("a@b.fr\n@c.fr", None),
        (".a@b.fr", None),
        ("a@@b.fr", None),
        ("", None),
        (None, None),
    ],
)
def test_addresses_are_in_one_form_or_none(spark: SparkSession, text: str | None, address: str | None):
    assert _one(spark, text, email_form(F.col("text"))) == address


@pytest.mark.parametrize(
    ("text", "code"), [("fr", "FR"), ("GBR", "GB"), ("United Kingdom", "GB"), ("España", "ES"), ("Atlantis", None), (None, None)]
)
def test_countries_become_codes(spark: SparkSession, text: str | None, code: str | None):
    assert _one(spark, text, country_code(F.col("text"))) == code


def test_phones_are_understood_by_their_country_and_left_out_otherwise(spark: SparkSession):
    rows = [
        (1, ["020 7946 0958", "+44 20 7946 0958", "0000000000", None, "+1 212 555 2368 ext. 7"], "GB"),
        (2, ["06 12 34 56 78"], None),
        (3, None, "FR"),
        (4, ["0049 (0)30 1234567"], "DE"),
    ]
    frame = spark.createDataFrame(rows, "id int, numbers array<string>, country string")

    found = frame.select("id", phones_e164("numbers", "country").alias("found")).collect()

    assert {row["id"]: row["found"] for row in found} == {
        1: ["+442079460958", "+12125552368"],
        2: [],
        3: [],
        4: ["+49301234567"],
    }
