"""Reads conf/destinations and checks it against the segments and the table contracts, before Spark starts."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cdp.activation.config import Destination, OutputField
from cdp.base.errors import ConfigError
from cdp.base.settings import ConfigFolder, did_you_mean
from cdp.conditions.columns import UnknownAttributeError
from cdp.journeys.config import Journey
from cdp.journeys.load import load_journeys
from cdp.journeys.moves import place
from cdp.journeys.steps import SendStep
from cdp.segments.attributes import Catalogue
from cdp.segments.load import catalogue_of, load_segments

FOLDER = "destinations"
_RANK = re.compile(r"recommendations\.([1-5])")
_MATCHED = "matched."
_TYPE = re.compile(r"identifiers\.([a-z][a-z0-9_]*)")


def load_destinations(config: ConfigFolder) -> dict[str, Destination]:
    """Every destination by name, in order of name.

    Raises:
        ConfigError: a file is wrong, two share a name, a segment, step or field is unknown; all problems at once.
    """
    files = config.load_each(Destination, FOLDER)
    segments, journeys, catalogue = load_segments(config), load_journeys(config), catalogue_of(config)
    problems = {file: list(_problems(file, files, segments, journeys, catalogue)) for file in files}
    broken = {file: found for file, found in problems.items() if found}
    if len(broken) == 1:
        ((file, found),) = broken.items()
        raise ConfigError(file, found)
    if broken:
        lines = [f"{file}: {problem}" for file, found in broken.items() for problem in found]
        raise ConfigError(str(config.path / FOLDER), lines)
    return {d.name: d for d in sorted(files.values(), key=lambda d: d.name)}


def rank_of(field: OutputField) -> int | None:
    """Rank of the recommendation that a field asks for; None: it asks for something else."""
    found = _RANK.fullmatch(field.from_)
    return int(found.group(1)) if found else None


def identifier_type_of(field: OutputField) -> str | None:
    """Type of the identifier that a field asks for; None: it asks for something else."""
    found = _TYPE.fullmatch(field.from_)
    return found.group(1) if found else None


def matched_of(field: OutputField) -> str | None:
    """The column that a sequence of the segment keeps which a field asks for; None: it asks for something else."""
    return field.from_.removeprefix(_MATCHED) if field.from_.startswith(_MATCHED) else None


def is_plain_column(field: OutputField) -> bool:
    """Whether the field is not an attribute of the person."""
    if field.from_ in ("customer_id", "segment"):
        return True
    return bool(rank_of(field) or identifier_type_of(field)) or matched_of(field) is not None


def _problems(
    file: str,
    files: Mapping[str, Destination],
    segments: Mapping[str, Any],
    journeys: Mapping[str, Journey],
    catalogue: Catalogue,
) -> Iterator[str]:
    destination = files[file]
    for other, found in files.items():
        if other < file and found.name == destination.name:
            yield f"name: {destination.name} is already the name of {other}"
    for i, segment in enumerate(destination.segments):
        if segment not in segments:
            yield f"segments.{i}: no segment {segment}{did_you_mean(segment, sorted(segments))}"
    steps = {place(j.name, step.name): step for j in journeys.values() for step in j.steps}
    sends = [name for name, step in steps.items() if isinstance(step, SendStep)]
    for i, name in enumerate(destination.journeys):
        if name not in steps:
            yield f"journeys.{i}: no step {name}{did_you_mean(name, sends)}"
        elif name not in sends:
            yield f"journeys.{i}: {name} is a step of type {steps[name].type}; only people at a step of type send are delivered"
    kept = {path for name in destination.segments if name in segments for path in segments[name].kept}
    for i, field in enumerate(destination.fields):
        matched = matched_of(field)
        if field.item is not None and matched is None:
            yield f"fields.{i}.item: only matched.COLUMN has several values, {field.from_} has one"
        if matched is not None and matched not in kept:
            yield f"fields.{i}.from: no sequence of its segments keeps {matched}{did_you_mean(matched, sorted(kept))}"
        if is_plain_column(field):
            continue
        try:
            found_attribute = catalogue.find(field.from_, field.horizon_days)
        except UnknownAttributeError as error:
            yield f"fields.{i}.from: {error}, or customer_id, segment, identifiers.TYPE, recommendations.1 to .5, matched.COLUMN"
            continue
        if found_attribute.is_array:
            yield f"fields.{i}.from: {field.from_} is a list; wanted one value"
