"""AUC, lift and bootstrap against slow and obvious versions."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp.models.ranking import Ranked, auc, interval, lift

ROWS = st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.integers(0, 3)), min_size=1, max_size=25)


def arrays(rows):
    score, is_sought, weight = (np.array(column) for column in zip(*rows, strict=True))
    return Ranked.by(score.astype(float), is_sought), weight.astype(float)


@given(ROWS)
def test_auc_is_the_share_of_pairs_in_the_right_order(rows):
    copies = [(score, is_sought) for score, is_sought, weight in rows for _ in range(weight)]
    sought, others = ([s for s, is_ in copies if is_ == which] for which in (True, False))
    won = [1.0 if a > b else 0.5 if a == b else 0.0 for a, b in product(sought, others)]

    assert auc(*arrays(rows)) == pytest.approx(np.mean(won) if won else 0.5)


@given(ROWS, st.integers(1, 20))
def test_lift_is_the_mean_over_every_order_of_ties(rows, twentieths):
    """Row by row: of a group that the share cuts, each row is in by the same part."""
    share, total = twentieths / 20, sum(weight for *_, weight in rows)
    room, found = share * total, 0.0
    for score in sorted({score for score, *_ in rows}, reverse=True):
        group = [(is_sought, weight) for s, is_sought, weight in rows if s == score]
        size = sum(weight for _, weight in group)
        part = min(1, room / size) if size else 0
        found += part * sum(weight for is_sought, weight in group if is_sought)
        room = max(0, room - size)
    sought = sum(weight for _, is_sought, weight in rows if is_sought)

    assert lift(*arrays(rows), share) == pytest.approx(found / sought / share if sought else 1)


def test_the_published_example():
    happened = np.array([1, 0, 1, 1, 0, 0, 1, 0, 1, 0], dtype=bool)
    score = np.array([0.9, 0.2, 0.7, 0.4, 0.3, 0.6, 0.8, 0.1, 0.55, 0.45])

    ranked = Ranked.by(score, happened)

    assert auc(ranked, np.ones(10)) == pytest.approx(0.88)
    assert lift(ranked, np.ones(10), 0.2) == pytest.approx(2)


def test_the_interval_holds_the_figure_shrinks_with_rows_and_is_the_same_each_time():
    random = np.random.default_rng(3)
    widths = []
    for n in (100, 2500):
        is_sought = np.arange(n) % 5 == 0
        ranked = Ranked.by(random.normal(size=n) + is_sought, is_sought)
        low, high = interval(ranked, np.ones(n), auc)
        assert low < auc(ranked, np.ones(n)) < high
        assert (low, high) == interval(ranked, np.ones(n), auc)
        widths.append(high - low)
    assert widths[0] / widths[1] == pytest.approx(5, rel=0.4)  # the root of 25
