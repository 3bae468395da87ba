"""Every identifier of every record, of people and of activity alike."""

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cdp.silver.contacts import identifier_form


def identifiers(records: DataFrame, activities: Sequence[DataFrame], default_country: str | None) -> DataFrame:
    """`silver.identifiers`.

    Args:
        records: `silver.customer_records`.
        activities: frames of source, record_key, identifiers and `at`: when they were seen together.
        default_country: country of phone numbers without a country code.
    """
    contact_points = F.concat(
        F.transform("emails", lambda value: F.struct(F.lit("email").alias("id_type"), value.alias("id_value"))),
        F.transform("phones", lambda value: F.struct(F.lit("phone").alias("id_type"), value.alias("id_value"))),
    )
    others = F.transform(
        F.map_entries(identifier_form(F.col("identifiers"), default_country)),
        lambda entry: F.struct(entry["key"].alias("id_type"), entry["value"].alias("id_value")),
    )
    of_records = records.select(
        "source",
        "record_key",
        F.lit("customer_record").alias("record_type"),
        F.inline(F.array_distinct(F.concat(contact_points, others))),
        F.coalesce(F.least("created_at", "updated_at"), "updated_at").alias("first_seen_at"),
        F.col("updated_at").alias("last_seen_at"),
        F.lit(1).cast("bigint").alias("seen_count"),
    )
    seen = []
    for activity in activities:
        # A record of activity in a customer's own row has that record's identifiers, and none of its own.
        own = activity.where(F.col("record_key").startswith("ids:"))
        seen.append(own.select("source", "record_key", F.explode("identifiers").alias("id_type", "id_value"), "at"))
    pairs = seen[0]
    for frame in seen[1:]:
        pairs = pairs.unionByName(frame)
    of_activity = pairs.groupBy("source", "record_key", "id_type", "id_value").agg(
        F.min("at").alias("first_seen_at"), F.max("at").alias("last_seen_at"), F.count("*").alias("seen_count")
    )
    return of_records.unionByName(of_activity.withColumn("record_type", F.lit("activity")))
