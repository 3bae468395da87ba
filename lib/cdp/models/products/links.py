"""Which products go together: EASE where the catalogue is small enough to invert, BM25 between products beyond."""

from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse as sp

from cdp.models.products.histories import Floats, Histories, Ints

LINKS_OF_A_PRODUCT = 100
"""Kept of EASE, the strongest ones. On a real shop the other nine tenths of the weights only cost accuracy."""
NEIGHBOURS = 50
"""Kept of BM25."""
_REGULARISATION = 300.0  # Steck's range is 200 to 1000; from 150 to 600 a real shop's recall was the same
_K1, _B = 1.2, 0.75
_COLUMNS = 1_000  # of the product-product matrix at a time
_DECIMALS = 6  # sums in another order must not change a rank


def has(histories: Histories, products: int) -> Any:
    """Customer x product, 1 where the customer has bought the product; scipy CSR."""
    owned = histories.owned
    ones = np.ones(len(owned.customer), dtype=np.float32)
    return sp.csr_matrix((ones, (owned.customer, owned.product)), (histories.size, products))


def ease(bought: Any, kept: Ints) -> Any:
    """How much having a product speaks for another one: a linear model in closed form.

    Args:
        bought: from `has`.
        kept: numbers of the products to look at; memory grows with the square of their count (200 MB for 5,000), time with
            the cube.

    Returns:
        Product x product (of all products), scipy CSR: row i holds the strongest weights of product i.

    Source:
        Steck (2019), Embarrassingly Shallow Autoencoders for Sparse Data, equation 8:
        P = (X'X + lambda I)^-1, W[i, j] = -P[i, j] / P[j, j], W[j, j] = 0. That only the strongest weights of a row are kept
        is this project's choice.
    """
    products = bought.shape[1]
    if not len(kept):
        return sp.csr_matrix((products, products), dtype=np.float32)
    some = bought[:, kept]
    gram = (some.T @ some).toarray().astype(np.float64)
    gram[np.diag_indices_from(gram)] += _REGULARISATION
    lower, _ = scipy.linalg.lapack.dpotrf(gram, lower=1, overwrite_a=1)
    half, _ = scipy.linalg.lapack.dpotri(lower, lower=1, overwrite_c=1)
    inverse = np.tril(half) + np.tril(half, -1).T
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return _strongest(weights, kept, kept, products, LINKS_OF_A_PRODUCT)


def bm25(bought: Any) -> Any:
    """How alike the buyers of two products are, each customer's row weighted by BM25; the strongest 50 of a product.

    Args:
        bought: from `has`.

    Returns:
        As of `ease`.

    Source:
        Robertson and Zaragoza (2009), The Probabilistic Relevance Framework, section 3: k1 1.2, b 0.75; customers are the
        documents, products the terms.
    """
    customers, products = bought.shape
    weighted = _bm25_weights(bought)
    found = sp.csr_matrix((products, products), dtype=np.float32)
    columns = weighted.tocsc()
    everything = np.arange(products)
    for first in range(0, products if customers else 0, _COLUMNS):
        rows = everything[first : first + _COLUMNS]
        alike = (columns[:, rows].T @ weighted).toarray()
        alike[np.arange(len(rows)), rows] = 0
        found += _strongest(alike, rows, everything, products, NEIGHBOURS)
    found.sort_indices()
    return found


def weights_of(links: Any, product: Ints, other: Ints) -> Floats:
    """The weight of each pair in `links`, 0 where none is kept."""
    keys = np.repeat(np.arange(links.shape[0]), np.diff(links.indptr)) * links.shape[1] + links.indices
    if not len(keys):
        return np.zeros(len(product))
    wanted = product * links.shape[1] + other
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[at] == wanted, links.data[at], 0.0)


def _bm25_weights(bought: Any) -> Any:
    cells = bought.tocoo()
    size = np.asarray(bought.sum(axis=1)).ravel()
    buyers = np.bincount(cells.col, minlength=bought.shape[1])
    rarity = np.log1p((bought.shape[0] - buyers + 0.5) / (buyers + 0.5))
    mean = max(float(size.sum()) / max(int((size > 0).sum()), 1), 1.0)
    length = 1 - _B + _B * size / mean
    values = cells.data * (_K1 + 1) / (_K1 * length[cells.row] + cells.data) * rarity[cells.col]
    return sp.csr_matrix((values, (cells.row, cells.col)), bought.shape)


def _strongest(weights: Floats, rows: Ints, columns: Ints, products: int, most: int) -> Any:
    """The `most` weights of greatest size of each row."""
    weights = np.round(weights, _DECIMALS)
    most = min(most, weights.shape[1])
    best = np.argpartition(-np.abs(weights), most - 1, axis=1)[:, :most]
    values = np.take_along_axis(weights, best, axis=1).astype(np.float32)
    cells = (np.repeat(rows, most), columns[best].ravel())
    found = sp.csr_matrix((values.ravel(), cells), (products, products))
    found.eliminate_zeros()
    found.sort_indices()
    return found
