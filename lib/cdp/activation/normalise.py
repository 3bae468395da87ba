"""Values as the advertising platforms want them before hashing, and the hash. Rules and vectors: docs/activation.md."""

import warnings
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import ArrowUDFType, arrow_udf

_GMAIL = "@(gmail|googlemail)\\.com\\z"
_HASHED = "^[0-9a-fA-F]{64}\\z"


def nfc(texts: Column) -> Column:
    """Each text of a list in Unicode's composed form: `e` and an accent are one letter. Without it hashes differ.

    Spark has no function for it, and Arrow's `utf8_normalize` does not compose (seen in pyarrow 25), so each text that
    is not plain ASCII passes through Python, a batch at a time.
    """

    def composed(lists: Any) -> Any:
        import unicodedata

        import pyarrow as pa
        import pyarrow.compute as pc

        texts = lists.flatten().to_pylist()
        made = [t if t is None or t.isascii() else unicodedata.normalize("NFC", t) for t in texts]
        lengths = pc.fill_null(pc.list_value_length(lists), 0)
        offsets = pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(lengths).cast(pa.int32())])
        return pa.ListArray.from_arrays(offsets, pa.array(made, pa.string()), mask=lists.is_null())

    with warnings.catch_warnings():
        # Type hints, which pyspark prefers, would make every job import pyarrow at its start.
        warnings.simplefilter("ignore", UserWarning)
        result: Column = arrow_udf(composed, "array<string>", ArrowUDFType.SCALAR)(texts)
    return result


def sha256(value: Column) -> Column:
    """SHA-256 of the UTF-8 bytes, in lower-case hex. Nothing and blank stay nothing; what is a hash already is kept."""
    filled = present(value)
    return F.when(filled.rlike(_HASHED), F.lower(filled)).otherwise(F.sha2(filled, 256))


def present(value: Column) -> Column:
    """The text without white space around it; null where nothing is left."""
    bare = F.regexp_replace(value, r"^[\s\p{Z}]+|[\s\p{Z}]+\z", "")
    return F.when(F.length(bare) > 0, bare)


def digits(value: Column) -> Column:
    """Only its digits."""
    return F.regexp_replace(value, "[^0-9]", "")


def google_emails(email: Column) -> Column:
    """The forms under which Google may know an address: without white space, in lower case; and for Gmail a second one
    without dots and `+suffix` before the @.

    Google's page for Customer Match asks for the first, the one for its Data Manager for the second.
    """
    plain = F.lower(F.regexp_replace(email, r"[\s\p{Z}]", ""))
    name = F.regexp_replace(F.substring_index(plain, "@", 1), r"\+.*|\.", "")
    short = F.concat(name, F.lit("@"), F.substring_index(plain, "@", -1))
    return F.when(plain.rlike(_GMAIL), F.array(plain, short)).otherwise(F.array(plain))


def meta_email(email: Column) -> Column:
    """Trimmed, in lower case; dots and suffixes stay."""
    return F.lower(present(email))


def google_phone(phone: Column) -> Column:
    """E.164 with its +; null for anything else."""
    return F.when(phone.rlike(r"^\+[1-9][0-9]{6,14}\z"), phone)


def meta_phone(phone: Column) -> Column:
    """Digits with the country code, without leading zeros."""
    return digits(google_phone(phone))


def google_name(name: Column) -> Column:
    """Trimmed, in lower case."""
    return F.lower(present(name))


def meta_name(name: Column) -> Column:
    """Trimmed, in lower case, without punctuation; letters of any script stay."""
    return present(F.lower(F.regexp_replace(name, r"[\p{P}\p{S}]", "")))


def meta_place(place: Column) -> Column:
    """City or region: letters alone, in lower case, without spaces."""
    return F.lower(F.regexp_replace(place, r"[^\p{L}\p{M}]", ""))


def meta_postal_code(code: Column, country: Column) -> Column:
    """In lower case, without spaces; five digits for the US; without the last two characters (the unit) for the UK."""
    bare = F.lower(F.regexp_replace(code, r"[\s\p{Z}]", ""))
    return (
        F.when(country == "US", F.substring(bare, 1, 5))
        .when((country == "GB") & (F.length(bare) > 4), F.regexp_replace(bare, "..\\z", ""))
        .otherwise(bare)
    )
