"""The products that a customer is offered, and why."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cdp.models.products.histories import Flags, Floats, Histories, Ints, group_starts
from cdp.models.products.knowledge import Knowledge
from cdp.models.products.links import weights_of
from cdp.models.products.ranking import ByRule, Ranking
from cdp.models.products.sources import Candidates, blocks, candidates

REPLENISH, BUY_AGAIN, BOUGHT_TOGETHER, SIMILAR, POPULAR_WITH_YOU, BEST_SELLER = range(6)
REASONS = ("replenish", "buy_again", "bought_together", "similar", "popular_with_you", "best_seller")
"""By number, the most telling first: a product that several sources have gets the first of their reasons."""


@dataclass(frozen=True)
class Offers:
    """A row a customer and product offered, by customer and rank.

    Attributes:
        customer, rank, product: the number of the customer in its block, the place from 1, the number of the product.
        score: probability of a purchase, or strength.
        reason: number in `REASONS`.
        because: product of the customer's that it goes with or is like; -1: none.
        gap: days from one buying to the next; 0: unknown.
    """

    customer: Ints
    rank: Ints
    product: Ints
    score: Floats
    reason: Ints
    because: Ints
    gap: Ints


def personal_offers(
    histories: Histories,
    knowledge: Knowledge,
    ranking: Ranking | ByRule,
    *,
    most: int,
    max_per_category: int | None,
    exclude_days: int,
) -> list[tuple[int, Offers]]:
    """What to offer to customers with a history, by block of them: the number of its first customer, and its offers.

    Args:
        histories: purchases up to `knowledge.day`.
        knowledge: of the products.
        ranking: how probable a purchase is.
        most: products for a customer.
        max_per_category: of one category; None: any number.
        exclude_days: what a customer bought in so many days before is left out.
    """
    return [
        (first, _offers(block, knowledge, ranking, most, max_per_category, exclude_days))
        for first, block in blocks(histories, knowledge)
    ]


def _offers(
    block: Histories,
    knowledge: Knowledge,
    ranking: Ranking | ByRule,
    most: int,
    max_per_category: int | None,
    exclude_days: int,
) -> Offers:
    found = candidates(block, knowledge, exclude_days=exclude_days)
    scores = ranking.scores(found, knowledge)
    rows = chosen(found.customer, found.product, scores, knowledge, most=most, max_per_category=max_per_category)
    customer, product, reason = found.customer[rows], found.product[rows], reasons(found)[rows]
    return Offers(
        customer=customer,
        rank=_place(customer) + 1,
        product=product,
        score=scores[rows],
        reason=reason,
        because=_because(customer, product, reason, block, knowledge),
        gap=np.where(reason == REPLENISH, np.round(found.gap[rows]), 0).astype(np.int64),
    )


def best_sellers(knowledge: Knowledge, *, most: int, max_per_category: int | None) -> tuple[Ints, Floats]:
    """What people get of whom nothing is or may be known: products, and their shares of what was sold lately."""
    offered = np.flatnonzero(knowledge.is_offered)
    nobody = np.zeros_like(offered)
    shares = np.round(knowledge.popularity[offered], 6)
    rows = chosen(nobody, offered, shares, knowledge, most=most, max_per_category=max_per_category, least=-1.0)
    return offered[rows], shares[rows]


def chosen(
    customer: Ints,
    product: Ints,
    scores: Floats,
    knowledge: Knowledge,
    *,
    most: int,
    max_per_category: int | None,
    least: float = 0.0,
) -> Ints:
    """Rows to offer, by customer and rank: the greatest scores above `least`, ties by the number of the product.

    Keeping the first products of each category first, and the first of what is left then, comes to the same as going down the
    list and leaving out what there is enough of.
    """
    rows = np.flatnonzero(scores > least)
    if max_per_category is not None:
        # A product without a category is one of its own.
        category = np.where(
            knowledge.catalogue.category >= 0, knowledge.catalogue.category, -1 - np.arange(len(knowledge.catalogue))
        )
        rows = rows[np.lexsort((product[rows], -scores[rows], category[product[rows]], customer[rows]))]
        rows = rows[_place(customer[rows], category[product[rows]]) < max_per_category]
    rows = rows[np.lexsort((product[rows], -scores[rows], customer[rows]))]
    return np.asarray(rows[_place(customer[rows]) < most])


def reasons(found: Candidates) -> Ints:
    """The number in `REASONS` of each candidate."""
    flags: Sequence[Flags] = (found.is_due, found.is_own, found.is_linked, found.is_similar, found.is_local)
    return np.select(list(flags), list(range(BEST_SELLER)), BEST_SELLER)


def _place(*columns: Ints) -> Ints:
    """Place of each row in its group of equal neighbours, from 0."""
    starts = group_starts(*columns)
    lengths = np.diff(np.append(starts, len(columns[0])))
    return np.arange(len(columns[0])) - np.repeat(starts, lengths)


def _because(customer: Ints, product: Ints, reason: Ints, block: Histories, knowledge: Knowledge) -> Ints:
    """The product of the customer's that speaks most for the offered one."""
    because = np.full(len(product), -1, dtype=np.int64)
    owned, catalogue = block.owned, knowledge.catalogue
    starts = np.searchsorted(owned.customer, np.arange(block.size + 1))
    for kind in (BOUGHT_TOGETHER, SIMILAR):
        offers = np.flatnonzero(reason == kind)
        each = np.diff(starts)[customer[offers]]
        offer = np.repeat(offers, each)
        have = np.repeat(starts[customer[offers]] - np.cumsum(each) + each, each) + np.arange(len(offer))
        mine, other = owned.product[have], product[offer]
        if kind == BOUGHT_TOGETHER:
            speaks = weights_of(knowledge.links, mine, other)
        else:
            alike = _same(catalogue.category, mine, other) + _same(catalogue.brand, mine, other)
            speaks = np.where(alike > 0, alike + 1 - 1 / (1 + owned.days[have]), 0.0)
        order = np.lexsort((mine, -speaks, offer))
        first = order[group_starts(offer[order])]
        because[offer[first]] = np.where(speaks[first] > 0, mine[first], -1)
    return because


def _same(kind: Ints, these: Ints, those: Ints) -> npt.NDArray[np.int64]:
    return np.asarray((kind[these] == kind[those]) & (kind[these] >= 0), dtype=np.int64)
