"""Values that hypothesis makes up, many of them for one Spark job: a job an example would take minutes."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

_PIECES = (
    *("Dr.", "MRS", "Ann", "ANN", "ann", "O'BRIEN", "mcdonald", "van", "de la", "Jr", "III", "García", "ÇELİK", "ß", "ŉ", "ǰ"),
    *("王小明", "山田", "김", "Иванов", "محمد", "ΣΟΦΟΣ", "-", ",", "&amp;", "\u200b", "\u00a0", "N/A", "PhD", "'", "Ａ"),
)
_PLACES = (
    *("12", "12B", "bis", "rue", "High Street", "Apt 4", "2º B", "75001", "SW1A 1AA", "Paris", "LONDON", "France", "UK", "CA"),
    *(",", "\n", "Flat 3", "Hauptstr.", "7-9", "Calle", "#5", "P.O. Box 7", "D-10115", "é", "İ", "  "),
)
_ADDRESSES = (
    *("ann", "Ann.Lee", "+tag", "@", "@", "@gmail.com", "@Example.FR", "@münchen.de", "<", ">", '"', ".", " ", ";", "mailto:"),
    *("?subject=x", "é", "İ", "ß", "\n", "@googlemail.com", "xn--", "\u200b", "noreply", "-x"),
)
_NUMBERS = ("+33", "0033", "06", "12", "34", "56", "78", "(0)", " ", "-", "ext. 5", "020 7946 0018", "/", "ou", "٣", "x")


def texts(pieces: tuple[str, ...], between: str = " ") -> st.SearchStrategy[str]:
    """Any text at all, or pieces of what people write."""
    return st.text(max_size=24) | st.lists(st.sampled_from(pieces), max_size=6).map(between.join)


NAMES, PLACES = texts(_PIECES), texts(_PLACES)
# A suffix that fills a field of its own is taken for a name, and for a suffix behind another.
HALVES = texts(tuple(piece for piece in _PIECES if piece not in ("Jr", "III", "PhD")))
_LIKELY = st.from_regex(r"[a-zA-Z.+_'-]{1,6}@(?:gmail\.com|x\.fr|yahoo\.de|[a-zé]{1,4}\.(?:de|рф))[ .]?", fullmatch=True)
EMAILS, PHONES = texts(_ADDRESSES, "") | _LIKELY, texts(_NUMBERS, "")
COUNTRIES = st.sampled_from(["FR", "gb", "Deutschland", "España", "USA", "JP", "nowhere", "", "840"]) | st.text(max_size=12)


def drawn(values: st.SearchStrategy[Any], number: int) -> list[Any]:
    """So many values, the same ones in each run."""
    found: list[Any] = []

    @settings(max_examples=number, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(values)
    def draw(value: Any) -> None:
        found.append(value)

    draw()
    return found
