"""Names and other texts in the one form that matching wants: small Latin letters without accents, whatever the script.

The form is anyascii's transliteration. Latin, Greek and Cyrillic letters are put through it by a table within Spark; only
a text with letters of another script goes to Python.
"""

import re
import unicodedata
import warnings
from collections.abc import Sequence
from functools import cache
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.base.sql import literal
from cdp.silver.text import found, replaced

# The alphabets of the table: small letters of Latin, Greek and Cyrillic.
_RANGES = ((0xDF, 0x250), (0x37B, 0x400), (0x430, 0x530), (0x1E00, 0x2000))
_CODE = 0xE100
"""Letters that become several are first translated to characters of private use from here on."""
# Signs that stand for letters (1º, nᵒ) are none of another script: an address in Spain stays as it is, and within Spark.
_FOREIGN = r"[\p{L}&&[^a-zªº\p{Lm}\p{IsCommon}]]|[\p{Nd}&&[^0-9]]"


def letters_of(text: str) -> str:
    """SQL: small letters, each in Latin where the table knows it; those that become several still as codes.

    Stage one of two: `key_of` is the other.
    """
    accented, plain, _ = _table()
    bare = replaced(f"translate(lower({text}), {literal(accented)}, {literal(plain)})", r"\p{M}+")
    # In UTF-8 a text of ASCII has as many bytes as letters: most names are done with that.
    return f"CASE WHEN length({text}) = octet_length({text}) THEN lower({text}) ELSE {bare} END"


def key_of(letters: str, *, kept: str = "a-z") -> str:
    """SQL: words of small Latin letters with one space between them, from `letters_of`; null where there are none.

    Args:
        letters: SQL of a text.
        kept: the characters of which words are made, as a pattern has them between brackets.
    """
    spelt = letters
    for code, several in _table()[2].items():
        spelt = f"replace({spelt}, {literal(code)}, {literal(several)})"
    codes = f"[{chr(_CODE)}-{chr(_CODE + 0xFF)}]"
    spelt = f"CASE WHEN {found(letters, codes)} THEN {spelt} ELSE {letters} END"
    # An apostrophe stands inside a word, anything else between two.
    words = replaced(replaced(spelt, "['’ʼ`´]"), f"[^{kept}]+", " ")
    return f"nullif(trim({words}), '')"


def is_foreign(letters: str) -> str:
    """SQL: whether `letters_of` left letters that the table does not know."""
    return found(letters, r"[\p{L}&&[^a-z]]")


def in_words(rows: DataFrame, names: Sequence[str]) -> DataFrame:
    """The rows with some texts as words of small Latin letters and digits, one space between them.

    Args:
        rows: holds these columns, texts of any script.
        names: the columns, plain words of SQL.

    Returns:
        The rows with the same columns; these texts are null where no letter and no digit is left.
    """
    if not names:
        return rows
    rows = rows.withColumns({f"_{name}_letters": F.expr(letters_of(name)) for name in names})
    foreign = {name: f"CASE WHEN {found(f'_{name}_letters', _FOREIGN)} THEN {name} END" for name in names}
    # In one step they share a pass through Python.
    rows = rows.withColumns({f"_{name}_latin": romanised(F.expr(sql)) for name, sql in foreign.items()})
    letters = {name: f"coalesce(_{name}_latin, _{name}_letters)" for name in names}
    rows = rows.withColumns({name: F.expr(key_of(sql, kept="a-z0-9")) for name, sql in letters.items()})
    return rows.drop(*[f"_{name}_{step}" for name in names for step in ("letters", "latin")])


def romanised(texts: Column) -> Column:
    """Texts of any script in small ASCII letters; null stays null.

    A batch in which every text is null costs its transfer alone.
    """

    def transliterated(batch: Any) -> Any:
        import pyarrow as pa

        if batch.null_count == len(batch):
            return batch
        from anyascii import anyascii

        return pa.array([None if t is None else anyascii(t).lower() for t in batch.to_pylist()], pa.string())

    return arrow_function(transliterated, "string")(texts)  # type: ignore[no-any-return]


def arrow_function(function: Any, kind: str) -> Any:
    """An Arrow UDF over whole batches; those of one select share a pass through Python."""
    from pyspark.sql.pandas.functions import ArrowUDFType, arrow_udf

    with warnings.catch_warnings():
        # Type hints, which pyspark prefers, would make every job import pyarrow at its start.
        warnings.simplefilter("ignore", UserWarning)
        return arrow_udf(function, kind, ArrowUDFType.SCALAR)


@cache
def _table() -> tuple[str, str, dict[str, str]]:
    """Letters, what stands in their place, and the codes among it with the letters that they stand for."""
    from anyascii import anyascii

    single: dict[str, str] = {}
    codes: dict[str, str] = {}
    for code in (code for start, end in _RANGES for code in range(start, end)):
        letter = chr(code)
        if letter != letter.lower() or not letter.isalpha():
            continue
        base = "".join(c for c in unicodedata.normalize("NFD", letter) if not unicodedata.combining(c))
        latin = "".join(c for c in anyascii(base).lower() if "a" <= c <= "z")
        if len(latin) > 1:
            latin = codes.setdefault(latin, chr(_CODE + len(codes)))
        single[letter] = latin
    # `translate` drops what stands beyond the end of its second list: the hard and the soft sign.
    ordered = sorted(single, key=lambda letter: single[letter] == "")
    return "".join(ordered), "".join(single[letter] for letter in ordered), {c: several for several, c in codes.items()}


def single_letters(text: str) -> str:
    """SQL: small letters, each as its Latin one; those that become several as a character of private use.

    For looking words of several languages up; `single_letters_of` does the same to the words that are looked up.
    """
    accented, plain, _ = _table()
    return f"translate(lower({text}), {literal(accented)}, {literal(plain)})"


def single_letters_of(text: str) -> str:
    """The same in Python."""
    accented, plain, _ = _table()
    dropped = accented[len(plain) :]
    return text.lower().translate(str.maketrans(accented[: len(plain)], plain, dropped))


def folded_name(text: str) -> str:
    """What `letters_of`, for other scripts `romanised`, and `key_of` make of a name, in Python; empty where nothing is left."""
    from anyascii import anyascii

    accented, plain, codes = _table()
    composed = unicodedata.normalize("NFC", text).lower()
    letters = composed.translate(str.maketrans(accented[: len(plain)], plain, accented[len(plain) :]))
    bare = "".join(c for c in letters if not unicodedata.category(c).startswith("M"))
    for code, several in codes.items():
        bare = bare.replace(code, several)
    latin = anyascii(bare).lower() if not bare.isascii() else bare
    return re.sub("[^a-z]+", " ", re.sub("['’ʼ`´]", "", latin)).strip()
