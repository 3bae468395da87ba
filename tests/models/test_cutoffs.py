"""The split of time."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp.models.config import Training
from cdp.models.cutoffs import all_cutoffs, needed_since, split_time

AS_OF = date(2026, 1, 31)


@given(
    horizon=st.integers(1, 800),
    oldest=st.integers(0, 3000),
    count=st.integers(1, 12),
    step=st.integers(1, 90),
    least=st.integers(1, 400),
)
def test_no_outcome_that_is_judged_was_learned_from(horizon, oldest, count, step, least):
    training = Training(cutoffs=count, step_days=step, min_history_days=least)
    first = AS_OF - timedelta(days=oldest)
    split = split_time(horizon, first_order_on=first, as_of=AS_OF, training=training)

    assert (split is not None) == (first <= needed_since(horizon, as_of=AS_OF, training=training))
    if split:
        assert split.validate + timedelta(days=horizon) == AS_OF
        assert 1 <= len(split.train) <= count
        for day in split.train:
            assert day + timedelta(days=horizon) <= split.validate
            assert (day - first).days >= least


def test_cutoffs_before_enough_history_are_left_out():
    training = Training(cutoffs=3, step_days=30, min_history_days=60)
    split = split_time(30, first_order_on=date(2025, 9, 1), as_of=AS_OF, training=training)
    assert split.train == (date(2025, 12, 2), date(2025, 11, 2))


@pytest.mark.parametrize("count", [1, 3])
def test_cutoffs_of_several_horizons_are_listed_once(count):
    training = Training(cutoffs=count)
    splits = [split_time(h, first_order_on=date(2020, 1, 1), as_of=AS_OF, training=training) for h in (90, 180)]
    days = all_cutoffs(splits)
    assert days == sorted(set(days))
    assert AS_OF - timedelta(days=180) in days  # learned from for 90 days, judged by for 180
