"""What is known of products as of a day: how they sell, and where, how often again, and what goes with them."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from cdp.models.products.catalogue import Catalogue
from cdp.models.products.histories import Flags, Floats, Histories, Ints
from cdp.models.products.links import bm25, ease, has

_FEW_BUYERS = 3  # of a product: with fewer nothing can be said of what goes with it
_LEAST_GAPS, _LEAST_REBUYERS = 10, 5  # of a product, to speak of its cycle
_REGULAR = 1.0  # quartile range of the gaps by their median; it is 1.58 where each day is as likely as the next
_PLACE_PRIOR = 100.0  # buyings that a country must have for its own shares to count half
_PLACES = 50  # countries, those with most customers


@dataclass(frozen=True)
class Sales:
    """Lines of each product sold up to a day, by whomever.

    Attributes:
        day: the last day.
        recent: in the last `sellable_days`.
        latest: in the last third of these.
    """

    day: int
    recent: Ints
    latest: Ints


@dataclass(frozen=True)
class Knowledge:
    """What the purchases up to a day say of products.

    Attributes:
        day: the last day looked at.
        catalogue: of the products.
        is_offered: whether each may be offered, and is still sold.
        popularity: share of what was sold lately.
        trend: share of it that was sold in the last third of the time.
        links: product x product, scipy CSR: how much having the first speaks for the second.
        method: how `links` were made, `ease` or `bm25`.
        rebought: share of a product's buyers who bought it on a second day.
        gap: median days from one buying to the next; 0: too few to tell.
        early, late: quartiles of these days by their median; 0: too few, or irregular.
        lift: country x product: how many times as often as elsewhere it is bought there. The last row, of 0, is of nowhere.
    """

    day: int
    catalogue: Catalogue
    is_offered: Flags
    popularity: Floats
    trend: Floats
    links: Any
    method: str
    rebought: Floats
    gap: Floats
    early: Floats
    late: Floats
    lift: Floats

    def expected_gap(self, product: Ints, days: Floats, span: Floats) -> Floats:
        """Days from one buying to the next: the mean of the customer's own gaps and, once, the product's; 0: unknown.

        Args:
            product: numbers.
            days: days on which the customer bought it.
            span: days from the first to the last of them.
        """
        gap = self.gap[product]
        return np.asarray((span + gap) / np.maximum(days - 1 + (gap > 0), 1))


def learn(
    histories: Histories, catalogue: Catalogue, sales: Sales, *, recent_days: int, ease_max_products: int
) -> Knowledge:
    """Everything from purchases up to the day of `sales`.

    Args:
        histories: of the customers to learn from; later rows are left out.
        catalogue: of the products.
        sales: how they sell.
        recent_days: days that `sales.recent` is of.
        ease_max_products: with more products than that which have a few buyers, BM25 takes the place of EASE.
    """
    past = histories.between(0, sales.day)
    bought = has(past, len(catalogue))
    known = np.flatnonzero(np.asarray(bought.sum(axis=0)).ravel() >= _FEW_BUYERS)
    method = "ease" if len(known) <= ease_max_products else "bm25"
    gap, early, late, rebought = _cycles(past, len(catalogue))
    return Knowledge(
        day=sales.day,
        catalogue=catalogue,
        is_offered=catalogue.may_offer & (sales.recent > 0),
        popularity=sales.recent / max(int(sales.recent.sum()), 1),
        trend=(sales.latest + 1) / (sales.recent + 3),
        links=ease(bought, known) if method == "ease" else bm25(bought),
        method=method,
        rebought=rebought,
        gap=gap,
        early=early,
        late=late,
        lift=_lift(past.between(sales.day - recent_days + 1, sales.day), sales.recent),
    )


def _cycles(past: Histories, products: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Of each product `gap`, `early`, `late` and `rebought`."""
    same = (past.customer[1:] == past.customer[:-1]) & (past.product[1:] == past.product[:-1])
    gaps, of = np.diff(past.day)[same], past.product[1:][same]
    order = np.lexsort((gaps, of))
    gaps, count = gaps[order], np.bincount(of, minlength=products)
    low, median, high = (_at(gaps, count, share) for share in (0.25, 0.5, 0.75))
    owned = past.owned
    buyers = np.bincount(owned.product, minlength=products)
    rebuyers = np.bincount(owned.product[owned.days > 1], minlength=products)
    is_known = (count >= _LEAST_GAPS) & (rebuyers >= _LEAST_REBUYERS)
    is_regular = is_known & (high - low < _REGULAR * median)
    return (
        np.where(is_known, median, 0.0),
        np.where(is_regular, low / np.maximum(median, 1), 0.0),
        np.where(is_regular, high / np.maximum(median, 1), 0.0),
        rebuyers / np.maximum(buyers, 1),
    )


def _at(ordered: Ints, count: Ints, share: float) -> Floats:
    """The value at a share of each group of sorted values; 0 for an empty one."""
    if not len(ordered):
        return np.zeros(len(count))
    where = np.cumsum(count) - count + np.floor(np.maximum(count - 1, 0) * share).astype(np.int64)
    return np.where(count > 0, ordered[np.minimum(where, len(ordered) - 1)], 0).astype(float)


def _lift(recent: Histories, sold: Ints) -> Floats:
    """`Knowledge.lift`, drawn towards 1 for a country that bought little."""
    places = min(int(recent.place.max(initial=-1)) + 1, _PLACES)
    place = recent.place[recent.customer]
    kept = (place >= 0) & (place < places)
    counts = np.zeros((places, len(sold)))
    np.add.at(counts, (place[kept], recent.product[kept]), 1)
    share = np.maximum(sold, 1) / max(int(sold.sum()), 1)
    lift = (counts + _PLACE_PRIOR * share) / (counts.sum(axis=1, keepdims=True) + _PLACE_PRIOR) / share
    return np.vstack([lift, np.zeros((1, len(sold)))]).astype(np.float32)
