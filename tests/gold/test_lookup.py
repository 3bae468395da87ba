"""The index has a key for all that a customer is or was known by."""

from collections.abc import Callable

from pyspark.sql import DataFrame

from cdp.gold.lookup import lookup_keys
from cdp.gold.search_keys import bucket, name_keys
from cdp.tables.gold import CUSTOMER_IDENTIFIERS
from cdp.tables.identity import ASSIGNMENTS
from cdp.tables.silver import CUSTOMER_RECORDS
from tests.conftest import Fill
from tests.gold.conftest import record


def test_identifiers_names_and_former_ids_have_keys(fill: Fill, owners: Callable[..., DataFrame]):
    identifiers = fill(
        CUSTOMER_IDENTIFIERS,
        {"customer_id": "ann", "id_type": "phone", "id_value": "+33612345678"},
        {"customer_id": "ann", "id_type": "loyalty_id", "id_value": "FR-0012"},
    )
    records = fill(
        CUSTOMER_RECORDS,
        {**record("crm:1"), "full_name_key": "anna bo"},
        {**record("shop:1"), "full_name_key": "anna bo"},  # the same name: no second key
        {**record("pos:1"), "given_name_key": "anna", "family_name_key": "bo"},  # no full name: its parts
        {**record("crm:2")},  # nameless
        {**record("crm:9"), "full_name_key": "nobody"},  # not resolved
    )
    assignments = fill(
        ASSIGNMENTS,
        {**record("crm:1"), "customer_id": "old"},
        {**record("shop:1"), "customer_id": "old"},
        {**record("crm:1"), "customer_id": "ann"},
        {**record("crm:8"), "customer_id": "erased"},  # its record is nobody's now
    )

    keys = lookup_keys(identifiers, records, assignments, owners({"crm:1": "ann", "shop:1": "ann", "pos:1": "ann", "crm:2": "bob"}))

    rows = [tuple(row) for row in keys.select("bucket", "key", "kind", "value", "customer_id").collect()]
    expected = {("end:345678", "phone", "+33612345678"), ("id:fr0012", "loyalty_id", "FR-0012"), ("id:old", "customer_id", "old")}
    expected |= {(key, "name", "anna bo") for key in name_keys("anna bo")}
    assert sorted(rows) == sorted((bucket(key), key, kind, value, "ann") for key, kind, value in expected)
