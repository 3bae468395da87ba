"""Products that come into question for a customer, each with what speaks for it."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np

from cdp.models.products.histories import Flags, Floats, Histories, Ints, group_starts
from cdp.models.products.knowledge import Knowledge
from cdp.models.products.links import has

_OWN, _LINKED, _OTHERS = 40, 30, 10  # candidates from each source, for the five at most that are offered
_LISTED = 60  # best sellers that are gone through for those that the customer does not have
_KINDS = 2  # categories, and brands, of a customer, those bought most
_ABOUT_OVER = 0.8  # of the interval between two buyings, where its lower quartile is later
_LOCAL = 1.1  # times as often as elsewhere a country must buy what is called popular there
_CELLS = 10_000_000  # customers x products looked at together
_MOST_CUSTOMERS = 5_000
_PRODUCT_BITS, _STRENGTH_BITS = 16, 31  # and as many as are left, 16, for the customer


@dataclass(frozen=True)
class Candidates:
    """A row a customer and product, by customer and product.

    Attributes:
        customer, product: the key.
        is_own: the customer has it.
        is_due: it is bought again at a regular interval, which is about over.
        is_linked: it goes with what the customer has.
        is_similar: it is a best seller of a category or brand that the customer buys most.
        is_local: it is a best seller of the customer's country, and sells better there than elsewhere.
        days: days on which the customer bought it.
        days_since: days since the last of them; 0: never.
        gap: days expected from one buying of it to the next; 0: unknown.
        link: sum of the weights of what the customer has.
        category_share, brand_share: share of what the customer bought that is of its category, and brand.
        lift: how many times as often as elsewhere the customer's country buys it; 0: unknown.
        order_days: days on which the customer bought anything.
        order_days_since: days since the last of them.
        products_a_day: products on such a day.
    """

    customer: Ints
    product: Ints
    is_own: Flags
    is_due: Flags
    is_linked: Flags
    is_similar: Flags
    is_local: Flags
    days: Floats
    days_since: Floats
    gap: Floats
    link: Floats
    category_share: Floats
    brand_share: Floats
    lift: Floats
    order_days: Floats
    order_days_since: Floats
    products_a_day: Floats

    def __len__(self) -> int:
        return len(self.customer)

    def picked(self, rows: Ints | Flags) -> "Candidates":
        """Some of the rows."""
        return Candidates(*(getattr(self, field.name)[rows] for field in fields(self)))

    @classmethod
    def joined(cls, parts: list[tuple[int, "Candidates"]]) -> "Candidates":
        """Those of all blocks, each with the number of its first customer."""
        names = [field.name for field in fields(cls)][1:]
        return cls(
            np.concatenate([part.customer + first for first, part in parts]),
            *(np.concatenate([getattr(part, name) for _, part in parts]) for name in names),
        )


def blocks(histories: Histories, knowledge: Knowledge) -> Iterator[tuple[int, Histories]]:
    """Customers in blocks that fit in memory: the number of the first one, and the block."""
    size = int(np.clip(_CELLS // max(len(knowledge.catalogue), 1), 1, _MOST_CUSTOMERS))
    for first in range(0, histories.size, size):
        yield first, histories.block(first, min(first + size, histories.size))


def candidates(block: Histories, knowledge: Knowledge, *, exclude_days: int = 0) -> Candidates:
    """What may be offered to the customers of a block.

    Args:
        block: purchases up to `knowledge.day`, one of `blocks`.
        knowledge: of the products.
        exclude_days: what a customer bought in so many days before is left out.
    """
    seen = _Seen(block, knowledge)
    own = seen.own(bought_until=knowledge.day - exclude_days)
    linked, similar, local, best = seen.linked(), seen.similar(), seen.local(), seen.best()
    keys = _sorted_once(np.concatenate([own, linked, similar, local, best]))
    customer, product = np.divmod(keys, seen.products)
    owned, row = block.owned, np.searchsorted(seen.owned_keys, keys)
    is_own = seen.has[customer, product]
    row = np.where(is_own, row, 0)

    def of_own(values: Ints) -> Floats:
        return np.where(is_own, values[row], 0.0) if len(values) else np.zeros(len(keys))

    days, first, last = of_own(owned.days), of_own(owned.first), of_own(owned.last)
    since = np.where(is_own, knowledge.day - last, 0.0)
    gap = np.where(is_own, knowledge.expected_gap(product, days, last - first), 0.0)
    gaps_since = since / np.maximum(gap, 1)
    early, late = knowledge.early[product], knowledge.late[product]
    order_days = block.order_days
    return Candidates(
        customer=customer,
        product=product,
        is_own=is_own,
        # Whoever is late by as much again has found something else.
        is_due=is_own & (late > 0) & (gaps_since >= np.minimum(early, _ABOUT_OVER)) & (gaps_since <= 2 * late),
        is_linked=np.isin(keys, linked),
        is_similar=np.isin(keys, similar),
        is_local=np.isin(keys, local),
        days=days,
        days_since=since,
        gap=gap,
        link=seen.links[customer, product].astype(float),
        category_share=seen.categories[customer, knowledge.catalogue.category[product]],
        brand_share=seen.brands[customer, knowledge.catalogue.brand[product]],
        lift=knowledge.lift[seen.place[customer], product].astype(float),
        order_days=order_days[customer].astype(float),
        order_days_since=(knowledge.day - block.last_day)[customer].astype(float),
        products_a_day=(np.bincount(block.customer, minlength=block.size) / np.maximum(order_days, 1))[customer],
    )


class _Seen:
    """A block of customers before the products: dense tables, a row a customer.

    Each source gives keys: customer x products + product.
    """

    def __init__(self, block: Histories, knowledge: Knowledge) -> None:
        self.block, self.knowledge = block, knowledge
        self.products = len(knowledge.catalogue)
        owned = block.owned
        self.owned_keys = owned.customer * self.products + owned.product
        bought = has(block, self.products)
        self.has = np.zeros((block.size, self.products), dtype=bool)
        self.has[owned.customer, owned.product] = True
        self.links = (bought @ knowledge.links).toarray()
        self.categories = _shares(block, knowledge.catalogue.category)
        self.brands = _shares(block, knowledge.catalogue.brand)
        self.place = np.where(block.place < len(knowledge.lift) - 1, block.place, -1)
        offered = np.flatnonzero(knowledge.is_offered)
        self.ranked = offered[np.argsort(-knowledge.popularity[offered], kind="stable")]

    def own(self, *, bought_until: int) -> Ints:
        owned = self.block.owned
        may = self.knowledge.is_offered[owned.product] & (owned.last <= bought_until)
        newness = (1 << 20) - 1 - np.clip(self.knowledge.day - owned.last, 0, (1 << 20) - 1)
        strength = np.minimum(owned.days, (1 << 10) - 1) << 20 | newness
        return self._top(owned.customer[may], owned.product[may], strength[may], _OWN)

    def linked(self) -> Ints:
        goes = (self.links > 0) & self.knowledge.is_offered & ~self.has
        customer, product = np.nonzero(goes)
        return self._top(customer, product, _bits(self.links[goes]), _LINKED)

    def similar(self) -> Ints:
        catalogue, popularity = self.knowledge.catalogue, self.knowledge.popularity
        found = [
            _listed(*_most(shares), self._by_kind(kind))
            for shares, kind in ((self.categories, catalogue.category), (self.brands, catalogue.brand))
        ]
        customer, product = (np.concatenate(part) for part in zip(*found, strict=True))
        liking = (
            self.categories[customer, catalogue.category[product]] + self.brands[customer, catalogue.brand[product]]
        )
        return self._new(customer, product, liking * popularity[product])

    def local(self) -> Ints:
        known = np.flatnonzero(self.place >= 0)
        shares = self.knowledge.lift[:-1] * self.knowledge.popularity
        lists = [self.ranked[np.argsort(-row[self.ranked], kind="stable")][:_LISTED] for row in shares]
        customer, product = _listed(known, self.place[known], lists)
        is_local = self.knowledge.lift[self.place[customer], product] >= _LOCAL
        customer, product = customer[is_local], product[is_local]
        return self._new(customer, product, shares[self.place[customer], product])

    def best(self) -> Ints:
        everyone = np.arange(self.block.size)
        customer, product = _listed(everyone, np.zeros_like(everyone), [self.ranked[:_LISTED]])
        return self._new(customer, product, self.knowledge.popularity[product])

    def _by_kind(self, kind: Ints) -> list[Ints]:
        """The best sellers of each category, or brand."""
        ordered = self.ranked[np.argsort(kind[self.ranked], kind="stable")]
        cuts = np.searchsorted(kind[ordered], np.arange(kind.max(initial=-1) + 2))
        return [ordered[low:high][:_LISTED] for low, high in pairwise(cuts)]

    def _new(self, customer: Ints, product: Ints, strength: Floats) -> Ints:
        kept = ~self.has[customer, product]
        return self._top(customer[kept], product[kept], _bits(strength[kept]), _OTHERS)

    def _top(self, customer: Ints, product: Ints, strength: Ints, most: int) -> Ints:
        return _top(customer, product, strength, most, self.products)


def _shares(block: Histories, kind: Ints) -> Floats:
    """Customer x category (or brand): share of what the customer bought; a last column, of 0, for products without one."""
    kinds = int(kind.max(initial=-1)) + 1
    of = kind[block.product]
    counts = np.bincount(block.customer * (kinds + 1) + of % (kinds + 1), minlength=block.size * (kinds + 1))
    shares = (
        counts.reshape(block.size, kinds + 1)
        / np.maximum(np.bincount(block.customer, minlength=block.size), 1)[:, None]
    )
    shares[:, kinds] = 0
    return np.asarray(shares)


def _most(shares: Floats) -> tuple[Ints, Ints]:
    """The kinds that each customer buys most: customer, kind."""
    customer, kind = np.nonzero(shares)
    kinds = shares.shape[1]
    keys = _top(customer, kind, _bits(shares[customer, kind]), _KINDS, kinds)
    return keys // kinds, keys % kinds


def _listed(customer: Ints, number: Ints, lists: list[Ints]) -> tuple[Ints, Ints]:
    """Each customer with each product of the list of this number."""
    if not len(customer):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    lengths = np.array([len(products) for products in lists], dtype=np.int64)
    starts, each = np.cumsum(lengths) - lengths, lengths[number]
    within = np.arange(int(each.sum())) - np.repeat(np.cumsum(each) - each, each)
    return np.repeat(customer, each), np.concatenate(lists)[np.repeat(starts[number], each) + within]


def _bits(strength: Floats) -> Ints:
    """Numbers of 0 and more as whole numbers of 31 bits, in the same order."""
    return np.asarray(strength, dtype=np.float32).view(np.int32).astype(np.int64)


def _top(customer: Ints, item: Ints, strength: Ints, most: int, items: int) -> Ints:
    """Keys, customer x items + item, of the `most` strongest items of each customer; of equal ones the lowest numbers.

    All three are packed into one whole number: sorting these is many times faster than sorting by three columns.
    """
    mask = (1 << _STRENGTH_BITS) - 1
    packed = _sorted_once((customer << _STRENGTH_BITS | (mask - strength)) << _PRODUCT_BITS | item)
    who = packed >> (_STRENGTH_BITS + _PRODUCT_BITS)
    kept = np.arange(len(packed)) - np.searchsorted(who, who) < most
    return who[kept] * items + (packed[kept] & ((1 << _PRODUCT_BITS) - 1))


def _sorted_once(keys: Ints) -> Ints:
    """Each key once, in order; ten times faster than `np.unique`, which hashes whole numbers."""
    keys = np.sort(keys)
    return keys[group_starts(keys)]
