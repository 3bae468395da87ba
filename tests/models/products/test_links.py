"""What goes together, beside slow versions of the same formulas."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp.models.products.links import bm25, ease, has, weights_of
from tests.models.products.conftest import bought

PRODUCTS = 5
ROWS = st.lists(
    st.tuples(st.integers(0, 11), st.integers(0, PRODUCTS - 1), st.just(1)), min_size=1, max_size=40, unique=True
)


def slow_ease(matrix, regularisation=300.0):
    """Each product is explained by all others, by a ridge regression of its own."""
    size = matrix.shape[1]
    weights = np.zeros((size, size))
    for target in range(size):
        others = [n for n in range(size) if n != target]
        x, y = matrix[:, others], matrix[:, target]
        weights[others, target] = np.linalg.solve(x.T @ x + regularisation * np.eye(size - 1), x.T @ y)
    return weights


def slow_bm25(matrix):
    customers, products = matrix.shape
    lengths = matrix.sum(axis=1)
    mean = lengths.sum() / max((lengths > 0).sum(), 1)
    weighted = np.zeros_like(matrix)
    for c in range(customers):
        for p in range(products):
            buyers = matrix[:, p].sum()
            rarity = math.log(1 + (customers - buyers + 0.5) / (buyers + 0.5))
            weighted[c, p] = matrix[c, p] * 2.2 / (matrix[c, p] + 1.2 * (0.25 + 0.75 * lengths[c] / mean)) * rarity
    alike = weighted.T @ weighted
    np.fill_diagonal(alike, 0)
    return alike


@given(ROWS)
def test_ease_is_a_ridge_regression_of_each_product_on_all_others(rows):
    matrix = has(bought(*rows, size=12), PRODUCTS)
    found = ease(matrix, np.arange(PRODUCTS)).toarray()
    assert found == pytest.approx(slow_ease(matrix.toarray().astype(float)), abs=2e-6)


@given(ROWS)
def test_bm25_weighs_rare_products_and_short_histories_more(rows):
    matrix = has(bought(*rows, size=12), PRODUCTS)
    assert bm25(matrix).toarray() == pytest.approx(slow_bm25(matrix.toarray().astype(float)), abs=2e-6)


def test_only_the_products_asked_for_are_linked():
    matrix = has(bought((0, 0, 1), (0, 1, 1), (0, 2, 1), size=3), 4)
    found = ease(matrix, np.array([0, 2])).toarray()
    assert np.flatnonzero(found.any(axis=0)).tolist() == [0, 2]
    assert ease(matrix, np.array([], dtype=int)).nnz == 0


def test_the_strongest_links_of_a_product_are_kept(monkeypatch):
    monkeypatch.setattr("cdp.models.products.links.LINKS_OF_A_PRODUCT", 1)
    rows = [(c, p, 1) for c in range(6) for p in ((0, 1) if c < 4 else (0, 2))]
    found = ease(has(bought(*rows), 3), np.arange(3)).toarray()
    assert (found != 0).sum(axis=1).tolist() == [1, 1, 1]
    assert found[0].argmax() == 1


def test_a_weight_that_is_not_kept_is_none():
    matrix = has(bought((0, 0, 1), (0, 1, 1)), 3)
    links = ease(matrix, np.arange(3))
    asked = np.array([0, 1, 0, 2]), np.array([1, 0, 2, 2])
    assert weights_of(links, *asked) == pytest.approx(links.toarray()[asked])
    assert weights_of(ease(matrix, np.array([], dtype=int)), *asked).tolist() == [0, 0, 0, 0]
