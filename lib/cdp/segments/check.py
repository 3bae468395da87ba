"""What pydantic cannot see: names of attributes, operators that do not fit a type, references between segments."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from cdp.base.settings import did_you_mean
from cdp.segments.attributes import Kind, UnknownAttributeError, find, timeline_column
from cdp.segments.config import (
    AttributeCondition,
    BehaviorCondition,
    ColumnCondition,
    Segment,
    SegmentCondition,
    filters,
)
from cdp.segments.operators import (
    AttributeReference,
    Between,
    Comparison,
    Equal,
    Greater,
    GreaterEqual,
    In,
    IsNull,
    Less,
    LessEqual,
    NotEqual,
    NotIn,
    Operator,
    Regexp,
    TextOperator,
    TimeOperator,
    TimeRange,
    TimeToday,
)
from cdp.segments.times import moment

_ORDERING = (Greater, GreaterEqual, Less, LessEqual, Between)
_ANY_KIND = (Equal, NotEqual, In, NotIn, IsNull)
_TEXT = (TextOperator, Regexp)
_TIME = (TimeOperator, TimeRange, TimeToday)
_FITTING: Mapping[Kind, tuple[type[Operator], ...]] = {
    "text": (*_ANY_KIND, *_TEXT),
    "number": (*_ANY_KIND, *_ORDERING),
    "boolean": _ANY_KIND,
    "time": (*_ANY_KIND, *_ORDERING, *_TIME),
    "loose": (*_ANY_KIND, *_ORDERING, *_TEXT, *_TIME),
}


def problems_of(files: Mapping[str, Segment], *, complete: bool) -> dict[str, list[str]]:
    """Problems of well-formed segments, by file.

    Args:
        files: segment by file.
        complete: whether these are all; if not, a reference to an unknown segment is not judged.
    """
    problems: dict[str, list[str]] = {file: [] for file in files}
    first: dict[str, str] = {}
    for file, segment in files.items():
        if segment.name in first:
            problems[file].append(
                f"name: DUPLICATE_NAME: {segment.name} is already the name of {first[segment.name]}"
            )
        first.setdefault(segment.name, file)
    by_name = {s.name: s for s in files.values()}
    for file, segment in files.items():
        for path, condition in segment.conditions():
            problems[file] += [f"{path}.{line}" for line in _problems(condition, by_name, complete)]
        circle = _circle(segment.name, by_name)
        if circle:
            problems[file].append(
                f"rule: SEGMENT_CYCLE: {' -> '.join(circle)}; a segment cannot depend on itself"
            )
    return {file: found for file, found in problems.items() if found}


def _problems(condition: Any, segments: Mapping[str, Segment], complete: bool) -> Iterator[str]:
    if isinstance(condition, SegmentCondition):
        if complete and condition.segment not in segments:
            hint = did_you_mean(condition.segment, sorted(segments))
            yield f"segment: MISSING_SEGMENT_REFERENCE: no segment {condition.segment}{hint}"
    elif isinstance(condition, AttributeCondition):
        try:
            found = find(condition.attribute, condition.horizon_days)
        except UnknownAttributeError as error:
            yield f"attribute: UNKNOWN_ATTRIBUTE: {error}"
            return
        if condition.arrayMatching != "any" and not found.is_array:
            yield f"arrayMatching: INVALID_ARRAY_MATCHING: {condition.attribute} is no list"
        yield from _operator_problems(condition.operator, found.kind, condition.attribute)
    elif isinstance(condition, BehaviorCondition):
        yield from _behavior_problems(condition)


def _behavior_problems(condition: BehaviorCondition) -> Iterator[str]:
    for path, part in filters(condition):
        if isinstance(part, ColumnCondition):
            try:
                kind = timeline_column(part.column)[2]
            except UnknownAttributeError as error:
                yield f"{path}.column: UNKNOWN_ATTRIBUTE: {error}"
                continue
            yield from (
                f"{path}.{line}" for line in _operator_problems(part.operator, kind, part.column, False)
            )
    try:
        kind = outcome_kind(condition)
    except UnknownAttributeError as error:
        yield f"aggregation.column: UNKNOWN_ATTRIBUTE: {error}"
        return
    if condition.aggregation.type in ("Sum", "Average") and kind != "number":
        yield f"aggregation.column: SEGMENT_SCHEMA_ERROR: {condition.aggregation.column} is no number"
        return
    yield from _operator_problems(condition.operator, kind, f"{condition.aggregation.type} of the timeline")


def outcome_kind(condition: BehaviorCondition) -> Kind:
    """Kind of what the aggregation gives. A property is taken for a number, as nothing else of it can be summed."""
    if condition.aggregation.column is None or condition.aggregation.type == "CountDistinct":
        if condition.aggregation.column:
            timeline_column(condition.aggregation.column)
        return "number"
    kind = timeline_column(condition.aggregation.column)[2]
    return "number" if kind == "loose" else kind


def _operator_problems(operator: Operator, kind: Kind, what: str, references: bool = True) -> Iterator[str]:
    name = type(operator).__name__
    if not isinstance(operator, _FITTING[kind]):
        fitting = "text" if kind == "loose" else kind
        yield f"operator.type: INVALID_OPERATOR_TYPE: {name} does not go with {what}, which is a {fitting}"
        return
    values: tuple[Any, ...] = ()
    if isinstance(operator, Comparison | In | NotIn):
        values = operator.value if isinstance(operator, In | NotIn) else (operator.value,)
    elif isinstance(operator, Between):
        values = tuple(v for v in (operator.min, operator.max) if v is not None)
    for value in values:
        if isinstance(value, AttributeReference):
            yield from _reference_problems(value, kind, references)
        elif not _fits(value, kind):
            yield f"operator: SEGMENT_SCHEMA_ERROR: {what} wants a {kind}, found {value!r}"
    if len({_value_kind(v) for v in values} - {None}) > 1 and kind == "loose":
        yield "operator: SEGMENT_SCHEMA_ERROR: wanted values of one type"


def _reference_problems(value: AttributeReference, kind: Kind, allowed: bool) -> Iterator[str]:
    if not allowed:
        yield "operator.value: SEGMENT_SCHEMA_ERROR: a filter compares with fixed values only"
        return
    try:
        other = find(value.attribute, value.horizon_days)
    except UnknownAttributeError as error:
        yield f"operator.value: UNKNOWN_ATTRIBUTE: {error}"
        return
    if other.is_array or other.kind != kind:
        yield f"operator.value: SEGMENT_SCHEMA_ERROR: {value.attribute} is not of the same type, {kind}"


def _fits(value: Any, kind: Kind) -> bool:
    if kind == "time" and isinstance(value, str):
        return moment(value) is not None
    return kind == "loose" or _value_kind(value) == kind


def _value_kind(value: Any) -> Kind | None:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, date | datetime):
        return "time"
    return "text" if isinstance(value, str) else None


def _circle(start: str, segments: Mapping[str, Segment]) -> list[str]:
    """The way from a segment back to itself; empty where there is none."""
    trails = [[start]]
    seen: set[str] = set()
    while trails:
        trail = trails.pop()
        for name in segments[trail[-1]].references if trail[-1] in segments else ():
            if name == start:
                return [*trail, start]
            if name not in seen:
                seen.add(name)
                trails.append([*trail, name])
    return []
