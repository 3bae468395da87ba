"""Proposals for extracts that others wrote: the sample retailer's, beside its configuration, and public data."""

from pathlib import Path

import pytest

from cdp.base.settings import ConfigFolder
from cdp.bronze.config import SourceConfig, load_sources
from cdp.bronze.describe import describe_extract
from tests.bronze.test_describe import checked, personal, types
from tests.conftest import PROJECT

LANDING = PROJECT / "landing"
SOURCES = sorted(p.stem for p in (PROJECT / "conf" / "sources").glob("*.yaml"))
# What no look at the values can tell: a key that holds of all extracts, that the shop's ids are those of trackers.
OTHER_KEYS = {"campaign_costs": ("day", "campaign")}
OTHER_ENTITIES = {"shop_customers": {"consent"}}  # acceptsMarketing, which counts for nothing there
UNTOLD_PERSONAL = {"shop_customers": {"id"}}


@pytest.fixture(scope="module")
def reference() -> dict[str, SourceConfig]:
    return load_sources(ConfigFolder(PROJECT / "conf"))


@pytest.mark.parametrize("name", SOURCES)
def test_the_sample_retailer_is_described_nearly_as_it_is_configured(
    reference: dict[str, SourceConfig], name: str, tmp_path: Path
):
    if not (LANDING / name).is_dir():
        pytest.skip(f"no extracts at {LANDING / name}; `./spark-submit.sh sample` writes them")
    wanted = reference[name]

    found, _ = checked(tmp_path, describe_extract(LANDING / name))

    assert (found.name, found.format, found.path) == (wanted.name, wanted.format, wanted.path)
    assert (found.options.delimiter, found.options.encoding) == (wanted.options.delimiter, wanted.options.encoding)
    assert found.primary_key == OTHER_KEYS.get(name, wanted.primary_key)
    assert found.occurred_at == wanted.occurred_at
    assert {c.name for c in found.columns} <= {c.name for c in wanted.columns}
    assert personal(wanted) - UNTOLD_PERSONAL.get(name, set()) <= personal(found)
    kinds = [{kind for kind, group in source.produces if group} for source in (found, wanted)]
    assert kinds[0] <= kinds[1] | OTHER_ENTITIES.get(name, set())
    for column in wanted.columns:
        proposal = next((c for c in found.columns if c.name == column.name), None)
        if proposal and not column.type.startswith("struct"):
            plain = [c.type.partition("(")[0].replace("bigint", "int") for c in (proposal, column)]
            assert plain[0] == plain[1], column.name


def test_a_web_shop_s_order_lines_are_understood(public_data: Path, tmp_path: Path):
    found, text = checked(tmp_path, describe_extract(public_data / "retail" / "online_retail" / "online_retail.csv.gz"))

    assert types(found) == {
        "Quantity": ("int", None),
        "InvoiceDate": ("timestamp", None),
        "UnitPrice": ("decimal(12,2)", None),
    }
    assert found.produces.customer_record[0].key == ("CustomerID",)
    assert found.produces.order[0].order_id == found.produces.order_line[0].order_id == "InvoiceNo"
    assert "the first 100,000 rows, not all" in text


@pytest.mark.parametrize(
    ("file", "key", "fields"),
    [
        ("fake_1000/fake_1000.csv", "unique_id", {"given_name": "first_name", "family_name": "surname", "birth_date": "dob"}),
        ("febrl3/dataset3.csv.gz", "rec_id", {"city": "suburb", "birth_date": "try_to_date(date_of_birth, 'yyyyMMdd')"}),
        (
            "senzing_truthset/customers.csv",
            "RECORD_ID",
            {"given_name": "PRIMARY_NAME_FIRST", "family_name": "PRIMARY_NAME_LAST", "street": "ADDR_LINE1"},
        ),
    ],
)
def test_records_of_people_are_understood(public_data: Path, tmp_path: Path, file: str, key: str, fields: dict[str, str]):
    found, _ = checked(tmp_path, describe_extract(public_data / "identity" / file))

    (record,) = found.produces.customer_record
    assert found.primary_key == (key,)
    assert {name: getattr(record, name) for name in fields} == fields


def test_a_word_for_nothing_is_found(public_data: Path, tmp_path: Path):
    found, _ = checked(tmp_path, describe_extract(public_data / "identity" / "rldata10000" / "RLdata10000.tsv"))

    assert (found.options.null_value, found.options.delimiter) == ("NA", "\t")
