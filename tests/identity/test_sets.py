"""Disjoint sets against sets."""

from hypothesis import given
from hypothesis import strategies as st

from cdp.identity.sets import DisjointSets


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=20))
def test_what_was_joined_is_one_set_with_one_root(pairs: list[tuple[int, int]]):
    found: DisjointSets[int] = DisjointSets()
    slow = {member: {member} for member in range(9)}

    for one, other in pairs:
        root = found.root(one)
        assert found.join(one, other) == (other not in slow[one])
        assert found.root(other) == root
        both = slow[one] | slow[other]
        slow.update(dict.fromkeys(both, both))

    asked = {member for pair in pairs for member in pair}
    assert set(found.roots()) == asked
    for member, root in found.roots().items():
        assert {m for m in asked if found.root(m) == root} == slow[member] and root in slow[member]
