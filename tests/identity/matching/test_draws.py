"""What is drawn belongs to the records, and is as random as if it did not."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cdp.identity.matching.draws import chances_of, pairs_of

_NODES = st.lists(st.integers(-(2**63), 2**63 - 1), unique=True, min_size=2, max_size=120)


def drawn(nodes: np.ndarray, wanted: int) -> list[tuple[int, int]]:
    left, right = pairs_of(nodes, wanted)
    return list(zip(nodes[left].tolist(), nodes[right].tolist(), strict=True))


@settings(max_examples=200)
@given(_NODES, st.integers(1, 9000))
def test_as_many_different_pairs_as_are_wanted_whatever_the_order(nodes: list[int], wanted: int):
    here = np.array(nodes, np.int64)
    pairs = drawn(here, wanted)
    assert len(pairs) == len({frozenset(pair) for pair in pairs}) == min(wanted, len(nodes) * (len(nodes) - 1) // 2)
    assert all(one != other for one, other in pairs)
    assert set(drawn(here[::-1].copy(), wanted)) == set(pairs)


def test_few_records_more_change_few_of_the_pairs():
    random = np.random.default_rng(1)
    nodes = random.integers(-(2**63), 2**63 - 1, 3000)
    before = set(drawn(nodes, 20_000))
    after = drawn(np.append(nodes, random.integers(-(2**63), 2**63 - 1, 30)), 20_000)
    # 2 % of the pairs of 3,030 records have one of the 30 in it; as many of the others make room for them
    assert len(before - set(after)) < 800
    # every record is drawn about as often
    times = np.unique(np.array(after), return_counts=True)[1]
    assert times.mean() > 13 and times.std() < 6


def test_chances_are_even_and_of_their_own():
    left, right = np.arange(50_000), np.arange(50_000) * 7
    one, other = chances_of(left, right, "one"), chances_of(left, right, "other")
    for found in (one, other, (one + other) % 1):
        counts = np.histogram(found, bins=20, range=(0, 1))[0]
        assert ((counts - 2500) ** 2 / 2500).sum() < 50  # chi squared, 19 degrees of freedom: one of ten thousand
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.02
    assert (chances_of(left[:5], right[:5], "one") == one[:5]).all()
