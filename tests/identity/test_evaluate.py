"""Scores against known persons agree with counting."""

from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp.base.errors import UsageError
from cdp.identity.evaluate import curve, errors, evaluate, reached, read_truth, scores
from cdp.identity.explain import Link
from cdp.identity.pictures import curve_picture

records = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=12)


@given(records)
def test_scores_are_what_counting_says(labels: list[tuple[int, int]]):
    of_pairs, of_records = scores(*zip(*labels, strict=True))

    pairs = list(combinations(labels, 2))
    linked = [(a, b) for a, b in pairs if a[0] == b[0]]
    true = [(a, b) for a, b in pairs if a[1] == b[1]]
    right = [(a, b) for a, b in linked if a[1] == b[1]]
    assert of_pairs.precision == (len(right) / len(linked) if linked else 1)
    assert of_pairs.recall == (len(right) / len(true) if true else 1)

    def mean(mine: int, theirs: int) -> float:
        shares = []
        for record in labels:
            others = [other for other in labels if other[mine] == record[mine]]
            shares.append(sum(other[theirs] == record[theirs] for other in others) / len(others))
        return sum(shares) / len(shares)

    assert of_records.precision == pytest.approx(mean(0, 1))
    assert of_records.recall == pytest.approx(mean(1, 0))
    assert 0 <= of_records.f1 <= 1


def test_what_is_merged_and_what_is_split_is_counted():
    customers = {("a", "1"): "c1", ("a", "2"): "c1", ("b", "1"): "c2", ("b", "2"): "c3", ("b", "9"): "c9"}
    persons = {("a", "1"): "x", ("a", "2"): "y", ("b", "1"): "z", ("b", "2"): "z", ("c", "1"): "z"}

    found = evaluate(customers, persons)

    assert (found.merged, found.split, found.compared, found.unknown) == (("c1",), 1, 4, 1)
    assert (found.customers, found.persons) == (3, 3)


def link(left: str, right: str, rule: str, decision: str, weight: float | None = None, reason: str = "-") -> Link:
    return Link(("a", left), ("a", right), rule, weight, 0.5, (), decision, reason)


def test_errors_are_told_by_kind():
    truth = {("a", key): person for key, person in zip("123456789", "xxyyzzzww", strict=True)}
    customers = dict(zip(truth, ("c1", "c1", "c1", "c2", "c3", "c4", "c5", "c6", "c6"), strict=True))
    links = [
        link("1", "2", "email", "accepted"),
        link("2", "3", "comparison", "accepted", 4.0),  # x with y
        link("3", "4", "comparison", "review", 1.0, "doubtful"),
        link("5", "6", "comparison", "review", 1.0, "doubtful"),
        link("5", "6", "phone", "refused", None, "two names"),
        link("5", "8", "comparison", "refused", 1.0, "rightly"),
        link("8", "9", "comparison", "accepted", 9.0),
    ]

    keys = {("a", "5"): [3, 4], ("a", "7"): [4], ("a", "6"): [5]}

    found = errors(links, customers, truth, keys)

    assert found.wrong == {"comparison": 1}
    # Of person z, 5 and 7 met, 6 and 7 did not.
    told = {"doubtful": 1, "refused: two names": 1, "compared, and hardly alike": 1, "never compared": 1}
    assert found.missed == told


def test_blocking_reaches_those_who_share_a_key():
    truth = {("a", "1"): "x", ("a", "2"): "x", ("a", "3"): "x", ("a", "4"): "y", ("a", "5"): "y"}
    keys = {("a", "1"): [7, 8], ("a", "2"): [8, 9], ("a", "3"): [5], ("a", "4"): [7], ("b", "1"): [7]}

    assert reached(keys, truth) == (1, 3)  # of y only one record was compared


@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=1, max_size=12))
def test_the_curve_is_what_counting_says(pairs: list[tuple[int, bool]]):
    truth = {("a", f"{side}{i}"): i if side == "l" or is_one else -i - 1 for i, (_, is_one) in enumerate(pairs) for side in "lr"}
    links = [link(f"l{i}", f"r{i}", "comparison", "review", float(weight)) for i, (weight, _) in enumerate(pairs)]

    found = curve(links, {record: str(person) for record, person in truth.items()})

    assert [point.weight for point in found] == sorted({float(weight) for weight, _ in pairs}, reverse=True)
    for point in found:
        linked = [is_one for weight, is_one in pairs if weight >= point.weight]
        true = sum(is_one for _, is_one in pairs)
        assert point.scores.precision == sum(linked) / len(linked)
        assert point.scores.recall == (sum(linked) / true if true else 1.0)


def test_the_curve_is_drawn(tmp_path: Path):
    points = curve([link("1", "2", "comparison", "review", 3.0)], {("a", "1"): "x", ("a", "2"): "x"})
    curve_picture(points).savefig(tmp_path / "c.svg")

    assert "threshold in bits" in (tmp_path / "c.svg").read_text()


def test_a_truth_is_read_and_keys_stay_text(tmp_path: Path):
    path = tmp_path / "truth.csv"
    path.write_text("source,record_key,person_id\ncrm,007,1\nshop,8,1\n")
    assert read_truth(path) == {("crm", "007"): "1", ("shop", "8"): "1"}

    path.write_text("source,key,person_id\ncrm,007,1\n")
    with pytest.raises(UsageError, match="column record_key is missing; found source, key, person_id"):
        read_truth(path)
    with pytest.raises(UsageError, match="found nothing"):
        read_truth(tmp_path / "none.csv")
