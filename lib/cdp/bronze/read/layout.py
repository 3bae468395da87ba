"""The common shape of what is read, whatever the format."""

from collections.abc import Callable, Sequence

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from cdp.base.files import FoundFile
from cdp.bronze.config import SourceConfig
from cdp.bronze.read.careful import Layout, careful_rows
from cdp.bronze.read.lines import plain_rows
from cdp.bronze.read.sniff import Extract

NOTHING = "cast(null as string)"
EXTRAS = "map<string,string>"


def rows_of(
    spark: SparkSession,
    extracts: Sequence[Extract],
    landing: str,
    layout: Callable[[Extract], Layout],
    *,
    is_local: bool,
) -> list[DataFrame]:
    """The rows' texts of some files, by Spark where it can split them by itself, else by Python.

    Returns:
        Frames of `_text`, `_problem`, `_recoded`, `_file`, `_file_modified_at`, `_line`.
    """
    plain: dict[tuple[str, Layout], list[Extract]] = {}
    careful: dict[Layout, list[Extract]] = {}
    for extract in extracts:
        how = layout(extract)
        if extract.is_plain and how.kind == "lines":
            plain.setdefault((extract.encoding, how), []).append(extract)
        else:
            careful.setdefault(how, []).append(extract)
    return [
        *[plain_rows(spark, group, landing, how.blanks, how.comment) for (_, how), group in plain.items()],
        *[careful_rows(spark, group, how, is_local=is_local) for how, group in careful.items()],
    ]


def concerns_file(problem: Column) -> Column:
    """Whether a problem is the file's and no row's: such a row stands for what could not be read."""
    return F.coalesce(F.startswith(problem, F.lit("file ")), F.lit(False))


def text_or_nothing(value: Column, source: SourceConfig) -> Column:
    """The value, null where the source's word for nothing stands."""
    word = source.options.null_value
    return value if word is None else F.nullif(value, F.lit(word))


def set_aside(
    spark: SparkSession, source: SourceConfig, files: Sequence[tuple[FoundFile, str]]
) -> list[DataFrame]:
    """A row for each file that cannot be read at all."""
    if not files:
        return []
    listed = [(file.path, file.modified_at, problem) for file, problem in files]
    rows = spark.createDataFrame(listed, "_file string, _file_modified_at timestamp, _problem string").coalesce(1)
    return [
        rows.select(
            *[F.expr(NOTHING).alias(c.name) for c in source.columns],
            F.lit(None).cast(EXTRAS).alias("_extra"),
            F.lit("").alias("_corrupt"),
            "_problem",
            F.array().cast("array<string>").alias("_missing"),
            F.lit(False).alias("_recoded"),
            "_file",
            "_file_modified_at",
            F.lit(1).cast("bigint").alias("_file_row"),
        )
    ]


def union(frames: Sequence[DataFrame], spark: SparkSession, source: SourceConfig) -> DataFrame:
    """All rows; none where there are no frames."""
    if not frames:
        ddl = [f"`{c.name}` string" for c in source.columns]
        ddl += [f"_extra {EXTRAS}", "_corrupt string", "_problem string", "_missing array<string>", "_recoded boolean"]
        ddl += ["_file string", "_file_modified_at timestamp", "_file_row bigint"]
        return spark.createDataFrame([], ", ".join(ddl))
    whole = frames[0]
    for frame in frames[1:]:
        whole = whole.unionByName(frame)
    return whole
