"""A file of rules as a model: every problem by the key path that the file has, and under a code."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from cdp.base.errors import ConfigError
from cdp.base.settings import Document, describe_problem, did_you_mean, read_yaml
from cdp.conditions.filters import ColumnCondition, Filter
from cdp.conditions.operators import Ago, AnyOperator, AttributeReference
from cdp.segments.config import (
    Aggregation,
    AttributeCondition,
    BehaviorCondition,
    Group,
    Matching,
    SegmentCondition,
)
from cdp.segments.lists import ListCondition
from cdp.segments.parts import TimeBox, TimeWindow
from cdp.segments.query import SqlCondition
from cdp.segments.sequence import SequenceCondition, Step
from cdp.segments.shared import Holdout

CODES: Mapping[str, str] = {
    "name": "MISSING_NAME",
    "conditions": "MISSING_CONDITIONS",
    "attribute": "EMPTY_ATTRIBUTE",
    "operator": "INVALID_OPERATOR_TYPE",
    "value": "MISSING_OPERATOR_VALUE",
    "unit": "MISSING_TIME_UNIT",
    "arrayMatching": "INVALID_ARRAY_MATCHING",
    "segment": "MISSING_SEGMENT_REFERENCE",
    "seed": "MISSING_SEGMENT_REFERENCE",
    "steps": "INVALID_SEQUENCE",
    "file": "INVALID_LIST",
    "identifier": "INVALID_LIST",
    "query": "INVALID_QUERY",
    "condition_type": "INVALID_RULE_TYPE",
}
"""Codes of what is missing or wrong, by the last key of its path, or by the kind of problem."""

OPERATORS = {m.__name__: m for m in get_args(get_args(AnyOperator)[0])}
SECTIONS: Mapping[int | str, type[BaseModel]] = {
    **OPERATORS,
    **{m.__name__: m for m in (Group, AttributeCondition, BehaviorCondition, SegmentCondition)},
    **{m.__name__: m for m in (SequenceCondition, ListCondition, SqlCondition)},
    **{m.__name__: m for m in (Filter, ColumnCondition)},
    "steps": Step,
    "within": TimeBox,
    "filter": Filter,
    "aggregation": Aggregation,
    "timeWindow": TimeWindow,
    "holdout": Holdout,
    "arrayMatching": Matching,
    "value": AttributeReference,
    "from": Ago,
}
"""What a rule is made of, by the class or by the key it stands under."""

Doc = TypeVar("Doc", bound=Document)


def _segment_error(path: str) -> str:
    return "SEGMENT_SCHEMA_ERROR"


@dataclass(frozen=True)
class Grammar(Generic[Doc]):
    """How files of a kind are read, and what their problems are called.

    Attributes:
        model: what a file is.
        sections: its parts, for the names of keys: `SECTIONS` and its own.
        codes: `CODES`, and its own.
        by_path: codes of whole paths, which come before those; `*` stands for a number.
        schema_error: code of whatever has no other, for a key path.
        advice: what to say of a missing key, by path.
    """

    model: type[Doc]
    sections: Mapping[int | str, type[BaseModel]]
    codes: Mapping[str, str]
    by_path: Mapping[str, str] = field(default_factory=dict)
    schema_error: Callable[[str], str] = _segment_error
    advice: Mapping[str, str] = field(default_factory=dict)

    def read(self, file: Path, lists: Path) -> Doc:
        """The file as a model.

        Args:
            file: YAML.
            lists: folder of the lists of people that rules name.

        Raises:
            ConfigError: every problem of it.
        """
        try:
            content = read_yaml(file)
        except ValueError:  # PyYAML builds dates while it parses
            raise ConfigError(str(file), [f"{self.schema_error('')}: it holds a date that cannot be"]) from None
        if not isinstance(content, dict):
            raise ConfigError(str(file), [f"{self.schema_error('')}: wanted keys and values"])
        try:
            return self.model.model_validate(content, context=lists)
        except ValidationError as error:
            details = [d for d in error.errors(include_url=False) if not _follows(d)]
            lines: dict[str, str] = {}
            for detail in details:  # of the tries of one value the first is enough
                path = _key_path(content, detail)
                line = f"{path}: {self._code(path, detail)}: {self._text(path, detail)}"
                lines.setdefault(path, line.removeprefix(": "))
            raise ConfigError(str(file), list(lines.values())) from None

    def _text(self, path: str, detail: ErrorDetails) -> str:
        kind = detail["type"]
        if kind == "extra_forbidden":
            return f"unknown key{did_you_mean(str(detail['loc'][-1]), self._known_keys(detail['loc'][:-1]))}"
        if kind == "union_tag_invalid":
            tag = str(detail.get("ctx", {}).get("tag"))
            return f"no operator {tag}{did_you_mean(tag, sorted(OPERATORS))}"
        if kind in ("too_short", "string_too_short"):
            return "wanted at least one" if kind == "too_short" else "wanted a name, found nothing"
        if kind == "missing" and path in self.advice:
            return f"missing, but required; {self.advice[path]}"
        if path.endswith("arrayMatching"):
            return "wanted any, all, {atLeast: N}, {atMost: N} or {exactly: N}"
        return describe_problem(self.model, {**detail, "loc": ()}).lstrip(": ")

    def _known_keys(self, location: tuple[int | str, ...]) -> list[str]:
        """Keys of the innermost section that the location names, by its class or by the key it stands under."""
        section = next((self.sections[p] for p in reversed(location) if p in self.sections), self.model)
        return [f.alias or name for name, f in section.model_fields.items()]

    def _code(self, path: str, detail: ErrorDetails) -> str:
        keys = path.split(".")
        last, general = (
            next((k for k in reversed(keys) if not k.isdigit()), ""),
            ["*" if k.isdigit() else k for k in keys],
        )
        if detail["type"] in self.codes:
            return self.codes[detail["type"]]
        if ".".join(general) in self.by_path:
            return self.by_path[".".join(general)]
        if last == "operator" and "Between" in detail["loc"]:
            return "MISSING_BETWEEN_BOUNDS"
        if last in ("segment", "seed") and detail["type"] not in ("missing", "string_too_short"):
            return self.schema_error(path)
        if detail["type"] == "extra_forbidden" or (last == "name" and detail["type"] == "string_pattern_mismatch"):
            return self.schema_error(path)
        return self.codes.get(last, self.schema_error(path))


def raise_together(problems: Mapping[str, list[str]], folder: Path) -> None:
    """Raise the problems of all files as one error; of a single file under its own name.

    Raises:
        ConfigError: there is one.
    """
    if len(problems) == 1:
        ((file, found),) = problems.items()
        raise ConfigError(file, found)
    if problems:
        lines = [f"{file}: {problem}" for file, found in sorted(problems.items()) for problem in found]
        raise ConfigError(str(folder), lines)


def _follows(detail: ErrorDetails) -> bool:
    """Whether it only repeats another: a list counts as too short when its elements are wrong."""
    return detail["type"] == "too_short" and bool(detail["input"])


def _key_path(content: Any, detail: ErrorDetails) -> str:
    """The path as the file has it: pydantic's location also names the classes that it tried."""
    parts: list[str] = []
    here = content
    for i, part in enumerate(detail["loc"]):
        inside = _inside(here, part)
        if inside is None and not (detail["type"] == "missing" and i == len(detail["loc"]) - 1):
            continue
        parts.append(str(part))
        here = inside[0] if inside else None
    return ".".join(parts)


def _inside(value: Any, part: int | str) -> tuple[Any] | None:
    if isinstance(value, dict) and part in value:
        return (value[part],)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return (value[part],)
    return None
