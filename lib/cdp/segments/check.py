"""What pydantic cannot see: names of attributes, operators that do not fit a type, references between segments."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from cdp.base.settings import did_you_mean
from cdp.conditions.check import is_in_calendar, operator_problems
from cdp.conditions.columns import Kind, UnknownAttributeError
from cdp.conditions.filters import filter_problems
from cdp.conditions.operators import AttributeReference
from cdp.models.features import FEATURES
from cdp.segments.attributes import Catalogue, timeline_column
from cdp.segments.behavior import outcome_kind
from cdp.segments.config import AttributeCondition, BehaviorCondition, Lookalike, Segment, SegmentCondition
from cdp.segments.limits import limit_problems
from cdp.segments.lists import ListCondition, list_problems
from cdp.segments.parts import TimeWindow
from cdp.segments.query import SqlCondition, sql_problems
from cdp.segments.sequence import SequenceCondition, sequence_problems
from cdp.segments.shared import EXCLUDE_ALWAYS


def problems_of(files: Mapping[str, Segment], catalogue: Catalogue, *, complete: bool) -> dict[str, list[str]]:
    """Problems of well-formed segments, by file.

    Args:
        files: segment by file.
        catalogue: what there is to ask.
        complete: whether these are all; if not, a reference to an unknown segment is not judged.
    """
    problems: dict[str, list[str]] = {file: [] for file in files}
    first: dict[str, str] = {}
    for file, segment in files.items():
        if segment.name in first:
            problems[file].append(f"name: DUPLICATE_NAME: {segment.name} is already the name of {first[segment.name]}")
        first.setdefault(segment.name, file)
    by_name = {s.name: s for s in files.values()}
    for file, segment in files.items():
        for path, condition in segment.conditions():
            problems[file] += [f"{path}.{line}" for line in condition_problems(condition, by_name, catalogue, complete)]
        if segment.lookalike:
            found = _lookalike_problems(segment.lookalike, by_name, complete)
            problems[file] += [f"lookalike.{line}" for line in found]
        if segment.limit:
            found = limit_problems(segment.limit, is_lookalike=segment.lookalike is not None, catalogue=catalogue)
            problems[file] += [f"limit.{line}" for line in found]
        circle = _circle(segment.name, by_name)
        if circle:
            by_seed = segment.lookalike is not None and segment.lookalike.seed == circle[1]
            problems[file].append(
                f"{'lookalike.seed' if by_seed else 'rule'}: SEGMENT_CYCLE: {' -> '.join(circle)};"
                f" a segment cannot depend on itself{_bars_on(circle, by_name)}"
            )
    return {file: found for file, found in problems.items() if found}


def _lookalike_problems(lookalike: Lookalike, segments: Mapping[str, Segment], complete: bool) -> Iterator[str]:
    if complete and lookalike.seed not in segments:
        hint = did_you_mean(lookalike.seed, sorted(segments))
        yield f"seed: MISSING_SEGMENT_REFERENCE: no segment {lookalike.seed}{hint}"
    for i, name in enumerate(lookalike.exclude_features):
        if name not in FEATURES:
            hint = did_you_mean(name, sorted(FEATURES))
            yield f"exclude_features.{i}: UNKNOWN_ATTRIBUTE: unknown feature {name}{hint}"


def condition_problems(
    condition: Any, segments: Mapping[str, Segment], catalogue: Catalogue, complete: bool
) -> Iterator[str]:
    """Problems of a well-formed condition on a person, by key path below it; of a group, not of its conditions.

    Args:
        condition: of a rule.
        segments: by name.
        catalogue: what there is to ask.
        complete: whether these are all segments; if not, a reference to an unknown one is not judged.
    """
    if isinstance(condition, SegmentCondition):
        if complete and condition.segment not in segments:
            hint = did_you_mean(condition.segment, sorted(segments))
            yield f"segment: MISSING_SEGMENT_REFERENCE: no segment {condition.segment}{hint}"
    elif isinstance(condition, AttributeCondition):
        try:
            found = catalogue.find(condition.attribute, condition.horizon_days)
        except UnknownAttributeError as error:
            yield f"attribute: UNKNOWN_ATTRIBUTE: {error}"
            return
        if condition.arrayMatching != "any" and not found.is_array:
            yield f"arrayMatching: INVALID_ARRAY_MATCHING: {condition.attribute} is no list"
        kind = found.kind
        yield from operator_problems(
            condition.operator, kind, condition.attribute, lambda other: _reference_problems(other, kind, catalogue)
        )
    elif isinstance(condition, BehaviorCondition):
        yield from _window_problems(condition.timeWindow)
        yield from _behavior_problems(condition, catalogue)
    elif isinstance(condition, SequenceCondition):
        yield from _window_problems(condition.timeWindow)
        yield from sequence_problems(condition)
    elif isinstance(condition, ListCondition):
        yield from list_problems(condition)
    elif isinstance(condition, SqlCondition):
        yield from sql_problems(condition)


def _window_problems(window: TimeWindow | None) -> Iterator[str]:
    if window and not is_in_calendar(window.duration, window.unit):
        yield f"timeWindow: SEGMENT_SCHEMA_ERROR: {window.duration} {window.unit} reach beyond the calendar"


def _behavior_problems(condition: BehaviorCondition, catalogue: Catalogue) -> Iterator[str]:
    if condition.filter is not None:
        yield from filter_problems(condition.filter, "filter", timeline_column)
    try:
        kind = outcome_kind(condition)
    except UnknownAttributeError as error:
        yield f"aggregation.column: UNKNOWN_ATTRIBUTE: {error}"
        return
    if condition.aggregation.type in ("Sum", "Average") and kind != "number":
        yield f"aggregation.column: SEGMENT_SCHEMA_ERROR: {condition.aggregation.column} is no number"
        return
    what = f"{condition.aggregation.type} of the timeline"
    yield from operator_problems(
        condition.operator, kind, what, lambda other: _reference_problems(other, kind, catalogue)
    )


def _reference_problems(value: AttributeReference, kind: Kind, catalogue: Catalogue) -> Iterator[str]:
    try:
        other = catalogue.find(value.attribute, value.horizon_days)
    except UnknownAttributeError as error:
        yield f"operator.value: UNKNOWN_ATTRIBUTE: {error}"
        return
    if other.is_array or other.kind != kind:
        yield f"operator.value: SEGMENT_SCHEMA_ERROR: {value.attribute} is not of the same type, {kind}"


def _bars_on(circle: list[str], segments: Mapping[str, Segment]) -> str:
    """Steps of a circle that no rule names, but conf/segments.yaml."""
    keys = {segments[one].shared.barred.get(other) for one, other in pairwise(circle)} - {None}
    named = f"; conf/segments.yaml has part in it: {', '.join(sorted(key for key in keys if key))}" if keys else ""
    return named + ("; `ignore_exclusions: true` takes a segment out of it" if EXCLUDE_ALWAYS in keys else "")


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
