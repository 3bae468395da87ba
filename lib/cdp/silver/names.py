"""Names of people: titles and suffixes apart, case put right, parts from a whole and a whole from parts."""

from pyspark.sql import Column
from pyspark.sql import functions as F

_TITLE = (
    r"(?i)^(?:mr|mrs|ms|miss|mx|dr|prof|sir|m|mme|mlle|herr|hr|frau|fr|don|doña|dña|sr|sra|srta)\.\s*"
    r"|^(?:(?i)mr|mrs|ms|miss|dr|prof|mme|mlle|herr|frau)\s+(?=\S+\s*\S)"
)
_SUFFIX = r"(?i)[\s,]+(jr|sr|junior|senior|ii|iii|iv)\.?$"
_SUFFIXES = {"junior": "Jr", "jr": "Jr", "senior": "Sr", "sr": "Sr", "ii": "II", "iii": "III", "iv": "IV"}


def tidy(text: Column) -> Column:
    """One space between words, none around; null where nothing is left."""
    return F.nullif(F.trim(F.regexp_replace(text, r"[\s\x{A0}]+", " ")), F.lit(""))


def cased(text: Column) -> Column:
    """Names typed all in capitals or all in small letters with capitals where they belong; others as they are."""
    shouted_or_whispered = (text == F.upper(text)) | (text == F.lower(text))
    hyphens = F.regexp_replace(F.initcap(F.regexp_replace(text, r"([-'’])", "$1 ")), r"([-'’]) ", "$1")
    return F.when(shouted_or_whispered & (F.length(text) > 1), hyphens).otherwise(text)


def without_title(text: Column) -> Column:
    return tidy(F.regexp_replace(tidy(text), _TITLE, ""))


def suffix_of(text: Column) -> Column:
    """Jr, Sr, II, III or IV at the end of a name; null without one."""
    found = F.lower(F.regexp_extract(tidy(text), _SUFFIX, 1))
    choices = [part for key, value in _SUFFIXES.items() for part in (F.lit(key), F.lit(value))]
    return F.try_element_at(F.create_map(*choices), found)


def without_suffix(text: Column) -> Column:
    return tidy(F.regexp_replace(tidy(text), _SUFFIX, ""))


def parts_of(full: Column) -> tuple[Column, Column]:
    """Given and family name of a whole name: `Family, Given`, else the last word is the family name."""
    has_comma = full.contains(",")
    family = F.when(has_comma, F.trim(F.substring_index(full, ",", 1))).otherwise(F.substring_index(full, " ", -1))
    given = F.when(has_comma, F.trim(F.substring_index(full, ",", -1))).otherwise(
        F.when(full.contains(" "), F.regexp_replace(full, r"\s+\S+$", ""))
    )
    return tidy(given), tidy(family)
