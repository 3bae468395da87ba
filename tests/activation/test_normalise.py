"""Normalisation and hashes against the platforms' published examples."""

import hashlib
import unicodedata
from collections.abc import Callable

import pytest
from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F

from cdp.activation import normalise as n

VECTORS: list[tuple[Callable[[Column], Column], str, str]] = [
    (n.meta_email, "  USER@Example.com ", "b4c9a289323b21a01c3e940f150eb9b8c542587f1abfd8f0e1cc1ffc5e475514"),
    (
        n.meta_email,
        "Jane.Saoirse+Work@gmail.com",
        "6f0f30b37b9cd7ab345145aa600a4fd1bbb903024880f561b00045d9143db80c",
    ),
    (n.meta_email, "mary@example.com", "f1904cf1a9d73a55fa5de0ac823c4403ded71afd4c3248d00bdcd0866552bb79"),
    (n.google_phone, "+12345678901", "10e6f0b47054a83359477dcb35231db6de5c69fb1816e1a6b98e192de9e5b9ee"),
    (n.meta_phone, "+12345678901", "254aa248acb47dd654ca3ea53f48c2c26d641d23d7e2e93a1ec56258df7674c4"),
    (n.google_phone, "+442079460958", "f0bf0228144d9fe2bdf1da2d8ca698f17bf1410ee688b075c27062e47b6f0b6d"),
    (n.meta_phone, "+442079460958", "35e206e5dec4c89b9e8b71b8c32724a5bb518483ac5a20c6617d738375b3b823"),
    (n.meta_phone, "+15559876543", "1ef970831d7963307784fa8688e8fce101a15685d62aa765fed23f3a2c576a4e"),
    (n.meta_name, "  Mary-Jane ", "f08f448a5e7a9dc3619bb7c129f6a7d5fc6af002cea17ad71dfdc1c68f4d4e0e"),
    (n.google_name, "  Mary-Jane ", "11853b05f2d2ec2cb8124b57ab72ea7cc50501aa485c66b382cf2a967471dab6"),
    (n.meta_name, "O'Brien", "b4cb6cb33fe4b865868de825023a1e2790dc12ac01ecc8d7c5afe8254071c8ba"),
    (n.google_name, "O'Brien", "65b87174be3b1b122e2b0929f0b84888637d31a4a83bb96a860bcff411f5e668"),
    (n.google_name, "Valéry", "08e1996b5dd49e62a4b4c010d44e4345592a863bb9f8e3976219bac29417149c"),
    (n.meta_name, "정", "8fa8cd9c440be61d0151429310034083132b35975c4bea67fdd74158eb51db14"),
    (n.meta_place, "New York", "350c754ba4d38897693aa077ef43072a859d23f613443133fecbbd90a3512ca5"),
    (n.meta_place, "CA", "6959097001d10501ac7d54c0bdb8db61420f658f2922cc26e46d536119a31126"),
]


def evaluated(spark: SparkSession, column: Column) -> object:
    row = spark.range(1).select(column.alias("value")).first()
    assert row is not None
    return row["value"]


def test_the_published_vectors_come_out(spark: SparkSession) -> None:
    hashes = [n.sha256(rule(F.lit(text))).alias(f"v{i}") for i, (rule, text, _) in enumerate(VECTORS)]

    row = spark.range(1).select(*hashes).first()

    assert row is not None
    assert list(row) == [wanted for _, _, wanted in VECTORS]


def test_google_gets_a_gmail_address_in_both_of_its_forms(spark: SparkSession) -> None:
    both = F.array(
        *[n.google_emails(F.lit(e)) for e in ("Jane.Saoirse+Work@gmail.com", "First.Last+news@Company.CO.UK")]
    )

    hashed = evaluated(spark, F.transform(both, lambda forms: F.transform(forms, n.sha256)))

    assert hashed == [
        [
            "6f0f30b37b9cd7ab345145aa600a4fd1bbb903024880f561b00045d9143db80c",  # Customer Match
            "92ee26057ed9dea2535d6c8b141d48373932476599196e00352254896db5888f",  # Data Manager
        ],
        ["b63f0c97d85c911b632351d8dbddb1d688b00db9e61d59a9d9008eb6ce963d50"],
    ]


@pytest.mark.parametrize("empty", [None, "", "  \t", "\u00a0"])
def test_nothing_is_never_hashed(spark: SparkSession, empty: str | None) -> None:
    assert evaluated(spark, n.sha256(F.lit(empty).cast("string"))) is None


def test_what_is_hashed_already_is_kept(spark: SparkSession) -> None:
    digest = hashlib.sha256(b"x").hexdigest()

    assert evaluated(spark, n.sha256(F.lit(digest.upper()))) == digest


def test_a_phone_that_is_not_international_is_not_guessed_at(spark: SparkSession) -> None:
    assert evaluated(spark, n.meta_phone(F.lit("020 7946 0958"))) is None


def test_postal_codes_follow_the_country(spark: SparkSession) -> None:
    codes = [("94035-1234", "US"), ("SW1A 1AA", "GB"), ("75 001", "FR")]

    found = evaluated(
        spark, F.array(*[n.meta_postal_code(F.lit(code), F.lit(country)) for code, country in codes])
    )

    assert found == ["94035", "sw1a1", "75001"]


def test_both_ways_to_write_an_accent_hash_alike(spark: SparkSession) -> None:
    apart = unicodedata.normalize("NFD", "zoë")
    texts = spark.createDataFrame([([apart, None, "b"],), ([],), (None,)], "texts array<string>").repartition(
        1
    )

    rows = texts.select(n.nfc(F.col("texts")).alias("texts")).select(
        "texts", n.sha256(F.get("texts", F.lit(0))).alias("h")
    )

    by_text = {tuple(r["texts"]) if r["texts"] is not None else None: r["h"] for r in rows.collect()}
    wanted = "2752b88686847fa5c86f47b94ce652b7b3f22a91c37617d451a4db9afa431450"
    assert by_text == {("zoë", None, "b"): wanted, (): None, None: None}
