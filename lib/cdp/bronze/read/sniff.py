"""What a file is, told by its first bytes: compressed how, in which encoding, or no extract at all."""

import codecs
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pyspark.sql import SparkSession

from cdp.base.files import FoundFile, explain_os_error
from cdp.bronze.read.stream import MAGIC, inflated_start

_HEADS = (64 << 10, 1 << 20, 64 << 20)
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_STRANGERS = {
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"PAR1": "Parquet",
    b"\xd0\xcf\x11\xe0": "an old Office document",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"%PDF": "a PDF document",
    b"7z\xbc\xaf": "a 7z archive",
}
# Spark decompresses by the ending of the name, whatever is in the file.
_ENDINGS = (".gz", ".bz2", ".xz", ".zst", ".zstd", ".lz4", ".snappy", ".deflate")


@dataclass(frozen=True)
class Extract:
    """A file and what it is.

    Attributes:
        file: the file.
        full_path: its path or URI.
        compression: gzip, bzip2, xz or nothing.
        encoding: Python's name of the encoding.
        problem: why it cannot be read at all, if so.
        head: its first text, decompressed, as bytes of the encoding.
    """

    file: FoundFile
    full_path: str
    compression: str = ""
    encoding: str = "utf-8"
    problem: str | None = None
    head: bytes = b""

    @property
    def is_plain(self) -> bool:
        """Whether Spark can split it at line breaks by itself: not compressed, and each ASCII byte a character."""
        return (
            not self.compression
            and not self.file.path.endswith(_ENDINGS)
            and (self.encoding == "utf-8" or is_single_byte(self.encoding))
        )


def sniff(
    spark: SparkSession, landing: str, files: list[FoundFile], encoding: str, *, is_local: bool
) -> list[Extract]:
    """Look at the first bytes of each file. Empty files hold no row and are left out."""

    def look(file: FoundFile) -> Extract:
        path = f"{landing}/{file.path}"
        try:
            return _told(file, path, first_bytes(spark, path, file.size, _HEADS[0], is_local=is_local), encoding)
        except OSError as error:
            return Extract(file, path, problem=f"file cannot be read: {explain_os_error(error)}")

    present = [file for file in files if file.size > 0]
    if is_local or len(present) < 2:
        return [look(file) for file in present]
    with ThreadPoolExecutor(max_workers=16) as pool:  # elsewhere a look is a call over the network
        return list(pool.map(look, present))


def first_bytes(spark: SparkSession, path: str, size: int, most: int, *, is_local: bool) -> bytes:
    """The first bytes of a file as they are, `most` at most."""
    if is_local:
        with Path(path).open("rb") as stream:
            return stream.read(most)
    jvm = spark._jvm
    assert jvm is not None
    hadoop = jvm.org.apache.hadoop.fs.Path(path)
    stream = hadoop.getFileSystem(spark._jsc.hadoopConfiguration()).open(hadoop)
    try:
        return bytes(jvm.org.apache.commons.io.IOUtils.toByteArray(stream, min(size, most)))
    finally:
        stream.close()


def longer_heads(spark: SparkSession, extract: Extract, *, is_local: bool) -> Iterator[bytes]:
    """The start of a file once more, longer each time, as far as there is more to it."""
    for most, before in zip(_HEADS[1:], _HEADS, strict=False):
        if extract.file.size > before:
            start = first_bytes(spark, extract.full_path, extract.file.size, most, is_local=is_local)
            yield inflated_start(start, extract.compression)


def is_single_byte(encoding: str) -> bool:
    """Whether each byte is a character by itself, the first 128 those of ASCII."""
    half = bytes(range(128))
    return (
        len(bytes(range(256)).decode(encoding, "replace")) == 256
        and half.decode(encoding, "replace") == half.decode("ascii")
    )


def _told(file: FoundFile, path: str, start: bytes, declared: str) -> Extract:
    compression = next((name for name, magic in MAGIC.items() if start.startswith(magic)), "")
    head = inflated_start(start, compression)
    stranger = next((what for magic, what in _STRANGERS.items() if head.startswith(magic)), None)
    if stranger:
        return Extract(file, path, problem=f"file cannot be read: it is {stranger}")
    name = codecs.lookup(declared).name
    encoding = _encoding(head, "utf-8" if name == "ascii" else name)
    if encoding is None:
        return Extract(file, path, problem=f"file cannot be read: it is not in {declared}")
    return Extract(file, path, compression, encoding, head=head)


def _encoding(head: bytes, declared: str) -> str | None:
    marked = next((encoding for mark, encoding in _MARKS.items() if head.startswith(mark)), None)
    if marked:
        return marked
    if not head or declared.startswith("utf-32"):
        return declared
    # Delimiters and line breaks of UTF-16 hold a zero byte each, text in bytes holds next to none.
    even, odd = head[::2].count(0), head[1::2].count(0)
    likely = "utf-16-le" if odd >= even else "utf-16-be"
    if declared.startswith("utf-16"):
        return None if not even + odd else likely if declared == "utf-16" else declared
    is_wide = len(head) >= 8 and max(even, odd) * 8 >= len(head) and min(even, odd) * 8 <= max(even, odd)
    return likely if is_wide else declared
