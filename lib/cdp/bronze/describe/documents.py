"""JSON as a table: an object a line, a list of objects, or objects over several lines."""

import json
from collections.abc import Iterator
from typing import Any

from cdp.base.errors import UsageError
from cdp.bronze.describe.encoding import decode
from cdp.bronze.describe.nested import FloatText, IntegerText, columns_of
from cdp.bronze.describe.opened import Opened
from cdp.bronze.describe.table import MOST_CELLS, MOST_ROWS, Table, usable

_DECODER = json.JSONDecoder(parse_int=IntegerText, parse_float=FloatText, parse_constant=FloatText)
_BREAKS = (ValueError, RecursionError)


def looks_like_json(text: bytes) -> bool:
    """Whether bytes begin as JSON does, in any encoding that has ASCII in it."""
    start = text[:4096].replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xfe\xff \t\r\n")
    return start.startswith((b"{", b"[{", b"[\n", b"[\r", b"[ ", b"[]", b"[\t"))


def read_documents(opened: Opened) -> Table:
    """Read an extract of JSON.

    Raises:
        UsageError: it is none, or holds no objects.
    """
    text, encoding, note = decode(opened.path, opened.data)
    notes = [note] if note else []
    if not opened.is_whole:
        text = text[: text.rfind("\n") + 1] or text
    options: dict[str, str | bool | int] = {} if encoding == "UTF-8" else {"encoding": encoding}
    objects, broken, is_cut = _lines(text)
    if not objects:
        objects, is_cut = _document(opened, text)
        if not text.lstrip().startswith("["):  # a list of objects is noticed by itself
            options["multiline"] = True
    if broken:
        notes.append(f"{broken:,} of {len(objects) + broken:,} lines hold no JSON object; they will go to quarantine")
    columns = usable(columns_of(objects), notes)
    if not columns:
        raise UsageError(f"{opened.path}: found JSON objects without a name that a contract can hold")
    if len(objects) == 1 and any("array<struct" in (c.type or "") for c in columns):
        notes.append("there is one object with a list in it: the rows may be that list's elements")
    return Table("json", columns, len(objects), opened.is_whole and not is_cut, options, True, notes)


def _lines(text: str) -> tuple[list[dict[str, Any]], int, bool]:
    """Objects of lines, how many lines hold none, and whether there are more; nothing where the first line is none."""
    objects: list[dict[str, Any]] = []
    broken = cells = 0
    for line in _each_line(text):
        if len(objects) >= MOST_ROWS or cells >= MOST_CELLS:
            return objects, broken, True
        try:
            found = _DECODER.decode(line)
        except _BREAKS:
            found = None
        if isinstance(found, dict):
            objects.append(found)
            cells += 1 + line.count('":')
        elif not objects:
            return [], 0, False
        else:
            broken += 1
    return objects, broken, False


def _each_line(text: str) -> Iterator[str]:
    start = 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        line = text[start:end].strip()
        if line:
            yield line
        start = end + 1


def _document(opened: Opened, text: str) -> tuple[list[dict[str, Any]], bool]:
    objects: list[dict[str, Any]] = []
    position, cells = _skip(text, 0, "["), 0
    while position < len(text) and text[position] != "]":
        if len(objects) >= MOST_ROWS or cells >= MOST_CELLS:
            return objects, True
        try:
            found, end = _DECODER.raw_decode(text, position)
        except _BREAKS:
            if objects and not opened.is_whole:
                return objects, True
            line = text.count("\n", 0, position) + 1
            raise UsageError(
                f"{opened.path}: found something from line {line} on that is no whole JSON, wanted an object a line"
            ) from None
        if not isinstance(found, dict):
            raise UsageError(f"{opened.path}: found JSON that is no object, wanted an object a line")
        objects.append(found)
        cells += text.count('":', position, end)
        position = _skip(text, end, ",")
    if not objects:
        raise UsageError(f"{opened.path}: found an empty JSON list, wanted an object a line")
    return objects, False


def _skip(text: str, position: int, mark: str) -> int:
    """Position of the next value: spaces and one `mark` are passed over."""
    for _ in range(2):
        while position < len(text) and text[position].isspace():
            position += 1
        if position < len(text) and text[position] == mark:
            position, mark = position + 1, ""
    return position
