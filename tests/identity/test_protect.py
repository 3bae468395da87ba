"""Clusters that would be more than one person are cut, the strongest links first."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from cdp.identity.protect import Edge, Fact, keep_apart

START = datetime(2026, 1, 1)
# (at most, within days) of each kind: a limit holds for all records alike.
LIMITS = {"unique card": (1, None), "email: 2 per week": (2, 7), "size": (3, None)}

nodes = st.integers(0, 7)
edges = st.lists(st.builds(Edge, nodes, nodes, st.integers(0, 4)), max_size=14)
facts = st.lists(
    st.builds(
        lambda node, kind, value, day: Fact(node, kind, value, START + timedelta(days=day), *LIMITS[kind]),
        nodes, st.sampled_from(sorted(LIMITS)), st.integers(0, 5), st.integers(0, 20),
    ),
    max_size=16,
)  # fmt: skip


def slow_keep_apart(links: list[Edge], had: list[Fact]) -> dict[int, int]:
    """The same with sets of nodes, counting anew for each link."""
    clusters = [{node} for node in {n for link in links for n in (link.src, link.dst)}]
    for link in sorted(links, key=lambda e: (e.priority, min(e.src, e.dst), max(e.src, e.dst))):
        one = next(c for c in clusters if link.src in c)
        other = next(c for c in clusters if link.dst in c)
        if one is not other and (link.priority == 0 or _may_join(one, other, had)):
            clusters = [c for c in clusters if c is not one and c is not other] + [one | other]
    return {node: min(cluster) for cluster in clusters for node in cluster}


def _may_join(one: set[int], other: set[int], had: list[Fact]) -> bool:
    for kind, (at_most, days) in LIMITS.items():
        first = _first_seen(one | other, kind, had)
        if len(first) <= max(len(_first_seen(c, kind, had)) for c in (one, other)):
            continue  # nothing more of the kind than one of them has already
        for at in first.values():
            until = at + timedelta(days=days) if days else datetime.max
            since = at if days else datetime.min
            if sum(since <= seen < until for seen in first.values()) > at_most:
                return False
    return True


def _first_seen(cluster: set[int], kind: str, had: list[Fact]) -> dict[int, datetime]:
    first: dict[int, datetime] = {}
    for fact in had:
        if fact.node in cluster and fact.kind == kind:
            first[fact.value] = min(first.get(fact.value, fact.at), fact.at)
    return first


@given(edges, facts)
def test_the_fast_way_agrees_with_the_slow_one(links: list[Edge], had: list[Fact]):
    assert keep_apart(links, had) == slow_keep_apart(links, had)


@given(edges, facts, st.randoms())
def test_the_order_of_rows_says_nothing(links: list[Edge], had: list[Fact], random):
    before = keep_apart(links, had)
    random.shuffle(links)
    random.shuffle(had)

    assert keep_apart(links, had) == before


def test_the_stronger_link_wins():
    had = [Fact(1, "unique card", 10, START, 1), Fact(3, "unique card", 30, START, 1)]

    by_phone_first = keep_apart([Edge(1, 2, 4), Edge(2, 3, 3)], had)

    assert by_phone_first == {1: 1, 2: 2, 3: 2}


def test_the_stewards_word_is_stronger_than_a_limit():
    had = [Fact(1, "unique card", 10, START, 1), Fact(2, "unique card", 20, START, 1)]

    assert keep_apart([Edge(1, 2, 0)], had) == {1: 1, 2: 1}
