"""Which products come into question."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cdp.models.products.sources import Candidates, _bits, _top, blocks, candidates
from tests.models.products.conftest import bought, catalogue, known


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 9), st.floats(0, 100, width=32)),
        max_size=40,
        unique_by=lambda row: row[:2],
    ),
    st.integers(1, 4),
)
def test_the_strongest_of_each_customer_are_found(rows, most):
    customer, item, strength = (np.array(c) for c in (zip(*rows, strict=True) if rows else ([], [], [])))
    found = _top(customer.astype(np.int64), item.astype(np.int64), _bits(strength), most, 10)
    ordered = {c: sorted((-s, i) for who, i, s in rows if who == c)[:most] for c in range(4)}
    assert sorted(found.tolist()) == sorted(c * 10 + i for c, best in ordered.items() for _, i in best)


def shop():
    """p0 and p1 go together, p2 is of the category of p0, p3 sells in country 0, p4 to others, p5 not for long."""
    rows = [(c, p, 10) for c in range(8) for p in (0, 1)]
    rows += [(8, 2, 10), (9, 2, 10), (10, 2, 20)]
    rows += (
        [(c, 3, 5) for c in (11, 12, 13)] + [(c, 4, 5) for c in (14, 15, 16, 17)] + [(c, 5, 200) for c in (8, 9, 10)]
    )
    rows += [(18, 0, 30), (18, 0, 3)]
    place = [1] * 11 + [0] * 3 + [1] * 4 + [0]
    return bought(*rows, place=place), catalogue(6, category=[0, 1, 0, 1, -1, -1])


def found_for(customer: int, **more: int) -> dict[int, dict[str, float]]:
    histories, products = shop()
    found = candidates(histories, known(histories, products), **more)
    rows = np.flatnonzero(found.customer == customer)
    names = [name for name in Candidates.__dataclass_fields__ if name not in ("customer", "product")]
    return {int(found.product[r]): {name: getattr(found, name)[r] for name in names} for r in rows}


def test_each_source_brings_what_it_stands_for():
    found = found_for(18)
    assert set(found) == {0, 1, 2, 3, 4}, "what nobody buys any more does not come into question"
    assert {p for p in found if found[p]["is_own"]} == {0}
    assert {p for p in found if found[p]["is_linked"]} == {1}
    assert {p for p in found if found[p]["is_similar"]} == {2}
    assert found[3]["is_local"] and found[3]["lift"] > 1 > found[4]["lift"] > 0


def test_what_is_known_of_a_candidate_is_counted():
    own = found_for(18)[0]
    assert (own["days"], own["days_since"], own["order_days"], own["order_days_since"]) == (2, 3, 2, 3)
    assert (own["category_share"], own["products_a_day"]) == (1, 1)
    assert found_for(18)[4]["category_share"] == 0, "a product without a category is of no category"


def test_what_was_bought_lately_can_be_left_out():
    assert 0 in found_for(18, exclude_days=3)
    assert 0 not in found_for(18, exclude_days=4)


def test_blocks_together_are_the_whole(monkeypatch):
    histories, products = shop()
    knowledge = known(histories, products)
    whole = candidates(histories, knowledge)
    monkeypatch.setattr("cdp.models.products.sources._MOST_CUSTOMERS", 4)
    parts = Candidates.joined([(first, candidates(block, knowledge)) for first, block in blocks(histories, knowledge)])
    for name in Candidates.__dataclass_fields__:
        assert np.array_equal(getattr(parts, name), getattr(whole, name)), name
