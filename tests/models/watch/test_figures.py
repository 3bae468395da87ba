"""Figures from counts by score, against the plain ones from a row a customer."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp.models.metrics import normalised_gini
from cdp.models.watch import figures
from cdp.models.watch.realised import CHURN_STEPS, Kept, Realised
from tests.models.watch.conftest import AS_OF

CHURN = st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=1, max_size=60)
VALUES = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 200)), min_size=1, max_size=60)


def churn_counts(rows) -> pd.DataFrame:
    """rows: probability in twentieths, and whether the customer churned."""
    frame = pd.DataFrame(rows, columns=["p", "churned"])
    frame["key"] = frame["p"] * (CHURN_STEPS // 20)
    return frame.groupby("key", as_index=False).agg(customers=("p", "size"), churned=("churned", "sum"))


def value_counts(rows) -> Realised:
    """rows: predicted and actual value."""
    frame = pd.DataFrame(rows, columns=["predicted", "actual"]).astype(float)
    ltv = frame.assign(key=frame["predicted"]).groupby("key", as_index=False)
    actual = frame.assign(key=frame["actual"]).groupby("key", as_index=False)
    return Realised(
        Kept(AS_OF, 90), "l", "c", churn_counts([(0, False)]),
        ltv.agg(customers=("actual", "size"), predicted=("predicted", "sum"), actual=("actual", "sum")),
        actual.agg(customers=("predicted", "size"), actual=("actual", "sum")),
        0, 0, 0, 0,
    )  # fmt: skip


@given(CHURN)
def test_auc_and_brier_are_those_of_all_pairs_and_rows(rows):
    p, y = np.array([r[0] / 20 for r in rows]), np.array([float(r[1]) for r in rows])
    pairs = [1.0 if a > b else 0.5 if a == b else 0.0 for a in p[y == 1] for b in p[y == 0]]
    counts = churn_counts(rows)
    assert figures.auc(counts) == (pytest.approx(np.mean(pairs)) if pairs else None)
    assert figures.brier(counts) == pytest.approx(((p - y) ** 2).mean())
    assert figures.brier_of_the_mean(counts) == pytest.approx(((y.mean() - y) ** 2).mean())


def test_the_published_example_gives_its_figures():
    p = (0.9, 0.2, 0.7, 0.4, 0.3, 0.6, 0.8, 0.1, 0.55, 0.45)
    y = (1, 0, 1, 1, 0, 0, 1, 0, 1, 0)
    counts = churn_counts([(x * 20, happened == 1) for x, happened in zip(p, y, strict=True)])
    assert figures.auc(counts) == pytest.approx(0.88)
    assert figures.brier(counts) == pytest.approx(0.1405)


@given(VALUES)
def test_the_gini_is_that_of_a_row_a_customer(rows):
    predicted, actual = (np.array([float(r[i]) for r in rows]) for i in (0, 1))
    found = figures.value_gini(value_counts(rows))
    slow = normalised_gini(actual, predicted)
    assert found == (pytest.approx(slow, abs=1e-9) if np.isfinite(slow) else None)


def slow_tenths(rows) -> dict[int, list[tuple[float, float]]]:
    """Each customer's tenth, by the middle of those with the same prediction, highest first."""
    found: dict[int, list[tuple[float, float]]] = {}
    for predicted, actual in rows:
        above = sum(other > predicted for other, _ in rows) + sum(other == predicted for other, _ in rows) / 2
        found.setdefault(min(int(10 * above / len(rows)), 9) + 1, []).append((predicted, actual))
    return found


@given(VALUES)
def test_tenths_are_those_of_a_slow_ranking(rows):
    slow = slow_tenths(rows)
    found = figures.value_tenths(value_counts(rows).ltv)
    assert [t.number for t in found] == sorted(slow)
    for tenth in found:
        assert tenth.customers == len(slow[tenth.number])
        assert (tenth.predicted, tenth.actual) == pytest.approx(tuple(np.mean(slow[tenth.number], axis=0)))


@given(CHURN)
def test_the_calibration_error_is_the_mean_distance_of_the_tenths(rows):
    slow = slow_tenths([(p / 20, float(happened)) for p, happened in rows])
    distances = [abs(sum(p for p, _ in part) - sum(y for _, y in part)) for part in slow.values()]
    tenths = figures.churn_tenths(churn_counts(rows))
    assert figures.calibration_error(tenths) == pytest.approx(sum(distances) / len(rows))


@pytest.mark.parametrize("seed", range(5))
def test_right_probabilities_stay_below_what_chance_gives_and_wrong_ones_do_not(seed):
    rng = np.random.default_rng(seed)
    p = rng.integers(0, 21, 1000)
    right = figures.churn_tenths(churn_counts([(x, rng.random() < x / 20) for x in p]))
    wrong = figures.churn_tenths(churn_counts([(x, rng.random() < x / 40) for x in p]))
    assert figures.calibration_error(right) < figures.chance_of_calibration_error(right) < 0.06
    assert figures.calibration_error(wrong) > 0.15


def test_where_there_is_nothing_to_tell_nothing_is_told():
    nobody, nothing = churn_counts([]), value_counts([])
    assert [figures.auc(nobody), figures.brier(nobody), figures.brier_of_the_mean(nobody)] == [None] * 3
    assert figures.calibration_error(figures.churn_tenths(nobody)) is None
    assert [figures.value_error(nothing.ltv), figures.value_gini(nothing), figures.value_tenths(nothing.ltv)] == [
        None,
        None,
        [],
    ]
    assert figures.value_error(value_counts([(5, 0), (3, 0)]).ltv) is None, "nobody spent anything"
    assert figures.value_error(value_counts([(6, 4), (0, 1)]).ltv) == pytest.approx(0.2)
