"""Traits written in SQL: checked without Spark, and worked out with it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Protocol
from uuid import uuid4

from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from sqlglot import exp, parse
from sqlglot.errors import SqlglotError

from cdp.base.errors import CdpError, ConfigError
from cdp.base.settings import did_you_mean
from cdp.base.spark_errors import spark_name_of
from cdp.bronze.sql_functions import UNREPEATABLE, changes
from cdp.bronze.sql_names import MOMENTS
from cdp.silver.expressions import evaluate

_ANSWER = ("customer_id", "value")


Common = tuple[SparkSession, str]
"""Spark, and the tables of a query as common table expressions."""


class _Trait(Protocol):
    name: str
    expression: str | None
    query: str | None


def query_problems(text: str, tables: Sequence[str], answer: Sequence[str] = _ANSWER) -> Iterator[str]:
    """What is wrong with a query that should give some columns, as far as it can be told without Spark.

    Args:
        text: the query.
        tables: what it may read, by the names it may use.
        answer: the columns.
    """
    try:
        found = [statement for statement in parse(text, read="spark") if statement is not None]
    except SqlglotError as error:
        first = getattr(error, "errors", None)
        where = f" at line {first[0]['line']}, column {first[0]['col']}" if first else ""
        yield f"not a SQL query: it cannot be read{where}"
        return
    if len(found) != 1 or not isinstance(found[0], exp.Query):
        what = "nothing" if not found else found[0].key.upper() if len(found) == 1 else f"{len(found)} statements"
        yield f"found {what}, wanted one SELECT"
        return
    query = found[0]
    known = {*tables, *(cte.alias for cte in query.find_all(exp.CTE))}
    for table in query.find_all(exp.Table):
        name = ".".join(part for part in (table.catalog, table.db, table.name) if part)
        if name not in known:
            yield f"no table {table.sql('spark')}{did_you_mean(name, sorted(tables))}"
    if query.find(exp.TableSample) or query.find(exp.Version):
        yield "TABLESAMPLE and VERSION are refused: a query reads the tables of the run, whole"
    called = {f.name.lower() if isinstance(f, exp.Anonymous) else f.sql_name().lower() for f in query.find_all(exp.Func)}
    # Without brackets the parser takes them for columns.
    called |= {c.name.lower() for c in query.find_all(exp.Column) if not (c.table or c.this.quoted)}
    yield from (changes(name) for name in sorted(called & UNREPEATABLE))
    words = {cast.this.name.strip().lower() for cast in query.find_all(exp.Cast) if cast.this.is_string}
    yield from (changes(f"'{word}'") for word in sorted(words & set(MOMENTS)))
    selected = query.named_selects
    missing = [name for name in answer if name not in selected]
    if missing and "*" not in selected:
        yield f"it has no column {missing[0]}; wanted {' and '.join(answer)}"


def without_end(query: str) -> str:
    """A query without the semicolon that may end it."""
    return query.rstrip().rstrip(";")


def levels(traits: Sequence[_Trait]) -> list[list[_Trait]]:
    """The expressions in groups: each names only traits of the groups before its own."""
    waiting, found = list(traits), []
    while waiting:
        names = {t.name.lower() for t in waiting}
        ready = [t for t in waiting if not _named_in(t.expression or "") & (names - {t.name.lower()})]
        # What cannot be told apart goes one by one, in the order of the file.
        found.append(ready or waiting[:1])
        waiting = [t for t in waiting if t not in found[-1]]
    return found


def with_expressions(rows: DataFrame, traits: Sequence[_Trait], types: Mapping[str, str], where: str) -> DataFrame:
    """Add the traits that are expressions of other traits; one that fails for a customer is null there.

    Args:
        rows: a row a customer.
        traits: those that are expressions.
        types: Spark type of each, by name.
        where: what to call the file in an error.

    Raises:
        ConfigError: an expression is no SQL, or names a column that there is not.
    """
    for level in levels(traits):
        fields = {t.name: (t.expression or "", types[t.name]) for t in level}
        rows = evaluate(rows, fields, keep=rows.columns, where=where).drop("_failed")
    return rows


def answers(query: str, name: str, type_: str, tables: Mapping[str, DataFrame], *, as_of: date, where: str) -> DataFrame:
    """What a query gives: customer_id and a column `name`.

    Args:
        query: SELECT with customer_id and value; `:as_of` is the run's date.
        name: of the trait.
        type_: Spark type of the value.
        tables: what it may read, by name.
        as_of: the run's date.
        where: what to call the file in an error.

    Raises:
        ConfigError: Spark does not understand the query, or it gives other columns.
        CdpError: it fails on the data, or gives a customer more than one row.
    """
    with _views(tables) as common:
        found = _asked(query, name, type_, common, as_of=as_of, where=where)
        try:
            found = found.localCheckpoint()
        except PySparkException as error:
            raise CdpError(f"{where}: {name}: query: it fails on the data: {spark_name_of(error)}") from None
    if not found.groupBy("customer_id").count().where("count > 1").limit(1).isEmpty():
        raise CdpError(f"{where}: {name}: query: it gives a customer several rows; wanted one a customer, with GROUP BY customer_id")
    return found


def check_query(query: str, name: str, type_: str, tables: Mapping[str, DataFrame], *, as_of: date, where: str) -> None:
    """Let Spark plan a query, which reads nothing; the arguments and ConfigError are those of `answers`."""
    with _views(tables) as common:
        _asked(query, name, type_, common, as_of=as_of, where=where)


@contextmanager
def _views(tables: Mapping[str, DataFrame]) -> Iterator[Common]:
    """Views of the tables under names of their own, and Spark."""
    spark = next(iter(tables.values())).sparkSession
    views = {table: f"trait_{uuid4().hex}" for table in tables}
    for table, view in views.items():
        tables[table].createOrReplaceTempView(view)
    try:
        yield spark, ", ".join(f"{table} AS (SELECT * FROM {view})" for table, view in views.items())
    finally:
        for view in views.values():
            spark.catalog.dropTempView(view)


def _asked(query: str, name: str, type_: str, common: Common, *, as_of: date, where: str) -> DataFrame:
    spark, tables = common
    try:
        # As common tables: what the query itself calls so stays its own.
        rows = spark.sql(f"WITH {tables} SELECT * FROM ({without_end(query)}\n)", args={"as_of": as_of})
        missing = [column for column in _ANSWER if column not in rows.columns]
        if missing:
            raise ConfigError(where, [f"{name}: query: it has no column {missing[0]}; wanted customer_id and value"])
        return rows.where("customer_id is not null").select("customer_id", F.col("value").try_cast(type_).alias(name))
    except AnalysisException as error:
        first = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
        raise ConfigError(where, [f"{name}: query: {first}"]) from None


def _named_in(expression: str) -> set[str]:
    try:
        return {column.name.lower() for tree in parse(expression, read="spark") if tree for column in tree.find_all(exp.Column)}
    except SqlglotError:
        return set()
