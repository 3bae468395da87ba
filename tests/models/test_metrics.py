"""Metrics against values worked out elsewhere, and against slow, obvious versions."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mean_tweedie_deviance

from cdp.models.metrics import (
    calibration_error,
    churn_metrics,
    decile_error,
    deviances,
    log_losses,
    normalised_gini,
    shape_log_losses,
    shape_losses,
    value_metrics,
)

ACTUAL = np.array([0, 0, 0, 10, 20, 0, 50, 0, 120, 300.0])
EXPECTED = np.array([1, 2, 3, 15, 12, 8, 90, 4, 60, 200.0])
CHURNED = np.array([1, 0, 1, 1, 0, 0, 1, 0, 1, 0.0])
SAID = np.array([0.9, 0.2, 0.7, 0.4, 0.3, 0.6, 0.8, 0.1, 0.55, 0.45])

amounts = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 20)), min_size=1, max_size=40)


def columns(rows: list[tuple[int, ...]]) -> tuple[np.ndarray, np.ndarray]:
    first, second = np.array(rows, dtype=float).T
    return first, second


def test_value_metrics_are_the_known_ones():
    found = value_metrics(ACTUAL, EXPECTED)
    known = {
        "mae": 23.1, "rmse": 39.221168, "spearman": 0.911577, "normalised_gini": 0.958549, "decile_error": 0.462,
        "total_bias": -0.21, "top_tenth_share": 0.6,
    }  # fmt: skip
    assert {name: found[name] for name in known} == pytest.approx(known, abs=1e-6)


def test_churn_metrics_are_the_known_ones():
    known = {"roc_auc": 0.88, "pr_auc": 0.902857, "brier": 0.1405, "log_loss": 0.439861}
    found = churn_metrics(CHURNED, SAID)
    assert {name: found[name] for name in known} == pytest.approx(known, abs=1e-6)
    assert calibration_error(CHURNED, SAID, bins=5) == pytest.approx(0.12)
    assert (found["mean_predicted"], found["mean_actual"]) == pytest.approx((0.5, 0.5))


def test_the_deviance_is_tweedies_by_the_root_of_the_mean():
    expected = mean_tweedie_deviance(ACTUAL, EXPECTED, power=1.5)  # none is below a hundredth of the mean
    mine = deviances(ACTUAL, np.maximum(EXPECTED, 0.5)) * math.sqrt(50)
    assert mine.mean() == pytest.approx(expected)


@given(amounts)
def test_the_gini_is_that_of_the_curve_drawn_point_by_point(rows):
    actual, score = columns(rows)

    def gini(by: np.ndarray) -> float:
        # Those with equal scores share what they have.
        level = [np.mean([a for a, s in zip(actual, by, strict=True) if s == own]) for own in by]
        ranked = [level[i] for i in sorted(range(len(by)), key=lambda i: -by[i])]
        area, seen = 0.0, 0.0
        for amount in ranked:
            area += seen / sum(actual) + amount / sum(actual) / 2
            seen += amount
        return 2 * area / len(by) - 1

    if np.ptp(actual) == 0:
        assert math.isnan(normalised_gini(actual, score))
    else:
        assert normalised_gini(actual, score) == pytest.approx(gini(score) / gini(actual), abs=1e-9)


@given(amounts)
def test_tenths_are_cut_from_customers_in_the_order_of_what_was_expected(rows):
    actual, expected = columns([(a + 1, e) for a, e in rows])
    order = sorted(range(len(rows)), key=lambda i: expected[i])
    bins = min(10, len(rows))
    longer = len(rows) % bins  # the first parts get what does not divide
    gaps, found, start = 0.0, 0.0, 0
    for part in range(bins):
        size = len(rows) // bins + (part < longer)
        mine = order[start : start + size]
        start += size
        gaps += abs(sum(expected[i] for i in mine) - sum(actual[i] for i in mine)) / size
        found += sum(actual[i] for i in mine) / size
    assert decile_error(actual, expected) == pytest.approx(gaps / found)


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=1, max_size=40))
def test_the_calibration_error_is_the_mean_gap_of_tenths(rows):
    happened, said = columns(rows)
    parts = np.array_split(sorted(range(len(rows)), key=lambda i: said[i]), min(10, len(rows)))
    gaps = [abs(sum(happened[i] - said[i] for i in part)) / len(part) for part in parts]
    assert calibration_error(happened, said) == pytest.approx(sum(gaps) / len(gaps))


@given(amounts, st.floats(0.01, 100))
def test_the_level_of_expectations_does_not_change_how_well_they_are_shared_out(rows, times):
    actual, expected = columns([(a, e + 1) for a, e in rows])
    assert shape_losses(actual, times * expected) == pytest.approx(shape_losses(actual, expected), rel=1e-6, abs=1e-9)


@given(st.lists(st.tuples(st.booleans(), st.floats(0.02, 0.98)), min_size=2, max_size=40), st.floats(-2, 2))
def test_the_level_of_probabilities_does_not_change_their_shape(rows, shift):
    happened, said = columns(rows)
    moved = 1 / (1 + np.exp(-(np.log(said / (1 - said)) + shift)))
    if 0 < happened.sum() < len(happened):
        assert shape_log_losses(happened, moved) == pytest.approx(shape_log_losses(happened, said), abs=1e-4)
        assert shape_log_losses(happened, said).mean() <= log_losses(happened, said).mean() + 1e-9


def test_ties_in_the_score_earn_nothing():
    assert normalised_gini(ACTUAL, np.ones(10)) == pytest.approx(0)
    assert normalised_gini(ACTUAL, ACTUAL) == pytest.approx(1)


def test_the_deviance_is_least_for_the_mean_and_not_for_the_median():
    level = {guess: deviances(ACTUAL, np.full(10, guess)).mean() for guess in (1.0, 25.0, 50.0, 75.0, 100.0)}
    assert min(level, key=level.get) == 50.0  # the mean; the median is 5


def test_a_certain_error_costs_much_but_not_everything():
    losses = log_losses(np.array([1.0, 0.0]), np.array([0.0, 1.0]))
    assert np.isfinite(losses).all() and losses.min() > 10
    assert np.isfinite(deviances(ACTUAL, np.zeros(10))).all()


@pytest.mark.parametrize("expected", [np.zeros(4), np.ones(4), np.array([0, 1, 2, 1e9])], ids=["0", "1", "huge"])
def test_where_nobody_bought_there_is_a_loss_but_no_ranking_and_no_share(expected):
    found = value_metrics(np.zeros(4), expected)
    assert np.isfinite([found["mae"], found["rmse"], found["deviance"]]).all()
    assert np.isfinite(shape_losses(np.zeros(4), expected)).all()
    for name in ("normalised_gini", "total_bias", "decile_error", "top_tenth_share", "spearman"):
        assert math.isnan(found[name]), name


def test_one_buyer_is_ranked_first_or_not():
    one = np.array([0, 0, 5.0, 0])
    assert value_metrics(one, np.array([1, 2, 3, 0.0]))["normalised_gini"] == pytest.approx(1)
    assert value_metrics(one, np.array([3, 2, 0, 1.0]))["normalised_gini"] == pytest.approx(-1)


@pytest.mark.parametrize("happened", [0.0, 1.0])
def test_one_outcome_alone_has_no_ranking_but_a_loss(happened):
    found = churn_metrics(np.full(3, happened), np.array([0.9, 0.8, 0.7]))
    assert math.isnan(found["roc_auc"]) and math.isnan(found["pr_auc"])
    assert (
        found["log_loss"] > 0 and np.isfinite(shape_log_losses(np.full(3, happened), np.array([0.9, 0.8, 0.7]))).all()
    )
