"""Phone numbers in E.164, by Google's libphonenumber; the usual ways of writing one on a shorter path to the same."""

import re
from functools import cache
from typing import Any

from pyspark.sql import Column

from cdp.silver.folding import arrow_function

_KNOWN = 200_000
"""Numbers that a task remembers before it starts anew."""
_LONGEST = 250
"""What is longer is no number: libphonenumber's own limit."""
_WRITTEN = re.compile(r"\+?[0-9(][0-9 ().\-/]*")
_NO_DIGITS = str.maketrans("", "", " ().-/")
_SEVERAL = re.compile(r"\s*(?:[;,|\n/]|\b(?:ou|or|oder|und|and|et|y|o)\b)\s*")
# Calling codes and the country that owns them first: what is valid there is valid, and needs no further look.
_MAIN = {"33": "FR", "44": "GB", "49": "DE", "34": "ES", "1": "US"}
_CODES = {region: code for code, region in _MAIN.items()}


def phones_e164(numbers: Column, country: Column) -> Column:
    """Valid numbers of an array in E.164, in order, each once; null and an array of none are an array of none.

    Args:
        numbers: array of numbers as written, or several in one text. Extensions are dropped.
        country: ISO 3166 alpha-2 of the writer, or null. A number without country code in a record without country is
            not understood, and left out.
    """
    return phones_read(numbers, country)["e164"]


def phones_read(numbers: Column, country: Column) -> Column:
    """A struct of `e164`, the numbers of `phones_e164`, and `refused`, how many texts held none."""

    known: dict[tuple[str, str | None], list[str]] = {}

    def read(batch: Any, countries: Any) -> Any:
        import pyarrow as pa

        found, refused = [], []
        for row, region in zip(batch.to_pylist(), countries.to_pylist(), strict=True):
            forms: list[str] = []
            wrong = 0
            for text in row or ():
                if not text or text.isspace():
                    continue
                key = (text, region)
                if key not in known:
                    if len(known) >= _KNOWN:
                        known.clear()
                    known[key] = numbers_in(text, region)
                forms += known[key]
                wrong += not known[key]
            found.append(forms if len(forms) < 2 else list(dict.fromkeys(forms)))
            refused.append(wrong)
        arrays = [pa.array(found, pa.list_(pa.string())), pa.array(refused, pa.int32())]
        return pa.StructArray.from_arrays(arrays, ["e164", "refused"])

    return arrow_function(read, "struct<e164:array<string>,refused:int>")(numbers, country)  # type: ignore[no-any-return]


def numbers_in(text: str, region: str | None) -> list[str]:
    """The valid numbers that a text holds: it is one, or several with a sign or a word between them."""
    whole = number_in(text, region)
    if whole:
        return [whole]
    parts = _SEVERAL.split(text[:_LONGEST])
    if len(parts) == 1:
        return []
    return [number for part in parts if (number := number_in(part, region))]


def number_in(text: str, region: str | None) -> str | None:
    """The one number that a text is, in E.164; null where it is none."""
    return _short_way(text, region) or _long_way(text, region)


def _long_way(text: str, region: str | None) -> str | None:
    import phonenumbers

    try:
        number = phonenumbers.parse(text[:_LONGEST], region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _short_way(text: str, region: str | None) -> str | None:
    """The number, where it is one of the five countries in digits and the usual signs; else null, which says nothing.

    A tenth of the time, for most of the numbers. That both ways agree is tested on numbers of every kind.
    """
    if not _WRITTEN.fullmatch(text):
        return None
    digits = text.translate(_NO_DIGITS)
    if region in _CODES and region != "US" and digits.startswith("00"):
        digits = "+" + digits[2:]
    if digits.startswith("+"):
        code = next((c for c in _MAIN if digits.startswith(c, 1)), None)
        national = digits[1 + len(code or "") :]
    else:
        code, national = _CODES.get(region or ""), digits
    if code is None:
        return None
    prefix, valid = _plan(code)
    if prefix and national.startswith(prefix):
        national = national[len(prefix) :]
    return f"+{code}{national}" if valid.fullmatch(national) else None


@cache
def _plan(code: str) -> tuple[str | None, re.Pattern[str]]:
    """What is dialled before a national number of a calling code's main country, and which numbers are given out there."""
    from phonenumbers import PhoneMetadata

    data: Any = PhoneMetadata.metadata_for_region(_MAIN[code])
    kinds = (
        *(data.fixed_line, data.mobile, data.toll_free, data.premium_rate, data.shared_cost, data.voip),
        *(data.personal_number, data.pager, data.uan, data.voicemail),
    )
    patterns = [kind.national_number_pattern for kind in kinds if kind and kind.national_number_pattern]
    given_out = "|".join(f"(?:{pattern})" for pattern in patterns)
    return data.national_prefix, re.compile(rf"(?=(?:{data.general_desc.national_number_pattern})\Z)(?:{given_out})")
