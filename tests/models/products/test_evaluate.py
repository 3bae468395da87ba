"""Measures of lists, beside a slow version and by hand."""

import math

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdp.models.products.evaluate import evaluate

COLUMNS = ["customer_id", "product_id"]
PAIRS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 6)), max_size=20, unique=True)


def slow(lists, truth, k):
    recall, ndcg, hit = [], [], []
    for customer, wanted in truth.items():
        shown = lists.get(customer, [])[:k]
        hits = [product in wanted for product in shown]
        possible = min(k, len(wanted))
        recall.append(sum(hits) / possible)
        gain = sum(1 / math.log2(place + 2) for place, is_hit in enumerate(hits) if is_hit)
        ndcg.append(gain / sum(1 / math.log2(place + 2) for place in range(possible)))
        hit.append(any(hits))
    return [sum(values) / len(values) if values else 0 for values in (recall, ndcg, hit)]


def by_customer(pairs):
    found = {}
    for customer, product in pairs:
        found.setdefault(customer, []).append(product)
    return found


@given(PAIRS, PAIRS, PAIRS, st.integers(1, 4))
@settings(max_examples=40)
def test_measures_are_those_of_a_slow_version(shown, truth, had, k):
    lists = pd.DataFrame(shown, columns=COLUMNS).assign(rank=range(len(shown)))
    found = evaluate(
        lists, pd.DataFrame(truth, columns=COLUMNS), pd.DataFrame(had, columns=COLUMNS), k=k, active_products=7
    )
    names = ("recall", "ndcg", "hit_rate")
    assert [found[f"all.{name}_at_{k}"] for name in names] == pytest.approx(
        slow(by_customer(shown), by_customer(truth), k)
    )
    new = [by_customer(p for p in pairs if p not in had) for pairs in (shown, truth)]
    assert [found[f"new.{name}_at_{k}"] for name in names] == pytest.approx(slow(*new, k))
    assert found[f"coverage_at_{k}"] == len({p for c in by_customer(shown).values() for p in c[:k]}) / 7


def test_measures_by_hand():
    lists = pd.DataFrame([("a", 1, 1), ("a", 2, 2), ("a", 3, 3), ("b", 1, 1)], columns=[*COLUMNS, "rank"])
    truth = pd.DataFrame([("a", 2), ("a", 3), ("a", 9), ("b", 5), ("c", 1)], columns=COLUMNS)
    had = pd.DataFrame([("a", 2)], columns=COLUMNS)
    found = evaluate(lists, truth, had, k=2, active_products=4)
    assert found["all.recall_at_2"] == pytest.approx((1 / 2 + 0 + 0) / 3)
    assert found["all.ndcg_at_2"] == pytest.approx((0.63093 / 1.63093) / 3, abs=1e-5)
    assert found["new.hit_rate_at_2"] == pytest.approx(1 / 3)
    assert (found["coverage_at_2"], found["customers"], found["new_customers"]) == (0.5, 3, 3)
