"""Text as people meant it, in Spark SQL: what export and import did to it undone, and one space between words.

Expressions here and in the modules beside it are SQL text: a tenth of the calls to the JVM that columns would take, and
`clean` runs as often on a handful of rows as on millions. What is rare stands behind a CASE, so that the usual row pays
for one pattern that does not match.
"""

from collections.abc import Sequence

from cdp.base.sql import literal

SEPARATOR = "\ue000"
"""Stands between fields that pass through one expression together; of Unicode's private use, so in no text."""

# Bytes 80 to 9F as Windows-1252 shows them, and the characters of the same numbers. Five bytes have no letter there.
_WINDOWS = "".join(bytes([b]).decode("cp1252", "ignore") for b in range(0x80, 0xA0))
_LATIN = "".join(chr(b) for b in range(0x80, 0xA0) if bytes([b]).decode("cp1252", "ignore"))
_WIDE = "".join(chr(code) for code in range(0xFF01, 0xFF5F))
_NARROW = "".join(chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F))

_ENTITY = r"&(?=#?\w{1,31};)"
_INVISIBLE = r"\x{AD}\x{34F}\x{200B}\x{200E}\x{200F}\x{202A}-\x{202E}\x{2060}-\x{206F}\x{FEFF}\x{FFF9}-\x{FFFB}"
# They join or part the letters of some scripts, and mean nothing elsewhere.
_JOINERS = (
    r"(?<![\p{IsArabic}\p{IsSyriac}\p{IsDevanagari}\p{IsBengali}\p{IsGurmukhi}\p{IsGujarati}\p{IsOriya}\p{IsTamil}"
    r"\p{IsTelugu}\p{IsKannada}\p{IsMalayalam}\p{IsSinhala}\p{IsKhmer}\p{IsMongolian}])[\x{200C}\x{200D}]"
)
_FOREIGN_MARK = r"\x{300}-\x{36F}\x{653}-\x{655}\x{93C}\x{9BC}\x{1100}-\x{11FF}\x{3099}\x{309A}"
_SPACES = r"\p{Z}\s\x{85}"
_MANGLED = r"[\x{C2}-\x{F4}][\x{80}-\x{BF}" + _WINDOWS + "]"
# What nobody types: any of it, and the row's texts are looked at one by one.
_NOT_BYTES = r"[^\x{00}-\x{FF}" + _WINDOWS + "]"
_BROKEN = (
    rf"[\x{{00}}-\x{{08}}\x{{0E}}-\x{{1F}}\x{{7F}}-\x{{9F}}\x{{200C}}\x{{200D}}\x{{FF01}}-\x{{FF5E}}{_FOREIGN_MARK}{_INVISIBLE}]"
    rf"|{_ENTITY}|{_MANGLED}"
)
_ODD = (
    rf"[\t-\r\x{{A0}}\x{{1680}}\x{{2000}}-\x{{200B}}\x{{2028}}\x{{2029}}\x{{202F}}\x{{205F}}\x{{3000}}]|  |{_BROKEN}"
    rf"|\A[ ,]|[ ,]\z|[ ,]{SEPARATOR}|{SEPARATOR}[ ,]"
)


def part(text: str, position: int) -> str:
    """The part at a position, from 0, of what `parted` made; null where it is blank. Commas around it are not of it."""
    return f"nullif(trim(BOTH ', ' FROM get({text}, {position})), '')"


def parted(text: str) -> str:
    """An array of what stands between separators."""
    return f"split({text}, {literal(SEPARATOR)}, -1)"


def replaced(text: str, pattern: str, by: str = "") -> str:
    """The text with each match of a pattern replaced; null for null."""
    return f"regexp_replace({text}, {literal(pattern)}, {literal(by)})"


def found(text: str, pattern: str) -> str:
    """Whether a pattern matches; null for null."""
    return f"{text} RLIKE {literal(pattern)}"


def tidy(text: str) -> str:
    """One space between words, none around; null where nothing is left."""
    return f"nullif(trim({replaced(text, f'[{_SPACES}]+', ' ')}), '')"


def mended(fields: Sequence[str]) -> str:
    """An array of the fields mended where any of them holds what nobody types; null where none does.

    Undone: UTF-8 that was read as Windows-1252 or Latin-1 (where all of the field then reads as UTF-8, which chance does not
    bring about), HTML entities, letters apart from their accents (into Unicode's NFC), letters of double width, characters
    that show nothing, and spaces of any kind and number. What `part` takes away around a text is found as well.
    """
    bare = [f"replace({field}, {literal(SEPARATOR)}, '')" for field in fields]
    # The functions that Spark lacks are those of libraries it comes with.
    letters = f"transform(array({', '.join(bare)}), x -> {_reread(_reread(_unescaped('x')))})"
    whole = f"array_join(transform({letters}, x -> coalesce({_visible('x')}, '')), {literal(SEPARATOR)})"
    composed = f"reflect('com.ibm.icu.text.Normalizer', 'compose', {whole}, false)"
    return f"CASE WHEN {is_odd(fields, _ODD)} THEN transform({parted(composed)}, x -> coalesce({tidy('x')}, '')) END"


def is_odd(fields: Sequence[str], pattern: str = "") -> str:
    """Whether any of the fields holds what nobody types, spaces aside."""
    return found(f"concat_ws({literal(SEPARATOR)}, {', '.join(fields)})", pattern or _BROKEN)


def _unescaped(text: str) -> str:
    """Without HTML entities, also those that were escaped several times over."""
    once = replaced(text, r"&(?:amp;|#0*38;|#[xX]0*26;)+(?=#?\w{1,31};)", "&")
    plain = f"reflect('org.apache.commons.text.StringEscapeUtils', 'unescapeHtml4', {once})"
    return f"CASE WHEN {found(text, _ENTITY)} THEN {plain} ELSE {text} END"


def _reread(text: str) -> str:
    """Text whose UTF-8 bytes were read as Windows-1252 or Latin-1, read anew; null stays null."""
    mangled = f"{found(text, _MANGLED)} AND NOT {found(text, _NOT_BYTES)}"
    bytes_ = f"encode(translate({text}, {literal(_WINDOWS)}, {literal(_LATIN)}), 'ISO-8859-1')"
    return f"CASE WHEN {mangled} THEN coalesce(try_validate_utf8(CAST({bytes_} AS STRING)), {text}) ELSE {text} END"


def _visible(text: str) -> str:
    spaced = replaced(text, r"[\x{00}-\x{1F}\x{7F}-\x{A0}]", " ")
    shown = replaced(replaced(spaced, f"[{_INVISIBLE}]"), _JOINERS)
    return f"translate({shown}, {literal(_WIDE)}, {literal(_NARROW)})"
