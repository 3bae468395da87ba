"""Contact points and identifiers in one form: lower-case e-mail addresses, phone numbers in E.164."""

from collections.abc import Iterator

import pyarrow as pa
from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, StringType

# A local part, an @ and a domain with a dot, nothing else before or after (\z: a final line break does not slip in).
_EMAIL = r"\A[a-z0-9.!#$%&'*+/=?^_`{|}~\-\x{80}-\x{10FFFF}]{1,64}@(?:[^\s@.]+\.)+[^\s@.]{2,}\z"


def email_form(text: Column) -> Column:
    """A valid address without surrounding space, in lower case; null otherwise."""
    plain = F.lower(F.trim(F.regexp_replace(text, r"^\s*mailto:|[\x{200B}\x{FEFF}]", "")))
    sound = plain.rlike(_EMAIL) & ~plain.rlike(r"\A\.|\.@|\.\.") & (F.length(plain) <= 254)
    return F.when(sound, plain)


@F.arrow_udf(ArrayType(StringType()))  # type: ignore[attr-defined, untyped-decorator]
def phones_e164(batches: Iterator[tuple[pa.Array, pa.Array]]) -> Iterator[pa.Array]:
    """Valid numbers of an array in E.164, in order, each once.

    Takes (array<string> of numbers as written, ISO 3166 alpha-2 country of the writer or null). A number without
    country code in a record without country is not understood, and left out.
    """
    import phonenumbers

    known: dict[tuple[str, str | None], str | None] = {}

    def one(text: str, country: str | None) -> str | None:
        key = (text, country)
        if key not in known:
            if len(known) > 100_000:
                known.clear()
            try:
                number = phonenumbers.parse(text[:64], country)
                valid = phonenumbers.is_valid_number(number)
                form = phonenumbers.PhoneNumberFormat.E164
                known[key] = phonenumbers.format_number(number, form) if valid else None
            except phonenumbers.NumberParseException:
                known[key] = None
        return known[key]

    for numbers, countries in batches:
        rows = zip(numbers.to_pylist(), countries.to_pylist(), strict=True)
        forms = [[one(n, country) for n in row or () if n] for row, country in rows]
        yield pa.array([list(dict.fromkeys(f for f in row if f)) for row in forms], pa.list_(pa.string()))


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
