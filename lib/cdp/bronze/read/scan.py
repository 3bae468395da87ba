"""Finds rows in the bytes of an extract where Spark's own splitting at line breaks will not do."""

import mmap
import re
from collections.abc import Iterable, Iterator

from cdp.bronze.read.stream import UNREADABLE, DamagedError

Buffer = bytes | mmap.mmap
Found = tuple[bytes, str | None]
"""A row's bytes, and what is wrong with it, if anything."""
BLANK = " \t\x0b\x0c\x00\x1a"
"""Characters of a line that says nothing. Ctrl-Z ends files of DOS, zeros pad files of tapes."""
_GAP = re.compile(rb"[\s\x00\x1a]*")
_GAP_IN_ARRAY = re.compile(rb"[\s,\x00\x1a]*")
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_STEP = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]]', re.DOTALL)
_SCALAR = re.compile(rb"[^\s,\]}]+")
_LINE_END = re.compile(rb"\r\n|\n|\r|\Z")
# What windows-1252 has no character for is read as Latin-1 does, so that each byte can be had back.
WINDOWS = {byte: bytes([byte]).decode("windows-1252", "ignore") or chr(byte) for byte in range(0x80, 0xA0)}


def lines(blocks: Iterable[bytes]) -> Iterator[Found]:
    """Lines that end with LF, CR LF or CR. What is left of the last one of a damaged file comes with the reason."""
    rest = b""
    try:
        for block in blocks:
            rest += block
            # A CR at the end of a block may have its LF in the next one.
            end = max(rest.rfind(b"\n"), rest.rfind(b"\r", 0, len(rest) - 1))
            if end >= 0:
                whole, rest = rest[: end + 1], rest[end + 1 :]
                for line in whole.splitlines():
                    yield line, None
    except DamagedError as error:
        yield rest, f"file ends early: {error}"
        return
    for line in rest.splitlines():
        yield line, None


def records(text: Buffer, start: int, pattern: re.Pattern[bytes], comment: bytes, skipped: int) -> Iterator[Found]:
    """Rows of a CSV file that may span lines.

    A quote that is never closed, or closed within a value, costs the line it stands in: the next line begins anew.

    Args:
        text: the whole file.
        start: where its rows start.
        pattern: a row, from `dialect.record_pattern`.
        comment: how a line that is no row begins; empty: there are none.
        skipped: lines in front that may hold anything.
    """
    position, seen = start, 0
    while position < len(text):
        if comment and text[position : position + len(comment)] == comment:
            _, position = _line(text, position)
            continue
        match = pattern.match(text, position) if seen >= skipped else None
        if match:
            position = match.end()
            yield match.group(1), None
        else:
            line, position = _line(text, position)
            yield line, None if seen < skipped else "row has a quote that is not closed"
            seen += bool(line.strip(BLANK.encode()))


def documents(text: Buffer, start: int) -> Iterator[Found]:
    """JSON values of a file: those of an array one by one, else one after the other. Broken ones are found whole too."""
    position, in_array = start, False
    while True:
        gap = (_GAP_IN_ARRAY if in_array else _GAP).match(text, position)
        position = gap.end() if gap else position
        first = text[position : position + 1]
        if not first:
            break
        if (first == b"[" and not in_array) or (first == b"]" and in_array):
            in_array, position = not in_array, position + 1
            continue
        end = _value_end(text, position)
        if end is None:
            yield text[position : len(text)], "file ends early: a document is not closed"
            return
        yield text[position:end], None
        position = end
    if in_array:
        yield b"", "file ends early: the array is not closed"


def decoded(row: bytes, encoding: str) -> tuple[str, bool, bool]:
    """Text of a row, whether it is readable, and whether it was read as windows-1252 as it is not UTF-8."""
    try:
        text = row.decode("utf-8")
    except UnicodeDecodeError:
        return row.decode("latin-1").translate(WINDOWS), True, True
    if encoding != "utf-8" and UNREADABLE in text:
        return text.replace(UNREADABLE, "\ufffd"), False, False
    return text, True, False


def _line(text: Buffer, start: int) -> tuple[bytes, int]:
    end = _LINE_END.search(text, start)
    assert end is not None  # it also matches the end of the text
    return text[start : end.start()], max(end.end(), start + 1)


def _value_end(text: Buffer, start: int) -> int | None:
    first = text[start : start + 1]
    if first not in (b"{", b"["):
        found = (_STRING if first == b'"' else _SCALAR).match(text, start)
        return found.end() if found else start + 1
    depth = 0
    for step in _STEP.finditer(text, start):
        mark = text[step.start()]
        if mark in b"{[":
            depth += 1
        elif mark in b"}]":
            depth -= 1
            if depth == 0:
                return step.end()
    return None
