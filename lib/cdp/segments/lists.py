"""Lists of people as files: conf/segments/lists/NAME.csv, NAME.csv.gz or NAME.parquet, and what may be wrong with one."""

import csv
import gzip
import hashlib
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, TextIO

from pydantic import Field, PrivateAttr

from cdp.base.settings import Strict, did_you_mean
from cdp.segments.parts import digest

FOLDER = "lists"
CUSTOMER = "customer_id"
_SEPARATORS = (",", ";", "\t")


class ListCondition(Strict):
    """The person is on a list."""

    type: Literal["List"]
    file: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*\.(csv|csv\.gz|parquet)$")
    """Name of the file in conf/segments/lists."""
    identifier: str = Field(min_length=1)
    """What the values are: email, phone, another type of gold.customer_identifiers, or customer_id."""
    column: str | None = None
    """The column they are in; absent: that of the identifier's name."""
    _content: str = PrivateAttr(default="")
    _path: str = PrivateAttr(default="")

    def model_post_init(self, context: Any) -> None:
        """Remember the file's place and content, where the folder is known (`context` of the validation)."""
        if isinstance(context, Path):
            path = context / self.file
            self._path = str(path.absolute())
            self._content = _hash(path) if path.is_file() else ""

    @property
    def named(self) -> str:
        """The column of the file."""
        return self.column or self.identifier

    @property
    def path(self) -> str:
        """The file."""
        return self._path

    @property
    def content(self) -> str:
        """SHA-256 of the file, part of the segment's version."""
        return self._content

    @property
    def outcome(self) -> str:
        """Name of the column that says who is on it; equal conditions share it."""
        return f"holds__list_{digest([self.file, self.identifier, self.named])}"


def list_problems(condition: ListCondition) -> Iterator[str]:
    """What is wrong with the file, as lines `key: INVALID_LIST: text`. Nothing of its content is in them."""
    path = Path(condition.path)
    if not path.is_file():
        there = sorted(p.name for p in path.parent.glob("*") if p.is_file())
        yield f"file: INVALID_LIST: no file {FOLDER}/{condition.file}{did_you_mean(condition.file, there)}"
        return
    try:
        found = _parquet_problem(path, condition) if path.suffix == ".parquet" else _csv_problem(path, condition.named)
    except (OSError, EOFError, ValueError, csv.Error) as error:  # pyarrow's own derive from ValueError
        why = (
            f"byte {error.start} is not UTF-8"
            if isinstance(error, UnicodeDecodeError)
            else "it is damaged, or not of the kind its name says"
        )
        found = f"file: INVALID_LIST: {condition.file} cannot be read: {why}"
    if found:
        yield found


def separator_of(path: Path, column: str) -> str:
    """The sign between the columns of a CSV file: one by which there is a column of that name, else the most columns."""
    with _opened(path) as file:
        line = file.readline()
    headers = {sign: next(csv.reader([line], delimiter=sign), []) for sign in _SEPARATORS}
    return max(_SEPARATORS, key=lambda sign: (column in headers[sign], len(headers[sign])))


def place_of(path: Path, column: str) -> int:
    """The place of the column in a CSV file that has it."""
    with _opened(path) as file:
        return next(csv.reader(file, delimiter=separator_of(path, column))).index(column)


def values_of(condition: ListCondition) -> Iterator[str]:
    """The values of a sound list, one after the other, as `cdp.segments.listed.read_list` reads them with Spark."""
    path = Path(condition.path)
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(columns=[condition.named]):
                yield from (str(value) for value in batch.column(0).to_pylist() if value is not None)
        return
    separator, at = separator_of(path, condition.named), place_of(path, condition.named)
    with _opened(path) as lines:
        # Line by line, as Spark does: a value does not go on in the next one.
        rows = (next(csv.reader([line.rstrip("\r\n")], delimiter=separator), []) for line in lines)
        filled = (row for row in rows if row)
        next(filled, None)  # the names
        yield from (row[at] for row in filled if len(row) > at)


def _csv_problem(path: Path, column: str) -> str | None:
    with _opened(path) as file:
        rows = csv.reader(file, delimiter=separator_of(path, column), strict=True)
        header = next(rows, [])
        if not any(header):
            return f"file: INVALID_LIST: {path.name} is empty"
        if header.count(column) != 1:
            return _no_column(path, column, header)
        at = header.index(column)
        # The whole file is gone through only where it holds nothing.
        if not any(len(row) > at and row[at].strip() for row in rows):
            return f"file: INVALID_LIST: {path.name} holds no value in column {column}"
    return None


def _parquet_problem(path: Path, condition: ListCondition) -> str | None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        schema, column = file.schema_arrow, condition.named
        if schema.names.count(column) != 1:
            return _no_column(path, column, schema.names)
        type_ = schema.field(column).type
        if not (pa.types.is_string(type_) or pa.types.is_large_string(type_) or pa.types.is_integer(type_)):
            return f"column: INVALID_LIST: {column} of {path.name} is {type_}, wanted texts or whole numbers"
        values = (v for batch in file.iter_batches(columns=[column]) for v in batch.column(0).to_pylist())
        if not any(v is not None and str(v).strip() for v in values):
            return f"file: INVALID_LIST: {path.name} holds no value in column {column}"
    return None


def _no_column(path: Path, column: str, header: list[str]) -> str:
    if header.count(column) > 1:
        return f"column: INVALID_LIST: {path.name} has column {column} twice"
    # Without a header the first line is somebody's: nothing of it is shown that is not what was asked for.
    alike = next((name for name in header if _letters(name) == _letters(column)), None)
    hint = f"; did you mean {alike}?" if alike else "; wanted a line of names"
    return f"column: INVALID_LIST: {path.name} has no column {column} in its first line{hint}"


def _letters(name: str) -> str:
    return re.sub("[^a-z0-9]", "", name.lower())


def _opened(path: Path) -> TextIO:
    """The text of a CSV file, without the mark that some programs put before it."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _hash(path: Path) -> str:
    status = path.stat()
    return _hash_of(str(path), status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=256)
def _hash_of(path: str, changed: int, size: int) -> str:
    """A run loads segments several times; a file that did not change is read once."""
    found = hashlib.sha256()
    try:
        with Path(path).open("rb") as file:
            while part := file.read(1 << 20):
                found.update(part)
    except OSError:
        return ""  # the check of the file says why
    return found.hexdigest()
