"""Countries in ISO 3166 alpha-2, from codes and names as people write them."""

from functools import cache
from itertools import chain

from pyspark.sql import Column
from pyspark.sql import functions as F

_USUAL = {
    "uk": "GB",
    "england": "GB",
    "scotland": "GB",
    "wales": "GB",
    "great britain": "GB",
    "usa": "US",
    "u.s.a.": "US",
    "eire": "IE",
    "holland": "NL",
    "deutschland": "DE",
    "allemagne": "DE",
    "espana": "ES",
    "españa": "ES",
    "espagne": "ES",
    "royaume-uni": "GB",
    "etats-unis": "US",
    "états-unis": "US",
    "estados unidos": "US",
    "frankreich": "FR",
    "francia": "FR",
    "italia": "IT",
    "italie": "IT",
    "schweiz": "CH",
    "suisse": "CH",
    "österreich": "AT",
    "belgique": "BE",
    "belgië": "BE",
}


@cache
def _codes() -> dict[str, str]:
    import pycountry

    codes: dict[str, str] = {}
    for country in pycountry.countries:
        names = (country.alpha_2, country.alpha_3, country.name, getattr(country, "common_name", None))
        codes |= {name.lower(): country.alpha_2 for name in names if name}
        official = getattr(country, "official_name", None)
        if official:
            codes.setdefault(official.lower(), country.alpha_2)
    return codes | _USUAL


def country_code(text: Column) -> Column:
    """ISO 3166 alpha-2 of a country's code or name; null where it is none."""
    lookup = F.create_map(*[F.lit(part) for part in chain.from_iterable(sorted(_codes().items()))])
    return F.try_element_at(lookup, F.lower(F.trim(text)))
