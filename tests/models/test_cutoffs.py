"""The split of time."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp.models.config import Training
from cdp.models.cutoffs import all_cutoffs, split_time, year_before

AS_OF = date(2026, 1, 31)

trainings = st.builds(
    Training,
    cutoffs=st.integers(1, 12),
    step_days=st.integers(1, 90),
    backtests=st.integers(1, 6),
    min_history_days=st.integers(1, 400),
)


def ago(days: int) -> date:
    return AS_OF - timedelta(days=days)


@given(horizon=st.integers(1, 800), oldest=st.integers(0, 3000), training=trainings)
def test_no_outcome_that_is_judged_was_learned_from_and_each_is_known(horizon, oldest, training):
    first = ago(oldest)
    split = split_time(horizon, first_order_on=first, as_of=AS_OF, training=training)
    if split is None:
        return
    outcome = timedelta(days=split.learn_days)
    for fold in split.folds:
        assert all(day + outcome <= fold.judge for day in fold.train)
        assert fold.judge + outcome <= AS_OF
    assert all(day + outcome <= AS_OF for day in split.final)
    for days in (split.final, *(fold.train for fold in split.folds)):
        assert 1 <= len(days) <= training.cutoffs
        assert all((day - first).days >= training.min_history_days for day in days)
        steps = {(newer - older).days for newer, older in pairwise(days)}
        assert len(steps) <= 1 and all(0 < step <= training.step_days for step in steps)
    judged = [fold.judge for fold in split.folds]
    assert judged == sorted(set(judged), reverse=True) and len(judged) <= training.backtests


@given(horizon=st.integers(1, 800), oldest=st.integers(0, 3000), training=trainings)
def test_a_shorter_outcome_is_learned_from_where_orders_reach_not_three_times_as_far(horizon, oldest, training):
    split = split_time(horizon, first_order_on=ago(oldest), as_of=AS_OF, training=training)
    history = oldest - training.min_history_days
    least = min(28, horizon)
    assert (split is None) == (history < least), "four weeks of outcome, or the horizon, after enough history"
    if split is None:
        return
    assert least <= split.learn_days <= horizon == split.horizon_days
    if split.learn_days < horizon:
        assert 3 * split.learn_days <= history or split.learn_days == least
    if history >= 3 * horizon:
        assert split.learn_days == horizon
    # A back-test has a cut-off and its outcome before it, and its own outcome after.
    assert bool(split.folds) == (history >= 2 * split.learn_days)


@given(
    horizons=st.lists(st.integers(1, 400), min_size=1, max_size=3, unique=True),
    oldest=st.integers(100, 3000),
    training=trainings,
)
def test_all_cutoffs_are_the_runs_date_judges_what_is_learned_from_and_their_years(horizons, oldest, training):
    first = ago(oldest)
    splits = [split_time(h, first_order_on=first, as_of=AS_OF, training=training) for h in horizons]
    splits = [split for split in splits if split]
    days = all_cutoffs(splits, first_order_on=first, as_of=AS_OF, training=training)

    wanted = {AS_OF}
    for split in splits:
        wanted |= set(split.final)
        for fold in split.folds:
            wanted |= {fold.judge, *fold.train}
    for day in [AS_OF, *(fold.judge for split in splits for fold in split.folds)]:
        if (day - timedelta(days=365) - first).days >= training.min_history_days:
            wanted.add(day - timedelta(days=365))
    assert days == sorted(wanted)


def test_a_long_history_gives_all_that_is_set():
    split = split_time(90, first_order_on=ago(2000), as_of=AS_OF, training=Training(cutoffs=3, backtests=2))
    assert split.learn_days == 90
    assert split.final == (ago(90), ago(120), ago(150))
    assert [fold.judge for fold in split.folds] == [ago(90), ago(120)]
    assert split.folds[0].train == (ago(180), ago(210), ago(240))


def test_in_a_short_history_the_steps_shrink_to_a_week_at_least():
    training = Training(cutoffs=6, step_days=30, min_history_days=30)
    steps = {}
    for oldest in (150, 200, 300, 600):
        split = split_time(30, first_order_on=ago(oldest), as_of=AS_OF, training=training)
        steps[oldest] = (split.final[0] - split.final[1]).days
    assert steps == {150: 18, 200: 28, 300: 30, 600: 30}
    crowded = split_time(28, first_order_on=ago(80), as_of=AS_OF, training=training)
    assert [(a - b).days for a, b in pairwise(crowded.final)] == [7, 7, 7], "as many as find room"


@pytest.mark.parametrize(("oldest", "learn_days"), [(57, None), (58, 28), (114, 28), (117, 29), (300, 90), (3000, 90)])
def test_the_outcome_is_a_third_of_the_history_and_four_weeks_at_least(oldest, learn_days):
    split = split_time(90, first_order_on=ago(oldest), as_of=AS_OF, training=Training(min_history_days=30))
    assert (split.learn_days if split else None) == learn_days


def test_a_year_before_needs_enough_history_of_its_own():
    training = Training(min_history_days=30)
    assert year_before(AS_OF, first_order_on=ago(395), training=training) == ago(365)
    assert year_before(AS_OF, first_order_on=ago(394), training=training) is None
