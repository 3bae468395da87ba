"""CSV: rows split into values, values laid under the columns that the file's header names."""

import unicodedata
from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from cdp.base.files import FoundFile
from cdp.bronze.config import SourceConfig
from cdp.bronze.read.careful import Layout
from cdp.bronze.read.dialect import Dialect, record_pattern, split_row
from cdp.bronze.read.layout import EXTRAS, NOTHING, concerns_file, rows_of, text_or_nothing
from cdp.bronze.read.scan import decoded, lines, records
from cdp.bronze.read.sniff import Extract, longer_heads
from cdp.bronze.read.stream import text_of
from cdp.bronze.read.values import values_of

# A list of names as one literal: Spark plans an array of literals by the element.
_BETWEEN = "\x1f"
_FILE = ["_file", "_file_modified_at"]


def read_csv(
    spark: SparkSession, source: SourceConfig, landing: str, extracts: Sequence[Extract], *, is_local: bool
) -> tuple[list[DataFrame], list[tuple[FoundFile, str]]]:
    """Rows of CSV files, and the files whose header cannot be read, with the reason.

    Files of one source may name their columns in any order, so those with the same header are read together.
    """
    layout = csv_layout(source)
    by_header: dict[tuple[str, tuple[str, ...]], list[Extract]] = {}
    headless: list[tuple[FoundFile, str]] = []
    for extract in extracts:
        line = _header_line(spark, source, extract, layout, is_local=is_local)
        names = _names(source, line)
        if names is None:
            headless.append((extract.file, "file cannot be read: its header has a quote that is not closed"))
        elif names:  # a file without even a header holds no row
            by_header.setdefault((line or "", names), []).append(extract)
    frames = []
    for (line, names), group in by_header.items():
        for rows in rows_of(spark, group, landing, lambda _: layout, is_local=is_local):
            frames.append(csv_values(rows, source, line, names))
    return frames, headless


def read_csv_texts(
    spark: SparkSession,
    source: SourceConfig,
    texts: DataFrame,
    extracts: Sequence[Extract],
    *,
    is_local: bool,
) -> tuple[list[DataFrame], DataFrame]:
    """Rows found earlier, split anew under today's options, and the texts of files whose header is not at hand.

    Args:
        spark: session.
        source: how the rows are written.
        texts: `_text`, `_problem`, `_recoded`, `_file`, `_file_modified_at`, `_file_row`, and `_sent`, which is kept.
        extracts: the files whose header may be looked at.
        is_local: whether they are on a local disk.
    """
    layout = csv_layout(source)
    texts = texts.withColumn("_line", F.col("_file_row") + _lead(source))
    if not source.options.header:
        return [csv_values(texts, source, "", tuple(c.name for c in source.columns), keep=("_sent",))], texts.limit(0)
    by_header: dict[tuple[str, tuple[str, ...]], list[FoundFile]] = {}
    for extract in extracts:
        line = _header_line(spark, source, extract, layout, is_local=is_local)
        names = _names(source, line)
        if names:
            by_header.setdefault((line or "", names), []).append(extract.file)
    frames = []
    for (line, names), files in by_header.items():
        listed = [(file.path, file.modified_at) for file in files]
        group = spark.createDataFrame(listed, "_file string, _file_modified_at timestamp")
        rows = texts.join(F.broadcast(group), on=_FILE, how="left_semi")
        frames.append(csv_values(rows, source, line, names, keep=("_sent",)))
        texts = texts.join(F.broadcast(group), on=_FILE, how="left_anti")
    return frames, texts


def csv_layout(source: SourceConfig) -> Layout:
    options = source.options
    kind = "records" if options.multiline else "lines"
    return Layout(kind, Dialect.of(options), options.comment or "", options.skip_lines)


def _header_line(
    spark: SparkSession, source: SourceConfig, extract: Extract, layout: Layout, *, is_local: bool
) -> str | None:
    """The first row as text; None where the file has none, or the source no headers."""
    if not source.options.header:
        return None
    whole = b""
    for head in (extract.head, *longer_heads(spark, extract, is_local=is_local)):
        whole = text_of(head, extract.encoding)
        # What was looked at may end within a line.
        found = _first_row(whole[: max(whole.rfind(b"\n"), whole.rfind(b"\r")) + 1], layout)
        if found is not None:
            return found
    return _first_row(whole, layout)


def _first_row(text: bytes, layout: Layout) -> str | None:
    dialect = layout.dialect
    assert dialect is not None
    if layout.kind == "lines":
        found = lines([text])
    else:
        found = records(text, 0, record_pattern(dialect), layout.comment.encode(), layout.skipped)
    seen = 0
    for row, _ in found:
        line = decoded(row, "utf-8")[0]
        if not line.strip(layout.blanks) or (layout.comment and line.startswith(layout.comment)):
            continue
        if seen == layout.skipped:
            return line
        seen += 1
    return None


def _names(source: SourceConfig, line: str | None) -> tuple[str, ...] | None:
    if not source.options.header:
        return tuple(c.name for c in source.columns)
    if line is None:
        return ()
    fields = split_row(Dialect.of(source.options), line)
    if fields is None:
        return None
    # A column without a name, or with one that is taken (in any letter case), still needs one of its own.
    seen: dict[str, int] = {}
    distinct = []
    for position, name in enumerate(fields, start=1):
        plain = name.strip(" \t\r\n\u00a0\ufeff\x00").replace("`", "'").replace(_BETWEEN, " ") or f"column_{position}"
        count = seen[folded(plain)] = seen.get(folded(plain), 0) + 1
        distinct.append(plain if count == 1 else f"{plain}_{count}")
    return tuple(distinct)


def folded(name: str) -> str:
    """A column's name without letter case and without the choice between composed and combining accents."""
    return unicodedata.normalize("NFC", name).casefold()


def _lead(source: SourceConfig) -> int:
    """Lines in front of the first row."""
    return source.options.skip_lines + bool(source.options.header)


def csv_values(
    rows: DataFrame, source: SourceConfig, line: str, names: tuple[str, ...], *, keep: tuple[str, ...] = ()
) -> DataFrame:
    """Rows' texts as values under the declared columns.

    Args:
        rows: what `rows_of` gives.
        source: how they are written.
        line: the header as it stands in the file.
        names: the columns that it names.
        keep: further columns to hand on.
    """
    options, dialect, lead = source.options, Dialect.of(source.options), _lead(source)
    sent = ["_text", "_recoded", "_file", "_file_modified_at", "_line", *keep]
    rows = rows.where((F.col("_line") > lead) | concerns_file(F.col("_problem")))
    values = F.when(F.col("_problem").isNull(), values_of(F.col("_text"), dialect))
    rows = rows.select("_problem", values.alias("_values"), *sent)
    problem = _problem(line if options.header else None, len(names))
    rows = rows.select(problem.alias("_problem"), F.when(problem.isNull(), F.col("_values")).alias("_values"), *sent)
    return rows.select(
        *_laid_out(source, names),
        F.when(F.col("_problem").isNotNull(), F.col("_text")).alias("_corrupt"),
        "_problem",
        _missing(source, names).alias("_missing"),
        "_recoded",
        "_file",
        "_file_modified_at",
        F.greatest(F.col("_line") - lead, F.lit(1)).cast("bigint").alias("_file_row"),
        *keep,
    )


def _problem(header: str | None, width: int) -> Column:
    values, found = F.col("_values"), F.size("_values")
    beyond = F.slice(values, width + 1, F.greatest(found - width, F.lit(0)))
    # A delimiter behind the last value adds an empty one; nothing is lost with it.
    is_trailing = (found > width) & (F.array_join(beyond, "") == "")
    problem = F.when(F.col("_problem").isNotNull(), F.col("_problem"))
    problem = problem.when(values.isNull(), F.lit("row has a quote that is not closed"))
    if header is not None:
        problem = problem.when(F.col("_text") == F.lit(header), F.lit("row is the header once more"))
    counted = F.concat(F.lit("row has "), found, F.lit(f" values, wanted {width}"))
    return problem.when((found != width) & ~is_trailing, counted)


def _laid_out(source: SourceConfig, names: tuple[str, ...]) -> list[Column]:
    places = {folded(name): number for number, name in reversed(list(enumerate(names)))}
    declared = {folded(c.name) for c in source.columns}
    extra = [(name, number) for number, name in enumerate(names) if folded(name) not in declared]

    def picked(number: Column) -> Column:
        return text_or_nothing(F.nullif(F.get("_values", number), F.lit("")), source)

    def value(name: str) -> Column:
        number = places.get(folded(name))
        return F.expr(NOTHING) if number is None else picked(F.lit(number))

    extras = F.lit(None).cast(EXTRAS)
    if extra:
        keys = F.split(F.lit(_BETWEEN.join(name for name, _ in extra)), _BETWEEN)
        numbers = F.split(F.lit(",".join(str(number) for _, number in extra)), ",").cast("array<int>")
        extras = F.when(F.col("_values").isNotNull(), F.map_from_arrays(keys, F.transform(numbers, picked)))
    return [*[value(c.name).alias(c.name) for c in source.columns], extras.alias("_extra")]


def _missing(source: SourceConfig, names: tuple[str, ...]) -> Column:
    found = set(map(folded, names))
    missing = [name for name in source.required_columns if folded(name) not in found]
    return F.array(*[F.lit(name) for name in missing]).cast("array<string>")
