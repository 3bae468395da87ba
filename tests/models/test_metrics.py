"""Metrics against values worked out elsewhere."""

import numpy as np
import pytest

from cdp.models.metrics import churn_metrics, deviances, log_losses, normalised_gini, value_metrics

ACTUAL = np.array([0, 0, 0, 10, 20, 0, 50, 0, 120, 300.0])
EXPECTED = np.array([1, 2, 3, 15, 12, 8, 90, 4, 60, 200.0])


def test_value_metrics_are_the_known_ones():
    found = value_metrics(ACTUAL, EXPECTED)
    assert found["mae"] == pytest.approx(23.1)
    assert found["normalised_gini"] == pytest.approx(0.958549, abs=1e-6)
    assert found["total_bias"] == pytest.approx(-0.21)


def test_churn_metrics_are_the_known_ones():
    churned = np.array([1, 0, 1, 1, 0, 0, 1, 0, 1, 0.0])
    p = np.array([0.9, 0.2, 0.7, 0.4, 0.3, 0.6, 0.8, 0.1, 0.55, 0.45])
    found = churn_metrics(churned, p)
    assert found["roc_auc"] == pytest.approx(0.88)
    assert found["brier"] == pytest.approx(0.1405)
    assert found["log_loss"] == pytest.approx(0.439861, abs=1e-6)


def test_ties_in_the_score_earn_nothing():
    assert normalised_gini(ACTUAL, np.ones(10)) == pytest.approx(0)
    assert normalised_gini(ACTUAL, ACTUAL) == pytest.approx(1)
    assert np.isnan(normalised_gini(np.zeros(10), EXPECTED))


def test_the_deviance_is_least_for_the_mean_and_not_for_the_median():
    level = {guess: deviances(ACTUAL, np.full(10, guess)).mean() for guess in (1.0, 25.0, 50.0, 75.0, 100.0)}
    assert min(level, key=level.get) == 50.0  # the mean; the median is 5


def test_a_certain_error_costs_much_but_not_everything():
    losses = log_losses(np.array([1.0, 0.0]), np.array([0.0, 1.0]))
    assert np.isfinite(losses).all() and losses.min() > 10
    assert np.isfinite(deviances(ACTUAL, np.zeros(10))).all()


def test_one_outcome_alone_has_no_ranking_but_a_loss():
    found = churn_metrics(np.ones(3), np.array([0.9, 0.8, 0.7]))
    assert np.isnan(found["roc_auc"]) and found["log_loss"] > 0
