"""How a delimited file is written: what stands between values, around them and before a quote in them.

Each way of reading is judged by two things, after van den Burg, Nazábal and Sutton (2019), Data Mining and Knowledge
Discovery 33, 1799-1820: whether the rows come out equally long, and whether the cells come out as something known.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

_LINES = 400
_CHARACTERS = 1 << 18
_USUAL = ",;\t|"
_UNUSUAL = "^~#:\x01\x1e\x1f¦§"
_KNOWN = re.compile(
    r"""[+-]?[\d.,' ]*\d(?:[eE][+-]?\d+)?\ ?[%€$£]?   # a number
    |\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ,]+[\d:.]+\ ?(?:[AaPp][Mm])?(?:Z|[+-]\d\d:?\d\d)?)?   # a date or time
    |[^\s@,;|]+@[^\s@,;|]+\.\w+                       # an e-mail address
    |https?://\S+
    |\+?[\d() ./-]{6,}                                # a phone number
    |[\w.'’&#/()+ -]*                                 # words, or nothing
    """,
    re.VERBOSE,
)
_NOTHING = 1e-3


@dataclass(frozen=True)
class Dialect:
    """A way of writing values in lines, in the words of a source's `options`."""

    delimiter: str = ","
    quote: str = '"'
    escape: str = '"'

    def rows(self, text: str) -> Iterator[list[str]]:
        """The rows of a text, without those that hold nothing.

        Raises:
            csv.Error: the text is not written so.
        """
        csv.field_size_limit(1 << 27)
        doubles = self.escape == self.quote
        lines: Iterable[str] = io.StringIO(text, newline="")
        reader = csv.reader(
            lines,
            delimiter=self.delimiter,
            quotechar=self.quote,
            doublequote=doubles,
            escapechar=None if doubles else self.escape,
        )
        return (row for row in reader if row and (len(row) > 1 or row[0].strip()))


def find_dialect(text: str, *, prefers_tabs: bool = False) -> Dialect:
    """The way in which a text makes the best table.

    Args:
        text: the first lines of a file.
        prefers_tabs: whether the file's name ends in .tsv.
    """
    start = _whole_lines(text)
    quotes = ['"'] + (["'"] if re.search(r"(?:^|[,;\t|])'[^'\n]*'(?:[,;\t|]|$)", start, re.MULTILINE) else [])
    escapes = {q: [q] + (["\\"] if f"\\{q}" in start else []) for q in quotes}
    usual = "\t" + _USUAL.replace("\t", "") if prefers_tabs else _USUAL
    candidates = [
        Dialect(delimiter, quote, escape)
        for delimiter in usual + _UNUSUAL
        if delimiter in start
        for quote in quotes
        for escape in escapes[quote]
    ]
    if not candidates:
        return Dialect()
    scored = [(_score(start, dialect), dialect) for dialect in candidates]
    best = max(score for score, _ in scored)
    # The first of equals: candidates stand in order of how usual they are.
    return next(dialect for score, dialect in scored if score >= best * 0.999)


def is_padded(text: str) -> bool:
    """Whether columns are set apart by runs of spaces, as in print: no reader of delimited files takes that."""
    lines = [line.strip() for line in islice(io.StringIO(_whole_lines(text)), 100) if line.strip()]
    widths = Counter(len(re.split(r" {1,}", line)) for line in lines)
    padded = sum(bool(re.search(r"\S {2,}\S", line)) for line in lines)
    width, count = widths.most_common(1)[0] if widths else (0, 0)
    return len(lines) > 2 and width > 1 and count >= 0.95 * len(lines) and padded >= 0.5 * len(lines)


def _whole_lines(text: str) -> str:
    start = text[:_CHARACTERS]
    if len(start) == len(text):
        return start
    return start[: max(start.rfind("\n"), start.rfind("\r")) + 1] or start


def _score(text: str, dialect: Dialect) -> float:
    try:
        rows = list(islice(dialect.rows(text), _LINES))
    except csv.Error:
        return 0.0
    lengths = Counter(map(len, rows))
    pattern = sum(n * max(_NOTHING, length - 1) / length for length, n in lengths.items()) / len(lengths)
    cells = [cell for row in rows for cell in row]
    known = sum(_is_known(cell, dialect) for cell in cells) / max(1, len(cells))
    # A header that is as long as the rows is worth more than a few cells of odd text.
    matches = 1.0 if rows and len(rows[0]) == lengths.most_common(1)[0][0] else 0.5
    return pattern * max(_NOTHING, known) * matches


def _is_known(cell: str, dialect: Dialect) -> bool:
    stripped = cell.strip()
    if len(stripped) > 1 and stripped[0] == stripped[-1] and stripped[0] in "\"'" and stripped[0] != dialect.quote:
        return False
    # A cell with another's delimiter in it is known only as what needs it, such as a number.
    return bool(_KNOWN.fullmatch(stripped[:200]))
