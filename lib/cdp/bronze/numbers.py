"""Numbers as people and systems write them, read without loss or not at all."""

import re

from pyspark.sql import Column
from pyspark.sql import functions as F

_SPACES = " \u00a0\u2007\u202f"
_SPACE = f"[{_SPACES}]"
_POINT = "\x01"
_FLOAT = r"\A[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\z"
_SAMPLE = re.compile(r"(?P<before>[^\d]*)(?P<number>\d(?:.*\d)?)(?P<after>[^\d]*)")


def plain_number(text: Column, kind: str, sample: str | None) -> Column:
    """The number of a text; null where it is none, or one that the type would not hold exactly.

    Args:
        text: without spaces around it, null where nothing was sent.
        kind: numeric Spark type.
        sample: a number that shows the marks used, such as `1.234,56`, `1 234,56 €`.
    """
    plain = text if sample is None else _without_marks(text, sample)
    if kind.startswith(("double", "float", "real")):
        value = F.when(F.rlike(plain, F.lit(_FLOAT)), plain.try_cast(kind))
        return F.when(F.abs(value) < F.lit(float("inf")), value)
    if not kind.startswith(("dec", "numeric")):
        return plain.try_cast(kind)
    sizes = re.findall(r"\d+", kind)
    scale = sizes[1] if len(sizes) > 1 else "0"
    is_exact = F.rlike(plain, F.lit(rf"\A[+-]?(?=\.?\d)\d*(?:\.\d{{0,{scale}}}0*)?\z"))
    # With an exponent the digits do not show the scale: a type of many more decimals does.
    wide = plain.try_cast("decimal(38,19)")
    value = plain.try_cast(kind)
    return F.when(is_exact | (F.rlike(plain, F.lit("[eE]")) & (wide == value)), value)


def _without_marks(text: Column, sample: str) -> Column:
    """The number with a decimal point and no other mark; null where the marks are not where the sample has them."""
    shown = _SAMPLE.fullmatch(sample.strip())
    if shown is None or sample.strip().isdigit():
        return text
    number = shown["number"]
    marks = re.findall(r"\D", number)
    is_decimal = bool(marks) and (
        marks.count(marks[-1]) == 1 and (len(set(marks)) > 1 or not re.search(r"\D\d{3}\Z", number))
    )
    decimal = marks[-1] if is_decimal else ""
    group = next((mark for mark in marks if mark != decimal), "")
    sizes = "{2,3}" if re.search(r"\D\d\d\D", number) else "{3}"
    whole = rf"\d{{1,3}}(?:{_mark(group)}\d{sizes})+|\d+" if group else r"\d+"
    part = rf"(?:{_mark(decimal)}(\d*))?" if decimal else "()"
    around = [_around(shown["before"]), _around(shown["after"])]
    pattern = rf"\A([+-]?){around[0]}([+-]?)({whole}){part}{around[1]}\z"
    found = F.when(F.rlike(text, F.lit(pattern)), text)
    bare = F.regexp_replace(found, pattern, f"$1$2$3{_POINT if decimal else ''}$4")
    return F.translate(bare, _POINT + (_SPACES if re.fullmatch(_SPACE, group) else group), ".")


def _mark(mark: str) -> str:
    # A space between groups is a breaking, a non-breaking or a narrow one, as the writer's system likes.
    return _SPACE if re.fullmatch(_SPACE, mark) else _literal(mark)


def _around(text: str) -> str:
    """Pattern of what may stand beside a number: a currency, with or without spaces."""
    word = text.strip(" \u00a0\u202f+-")
    return f"(?:{_SPACE}*{_literal(word)}{_SPACE}*)?" if word else ""


def _literal(text: str) -> str:
    return "".join(f"\\x{{{ord(c):x}}}" for c in text)
