"""Reads conf/segments: every problem of every file at once, under Treasure Data's names for them, before Spark starts."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from cdp.base.errors import ConfigError
from cdp.base.settings import ConfigFolder, describe_problem, did_you_mean, read_yaml
from cdp.conditions.columns import UnknownAttributeError
from cdp.conditions.filters import ColumnCondition, Filter
from cdp.conditions.operators import Ago, AnyOperator, AttributeReference
from cdp.gold.computed.columns import traits_table
from cdp.gold.computed.config import FILE as TRAITS
from cdp.gold.computed.config import TraitsConfig
from cdp.gold.computed.load import load_traits
from cdp.models.config import load_models_config
from cdp.models.propensity.config import attributes
from cdp.segments.attributes import BUILT_IN, Catalogue
from cdp.segments.check import problems_of
from cdp.segments.config import (
    Aggregation,
    AttributeCondition,
    BehaviorCondition,
    Group,
    Lookalike,
    Matching,
    Segment,
    SegmentCondition,
)
from cdp.segments.limits import Limit, Ranking
from cdp.segments.lists import FOLDER as LISTS
from cdp.segments.lists import ListCondition
from cdp.segments.parts import TimeBox, TimeWindow
from cdp.segments.query import SqlCondition
from cdp.segments.sequence import SequenceCondition, Step
from cdp.segments.shared import FILE, Holdout, SharedConfig, shared_problems

FOLDER = "segments"
_CODES = {
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
}
OPERATORS = {m.__name__: m for m in get_args(get_args(AnyOperator)[0])}
_SECTIONS: Mapping[int | str, type[BaseModel]] = {
    **OPERATORS,
    **{m.__name__: m for m in (Group, AttributeCondition, BehaviorCondition, SegmentCondition)},
    **{m.__name__: m for m in (SequenceCondition, ListCondition, SqlCondition)},
    **{m.__name__: m for m in (Filter, ColumnCondition)},
    "steps": Step,
    "within": TimeBox,
    "rule": Group,
    "filter": Filter,
    "aggregation": Aggregation,
    "timeWindow": TimeWindow,
    "holdout": Holdout,
    "limit": Limit,
    "by": Ranking,
    "lookalike": Lookalike,
    "arrayMatching": Matching,
    "value": AttributeReference,
    "from": Ago,
}


def load_segments(config: ConfigFolder) -> dict[str, Segment]:
    """Every segment by name, each after those that it refers to.

    Raises:
        ConfigError: a file or rule is wrong, two files share a name, a reference is unknown or goes in a circle; all
            problems at once.
    """
    files: dict[str, Segment] = {}
    problems: dict[str, list[str]] = {}
    for path in sorted(p for p in (config.path / FOLDER).glob("*") if p.suffix in (".yaml", ".yml")):
        try:
            files[str(path)] = _read(path)
        except ConfigError as error:
            problems[error.file] = list(error.problems)
    complete, shared = not problems, SharedConfig()
    try:
        shared = config.load(SharedConfig, FILE)
    except ConfigError as error:
        problems[error.file] = list(error.problems)
    files = {f: s.with_shared(shared.of(s.name, ignores_exclusions=s.ignore_exclusions)) for f, s in files.items()}
    if complete and (wrong := list(shared_problems(shared, {s.name: s for s in files.values()}))):
        problems[str(config.path / FILE)] = wrong
    for file, found in problems_of(files, catalogue_of(config), complete=complete).items():
        problems.setdefault(file, []).extend(found)
    if len(problems) == 1:
        (file, found), *_ = problems.items()
        raise ConfigError(file, found)
    if problems:
        lines = [f"{file}: {problem}" for file, found in sorted(problems.items()) for problem in found]
        raise ConfigError(str(config.path / FOLDER), lines)
    return in_order({s.name: s for s in files.values()})


def catalogue_of(config: ConfigFolder) -> Catalogue:
    """What rules may ask for: the built-in attributes, the traits of conf/traits.yaml, the propensities of conf/models.yaml.

    Names and types are all that is asked of traits; whether what computes them is right, the stages that do so check.

    Raises:
        ConfigError: one of the two is wrong.
    """
    try:
        traits = traits_table(config.load(TraitsConfig, TRAITS))
    except (ConfigError, UnknownAttributeError):
        traits = traits_table(load_traits(config))  # says it in its own words
    return Catalogue({**BUILT_IN.tables, "traits": traits}, attributes(load_models_config(config).propensities))


def in_order(segments: Mapping[str, Segment]) -> dict[str, Segment]:
    """The same segments, each after those it refers to (there is no circle), otherwise by name."""
    ordered: dict[str, Segment] = {}

    def add(name: str) -> None:
        for reference in segments[name].references:
            if reference not in ordered:
                add(reference)
        ordered[name] = segments[name]

    for name in sorted(segments):
        if name not in ordered:
            add(name)
    return ordered


def versions(segments: Mapping[str, Segment]) -> dict[str, str]:
    """The version of each segment; `segments` come each after those it refers to."""
    found: dict[str, str] = {}
    for name, segment in segments.items():
        found[name] = segment.version_with(found)
    return found


def _read(file: Path) -> Segment:
    try:
        content = read_yaml(file)
    except ValueError:  # PyYAML builds dates while it parses
        raise ConfigError(str(file), ["SEGMENT_SCHEMA_ERROR: it holds a date that cannot be"]) from None
    if not isinstance(content, dict):
        raise ConfigError(str(file), ["SEGMENT_SCHEMA_ERROR: wanted keys and values"])
    try:
        return Segment.model_validate(content, context=file.parent / LISTS)
    except ValidationError as error:
        details = [d for d in error.errors(include_url=False) if not _follows(d)]
        lines: dict[str, str] = {}
        for detail in details:  # of the tries of one value the first is enough
            path = _key_path(content, detail)
            lines.setdefault(path, f"{path}: {_code(path, detail)}: {_text(path, detail)}".removeprefix(": "))
        raise ConfigError(str(file), list(lines.values())) from None


def _follows(detail: ErrorDetails) -> bool:
    """Whether it only repeats another: a list counts as too short when its elements are wrong."""
    return detail["type"] == "too_short" and bool(detail["input"])


def _text(path: str, detail: ErrorDetails) -> str:
    kind = detail["type"]
    if kind == "extra_forbidden":
        return f"unknown key{did_you_mean(str(detail['loc'][-1]), _known_keys(detail['loc'][:-1]))}"
    if kind == "union_tag_invalid":
        tag = str(detail.get("ctx", {}).get("tag"))
        return f"no operator {tag}{did_you_mean(tag, sorted(OPERATORS))}"
    if kind in ("too_short", "string_too_short"):
        return "wanted at least one" if kind == "too_short" else "wanted a name, found nothing"
    if path == "rule" and kind == "missing":
        return "missing, but required; wanted a rule, a lookalike, or both"
    if path.endswith("arrayMatching"):
        return "wanted any, all, {atLeast: N}, {atMost: N} or {exactly: N}"
    return describe_problem(Segment, {**detail, "loc": ()}).lstrip(": ")


def _known_keys(location: tuple[int | str, ...]) -> list[str]:
    """Keys of the innermost section that the location names, by its class or by the key it stands under."""
    section = next((_SECTIONS[p] for p in reversed(location) if p in _SECTIONS), Segment)
    return [f.alias or name for name, f in section.model_fields.items()]


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


def _code(path: str, detail: ErrorDetails) -> str:
    last = next((p for p in reversed(path.split(".")) if not p.isdigit()), "")
    if detail["type"] == "condition_type" or path == "rule.type":
        return "INVALID_RULE_TYPE"
    if last == "operator" and "Between" in detail["loc"]:
        return "MISSING_BETWEEN_BOUNDS"
    if last in ("segment", "seed") and detail["type"] not in ("missing", "string_too_short"):
        return "SEGMENT_SCHEMA_ERROR"
    if detail["type"] == "extra_forbidden" or (last == "name" and detail["type"] == "string_pattern_mismatch"):
        return "SEGMENT_SCHEMA_ERROR"
    return _CODES.get(last, "SEGMENT_SCHEMA_ERROR")
