"""Awkward extracts, all ingested in one run, and a slow reader that counts their rows without the library."""

import bz2
import csv
import gzip
import io
import json
import lzma
import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet
import yaml
from pyspark.sql import functions as F

from cdp.base.settings import ConfigFolder
from cdp.base.stage import Run, StageResult
from cdp.bronze.config import SourceConfig, load_sources
from cdp.bronze.lineage import bronze_table
from cdp.bronze.run import ingest
from cdp.tables.bronze import QUARANTINE

COLUMNS = [{"name": "id"}, {"name": "name"}, {"name": "amount", "type": "decimal(12,2)"}]
Values = tuple[str | None, ...]


@dataclass(frozen=True)
class Case:
    """One awkward extract.

    Attributes:
        data: its bytes.
        kept: expected rows of bronze: position in the file to the declared columns.
        refused: expected rows of quarantine: position to reasons.
        format: of the source.
        options: of the source.
        columns: of the source; the first one is its key.
        file: name of the file.
        raw: what quarantine must hold of a row, by position.
        extra: undeclared columns of a row, by position.
        notes: parts of notes that the run must make.
        counted: rows by a reader for which the general one below is too simple.
    """

    data: bytes
    kept: dict[int, Values] = field(default_factory=dict)
    refused: dict[int, list[str]] = field(default_factory=dict)
    format: str = "csv"
    options: dict[str, Any] = field(default_factory=dict)
    columns: list[dict[str, Any]] = field(default_factory=lambda: COLUMNS)
    has_key: bool = True
    file: str = ""
    raw: dict[int, str] = field(default_factory=dict)
    extra: dict[int, dict[str, str | None]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    counted: int | None = None

    @property
    def source(self) -> dict[str, Any]:
        key = {"primary_key": [self.columns[0]["name"]]} if self.has_key else {}
        return {"format": self.format, "options": self.options, "columns": self.columns, **key}


@dataclass(frozen=True)
class Landed:
    """What became of a file."""

    source: str
    kept: dict[int, Values]
    extra: dict[int, dict[str, str | None]]
    refused: dict[int, list[str]]
    raw: dict[int, str]
    times: int
    """Rows in bronze and quarantine, each as often as it is there."""


class Ingested:
    """All cases, landed as files of as many sources as there are different settings, and ingested once."""

    def __init__(self, run: Run, cases: dict[str, Case]) -> None:
        self.places: dict[str, tuple[str, str]] = {}
        names: dict[str, str] = {}
        folder = run.config.path / "sources"
        folder.mkdir(exist_ok=True)
        for number, (title, case) in enumerate(cases.items()):
            settings = json.dumps(case.source, sort_keys=True)
            name = names.setdefault(settings, f"s{len(names)}")
            source = {"name": name, "path": f"{name}/*", **case.source}
            (folder / f"{name}.yaml").write_text(yaml.safe_dump(source))
            path = Path(run.landing) / name / (case.file or f"c{number}.{case.format}")
            path.parent.mkdir(parents=True, exist_ok=True)
            assert not path.exists(), f"{title}: two cases of one source have files of one name"
            path.write_bytes(case.data)
            self.places[title] = (name, f"{name}/{path.name}")
        run = replace(run, config=ConfigFolder(run.config.path))
        self.sources = load_sources(run.config)
        self.result: StageResult = ingest(run)
        self.quarantine = run.lake.read(QUARANTINE).collect()
        self.bronze = {name: self._bronze(run, source) for name, source in self.sources.items()}

    def _bronze(self, run: Run, source: SourceConfig) -> list[Any]:
        columns = [f"`{c.name}`" for c in source.columns]
        table = run.lake.read(bronze_table(source))
        values = F.array(*columns).alias("values")
        return table.select("_file", "_file_row", "_extra", values).collect()

    def landed(self, title: str) -> Landed:
        source, path = self.places[title]
        rows = [row for row in self.bronze[source] if row["_file"] == path]
        refused = [row for row in self.quarantine if row["_file"] == path]
        return Landed(
            source,
            {row["_file_row"]: tuple(row["values"]) for row in rows},
            {row["_file_row"]: row["_extra"] for row in rows if row["_extra"]},
            {row["_file_row"]: row["reasons"] for row in refused},
            {row["_file_row"]: row["raw"] for row in refused},
            len(rows) + len(refused),
        )


def counted(case: Case) -> int:
    """Rows of a file by Python's own readers, one at a time. What cannot be read to its end counts one row more."""
    if case.counted is not None:
        return case.counted
    if case.format == "parquet":
        try:
            return int(pyarrow.parquet.ParquetFile(io.BytesIO(case.data)).metadata.num_rows)
        except pyarrow.ArrowInvalid:
            return 1
    data, is_cut = _inflated(case.data)
    text = _decoded(data, case.options.get("encoding", "UTF-8"))
    return (_documents(text) if case.format == "json" else _records(text, case)) + is_cut


def _inflated(data: bytes) -> tuple[bytes, bool]:
    for magic, opened in ((b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ", lzma.open)):
        if not data.startswith(magic):
            continue
        found = b""
        try:
            with opened(io.BytesIO(data)) as stream:
                while byte := stream.read(1):
                    found += byte
        except (EOFError, OSError, zlib.error, lzma.LZMAError):
            return found[: found.rfind(b"\n") + 1], True  # its last line is not whole
        return found, False
    return data, False


def _decoded(data: bytes, encoding: str) -> str:
    for mark, name in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(name, "replace")
    return data.decode(encoding, "replace")


def _documents(text: str) -> int:
    if text.lstrip().startswith("["):
        return len(json.loads(text))
    return sum(bool(line.strip(" \t\x00\x1a")) for line in text.splitlines() if line)


def _records(text: str, case: Case) -> int:
    options = case.options
    lead = options.get("header", True) + options.get("skip_lines", 0)
    stream = io.StringIO(text, newline=None)  # CR, LF and CR LF
    lines = [line for line in stream if line.strip(" \n\x00\x1a")]
    lines = [line for line in lines if not (options.get("comment") and line.startswith(options["comment"]))]
    if options.get("multiline"):
        return max(len([row for row in csv.reader(io.StringIO(text, newline="")) if row]) - lead, 0)
    return max(len(lines) - lead, 0)
