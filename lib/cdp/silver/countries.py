"""Countries in ISO 3166 alpha-2, from codes and from names in the languages of Europe."""

import unicodedata
import zlib
from collections import defaultdict
from functools import cache

from cdp.base.sql import literal
from cdp.silver.folding import single_letters, single_letters_of
from cdp.silver.text import found, replaced

_LANGUAGES = (
    *("bg", "ca", "cs", "da", "de", "el", "es", "et", "eu", "fi", "fr", "gl", "hr", "hu", "it", "lt", "lv", "nb", "nl"),
    *("pl", "pt", "ro", "ru", "sk", "sl", "sr", "sv", "tr", "uk"),
)
_USUAL = {
    "GB": "uk, england, scotland, wales, northern ireland, great britain, britain, grande bretagne, grossbritannien, großbritannien, gran bretana,"
    " angleterre, inglaterra, inghilterra, engeland, gran bretagna, schottland, ecosse, escocia, vereinigtes konigreich, u k, g b",
    "US": "usa, u s a, u s, united states of america, etats unis d amerique, estados unidos de america, ee uu, eeuu, e e u u"
    ", stati uniti d america, vereinigte staaten von amerika, amerika, america",
    "FR": "f, france metropolitaine", "DE": "d, brd, bundesrepublik deutschland", "ES": "e, reino de espana",
    "NL": "holland, hollande, holanda, olanda, the netherlands, pays bas", "IE": "eire, republic of ireland",
    "CZ": "czech republic, tschechische republik, republique tcheque", "GR": "el, hellas", "CH": "confoederatio helvetica",
    "RU": "russia, russie, russland, rusia", "KR": "south korea, coree du sud, sudkorea, corea del sur",
    "AE": "uae, u a e", "MK": "macedonia", "CD": "congo kinshasa", "CI": "ivory coast", "TR": "turkey", "VN": "vietnam",
    "LI": "lichtenstein",
}  # fmt: skip
_BETWEEN = r"[^\p{L}\p{Co}0-9]+"
_SHELVES = 512
_END = "\x02"


def country_of(text: str) -> str:
    """SQL: ISO 3166 alpha-2 of a country's code (two or three letters, three digits) or name; null where it is none.

    The ten thousand names are one text in the plan, cut into shelves by their checksum: a map of as many literals takes
    Spark longer to analyse than to run, and is searched from its beginning for every row.
    """
    plain = f"trim({replaced(single_letters(text), _BETWEEN, ' ')})"
    key = f"CASE WHEN {found(text, '^[A-Za-z]{2,3}$')} THEN lower({text}) ELSE {plain} END"
    shelf = f"get(split({literal(_shelves())}, '\\n'), CAST(crc32(k) % {_SHELVES} AS INT))"
    place = f"locate(concat('{_END}', k, '='), s)"
    code = f"transform(array({shelf}), s -> CASE WHEN {place} > 0 THEN substr(s, {place} + length(k) + 2, 2) END)"
    looked_up = f"get(transform(array({key}), k -> CASE WHEN k != '' THEN get({code}, 0) END), 0)"
    # Most sources hold codes, and most rows are done with that.
    is_code = f"length({text}) = 2 AND contains({literal(_alphabet())}, concat(' ', {text}, ' '))"
    return f"CASE WHEN {is_code} THEN {text} WHEN {text} IS NOT NULL THEN {looked_up} END"


@cache
def _alphabet() -> str:
    return f" {' '.join(sorted(set(_codes().values())))} "


@cache
def _shelves() -> str:
    shelves: dict[int, str] = defaultdict(str)
    for name, code in sorted(_codes().items()):
        shelves[zlib.crc32(name.encode()) % _SHELVES] += f"{_END}{name}={code}"
    return "\n".join(shelves[number] for number in range(_SHELVES))


@cache
def _codes() -> dict[str, str]:
    import gettext

    import pycountry

    codes: dict[str, str] = {}
    countries = list(pycountry.countries)
    for country in countries:
        names = (country.name, getattr(country, "common_name", ""), getattr(country, "official_name", ""))
        keys = (country.alpha_2, country.alpha_3, country.numeric, *filter(None, names))
        codes |= {_key(key): country.alpha_2 for key in keys}
    # What two languages call two countries by says nothing, unless English does.
    foreign: dict[str, set[str]] = defaultdict(set)
    for language in _LANGUAGES:
        said = gettext.translation("iso3166-1", pycountry.LOCALES_DIR, languages=[language], fallback=True).gettext
        for country in countries:
            for name in {country.name, getattr(country, "common_name", country.name)}:
                foreign[_key(said(name))].add(country.alpha_2)
    codes = {name: next(iter(found)) for name, found in foreign.items() if len(found) == 1} | codes
    return codes | {_key(name): code for code, names in _USUAL.items() for name in names.split(",")}


def _key(name: str) -> str:
    """As `country_of` makes it from what was sent."""
    letters = single_letters_of(name)
    kept = (c if unicodedata.category(c) in ("Lu", "Ll", "Lt", "Lm", "Lo", "Co") or c in "0123456789" else " " for c in letters)
    return " ".join("".join(kept).split())
