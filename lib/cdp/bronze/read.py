"""Reads extracts: every column as it came, and the text of what could not be read."""

import csv
import gzip
import io
from collections.abc import Sequence
from pathlib import Path

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, MapType, StringType, StructField, StructType

from cdp.base.files import FoundFile
from cdp.bronze.config import SourceConfig

_HEADER_BYTES = 1 << 20
_PLACE = ("_file", "_file_modified_at", "_position")


def read_files(
    spark: SparkSession, source: SourceConfig, landing: str, files: Sequence[FoundFile], *, is_local: bool
) -> DataFrame:
    """Rows of the files, as sent.

    Args:
        spark: session.
        source: how the files are written and which columns they promise.
        landing: full path of the landing folder.
        files: at least one.
        is_local: whether the landing folder is on a local disk.

    Returns:
        Each declared column as string (null where a file lacks it), `_extra` (undeclared columns), `_corrupt` (text of
        a row that could not be read, else null), `_missing` (required columns that the file lacks), `_file`,
        `_file_modified_at`, `_file_row`.
    """
    paths = [f"{landing}/{f.path}" for f in files]
    if source.format == "json":
        rows = _read_json(spark, source, paths)
    elif source.format == "parquet":
        rows = _union([_read_parquet(spark, source, path) for path in paths])
    else:
        rows = _read_csv(spark, source, landing, files, is_local=is_local)
    return _numbered(rows, landing)


def _read_json(spark: SparkSession, source: SourceConfig, paths: list[str]) -> DataFrame:
    lines = _with_file(spark.read.option("encoding", source.options.encoding).text(paths))
    text = F.regexp_replace("value", r"\A\x{FEFF}|\r\z", "")
    lines = lines.withColumn("value", text).where("trim(value) <> ''")
    lines = lines.withColumn("_fields", F.from_json("value", "map<string,string>"))
    names = [c.name for c in source.columns]
    declared = [_no_null(F.try_element_at("_fields", F.lit(name)), source).alias(name) for name in names]
    return lines.select(
        *declared,
        F.map_filter("_fields", lambda key, _: ~key.isin(names)).alias("_extra"),
        F.when(F.col("_fields").isNull(), F.col("value")).alias("_corrupt"),
        F.array().cast("array<string>").alias("_missing"),
        *_PLACE,
    )


def _read_parquet(spark: SparkSession, source: SourceConfig, path: str) -> DataFrame:
    # A file at a time: files of one source may differ in columns and types.
    rows = _with_file(spark.read.parquet(path))
    as_text = {f.name: _as_text(f) for f in rows.schema if not f.name.startswith("_")}
    unreadable = F.lit(None).cast("string").alias("_corrupt")
    return rows.select(*_laid_out(source, as_text), unreadable, *_PLACE)


def _read_csv(
    spark: SparkSession, source: SourceConfig, landing: str, files: Sequence[FoundFile], *, is_local: bool
) -> DataFrame:
    by_header: dict[tuple[str, ...], list[str]] = {}
    for file in files:
        path = f"{landing}/{file.path}"
        header = _header(spark, source, path, is_local=is_local)
        by_header.setdefault(header, []).append(path)
    return _union([_read_csv_group(spark, source, header, paths) for header, paths in by_header.items()])


def _read_csv_group(spark: SparkSession, source: SourceConfig, header: tuple[str, ...], paths: list[str]) -> DataFrame:
    options = source.options
    columns = [StructField(name, StringType()) for name in (*header, "_corrupt")]
    reader = (
        spark.read.schema(StructType(columns))
        .option("header", options.header)
        .option("sep", options.delimiter)
        .option("quote", options.quote)
        .option("escape", options.escape)
        .option("encoding", options.encoding)
        .option("multiLine", options.multiline)
        .option("mode", "PERMISSIVE")
        .option("columnNameOfCorruptRecord", "_corrupt")
        .option("maxCharsPerColumn", -1)
    )
    rows = _with_file(reader.csv(paths))
    if not header:  # A file without even a header holds no row.
        rows = rows.where(F.lit(False))
    as_text = {name: _no_null(F.col(f"`{name}`"), source) for name in header}
    return rows.select(*_laid_out(source, as_text), "_corrupt", *_PLACE)


def _laid_out(source: SourceConfig, found: dict[str, Column]) -> list[Column]:
    by_folded = {name.lower(): column for name, column in found.items()}
    declared = {c.name.lower() for c in source.columns}
    extra = [part for name, c in found.items() if name.lower() not in declared for part in (F.lit(name), c)]
    missing = [name for name in source.required_columns if name.lower() not in by_folded]
    nothing = F.lit(None).cast("string")
    return [
        *[by_folded.get(c.name.lower(), nothing).alias(c.name) for c in source.columns],
        (F.create_map(*extra) if extra else F.lit(None)).cast("map<string,string>").alias("_extra"),
        F.array(*[F.lit(name) for name in missing]).cast("array<string>").alias("_missing"),
    ]


def _header(spark: SparkSession, source: SourceConfig, path: str, *, is_local: bool) -> tuple[str, ...]:
    if not source.options.header:
        return tuple(c.name for c in source.columns)
    names = _local_header(source, Path(path)) if is_local else _remote_header(spark, source, path)
    return _distinct(names)


def _local_header(source: SourceConfig, path: Path) -> list[str]:
    opened = gzip.open(path) if path.suffix == ".gz" else path.open("rb")
    with opened as stream:
        start = stream.read(_HEADER_BYTES)
    encoding = "utf-8-sig" if source.options.encoding.upper() in ("UTF-8", "UTF8") else source.options.encoding
    text = start.decode(encoding, errors="replace")
    options = source.options
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=options.delimiter, quotechar=options.quote or None)
    return next((row for row in reader if any(value.strip() for value in row)), [])


def _remote_header(spark: SparkSession, source: SourceConfig, path: str) -> list[str]:
    options = source.options
    reader = spark.read.option("sep", options.delimiter).option("quote", options.quote)
    return reader.option("encoding", options.encoding).option("header", True).csv(path).columns


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    # A column without a name, or with one that is taken (in any letter case), still needs one of its own.
    seen: dict[str, int] = {}
    distinct = []
    for position, name in enumerate(names, start=1):
        plain = name.strip().replace("`", "'") or f"column_{position}"
        count = seen[plain.lower()] = seen.get(plain.lower(), 0) + 1
        distinct.append(plain if count == 1 else f"{plain}_{count}")
    return tuple(distinct)


def _as_text(field: StructField) -> Column:
    column = F.col(f"`{field.name}`")
    is_nested = isinstance(field.dataType, ArrayType | MapType | StructType)
    return F.to_json(column) if is_nested else column.cast("string")


def _no_null(column: Column, source: SourceConfig) -> Column:
    word = source.options.null_value
    return column if word is None else F.nullif(column, F.lit(word))


def _with_file(rows: DataFrame) -> DataFrame:
    return rows.select(
        "*",
        F.try_url_decode(F.replace("_metadata.file_path", F.lit("+"), F.lit("%2B"))).alias("_file"),
        F.date_trunc("second", F.col("_metadata.file_modification_time")).alias("_file_modified_at"),
        F.struct("_metadata.file_block_start", F.monotonically_increasing_id().alias("order")).alias("_position"),
    )


def _numbered(rows: DataFrame, landing: str) -> DataFrame:
    in_file = Window.partitionBy("_file", "_file_modified_at").orderBy("_position")
    below = landing.split("://")[-1] + "/"
    start = F.instr("_file", below) + F.lit(len(below))
    return rows.select(
        *[c for c in rows.columns if c not in _PLACE],
        F.substring("_file", start, F.length("_file")).alias("_file"),
        "_file_modified_at",
        F.row_number().over(in_file).cast("bigint").alias("_file_row"),
    )


def _union(frames: list[DataFrame]) -> DataFrame:
    union = frames[0]
    for frame in frames[1:]:
        union = union.unionByName(frame)
    return union
