"""Postal addresses: a line taken to street, city, region and postal code; a street to its unit, house number and name.

By the customs of France, Britain, Germany, Spain and the United States, and by what is common elsewhere. What is not
understood stays in the street.
"""

import re
from functools import cache
from typing import Any

from cdp.base.sql import literal, words
from cdp.silver.postal import ANY, pattern_of
from cdp.silver.text import SEPARATOR, found, parted, replaced

# Here the number comes first, and a street may end with one (rue du 8 Mai 1945, Highway 50).
_NUMBER_FIRST = ("FR", "GB", "US", "CA", "IE", "AU", "NZ", "LU", "MC", "ZA", "IN", "SG", "HK", "MT", "RE", "GP", "MQ", "GF")

_NUMBERED = r"[\s.:]*(?:n[º°o]?\.?\s?)?(?:\d+\s?[a-z]?|[a-z])(?:[-/]\d+)?(?![\p{L}\d])"
_UNIT = (
    rf"(?:(?:flat|apartment|apt|unit|suite|ste|room|rm|floor|appt?|appartement|b[âa]t(?:iment)?|whg|wohnung){_NUMBERED}"
    r"|#\s?\d+\s?[a-z]?|\d+(?:st|nd|rd|th) floor|\d+(?:er?|[eè]me) [ée]tage|\d+\. ?(?:og|stock|etage)"
    r"|\d+\s?[ºª](?:\s?(?:[a-z](?!\p{L})|izq(?:uierda)?|d(?:cha|erecha)|centro)\.?)?|\d+ (?:izq|dcha)(?:uierda)?"
    r"|hinterhaus|vorderhaus|rez-de-chauss[ée]e)\.?"
)
# Words that a street's own name may hold as well.
_UNIT_BEHIND_COMMA = rf"(?:{_UNIT}|(?:esc(?:alier|alera)?|porte|piso|puerta|planta|studio){_NUMBERED}|bajo|[áa]tico|eg|dg)"
_UNITS = rf"{_UNIT_BEHIND_COMMA}(?:[,\s]+{_UNIT_BEHIND_COMMA})*"
_UNIT_LAST = rf"(?i)^(\S.*?)(?:\s*,\s*(?={_UNIT_BEHIND_COMMA})|\s+(?=[abfhrsuvw#\d])(?={_UNIT}))({_UNITS})$"
_UNIT_FIRST = rf"(?i)^({_UNITS})(?:\s*,\s*|\s+)(?=\d|\S.*\d)(\S.*)$"
_UNIT_ALONE = rf"(?i)^{_UNITS}$"

# 12, 12B, 12 bis, 12-14, 12 1/2; not of 1st Avenue, 2e Rue, 17. Juni.
_FIRST = (
    r"^(\d+(?:\p{L}(?!\p{L})|\s[A-D](?=[\s,])(?!(?i: (?:street|st|avenue|ave)\b)))?(?:\s?(?i:bis|ter|quater)\b)?"
    r"(?:\s?[-–/]\s?\d+(?:\p{L}(?!\p{L}))?)?(?:\s\d/\d)?)(?:\s*,\s*|\s+)(\S.*)$"
)
_LAST = (
    r"^(\P{Nd}.*?|\d+\.\s?\P{Nd}.*?)(?:\s*,\s*|\s+|(?<=\.))(?i:n(?:[º°o]|um|r)\.?\s*)?"
    r"(\d+(?:\s?\p{L}(?!\p{L}))?(?:\s?[-–/+]\s?\d+(?:\s?\p{L}(?!\p{L}))?)?)$"
)
_BOX = (
    r"(?i)^(?:postfach|p\.?\s?o\.?\s?box|p\.?o\.?b\b|b\.?p\.?\s?\d|bo[iî]te postale|apartado|apdo|casilla|packstation"
    r"|\d+(?:st|nd|rd|th|er?|[eè]me)\s)"
)

# At the end of a line in Britain: not the city but what lies around it.
_COUNTY = (
    r"(?:[^,]*shire|norfolk|suffolk|kent|essex|surrey|(?:east |west )?sussex|devon|cornwall|dorset|somerset|cumbria|rutland"
    r"|(?:county |co\.? )\p{L}+|greater \p{L}+|west midlands|merseyside|tyne (?:and|&) wear|isle of \p{L}+|middlesex"
    r"|northumberland|clwyd|dyfed|gwent|gwynedd|powys|(?:mid|south|west) glamorgan|fife|highland|england|scotland|wales)"
)
_STATES = ("US", "CA", "AU")
_ALSO_CALLED = {"US": ("D.C",), "CA": ("Québec",)}
_LONGEST_LINE = 200
# They begin what is no city, and end what is none.
_PART = r"(?:suite|ste|apt|apartment|unit|flat|floor|fl|room|rm|bldg|building|level|shop|#)\b"
_WAY = r"ave|avenue|st|street|rd|road|blvd|dr|drive|ln|lane|ct|court|pl|place|sq|way|hwy|pkwy|cir|ter"
_WITH_STATE = r"^(.*\S)\s*,\s*([^,]+?),?\s+([A-Z]{2,3})\.?$"
_WITH_COUNTY = rf"(?i)^(.*\S)\s*,\s*([^,\d]+?)\s*,\s*({_COUNTY})$"
_WITH_CITY = r"^(.*\S)\s*,\s*([^,\d]+)$"
_WITHOUT_CODE = r"^(.*\d.*?)\s*,\s*([^,\d]+)$"
_REPEATED = r"(?i)^(.*\d.*?)[,\s]+"
# Paris 12e, Lyon 3, Lille Cedex 9; further numbers are of no city.
_CITY = r"(?i)^\D+(?:\d{1,2}(?:er|e|[eè]me)?)?(?:\s?cedex\s?\d*)?(?:,[^\d,]*)?$"


def one_line(address: str) -> str:
    """SQL: an address of several lines in one, its lines parted by commas."""
    return replaced(address, r"\s*[\r\n]+\s*", ", ")


def country_last(address: str) -> str:
    """SQL: what may be the country's name: the words behind the last comma, if no digit is in them. `CA` is a state."""
    last = f"trim(substring_index({address}, ',', -1))"
    return f"CASE WHEN contains({address}, ',') AND {found(last, r'^(?:UK|[^0-9]{3,})$')} THEN {last} END"


def without_last(address: str) -> str:
    """SQL: an address without the words behind its last comma."""
    return replaced(address, r"\s*,[^,]*$")


def around_code(address: str, country: str) -> str:
    """SQL: an array of what stands before the postal code, the code, and what is behind; the address alone without one.

    The last thing in the line that looks like a postal code of the country is one.

    Args:
        address: column of the address in one line, without its country.
        country: column of the ISO code, or null.
    """
    form = f"coalesce({pattern_of(country)}, {literal(ANY)})"
    start, end = literal(r"(?i)^(.*[^\s,])[,\s]+(?:[A-Z]{1,3}-)?("), literal(r")(?:[,\s]+(.*))?$")
    cut = literal(SEPARATOR.join(("$1", "$2", "$3")))
    parts = parted(f"regexp_replace({address}, concat({start}, {form}, {end}), {cut})")
    return f"CASE WHEN {address} IS NOT NULL THEN {parts} END"


def parts_of_line(address: str, around: str, country: str) -> str:
    """SQL: an array of street, city, region and postal code, each blank where it was not found; null for null.

    The city stands behind the code, or before it behind a comma. Without a code the words behind the last comma are the
    city, if a number comes before; where there are states, one of these may follow it.

    Args:
        address: column of the address in one line, without its country.
        around: column of its `around_code`.
        country: column of the ISO code, or null.
    """
    before, code, behind = (f"get({around}, {position})" for position in range(3))
    empty = literal(SEPARATOR)

    def way(condition: str, pattern: str, form: str) -> str:
        both = f"{condition} AND {found(before, pattern)}"
        return f"WHEN {both} THEN concat({replaced(before, pattern, form)}, {empty}, {code})"

    one, two, three = f"$1{SEPARATOR}", f"$2{SEPARATOR}", "$3"
    first = f"substring_index({behind}, ',', 1)"
    region = f"substr({behind}, length({first}) + 2)"
    alone = f"size({around}) = 1"
    cases = " ".join(
        [
            *(
                f"WHEN {alone} AND {country} = '{of}' AND {_ends_with_state(before, of)} AND {found(before, pattern)}"
                f" THEN concat({replaced(before, pattern, one + two + three)}, {empty})"
                for of in _STATES
                for pattern in _without_code(of)
            ),
            f"WHEN {alone} AND {found(before, _WITHOUT_CODE)}"
            f" THEN concat({replaced(before, _WITHOUT_CODE, one + two)}, {empty})",
            f"WHEN {alone} OR ({behind} != '' AND NOT {found(behind, _CITY)}) THEN concat({address}, repeat({empty}, 3))",
            f"WHEN {behind} != '' THEN concat_ws({empty}, {before}, {first}, {region}, {code})",
            way(f"{country} IN ({words(_STATES)})", _WITH_STATE, one + two + three),
            way(f"{country} = 'GB'", _WITH_COUNTY, one + two + three),
            way("true", _WITH_CITY, one + two),
        ]
    )
    whole = f"CASE {cases} ELSE concat({before}, repeat({empty}, 3), {code}) END"
    return f"CASE WHEN {address} IS NOT NULL THEN {parted(whole)} END"


def _ends_with_state(text: str, country: str) -> str:
    """SQL: whether a line of usual length ends with a state of the country: the look before the dearer patterns."""
    at_end = rf"(?i)[ ,](?:{_states(country)[0]})\.?$"
    return f"length({text}) <= {_LONGEST_LINE} AND {found(text, at_end)}"


@cache
def _states(country: str) -> tuple[str, str]:
    """The states of a country by their codes and names, and by their codes alone, as patterns."""
    import pycountry  # takes a quarter of a second

    subdivisions: Any = pycountry.subdivisions
    states = subdivisions.get(country_code=country)
    codes = sorted(state.code.removeprefix(f"{country}-") for state in states)
    names = sorted(re.escape(name) for name in (*(state.name for state in states), *_ALSO_CALLED.get(country, ())))
    return "|".join((*codes, *names)), "|".join(codes)


def _without_code(country: str) -> tuple[str, str]:
    """Patterns of a street, a city and a state of the country, without a postal code behind them.

    A state stands behind a comma; its code, in capitals, may stand behind the city without one.
    """
    either, code = _states(country)
    return (
        rf"(?i)^(.*\d.*?)\s*,\s*+(?!{_PART})([^,\d]+?)\s*,\s*({either})\.?$",
        rf"^(.*\d.*?)\s*,\s*+(?!(?i:{_PART}))([^,\d]+?)(?<!\b(?i:{_WAY})\.?)\s+({code})$",
    )


def without_place(street: str, city: str, region: str, code: str) -> str:
    """SQL: a street without the city, region and postal code that stand at its end once more; null for null.

    Args:
        street: column of the street.
        city: column of the city, or null.
        region: column of the region, or null.
        code: column of the postal code as sent, or null.
    """
    begin, end, inside = (literal(text) for text in (r"\Q", r"\E", r"\E\\E\Q"))
    exactly = [f"{begin}, replace({text}, {end}, {inside}), {end}" for text in (city, region, code)]
    between = literal(r"[,\s]+")
    of_region = f"CASE WHEN {region} IS NOT NULL THEN concat('(?:', {exactly[1]}, {between}, ')?') ELSE '' END"
    pattern = f"concat({literal(_REPEATED)}, {exactly[0]}, {between}, {of_region}, {exactly[2]}, '$')"
    # A pattern of its own for each row costs: only where the street may end so.
    may_end_so = f"contains({street}, ',') AND endswith(upper({street}), {code})"
    return f"coalesce(CASE WHEN {may_end_so} THEN regexp_replace({street}, {pattern}, '$1') END, {street})"


def unit_and_rest(street: str, street_2: str) -> str:
    """SQL: an array of the unit (`Flat 3`, `2º B`, `Apt 4`) of a street, empty without one, and the street without it.

    Args:
        street: column of the street.
        street_2: column of the second line: the unit where it is nothing else, and the street holds none.
    """
    whole = (
        f"CASE WHEN {found(street, _UNIT_LAST)} THEN {replaced(street, _UNIT_LAST, f'$2{SEPARATOR}$1')}"
        f" WHEN {found(street, _UNIT_FIRST)} THEN {replaced(street, _UNIT_FIRST, f'$1{SEPARATOR}$2')}"
        f" WHEN {found(street_2, _UNIT_ALONE)} THEN concat({street_2}, {literal(SEPARATOR)}, {street})"
        f" ELSE concat({literal(SEPARATOR)}, {street}) END"
    )
    return f"CASE WHEN {street} IS NOT NULL THEN {parted(whole)} END"


def number_and_name(rest: str, country: str) -> str:
    """SQL: an array of house number, empty without one, and name of a street without its unit.

    Args:
        rest: SQL of the street.
        country: column of the ISO code, or null. Where the number comes first, one at the end is of the name.
    """
    none = f"concat({literal(SEPARATOR)}, {rest})"
    whole = (
        f"CASE WHEN {found(rest, _BOX)} THEN {none}"
        f" WHEN {found(rest, _FIRST)} THEN {replaced(rest, _FIRST, f'$1{SEPARATOR}$2')}"
        f" WHEN {country} IN ({words(_NUMBER_FIRST)}) THEN {none}"
        f" WHEN {found(rest, _LAST)} THEN {replaced(rest, _LAST, f'$2{SEPARATOR}$1')} ELSE {none} END"
    )
    return f"CASE WHEN {rest} IS NOT NULL THEN {parted(whole)} END"
