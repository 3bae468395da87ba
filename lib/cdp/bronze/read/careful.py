"""Rows of files that Spark cannot split by itself, found by Python a file at a time, several files at once.

That is what is compressed (a damaged file then costs its end and not the run), written in UTF-16 or another encoding
of several bytes a character, a CSV file whose values hold line breaks, or one JSON document.
"""

import codecs
import io
import mmap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from cdp.bronze.read.dialect import Dialect, record_pattern
from cdp.bronze.read.scan import BLANK, Buffer, Found, decoded, documents, lines, records
from cdp.bronze.read.sniff import Extract
from cdp.bronze.read.stream import DamagedError, text_blocks

_FILES = "_path string, _compression string, _encoding string, _file string, _file_modified_at timestamp"
_ROWS = "_text string, _problem string, _recoded boolean, _file string, _file_modified_at timestamp, _line bigint"
_BATCH_ROWS, _BATCH_CHARACTERS = 10_000, 8 << 20


@dataclass(frozen=True)
class Layout:
    """How rows lie in a file.

    Attributes:
        kind: lines, records (CSV rows that may span lines) or documents (JSON values).
        dialect: marks of CSV.
        comment: how a line that is no row begins; empty: there are none.
        skipped: lines in front of a CSV file that are not its rows.
    """

    kind: str = "lines"
    dialect: Dialect | None = None
    comment: str = ""
    skipped: int = 0

    @property
    def blanks(self) -> str:
        """Characters of a line that says nothing."""
        delimiter = self.dialect.delimiter if self.dialect else ""
        return "".join(character for character in BLANK if character not in delimiter)


def careful_rows(spark: SparkSession, extracts: Sequence[Extract], layout: Layout, *, is_local: bool) -> DataFrame:
    """Rows of the files: `_text`, `_problem`, `_recoded`, `_file`, `_file_modified_at`, `_line` (see `rows`)."""
    listed = [(e.full_path, e.compression, e.encoding, e.file.path, e.file.modified_at) for e in extracts]
    files = spark.createDataFrame(listed, _FILES)
    if len(listed) > files.rdd.getNumPartitions():
        files = files.repartition(min(len(listed), 1000))
    if not is_local:
        content = spark.read.format("binaryFile").load([path for path, *_ in listed])
        # The name as listed and the one that Spark gives back differ in how they begin (`s3a://`, `file:/`).
        content = content.select(F.regexp_replace("path", r"\A[a-z0-9]+:/+", "").alias("_key"), "content")
        keyed = files.withColumn("_key", F.regexp_replace("_path", r"\A[a-z0-9]+:/+", ""))
        files = content.join(F.broadcast(keyed), on="_key", how="inner").drop("_key")
    return files.mapInArrow(_reader(layout), _ROWS)


def _reader(layout: Layout) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def read(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for number in range(batch.num_rows):
                one = batch.slice(number, 1)
                yield from _batches(one, _rows_of_file(one.to_pylist()[0], layout))

    return read


def _batches(file: pa.RecordBatch, rows: Iterator[tuple[str, str | None, bool, int]]) -> Iterator[pa.RecordBatch]:
    held: list[tuple[str, str | None, bool, int]] = []
    characters = 0
    for row in rows:
        held.append(row)
        characters += len(row[0])
        if len(held) >= _BATCH_ROWS or characters >= _BATCH_CHARACTERS:
            yield _batch(file, held)
            held, characters = [], 0
    if held:
        yield _batch(file, held)


def _batch(file: pa.RecordBatch, rows: list[tuple[str, str | None, bool, int]]) -> pa.RecordBatch:
    texts, problems, recoded, numbers = zip(*rows, strict=True)
    columns = {
        "_text": pa.array(texts, pa.string()),
        "_problem": pa.array(problems, pa.string()),
        "_recoded": pa.array(recoded, pa.bool_()),
        "_file": pa.repeat(file.column("_file")[0], len(rows)),
        "_file_modified_at": pa.repeat(file.column("_file_modified_at")[0], len(rows)),
        "_line": pa.array(numbers, pa.int64()),
    }
    return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))


def _rows_of_file(file: dict[str, Any], layout: Layout) -> Iterator[tuple[str, str | None, bool, int]]:
    number = 0
    try:
        with _opened(file) as stream:
            for row, problem in _found(stream, file, layout):
                text, is_readable, is_recoded = decoded(row, file["_encoding"])
                if problem is None and (not text.strip(layout.blanks) or _is_comment(text, layout)):
                    continue
                number += 1
                if not is_readable and problem is None:
                    problem = f"row is not in {file['_encoding']}"
                yield text, problem, is_recoded, number
    except Exception as error:  # whatever it is, it costs this file and not the run
        yield "", f"file cannot be read: {type(error).__name__}", False, number + 1


def _is_comment(text: str, layout: Layout) -> bool:
    return bool(layout.comment) and text.startswith(layout.comment)


def _found(stream: BinaryIO, file: dict[str, Any], layout: Layout) -> Iterator[Found]:
    blocks = text_blocks(stream, file["_compression"], file["_encoding"])
    if layout.kind == "lines":
        yield from lines(blocks)
        return
    text, start, damage = _whole(stream, file, blocks)
    if layout.kind == "documents":
        found = documents(text, start)
    else:
        assert layout.dialect is not None
        found = records(text, start, record_pattern(layout.dialect), layout.comment.encode(), layout.skipped)
    if damage is None:
        yield from found
        return
    # The last row of a damaged file is cut off somewhere, whatever it looks like.
    last: Found | None = None
    for row in found:
        if last is not None:
            yield last
        last = row
    yield (last[0] if last else b""), damage


def _whole(stream: BinaryIO, file: dict[str, Any], blocks: Iterator[bytes]) -> tuple[Buffer, int, str | None]:
    """The file's text, where it starts, and what is wrong with it."""
    if file.get("content") is None and not file["_compression"] and file["_encoding"] == "utf-8":
        mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)  # read by the page, however long the file is
        return mapped, len(codecs.BOM_UTF8) if mapped[:3] == codecs.BOM_UTF8 else 0, None
    parts: list[bytes] = []
    try:
        parts.extend(blocks)
    except DamagedError as error:
        return b"".join(parts), 0, f"file ends early: {error}"
    return b"".join(parts), 0, None


@contextmanager
def _opened(file: dict[str, Any]) -> Iterator[BinaryIO]:
    if file.get("content") is not None:
        yield io.BytesIO(file["content"])
        return
    with Path(file["_path"]).open("rb") as stream:
        yield stream
