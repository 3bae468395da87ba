"""What purchases say of products."""

import statistics
from itertools import pairwise

import numpy as np
import pytest

from tests.models.products.conftest import DAY, bought, catalogue, known


def test_a_product_bought_every_four_weeks_has_a_cycle_and_one_bought_by_chance_has_none():
    rng = np.random.default_rng(3)
    monthly = [(c, 0, 28 * n + int(rng.integers(0, 4))) for c in range(12) for n in range(5)]
    chance = [
        (c, 1, int(ago)) for c in range(12) for ago in np.unique(np.cumsum(rng.exponential(28, 5) + 1).astype(int))
    ]
    rare = [(0, 2, 10), (0, 2, 40)]
    knowledge = known(bought(*monthly, *chance, *rare), catalogue(3))

    gaps = []
    for c in range(12):
        days = sorted(DAY - ago for who, product, ago in monthly if (who, product) == (c, 0))
        gaps += [b - a for a, b in pairwise(days)]
    assert knowledge.gap[0] == pytest.approx(statistics.median_low(gaps), abs=1)
    assert knowledge.early[0] <= 1 <= knowledge.late[0] < 1.5
    assert knowledge.gap[1] > 0 and knowledge.late[1] == 0, "its gaps scatter as chance does"
    assert knowledge.gap[2] == 0, "one gap says nothing"
    assert knowledge.rebought.tolist() == [1, 1, 1]


def test_a_customers_own_gaps_count_for_more_the_more_there_are():
    knowledge = known(bought(*[(c, 0, 30 * n) for c in range(12) for n in range(3)]), catalogue(2))
    product = np.zeros(3, dtype=int)
    found = knowledge.expected_gap(product, days=np.array([1.0, 2.0, 5.0]), span=np.array([0.0, 10.0, 40.0]))
    assert found.tolist() == [30, (10 + 30) / 2, (40 + 30) / 5]
    assert knowledge.expected_gap(np.array([1]), np.array([1.0]), np.array([0.0])).tolist() == [0]


def test_a_country_that_bought_little_is_taken_to_buy_as_all_do():
    rows = [(c, 0, 1) for c in range(300)] + [(300, 1, 1)]
    knowledge = known(bought(*rows, place=[0] * 300 + [1]), catalogue(2))
    assert knowledge.lift[0, 0] == pytest.approx(1, abs=0.01)
    assert 1 < knowledge.lift[1, 1] < 5, "one buying of one product is not three hundred times as many"
    assert knowledge.lift[-1].tolist() == [0, 0], "nowhere"


def test_with_too_many_products_bm25_takes_the_place_of_ease():
    rows = [(c, p, 1) for c in range(4) for p in range(3)]
    assert known(bought(*rows), catalogue(3)).method == "ease"
    assert known(bought(*rows), catalogue(3), ease_max_products=2).method == "bm25"


def test_nothing_after_the_day_is_seen():
    rows = [(c, p, n) for c in range(6) for p in range(2) for n in (5, 40)]
    before = known(bought(*rows), catalogue(3))
    after = known(bought(*rows, *[(c, 2, -3) for c in range(6)], *[(c, 0, -9) for c in range(6)]), catalogue(3))
    for name in ("rebought", "gap", "lift"):
        # The future row of another product counts as sold nowhere else here, so only what is learned is compared.
        assert getattr(after, name)[..., :2] == pytest.approx(getattr(before, name)[..., :2], rel=0.35)
    assert (after.links != before.links).nnz == 0
