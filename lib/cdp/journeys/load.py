"""Reads conf/journeys: every problem of every file at once, before Spark starts."""

import re

from cdp.base.errors import ConfigError
from cdp.base.settings import ConfigFolder
from cdp.journeys.check import problems_of
from cdp.journeys.config import Entry, Journey, Reentry
from cdp.journeys.steps import STEPS, Case, Duration, Share
from cdp.segments.config import Segment
from cdp.segments.lists import FOLDER as LISTS
from cdp.segments.load import FOLDER as SEGMENTS
from cdp.segments.load import catalogue_of, load_segments
from cdp.segments.reading import CODES, SECTIONS, Grammar, raise_together
from cdp.segments.shared import FILE, SharedConfig

FOLDER = "journeys"
_IN_CONDITION = re.compile(r"(^(goal|exit)|\.(if|until))(\.|$)")


def _schema_error(path: str) -> str:
    return "SEGMENT_SCHEMA_ERROR" if _IN_CONDITION.search(path) else "JOURNEY_SCHEMA_ERROR"


_GRAMMAR = Grammar(
    Journey,
    {
        **{key: part for key, part in SECTIONS.items() if key != "steps"},
        **{step.__name__: step for step in STEPS.values()},
        **dict.fromkeys(("for", "stay", "at_most", "after"), Duration),
        "entry": Entry,
        "reentry": Reentry,
        "cases": Case,
        "shares": Share,
    },
    {**CODES, "step_type": "INVALID_STEP_TYPE", "next": "UNKNOWN_STEP"},
    by_path={"steps": "MISSING_STEPS", "steps.*": "JOURNEY_SCHEMA_ERROR"},
    schema_error=_schema_error,
    advice={"entry": "wanted who comes in, such as {segment: NAME}"},
)


def load_journeys(config: ConfigFolder) -> dict[str, Journey]:
    """Every journey by name, in order of name.

    Raises:
        ConfigError: a file, step or condition is wrong, two files share a name, a segment or step is unknown, a step cannot
            be reached, a circle takes no time; all problems at once. Where no journey is wrong, those of the segments.
    """
    files: dict[str, Journey] = {}
    problems: dict[str, list[str]] = {}
    for path in sorted(p for p in (config.path / FOLDER).glob("*") if p.suffix in (".yaml", ".yml")):
        try:
            files[str(path)] = _GRAMMAR.read(path, config.path / SEGMENTS / LISTS)
        except ConfigError as error:
            problems[error.file] = list(error.problems)
    if not files and not problems:
        return {}
    segments: dict[str, Segment] | None = None
    wrong_segments: ConfigError | None = None
    try:
        segments = load_segments(config)
    except ConfigError as error:
        wrong_segments = error
    for file, found in problems_of(files, segments, catalogue_of(config)).items():
        problems.setdefault(file, []).extend(found)
    raise_together(problems, config.path / FOLDER)
    if wrong_segments is not None:
        raise wrong_segments
    shared = config.load(SharedConfig, FILE)
    return {j.name: j.with_shared(shared) for j in sorted(files.values(), key=lambda j: j.name)}
