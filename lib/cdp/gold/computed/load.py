"""Reads conf/traits.yaml, and says what is wrong with it before Spark starts."""

import re
from collections.abc import Iterator

from cdp.base.errors import ConfigError
from cdp.base.settings import ConfigFolder
from cdp.conditions.columns import UnknownAttributeError
from cdp.conditions.filters import filter_problems
from cdp.gold.computed.columns import column_of
from cdp.gold.computed.config import (
    FILE,
    INPUTS,
    TYPES,
    Aggregation,
    AnyTrait,
    Chosen,
    OfProperty,
    SqlTrait,
    TraitsConfig,
)
from cdp.tables.gold import TRAITS


def load_traits(folder: ConfigFolder) -> TraitsConfig:
    """Read conf/traits.yaml; without it there are none.

    Raises:
        ConfigError: the file is wrong, a trait names a column that there is not, or an operator that does not go with it.
    """
    try:
        config = folder.load(TraitsConfig, FILE)
    except ConfigError as error:
        # The key path also names the type that was tried.
        told = [re.sub(rf"^(traits\.\d+)\.(?:{'|'.join(TYPES)})(?=[.:])", r"\1", line) for line in error.problems]
        raise ConfigError(error.file, told) from None
    problems = [f"traits.{i} ({trait.name}): {line}" for i, trait in enumerate(config.traits) for line in _problems(trait, config)]
    if problems:
        raise ConfigError(str(folder.path / FILE), problems)
    return config


def _problems(trait: AnyTrait, config: TraitsConfig) -> Iterator[str]:
    if isinstance(trait, SqlTrait):
        if trait.query is not None:
            from cdp.gold.computed.sql import query_problems  # the parser's import takes a quarter of a second

            yield from (f"query: {line}" for line in query_problems(trait.query, ("profiles", *INPUTS)))
        else:
            yield from (f"expression: {line}" for line in _expression_problems(trait, config))
        return
    if trait.filter is not None:
        yield from filter_problems(trait.filter, "filter", trait.column)
    if isinstance(trait, OfProperty):
        try:
            found = trait.column(trait.property)
        except UnknownAttributeError as error:
            yield f"property: {error}"
            return
        wanted = {"avg": ("number", "loose"), "sum": ("number", "loose"), "min": ("number", "loose", "time"), "max": ("number", "loose", "time")}
        if found.is_array:
            yield f"property: {trait.property} is a list; wanted one value"
        elif isinstance(trait, Aggregation) and found.kind not in wanted[trait.aggregation]:
            yield f"property: {trait.property} is a {found.kind}; {trait.aggregation} wants a number"
        elif isinstance(trait, Chosen) and trait.value_type != "text" and found.kind != "loose":
            yield f"value_type: {trait.property} is a {found.kind} already; leave it out"


def _expression_problems(trait: SqlTrait, config: TraitsConfig) -> Iterator[str]:
    from cdp.bronze.sql import expression_problems

    assert trait.expression is not None
    # Those that are expressions themselves may only be used further down, so none goes round in a circle.
    before = config.expressions[: config.expressions.index(trait)]
    columns = [*TRAITS.columns]
    for other in (*config.counted, *config.queries, *before):
        try:
            columns.append(column_of(other))
        except UnknownAttributeError:
            continue  # told of that trait itself
    yield from expression_problems(trait.expression, tuple((c.name, c.type) for c in columns), is_of_source=False)
