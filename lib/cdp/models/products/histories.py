"""What a block of customers has bought, as arrays: the form in which sources and ranking look at it."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.floating[Any]]
Flags = npt.NDArray[np.bool_]

_EPOCH = date(1970, 1, 1)


def day_number(day: date) -> int:
    """Days since 1970-01-01, as `unix_date` counts them."""
    return (day - _EPOCH).days


@dataclass(frozen=True)
class Owned:
    """What each customer has of each product: a row a customer and product, in this order.

    Attributes:
        customer, product: the key.
        days: days on which it was bought.
        first, last: the first and the last of them.
    """

    customer: Ints
    product: Ints
    days: Ints
    first: Ints
    last: Ints


@dataclass(frozen=True)
class Histories:
    """Days on which each of some customers bought each product.

    Attributes:
        size: customers; they are numbered from 0.
        customer, product, day: a row a customer, product and day, in this order; `day` since 1970-01-01.
        place: for each customer the number of the country; -1: unknown.
    """

    size: int
    customer: Ints
    product: Ints
    day: Ints
    place: Ints

    @classmethod
    def ordered(cls, size: int, customer: Ints, product: Ints, day: Ints, place: Ints) -> "Histories":
        """From rows in any order."""
        order = np.lexsort((day, product, customer))
        return cls(size, customer[order], product[order], day[order], place)

    def between(self, first: int, last: int) -> "Histories":
        """The same customers with what they bought from day `first` to day `last`, both included."""
        kept = (self.day >= first) & (self.day <= last)
        return Histories(self.size, self.customer[kept], self.product[kept], self.day[kept], self.place)

    def block(self, first: int, last: int) -> "Histories":
        """Customers `first` to `last` - 1, numbered from 0."""
        rows = slice(*np.searchsorted(self.customer, [first, last]))
        return Histories(
            last - first, self.customer[rows] - first, self.product[rows], self.day[rows], self.place[first:last]
        )

    def those(self, chosen: Flags) -> "Histories":
        """The chosen ones of the customers, numbered anew in the same order."""
        number, kept = np.cumsum(chosen) - 1, chosen[self.customer]
        return Histories(
            int(chosen.sum()), number[self.customer[kept]], self.product[kept], self.day[kept], self.place[chosen]
        )

    @cached_property
    def owned(self) -> Owned:
        """What each customer has of each product."""
        starts = group_starts(self.customer, self.product)
        ends = np.append(starts[1:], len(self.day))[: len(starts)] - 1
        return Owned(self.customer[starts], self.product[starts], ends - starts + 1, self.day[starts], self.day[ends])

    @cached_property
    def order_days(self) -> Ints:
        """For each customer the days with any purchase."""
        order = np.lexsort((self.day, self.customer))
        customer = self.customer[order]
        return np.bincount(customer[group_starts(customer, self.day[order])], minlength=self.size)

    @cached_property
    def last_day(self) -> Ints:
        """For each customer the last day with a purchase; 0 for none."""
        last = np.zeros(self.size, dtype=np.int64)
        np.maximum.at(last, self.customer, self.day)
        return last


def group_starts(*columns: Ints) -> Ints:
    """Where each group of equal neighbours begins; the columns are sorted."""
    if not len(columns[0]):
        return np.zeros(0, dtype=np.int64)
    is_new = np.any([column[1:] != column[:-1] for column in columns], axis=0)
    return np.flatnonzero(np.append(True, is_new))
