"""From a path to the first bytes of an extract, or a sentence about why it is none."""

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cdp.base.errors import UsageError

MOST_BYTES = 32 << 20
"""Bytes of an extract that are looked at, after decompression."""
ENDINGS = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".gz", ".bz2", ".xz")
"""Endings by which a name is taken for that of an extract."""

_WANTED = "wanted csv, json or parquet"
_COMPRESSED: dict[bytes, tuple[str, Callable[[Path], Any]]] = {
    b"\x1f\x8b": ("gzip", gzip.open),
    b"BZh": ("bzip2", bz2.open),
    b"\xfd7zXZ": ("xz", lzma.open),
}
_PARQUET = b"PAR1"
_OTHERS = {
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"%PDF": "a PDF document",
    b"\xd0\xcf\x11\xe0": "an old Office document",
    b"Obj\x01": "Avro",
    b"ORC": "ORC",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"7z\xbc\xaf": "a 7z archive",
    b"SQLite format 3": "a SQLite database",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"<?xml": "XML",
    b"<!DOCTYPE": "a web page",
    b"<html": "a web page",
}


@dataclass(frozen=True)
class Opened:
    """An extract that was found.

    Attributes:
        path: the file.
        folder: the folder that was named, where it was one; the file is its newest.
        data: its first bytes, decompressed; empty for Parquet, which is read otherwise.
        is_whole: whether those are all.
        is_parquet: whether it is Parquet.
    """

    path: Path
    folder: Path | None
    data: bytes
    is_whole: bool
    is_parquet: bool = False


def open_extract(path: Path) -> Opened:
    """Find a file, or the newest one of a folder, and read how it begins.

    Raises:
        UsageError: there is none, or it is empty, cut short, not readable, or of a kind that cannot be ingested.
    """
    try:
        folder = path if path.is_dir() else None
        file = _newest(path) if folder else path
        if not file.is_file():
            found = "something that is no file" if file.exists() else "nothing"
            raise UsageError(f"{file}: found {found}, {_WANTED}")
        with file.open("rb") as stream:
            start = stream.read(16)
        if start[:4] == _PARQUET:
            return Opened(file, folder, b"", is_whole=True, is_parquet=True)
        data, is_whole = _first_bytes(file, start)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror or error})") from None
    except ValueError:  # a NUL in the path
        raise UsageError(f"{str(path)!r}: found no name of a file") from None
    _refuse_other_kinds(file, data)
    return Opened(file, folder, data, is_whole)


def _newest(folder: Path) -> Path:
    shown = [p for p in folder.rglob("*") if not any(part.startswith((".", "_")) for part in p.relative_to(folder).parts)]
    files = [p for p in shown if p.suffix.lower() in ENDINGS and p.is_file()]
    if not files:
        raise UsageError(f"{folder}: found a folder without an extract, {_WANTED}")
    return max(files, key=lambda p: (p.stat().st_mtime, p.name))


def _first_bytes(file: Path, start: bytes) -> tuple[bytes, bool]:
    name, opener = next((c for magic, c in _COMPRESSED.items() if start.startswith(magic)), ("", None))
    try:
        with opener(file) if opener else file.open("rb") as stream:
            data: bytes = stream.read(MOST_BYTES + 1)
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, ValueError):
        raise UsageError(f"{file}: found {name} that is cut short or damaged; fetch the file again") from None
    except OSError as error:
        if opener and error.errno is None:  # bzip2 says so of damaged data
            raise UsageError(f"{file}: found {name} that is cut short or damaged; fetch the file again") from None
        raise
    return data[:MOST_BYTES], len(data) <= MOST_BYTES


def _refuse_other_kinds(file: Path, data: bytes) -> None:
    if not data.strip(b"\x00 \t\r\n\xef\xbb\xbf"):
        raise UsageError(f"{file}: found an empty file, {_WANTED}")
    for magic, kind in _OTHERS.items():
        if data.startswith(magic):
            raise UsageError(f"{file}: found {kind}, {_WANTED}")
    if data.startswith(_PARQUET):
        raise UsageError(f"{file}: found Parquet that is compressed as a whole; it compresses by itself, so unpack it")
