"""Numbers of a JSON object without loss.

Spark reads a number with a decimal point as a double before it writes it as text: `12345678.9` comes out as 1.23456789E7,
more than 17 digits come out as others, and 1e400 as infinity. Rows where that happens are read once more as VARIANT, which
keeps 38 digits; what not even that holds is marked, and such a row is set aside.
"""

from pyspark.sql import Column
from pyspark.sql import functions as F

# What a double may have spoilt: 17 digits, an exponent, infinity (which comes in quotes of its own).
_SPOILT = r'\A-?\d++\.\d*+(?:(?<=[\d.]{16})|E)|\A"-?Infinity"\z'
_MOST_DIGITS = 38
_LOST = "\uffff"


def exact_numbers(fields: Column, text: Column) -> Column:
    """The fields of an object, numbers exact or marked as lost.

    Args:
        fields: what `from_json` made of it as a map of text.
        text: the object.
    """
    exact = F.try_variant_get(F.try_parse_json(text), "$", "map<string,variant>")
    is_long = F.rlike(text, F.lit(rf"[\d.]{{{_MOST_DIGITS + 1},}}"))

    def mended(key: Column, value: Column) -> Column:
        found = F.try_element_at(exact, key).cast("string")
        is_lost = found.isNull() | found.isin("Infinity", "-Infinity") | is_long
        return F.when(~_is_spoilt(value), value).when(is_lost, F.lit(_LOST)).otherwise(found)

    is_any = F.coalesce(F.exists(F.map_values(fields), _is_spoilt), F.lit(False))
    return F.when(is_any, F.transform_values(fields, mended)).otherwise(fields)


def holds_lost_number(fields: Column) -> Column:
    """Whether a number of the object could not be kept."""
    return F.coalesce(F.array_contains(F.map_values(fields), F.lit(_LOST)), F.lit(False))


def _is_spoilt(value: Column) -> Column:
    # The comparisons rule most text out before the expression has to.
    is_candidate = (value < F.lit(":")) & (F.contains(value, F.lit(".")) | F.startswith(value, F.lit('"')))
    return F.coalesce(is_candidate & F.rlike(value, F.lit(_SPOILT)), F.lit(False))
