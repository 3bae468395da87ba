"""One person's chain of a sequence in plain Python: the one that met it, or how far the best one came.

The very outcome of `cdp.segments.chains`, which tests hold it against, found the same way: what is remembered there as times
is remembered here as the entries themselves.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from cdp.conditions.clock import Clock
from cdp.conditions.judge import passes, value_in
from cdp.conditions.reading import time_of
from cdp.segments.sequence import MOMENTS, SequenceCondition

_FILLED = re.compile(r"[^ \t\n\x0b\f\r]")
"""What Java's `\\S` finds."""


@dataclass(frozen=True)
class Missing:
    """Where a chain ends too soon.

    Attributes:
        step: number of the step that is missing, or of the `not` step that stands against it.
        how: never: no such entry came. late: it came after its time. came: an entry that should not have come. open: there was
            none so far, and its time is not over.
        at: when it came, or when its time is over.
    """

    step: int
    how: Literal["never", "late", "came", "open"]
    at: datetime | None = None


@dataclass(frozen=True)
class Trail:
    """How far somebody came with a sequence.

    Attributes:
        times: when the entries of the chain were, by number of step; of chains that met it the newest, else of the longest.
        values: what they have in common, in the order of `correlateOn`.
        missing: what is missing; None: nothing, the sequence holds.
    """

    times: Mapping[int, datetime]
    values: tuple[str, ...]
    missing: Missing | None


@dataclass(frozen=True)
class _Mark:
    """An entry that is a step: when, its place in the order of entries, and numbers of the steps that it is."""

    at: datetime
    place: tuple[Any, ...]
    steps: frozenset[int]


_Chain = tuple[_Mark, ...]


def trail_of(sequence: SequenceCondition, rows: Mapping[str, Sequence[Mapping[str, Any]]], clock: Clock) -> Trail:
    """Find a person's chain.

    Args:
        sequence: what is asked.
        rows: the person's rows of `gold.timeline` as behavior_timeline and of `gold.order_lines` as order_lines.
        clock: the run's date.

    Raises:
        UnsureError: only Spark can tell what a filter says of an entry.
    """
    marks: dict[tuple[str, ...], list[_Mark]] = {}
    for source in sorted({step.source for step in sequence.steps}):
        for row in rows[source]:
            for values, mark in _marks(sequence, source, row, clock):
                marks.setdefault(values, []).append(mark)
    fold = _Fold(sequence, clock.end)
    found: list[tuple[bool, int, tuple[Any, ...], tuple[str, ...], _Chain]] = []
    for values, of_object in marks.items():
        of_object.sort(key=lambda mark: mark.place)
        met, best = fold.chains(of_object)
        chain = met or best
        if chain:
            found.append((bool(met), len(chain), chain[-1].place, values, chain))
    if not found:
        return Trail({}, (), Missing(0, "never"))
    holds, _, _, values, chain = max(found)
    times = {step: mark.at for step, mark in zip(fold.wanted, chain, strict=False)}
    return Trail(times, values, None if holds else fold.missing(marks[values], chain))


def _marks(
    sequence: SequenceCondition, source: str, row: Mapping[str, Any], clock: Clock
) -> Iterator[tuple[tuple[str, ...], _Mark]]:
    """What a row is to a sequence: an entry for each object that it is about."""
    at = time_of(row[MOMENTS[source]])
    assert at is not None
    window = sequence.timeWindow
    if at >= clock.end or (window and at < window.begin(clock)):
        return
    found: dict[tuple[str, ...], set[int]] = {}
    for number, step in enumerate(sequence.steps):
        if step.source != source or (step.events and row["event"] not in step.events):
            continue
        if step.filter and not passes(step.filter, row, clock, step.column):
            continue
        columns = [step.column(step.correlateOn.get(path, path)) for path in sequence.correlateOn]
        values = tuple(value_in(row, column) for column in columns)
        if all(value is not None and _FILLED.search(value) for value in values):
            found.setdefault(values, set()).add(number)
    is_line = source == "order_lines"
    place = (row["source"], row["order_id"], row["line_no"]) if is_line else (row["source"], row["reference"], 0)
    for values, steps in found.items():
        yield values, _Mark(at, (at, "order line" if is_line else row["kind"], *place), frozenset(steps))


class _Fold:
    """Looks for chains among the entries of one object; see `cdp.segments.chains` for why one chain a step is enough.

    Attributes:
        wanted: numbers of the steps that must come.
    """

    def __init__(self, sequence: SequenceCondition, end: datetime) -> None:
        steps = sequence.steps
        self.wanted = [k for k, step in enumerate(steps) if not step.not_]
        self._but_not = [k + 1 if k + 1 < len(steps) and steps[k + 1].not_ else None for k in self.wanted]
        boxes = [steps[k].within for k in self.wanted]
        self._within = [timedelta(microseconds=box.micros) if box else None for box in boxes]
        last = steps[-1]
        self._box = timedelta(microseconds=last.within.micros) if last.not_ and last.within else None
        self._end = end

    def chains(self, marks: Sequence[_Mark]) -> tuple[_Chain | None, _Chain]:
        """The chain that meets the sequence, if any, and the newest of the longest ones."""
        last = len(self.wanted) - 1
        chains: list[_Chain | None] = [None] * len(self.wanted)
        met: _Chain | None = None
        best: _Chain = ()
        for mark in marks:
            was = list(chains)
            for j in range(len(self.wanted)):
                chain, old = self._reached(j, was, mark), was[j]
                if chain is not None and len(chain) >= len(best):
                    best = chain
                ends = self._but_not[j] in mark.steps
                if j < last or self._box is None:
                    chains[j] = chain or (None if ends else old)
                    continue
                if ends and old and mark.at - old[-1].at > self._box:
                    met = old
                chains[j] = old if old and not ends else chain
        whole = chains[last]
        if self._box is None:
            return whole, best
        return whole if whole and self._end - whole[-1].at > self._box else met, best

    def _reached(self, j: int, was: Sequence[_Chain | None], mark: _Mark) -> _Chain | None:
        before = was[j - 1] if j else ()
        if before is None or self.wanted[j] not in mark.steps:
            return None
        within = self._within[j]
        return None if before and within is not None and mark.at - before[-1].at > within else (*before, mark)

    def missing(self, marks: Sequence[_Mark], chain: _Chain) -> Missing:
        """What keeps the newest of the longest chains from being a whole one."""
        j = len(chain) - 1
        later = [mark for mark in marks if mark.place > chain[-1].place]
        against = self._but_not[j]
        stop = next((mark for mark in later if against in mark.steps), None)
        if j == len(self.wanted) - 1:
            assert against is not None
            if stop and (self._box is None or stop.at - chain[-1].at <= self._box):
                return Missing(against, "came", stop.at)
            return Missing(against, "open", chain[-1].at + self._box if self._box else None)
        following = self.wanted[j + 1]
        come = next((mark for mark in later if following in mark.steps), None)
        if against is not None and stop and (come is None or stop.place < come.place):
            return Missing(against, "came", stop.at)
        return Missing(following, "late", come.at) if come else Missing(following, "never")
