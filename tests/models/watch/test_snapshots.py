"""Which scorings are kept."""

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cdp.models.watch.realised import Kept
from cdp.models.watch.snapshots import is_due, passed
from tests.models.watch.conftest import AS_OF


def test_the_first_scoring_is_kept_and_then_one_in_so_many_days():
    assert is_due([], as_of=AS_OF, every_days=30)
    assert not is_due([AS_OF - timedelta(days=29)], as_of=AS_OF, every_days=30)
    assert is_due([AS_OF - timedelta(days=30)], as_of=AS_OF, every_days=30)


def test_a_day_that_is_run_again_gives_the_same_whatever_came_after_it():
    first = AS_OF - timedelta(days=30)
    assert is_due([first, AS_OF], as_of=AS_OF, every_days=30)
    assert is_due([first, AS_OF], as_of=first, every_days=30)
    assert not is_due([first, AS_OF], as_of=AS_OF + timedelta(days=1), every_days=30)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=40), st.integers(1, 60))
def test_whatever_the_days_of_scoring_no_two_that_are_kept_are_nearer(gaps, every):
    days, kept = [AS_OF + timedelta(days=sum(gaps[:i])) for i in range(len(gaps))], []
    for day in days:
        if is_due(kept, as_of=day, every_days=every):
            kept.append(day)
    between = [(b - a).days for a, b in pairwise(kept)]
    assert kept[0] == days[0] and all(gap >= every for gap in between)
    assert all(gap < every + 40 for gap in between), "and none is left out that is far enough"


def test_only_a_horizon_that_has_passed_can_be_judged():
    kept = [Kept(date(2025, 11, 2), 90), Kept(date(2025, 11, 3), 90), Kept(date(2025, 11, 4), 90)]
    assert passed(kept, as_of=date(2026, 2, 1)) == kept[:2]
