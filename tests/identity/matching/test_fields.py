"""Fields as text to compare."""

from typing import Any

import pytest
from pyspark.sql import SparkSession

from cdp.identity.config import IdentityConfig
from cdp.identity.digests import differing, digests
from cdp.identity.matching.fields import STANDARD, compared
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
