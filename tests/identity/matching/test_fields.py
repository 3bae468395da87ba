"""Fields as text to compare."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from cdp.identity.config import IdentityConfig
from cdp.identity.digests import differing, digests
from cdp.identity.matching.fields import (
    MOST_FIELDS,
    MOST_LETTERS,
    MOST_VALUES,
    STANDARD,
    Chosen,
    Field,
    chosen_fields,
    compared,
    fields_of,
)
from cdp.identity.matching.levels import NAMES
from cdp.tables.silver import IDENTIFIERS_TABLE
from tests.identity.conftest import person, records_frame

_REFUSED = ["phone: not valid"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"flags": _REFUSED, "raw": {"phone": "321-3212"}}, "3213212"),
        ({"flags": _REFUSED, "raw": {"phone": "321-3212"}, "phones": ["+12023213212"]}, "+12023213212"),
        ({"flags": _REFUSED, "raw": {"phone": "000 000 0000"}}, None),
        ({"flags": _REFUSED, "raw": {"phone": "0123456789"}}, None),
        ({"flags": _REFUSED, "raw": {"phone": "911"}}, None),
        ({"flags": _REFUSED, "raw": {}}, None),
        ({"flags": [], "raw": {"phone": "(202) 321-3212"}}, None),
    ],
)
def test_a_number_of_no_country_is_compared_by_its_digits(spark: SparkSession, said: dict[str, Any], expected: str | None):
    phone = next(i for i, field in enumerate(STANDARD) if field.name == "phone")
    row = compared(records_frame(spark, [person("crm:1", "Ann", **said)]), STANDARD).first()

    assert row is not None
    assert row[f"f{phone}"] == expected


def test_a_record_whose_refused_number_is_another_says_something_else(spark: SparkSession):
    days = [
        records_frame(
            spark,
            [
                person("crm:1", "Ann", flags=_REFUSED, raw={"phone": number}),
                person("crm:2", "Bob", flags=_REFUSED, raw={"phone": "555-1234"}),
            ],
        )
        for number in ("321-3212", "321-3213")
    ]
    none = spark.createDataFrame([], IDENTIFIERS_TABLE.schema)
    before, now = (digests(day, none, IdentityConfig()) for day in days)

    node = {row["record_key"]: row["node"] for row in now.collect()}
    assert [row["node"] for row in differing(now, before).collect()] == [node["1"]]


@pytest.mark.parametrize("kind", ["street", "text", "name", "category"])
def test_texts_of_every_script_are_compared_in_latin_letters(spark: SparkSession, kind: str):
    texts = {
        "улица Ленина 5": "ulitsa lenina 5",
        "улица Мира 5": "ulitsa mira 5",
        "Οδός Αθηνάς 12": "odos athinas 12",
        "南京路 5号": "nanjinglu 5hao",
        "شارع النيل ٥": "shr lnyl 5",
        "٥": "5",
        "Gəncə küçəsi": "gence kucesi",
        # Latin texts are as they were
        "12 Rue de l’Église": "12 rue de leglise",
        "C/ Mayor 5, 1º izq.": "c mayor 5 1 izq",
        "Große Straße 7½": "grosse strasse 7",
        "Łódź\u00a0 Ærø nᵒ 7": "lodz aero n 7",
        "—": None,
        " \n": None,
        "": None,
        None: None,
    }
    records = records_frame(spark, [person(f"crm:{i:02}", street=text) for i, text in enumerate(texts)])

    rows = compared(records, [Field("street", kind)], kept=("record_key",)).orderBy("record_key").collect()

    assert [row["f0"] for row in rows] == list(texts.values())


def test_long_values_are_cut_and_codes_that_differ_behind_the_cut_stay_two(spark: SparkSession):
    long, whole = "7" * 10_000, "7" * MOST_LETTERS
    values = [long, long, f"{long}8", whole, "上" * MOST_LETTERS, "上" * (MOST_LETTERS - 1) + "海"]
    records = records_frame(spark, [person(f"crm:{i}", street=value) for i, value in enumerate(values)])
    kinds = [kind for kind in NAMES if kind != "date"]

    rows = compared(records, [Field("street", kind) for kind in kinds], kept=("record_key",)).orderBy("record_key").collect()

    for i, kind in enumerate(kinds):
        cut, again, other, short, native, other_native = (row[f"f{i}"] for row in rows)
        assert max(map(len, (cut, other, native, other_native))) <= MOST_LETTERS, kind
        assert cut == again and short == whole, kind
        if kind not in ("name", "street", "text"):
            assert cut != other and cut != short and native != other_native, kind


def test_of_many_addresses_the_preferred_ones_are_compared(spark: SparkSession):
    addresses = [f"{letter}{n}@x.org" for letter in "ba" for n in range(MOST_VALUES)]
    records = records_frame(spark, [person("crm:1", emails=addresses)])

    row = compared(records, [Field("email", "email")]).first()

    assert row is not None
    assert row["f0"].split("\n") == sorted(addresses[:MOST_VALUES])
def chosen(shares: dict[str, float], config: IdentityConfig, records: int = 100_000) -> tuple[list[str], Chosen]:
    """The names that are compared, where other standard fields are filled by nine records in ten."""
    fields = fields_of(config, [name.removeprefix("identifiers.") for name in shares if name.startswith("identifiers.")])
    found = chosen_fields(fields, [int(records * shares.get(field.name, 0.9)) for field in fields], records, config)
    return [fields[i].name for i in found.places], found


def test_what_tells_people_apart_is_compared_before_what_many_share():
    shares = {
        "street_2": 0.3, "birth_year": 0.05,
        "identifiers.loyalty_id": 0.2, "identifiers.crm_no": 0.9, "identifiers.shop_no": 0.5, "identifiers.tax_no": 0.4,
        "identifiers.passport": 0.005,  # so few have it that an address says more
    }

    names, found = chosen(shares, IdentityConfig())

    assert found.crowded_out == ("birth_year", "gender", "identifiers.passport")
    assert len(names) == MOST_FIELDS and found.too_rare == ()
    assert "not compared: birth_year, gender, identifiers.passport; a comparison holds 15 fields" in found.notes[0]


def test_what_the_configuration_names_is_compared_first_however_few_have_it():
    own = {"comparisons": [{"column": "attributes.size", "kind": "category"}, {"column": "attributes.plate", "kind": "code"}]}
    config = IdentityConfig.model_validate({**own, "blocking": [["street_2_prefix", "gender"]]})
    shares = {"attributes.size": 0.002, "attributes.plate": 0.0001, "street_2": 0.01, "gender": 0.01, "birth_year": 0.9}

    names, found = chosen({**shares, "identifiers.crm_no": 0.9, "identifiers.shop_no": 0.9}, config)

    assert {"attributes.size", "street_2", "gender"} <= set(names)
    assert found.crowded_out == ("region",) and found.too_rare == ("attributes.plate",)
    assert "not compared: attributes.plate; identity.yaml names what fewer than two records" in found.notes[1]


@given(st.lists(st.integers(0, 1000), min_size=20, max_size=20), st.integers(0, 12))
def test_every_field_that_enough_records_have_is_compared_or_told(filled: list[int], configured: int):
    comparisons = [{"column": f"attributes.a{n}", "kind": "category"} for n in range(configured)]
    config = IdentityConfig.model_validate({"comparisons": comparisons})
    fields = fields_of(config, [f"id{n}" for n in range(20 - len(STANDARD))])
    filled = (filled * 2)[: len(fields)]

    found = chosen_fields(fields, filled, 1000, config)

    names = [fields[i].name for i in found.places]
    enough = [field.name for field, records in zip(fields, filled, strict=True) if records >= 2]
    assert sorted([*names, *found.crowded_out]) == sorted(enough)
    assert list(found.places) == sorted(found.places) and len(names) == min(len(enough), MOST_FIELDS)
    own = {c.column for c in config.comparisons}
    assert own & set(enough) <= set(names) and set(found.too_rare) == own - set(enough)
