"""Capitals where people write them.

For names of people and places that were typed all in capitals or all in small letters.
"""

import unicodedata

from cdp.base.sql import literal
from cdp.silver.text import SEPARATOR, found, replaced

# Written small before or between the words of a name. `Di`, `Le` and `La` begin with a capital wherever they come from.
_OF_NAMES = (
    *("van", "von", "vom", "zu", "zum", "zur", "der", "den", "dem", "ter", "ten", "te", "'t", "’t", "de", "del", "dela"),
    *("da", "das", "do", "dos", "des", "y", "e", "bin", "bint", "ibn", "af", "av", "und", "(?:la|las|los)(?<=\\bde l[ao]s?)"),
)
# Between the words of a place.
_OF_PLACES = (
    *("upon", "sur", "sous", "lès", "les", "le", "la", "las", "los", "aux", "en", "an", "am", "im", "in", "ob", "bei"),
    *("vor", "of", "the", "under", "by", "on", "del", "della", "di", "sul", "à", "et"),
)
# What follows Mac begins with a capital in these; Macron, Machado and Mackay are other words.
_CLANS = (
    *("allister", "arthur", "aulay", "bride", "callum", "cormack", "culloch", "diarmid", "donald", "donnell", "dougall"),
    *("duff", "farlane", "gregor", "innes", "intosh", "intyre", "kenzie", "kinnon", "lachlan", "laren", "lean", "lellan"),
    *("leod", "manus", "millan", "nab", "namara", "neil", "neill", "phail", "pherson", "quarrie", "rae", "taggart"),
)
_BREAK, _KEEP = f"{SEPARATOR}b ", f"{SEPARATOR}k"
# A letter begins a word also behind these; but the s of Queen's does not.
_BREAKS = (
    r"(?<=[-/.(])(?=\p{L})|(?<=['’])(?=\p{L}{2})"
    rf"|(?<=\bmc)(?=\p{{L}}{{3}})|(?<=\bmac)(?=(?:{'|'.join(_CLANS)})\b)"
)
_ELIDED = r"[dl]['’]\p{L}{3}"
_IN_NAMES = rf"(?<=^| |-)(?=(?:{'|'.join(_OF_NAMES)})[ -]\S|{_ELIDED})"
_IN_PLACES = rf"(?<= |-)(?=(?:{'|'.join((*_OF_NAMES, *_OF_PLACES))})[ -]\S|{_ELIDED})"
# At the very beginning it is D'Angelo.
_FIRST = rf"^{_KEEP}(?=[dl]['’])"
# Letters whose capital is several characters, of which another round would make something else.
_UNSTABLE = "ŉ" + "".join(
    letter
    for letter in map(chr, range(0xDF, 0x2000))
    if len(letter.title()) > 1 and unicodedata.normalize("NFC", letter.title().lower().title()) != letter.title()
)


def is_one_case(text: str) -> str:
    """SQL: whether a text is all in capitals or all in small letters; not so where letters have no case."""
    return f"({text} IN (upper({text}), lower({text})) AND upper({text}) != lower({text}))"


def capitals(text: str, particles: str = _IN_NAMES) -> str:
    """SQL: each word with a capital, but for particles; `McDonald`, `O'Brien`, `Jean-Pierre`, `van der Berg`, `d'Estaing`.

    For texts of one case: it forgets what was written large.
    """
    # The small form of İ is an i with a dot of its own.
    small = f"replace(lower({text}), 'i\u0307', 'i')"
    parted = replaced(replaced(small, particles, _KEEP), _FIRST)
    spaced = replaced(parted, _BREAKS, _BREAK)
    return f"replace(replace(initcap({spaced}), {literal(_BREAK)}, ''), {literal(_KEEP)}, '')"


def cased(text: str, *, is_shouted: str = "true") -> str:
    """SQL: a name with capitals where they belong, if it was typed in one case; otherwise as it is.

    Args:
        text: SQL of the name.
        is_shouted: SQL: whether all that is known of the name is in one case. Where it is not, `JD` and `AJ` beside
            `Smith` are initials, and only longer words are put right.
    """
    # Two capitals without a vowel are initials in any company; AT&T is a name of its own.
    initials = found(text, r"^(?:[B-DF-HJ-NP-TV-XZ]{2}|[A-Z]J)$|\S&\S")
    long = f"(length({text}) > 2 OR {text} = lower({text}) OR {is_shouted})"
    typed = f"{is_one_case(text)} AND {long} AND NOT {initials} AND NOT {found(text, f'[{_UNSTABLE}]')}"
    return f"CASE WHEN {typed} THEN {capitals(text)} ELSE {text} END"


def cased_place(text: str) -> str:
    """SQL: a city or region likewise: `Boulogne-sur-Mer`; codes of up to three letters (`NY`) stay as they are."""
    typed = f"length({text}) > 3 AND {is_one_case(text)} AND NOT {found(text, f'[{_UNSTABLE}]')}"
    return f"CASE WHEN {typed} THEN {capitals(text, _IN_PLACES)} ELSE {text} END"
