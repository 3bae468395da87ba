"""Reads conf/segments: every problem of every file at once, under Treasure Data's names for them, before Spark starts."""

from collections.abc import Mapping

from cdp.base.errors import ConfigError
from cdp.base.settings import ConfigFolder
from cdp.conditions.columns import UnknownAttributeError
from cdp.gold.computed.columns import traits_table
from cdp.gold.computed.config import FILE as TRAITS
from cdp.gold.computed.config import TraitsConfig
from cdp.gold.computed.load import load_traits
from cdp.models.config import load_models_config
from cdp.models.propensity.config import attributes
from cdp.segments.attributes import BUILT_IN, Catalogue
from cdp.segments.check import problems_of
from cdp.segments.config import Group, Lookalike, Segment
from cdp.segments.limits import Limit, Ranking
from cdp.segments.lists import FOLDER as LISTS
from cdp.segments.reading import CODES, SECTIONS, Grammar, raise_together
from cdp.segments.shared import FILE, SharedConfig, shared_problems

FOLDER = "segments"
_GRAMMAR = Grammar(
    Segment,
    {**SECTIONS, "rule": Group, "limit": Limit, "by": Ranking, "lookalike": Lookalike},
    CODES,
    by_path={"rule.type": "INVALID_RULE_TYPE"},
    advice={"rule": "wanted a rule, a lookalike, or both"},
)


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
            files[str(path)] = _GRAMMAR.read(path, path.parent / LISTS)
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
    raise_together(problems, config.path / FOLDER)
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
