"""An address has one form, a mailbox one key, and what speaks against an address is said."""

from collections.abc import Callable
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from cdp.silver import emails
from cdp.silver.contacts import identifier_form
from tests.silver.generated import EMAILS, drawn

Cleaned = Callable[..., list[dict[str, Any]]]
Rounds = list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]

_FORMS = {
    "ann@x.fr": "ann@x.fr",
    " Ann.Lee@X.FR ": "ann.lee@x.fr",
    "ann@x.fr\n": "ann@x.fr",
    "\u200bann@x.fr": "ann@x.fr",
    "\u00a0ann@x.fr\u00a0": "ann@x.fr",
    "mailto:Ann@x.fr?subject=Hi": "ann@x.fr",
    "Ann Lee <ann@x.fr>": "ann@x.fr",
    '"Lee, Ann" <ann@x.fr>;': "ann@x.fr",
    "'ann@x.fr'": "ann@x.fr",
    "(ann@x.fr)": "ann@x.fr",
    "ann@x.fr.": "ann@x.fr",
    '"ann.lee"@x.fr': "ann.lee@x.fr",
    '"ann lee"@x.fr': '"ann lee"@x.fr',
    "o'brien+tag@x.co.uk": "o'brien+tag@x.co.uk",
    "a_b-c%d@sub.x.museum": "a_b-c%d@sub.x.museum",
    "josé@x.es": "josé@x.es",
    "ann@münchen.de": "ann@xn--mnchen-3ya.de",
    "ann@XN--MNCHEN-3YA.de": "ann@xn--mnchen-3ya.de",
    "ann@пример.рф": "ann@xn--e1afmkfd.xn--p1ai",
    "ann@straße.de": "ann@straße.de",  # Java would make another domain of it: strasse.de
    f"{'a' * 64}@x.fr": f"{'a' * 64}@x.fr",
    f"{'a' * 65}@x.fr": None,
    f"ann@{'.'.join(['a' * 60] * 5)}.fr": None,  # longer than 254
    "ann": None,
    "ann@x": None,
    "ann@@x.fr": None,
    "ann lee@x.fr": None,
    ".ann@x.fr": None,
    "ann.@x.fr": None,
    "a..n@x.fr": None,
    "ann@-x.fr": None,
    "ann@x-.fr": None,
    "ann@x..fr": None,
    "ann@x.f": None,
    "ann@x.123": None,
    "ann@192.168.0.1": None,
    "@x.fr": None,
    "a@b@x.fr": None,
    "": None,
    " ": None,
}

_KEYS = {
    "ann.lee+shop@gmail.com": "annlee@gmail.com",
    "a.n.n@googlemail.com": "ann@gmail.com",
    "+shop@gmail.com": "+shop@gmail.com",
    "ann.lee+shop@outlook.com": "ann.lee@outlook.com",
    "ann+x@hotmail.co.uk": "ann@hotmail.co.uk",
    "ann+x@me.com": "ann@icloud.com",
    "ann@protonmail.com": "ann@proton.me",
    "ann-shop@yahoo.fr": "ann@yahoo.fr",
    "ann+shop@yahoo.fr": "ann+shop@yahoo.fr",
    "ann.lee+shop@x.fr": "ann.lee+shop@x.fr",  # nobody knows what x.fr makes of it
    "ann+x@notoutlook.com": "ann+x@notoutlook.com",
    "ann+x@outlook.com.evil.org": "ann+x@outlook.com.evil.org",
}

_FLAGS = {
    "ann@x.fr": "",
    "info@x.fr": "role",
    "noreply+7@x.fr": "role",
    "information.desk@x.fr": "",
    "ann@mailinator.com": "disposable",
    "info@mailinator.com": "role disposable",
    "ann@mailinator.com.x.fr": "",
}


def _formed(spark: SparkSession, texts: list[str]) -> list[Any]:
    frame = spark.createDataFrame([(i, text) for i, text in enumerate(texts)], "id int, text string")
    rows = frame.select("id", emails.email_form(F.col("text")).alias("form"), emails._mended(F.col("text")).alias("mended"))
    return sorted(rows.collect())


def test_an_address_has_one_form(spark: SparkSession):
    forms = [row["form"] for row in _formed(spark, list(_FORMS))]

    assert dict(zip(_FORMS, forms, strict=True)) == _FORMS


def test_the_short_way_says_the_same_as_the_long_one(spark: SparkSession):
    texts = [*_FORMS, *_KEYS, *drawn(EMAILS, 800)]

    assert [row for row in _formed(spark, texts) if row["form"] != row["mended"]] == []


def test_the_form_of_a_form_is_itself(spark: SparkSession):
    forms = [row["form"] for row in _formed(spark, drawn(EMAILS, 800)) if row["form"]]

    assert len(forms) > 20
    assert [row["form"] for row in _formed(spark, forms)] == forms


def test_addresses_that_share_a_field_are_told_apart_and_each_counts_once(cleaned: Cleaned):
    (record,) = cleaned({"email": "B@x.fr", "emails": ["a@x.fr; b@x.fr", "nobody", "c@x.fr|d@x.fr", None, " "]})

    assert record["emails"] == ["b@x.fr", "a@x.fr", "c@x.fr", "d@x.fr"]
    assert record["flags"] == ["email: syntax"]


def test_keys_and_flags_stand_at_the_place_of_their_address(cleaned: Cleaned):
    keyed, flagged, none = cleaned({"emails": list(_KEYS)}, {"emails": list(_FLAGS)}, {})

    assert dict(zip(keyed["emails"], keyed["email_keys"], strict=True)) == _KEYS
    assert dict(zip(flagged["emails"], flagged["email_flags"], strict=True)) == _FLAGS
    assert (none["emails"], none["email_keys"], none["email_flags"], none["flags"]) == ([], [], [], [])


def _slow_key(address: str) -> str:
    """The key, provider by provider."""
    local, domain = address.rsplit("@", 1)
    home = emails._SAME.get(domain, domain)
    if domain in ("gmail.com", "googlemail.com"):
        name = local.split("+")[0].replace(".", "")
    elif domain in ("live.com", "me.com", "pm.me", "ya.ru"):
        name = local.split("+")[0]
    elif domain in ("yahoo.co.uk", "ymail.com"):
        name = local.split("-")[0]
    else:
        return address
    return f"{name or local}@{home}"


def test_the_key_is_what_a_walk_over_the_providers_finds(spark: SparkSession):
    domains = ["gmail.com", "googlemail.com", "live.com", "me.com", "pm.me", "yahoo.co.uk", "ymail.com", "x.fr", "ya.ru"]
    locals_ = ["a", "a.b", "a+b", "a.b+c.d", "+a", "-a", "a-b", "a-b+c", "a+b-c", ".+a"]
    addresses = [f"{local}@{domain}" for local in locals_ for domain in domains]
    frame = spark.createDataFrame([(address,) for address in addresses], "address string")

    found = frame.selectExpr("address", f"{emails.email_key('address')} AS key").collect()

    assert {row["address"]: row["key"] for row in found} == {address: _slow_key(address) for address in addresses}


def test_a_key_is_the_key_of_itself(spark: SparkSession):
    frame = spark.createDataFrame([(address,) for address in _KEYS], "address string")

    twice = frame.selectExpr(f"{emails.email_key('address')} AS key").selectExpr("key", f"{emails.email_key('key')} AS again")

    assert twice.where("key != again").collect() == []


def test_addresses_that_went_through_are_left_as_they_are(rounds: Rounds):
    assert [(once["emails"], twice["emails"]) for _, once, twice in rounds if once["emails"] != twice["emails"]] == []
    assert all(len(once["emails"]) == len(once["email_keys"]) == len(once["email_flags"]) for _, once, _ in rounds)


@pytest.mark.parametrize("country", [None, "FR"])
def test_identifiers_take_the_same_forms(spark: SparkSession, country: str | None):
    sent = {"email": "Ann@X.FR", "phone": "06 12 34 56 78", "crm_id": " 7 ", "card": " "}
    frame = spark.createDataFrame([(sent,), ({"email": "nobody"},), (None,)], "ids map<string,string>")

    found = [row[0] for row in frame.select(identifier_form(F.col("ids"), country)).collect()]

    phone = {"phone": "+33612345678"} if country else {}
    assert found == [{"email": "ann@x.fr", "crm_id": "7", **phone}, {}, None]
