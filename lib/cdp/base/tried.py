"""Expressions that come to null where Spark, being strict, would end the query."""

from typing import Any

from pyspark.sql import Column, SparkSession


def tried(expression: Column) -> Column:
    """The expression in Catalyst's own TryEval: null where it raises an error, such as for a cast of text that is no date.

    For what Spark has no `try_` function for; it catches every error of the expression and of all that is within it.
    """
    session = SparkSession.active()
    jvm: Any = session._jvm
    utils = jvm.org.apache.spark.sql.classic.ExpressionUtils
    wrapped = jvm.org.apache.spark.sql.catalyst.expressions.TryEval(utils.expression(expression._jc))
    return Column(utils.column(wrapped))
