"""Bytes of an extract as text in UTF-8, whatever they are compressed and written with."""

import bz2
import codecs
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

_BLOCK = 256 << 10
UNREADABLE = "\uffff"
"""Stands, while a row is read, for bytes that are nothing in their encoding: no text may hold this character."""
MAGIC = {"gzip": b"\x1f\x8b", "bzip2": b"BZh", "xz": b"\xfd7zXZ\x00"}
"""How a compressed file begins."""
_DECODERS: dict[str, Callable[[], Any]] = {
    "gzip": lambda: zlib.decompressobj(wbits=31),
    "bzip2": bz2.BZ2Decompressor,
    "xz": lzma.LZMADecompressor,
}


class DamagedError(Exception):
    """A file cannot be read to its end; the text says why."""


def text_blocks(raw: BinaryIO, compression: str, encoding: str) -> Iterator[bytes]:
    """Blocks of UTF-8 without byte order mark.

    What is UTF-8 by name is handed on as it is, valid or not; in other encodings `UNREADABLE` stands for what is none.

    Raises:
        DamagedError: the file is compressed and ends early or is corrupt; what came before has been handed out.
    """
    blocks = _inflated(raw, compression)
    return _without_mark(blocks if encoding == "utf-8" else _recoded(blocks, encoding))


def inflated_start(data: bytes, compression: str) -> bytes:
    """What can be read of the start of a file."""
    if not compression:
        return data
    try:
        start: bytes = _DECODERS[compression]().decompress(data)
        return start
    except (zlib.error, lzma.LZMAError, OSError, EOFError):
        return b""


def _inflated(raw: BinaryIO, compression: str) -> Iterator[bytes]:
    """The file's blocks, decompressed. Several compressed parts in a row count as one file."""
    if not compression:
        while block := raw.read(_BLOCK):
            yield block
        return
    decoder = _DECODERS[compression]()
    while block := raw.read(_BLOCK):
        while block:
            if decoder.eof:
                if not block.strip(b"\x00"):
                    break  # padding of tapes and block devices
                decoder = _DECODERS[compression]()
            try:
                yield decoder.decompress(block)
            except (zlib.error, lzma.LZMAError, OSError, EOFError):
                raise DamagedError(f"its {compression} data is damaged") from None
            block = decoder.unused_data if decoder.eof else b""
    if not decoder.eof:
        raise DamagedError(f"its {compression} data is cut short")


def _recoded(blocks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    codecs.register_error("cdp.mark", lambda error: (UNREADABLE, error.end))  # type: ignore[attr-defined]
    decoder = codecs.getincrementaldecoder(encoding)("cdp.mark")
    for block in blocks:
        yield decoder.decode(block).encode("utf-8", "replace")
    yield decoder.decode(b"", True).encode("utf-8", "replace")


def _without_mark(blocks: Iterator[bytes]) -> Iterator[bytes]:
    start = b""
    for block in blocks:
        start += block
        if len(start) >= len(codecs.BOM_UTF8):
            yield start.removeprefix(codecs.BOM_UTF8)
            yield from blocks
            return
    yield start.removeprefix(codecs.BOM_UTF8)


def text_of(start: bytes, encoding: str) -> bytes:
    """The first bytes of a file as UTF-8 without byte order mark; a character that is cut off at the end is left out."""
    if encoding != "utf-8":
        start = codecs.getincrementaldecoder(encoding)("replace").decode(start).encode("utf-8", "replace")
    return start.removeprefix(codecs.BOM_UTF8)
