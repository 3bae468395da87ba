"""Reference histograms: bins that fit the values, and a text that gives the same again."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp.base.errors import CdpError
from cdp.models.watch.reference import BINS, Histogram, Reference, histogram, reference
from tests.models.watch.conftest import bins

VALUES = st.lists(
    st.one_of(
        st.sampled_from([0.0, 0.0, -0.0, 1.0, np.nan, np.inf]), st.integers(-5, 40).map(float), st.floats(-1e6, 1e6)
    ),
    max_size=80,
)


def test_many_values_are_spread_evenly_and_the_extremes_are_not_told():
    found = histogram(np.arange(1000.0))
    assert found.counts == (100,) * 10
    assert found.edges[0] == 99 and found.edges[-1] == 899, "neither 0 nor 999"


def test_a_value_that_most_have_stands_alone_and_the_rest_is_still_told_apart():
    values = np.array([0.0] * 970 + list(range(1, 31)))
    found = histogram(values)
    assert found.counts[1] == 970 and found.counts[0] == 0, "what falls below 0 later would show"
    assert len(found.counts) >= 10 and max(found.counts[2:]) <= 4


def test_a_constant_feature_shows_a_change_to_either_side():
    found = histogram(np.full(50, 3.0))
    assert found.counts == (0, 50, 0)
    assert bins(np.array([2.9, 3.0, 3.1, np.nan]), found.edges) == {0: (1, 0), 1: (1, 0), 2: (1, 0), -1: (1, 0)}


def test_a_feature_without_any_value_has_one_empty_bin():
    assert histogram(np.full(7, np.nan)) == Histogram(edges=(), counts=(0,), missing=7)
    assert histogram(np.array([])) == Histogram(edges=(), counts=(0,), missing=0)


@given(VALUES)
def test_each_value_is_counted_once_in_the_bin_that_a_slow_count_finds(values):
    found = histogram(np.array(values))
    slow = bins(np.array(values), found.edges)
    assert {i: c for i, c in enumerate(found.counts) if c} == {i: c for i, (c, _) in slow.items() if i >= 0}
    assert found.missing == slow.get(-1, (0, 0))[0]
    assert list(found.edges) == sorted(set(found.edges)) and len(found.edges) <= BINS + 4


@given(VALUES)
def test_no_bin_of_several_values_holds_much_more_than_its_part(values):
    known = [v for v in values if np.isfinite(v)]
    found = histogram(np.array(values))
    held = [[v for v in known if sum(v > e for e in found.edges) == i] for i in range(len(found.counts))]
    for inside in held:
        if len(set(inside)) > 1:
            assert len(inside) <= 2 * len(known) / BINS + 2


def test_the_text_gives_the_same_again_and_holds_no_row():
    features = pd.DataFrame({"a": np.arange(300.0), "b": [0.0, np.nan, 5.5] * 100})
    made = reference(features, {365: np.arange(300.0), 90: np.ones(300)}, score="ltv", trained_on=date(2026, 1, 1))
    text = made.to_json()
    assert Reference.from_json(text, model="cdp_ltv/1") == made
    assert list(made.scores) == [90, 365] and len(text) < 2000


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the whole"),
        ('{"format": 2}', "format"),
        (
            '{"score": "ltv", "trained_on": "2026-01-01", "scores": {},'
            ' "features": {"a": {"edges": [1], "counts": [3], "missing": 0}}}',
            "features.a: .*a count more than edges",
        ),
        (
            '{"score": "ltv", "trained_on": "2026-01-01", "scores": {},'
            ' "features": {"a": {"edges": [2, 1], "counts": [1, 1, 1], "missing": 0}}}',
            "rising order",
        ),
    ],
)
def test_what_is_no_reference_is_refused_with_its_place(text, told):
    with pytest.raises(CdpError, match=rf"cdp_ltv/1: its reference histograms cannot be read: .*{told}"):
        Reference.from_json(text, model="cdp_ltv/1")
