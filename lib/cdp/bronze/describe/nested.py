"""The type of nested values, and the values at each path below them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cdp.bronze.describe.table import RawColumn
from cdp.bronze.describe.words import TEXTUAL, is_code, meaning_of

_MOST_FIELDS = 100
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_UNFIT = re.compile(r"[,<>():`]|\$\{")
_GREATEST_INT = (2**31 - 1) // 10
_MOST_DIGITS = 18


class IntegerText(str):
    """A whole number as the extract has it."""


class FloatText(str):
    """A number with a fraction or exponent as the extract has it."""


Path = tuple[str, ...]
_KINDS: dict[type, str] = {bool: "boolean", IntegerText: "integer", FloatText: "float"}


@dataclass
class Shape:
    """What was seen at one place: kinds of single values, fields, elements."""

    scalars: set[str] = field(default_factory=set)
    greatest: int = 0
    fields: "dict[str, Shape]" = field(default_factory=dict)
    is_object: bool = False
    element: "Shape | None" = None

    def add(self, value: Any, path: Path, leaves: dict[Path, RawColumn]) -> None:
        """Take in a value, its parts into `leaves` by path."""
        kind = type(value)  # not isinstance: this runs for every value of an extract
        if value is None:
            return
        if kind is dict:
            self.is_object = True
            for name, part in value.items():
                if name not in self.fields:
                    self.fields[name] = Shape()
                self.fields[name].add(part, (*path, name), leaves)
        elif kind is list or kind is tuple:
            self.element = self.element or Shape()
            for part in value:
                self.element.add(part, path, leaves)
        else:
            self._add_scalar(value, path, leaves)

    def _add_scalar(self, value: Any, path: Path, leaves: dict[Path, RawColumn]) -> None:
        kind = kind_of_scalar(value)
        self.scalars.add(kind)
        if kind == "integer":
            self.greatest = max(self.greatest, abs(int(value)) if len(value) <= _MOST_DIGITS + 1 else 10**_MOST_DIGITS)
        leaf = leaves.get(path)
        if leaf is None:
            leaf = leaves[path] = RawColumn(path[-1] if path else "", [], is_text=kind == "text")
        leaf.values.append(text_of(value))

    def type(self, name: str) -> str:
        """Spark's type of what was seen under a name; string where it is of several kinds."""
        if bool(self.scalars) + self.is_object + (self.element is not None) > 1:
            return "string"
        if self.element is not None:
            return f"array<{self.element.type(name)}>"
        if self.is_object:
            return self._object_type()
        return self._scalar_type(name)

    def _object_type(self) -> str:
        if not self.fields:
            return "string"
        kinds = {name: shape.type(name) for name, shape in self.fields.items()}
        # Keys that vary with the row, such as addresses or ids, are data and no names.
        if len(kinds) > _MOST_FIELDS or any("@" in name or name.isdigit() for name in kinds):
            return f"map<string,{kinds.popitem()[1]}>" if len(set(kinds.values())) == 1 else "map<string,string>"
        unfit = any(not name.strip() or not name.isprintable() or _UNFIT.search(name) for name in kinds)
        if unfit or len({name.lower() for name in kinds}) < len(kinds):
            return "string"
        return f"struct<{','.join(f'{quoted(name)}:{kind}' for name, kind in kinds.items())}>"

    def _scalar_type(self, name: str) -> str:
        if self.scalars == {"boolean"}:
            return "boolean"
        is_number = self.scalars and self.scalars <= {"integer", "float"}
        if not is_number or self.greatest >= 10**_MOST_DIGITS:
            return "string"
        if "float" in self.scalars:
            return "double"
        if (is_code(name) and meaning_of(name) != "line_no") or meaning_of(name) in TEXTUAL:
            return "string"
        return "int" if self.greatest <= _GREATEST_INT else "bigint"


def quoted(name: str) -> str:
    """A name as SQL takes it."""
    return name if _PLAIN.fullmatch(name) else f"`{name}`"


def kind_of_scalar(value: Any) -> str:
    return _KINDS.get(type(value), "text")


def text_of(value: Any) -> str | None:
    """A single value as Spark hands it on as text."""
    if value is None:
        return None
    return str(value).lower() if type(value) is bool else str(value)


def columns_of(objects: Sequence[Mapping[str, Any]]) -> list[RawColumn]:
    """Columns from objects: single values as text, nested ones with their type and leaves."""
    names = dict.fromkeys(name for row in objects for name in row)
    return [_column(name, [row.get(name) for row in objects]) for name in names]


def _column(name: str, values: list[Any]) -> RawColumn:
    types = set(map(type, values))
    if not types & {dict, list}:
        kinds = {_KINDS.get(t, "text") for t in types if t is not type(None)}
        return RawColumn(name, [text_of(v) for v in values], is_text="text" in kinds)
    shape, leaves = Shape(), dict[Path, RawColumn]()
    for value in values:
        shape.add(value, (), leaves)
    kind = shape.type(name)
    # What is nested has no text of its own to compare; that it is there is all that counts.
    present = [None if v is None else "…" for v in values]
    return RawColumn(name, present, type=kind, leaves=leaves if kind != "string" else _as_one(leaves))


def _as_one(leaves: dict[Path, RawColumn]) -> dict[Path, RawColumn]:
    """Leaves that cannot be reached by name still say whether they are personal."""
    return {("", *path): leaf for path, leaf in leaves.items()}
