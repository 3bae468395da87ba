"""Reads rows of quarantine once more, under today's options and columns.

Quarantine holds a row that broke a rule as JSON of its columns, and one that could not be read as its text. A text of a
CSV file says little without the header, which is looked up in the file while that is there and unchanged.
"""

import unicodedata
from collections.abc import Callable

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from cdp.base.files import FileSystem
from cdp.bronze.config import SourceConfig
from cdp.bronze.read.csv import folded, read_csv_texts
from cdp.bronze.read.exact import exact_numbers
from cdp.bronze.read.json import json_values
from cdp.bronze.read.layout import EXTRAS, NOTHING, text_or_nothing, union
from cdp.bronze.read.nested import below, left_over, object_of, tree_of
from cdp.bronze.read.sniff import Extract, sniff

# How the reasons of a row or a file that cannot be read begin (`file lacks` is said of rows that can be), and how those
# of rules end, whatever the column is called.
_UNREAD = r"\A(?:row |file cannot |file ends )"
_OF_RULE = r": (?:not_null|unique|accepted_values|range|pattern|relationships|no \S.*)\z"
# No other options make more of these than there is: a whole file, the rest of one, a character that is lost.
_FINAL = r"\A(?:file |row is not in )"
_COMMON = ("_recoded", "_file", "_file_modified_at", "_file_row", "_sent")


def read_again(spark: SparkSession, source: SourceConfig, landing: FileSystem, held: DataFrame) -> DataFrame:
    """Rows as `read_files` gives them, from what quarantine holds of them.

    Args:
        spark: session.
        source: how the files are written today and which columns they promise.
        landing: the extracts, for the headers of CSV files.
        held: `_file`, `_file_modified_at`, `_file_row`, `raw`, `reasons`, and `_sent`, which is kept.

    Returns:
        The rows, and `_sent`. One that cannot be read today either has its first reason as `_problem`.
    """
    held = held.select(
        F.col("raw").alias("_text"),
        "reasons",
        F.get("reasons", F.lit(0)).alias("_reason"),
        F.lit(False).alias("_recoded"),
        *_COMMON[1:],
    )
    held = held.withColumn("_form", _form(object_of(F.col("_text"))))
    frames = [_from_columns(held.where("_form = 'columns'"), source), _left(held.where("_form = 'final'"), source)]
    texts = held.where("_form = 'text'").withColumn("_problem", F.expr(NOTHING))
    if source.format == "json":
        frames.append(json_values(texts.withColumn("_line", F.col("_file_row")), source, keep=("_sent",)))
    elif source.format == "csv":
        headed = _headed(spark, source, landing, texts)
        read, rest = read_csv_texts(spark, source, texts, headed, is_local=landing.is_local)
        frames += [*read, _left(rest, source)]
    else:
        frames.append(_left(texts, source))
    return union(frames, spark, source)


def _form(fields: Column) -> Column:
    first = F.coalesce("_reason", F.lit(""))
    is_unread = F.rlike(first, F.lit(_UNREAD)) & ~F.rlike(first, F.lit(_OF_RULE))
    is_final = is_unread & F.rlike(first, F.lit(_FINAL))
    return F.when(is_final, F.lit("final")).when(is_unread | fields.isNull(), F.lit("text")).otherwise(F.lit("columns"))


def _headed(spark: SparkSession, source: SourceConfig, landing: FileSystem, texts: DataFrame) -> list[Extract]:
    """The files of some texts that are still there as they were."""
    if not source.options.header:
        return []
    wanted = {(r["_file"], r["_file_modified_at"]) for r in texts.select("_file", "_file_modified_at").distinct().collect()}
    files = [f for f in landing.glob(source.path) if (f.path, f.modified_at) in wanted] if wanted else []
    extracts = sniff(spark, landing.root, files, source.options.encoding, is_local=landing.is_local)
    return [extract for extract in extracts if extract.problem is None]


def _left(held: DataFrame, source: SourceConfig) -> DataFrame:
    """Rows that stay unreadable."""
    return held.select(
        *[F.expr(NOTHING).alias(c.name) for c in source.columns],
        F.lit(None).cast(EXTRAS).alias("_extra"),
        F.col("_text").alias("_corrupt"),
        F.col("_reason").alias("_problem"),
        F.array().cast("array<string>").alias("_missing"),
        *_COMMON,
    )


def _from_columns(held: DataFrame, source: SourceConfig) -> DataFrame:
    names, root = [c.name for c in source.columns], F.col("_fields")
    fields = exact_numbers(object_of(F.col("_text")), F.col("_text"))
    held = held.withColumn("_fields", fields)
    extra = F.coalesce(object_of(F.try_element_at(root, F.lit("_extra"))), F.create_map().cast(EXTRAS))
    whole = F.map_concat(extra, F.map_filter(root, lambda key, _: key != "_extra"))
    held = held.withColumn("_fields", whole if source.format == "json" else F.transform_keys(whole, _named(names)))
    tree = tree_of(names)
    if source.format == "csv":
        values = {name: F.try_element_at(root, F.lit(name)) for name in names}
        rest = F.map_filter(root, lambda key, _: ~key.isin(names))
    else:
        values, rest = below(root, tree), left_over(root, tree, names)
    return held.select(
        *[text_or_nothing(values[name], source).alias(name) for name in names],
        F.when(F.size(rest) > 0, rest).alias("_extra"),
        F.expr(NOTHING).alias("_corrupt"),
        F.expr(NOTHING).alias("_problem"),
        _missing(source).alias("_missing"),
        *_COMMON,
    )


def _named(names: list[str]) -> Callable[[Column, Column], Column]:
    """Gives a key the declared spelling of its name: letter case and the form of accents do not tell columns apart."""

    def name(key: Column, _: Column) -> Column:
        spelled = key
        for declared in names:
            forms = {form.lower() for form in (declared, folded(declared), unicodedata.normalize("NFD", declared))}
            spelled = F.when(F.lower(key).isin(sorted(forms)), F.lit(declared)).otherwise(spelled)
        return spelled

    return name


def _missing(source: SourceConfig) -> Column:
    """Required columns that the file lacked and that no column it has is called by today.

    What is null is not in the JSON, so whether the file had a column is known only from what was said then.
    """
    lacked = F.filter("reasons", lambda reason: F.startswith(reason, F.lit("file lacks ")))
    said = F.flatten(F.transform(lacked, lambda reason: F.split(F.substring(reason, 12, 100_000), ", ")))
    required = F.array(*[F.lit(name) for name in source.required_columns]).cast("array<string>")
    return F.filter(required, lambda name: F.array_contains(said, name) & ~F.map_contains_key("_fields", name))
