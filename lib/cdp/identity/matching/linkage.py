"""People out of scored pairs: the two clusters whose records are on average most alike become one, again and again.

A wrong pair cannot chain two people, for all their other pairs speak against it; a weak pair inside a strong group is carried
by the others.

Source:
    Average linkage (UPGMA): Sokal and Michener (1958), on a sparse graph: a pair that never met counts as `unseen`.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from operator import add
from typing import Protocol

import numpy as np
import numpy.typing as npt

CONTRADICTIONS = {"birth_date": "birth dates of two people", "given_name": "given names of two people"}
"""Fields of which a person has one, and what is said of clusters some of whose pairs have two, while no pair agrees."""
AMBIGUOUS = "as much like another person"
"""What is said of a cluster that is about as much like two others, which are two people."""
MARGIN = 2_000
"""Thousandths of a bit by which the better of two such must be more alike: then it is the right one four times of five."""
_NEVER_MET = (0,) * (2 + 2 * len(CONTRADICTIONS))

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
        weight: sum over the pairs of records that met, in thousandths of a bit.
        pairs: how many met.
        said: two columns for each of `CONTRADICTIONS`: in how many of those pairs the values may be one, and in how many
            they are two.
    """

    low: Numbers
    high: Numbers
    weight: Numbers
    pairs: Numbers
    said: Numbers


def average_linkage(
    edges: Edges, sizes: Callable[[Numbers], Numbers], *, stop: int, unseen: int, limits: Limits
) -> tuple[dict[int, int], list[tuple[int, int, str]]]:
    """Cluster the nodes.

    Args:
        edges: of nodes that have one.
        sizes: records of each node.
        stop: thousandths of a bit; clusters whose average is lower stay apart.
        unseen: thousandths of a bit that a pair of records counts that never met.
        limits: what keeps clusters apart.

    Returns:
        Node to the smallest node of its cluster, for the nodes of clusters of two and more; and of the clusters
        that were kept apart their smallest nodes, and why: what `limits` says, one of `CONTRADICTIONS` or `AMBIGUOUS`. The
        same whatever the order of the edges.
    """
    nodes, ends = np.unique(np.concatenate([edges.low, edges.high]), return_inverse=True)
    low, high = np.split(ends, 2)
    size: list[int] = sizes(nodes).tolist()
    names: list[int] = nodes.tolist()
    between: list[dict[int, tuple[int, ...]]] = [{} for _ in names]
    sums = (edges.weight, edges.pairs, *edges.said.T)
    for a, b, *of_pairs in zip(low.tolist(), high.tolist(), *(column.tolist() for column in sums), strict=True):
        between[a][b] = between[b][a] = tuple(of_pairs)

    def entry(a: int, b: int) -> tuple[float, int, int]:
        weight, pairs, *_ = between[a][b]
        every = size[a] * size[b]
        return -(weight + unseen * (every - pairs)) / every, min(a, b), max(a, b)

    apart: list[set[int]] = [set() for _ in names]

    def contradiction(a: int, b: int) -> str | None:
        _, _, *said = between[a].get(b, _NEVER_MET)
        for why, agrees, differs in zip(CONTRADICTIONS.values(), said[::2], said[1::2], strict=True):
            if differs and not agrees:
                return why
        return limits.broken(names[a], names[b])

    def rivals(a: int, b: int) -> list[int]:
        """Clusters that may be the person that a is, about as much like it as b is, none of which can be the person that b is."""
        least = -entry(a, b)[0] - MARGIN
        alike = (c for c in between[a] if c != b and -entry(a, c)[0] >= least)
        return [c for c in alike if contradiction(b, c) and not contradiction(a, c)]

    def part(a: int, b: int, why: str) -> None:
        refused.append((names[min(a, b)], names[max(a, b)], why))
        apart[a].add(b)
        apart[b].add(a)

    heap = [e for a, others in enumerate(between) for b in others if a < b and (e := entry(a, b))[0] <= -stop]
    heapq.heapify(heap)
    into = list(range(len(names)))
    refused: list[tuple[int, int, str]] = []
    while heap:
        item = heapq.heappop(heap)
        _, a, b = item
        if b not in between[a] or b in apart[a] or entry(a, b) != item:
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
        for c, met in theirs.items():
            del between[c][b]
            mine[c] = between[c][a] = tuple(map(add, mine.get(c, _NEVER_MET), met))
        between[b] = {}
        # Whatever they grow into is two people, too.
        for c in apart[b]:
            apart[c].discard(b)
            apart[c].add(a)
        apart[a] |= apart[b]
        apart[b] = set()
        for c in mine:
            new = entry(a, c)
            if new[0] <= -stop and c not in apart[a]:
                heapq.heappush(heap, new)
    found = {}
    for node in range(len(names)):
        root = node
        while into[root] != root:
            root = into[root]
        into[node] = root
        if root != node:
            found[names[node]] = found[names[root]] = names[root]
    return found, refused
