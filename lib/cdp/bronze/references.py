"""References between sources: what is not there, and in which order to read.

Sources are read after those they refer to, so that what came in the same run counts. In a circle of references somebody
has to be first: it sees what came before, and the rest can be taken in by a replay.
"""

from collections.abc import Iterator, Mapping, Sequence

from cdp.base.settings import did_you_mean
from cdp.bronze.columns import ColumnTest, Relationships, SourceColumn
from cdp.bronze.config import SourceConfig


def relationship_tests(source: SourceConfig) -> Iterator[tuple[SourceColumn, ColumnTest, Relationships]]:
    """Each test of a source that refers to another, with its column and what it refers to."""
    for column in source.columns:
        for test in column.tests:
            if test.relationships is not None:
                yield column, test, test.relationships


def relationship_problems(source: SourceConfig, sources: Mapping[str, SourceConfig]) -> list[str]:
    """References to what is not there."""
    problems = []
    for column, _, reference in relationship_tests(source):
        to, name = reference.to, reference.field
        where = f"columns.{column.name}.tests.relationships"
        if to not in sources:
            problems.append(f"{where}.to: {to} is no source{did_you_mean(to, list(sources))}")
        elif name not in (known := [c.name for c in sources[to].columns]):
            problems.append(f"{where}.field: {name} is not among the columns of {to}{did_you_mean(name, known)}")
    return problems


def reading_order(sources: Mapping[str, SourceConfig], names: Sequence[str]) -> list[list[str]]:
    """The sources in groups that may be read side by side, each after those it refers to.

    Args:
        sources: every source.
        names: those that are read.
    """
    parents = {name: _parents(sources[name]) & (set(names) - {name}) for name in names}
    groups: list[list[str]] = []
    while parents:
        ready = [name for name, waits in parents.items() if not waits & parents.keys()]
        # In a circle, one that is part of it goes first: one that only waits for it would gain nothing.
        ready = ready or [next(name for name in parents if name in _reached(name, parents))]
        groups.append(ready)
        parents = {name: waits for name, waits in parents.items() if name not in ready}
    return groups


def _parents(source: SourceConfig) -> set[str]:
    return {reference.to for *_, reference in relationship_tests(source)}


def _reached(start: str, parents: Mapping[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        for name in parents.get(waiting.pop(), set()) - reached:
            reached.add(name)
            waiting.append(name)
    return reached
