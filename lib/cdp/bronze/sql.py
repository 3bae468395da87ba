"""The expressions of a source, checked without Spark: the columns, fields and functions that they name.

What cannot be told for certain is left to Spark, which sees every expression once more before it reads a row.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import Any, get_args, get_type_hints

from pydantic import BaseModel

from cdp.bronze.config import SourceConfig
from cdp.bronze.produces import Entity, Expression
from cdp.bronze.sql_grammar import NotAnExpression, Unsure, parse_expression
from cdp.bronze.sql_names import Reader

LINEAGE = {
    "_extra": "map<string,string>",
    "_file": "string",
    "_file_modified_at": "timestamp",
    "_file_row": "bigint",
    "_updated_at": "timestamp",
    "_row_key": "string",
    "_position": "int",
}
"""Columns that expressions may use beside those of the contract, with their types."""

Columns = tuple[tuple[str, str], ...]
"""Name and type of each column."""


def source_problems(source: SourceConfig) -> list[str]:
    """What is wrong with a source's expressions, each as `key path: problem`."""
    columns = tuple((c.name, c.type) for c in source.columns)
    found = []
    for path, text, known in _expressions(source, "", columns):
        found += [f"{path}: {problem}" for problem in expression_problems(text, known)]
    return found


def _expressions(model: BaseModel, path: str, columns: Columns) -> Iterator[tuple[str, str, Columns]]:
    """Key path, text and columns of everything below `model` that its annotations call an expression."""
    if isinstance(model, Entity) and model.explode:
        # The element takes the array's place.
        columns = tuple((name, _element(kind) if name == model.explode else kind) for name, kind in columns)
    for name in _walked(type(model)):
        value, here = getattr(model, name), f"{path}.{name}" if path else name
        items: list[tuple[str, Any]] = [(here, value)]
        if isinstance(value, Mapping):
            items = [(f"{here}.{key}", item) for key, item in value.items()]
        elif isinstance(value, tuple):
            items = [(f"{here}.{number}" if len(value) > 1 else here, item) for number, item in enumerate(value)]
        for where, item in items:
            if isinstance(item, BaseModel):
                yield from _expressions(item, where, columns)
            elif isinstance(item, str):
                yield where, item, columns


@cache
def _walked(model: type[BaseModel]) -> tuple[str, ...]:
    """The fields of a model that are expressions or hold some."""

    def holds(hint: Any) -> bool:
        if isinstance(hint, type) and issubclass(hint, BaseModel):
            return bool(_walked(hint))
        return bool(hint == Expression) or any(holds(part) for part in get_args(hint))

    hints = get_type_hints(model, include_extras=True)
    return tuple(name for name in model.model_fields if holds(hints[name]))


def _element(kind: str) -> str:
    array = re.fullmatch(r"\s*array\s*<(.*)>\s*", kind, re.DOTALL | re.IGNORECASE)
    return array.group(1) if array else kind


@lru_cache(maxsize=4096)
def expression_problems(text: str, columns: Columns, *, is_of_source: bool = True) -> tuple[str, ...]:
    """What is wrong with one expression over these columns and, in a source, those of `LINEAGE`.

    Args:
        text: a column's name or a Spark SQL expression.
        columns: name and type of each.
        is_of_source: whether they are a source's.
    """
    names = [name for name, _ in columns]
    if text in names or re.fullmatch(r"'[^'\\]*'", text):
        return ()
    lineage = LINEAGE if is_of_source else {}
    reader = Reader({**lineage, **{name.lower(): kind for name, kind in columns}}, names)
    path = text.split(".")
    if path[0].lower() in reader.columns and all(re.fullmatch(r"[A-Za-z_]\w*", part, re.ASCII) for part in path):
        reader.resolve(path, {})
        return tuple(reader.problems)
    try:
        reader.read(parse_expression(text, frozenset(reader.columns)), {})
    except (Unsure, RecursionError):
        return ()
    except NotAnExpression as error:
        reader.problems = [f"not a SQL expression: {error}"]
    return tuple(dict.fromkeys(_meant(text, reader.problems, names)))


def _meant(text: str, problems: list[str], names: list[str]) -> list[str]:
    """The problems of an expression that is but a few words, put as what these were meant to be."""
    if not problems or not re.fullmatch(r"[\w ]+", text):
        return problems
    folded = {name.lower(): name for name in names if " " in name}
    close = difflib.get_close_matches(text.lower(), folded, n=1, cutoff=0.8)
    if close:
        return [f"no column {text}; did you mean {folded[close[0]]}?"]
    return [p.replace("; known:", f" (a text is written \"'{text}'\"); known:") for p in problems]
