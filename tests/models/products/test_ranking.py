"""How probable a purchase is."""

from dataclasses import fields, replace

import numpy as np
import pytest

from cdp.models.products.knowledge import Knowledge
from cdp.models.products.ranking import LEAST_BOUGHT, ByRule, features, fit
from cdp.models.products.sources import Candidates, candidates
from tests.models.products.conftest import bought, catalogue, known
from tests.models.products.test_sources import shop


def drawn(rows: int) -> tuple[Candidates, Knowledge, np.ndarray]:
    """Candidates of whom those bought on more days are bought again more often, by a known probability."""
    knowledge = known(bought(*[(c, p, c) for c in range(40) for p in range(3)]), catalogue(3))
    rng = np.random.default_rng(5)
    empty = {field.name: np.zeros(rows) for field in fields(Candidates)}
    flags = {name: np.zeros(rows, dtype=bool) for name in empty if name.startswith("is_")}
    days = rng.integers(1, 9, rows)
    found = Candidates(
        **{
            **empty,
            **flags,
            "customer": np.arange(rows),
            "product": rng.integers(0, 3, rows),
            "is_own": np.ones(rows, dtype=bool),
            "days": days.astype(float),
            "order_days": np.full(rows, 10.0),
        }
    )
    return found, knowledge, rng.random(rows) < 0.05 * days


def test_probabilities_are_those_that_the_purchases_came_from():
    found, knowledge, is_bought = drawn(20_000)
    ranking = fit(found, knowledge, is_bought)
    scores = ranking.scores(found, knowledge)
    for days in (1, 4, 8):
        assert scores[found.days == days].mean() == pytest.approx(0.05 * days, abs=0.02)


def test_leaving_out_what_was_not_bought_leaves_the_probabilities(monkeypatch):
    found, knowledge, is_bought = drawn(20_000)
    whole = fit(found, knowledge, is_bought).scores(found, knowledge)
    monkeypatch.setattr("cdp.models.products.ranking._MOST_OTHERS", 4_000)
    thinned = fit(found, knowledge, is_bought).scores(found, knowledge)
    assert thinned.mean() == pytest.approx(whole.mean(), rel=0.02)
    assert np.abs(thinned - whole).max() < 0.05


def test_with_too_few_purchases_nothing_is_learned():
    found, knowledge, _ = drawn(1_000)
    for bought_rows in (LEAST_BOUGHT - 1, 1_000 - LEAST_BOUGHT + 1):
        assert fit(found, knowledge, np.arange(1_000) < bought_rows) is None
    assert fit(found, knowledge, np.arange(1_000) < LEAST_BOUGHT) is not None


def test_ten_events_are_wanted_for_each_feature_and_all_are_numbers():
    histories, products = shop()
    knowledge = known(histories, products)
    rows = features(candidates(histories, knowledge), knowledge)
    assert 10 * rows.shape[1] == LEAST_BOUGHT
    assert np.isfinite(rows).all()


def test_by_rule_comes_what_is_bought_again_then_what_goes_with_it_then_what_is_like_it():
    histories, products = shop()
    knowledge = known(histories, products)
    found = candidates(histories, knowledge)
    mine = found.picked(found.customer == 18)
    scores = ByRule().scores(mine, knowledge)
    assert mine.product[np.argsort(-scores)].tolist() == [0, 1, 2, 3, 4]
    assert (scores > 0).all() and (scores < 1).all()


def test_by_rule_at_most_three_products_are_offered_again_and_none_that_was_bought_once():
    rows = [(0, p, ago) for p in range(5) for ago in range(1, 3 + p)] + [(0, 5, 9)]
    histories = bought(*rows)
    knowledge = known(histories, catalogue(6))
    found = candidates(histories, knowledge)
    scores = ByRule().scores(found, knowledge)
    assert sorted(found.product[scores > 0].tolist()) == [2, 3, 4]


def test_what_is_due_comes_before_what_is_only_bought_often():
    histories, products = shop()
    knowledge = known(histories, products)
    found = candidates(bought((0, 0, 1), (0, 0, 2), (0, 0, 3), (0, 1, 30), (0, 1, 60)), knowledge)
    due = replace(found, is_due=found.product == 1)
    order = due.product[np.argsort(-ByRule().scores(due, knowledge))]
    assert order[:2].tolist() == [1, 0]
