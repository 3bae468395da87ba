"""Customer records: one shape for what every source says of a person."""

from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from cdp.silver.contacts import email_form, phones_e164
from cdp.silver.countries import country_code
from cdp.silver.names import cased, parts_of, suffix_of, tidy, without_suffix, without_title

_OLDEST = date(1900, 1, 2)  # 1 January 1900 and before is what systems write for "unknown"
_RAW = ("full_name", "given_name", "family_name", "email", "phone", "birth_date", "country", "postal_code")


def newest_records(candidates: DataFrame) -> DataFrame:
    """The newest candidate of each record, where several rows of a source speak of one person.

    Identifiers and attributes of older rows are not lost: the maps are joined, newer values winning.
    """
    order = ["_updated_at", "_file_modified_at", "_file", "_file_row", "_position"]
    newest = Window.partitionBy("source", "record_key").orderBy(*[F.col(c).desc() for c in order])
    return candidates.withColumn("_version", F.row_number().over(newest)).where("_version = 1").drop("_version")


def customer_records(candidates: DataFrame, *, default_country: str | None) -> DataFrame:
    """`silver.customer_records` from the newest candidates.

    Args:
        candidates: fields of a customer_record, `source`, `record_key`, `_updated_at`.
        default_country: country of records that name none.
    """
    nothing = F.array().cast("array<string>")
    rows = candidates.select("*", *_name_columns(), country_code(F.col("country")).alias("_country"))
    sent_emails = F.concat(F.array("email"), F.coalesce("emails", nothing))
    sent_phones = F.array_compact(F.concat(F.array("phone"), F.coalesce("phones", nothing)))
    emails = F.array_distinct(F.array_compact(F.transform(sent_emails, email_form)))
    phones = phones_e164(sent_phones, F.coalesce("_country", F.lit(default_country)))
    plausible = F.col("birth_date").between(F.lit(_OLDEST), F.to_date("_updated_at"))
    birth_date = F.when(plausible, F.col("birth_date"))
    birth_year = F.coalesce(F.year(birth_date), F.when(F.col("birth_year") >= _OLDEST.year, F.col("birth_year")))
    empty = F.create_map().cast("map<string,string>")
    return rows.select(
        "source",
        "record_key",
        F.coalesce("_full", F.nullif(F.concat_ws(" ", "_given", "_middle", "_family"), F.lit(""))).alias("full_name"),
        F.col("_given").alias("given_name"),
        F.col("_middle").alias("middle_name"),
        F.col("_family").alias("family_name"),
        F.col("_suffix").alias("name_suffix"),
        tidy(F.col("native_name")).alias("native_name"),
        birth_date.alias("birth_date"),
        birth_year.alias("birth_year"),
        tidy(F.col("gender")).alias("gender"),
        emails.alias("emails"),
        phones.alias("phones"),
        tidy(F.coalesce("street", "address")).alias("street"),
        *[tidy(F.col(name)).alias(name) for name in ("street_2", "city", "region")],
        F.upper(tidy(F.col("postal_code"))).alias("postal_code"),
        F.coalesce("_country", F.lit(default_country)).alias("country"),
        tidy(F.col("language")).alias("language"),
        F.coalesce("identifiers", empty).alias("identifiers"),
        "attributes",
        _raw(rows).alias("raw"),
        "created_at",
        F.col("_updated_at").alias("updated_at"),
    )


def _name_columns() -> list[Column]:
    full = without_suffix(without_title(F.col("full_name")))
    given_of_full, family_of_full = parts_of(full)
    given = F.coalesce(without_title(F.col("given_name")), given_of_full)
    family = F.coalesce(without_suffix(F.col("family_name")), family_of_full)
    said = tidy(F.col("name_suffix"))
    suffix = F.coalesce(said, suffix_of(F.col("family_name")), suffix_of(F.col("full_name")))
    return [
        cased(full).alias("_full"),
        cased(given).alias("_given"),
        cased(tidy(F.col("middle_name"))).alias("_middle"),
        cased(family).alias("_family"),
        suffix.alias("_suffix"),
    ]


def _raw(rows: DataFrame) -> Column:
    entries = [part for name in _RAW for part in (F.lit(name), rows[name].cast("string"))]
    return F.map_filter(F.create_map(*entries), lambda _, value: value.isNotNull())
