"""The products that are looked at, by number, and which of them the configuration lets be offered."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from cdp.models.products.config import RecommendationsConfig
from cdp.models.products.histories import Flags, Ints

MOST_PRODUCTS = 50_000
"""Those with most lines. Their numbers have to fit in 16 bits (`sources`)."""


@dataclass(frozen=True)
class Catalogue:
    """Products by number, at most `MOST_PRODUCTS`.

    Attributes:
        ids: product ids.
        category, brand: numbers of `categories` and of the brands; -1: none.
        categories: their names.
        may_offer: whether the rules of the configuration let a product be offered.
    """

    ids: tuple[str, ...]
    category: Ints
    brand: Ints
    categories: tuple[str, ...]
    may_offer: Flags

    def __len__(self) -> int:
        return len(self.ids)


def catalogue_of(sold: Any, config: RecommendationsConfig) -> tuple[Catalogue, list[str]]:
    """The products by number, with what the rules say of each.

    Args:
        sold: an Arrow table of `product_sales`, in the order of the numbers.
        config: the rules.

    Returns:
        The catalogue, and notes on rules that have nothing to work on.
    """
    ids = tuple(sold.column("product_id").to_pylist())
    category, categories = _kinds(sold.column("category"))
    brand, _ = _kinds(sold.column("brand"))
    price = np.array([np.nan if p is None else p for p in sold.column("price").to_pylist()], dtype=float)
    stock = sold.column("in_stock").to_pylist()
    notes = []
    may = ~np.isin(np.array(ids, dtype=object), list(config.exclude_products))
    may &= ~np.isin(category, [n for n, name in enumerate(categories) if name in set(config.exclude_categories)])
    if config.min_price is not None:
        may &= price >= float(config.min_price)
    if config.max_price is not None:
        may &= price <= float(config.max_price)
    if config.in_stock_only:
        may &= np.array([is_there is not False for is_there in stock], dtype=bool)
    priced = config.min_price is not None or config.max_price is not None
    if priced and np.isnan(price).any():
        notes.append(
            f"{int(np.isnan(price).sum()):,} products without a price are not offered, as min_price or max_price is set"
        )
    if ids and config.in_stock_only and all(is_there is None for is_there in stock):
        notes.append("in_stock_only has no effect: the catalogue says of no product whether it is in stock")
    unknown = {
        "exclude_products": set(config.exclude_products) - set(ids),
        "exclude_categories": set(config.exclude_categories) - set(categories),
    }
    notes += [
        f"{key} names {', '.join(sorted(names))}, of which nothing was sold" for key, names in unknown.items() if names
    ]
    if len(ids) >= MOST_PRODUCTS:
        notes.append(f"only the {MOST_PRODUCTS:,} products with most lines are looked at")
    return Catalogue(ids, category, brand, categories, may), notes


def _kinds(column: Any) -> tuple[Ints, tuple[str, ...]]:
    """Numbers, -1 for null, and the names they stand for."""
    names = tuple(sorted({name for name in column.to_pylist() if name is not None}))
    number = {name: n for n, name in enumerate(names)}
    return np.array([number.get(name, -1) for name in column.to_pylist()], dtype=np.int64), names
