"""The sample retailer's golden records, against the same rules in plain Python."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cdp.base.lake import Lake
from cdp.base.settings import ConfigFolder
from cdp.gold.config import LISTS, load_settings
from cdp.tables import gold, identity, silver
from tests.end_to_end.conftest import AS_OF, Retailer
from tests.gold.slow import Customer, Record, golden
from tests.gold.test_golden_drawn import shown

END = datetime.fromisoformat(AS_OF) + timedelta(days=1)
MANY, VISITORS = 170, 30


def test_every_golden_attribute_of_200_customers_is_that_of_the_rules_in_plain_python(retailer: Retailer) -> None:
    lake = retailer.lake
    config = load_settings(ConfigFolder(retailer.config)).profiles
    # Those with most to choose from, and some who are known by their identifiers alone.
    by_records = lake.read(gold.PROFILES).orderBy(F.desc("records"), "customer_id").limit(MANY)
    visitors = lake.read(gold.PROFILES).where("records = 0 AND NOT is_anonymous").orderBy("customer_id").limit(VISITORS)
    found = {row["customer_id"]: shown(row) for row in by_records.unionByName(visitors).collect()}
    assert len(found) == MANY + VISITORS

    known = _customers(lake, list(found))
    wanted = {name: golden(known[name], config, END) for name in found}
    assert {name: (row, wanted[name]) for name, row in found.items() if row != wanted[name]} == {}
    # It is no empty promise: there is something to choose from.
    assert sum(len(row["runners_up"]) for row in found.values()) > MANY
    assert {name for row in found.values() for name in row["runners_up"]} >= {"name", "address", *LISTS}


def test_provenance_and_runners_up_point_to_rows_of_the_customer(retailer: Retailer) -> None:
    lake = retailer.lake
    people, key = lake.read(gold.PROFILES), ["customer_id", "source", "record_key"]
    of_values = people.select("customer_id", F.explode("provenance").alias("name", "origin"))
    of_others = people.select("customer_id", F.explode("runners_up").alias("name", "others"))
    of_others = of_others.select("customer_id", F.explode("others").alias("origin"))
    origins = of_values.select("customer_id", "origin.source", "origin.record_key").unionByName(
        of_others.select("customer_id", "origin.source", "origin.record_key")
    )
    rows = [lake.read(t).select("source", "record_key") for t in (silver.CUSTOMER_RECORDS, silver.IDENTIFIERS_TABLE)]
    there = rows[0].unionByName(rows[1]).join(_owners(lake), on=["source", "record_key"], how="inner")
    assert origins.count() > 1000
    assert origins.join(there, on=key, how="left_anti").isEmpty()


def _owners(lake: Lake) -> DataFrame:
    return lake.read(identity.ASSIGNMENTS).where("is_current").select("source", "record_key", "customer_id")


def _customers(lake: Lake, names: list[str]) -> dict[str, Customer]:
    """What silver knows of these customers by the end of the run's date."""
    blocked = {(r["id_type"], r["value_hash"]) for r in lake.read(identity.AUDIT).where("kind = 'blocked_value'").collect()}
    known = {name: Customer() for name in names}

    def rows(table: DataFrame) -> Iterator[tuple[Customer, Record]]:
        owned = table.join(_owners(lake), on=["source", "record_key"], how="inner").where(F.col("customer_id").isin(names))
        return ((known[row["customer_id"]], row.asDict()) for row in owned.collect())

    for who, row in rows(lake.read(silver.CUSTOMER_RECORDS)):
        if min(row["created_at"] or row["updated_at"], row["updated_at"]) < END:
            who.records.append(row)
    for who, row in rows(lake.read(silver.IDENTIFIERS_TABLE)):
        value = row["id_type"], sha256(row["id_value"].encode()).hexdigest()
        if row["first_seen_at"] < END and value not in blocked:
            who.identifiers.append(row)
    for who, row in rows(lake.read(silver.EVENTS)):
        who.events.append(row)
    for who, row in rows(lake.read(silver.CONSENTS)):
        who.consents.append(row)
    return known
