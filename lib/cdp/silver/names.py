"""Names of people: titles and suffixes apart, a whole taken to its parts by the customs of its language."""

from collections.abc import Sequence

from cdp.base.sql import literal, words
from cdp.silver.text import SEPARATOR, found, parted, replaced

# Before a name with a full stop, or as words of their own.
_DOTTED = (
    *("mr", "mrs", "ms", "mx", "dr", "dres", "prof", "mme", "mlle", "hr", "fr", "dña", "sr", "sra", "srta", "dhr", "mevr"),
    *("sig", "sig\\.ra", "dott", "dott\\.ssa", "avv", "ing", "dipl\\.?-?\\s*ing", "mag", "rev", "hon", "capt", "col", "lt"),
    *("sgt", "maj", "gen", "dr\\.?\\s?med", "dr\\.?\\s?h\\.?c", "miss", "herr", "frau", "sir", "don", "doña"),
)
_PLAIN = (
    *("mr", "mrs", "ms", "miss", "mx", "dr", "prof", "professor", "doktor", "sir", "mme", "mlle", "madame", "monsieur"),
    *("mademoiselle", "herr", "herrn", "frau", "fräulein", "señor", "señora", "señorita", "sra", "srta", "dhr", "mevrouw"),
    *("meneer", "signor", "signora", "signorina", "reverend", "dame", "doña"),
)
_TITLE = (
    rf"(?i)^(?:(?:{'|'.join(_DOTTED)})\.\s*|m\.\s*(?=\S{{2}})"
    rf"|(?:{'|'.join(_PLAIN)})(?:\s*[/&]\s*|\s+)(?=\S+\s*\S)|(?:et|und|and|y|&)\s+(?=(?:{'|'.join(_PLAIN)})\s))+"
)
_DEGREES = r"ph\.?\s?d|m\.?d|d\.?d\.?s|m\.?b\.?a|esq|obe|cbe|mbe|kbe|qc|kc|cpa|ll\.?[mbd]|m\.?sc|b\.?sc"
_TAIL = rf"(?i)(?:[\s,]+(?:jr|sr|junior|senior|jnr|snr|ii|iii|iv|{_DEGREES})\b\.?)+$"
_SUFFIX = r"(?i)\b(jr|sr|junior|senior|jnr|snr|ii|iii|iv)\b"
_SUFFIXES = {"junior": "Jr", "jnr": "Jr", "jr": "Jr", "senior": "Sr", "snr": "Sr", "sr": "Sr", "ii": "II", "iii": "III", "iv": "IV"}

# They begin a family name; in the second list only where they are written small.
_BEFORE = (
    *("van", "von", "vom", "zum", "zur", "de", "del", "della", "dela", "delle", "degli", "dei", "du", "des", "di", "da"),
    *("dos", "das", "der", "den", "la", "le", "ter", "bin", "bint", "ibn", "af", "st\\.?", "'t"),
)
_BEFORE_SMALL = ("al", "el", "zu", "do", "te", "ten", "av", "von und zu")
_PARTICLE = rf"(?:(?i:{'|'.join(_BEFORE)})|{'|'.join(_BEFORE_SMALL)})"
_WITH_PARTICLE = rf"^(\S+(?: \S+)*?) ({_PARTICLE} \S.*)$"
_WITH_AND = r"^(\S.*) (\S+ (?:y|i|e) \S+)$"
_LAST_WORD = r"^(.*) (\S+)$"
_AS = f"$1{SEPARATOR}$2"

# María del Carmen is one given name, and so are Juan Carlos and Ana María before two family names.
_DEVOTED = (
    r"(?i)^((?:mar[ií]a|m\.?ª|m[aª]\.?|jos[eé]|juan) (?:del? (?:carmen|pilar|mar|rosario|consuelo|roc[ií]o|jes[uú]s|dios"
    r"|lourdes|f[aá]tima|sol)|de (?:los [aá]ngeles|los dolores|las mercedes|las nieves|la luz|la concepci[oó]n|la paz"
    r"|la o))) (\S.*)$"
)
_SECOND_GIVEN = (
    *("carlos", "luis", "josé", "jose", "maría", "maria", "antonio", "manuel", "miguel", "ángel", "angel", "jesús", "jesus"),
    *("javier", "pablo", "ignacio", "isabel", "teresa", "carmen", "dolores", "pilar", "luisa", "elena", "cristina", "rosa"),
    *("mercedes", "ramón", "ramon", "francisco", "alberto", "andrés", "andres", "eduardo", "enrique", "fernando", "jorge"),
    *("david", "alejandro", "belén", "belen", "mar", "josefa", "victoria", "eugenia", "paz", "inés", "ines", "lucía", "lucia"),
)
_TWO_FAMILY_NAMES = ("ES", "MX", "CO", "PE", "CL", "VE", "EC", "GT", "CU", "BO", "DO", "HN", "PY", "SV", "NI", "CR", "PA", "UY")
_TWO_GIVEN = rf"(?i)^(\S+ (?:{'|'.join(_SECOND_GIVEN)})) (\S+(?: \S+)?)$"
_ONE_GIVEN = r"^(\S+) (\S+ \S+)$"
_FOUR = r"^(\S+ \S+) (\S+ \S+)$"

# The family name in capitals before a given name that is not.
_CAPITALS_FIRST = r"^((?:\p{Lu}[\p{Lu}'’-]{3,} )+)(\p{Lu}\p{Ll}.*)$"

# Chinese, Japanese and Korean names begin with the family's; most are one character, these are two.
_CJK_LETTERS = r"[\p{IsHan}\p{IsHangul}\p{IsHiragana}\p{IsKatakana}ー・·]+"
_CJK = rf"^{_CJK_LETTERS}(?: {_CJK_LETTERS})*$"
_FOREIGN_IN_KANA = r"^([\p{IsKatakana}ー]+)[・·](.+)$"
_CJK_SPACED = r"^(\S+) (.+)$"
_CJK_DOUBLE = (
    r"^(欧阳|歐陽|司马|司馬|上官|诸葛|諸葛|夏侯|尉迟|尉遲|皇甫|慕容|司徒|令狐|公孙|公孫|东方|東方"
    r"|남궁|황보|제갈|선우|독고|사공)(.+)$"
)
_CJK_JAPANESE = r"^(\p{IsHan}{2})(\p{IsHan}{2}|\p{IsHan}*[\p{IsHiragana}\p{IsKatakana}]+)$"
_CJK_CLOSE = r"^([\p{IsHan}\p{IsHangul}])([\p{IsHan}\p{IsHangul}]{1,2})$"

_NOT_LATIN = r"^\P{IsLatin}*\p{L}\P{IsLatin}*$"
_NOTHING = literal("")
_FILLERS = (
    *("n/a", "#n/a", "n.a.", "unknown", "unnamed", "inconnu", "inconnue", "unbekannt", "desconocido", "desconocida"),
    *("sconosciuto", "sconosciuta", "anonymous", "anonyme", "no name", "noname", "not provided", "not given", "not known"),
    *("not available", "undefined", "first name", "firstname", "last name", "lastname", "vorname", "nachname", "prénom"),
)
_FILLERS_IN_CODE = ("null", "NULL", "none", "NONE", "nan", "NaN", "nil")
_NO_LETTERS = r"^(?:[^\p{L}]*|[xX]{3,})$"


def title_before(text: str) -> str:
    """SQL: the titles before a name, as written, with the space behind them; empty without any."""
    # Most given names are one word: the long list of titles is not for them.
    is_long = f"contains({text}, ' ') OR contains({text}, '.')"
    return f"CASE WHEN {is_long} THEN regexp_extract({text}, {literal(_TITLE)}, 0) ELSE '' END"


def behind(text: str, title: str) -> str:
    """SQL: the name behind its title; null where there is only a title."""
    return f"nullif(trim(substr({text}, length({title}) + 1)), '')"


def tail_of(text: str) -> str:
    """SQL: suffixes and degrees at the end of a name with the space or comma before them; empty without any."""
    is_long = f"contains({text}, ' ') OR contains({text}, ',')"
    return f"CASE WHEN {is_long} THEN regexp_extract({text}, {literal(_TAIL)}, 0) ELSE '' END"


def before(text: str, tail: str) -> str:
    """SQL: the name before its tail."""
    return f"nullif(trim(substr({text}, 1, length({text}) - length({tail}))), '')"


def suffix_of(field: str, *tails: str) -> str:
    """SQL: Jr, Sr, II, III or IV from the field for it, else from a tail; other words of the field stay as they are."""
    entries = ", ".join(f"{literal(k)}, {literal(v)}" for k, v in _SUFFIXES.items())

    def known(text: str) -> str:
        return f"map({entries})[lower(regexp_extract({text}, {literal(_SUFFIX)}, 1))]"

    of_field = f"CASE WHEN {field} IS NOT NULL THEN coalesce({known(field)}, {field}) END"
    of_tails = ", ".join(f"CASE WHEN {tail} != '' THEN {known(tail)} END" for tail in tails)
    return f"coalesce({of_field}, {of_tails})"


def title_of(titles: Sequence[str], tails: Sequence[str]) -> str:
    """SQL: titles as one writes them, then degrees as written: `Prof. Dr.`, `Mme`, `PhD`; null without any."""
    title = f"initcap(coalesce({', '.join(f'nullif(trim({title}), {_NOTHING})' for title in titles)}))"
    degrees = [f"CASE WHEN {tail} != '' THEN nullif(trim(BOTH ', ' FROM {replaced(tail, _SUFFIX + '[.]?')}), '') END" for tail in tails]
    return f"nullif(concat_ws(', ', {title}, coalesce({', '.join(degrees)})), '')"


def shown(text: str) -> str:
    """SQL: a name; null where the text only fills the field. Null and None, so written, are people's names."""
    fills = f"lower({text}) IN ({words(_FILLERS)}) OR {text} IN ({words(_FILLERS_IN_CODE)}) OR {found(text, _NO_LETTERS)}"
    return f"CASE WHEN NOT ({fills}) THEN {text} END"


def without_end(text: str, end: str) -> str:
    """SQL: a name without these words, where it ends with them and does not consist of them."""
    return f"coalesce({_until(text, end)}, {text})"


def first_half(full: str, middle: str, family: str) -> str:
    """SQL: what stands before middle and family name in the whole; null where the whole does not end with them."""
    both = f"concat({middle}, ' ', {family})"
    # The whole may lack the middle name; where it lacks the given name instead there is no first half.
    only = f"CASE WHEN NOT (lower({full}) <=> lower({both})) THEN {_until(full, family)} END"
    return f"coalesce({_until(full, both)}, {only})"


def second_half(full: str, given: str, middle: str) -> str:
    """SQL: what stands behind given and middle name in the whole; null where the whole does not begin with them."""
    both = f"concat({given}, ' ', {middle})"
    only = f"CASE WHEN NOT (lower({full}) <=> lower({both})) THEN {_from(full, given)} END"
    return f"coalesce({_from(full, both)}, {only})"


def _until(text: str, end: str) -> str:
    is_end = f"endswith(lower({text}), concat(' ', lower({end})))"
    return f"CASE WHEN {is_end} THEN trim(left({text}, length({text}) - length({end}) - 1)) END"


def _from(text: str, start: str) -> str:
    is_start = f"startswith(lower({text}), concat(lower({start}), ' '))"
    return f"CASE WHEN {is_start} THEN trim(substr({text}, length({start}) + 2)) END"


def is_east_asian(text: str) -> str:
    """SQL: whether a name is in Chinese, Japanese or Korean letters."""
    return f"(length({text}) != octet_length({text}) AND {found(text, _CJK)})"


def is_not_latin(text: str) -> str:
    """SQL: whether a name is in another script."""
    return f"(length({text}) != octet_length({text}) AND {found(text, _NOT_LATIN)})"


def parts_of(full: str, country: str) -> str:
    """SQL: an array of given and family name of a whole name without title and suffix, the missing one blank.

    `Family, Given`; a particle begins the family name (Ludwig | van Beethoven); in Spain and most of Spanish America the
    last two words are it (José Luis | García López); in Chinese, Japanese and Korean letters the family's comes first,
    with or without a space; `DUPONT Jean`; else the last word is the family name, and a single word is one.

    Args:
        full: column of the name.
        country: column of the ISO code, or null.
    """
    ways = [
        (f"contains({full}, ',')", _comma(full)),
        (is_east_asian(full), _east_asian(full)),
        (f"NOT contains({full}, ' ')", f"concat({literal(SEPARATOR)}, {full})"),
        (found(full, _DEVOTED), replaced(full, _DEVOTED, _AS)),
        (found(full, _CAPITALS_FIRST), replaced(full, _CAPITALS_FIRST, f"$2{SEPARATOR}$1")),
        (found(full, _WITH_PARTICLE), replaced(full, _WITH_PARTICLE, _AS)),
        (found(full, _WITH_AND), replaced(full, _WITH_AND, _AS)),
        (f"{country} IN ({words(_TWO_FAMILY_NAMES)})", _spanish(full)),
    ]
    cases = " ".join(f"WHEN {condition} THEN {outcome}" for condition, outcome in ways)
    whole = f"CASE {cases} ELSE {replaced(full, _LAST_WORD, _AS)} END"
    return f"CASE WHEN {full} IS NOT NULL THEN {parted(whole)} END"


def _comma(full: str) -> str:
    family = f"substring_index({full}, ',', 1)"
    given = replaced(f"trim({replaced(f'substr({full}, length({family}) + 2)', '[, ]+', ' ')})", _TITLE)
    return f"concat({given}, {literal(SEPARATOR)}, {family})"


def _spanish(full: str) -> str:
    cases = " ".join(f"WHEN {found(full, p)} THEN {replaced(full, p, _AS)}" for p in (_TWO_GIVEN, _ONE_GIVEN, _FOUR))
    return f"CASE {cases} ELSE {replaced(full, _LAST_WORD, _AS)} END"


def _east_asian(full: str) -> str:
    forms = {_FOREIGN_IN_KANA: _AS}
    forms |= dict.fromkeys((_CJK_SPACED, _CJK_DOUBLE, _CJK_JAPANESE, _CJK_CLOSE), f"$2{SEPARATOR}$1")
    cases = " ".join(f"WHEN {found(full, p)} THEN {replaced(full, p, form)}" for p, form in forms.items())
    return f"CASE {cases} ELSE concat({literal(SEPARATOR)}, {full}) END"
