"""JSON: an object a row, found by line or in documents that span lines; values as text, nested ones as JSON."""

import json
from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from cdp.bronze.config import SourceConfig
from cdp.bronze.read.careful import Layout
from cdp.bronze.read.exact import exact_numbers, holds_lost_number
from cdp.bronze.read.layout import EXTRAS, rows_of, text_or_nothing
from cdp.bronze.read.nested import below, left_over, tree_of
from cdp.bronze.read.sniff import Extract
from cdp.bronze.read.stream import text_of

_LOOKED_AT = 50
_LINES, _DOCUMENTS = Layout("lines"), Layout("documents")


def read_json(
    spark: SparkSession, source: SourceConfig, landing: str, extracts: Sequence[Extract], *, is_local: bool
) -> list[DataFrame]:
    """Rows of JSON files; each file may be lines, an array or objects over several lines."""

    def layout(extract: Extract) -> Layout:
        return _DOCUMENTS if source.options.multiline or spans_lines(text_of(extract.head, extract.encoding)) else _LINES

    return [json_values(rows, source) for rows in rows_of(spark, extracts, landing, layout, is_local=is_local)]


def spans_lines(start: bytes) -> bool:
    """Whether a file that begins so is an array, or objects that reach over the end of their line."""
    text = start.decode("utf-8", "replace").lstrip()
    if not text.startswith("{"):
        return text.startswith("[")
    some = text.splitlines()[:_LOOKED_AT]
    # One broken line says nothing: a file is of lines as soon as one of them is an object by itself.
    if len(some) < 2 or any(line.startswith("{") and _is_json(line) for line in some):
        return False
    try:
        json.JSONDecoder().raw_decode(text)
        return True
    except (json.JSONDecodeError, RecursionError):
        return some[0].rstrip().endswith((",", "{", "["))


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
        return True
    except (json.JSONDecodeError, RecursionError):
        return False


def json_values(rows: DataFrame, source: SourceConfig, *, keep: tuple[str, ...] = ()) -> DataFrame:
    """Rows' texts as values under the declared columns.

    Args:
        rows: what `rows_of` gives.
        source: how they are written.
        keep: further columns to hand on.
    """
    names = [c.name for c in source.columns]
    tree, root = tree_of(names), F.col("_fields")
    sent = ["_text", "_recoded", "_file", "_file_modified_at", "_line", *keep]
    # Within an array, as `from_json` stops at the end of the first value: what follows it would be lost in silence.
    options = {"allowSingleQuotes": "false", "allowNonNumericNumbers": "false"}
    objects = F.from_json(F.concat(F.lit("["), "_text", F.lit("]")), f"array<{EXTRAS}>", options)
    rows = rows.select("_problem", F.when(F.col("_problem").isNull(), objects).alias("_fields"), *sent)
    rows = rows.withColumn("_fields", F.when(F.size("_fields") == 1, F.get("_fields", F.lit(0))))
    # What is used several times is a column of its own, or Spark would work it out as often.
    rows = rows.select(
        _problem(source, root).alias("_problem"), exact_numbers(root, F.col("_text")).alias("_fields"), *sent
    )
    lost = F.when(holds_lost_number(root), F.lit("row holds a number that is too large or too long to keep"))
    problem = F.coalesce("_problem", lost)
    values = below(root, tree)
    return rows.select(
        *[text_or_nothing(values[name], source).alias(name) for name in names],
        left_over(root, tree, names).alias("_extra"),
        F.when(problem.isNotNull(), F.col("_text")).alias("_corrupt"),
        problem.alias("_problem"),
        F.array().cast("array<string>").alias("_missing"),
        "_recoded",
        "_file",
        "_file_modified_at",
        F.col("_line").alias("_file_row"),
        *keep,
    )


def _problem(source: SourceConfig, fields: Column) -> Column:
    problem = (
        F.when(F.col("_problem").isNotNull(), F.col("_problem"))
        .when(fields.isNull(), F.lit("row is no JSON object"))
        .when(_names_a_key_twice(fields), F.lit("row names a key twice, with different values"))
    )
    if not source.required_columns:
        return problem
    lacking = F.array_compact(F.array(*[_lacks(name, fields) for name in source.required_columns]))
    return problem.when(F.size(lacking) > 0, F.concat(F.lit("row lacks "), F.array_join(lacking, ", ")))


def _lacks(name: str, root: Column) -> Column:
    _, *rest = name.split(".")
    is_there = F.map_contains_key(root, F.lit(name))
    if rest:
        is_there = is_there | below(root, tree_of([name]))[name].isNotNull()
    return F.when(~F.coalesce(is_there, F.lit(False)), F.lit(name))


def _names_a_key_twice(fields: Column) -> Column:
    # A map that Spark makes itself keeps the last of equal keys, the one that `from_json` makes keeps them all.
    once = F.size(F.map_concat(fields, F.create_map().cast(EXTRAS)))
    return (once < F.size(fields)) & (F.size(F.array_distinct(F.map_entries(fields))) > once)
