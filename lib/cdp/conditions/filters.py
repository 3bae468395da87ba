"""Which rows of a table count: conditions on its columns, in groups of any depth."""

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Discriminator, Field, Tag
from pyspark.sql import Column

from cdp.base.settings import Strict
from cdp.conditions.check import operator_problems
from cdp.conditions.clock import Clock
from cdp.conditions.columns import Named, UnknownAttributeError
from cdp.conditions.holds import Operand, holds, together
from cdp.conditions.operators import AnyOperator


class ColumnCondition(Strict):
    """Something that must hold of one row."""

    type: Literal["Column"]
    column: str = Field(min_length=1)
    """A column of the table; of the timeline e.g. event, channel, amount, occurred_at, properties.X."""
    operator: AnyOperator
    """What must hold of it."""


class Filter(Strict):
    """Which rows count."""

    type: Literal["And", "Or", "Not"]
    """Not: none of the conditions holds."""
    conditions: tuple["FilterCondition", ...] = Field(min_length=1)
    """Conditions on columns, or further groups."""


def _kind_of_filter(value: Any) -> str | None:
    if isinstance(value, BaseModel):
        return type(value).__name__
    kind = value.get("type") if isinstance(value, Mapping) else None
    if kind == "Column":
        return "ColumnCondition"
    return "Filter" if kind in ("And", "Or", "Not") else None


FilterCondition = Annotated[
    Annotated[Filter, Tag("Filter")] | Annotated[ColumnCondition, Tag("ColumnCondition")],
    Discriminator(
        _kind_of_filter,
        custom_error_type="condition_type",
        custom_error_message="wanted type And, Or, Not or Column",
    ),
]
Filter.model_rebuild()


def parts_of(condition: Filter | ColumnCondition, path: str) -> Iterator[tuple[str, Filter | ColumnCondition]]:
    """The condition and every one in it, each with its key path."""
    yield path, condition
    if isinstance(condition, Filter):
        for i, inner in enumerate(condition.conditions):
            yield from parts_of(inner, f"{path}.conditions.{i}")


def filter_problems(condition: Filter, path: str, column: Callable[[str], Named]) -> Iterator[str]:
    """What is wrong with a well-formed filter, by key path: unknown columns, operators that do not go with them.

    Args:
        condition: the filter.
        path: its key path.
        column: the column of a name; raises UnknownAttributeError.
    """
    for where, part in parts_of(condition, path):
        if isinstance(part, ColumnCondition):
            try:
                kind = column(part.column).kind
            except UnknownAttributeError as error:
                yield f"{where}.column: UNKNOWN_ATTRIBUTE: {error}"
                continue
            yield from (f"{where}.{line}" for line in operator_problems(part.operator, kind, part.column))


def filter_holds(condition: Filter | ColumnCondition, clock: Clock, column: Callable[[str], Named]) -> Column:
    """A condition on a row, as a column that is true or false; `column` as in `filter_problems`."""
    if isinstance(condition, Filter):
        return together(condition.type, [filter_holds(c, clock, column) for c in condition.conditions])
    found = column(condition.column)
    return holds(condition.operator, Operand(found.value, found.kind), clock)
