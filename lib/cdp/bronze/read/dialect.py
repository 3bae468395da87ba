"""How a CSV source writes values, as regular expressions: one grammar for Spark (Java) and for Python.

A value is quoted or bare. A quoted one ends at a quote that a delimiter or the end of the row follows, and holds quotes
doubled or escaped; anything else makes the row unreadable in place of being guessed at. A bare one may hold quotes
anywhere but in front (`5" nails`).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from cdp.bronze.columns import ReadOptions

_LINE_BREAKS = "\r\n"


@dataclass(frozen=True)
class Dialect:
    """Delimiter, quote and escape; the last two empty where there is none, the escape also where it is the quote."""

    delimiter: str
    quote: str
    escape: str

    @classmethod
    def of(cls, options: ReadOptions) -> "Dialect":
        # The default escape is the default quote: without quotes there is then no escape either.
        is_doubled = options.escape == options.quote or (not options.quote and options.escape == '"')
        return cls(options.delimiter, options.quote, "" if is_doubled else options.escape)

    @property
    def marks(self) -> str:
        """Characters without which a row is split at its delimiters and that is all."""
        return self.quote + self.escape


def java_field(dialect: Dialect) -> str:
    """Java pattern of a delimiter and the value after it (group 1, quotes and all)."""
    # Possessive loops: Java's others recurse, and a value of some thousand doubled quotes would end the executor.
    grammar = _Grammar(dialect, lambda c: f"\\x{{{ord(c):x}}}", "+", "")
    after = f"(?={grammar.delimiter}|\\z)"
    quoted = f"{grammar.quoted}{after}|" if dialect.quote else ""
    return f"(?s){grammar.delimiter}({quoted}{grammar.bare})"


def java_literal(text: str) -> str:
    """Java pattern of a text; of one character in the form that `split` takes a short cut for."""
    if len(text) == 1:
        return text if text.isalnum() or ord(text) > 127 else f"\\{text}" if text.isprintable() else text
    return "".join(f"\\x{{{ord(c):x}}}" for c in text)


def record_pattern(dialect: Dialect) -> re.Pattern[bytes]:
    """Pattern of a whole row in UTF-8, which may span lines (group 1), with the line break that ends it."""
    in_bytes = Dialect(*[m.encode().decode("latin-1") for m in (dialect.delimiter, dialect.quote, dialect.escape)])
    grammar = _Grammar(in_bytes, re.escape, "", _LINE_BREAKS)
    after = f"(?={grammar.delimiter}|[\\r\\n]|\\Z)"
    field = f"(?:{grammar.quoted}{after}|{grammar.bare})" if dialect.quote else grammar.bare
    pattern = f"(?s)({field}(?:{grammar.delimiter}{field})*)(?:\\r\\n|\\n|\\r|\\Z)"
    return re.compile(pattern.encode("latin-1"))


def split_row(dialect: Dialect, row: str) -> list[str] | None:
    """Values of a row, as Spark splits it; None where it cannot be split."""
    grammar = _Grammar(dialect, re.escape, "", "")
    after = f"(?={grammar.delimiter}|\\Z)"
    quoted = f"{grammar.quoted}{after}|" if dialect.quote else ""
    fields = re.findall(f"(?s){grammar.delimiter}({quoted}{grammar.bare})", dialect.delimiter + row)
    if dialect.delimiter.join(fields) != row:
        return None
    return [_bare(dialect, field) for field in fields]


def _bare(dialect: Dialect, field: str) -> str:
    if dialect.quote and field.startswith(dialect.quote):
        field = field[1:-1]
        if not dialect.escape:
            return field.replace(dialect.quote * 2, dialect.quote)
    return re.sub(f"(?s){re.escape(dialect.escape)}(.)", r"\1", field) if dialect.escape else field


class _Grammar:
    """Parts of a pattern in one regular expression language.

    Args:
        dialect: marks.
        literal: writes a character as itself.
        possessive: what makes a loop possessive, if anything.
        stops: characters that end a bare value besides the delimiter.
    """

    def __init__(self, dialect: Dialect, literal: Callable[[str], str], possessive: str, stops: str) -> None:
        self.delimiter = "".join(map(literal, dialect.delimiter))
        quote, escape = ("".join(map(literal, mark)) for mark in (dialect.quote, dialect.escape))
        self._loop = f"*{possessive}"
        inner = self._other_than([m for m in (dialect.quote, dialect.escape) if m], "", literal)
        outer = self._other_than([m for m in (dialect.delimiter, dialect.escape) if m], stops, literal)
        step = f"{escape}.?" if escape else f"{quote}{quote}"
        self.quoted = f"{quote}{self._mixed(inner, step)}{quote}"
        bare = self._mixed(outer, step) if escape else f"{outer}{self._loop}"
        self.bare = f"(?!{quote}){bare}" if quote else bare

    def _mixed(self, plain: str, step: str) -> str:
        return f"{plain}{self._loop}(?:{step}{plain}{self._loop}){self._loop}"

    @staticmethod
    def _other_than(marks: list[str], stops: str, literal: Callable[[str], str]) -> str:
        single = "".join(literal(m) for m in marks if len(m) == 1) + "".join(literal(c) for c in stops)
        longer = "".join(f"(?!{''.join(map(literal, m))})" for m in marks if len(m) > 1)
        one = f"[^{single}]" if single else "."
        return f"(?:{longer}{one})" if longer else one
