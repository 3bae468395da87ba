"""Customer records as sources send them, cleaned in one go."""

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession

from cdp.bronze.produces import CustomerRecord
from cdp.silver.entities import FIELD_TYPES
from cdp.silver.people import customer_records
from tests.silver.generated import COUNTRIES, EMAILS, HALVES, NAMES, PHONES, PLACES, drawn

_MAPS = ("identifiers", "attributes")
_TYPES = {
    field: "map<string,string>" if field in _MAPS else FIELD_TYPES["customer_record"].get(field, "string")
    for field in CustomerRecord.model_fields
    if field not in ("where", "explode", "key")
}
_SCHEMA = ", ".join(["source string", "record_key string", "_updated_at timestamp", *(f"{f} {t}" for f, t in _TYPES.items())])
AT = datetime(2026, 1, 31, 12)

Cleaned = Callable[..., list[dict[str, Any]]]


def candidates(spark: SparkSession, rows: list[dict[str, Any]]) -> DataFrame:
    """Candidates of these fields, in this order by `record_key`; the others are null."""
    data = [("s", f"{i:06}", row.get("_updated_at", AT), *[row.get(f) for f in _TYPES]) for i, row in enumerate(rows)]
    return spark.createDataFrame(data, _SCHEMA)


@pytest.fixture(scope="session")
def cleaned(spark: SparkSession) -> Cleaned:
    """`cleaned({...}, {...}, default_country=None)`: what becomes of candidates with these fields, in their order."""

    def go(*rows: dict[str, Any], default_country: str | None = None) -> list[dict[str, Any]]:
        frame = customer_records(candidates(spark, list(rows)), default_country=default_country)
        return [row.asDict() for row in sorted(frame.collect(), key=lambda row: row["record_key"])]

    return go


_ANY = st.fixed_dictionaries(
    {
        "full_name": st.none() | NAMES,
        "given_name": st.none() | HALVES,
        "middle_name": st.none() | st.text(max_size=24) | st.sampled_from(["Q.", "MARÍA JOSÉ", "van", "Élodie"]),  # no titles
        "family_name": st.none() | HALVES,
        "name_suffix": st.none() | NAMES,
        "email": EMAILS,
        "phone": PHONES,
        "address": st.none() | PLACES,
        "street": st.none() | PLACES,
        "street_2": st.none() | PLACES,
        "city": st.none() | PLACES,
        "region": st.none() | PLACES,
        "postal_code": st.none() | PLACES,
        "country": st.none() | COUNTRIES,
        "birth_date": st.none() | st.dates(date(1, 1, 1), date(9999, 12, 31)),
        "birth_year": st.none() | st.integers(-(2**31), 2**31 - 1),
    }
)


_MANGLED = re.compile("[\u00c2-\u00f4][\u0080-\u00bf]")


@pytest.fixture(scope="session")
def rounds(cleaned: Cleaned) -> list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]:
    """Records of anything at all: as sent, what becomes of them, and what becomes of that when it is sent."""
    sent = drawn(_ANY, 600)
    once = cleaned(*sent)
    again = [{field: record[field] for field in _TYPES if field in record} for record in once]
    # A change of case may bring letters together that read as UTF-8: by chance, and only in texts that nobody writes.
    return [r for r in zip(sent, once, cleaned(*again), strict=True) if not _MANGLED.search(str(r[1]))]
