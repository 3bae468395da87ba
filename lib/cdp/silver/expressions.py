"""The expressions of `produces`, evaluated so that one that fails on a row is known and stops nothing else.

Spark is strict: a cast of text that is no date ends the whole query. Each expression is therefore wrapped in Catalyst's
own TryEval, around a struct, so that "it failed" (no struct) and "it is null" (a struct with a null) stay apart.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pyspark.errors import AnalysisException, ParseException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from cdp.base.errors import ConfigError
from cdp.base.names import joined
from cdp.base.settings import did_you_mean

_PLANNING = {
    # Spark otherwise computes what two expressions share outside of both wrappers.
    "spark.sql.subexpressionElimination.enabled": "false",
    # Spark otherwise derives facts from every wrapped expression and compares each with each: minutes of planning.
    "spark.sql.constraintPropagation.enabled": "false",
}


@contextmanager
def evaluating(spark: SparkSession) -> Iterator[None]:
    """The settings that must hold where frames made by `evaluate` are run; no other query should run meanwhile."""
    before = {name: spark.conf.get(name, None) for name in _PLANNING}
    for name, value in _PLANNING.items():
        spark.conf.set(name, value)
    try:
        yield
    finally:
        for name, old in before.items():
            spark.conf.unset(name) if old is None else spark.conf.set(name, old)


def evaluate(
    rows: DataFrame, fields: dict[str, tuple[str, str]], *, keep: list[str], where: str, failure: str = "{}"
) -> DataFrame:
    """Evaluate expressions on each row.

    Args:
        rows: the columns that the expressions may use, and those of `keep`.
        fields: name to (SQL expression or column, Spark type that it is cast to).
        keep: columns to pass through.
        where: what to call the expressions in an error, e.g. `source crm: produces.consent`.
        failure: what to call a field that failed, with its name in the braces.

    Returns:
        `keep`, each field, and `_failed`: what to call those whose expression failed on the row, `joined`.

    Raises:
        ConfigError: an expression is not SQL, or names a column or function that there is not.
    """
    tried: dict[str, Column] = {}
    problems = []
    for name, (text, kind) in fields.items():
        try:
            tried[name] = _tried(rows.sparkSession, _quoted(text, rows.columns), kind).alias(f"_try_{name}")
        except ParseException as error:
            problems.append(f"{name}: {_explained(error, rows.columns)}")
    outcome = None
    try:
        outcome = rows.select(*keep, *tried.values())
    except AnalysisException as error:
        # All are analysed at once, as that takes a while; which of them is wrong is only asked when one is.
        found = [problem for name, column in tried.items() if (problem := _problem(rows, name, column))]
        problems += found or [_explained(error, rows.columns)]
    if problems or outcome is None:
        raise ConfigError(where, problems)
    failed = [F.when(F.col(f"_try_{name}").isNull(), F.lit(failure.format(name))) for name in fields]
    return outcome.select(
        *keep,
        *[F.col(f"_try_{name}.v").alias(name) for name in fields],
        joined(failed).alias("_failed"),
    )


def _problem(rows: DataFrame, name: str, column: Column) -> str | None:
    try:
        rows.select(column)
    except AnalysisException as error:
        return f"{name}: {_explained(error, rows.columns)}"
    return None


def _quoted(text: str, columns: list[str]) -> str:
    # A column's name may hold spaces or be a word of SQL; only what is no column is an expression.
    return f"`{text}`" if text in columns else text


def _tried(spark: SparkSession, text: str, kind: str) -> Column:
    parser = spark._jsparkSession.sessionState().sqlParser()
    parsed = parser.parseExpression(f"named_struct('v', cast(({text}\n) as {kind}))")
    jvm: Any = spark._jvm
    wrapped = jvm.org.apache.spark.sql.catalyst.expressions.TryEval(parsed)
    return Column(jvm.org.apache.spark.sql.classic.ExpressionUtils.column(wrapped))


def _explained(error: AnalysisException, columns: list[str]) -> str:
    parameters, condition = error.getMessageParameters() or {}, error.getCondition() or ""
    if condition.startswith("UNRESOLVED_COLUMN"):
        shown = [c for c in columns if not c.startswith("_")]
        name = str(parameters.get("objectName", "")).replace("`", "")
        return f"no column {name}{did_you_mean(name, shown)}"
    if condition.startswith("UNRESOLVED_ROUTINE"):
        return f"no function {parameters.get('routineName')}"
    first = next((line.strip() for line in str(error).splitlines() if line.strip()), condition)
    return f"not a SQL expression: {first}" if isinstance(error, ParseException) else first
