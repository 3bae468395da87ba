"""People out of compared pairs: the two clusters whose records are most alike, all in all, become one, again and again.

A wrong pair cannot chain two people while their other pairs speak against it; a weak pair inside a strong group is carried
by the others.

Source:
    Average linkage (UPGMA): Sokal and Michener (1958), on a sparse graph: a pair that never met counts as `unseen`. What is averaged
    over those that met is the caller's affair (`together.Together`).
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

CONTRADICTIONS = {"birth_date": "birth dates of two people", "given_name": "given names of two people"}
"""Fields of which a person has one, and what is said of clusters some of whose pairs have two, while no pair agrees."""
AMBIGUOUS = "as much like another person"
"""What is said of a cluster that is about as much like two others, which are two people."""
MARGIN = 2_000
"""Thousandths of a bit by which the better of two such must be more alike: then it is the right one four times of five."""
CEILING = 25_000
"""Thousandths of a bit at most that pairs count where others never met: those are not outweighed without end."""
_LOOKED_AT = 4
"""Clusters that a rival is most like, among which it may have another person of its own."""
_PAIRS, _ALIKE, _SAID = 0, 1, 2
TOLD = _SAID + 2 * len(CONTRADICTIONS)
"""Columns of `Edges.sums`: pairs, alike, what is said of contradictions, and from here on what is told."""
_ROWS_AT_ONCE = 100_000

Numbers = npt.NDArray[np.int64]


class Limits(Protocol):
    """What keeps two clusters apart however alike they are."""

    def broken(self, one: int, other: int) -> str | None:
        """Of what the clusters of these two nodes would have too much together; None where they may become one."""
        ...

    def join(self, one: int, other: int) -> None:
        """The clusters of these two nodes have become one."""
        ...


@dataclass(frozen=True)
class Edges:
    """What pairs of records say of pairs of nodes; a node is a record, or records that are one person already.

    Attributes:
        low: node.
        high: node, larger than `low`; no two rows have the same two.
        sums: of `evidence_of` over the pairs of their records that met; a row an edge. `average_linkage` goes on adding in it.
    """

    low: Numbers
    high: Numbers
    sums: Numbers


def evidence_of(alike: npt.NDArray[np.bool_], said: Numbers, told: Numbers) -> Numbers:
    """What pairs of records say, a row a pair.

    Args:
        alike: whether the two are alike by themselves: clusters without such a pair stay apart.
        said: two columns for each of `CONTRADICTIONS`: 1 where the values may be one, and where they are two.
        told: the rest, in columns that add up over pairs.
    """
    return np.column_stack([np.ones(len(alike), np.int64), alike, said, told])


def average_linkage(
    edges: Edges,
    sizes: Callable[[Numbers], Numbers],
    score: Callable[[Numbers], Numbers],
    *,
    stop: int,
    unseen: int,
    limits: Limits,
) -> tuple[dict[int, int], list[tuple[int, int, str]]]:
    """Cluster the nodes.

    Args:
        edges: of nodes that have one; their sums are used up.
        sizes: records of each node.
        score: of sums of what is told, row by row, what pairs are worth together, in thousandths of a bit.
        stop: thousandths of a bit; clusters whose average is lower stay apart.
        unseen: thousandths of a bit that a pair of records counts that never met.
        limits: what keeps clusters apart.

    Returns:
        Node to the smallest node of its cluster, for the nodes of clusters of two and more; and of the clusters
        that were kept apart the smallest nodes of what they became, and why: what `limits` says, one of `CONTRADICTIONS` or `AMBIGUOUS`. The
        same whatever the order of the edges.
    """
    nodes, ends = np.unique(np.concatenate([edges.low, edges.high]), return_inverse=True)
    low, high = np.split(ends, 2)
    size = sizes(nodes)
    names: list[int] = nodes.tolist()
    # A row for each two clusters that met; it is kept by the one of two that become one.
    sums = edges.sums
    between: list[dict[int, int]] = [{} for _ in names]
    for row, (a, b) in enumerate(zip(low.tolist(), high.tolist(), strict=True)):
        between[a][b] = between[b][a] = row

    def averages(rows: Numbers | slice, one: Numbers, other: Numbers) -> Numbers:
        every, met = size[one] * size[other], sums[rows, _PAIRS]
        told = score(sums[rows, TOLD:])
        counted = np.where(met < every, np.minimum(told, CEILING), told)
        found: Numbers = np.rint((counted * met + unseen * (every - met)) / every).astype(np.int64)
        return found

    average: list[int] = []
    for start in range(0, len(low), _ROWS_AT_ONCE):
        some = slice(start, start + _ROWS_AT_ONCE)
        average += averages(some, low[some], high[some]).tolist()
    apart: list[set[int]] = [set() for _ in names]
    nearest: dict[int, list[tuple[int, int]]] = {}

    def contradiction(a: int, b: int) -> str | None:
        row = between[a].get(b)
        if row is not None:
            said = sums[row, _SAID:TOLD].tolist()
            for why, agrees, differs in zip(CONTRADICTIONS.values(), said[::2], said[1::2], strict=True):
                if differs and not agrees:
                    return why
        return limits.broken(names[a], names[b])

    def rivals(a: int, b: int) -> list[int]:
        """Clusters that may be the person that a is, about as much like it as b is, none of which can be the person that b is."""
        least = average[between[a][b]] - MARGIN
        alike = (c for c, row in between[a].items() if c != b and average[row] >= least)
        return [c for c in alike if contradiction(b, c) and not contradiction(a, c) and not is_elsewhere(c, a, b)]

    def is_elsewhere(c: int, a: int, b: int) -> bool:
        """Whether c is some d's person rather than a's: a and b, c and d are likelier by the margin than a and c, b and d."""
        least = average[between[a][c]] - average[between[a][b]] + MARGIN
        return any(
            average[row] >= max(stop, least + max(average[between[b][d]] if d in between[b] else 0, 0))
            and d not in apart[c]
            and not contradiction(c, d)
            for d, row in likest(c)
            if d not in (a, b)
        )

    def likest(c: int) -> list[tuple[int, int]]:
        """The few clusters that c is most like, with their rows: all of them would be looked at for each of its rivals."""
        if c not in nearest:
            nearest[c] = heapq.nsmallest(_LOOKED_AT, between[c].items(), key=lambda other: (-average[other[1]], other[0]))
        return nearest[c]

    def part(a: int, b: int, why: str) -> None:
        refused.append((names[min(a, b)], names[max(a, b)], why))
        apart[a].add(b)
        apart[b].add(a)

    may_join = (np.array(average, np.int64) >= stop) & (sums[:, _ALIKE] > 0)
    heap = [
        (-average[row], a, b)
        for row, a, b in zip(*(column[may_join].tolist() for column in (np.arange(len(low)), low, high)), strict=True)
    ]
    heapq.heapify(heap)
    into = list(range(len(names)))
    refused: list[tuple[int, int, str]] = []
    while heap:
        worth, a, b = heapq.heappop(heap)
        if b not in between[a] or b in apart[a] or -average[between[a][b]] != worth:
            continue  # one of them has grown since, or has been told from the other
        broken = contradiction(a, b)
        if broken:
            part(a, b, broken)
            continue
        doubtful = [(one, rival) for one, other in ((a, b), (b, a)) for rival in rivals(one, other)]
        if doubtful:
            part(a, b, AMBIGUOUS)
            for one, rival in doubtful:
                if rival not in apart[one]:
                    part(one, rival, AMBIGUOUS)
            continue
        limits.join(names[a], names[b])
        into[b] = a  # a < b: the smallest node of a cluster stands for it
        theirs = between[b]
        del between[a][b], theirs[a]
        mine = between[a]
        size[a] += size[b]
        for c, row in theirs.items():
            del between[c][b]
            if c in mine:
                sums[mine[c]] += sums[row]
            else:
                mine[c] = between[c][a] = row
        between[b] = {}
        # Whatever they grow into is two people, too.
        for c in apart[b]:
            apart[c].discard(b)
            apart[c].add(a)
        apart[a] |= apart[b]
        apart[b] = set()
        for c in (a, *mine):
            nearest.pop(c, None)
        if not mine:
            continue
        others, rows = np.array(list(mine)), np.array(list(mine.values()))
        new = averages(rows, np.full(len(others), a), others)
        is_alike = sums[rows, _ALIKE] > 0
        for c, row, now, may in zip(others.tolist(), rows.tolist(), new.tolist(), is_alike.tolist(), strict=True):
            average[row] = now
            if now >= stop and may and c not in apart[a]:
                heapq.heappush(heap, (-now, min(a, c), max(a, c)))
    found = {}
    for node in range(len(names)):
        root = node
        while into[root] != root:
            root = into[root]
        into[node] = root
        if root != node:
            found[names[node]] = found[names[root]] = names[root]
    apart_now = [(found.get(one, one), found.get(other, other), why) for one, other, why in refused]
    return found, sorted({(min(one, other), max(one, other), why) for one, other, why in apart_now})
