"""Table contracts: what a table promises, declared once.

The schema, the checks on write, the Great Expectations suite, the data dictionary and the list of personal columns all
come from the same `Table` object.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal

from pyspark.sql.types import DataType, StructField, StructType

Severity = Literal["critical", "warning"]

# Statistics cost time for each row and column written, and let Delta skip files only where values lie together: in
# columns of time, as data comes in by time, and in those that a table is clustered by. They stand in the log in clear,
# so a column tagged pii never has any (reference: privacy, erasure in Delta).
_STATS_TYPES = ("date", "timestamp")


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: snake_case.
        type: Spark DDL type, e.g. `string`, `decimal(18,2)`, `array<string>`.
        description: what it means, for the data dictionary and the Delta column comment.
        pii: it holds, or can hold, data of a person other than a surrogate key.
        unit: e.g. `days`, `reporting currency`.
        nullable: whether null is allowed.
    """

    name: str
    type: str
    description: str
    pii: bool = False
    unit: str | None = None
    nullable: bool = False


@dataclass(frozen=True)
class Expectation:
    """A rule of a table, named after a Great Expectations class (`ExpectColumnValuesToBeBetween`).

    Held apart from the library so that jobs which validate nothing do not wait seconds for its import.
    """

    kind: str
    arguments: Mapping[str, Any]
    severity: Severity = "critical"


def between(
    column: str, low: float | None, high: float | None = None, *, severity: Severity = "critical"
) -> Expectation:
    """Values of `column` lie in [low, high]; null is not judged."""
    arguments = {"column": column, "min_value": low, "max_value": high}
    return Expectation("ExpectColumnValuesToBeBetween", MappingProxyType(arguments), severity)


def one_of(column: str, *values: str, severity: Severity = "critical") -> Expectation:
    """Values of `column` are among `values`; null is not judged."""
    arguments = {"column": column, "value_set": list(values)}
    return Expectation("ExpectColumnValuesToBeInSet", MappingProxyType(arguments), severity)


def matches(column: str, regex: str, *, severity: Severity = "critical") -> Expectation:
    """Values of `column` match `regex` somewhere; anchor it with `^` and `\\z`. Null is not judged."""
    arguments = {"column": column, "regex": regex}
    return Expectation("ExpectColumnValuesToMatchRegex", MappingProxyType(arguments), severity)


@dataclass(frozen=True)
class Table:
    """What a table promises.

    Attributes:
        name: `layer.table`; also its folder in the lake.
        grain: one row is ...
        key: columns that identify a row; never null, and unique.
        columns: in order.
        cluster_by: liquid clustering, at most four columns, none of them personal.
        expect: rules beyond key, nulls and types.
    """

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    cluster_by: tuple[str, ...] = ()
    expect: tuple[Expectation, ...] = ()
    properties: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [c.name for c in self.columns]
        if not re.fullmatch(r"[a-z_]+\.[a-z0-9_]+", self.name):
            raise ValueError(f"{self.name}: a table is named layer.table in lower case")
        if len(set(names)) != len(names):
            raise ValueError(f"{self.name}: a column is declared twice")
        unknown = sorted({*self.key, *self.cluster_by} - set(names))
        if unknown:
            raise ValueError(f"{self.name}: key or clustering names unknown columns {unknown}")
        personal = sorted(set(self.cluster_by) & set(self.pii_columns))
        if personal:
            raise ValueError(f"{self.name}: clustered by personal columns {personal}, which would put them in the log")

    @property
    def folder(self) -> str:
        """Where it lies below the lake's root."""
        return self.name.replace(".", "/")

    @property
    def layer(self) -> str:
        return self.name.split(".")[0]

    @cached_property
    def schema(self) -> StructType:
        """The Spark schema, with nullability and descriptions as column comments. Made once: Java reads the types."""
        return StructType(
            [
                StructField(c.name, DataType.fromDDL(c.type), c.nullable, {"comment": c.description})
                for c in self.columns
            ]
        )

    @property
    def pii_columns(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns if c.pii)

    @property
    def required_columns(self) -> tuple[str, ...]:
        """Columns in which null is a breach of contract."""
        return tuple(c.name for c in self.columns if not c.nullable)

    @property
    def stats_columns(self) -> tuple[str, ...]:
        """Columns whose minimum and maximum Delta keeps in its log: none of them personal."""
        useful = [c for c in self.columns if c.type in _STATS_TYPES or c.name in self.cluster_by]
        return tuple(c.name for c in useful if not c.pii)

    def with_columns(self, *columns: Column) -> "Table":
        """The same table with further columns at the end."""
        return replace(self, columns=self.columns + columns)
