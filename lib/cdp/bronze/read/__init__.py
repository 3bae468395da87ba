"""Reads extracts: every column as it came, and the text and the reason of what could not be read."""

from collections.abc import Sequence

from pyspark.sql import DataFrame, SparkSession

from cdp.base.files import FoundFile
from cdp.bronze.config import SourceConfig
from cdp.bronze.read.csv import read_csv
from cdp.bronze.read.delta import read_delta
from cdp.bronze.read.jdbc import read_jdbc
from cdp.bronze.read.json import read_json
from cdp.bronze.read.layout import set_aside, union
from cdp.bronze.read.parquet import read_parquet
from cdp.bronze.read.sniff import sniff


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
        a row that could not be read, else null) and `_problem` (why; without `_corrupt` never), `_missing` (required
        columns that the file lacks), `_recoded` (the row is not in UTF-8 as promised and was read as windows-1252),
        `_file`, `_file_modified_at`, `_file_row` (from 1, without gaps). A file that cannot be read at all is one row
        with an empty `_corrupt`, one that ends early has such a row after those that could be read. Of a Delta table
        `_file_row` has gaps where rows are deleted in place.
    """
    if source.format == "jdbc":
        return union(read_jdbc(spark, source, files), spark, source)
    if source.format == "delta":
        return union(read_delta(spark, source, landing, files), spark, source)
    if source.format == "parquet":
        frames, broken = read_parquet(spark, source, landing, files, is_local=is_local)
        return union([*frames, *set_aside(spark, source, broken)], spark, source)
    extracts = sniff(spark, landing, list(files), source.options.encoding, is_local=is_local)
    good = [extract for extract in extracts if extract.problem is None]
    broken = [(extract.file, extract.problem) for extract in extracts if extract.problem is not None]
    if source.format == "json":
        frames = read_json(spark, source, landing, good, is_local=is_local)
    else:
        frames, headless = read_csv(spark, source, landing, good, is_local=is_local)
        broken += headless
    return union([*frames, *set_aside(spark, source, broken)], spark, source)
