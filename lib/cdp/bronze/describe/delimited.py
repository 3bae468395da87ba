"""Delimited text as a table."""

import csv
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import islice

from cdp.base.errors import UsageError
from cdp.bronze.describe.dialect import Dialect, find_dialect, is_padded
from cdp.bronze.describe.encoding import decode
from cdp.bronze.describe.header import has_header, names_of
from cdp.bronze.describe.opened import Opened
from cdp.bronze.describe.table import RawColumn, Table, rows_for, usable

_FIRST = 300
_MOST_BEFORE = 20
_MOST_COLUMNS = 5_000


def read_delimited(opened: Opened) -> Table:
    """Read an extract of delimited text.

    Raises:
        UsageError: it is none.
    """
    text, encoding, note = decode(opened.path, opened.data)
    if not opened.is_whole:
        text = text[: max(text.rfind("\n"), text.rfind("\r")) + 1] or text
    dialect = find_dialect(text, prefers_tabs=".tsv" in opened.path.suffixes)
    rows, is_cut = _rows(opened, text, dialect)
    width = Counter(map(len, rows[:_FIRST])).most_common(1)[0][0]
    if width == 1 and is_padded(text):
        raise UsageError(
            f"{opened.path}: found columns set apart by runs of spaces, wanted a delimiter such as a comma between values"
        )
    rows, left_out = _without_preamble(rows, width)
    header = rows.pop(0) if has_header(rows) else None
    width = len(header) if header else width
    options = _options(dialect, encoding, has_header=header is not None) | left_out
    notes = [note] if note else []
    whole = [row for row in rows if len(row) == width]
    if len(whole) < len(rows):
        notes.append(f"{len(rows) - len(whole):,} of {len(rows):,} rows have not {width} values; they will go to quarantine")
    columns = _columns(names_of(header or [""] * width), whole)
    if any("\n" in v or "\r" in v for c in columns for v in c.values if v):
        options["multiline"] = True
    if header is None:
        notes.append("the first line looks like data, so the columns have no names; give them some, in their order")
    kept = usable(columns, notes) if header else columns
    if not kept:
        raise UsageError(f"{opened.path}: found no column with a name that a contract can hold")
    return Table("csv", kept, len(whole), opened.is_whole and not is_cut, options, header is not None, notes)


def _rows(opened: Opened, text: str, dialect: Dialect) -> tuple[list[list[str]], bool]:
    try:
        found = dialect.rows(text)
        first = list(islice(found, _FIRST))
        if not first:
            raise UsageError(f"{opened.path}: found no row")
        width = max(map(len, first))
        if width > _MOST_COLUMNS:
            raise UsageError(f"{opened.path}: found {width:,} columns, wanted at most {_MOST_COLUMNS:,}")
        most = rows_for(width)
        rows = first[: most + 1] + [_shared(row) for row in islice(found, max(0, most + 1 - len(first)))]
    except csv.Error:
        raise UsageError(f"{opened.path}: found text that is no table, wanted csv, json or parquet") from None
    return rows[: most + 1], len(rows) > most or _has_more(found)


def _without_preamble(rows: list[list[str]], width: int) -> tuple[list[list[str]], dict[str, str | bool | int]]:
    """The rows without what stands before the table or among it as a comment, and the options that leave it out."""
    is_comment = [row[0].startswith("#") and len(row) != width for row in rows[:_FIRST]]
    if any(is_comment):
        return [row for row in rows if not (row[0].startswith("#") and len(row) != width)], {"comment": "#"}
    before = next((n for n, row in enumerate(rows[:_MOST_BEFORE]) if len(row) == width), 0)
    is_plain = not any("\n" in cell or "\r" in cell for row in rows[:before] for cell in row)
    return (rows[before:], {"skip_lines": before}) if before and width > 1 and is_plain else (rows, {})


def _has_more(rows: Iterator[list[str]]) -> bool:
    try:
        return next(rows, None) is not None
    except csv.Error:
        return True


def _shared(row: list[str]) -> list[str]:
    # Most columns repeat their values: one string for all of them keeps memory small.
    return [sys.intern(cell) for cell in row]


def _columns(names: list[str], rows: list[list[str]]) -> list[RawColumn]:
    if not rows:
        return [RawColumn(name, []) for name in names]
    return [RawColumn(name, list(values)) for name, values in zip(names, zip(*rows, strict=True), strict=True)]


def _options(dialect: Dialect, encoding: str, *, has_header: bool) -> dict[str, str | bool | int]:
    options: dict[str, str | bool | int] = {"header": has_header, "delimiter": dialect.delimiter}
    if dialect.quote != '"':
        options["quote"] = dialect.quote
    if dialect.escape != '"':
        options["escape"] = dialect.escape
    return options | {"encoding": encoding}
