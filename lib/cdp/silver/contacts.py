"""Identifiers in one form: what is an e-mail address or a phone number by its kind's rules, anything else trimmed."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from cdp.silver.emails import email_form
from cdp.silver.phones import phones_e164


def identifier_form(identifiers: Column, default_country: str | None) -> Column:
    """A map of identifiers with each value in its one form; what has none is left out.

    Args:
        identifiers: map of id type to value as sent.
        default_country: country of phone numbers without a country code.
    """
    country = F.lit(default_country).cast("string")
    numbers = F.when(F.map_contains_key(identifiers, F.lit("phone")), F.array(F.try_element_at(identifiers, F.lit("phone"))))
    phone = F.get(phones_e164(F.coalesce(numbers, F.array().cast("array<string>")), country), F.lit(0))
    # A Python function cannot be called inside a lambda: the phone number joins the others afterwards.
    others = F.transform_values(
        F.map_filter(identifiers, lambda kind, _: kind != "phone"),
        lambda kind, value: F.when(kind == "email", email_form(value)).otherwise(F.trim(value)),
    )
    formed = F.map_concat(others, F.create_map(F.lit("phone"), phone))
    return F.map_filter(formed, lambda _, value: value.isNotNull() & (value != ""))
