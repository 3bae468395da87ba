"""Contract checks that ride on the write itself: no pass over the data of their own."""

import re

from pyspark.errors import PySparkException
from pyspark.sql.types import StructType

from cdp.base.contracts import Expectation, Table
from cdp.base.sql import literal, words

_MARK = "broken contract: "


def shape_problems(table: Table, schema: StructType) -> list[str]:
    """What is wrong with the columns and types of rows meant for `table`: a line each."""
    wanted = {f.name: f.dataType.simpleString() for f in table.schema}
    found = {f.name: f.dataType.simpleString() for f in schema}
    missing = [f"{name}: missing, wanted {kind}" for name, kind in wanted.items() if name not in found]
    extra = [f"{name}: found {kind}, but the contract has no such column" for name, kind in found.items() if name not in wanted]
    wrong = [
        f"{name}: found {found[name]}, wanted {kind}" for name, kind in wanted.items() if found.get(name, kind) != kind
    ]
    return missing + extra + wrong


def guarded(table: Table) -> list[str]:
    """The declared columns in order, as Spark SQL; evaluating one on a row that breaks the contract fails the write.

    Required columns refuse null, and columns under a critical expectation refuse other values. The error names table,
    column and rule, never the value. In text, as each column of Python's costs a dozen calls to the JVM.
    """
    rules: dict[str, list[tuple[str, str]]] = {}
    for name in table.required_columns:
        rules.setdefault(name, []).append((f"`{name}` IS NULL", "is null, but required"))
    for expectation in table.expect:
        if expectation.severity == "critical":
            rules.setdefault(expectation.arguments["column"], []).append(_broken(expectation))
    return [_guard(table, c.name, rules.get(c.name, [])) for c in table.columns]


def _guard(table: Table, name: str, rules: list[tuple[str, str]]) -> str:
    value = f"`{name}`"
    for broken, rule in rules:
        refused = f"raise_error({literal(f'{_MARK}{table.name}.{name} {rule};')})"
        value = f"CASE WHEN {broken} THEN {refused} ELSE {value} END"
    return f"{value} AS `{name}`"


def _broken(expectation: Expectation) -> tuple[str, str]:
    arguments = expectation.arguments
    column = f"`{arguments['column']}`"
    if expectation.kind == "ExpectColumnValuesToBeBetween":
        low, high = arguments["min_value"], arguments["max_value"]
        checks = [f"{column} < {low}"] if low is not None else []
        # NaN is greater than any number in Spark, and no number a person can use.
        checks += [f"{column} > {high}"] if high is not None else []
        return " OR ".join(checks), f"is outside [{low}, {high}]"
    if expectation.kind == "ExpectColumnValuesToBeInSet":
        return f"{column} NOT IN ({words(arguments['value_set'])})", f"is not among {arguments['value_set']}"
    if expectation.kind == "ExpectColumnValuesToMatchRegex":
        return f"NOT {column} RLIKE {literal(arguments['regex'])}", f"does not match {arguments['regex']}"
    raise ValueError(f"{expectation.kind} cannot be checked row by row")


def breach_of(error: BaseException) -> str | None:
    """The contract breach that made a write fail, if that is what `error` is."""
    if not isinstance(error, PySparkException) and "Py4J" not in type(error).__name__:
        return None
    found = re.search(re.escape(_MARK) + r"([^;]*);", str(error))
    return found.group(1) if found else None
