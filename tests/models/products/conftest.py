"""Small shops as arrays."""

import numpy as np

from cdp.models.products.catalogue import Catalogue
from cdp.models.products.histories import Histories
from cdp.models.products.knowledge import Knowledge, Sales, learn

DAY = 20_000
"""The last day of what is known."""


def catalogue(size: int, *, category: list[int] | None = None, brand: list[int] | None = None) -> Catalogue:
    """Products p0, p1 ... without category and brand unless told."""
    none = [-1] * size
    return Catalogue(
        ids=tuple(f"p{n}" for n in range(size)),
        category=np.array(category or none),
        brand=np.array(brand or none),
        categories=tuple(f"category {n}" for n in range(max(category or [-1]) + 1)),
        may_offer=np.ones(size, dtype=bool),
    )


def bought(*rows: tuple[int, int, int], size: int | None = None, place: list[int] | None = None) -> Histories:
    """From rows of customer, product, days before `DAY`."""
    customer, product, ago = (
        np.array(column, dtype=np.int64) for column in (zip(*rows, strict=True) if rows else ([], [], []))
    )
    customers = size or int(customer.max(initial=-1)) + 1
    return Histories.ordered(customers, customer, product, DAY - ago, np.array(place or [-1] * customers))


def known(histories: Histories, products: Catalogue, **more: int) -> Knowledge:
    """What is known on `DAY`; what was sold in 90 days is what the customers bought."""
    recent, latest = (
        np.bincount(histories.product[histories.day > DAY - n], minlength=len(products)) for n in (90, 30)
    )
    settings = {"recent_days": 90, "ease_max_products": 1_000, **more}
    return learn(histories, products, Sales(DAY, recent, latest), **settings)
