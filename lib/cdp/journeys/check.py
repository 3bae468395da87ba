"""What pydantic cannot see: names of segments and steps, steps that nobody reaches, circles that take no time."""

from collections.abc import Iterator, Mapping

from cdp.base.settings import did_you_mean
from cdp.journeys.config import Journey
from cdp.journeys.steps import AnyStep, SplitStep
from cdp.segments.attributes import Catalogue
from cdp.segments.check import condition_problems
from cdp.segments.config import Segment, walk


def problems_of(
    files: Mapping[str, Journey], segments: Mapping[str, Segment] | None, catalogue: Catalogue
) -> dict[str, list[str]]:
    """Problems of well-formed journeys, by file.

    Args:
        files: journey by file.
        segments: all, by name; None: they are wrong themselves, and a reference to an unknown one is not judged.
        catalogue: what there is to ask.
    """
    problems: dict[str, list[str]] = {}
    first: dict[str, str] = {}
    for file, journey in files.items():
        problems[file] = list(_problems(journey, segments, catalogue))
        if journey.name in first:
            problems[file].append(f"name: DUPLICATE_NAME: {journey.name} is already the name of {first[journey.name]}")
        first.setdefault(journey.name, file)
    return {file: found for file, found in problems.items() if found}


def _problems(journey: Journey, segments: Mapping[str, Segment] | None, catalogue: Catalogue) -> Iterator[str]:
    if segments is not None and journey.entry.segment not in segments:
        hint = did_you_mean(journey.entry.segment, sorted(segments))
        yield f"entry.segment: MISSING_SEGMENT_REFERENCE: no segment {journey.entry.segment}{hint}"
    for root, condition in journey.conditions():
        for path, part in walk(condition, root):
            found = condition_problems(part, segments or {}, catalogue, segments is not None)
            yield from (f"{path}.{line}" for line in found)
    yield from _share_problems(journey)
    wrong_ways = [*_name_problems(journey), *_way_problems(journey)]
    yield from wrong_ways
    if not wrong_ways:  # or the same mistake would be told again
        yield from _unreached(journey)
        yield from _circles(journey)


def _share_problems(journey: Journey) -> Iterator[str]:
    for i, step in enumerate(journey.steps):
        if not isinstance(step, SplitStep):
            continue
        found = sum(share.percent for share in step.shares)
        if len(step.shares) < 2:
            yield f"steps.{i}.shares: INVALID_SHARES: found one, wanted two or more"
        elif abs(found - 100) > 1e-9:
            yield f"steps.{i}.shares: INVALID_SHARES: they come to {found:g} %, wanted 100"


def _name_problems(journey: Journey) -> Iterator[str]:
    first: dict[str, int] = {}
    for i, step in enumerate(journey.steps):
        if step.name in first:
            yield f"steps.{i}.name: DUPLICATE_NAME: {step.name} is already the name of steps.{first[step.name]}"
        first.setdefault(step.name, i)


def _way_problems(journey: Journey) -> Iterator[str]:
    for i, step in enumerate(journey.steps):
        for path, name in journey.ways(step).items():
            if name is None:
                yield f"steps.{i}.{path}: UNKNOWN_STEP: missing, and no step follows; a journey ends with a step of type end"
            elif name not in journey.by_name:
                hint = did_you_mean(name, [s.name for s in journey.steps])
                yield f"steps.{i}.{path}: UNKNOWN_STEP: no step {name}{hint}"


def _unreached(journey: Journey) -> Iterator[str]:
    reached: set[str] = set()
    waiting = [journey.steps[0].name]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += _after(journey, journey.by_name[name], quickly=False)
    for i, step in enumerate(journey.steps):
        if step.name not in reached:
            yield f"steps.{i}.name: UNREACHABLE_STEP: no way leads to {step.name}"


def _circles(journey: Journey) -> Iterator[str]:
    told: set[str] = set()
    for i, step in enumerate(journey.steps):
        circle = _circle(journey, step, quickly=True)
        if circle and not told & set(circle):
            told |= set(circle)
            yield (
                f"steps.{i}: JOURNEY_CYCLE: {' -> '.join(circle)} may take no time;"
                " wanted a step of type send, or a wait with for, in it"
            )


def is_circular(journey: Journey) -> bool:
    """Whether a way leads from a step back to itself."""
    return any(_circle(journey, step, quickly=False) for step in journey.steps)


def _circle(journey: Journey, step: AnyStep, *, quickly: bool) -> list[str]:
    """The way from a step back to itself; empty where there is none."""
    trails = [[step.name]]
    seen: set[str] = set()
    while trails:
        trail = trails.pop()
        for name in _after(journey, journey.by_name[trail[-1]], quickly=quickly):
            if name == step.name:
                return [*trail, name]
            if name not in seen:
                seen.add(name)
                trails.append([*trail, name])
    return []


def _after(journey: Journey, step: AnyStep, *, quickly: bool) -> list[str]:
    return [
        name
        for path, name in journey.ways(step).items()
        if name is not None and (not quickly or path in step.quick_ways)
    ]
