"""The fast average linkage does what an obvious one does."""

from datetime import datetime
from fractions import Fraction
from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cdp.identity.matching.linkage import CEILING, CONTRADICTIONS, MARGIN, Edges, average_linkage, evidence_of
from cdp.identity.protect import Fact, Limits

STOP, UNSEEN = -1000, -3000
Pair = tuple[int, int]
Weights = dict[Pair, tuple[int, int]]
Told = tuple[dict[int, int], ...]
"""What records say of the fields of `CONTRADICTIONS`, in their order."""

pairs = st.tuples(st.integers(0, 8), st.integers(0, 8)).filter(lambda p: p[0] < p[1])
graphs = st.dictionaries(pairs, st.tuples(st.integers(-9000, 9000) | st.integers(20_000, 40_000), st.just(1)), min_size=1, max_size=20)
some_pairs = st.sets(pairs, max_size=12)
cards = st.dictionaries(st.integers(0, 8), st.integers(0, 3), max_size=5)


class Free:
    def broken(self, one: int, other: int) -> str | None:
        return None

    def join(self, one: int, other: int) -> None: ...


def fast(
    graph: Weights, sizes: dict[int, int], limits: Limits | Free, values: Told = (), unlike: set[Pair] = frozenset()
) -> set[frozenset[int]]:
    low, high = np.array(list(graph)).T
    told = np.array(list(graph.values()))
    said = np.zeros((len(graph), 2 * len(CONTRADICTIONS)), int)
    for place, of_field in enumerate(values):
        says = np.array([_says(of_field, *pair) for pair in graph])
        said[:, 2 * place], said[:, 2 * place + 1] = says == 1, says == -1
    alike = (told[:, 0] >= STOP * told[:, 1]) & np.array([pair not in unlike for pair in graph])
    found, _ = average_linkage(
        Edges(low, high, evidence_of(alike, said, told)),
        lambda nodes: np.array([sizes.get(n, 1) for n in nodes.tolist()]),
        lambda sums: np.rint(sums[:, 0] / sums[:, 1]).astype(int),
        stop=STOP, unseen=UNSEEN, limits=limits,
    )  # fmt: skip
    clusters: dict[int, set[int]] = {}
    for node in sorted({n for pair in graph for n in pair}):
        clusters.setdefault(found.get(node, node), set()).add(node)
    assert all(min(members) == name for name, members in clusters.items())
    return {frozenset(members) for members in clusters.values()}


def _says(values: dict[int, int], one: int, other: int) -> int:
    """Whether two values are one (1) or two (-1); neighbours are neither."""
    if one not in values or other not in values or abs(values[one] - values[other]) == 1:
        return 0
    return 1 if values[one] == values[other] else -1


def slow(
    graph: Weights, sizes: dict[int, int], cards: dict[int, int], told: Told = (), unlike: set[Pair] = frozenset()
) -> set[frozenset[int]]:
    """All averages anew for each merge."""
    clusters = [frozenset([n]) for n in sorted({n for pair in graph for n in pair})]
    apart: set[frozenset[frozenset[int]]] = set()

    def met(a: frozenset[int], b: frozenset[int]) -> list[tuple[int, int]]:
        return [p for x in a for y in b if (p := (min(x, y), max(x, y))) in graph]

    def average(a: frozenset[int], b: frozenset[int]) -> int:
        every = sum(sizes.get(x, 1) for x in a) * sum(sizes.get(x, 1) for x in b)
        weights, counts = zip(*(graph[pair] for pair in met(a, b)), strict=True)
        score = round(Fraction(sum(weights), sum(counts)))
        score = min(score, CEILING) if sum(counts) < every else score
        return round(Fraction(score * sum(counts) + UNSEEN * (every - sum(counts)), every))

    def may_join(a: frozenset[int], b: frozenset[int]) -> bool:
        return any(is_alike(pair) for pair in met(a, b)) and average(a, b) >= STOP

    def is_alike(pair: Pair) -> bool:
        weight, count = graph[pair]
        return weight >= STOP * count and pair not in unlike

    def are_two(a: frozenset[int], b: frozenset[int]) -> bool:
        said = [{_says(values, *pair) for pair in met(a, b)} for values in told]
        return len({cards[n] for n in a | b if n in cards}) > 1 or any(-1 in one and 1 not in one for one in said)

    def is_apart(a: frozenset[int], b: frozenset[int]) -> bool:
        return any((x <= a and y <= b) or (x <= b and y <= a) for x, y in map(tuple, apart))

    while True:
        best = None
        for a, b in combinations(sorted(clusters, key=min), 2):
            if not met(a, b) or is_apart(a, b):
                continue
            key = (-average(a, b), min(a), min(b))
            if may_join(a, b) and (best is None or key < best[0]):
                best = key, a, b
        if best is None:
            return set(clusters)
        _, a, b = best
        if are_two(a, b):
            apart.add(frozenset((a, b)))
            continue
        least = average(a, b) - MARGIN
        rivals = [
            frozenset((x, c))
            for x, y in ((a, b), (b, a))
            for c in clusters
            if c not in (a, b) and met(x, c) and average(x, c) >= least and are_two(y, c) and not are_two(x, c)
            if not any(
                average(c, d) >= STOP
                and not are_two(c, d)
                and not is_apart(c, d)
                and average(a, b) + average(c, d) - average(x, c) - max(average(y, d) if met(y, d) else 0, 0) >= MARGIN
                for d in sorted((d for d in clusters if d != c and met(c, d)), key=lambda d: (-average(c, d), min(d)))[:4]
                if d not in (a, b)
            )
        ]
        if rivals:
            apart |= {frozenset((a, b)), *rivals}
            continue
        clusters = [c for c in clusters if c not in (a, b)] + [a | b]


@given(graphs, st.dictionaries(st.integers(0, 8), st.integers(1, 3), max_size=4), some_pairs)
def test_the_fast_way_agrees_with_the_slow_one(graph: Weights, sizes: dict[int, int], unlike: set[Pair]):
    assert fast(graph, sizes, Free(), unlike=unlike) == slow(graph, sizes, {}, unlike=unlike)


@given(graphs, cards)
def test_limits_keep_apart_what_is_alike(graph: Weights, cards: dict[int, int]):
    had = [Fact(node, "unique card", card, datetime(2026, 1, 1), 1) for node, card in cards.items()]
    found = fast(graph, {}, Limits(had))
    assert found == slow(graph, {}, cards)
    assert all(len({cards[n] for n in cluster if n in cards}) <= 1 for cluster in found)


@given(graphs, cards, cards)
def test_births_and_names_of_two_people_keep_apart_what_is_alike(
    graph: Weights, births: dict[int, int], names: dict[int, int]
):
    assert fast(graph, {}, Free(), (births, names)) == slow(graph, {}, {}, (births, names))


def test_a_record_without_a_birth_date_does_not_join_two_people():
    graph = {(0, 1): (9000, 1), (1, 2): (6000, 1), (0, 2): (5000, 1)}
    assert fast(graph, {}, Free(), ({0: 1956, 2: 1992},)) == {frozenset({0, 1}), frozenset({2})}


def test_a_record_that_could_be_either_of_two_people_is_neither():
    births = {0: 1956, 2: 1992}
    graph = {(0, 1): (9000, 1), (1, 2): (8000, 1), (0, 2): (5000, 1)}
    assert fast(graph, {}, Free(), (births,)) == {frozenset({0}), frozenset({1}), frozenset({2})}
    two_of_them = graph | {(0, 3): (8500, 1), (2, 3): (8500, 1), (1, 3): (8000, 1)}
    assert fast(two_of_them, {}, Free(), (births,)) == {frozenset({0}), frozenset({1, 3}), frozenset({2})}


def test_who_is_somebody_else_s_is_no_rival():
    """Two tables without duplicates, 0 and 1, 2 and 3: one of the two ways to put them together is likelier by 3.7 bits."""
    tables = ({0: 1, 1: 3}, {2: 1, 3: 3})
    graph = {(0, 2): (12_000, 1), (1, 3): (11_900, 1), (0, 3): (10_100, 1), (1, 2): (10_100, 1), (0, 1): (0, 1), (2, 3): (0, 1)}
    assert fast(graph, {}, Free(), tables) == {frozenset({0, 2}), frozenset({1, 3})}
    as_likely = graph | {(0, 3): (11_900, 1), (1, 2): (11_900, 1)}
    assert fast(as_likely, {}, Free(), tables) == {frozenset({n}) for n in range(4)}


def test_the_better_of_two_is_told_by_all_they_say():
    graph = {(0, 1): (45_000, 1), (0, 2): (26_000, 1), (1, 2): (0, 1)}
    assert fast(graph, {}, Free(), ({1: 1, 2: 3},)) == {frozenset({0, 1}), frozenset({2})}


def test_who_cannot_be_the_person_is_no_rival_for_it():
    births, names = {0: 1956, 2: 1992}, {1: 3, 2: 7}
    graph = {(0, 1): (9000, 1), (0, 2): (8500, 1), (1, 2): (-2000, 1)}
    assert fast(graph, {}, Free(), (births, names)) == {frozenset({0, 1}), frozenset({2})}


def test_one_wrong_pair_does_not_chain_two_people():
    people = [(0, 1, 2), (3, 4, 5)]
    graph = {pair: (8000, 1) for person in people for pair in combinations(person, 2)}
    graph |= {(2, 3): (9000, 1), (0, 3): (-9000, 1), (1, 4): (-9000, 1)}
    # The strongest pair of all is the wrong one; it is joined first, and goes no further.
    assert fast(graph, {}, Free()) != {frozenset(range(6))}


def test_who_is_like_none_of_them_by_himself_stays_alone():
    graph = {(0, 1): (9000, 1), (0, 2): (5000, 1), (1, 2): (5000, 1)}
    assert fast(graph, {}, Free(), unlike={(0, 2), (1, 2)}) == {frozenset({0, 1}), frozenset({2})}
    assert fast(graph, {}, Free(), unlike={(0, 2)}) == {frozenset({0, 1, 2})}


def test_what_was_kept_apart_goes_by_the_names_of_the_clusters_that_it_became():
    had = [Fact(node, "unique card", node, datetime(2026, 1, 1), 1) for node in (1, 2)]
    graph = np.array([(0, 1, 8000), (1, 2, 9000)])
    said = np.zeros((2, 2 * len(CONTRADICTIONS)), int)
    found, refused = average_linkage(
        Edges(graph[:, 0], graph[:, 1], evidence_of(np.ones(2, bool), said, graph[:, 2:])),
        lambda nodes: np.ones(len(nodes), int), lambda sums: sums[:, 0], stop=STOP, unseen=UNSEEN, limits=Limits(had),
    )  # fmt: skip
    assert found == {0: 0, 1: 0}
    assert refused == [(0, 2, "unique card")]  # 1 and 2 were refused before 1 became 0


def test_weak_pairs_inside_a_strong_group_are_carried():
    graph = {(0, 1): (9000, 1), (1, 2): (9000, 1), (0, 2): (-3000, 1)}
    assert fast(graph, {}, Free()) == {frozenset({0, 1, 2})}
