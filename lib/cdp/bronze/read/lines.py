"""Lines of plain files, split and read by Spark in parallel, each with its number in the file.

The number comes of no shuffle and no window over the rows: Spark counts the lines of each split (a pass that looks at
line breaks only), the driver adds up what came before each split, and every row then finds its split's sum. A single
file that Spark does not split needs not even that.
"""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import unquote

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from cdp.bronze.read.scan import WINDOWS
from cdp.bronze.read.sniff import Extract

_FEW_SPLITS = 32
_UNCOUNTED = "a split was not counted"
_GLOB = str.maketrans({character: f"\\{character}" for character in "{}[]*?\\"})


def plain_rows(spark: SparkSession, extracts: Sequence[Extract], landing: str, blanks: str, comment: str) -> DataFrame:
    """Rows of plain files of one encoding.

    Args:
        spark: session.
        extracts: the files; all are plain.
        landing: full path of the landing folder.
        blanks: characters of a line that says nothing.
        comment: how a line that is no row begins; empty: there are none.

    Returns:
        `_text`, `_problem` (why it is unreadable, if it is), `_recoded` (it is not UTF-8 and was read as windows-1252),
        `_file`, `_file_modified_at`, `_line` (its number among the lines that are neither blank nor comments).
    """
    paths = [escaped(extract.full_path) for extract in extracts]
    lines = spark.read.text(paths).where(F.btrim("value", F.lit(blanks)) != "")
    if comment:
        lines = lines.where(~F.startswith("value", F.lit(comment)))
    lines = lines.select(
        "value",
        F.col("_metadata.file_path").alias("_path"),
        F.col("_metadata.file_block_start").alias("_start"),
        F.monotonically_increasing_id().alias("_order"),
    )
    return _numbered(_frozen(lines), extracts, landing).select(
        *_text(F.col("value"), extracts[0].encoding), "_file", "_file_modified_at", "_line"
    )


def escaped(path: str) -> str:
    """A path as Spark takes it: as it is, without patterns in it."""
    return path.translate(_GLOB)


def _text(value: Column, encoding: str) -> list[Column]:
    # Spark hands the bytes of a line on as they are, in whatever encoding.
    as_latin = F.decode(value.cast("binary"), "ISO-8859-1")
    nothing, no = F.lit(None).cast("string"), F.lit(False)
    if encoding == "utf-8":
        is_valid = F.is_valid_utf8(value)
        as_windows = F.translate(as_latin, "".join(map(chr, WINDOWS)), "".join(WINDOWS.values()))
        text = F.when(is_valid, value).otherwise(as_windows)
        return [text.alias("_text"), nothing.alias("_problem"), (~is_valid).alias("_recoded")]
    if encoding == "iso8859-1":
        return [as_latin.alias("_text"), nothing.alias("_problem"), no.alias("_recoded")]
    upper = {byte: bytes([byte]).decode(encoding, "replace") for byte in range(0x80, 0x100)}
    text = F.translate(as_latin, "".join(map(chr, upper)), "".join(upper.values()))
    problem = F.when(F.contains(text, F.lit("\ufffd")), F.lit(f"row is not in {encoding}"))
    return [text.alias("_text"), problem.alias("_problem"), no.alias("_recoded")]


def _frozen(rows: DataFrame) -> DataFrame:
    """The rows, read in the same splits as often as they are read.

    Spark plans splits anew for each query, by the number of executors of that moment; numbers counted for the splits
    of one query would be wrong for another's.
    """
    execution = rows._jdf.queryExecution()
    session = rows.sparkSession
    fixed = session._jsparkSession.internalCreateDataFrame(execution.toRdd(), execution.analyzed().schema(), False)
    return DataFrame(fixed, session)


def _numbered(lines: DataFrame, extracts: Sequence[Extract], landing: str) -> DataFrame:
    file = extracts[0].file
    placed = [F.col("value"), F.lit(file.path).alias("_file"), F.lit(file.modified_at).alias("_file_modified_at")]
    if len(extracts) == 1 and lines._jdf.queryExecution().toRdd().getNumPartitions() == 1:
        return lines.select(*placed, (F.col("_order") + 1).alias("_line"))
    counted = lines.groupBy("_path", "_start").agg(F.min("_order").alias("first"), F.count(F.lit(1)).alias("rows"))
    splits = [(r["_path"], r["_start"], r["first"], r["rows"]) for r in counted.collect()]  # a row a split
    places = _places(splits, extracts, landing)
    if len(extracts) == 1 and len(places) <= _FEW_SPLITS:
        before = F.raise_error(F.lit(_UNCOUNTED)).cast("bigint")
        for _, start, *_, sum_before in places:
            before = F.when(F.col("_start") == start, F.lit(sum_before)).otherwise(before)
        return lines.select(*placed, (F.col("_order") + before).alias("_line"))
    known = lines.sparkSession.createDataFrame(
        places, "_path string, _start bigint, _file string, _file_modified_at timestamp, _before bigint"
    )
    joined = lines.join(F.broadcast(known), on=["_path", "_start"], how="left")
    before = F.coalesce("_before", F.raise_error(F.lit(_UNCOUNTED)).cast("bigint"))
    return joined.select("value", "_file", "_file_modified_at", (F.col("_order") + before).alias("_line"))


def _places(
    splits: list[tuple[str, int, int, int]], extracts: Sequence[Extract], landing: str
) -> list[tuple[str, int, str, datetime, int]]:
    """For each split its file, and what to add to the order of its rows for their number in the file."""
    files = {extract.file.path: extract.file for extract in extracts}
    below = landing.split("://")[-1] + "/"
    placed = []
    before: dict[str, int] = {}
    for path, start, first, rows in sorted(splits):
        decoded = unquote(path)
        name = decoded[decoded.index(below) + len(below) :]
        placed.append((path, start, name, files[name].modified_at, before.get(name, 0) + 1 - first))
        before[name] = before.get(name, 0) + rows
    return placed
