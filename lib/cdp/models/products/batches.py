"""Recommendations of batches of customers, on the executors: Arrow in, Arrow out."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cdp.models.products.histories import Flags, Floats, Histories, Ints
from cdp.models.products.knowledge import Knowledge
from cdp.models.products.offers import (
    BEST_SELLER,
    POPULAR_WITH_YOU,
    REASONS,
    REPLENISH,
    Offers,
    best_sellers,
    personal_offers,
)
from cdp.models.products.ranking import ByRule, Ranking

NO_HISTORY, NO_PROFILING = "no_history", "no_profiling"
"""Why a person gets best sellers only."""

_Texts = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Recommender:
    """What the executors need to know.

    Attributes:
        knowledge: of the products.
        ranking: how probable a purchase is.
        places: countries by number.
        most, max_per_category, exclude_days: as of `offers.personal_offers`.
        model_version: what made the rows.
        as_of: the run's date.
    """

    knowledge: Knowledge
    ranking: Ranking | ByRule
    places: tuple[str, ...]
    most: int
    max_per_category: int | None
    exclude_days: int
    model_version: str
    as_of: date


def histories_of(rows: Any, places: tuple[str, ...]) -> Histories:
    """From an Arrow table or batch with products, days and country."""
    products, days = (_one_array(rows.column(name)) for name in ("products", "days"))
    lengths = np.asarray(products.value_lengths().to_numpy(zero_copy_only=False), dtype=np.int64)
    number = {place: n for n, place in enumerate(places)}
    place = np.array([number.get(name, -1) for name in rows.column("country").to_pylist()], dtype=np.int64)
    customer = np.repeat(np.arange(len(lengths)), lengths)
    return Histories.ordered(len(lengths), customer, _values(products), _values(days), place)


def _one_array(column: Any) -> Any:
    if not isinstance(column, pa.ChunkedArray):
        return column
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def _values(lists: Any) -> Ints:
    return np.asarray(lists.flatten().to_numpy(zero_copy_only=False), dtype=np.int64)


def offered(batches: Iterator[Any], *, recommender: Recommender) -> Iterator[Any]:
    """`gold.recommendations` of batches of customers: customer_id, products, days, country, refuses."""
    for batch in batches:
        people, ids = histories_of(batch, recommender.places), batch.column("customer_id")
        refuses = np.asarray(batch.column("refuses").to_numpy(zero_copy_only=False), dtype=bool)
        is_known = (np.bincount(people.customer, minlength=people.size) > 0) & ~refuses
        known = np.flatnonzero(is_known)
        found = personal_offers(
            people.those(is_known), recommender.knowledge, recommender.ranking, most=recommender.most,
            max_per_category=recommender.max_per_category, exclude_days=recommender.exclude_days,
        )  # fmt: skip
        for first, offers in found:
            yield _told(ids, known[first + offers.customer], offers, people.place, recommender)
        yield _best_only(ids, np.flatnonzero(~is_known), refuses, recommender)


def _told(ids: Any, customer: Ints, offers: Offers, place: Ints, recommender: Recommender) -> Any:
    """Offers as rows; `customer` says which rows of the batch they are for."""
    names = np.array(recommender.knowledge.catalogue.ids, dtype=object)
    detail = np.full(len(customer), None, dtype=object)
    due, local = offers.reason == REPLENISH, offers.reason == POPULAR_WITH_YOU
    detail[due] = [f"{gap} days" for gap in offers.gap[due]]
    detail[local] = np.array([*recommender.places, None], dtype=object)[place[customer[local]]]
    because = names[offers.because]
    because[offers.because < 0] = None
    return _rows(
        ids, customer, offers.rank, names[offers.product], offers.score, offers.reason, detail, because, recommender
    )


def _best_only(ids: Any, customer: Ints, refuses: Flags, recommender: Recommender) -> Any:
    product, score = best_sellers(
        recommender.knowledge, most=recommender.most, max_per_category=recommender.max_per_category
    )
    each, names = len(product), np.array(recommender.knowledge.catalogue.ids, dtype=object)
    who = np.repeat(customer, each)
    why = np.array([NO_HISTORY, NO_PROFILING], dtype=object)[refuses[who].astype(int)]
    times = len(customer)
    return _rows(
        ids, who, np.tile(np.arange(each) + 1, times), names[np.tile(product, times)], np.tile(score, times),
        np.full(len(who), BEST_SELLER), why, np.full(len(who), None, dtype=object), recommender,
    )  # fmt: skip


def _rows(
    ids: Any,
    customer: Ints,
    rank: Ints,
    product: _Texts,
    score: Floats,
    reason: Ints,
    detail: _Texts,
    because: _Texts,
    recommender: Recommender,
) -> Any:
    size = len(customer)
    columns = {
        "customer_id": ids.take(pa.array(customer, pa.int64())),
        "rank": pa.array(rank, pa.int32()),
        "product_id": pa.array(product, pa.string()),
        "score": pa.array(score, pa.float64()),
        "reason": pa.array(np.array(REASONS, dtype=object)[reason], pa.string()),
        "because_of": pa.array(because, pa.string()),
        "reason_detail": pa.array(detail, pa.string()),
        "is_fallback": pa.array(reason == BEST_SELLER, pa.bool_()),
        "model_version": pa.array([recommender.model_version] * size, pa.string()),
        "scored_on": pa.array([recommender.as_of] * size, pa.date32()),
    }
    return pa.RecordBatch.from_pydict(columns)
