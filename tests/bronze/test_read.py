"""Reading gives back what was written, with the place it stood at, however Spark splits the files."""

import csv
import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from cdp.base.files import FileSystem
from cdp.base.settings import parse
from cdp.bronze.config import SourceConfig
from cdp.bronze.read import intact, read_files
from cdp.bronze.read.json import spans_lines

Rows = list[list[str]]


def _source(**settings: Any) -> SourceConfig:
    given_ = {"name": "s", "format": "csv", "path": "*", "columns": [{"name": "c0"}], **settings}
    return parse(SourceConfig, given_, "test.yaml")


def _read(spark: SparkSession, source: SourceConfig, folder: Path, *, is_local: bool = True) -> dict[tuple[str, int], Any]:
    files = FileSystem(spark, str(folder)).glob("*")
    landing = str(folder) if is_local else f"file://{folder}"
    found = read_files(spark, source, landing, files, is_local=is_local).collect()
    placed = {(row["_file"], row["_file_row"]): row for row in found}
    assert len(placed) == len(found)
    return placed


# -- what Python's csv module writes ---------------------------------------------------------------------------------

_PLAIN = st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\uffff")
_BREAKING = st.characters(exclude_categories=["Cs"], exclude_characters="\uffff")
_NO_RETURN = st.characters(exclude_categories=["Cs"], exclude_characters="\r\uffff")
_AWKWARD = st.text(st.sampled_from(list(" ,;|\t\"'\\ab€\x00\u00a0\u2028\x85")), max_size=6)


@st.composite
def _written(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any], list[tuple[Rows, str, bool]]]:
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC, csv.QUOTE_NONE]))
    is_doubled = quoting != csv.QUOTE_NONE and draw(st.booleans())
    quote = draw(st.sampled_from("\"'"))
    dialect = {
        "delimiter": draw(st.sampled_from(",;|\t")),
        "quotechar": quote,
        "quoting": quoting,
        "doublequote": is_doubled,
        "escapechar": None if is_doubled else "\\",
        "lineterminator": draw(st.sampled_from(["\n", "\r\n"])),
    }
    multiline = quoting != csv.QUOTE_NONE and draw(st.booleans())
    options = {
        "delimiter": dialect["delimiter"],
        "quote": "" if quoting == csv.QUOTE_NONE else quote,
        "escape": quote if is_doubled else "\\",
        "multiline": multiline,
    }
    # Without need Python quotes no line break but the one that ends its rows.
    breaking = _BREAKING if dialect["lineterminator"] == "\r\n" or quoting == csv.QUOTE_ALL else _NO_RETURN
    value = _AWKWARD | st.text(breaking if multiline else _PLAIN, max_size=8)
    rows = st.lists(st.lists(value, min_size=3, max_size=3), max_size=6)
    encoding = st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])
    files = draw(st.lists(st.tuples(rows, encoding, st.booleans()), min_size=8, max_size=12))
    return options, dialect, files


@settings(max_examples=8, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate])
@given(written=_written())
def test_what_pythons_csv_writes_is_read_back_equal(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, written: Any
):
    options, dialect, files = written
    folder = tmp_path_factory.mktemp("written")
    expected = {}
    for number, (rows, encoding, is_zipped) in enumerate(files):
        stream = io.StringIO(newline="")
        writer = csv.writer(stream, **dialect)
        writer.writerow(["c0", "c1", "c2"])
        writer.writerows(rows)
        data = stream.getvalue().encode(encoding)
        (folder / f"{number}.csv").write_bytes(gzip.compress(data) if is_zipped else data)
        expected |= {(f"{number}.csv", n): [value or None for value in row] for n, row in enumerate(rows, 1)}

    found = _read(spark, _source(columns=[{"name": f"c{n}"} for n in range(3)], options=options), folder)

    assert {place: [row["c0"], row["c1"], row["c2"]] for place, row in found.items()} == expected
    assert not [row["_problem"] for row in found.values() if row["_problem"]]


# -- places ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_splits(spark: SparkSession, request: pytest.FixtureRequest) -> Iterator[None]:
    """Files are cut every so many bytes, and the pieces put together again in whatever order."""
    names = ("spark.sql.files.maxPartitionBytes", "spark.sql.files.openCostInBytes")
    before = [spark.conf.get(name) for name in names]
    for name, value in zip(names, request.param, strict=True):
        spark.conf.set(name, value)
    yield
    for name, old in zip(names, before, strict=True):
        spark.conf.set(name, str(old))


def _write(folder: Path) -> dict[tuple[str, int], str]:
    folder.mkdir()
    written = {}
    for file, rows in {"a b.csv": 400, "b%20+.csv": 3, "ü.csv": 70, "d.csv": 1}.items():
        values = [f"{file}-{n}-" + "é" * (n % 50) for n in range(rows)]
        lines = [line for value in values for line in (value, *([""] if len(value) % 3 else []))]
        (folder / file).write_text("\n".join(["", "c0", *lines]), encoding="utf-8")
        written |= {(file, n): value for n, value in enumerate(values, 1)}
    return written


@pytest.mark.parametrize("small_splits", [("300", "0"), ("2000", "0"), ("1000", "500")], indirect=True)
def test_rows_have_their_place_in_the_file_however_it_is_split(spark: SparkSession, tmp_path: Path, small_splits: None):
    written = _write(tmp_path / "in")

    first, second = (_read(spark, _source(), tmp_path / "in") for _ in range(2))

    assert {place: row["c0"] for place, row in first.items()} == written
    assert first == second


def test_one_file_in_one_split_needs_no_pass_over_its_lines(spark: SparkSession, tmp_path: Path):
    (tmp_path / "a.csv").write_text("c0\n1\n\n2\n")
    files = FileSystem(spark, str(tmp_path)).glob("*")
    tracker = spark.sparkContext.statusTracker()
    group = str(tmp_path)
    spark.sparkContext.setJobGroup(group, "reading")

    rows = read_files(spark, _source(), str(tmp_path), files, is_local=True)

    assert not tracker.getJobIdsForGroup(group)
    assert "Exchange" not in rows._jdf.queryExecution().executedPlan().toString()
    assert [row["_file_row"] for row in rows.collect()] == [1, 2]


@pytest.mark.parametrize("options", [{}, {"multiline": True}])
def test_files_elsewhere_are_read_as_local_ones_are(spark: SparkSession, tmp_path: Path, options: dict[str, Any]):
    written = _write(tmp_path / "in")
    (tmp_path / "in" / "z 1.csv.gz").write_bytes(gzip.compress(b"c0\nx\ny\n"))
    (tmp_path / "in" / "z 2.csv.gz").write_bytes(gzip.compress(b"c0\nx\ny\n")[:12])
    (tmp_path / "in" / "z 3.csv").write_text("\ufeffc0\nx\n", encoding="utf-16-le")

    found = _read(spark, _source(options=options), tmp_path / "in", is_local=False)

    assert {place: row["c0"] for place, row in found.items() if not place[0].startswith("z")} == written
    assert found == _read(spark, _source(options=options), tmp_path / "in")
    assert found["z 1.csv.gz", 2]["c0"] == found["z 1.csv.gz", 2]["c0"] == "y"


def test_parquet_rows_have_their_place_in_files_of_one_schema(spark: SparkSession, tmp_path: Path):
    for name, start in (("a.parquet", 0), ("b 1%.parquet", 100)):
        spark.range(start, start + 50).selectExpr("id as c0", "id as _file").coalesce(1).write.parquet(str(tmp_path / "out" / name))
        (part,) = (tmp_path / "out" / name).glob("*.parquet")
        (tmp_path / "in").mkdir(exist_ok=True)
        part.rename(tmp_path / "in" / name)

    source = _source(format="parquet")
    found = _read(spark, source, tmp_path / "in")

    assert {place: row["c0"] for place, row in found.items()} == {
        **{("a.parquet", n + 1): str(n) for n in range(50)},
        **{("b 1%.parquet", n + 1): str(n + 100) for n in range(50)},
    }
    assert {row["_extra"]["_file"] for row in found.values()} == {row["c0"] for row in found.values()}
    assert found == _read(spark, source, tmp_path / "in", is_local=False)


def test_a_header_longer_than_the_first_look_is_read_whole(spark: SparkSession, tmp_path: Path):
    names = [f"{'n' * 90}{n}" for n in range(1000)]
    (tmp_path / "a.csv").write_text(f"{','.join(names)},c0\n{','.join('x' * 1000)},last\n")

    found = _read(spark, _source(), tmp_path)

    assert found["a.csv", 1]["c0"] == "last"


# -- JSON lines or documents -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ('{"a":1}\n{"a":2}\n', False),
        ('{"a":1}', False),
        ('{"a":1', False),
        ('{bad\n{"a":2}\n', False),
        ('{"a":1,\n{"a":2}\n', False),
        ('{"a":[\n1,\n', True),
        ('{\n "a": 1\n}', True),
        ('{"a": {\n {"b": 1}\n}}', True),
        ('  [{"a":1}]', True),
        ("[", True),
        ("null\n[1]", False),
        ("", False),
        (json.dumps({"a": {"b": [1, {"c": "}{"}]}}, indent=4), True),
        ('{"a": "' + "x" * 100_000, False),
    ],
)
def test_a_file_is_told_to_be_of_lines_or_of_documents(start: str, expected: bool):
    assert spans_lines(start.encode()) is expected


def test_big_parquet_files_are_checked_by_sparks_tasks(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for name in ("a.parquet", "b.parquet"):
        pq.write_table(pa.table({"c0": [str(n) for n in range(5000)]}), tmp_path / name)
    broken = bytearray((tmp_path / "b.parquet").read_bytes())
    broken[200:300] = b"\xff" * 100
    (tmp_path / "b.parquet").write_bytes(broken)
    monkeypatch.setattr(intact, "_AT_THE_DRIVER", 0)

    found = _read(spark, _source(format="parquet"), tmp_path)

    assert len(found) == 5001
    assert found["b.parquet", 1]["_problem"] == "file cannot be read: its data is damaged"
