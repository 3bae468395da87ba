"""Purchases as arrays, beside plain Python."""

from collections import defaultdict
from datetime import date

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cdp.models.products.histories import day_number
from tests.models.products.conftest import DAY, bought

ROWS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3), st.integers(0, 9)), max_size=30, unique=True)


def slow_owned(rows):
    days = defaultdict(list)
    for customer, product, ago in rows:
        days[customer, product].append(DAY - ago)
    return {key: (len(found), min(found), max(found)) for key, found in days.items()}


@given(ROWS)
def test_what_is_owned_is_counted_by_customer_and_product(rows):
    owned = bought(*rows, size=5).owned
    found = {
        (c, p): (n, first, last)
        for c, p, n, first, last in zip(owned.customer, owned.product, owned.days, owned.first, owned.last, strict=True)
    }
    assert found == slow_owned(rows)
    assert list(zip(owned.customer, owned.product, strict=True)) == sorted(found)


@given(ROWS)
def test_days_with_an_order_count_once(rows):
    histories = bought(*rows, size=5)
    days = [{DAY - ago for customer, _, ago in rows if customer == c} for c in range(5)]
    assert histories.order_days.tolist() == [len(found) for found in days]
    assert histories.last_day.tolist() == [max(found, default=0) for found in days]


@given(ROWS, st.integers(0, 9), st.sets(st.integers(0, 4)))
def test_a_part_is_as_if_the_rest_had_never_been(rows, ago, chosen):
    histories = bought(*rows, size=5)
    past = histories.between(0, DAY - ago)
    assert _same(past, bought(*[row for row in rows if row[2] >= ago], size=5))
    number = {customer: n for n, customer in enumerate(sorted(chosen))}
    some = histories.those(np.isin(np.arange(5), list(chosen)))
    assert some.size == len(chosen)
    assert _same(some, bought(*[(number[c], p, a) for c, p, a in rows if c in chosen], size=len(chosen) or 1))
    assert _same(histories.block(1, 3), bought(*[(c - 1, p, a) for c, p, a in rows if 1 <= c < 3], size=2))


def _same(these, those):
    return all(np.array_equal(getattr(these, name), getattr(those, name)) for name in ("customer", "product", "day"))


def test_days_are_numbered_as_spark_does():
    assert (day_number(date(1970, 1, 1)), day_number(date(2026, 1, 31))) == (0, 20_484)
