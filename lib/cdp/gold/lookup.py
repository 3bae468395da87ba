"""The index by which a customer is found."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cdp.gold.search_keys import bucket_sql, identifier_key_sql, name_keys_sql, phone_key_sql, sounds_sql, words_sql
from cdp.tables.gold import LOOKUP_KEYS


def lookup_keys(identifiers: DataFrame, records: DataFrame, assignments: DataFrame, owners: DataFrame) -> DataFrame:
    """`gold.lookup_keys`: of every identifier, every name of a record, and every customer id that a record had before.

    Args:
        identifiers: `gold.customer_identifiers`.
        records: `silver.customer_records`.
        assignments: `identity.assignments`.
        owners: `owners.current_owners`.
    """
    keyed = _of_identifiers(identifiers).unionByName(_of_names(records, owners)).unionByName(_former_ids(assignments, owners))
    return keyed.withColumn("bucket", F.expr(bucket_sql("key"))).select([c.name for c in LOOKUP_KEYS.columns])


def _of_identifiers(identifiers: DataFrame) -> DataFrame:
    key = f"CASE WHEN id_type = 'phone' THEN {phone_key_sql('id_value')} ELSE {identifier_key_sql('id_value')} END"
    return identifiers.selectExpr("customer_id", "id_type AS kind", "id_value AS value", f"{key} AS key")


def _of_names(records: DataFrame, owners: DataFrame) -> DataFrame:
    whole = "coalesce(full_name_key, nullif(concat_ws(' ', given_name_key, family_name_key), ''))"
    named = records.selectExpr("source", "record_key", f"{whole} AS value").where("value IS NOT NULL")
    owned = named.join(owners, on=["source", "record_key"], how="inner").groupBy("customer_id", "value").count()
    heard = owned.withColumn("words", F.expr(words_sql("value"))).withColumn("sounds", F.expr(sounds_sql("words")))
    keys = heard.withColumn("key", F.explode(F.expr(name_keys_sql("words", "sounds"))))
    return keys.select("customer_id", F.lit("name").alias("kind"), "value", "key")


def _former_ids(assignments: DataFrame, owners: DataFrame) -> DataFrame:
    had = assignments.select("source", "record_key", F.col("customer_id").alias("value"))
    both = had.join(owners, on=["source", "record_key"], how="inner").where("value != customer_id")
    former = both.groupBy("customer_id", "value").count()
    return former.selectExpr("customer_id", "'customer_id' AS kind", "value", f"{identifier_key_sql('value')} AS key")
