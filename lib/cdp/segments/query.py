"""What no other condition can say, in SQL: a query that gives customers."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Literal
from uuid import uuid4

from pydantic import Field
from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame

from cdp.base.contracts import Table
from cdp.base.settings import Strict
from cdp.segments.parts import digest
from cdp.tables import gold, journeys, silver

if TYPE_CHECKING:
    from sqlglot import exp

_AFTER = {
    t.name
    for t in (
        gold.SEGMENT_MEMBERS,
        gold.SEGMENT_HISTORY,
        gold.SEGMENT_CHANGES,
        gold.SEGMENT_STATUS,
        *journeys.TABLES,
        gold.SEGMENT_VERSIONS,
        gold.ATTRIBUTION,
        gold.KPIS,
    )
}
"""Tables that this stage or a later one writes: a run of a date again would read what the first one left."""

TABLES: Mapping[str, Table] = {t.name: t for t in (*silver.TABLES, *gold.TABLES) if t.name not in _AFTER}
"""What a query may read."""


class SqlCondition(Strict):
    """A query gives the person."""

    type: Literal["Sql"]
    query: str = Field(min_length=1)
    """SELECT with the column customer_id, over tables of silver and gold. `:as_of` is the run's date."""

    @property
    def outcome(self) -> str:
        """Name of the column that says whom it gives; equal queries share it."""
        return f"holds__sql_{digest(self.query)}"

    @property
    def tables(self) -> frozenset[str]:
        """Names of the tables that a sound query reads."""
        return frozenset(name for name, _ in _named(self.query))


def sql_problems(condition: SqlCondition) -> Iterator[str]:
    """What is wrong with a query, as lines `query: INVALID_QUERY: text`."""
    from cdp.gold.computed.sql import query_problems  # the parser's import takes a quarter of a second

    problems = list(query_problems(condition.query, tuple(TABLES), ("customer_id",)))
    if not problems and not condition.tables:
        problems = ["it reads no table"]
    yield from (f"query: INVALID_QUERY: {line}" for line in problems)


def given(condition: SqlCondition, tables: Mapping[str, DataFrame], *, as_of: date) -> DataFrame:
    """customer_id of whom a sound query gives, each once.

    Args:
        condition: the query.
        tables: those it reads, by name.
        as_of: the run's date.

    Raises:
        AnalysisException: Spark does not understand it.
    """
    views = {name: f"segment_{uuid4().hex}" for name in tables}
    for name, view in views.items():
        tables[name].createOrReplaceTempView(view)
    spark = next(iter(tables.values())).sparkSession
    try:
        rows = spark.sql(_over(condition.query, views), args={"as_of": as_of})
    finally:  # what was planned needs the names no more
        for view in views.values():
            spark.catalog.dropTempView(view)
    # A row for a customer is enough, however many there are.
    return (
        rows.where("customer_id IS NOT NULL").selectExpr("cast(customer_id AS string) AS customer_id").dropDuplicates()
    )


def query_problem(condition: SqlCondition, tables: Mapping[str, DataFrame], *, as_of: date) -> str | None:
    """What Spark has against a query: it is planned, and reads nothing. Arguments as of `given`."""
    try:
        given(condition, tables, as_of=as_of)
    except AnalysisException as error:
        return next((line.strip() for line in str(error).splitlines() if line.strip()), "it cannot be planned")
    return None


def _over(query: str, views: Mapping[str, str]) -> str:
    """The query with each table's name replaced by its view's, the rest to the letter."""
    from cdp.gold.computed.sql import without_end

    made, end = "", 0
    for name, table in _named(query):
        start, stop = _place(table)
        # Columns may be called after a table that has no other name.
        own = "" if table.alias else f" AS {table.name}"
        made += query[end:start] + views[name] + own
        end = stop
    return without_end(made + query[end:])


def _named(query: str) -> "list[tuple[str, exp.Table]]":
    """The tables of the lake that a query names, in the order of the text."""
    from sqlglot import exp, parse_one

    tables = [t for t in parse_one(query, read="spark").find_all(exp.Table) if t.db]
    return [(f"{t.db}.{t.name}", t) for t in sorted(tables, key=_place)]


def _place(table: "exp.Table") -> tuple[int, int]:
    """Where its name begins and ends in the query."""
    return table.args["db"].meta["start"], table.this.meta["end"] + 1
