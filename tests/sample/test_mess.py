"""Each kind of mess can be switched off, is counted, and is told record by record."""

import pytest

from .retailer import HALVES, Sample


@pytest.mark.parametrize("kind", HALVES[0])
def test_a_kind_is_counted_where_it_is_on_and_absent_where_it_is_off(
    sample: Sample, other_sample: Sample, kind: str
):
    assert sample.summary.mess[kind] > 0
    assert other_sample.summary.mess[kind] == 0


@pytest.mark.parametrize("kind", HALVES[1])
def test_the_same_for_the_other_half(sample: Sample, other_sample: Sample, kind: str):
    assert sample.summary.mess[kind] == 0
    assert other_sample.summary.mess[kind] > 0


def test_counts_are_those_of_the_truth(sample: Sample):
    found = dict(sample.table("mess_truth").groupBy("kind").count().collect())

    assert found == {kind: count for kind, count in sample.summary.mess.items() if count}
