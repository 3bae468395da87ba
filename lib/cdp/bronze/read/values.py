"""Splits the rows of a CSV file into values, by column expressions."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from cdp.bronze.read.dialect import Dialect, java_field, java_literal


def values_of(text: Column, dialect: Dialect) -> Column:
    """The row's values, quotes and escapes taken off; null where a quote is not closed."""
    plain = F.split(text, java_literal(dialect.delimiter), -1)
    if not dialect.marks:
        return plain
    values = F.when(~_holds(text, dialect), plain)
    if dialect.quote and not dialect.escape:
        values = values.when(_is_quoted_throughout(text, dialect), _between_quotes(text, dialect))
    return values.otherwise(_any_values(text, dialect))


def _holds(text: Column, dialect: Dialect) -> Column:
    holds = F.contains(text, F.lit(dialect.marks[0]))
    for mark in dialect.marks[1:]:
        holds = holds | F.contains(text, F.lit(mark))
    return holds


def _is_quoted_throughout(text: Column, dialect: Dialect) -> Column:
    """Whether each value is in quotes and none holds a quote: such a row is split at what stands between quotes."""
    quote = F.lit(dialect.quote)
    others = F.replace(_inside(text), F.lit(f"{dialect.quote}{dialect.delimiter}{dialect.quote}"), F.lit(""))
    is_around = F.startswith(text, quote) & F.endswith(text, quote) & (F.length(text) > 1)
    return is_around & ~F.contains(others, quote)


def _between_quotes(text: Column, dialect: Dialect) -> Column:
    return F.split(_inside(text), java_literal(f"{dialect.quote}{dialect.delimiter}{dialect.quote}"), -1)


def _any_values(text: Column, dialect: Dialect) -> Column:
    delimiter = F.lit(dialect.delimiter)
    fields = F.regexp_extract_all(F.concat(delimiter, text), F.lit(java_field(dialect)), F.lit(1))
    # What was found must be all there is: behind a value that is none, the search goes on and leaves a gap.
    is_whole = F.array_join(fields, dialect.delimiter) == text
    return F.when(is_whole, F.transform(fields, lambda field: _bare(field, dialect)))


def _bare(field: Column, dialect: Dialect) -> Column:
    quote = F.lit(dialect.quote)
    inside, outside = _inside(field) if dialect.quote else field, field
    if dialect.escape:
        step = f"(?s){java_literal(dialect.escape)}(.)"
        inside, outside = F.regexp_replace(inside, step, "$1"), F.regexp_replace(field, step, "$1")
    else:
        inside = F.replace(inside, F.concat(quote, quote), quote)
    return F.when(F.startswith(field, quote), inside).otherwise(outside) if dialect.quote else outside


def _inside(field: Column) -> Column:
    return F.substring(field, F.lit(2), F.length(field) - 2)
