"""Columns as a rule names them, `amount`, `campaign.name`, `properties.product_id`, and what can be done with their values."""

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from pyspark.sql import Column as SparkColumn
from pyspark.sql import functions as F

from cdp.base.contracts import Column
from cdp.base.settings import did_you_mean

Kind = Literal["text", "number", "boolean", "time", "loose"]
"""What can be done with a value. `loose`: a text that holds anything, such as an event's property, and is read as the
operator needs it."""

TEXT_MAP = "map<string,string>"
TEXTS = "array<string>"
_FIELD = re.compile(r"(\w+):\s*([^,(]+(?:\([^)]*\))?)")
"""Name and type of each field of a struct without structs in it."""
_LARGEST = sys.float_info.max
_KINDS: dict[str, Kind] = {
    "string": "text",
    "int": "number",
    "bigint": "number",
    "double": "number",
    "decimal": "number",
    "boolean": "boolean",
    "date": "time",
    "timestamp": "time",
}


class UnknownAttributeError(ValueError):
    """No such attribute or column; the message says what there is."""


@dataclass(frozen=True)
class Named:
    """A column of a table as a rule names it.

    Attributes:
        name: the column.
        kind: what can be done with it (for a list: with an element).
        type: Spark type of the value (for a list: of an element).
        is_array: whether it is a list.
        key: key, for an entry of a map column.
        field: field, for one of a struct column.
    """

    name: str
    kind: Kind
    type: str
    is_array: bool = False
    key: str | None = None
    field: str | None = None

    @property
    def value(self) -> SparkColumn:
        """Its value in a row of the table."""
        inner = self.key or self.field
        return F.col(self.name)[inner] if inner else F.col(self.name)


def named(path: str, columns: Iterable[Column]) -> Named:
    """The column that `path` names among `columns`.

    Raises:
        UnknownAttributeError: there is none.
    """
    columns = list(columns)
    found = typed(path, columns)
    if found is None:
        raise UnknownAttributeError(f"unknown column {path}{did_you_mean(path, names_of(columns))}")
    return found


def typed(path: str, columns: Iterable[Column]) -> Named | None:
    """As `named`; None where there is none."""
    name, _, inner = path.partition(".")
    column = next((c for c in columns if c.name == name), None)
    if column is None:
        return None
    if column.type == TEXT_MAP:
        return Named(name, "loose", "string", key=inner) if inner else None
    fields = _fields(column)
    if inner in fields:
        kind = kind_of(fields[inner])
        return Named(name, kind, fields[inner], field=inner) if kind else None
    if inner:
        return None
    if column.type == TEXTS:
        return Named(name, "text", "string", is_array=True)
    kind = kind_of(column.type)
    return Named(name, kind, column.type) if kind else None


def names_of(columns: Iterable[Column]) -> list[str]:
    """How the columns that a rule may ask for are named."""
    names: list[str] = []
    for column in columns:
        if column.type == TEXT_MAP:
            names.append(f"{column.name}.NAME")
        elif column.type.startswith("struct<"):
            names += [f"{column.name}.{field}" for field, type_ in _fields(column).items() if kind_of(type_)]
        elif column.type == TEXTS or kind_of(column.type):
            names.append(column.name)
    return names


def kind_of(type_: str) -> Kind | None:
    """What can be done with a value of a Spark type; None: nothing."""
    return _KINDS.get(type_.split("(")[0])


def number_in(text: SparkColumn) -> SparkColumn:
    """The number that a text holds; null where it holds none. NaN and Infinity, which Spark would read, are none."""
    number = text.try_cast("double")
    return F.when(number.between(-_LARGEST, _LARGEST), number)


def _fields(column: Column) -> dict[str, str]:
    if not column.type.startswith("struct<"):
        return {}
    # Spark's own parser would want a session, and rules are checked without one.
    return dict(_FIELD.findall(column.type.removeprefix("struct<").removesuffix(">")))
