"""A source's row rules as column expressions: one pass beside the write, whatever their number."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from cdp.base.names import joined, split_names
from cdp.bronze.columns import ColumnTest, Severity, SourceColumn
from cdp.bronze.config import SourceConfig
from cdp.bronze.typed import is_broken, typed


def with_reasons(
    rows: DataFrame, source: SourceConfig, timezone: str, *, batch: Sequence[Column] = ()
) -> DataFrame:
    """Judge each row by the source's contract.

    Args:
        rows: every declared column as string, `_corrupt` (text of a row that could not be read, else null),
            `_problem` (why) and `_missing` (required columns that the file lacks); of references what
            `with_parents` adds.
        source: the contract.
        timezone: zone of timestamps that carry none.
        batch: what tells deliveries apart, within each of which a value is unique; nothing: the rows are one.

    Returns:
        The rows with `_reasons` (rules of severity quarantine that they break), `_warnings` and `_errors` (rules of
        the other severities), as arrays of names such as `email: pattern`. Values are in none of them.
    """
    broken: dict[str, list[Column]] = {"quarantine": [], "warn": [], "error": []}
    key_is_judged = {c.name for c in source.columns for t in c.tests if t.not_null}
    typed_columns = {_value_of(c): typed(c, timezone) for c in source.columns if c.type.lower() != "string"}
    for column in source.columns:
        value = F.col(f"`{_value_of(column) if _value_of(column) in typed_columns else column.name}`")
        if _value_of(column) in typed_columns:
            broken["quarantine"].append(_named(is_broken(column, value), f"{column.name}: no {column.type}"))
        for test in column.tests:
            broken[column.severity].append(_named(_breaks(column, test, value, batch), f"{column.name}: {test.name}"))
        if column.name in source.primary_key and column.name not in key_is_judged:
            broken["quarantine"].append(_named(_is_empty(column), f"{column.name}: not_null"))
    unreadable = joined(
        [
            F.when(F.col("_corrupt").isNotNull(), F.coalesce("_problem", F.lit("row cannot be read"))),
            F.when(F.size("_missing") > 0, F.concat(F.lit("file lacks "), F.array_join("_missing", ", "))),
        ]
    )
    mild = {"_warnings": joined(broken["warn"]), "_errors": joined(broken["error"])}
    # Values are columns of their own, or Spark would work each out in every rule that looks at it.
    found = rows.withColumns(typed_columns).withColumns({"_reasons": unreadable, **mild})
    # Rules say nothing about a row that could not be read: its columns are not what they seem.
    judged = F.when(F.col("_reasons") != "", F.col("_reasons")).otherwise(joined(broken["quarantine"]))
    found = found.withColumn("_reasons", judged)
    return found.withColumns({name: split_names(F.col(name)) for name in ("_reasons", *mild)}).drop(*typed_columns)


def _value_of(column: SourceColumn) -> str:
    """Name of the column of a declared column's value in its type."""
    return f"_value_{column.name}"


def _named(condition: Column, name: str) -> Column:
    return F.when(condition, F.lit(name))


def _is_empty(column: SourceColumn) -> Column:
    raw = F.col(f"`{column.name}`")
    return raw.isNull() | (F.trim(raw) == "")


def rules_of(source: SourceConfig, severity: Severity) -> list[str]:
    """Names of a source's tests of a severity, each once."""
    return list(dict.fromkeys(f"{c.name}: {t.name}" for c in source.columns if c.severity == severity for t in c.tests))


def found_in(column: SourceColumn, test: ColumnTest) -> str:
    """Name of the column that says whether the value a test refers to is there."""
    return f"_found_{column.tests.index(test)}_{column.name}"


def _breaks(column: SourceColumn, test: ColumnTest, value: Column, batch: Sequence[Column]) -> Column:
    raw, present = F.col(f"`{column.name}`"), ~_is_empty(column)
    if test.not_null:
        return _is_empty(column)
    if test.unique:
        return present & (F.count(F.lit(1)).over(Window.partitionBy(raw, *batch)) > 1)
    if test.accepted_values is not None:
        return present & ~raw.isin(list(test.accepted_values))
    if test.range is not None:
        low, high = test.range.min, test.range.max
        number = value.try_cast("double") if column.type.lower() == "string" else value
        outside = F.lit(False)
        outside = outside | (number < low) if low is not None else outside
        outside = outside | (number > high) if high is not None else outside
        return present & F.coalesce(outside, F.lit(True))
    if test.relationships is not None:
        return present & F.col(f"`{found_in(column, test)}`").isNull()
    if test.pattern is not None:
        return present & ~raw.rlike(test.pattern)
    return F.lit(False)
