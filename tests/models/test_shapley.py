"""Shapley values of trees: against every order of inputs, played out one by one, and against the shap library."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from cdp.models.shapley import TreeShapley


def inputs(seed: int, customers: int = 300, columns: int = 4) -> np.ndarray:
    """Numbers of few and of many values, with some missing, and one column that is the same for all."""
    rng = np.random.default_rng(seed)
    found = rng.normal(size=(customers, columns))
    found[:, 1] = np.round(found[:, 1])
    found[:, -1] = 1.0
    found[rng.random(found.shape) < 0.1] = np.nan
    return found


def grown(given: np.ndarray, seed: int, kind=HistGradientBoostingRegressor, trees: int = 3, leaves: int = 6):
    known = np.nan_to_num(given)
    answer = known[:, 0] * known[:, 1] + np.where(np.isnan(given[:, 2]), 2, known[:, 2]) ** 2
    answer = answer + np.random.default_rng(seed).normal(size=len(given)) / 2
    target = answer > np.median(answer) if kind is HistGradientBoostingClassifier else answer
    return kind(max_iter=trees, max_leaf_nodes=leaves, min_samples_leaf=5, early_stopping=False).fit(given, target)


def answer(nodes: np.ndarray, row: np.ndarray, known: set[int], place: int = 0) -> float:
    """Mean answer of a tree where only some inputs are known."""
    node = nodes[place]
    if node["is_leaf"]:
        return float(node["value"])
    left, right = int(node["left"]), int(node["right"])
    column = int(node["feature_idx"])
    if column not in known:
        share = nodes[left]["count"] / node["count"]
        return share * answer(nodes, row, known, left) + (1 - share) * answer(nodes, row, known, right)
    goes_left = node["missing_go_to_left"] if np.isnan(row[column]) else row[column] <= node["num_threshold"]
    return answer(nodes, row, known, left if goes_left else right)


def slow_shares(model, row: np.ndarray) -> np.ndarray:
    """Each input's share as the mean, over all orders of inputs, of what it adds to those before it."""
    found = np.zeros(len(row))
    orders = list(permutations(range(len(row))))
    for (tree,) in model._predictors:
        for order in orders:
            before = answer(tree.nodes, row, set())
            for i, column in enumerate(order, start=1):
                after = answer(tree.nodes, row, set(order[:i]))
                found[column] += (after - before) / len(orders)
                before = after
    return found


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.integers(2, 6))
def test_shares_are_the_mean_over_all_orders_of_inputs(seed, leaves):
    table = inputs(seed)
    model = grown(table, seed, leaves=leaves)
    rows = np.vstack([table[:3], np.full(4, np.nan), table[:1] * 1e9])
    found = TreeShapley(model).of(rows)
    assert found == pytest.approx(np.array([slow_shares(model, row) for row in rows]), abs=1e-12)


@pytest.mark.parametrize("kind", [HistGradientBoostingClassifier, HistGradientBoostingRegressor])
def test_shares_are_those_of_the_shap_library_and_add_up_to_the_answer(kind):
    import shap

    table = inputs(1, 2_000, 9)
    model = grown(table, 1, kind, trees=40)
    found, explainer = TreeShapley(model), shap.TreeExplainer(model)
    shares = found.of(table)
    assert shares == pytest.approx(explainer.shap_values(table, check_additivity=False), abs=1e-12)
    assert found.usual == pytest.approx(float(np.ravel(explainer.expected_value)[0]))
    ask = model.decision_function if kind is HistGradientBoostingClassifier else model.predict
    assert found.usual + shares.sum(axis=1) == pytest.approx(ask(table))
    assert not shares[:, -1].any(), "what is the same for all, or missing, tells nothing"


def test_a_tree_without_a_decision_adds_nothing_and_one_with_many_is_refused():
    table = inputs(2)
    model = HistGradientBoostingRegressor(max_iter=2, min_samples_leaf=5, early_stopping=False).fit(table, np.ones(300))
    assert not TreeShapley(model).of(table).any() and TreeShapley(model).usual == pytest.approx(1)
    with pytest.raises(ValueError, match="tables are for 10 at most"):
        TreeShapley(grown(table, 2, leaves=31))
