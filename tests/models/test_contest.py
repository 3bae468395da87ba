"""Candidates, and who of them is chosen."""

import numpy as np
import pandas as pd
import pytest

from cdp.models.bgnbd import BgNbd
from cdp.models.churn import BoostedChurn, LogisticChurn, RecencyRule
from cdp.models.config import Training
from cdp.models.contest import CHURN, LTV, TARGETS, Material, best, contest
from cdp.models.features import FEATURES
from cdp.models.learning import ByHorizon, Fits, Sample
from cdp.models.value import HistoricRate

NOTHING = Fits(None, None)


def people(n: int, seed: int, *, told_by: str | None) -> Sample:
    """Customers whose next order depends on one feature, or on nothing at all."""
    rng = np.random.default_rng(seed)
    features = pd.DataFrame({name: rng.gamma(2, 10, n) for name in FEATURES})
    features["repeat_days"], features["order_days_365d"] = rng.integers(0, 5, n) * 1.0, rng.integers(1, 4, n) * 1.0
    features["days_since_email_click"] = np.nan  # a column without any value
    likely = 0.05 + 0.9 * (features[told_by] > 20).to_numpy() if told_by else np.full(n, 0.3)
    days = (rng.random(n) < likely) * rng.integers(1, 4, n)
    return Sample(features, np.arange(n), days.astype(float), days * rng.gamma(5, 10, n))


def material(n: int, told_by: str | None, fits: Fits = NOTHING) -> Material:
    return Material(90, people(n, 1, told_by=told_by), people(n, 2, told_by=told_by), fits, fits)


@pytest.mark.parametrize("target", TARGETS, ids=lambda t: t.name)
def test_a_candidate_that_sees_what_the_baseline_does_not_is_chosen(target):
    outcome = contest(target, material(600, "products_added_30d"), Training())
    assert outcome.chosen in ("boosted_trees", "logistic")
    assert set(outcome.metrics) >= {target.baseline, outcome.chosen}
    assert any("BG/NBD did not fit" in why for why in outcome.why)


def test_where_there_is_nothing_to_learn_the_churn_baseline_stays():
    outcome = contest(CHURN, material(600, None), Training())
    assert outcome.chosen == CHURN.baseline
    assert set(outcome.metrics) > {CHURN.baseline}, "the others were tried"


def test_a_lead_within_a_standard_error_is_none():
    rng = np.random.default_rng(0)
    baseline = rng.gamma(1, 1, 1_000)
    slightly = baseline - rng.normal(0.001, 1, 1_000) * 0.5 + 0.0
    slightly += (baseline - slightly).mean() - 0.001  # better by a thousandth in the mean, with much noise
    assert best({"rule": baseline, "lucky": slightly}, "rule") == "rule"
    assert best({"rule": baseline, "lucky": slightly, "good": baseline - 0.2}, "rule") == "good"
    assert best({"rule": baseline}, "rule") == "rule"


@pytest.mark.parametrize(("n", "training"), [(50, Training()), (600, Training(min_each_outcome=500))])
def test_with_too_little_the_baseline_is_taken_without_a_contest(n, training):
    for target in TARGETS:
        outcome = contest(target, material(n, "products_added_30d"), training)
        assert outcome.chosen == target.baseline and list(outcome.metrics) == [target.baseline]
        assert "only" in outcome.why[0]


def test_if_everybody_stayed_away_the_baseline_still_answers():
    sample = people(300, 1, told_by=None)
    gone = Sample(sample.features, sample.customer, np.zeros(300), np.zeros(300))
    for target in TARGETS:
        outcome = contest(target, Material(90, gone, gone, NOTHING, NOTHING), Training())
        assert outcome.chosen == target.baseline
        predicted = target.predicted(outcome.model, gone.features)
        assert np.isfinite(predicted).all() and (predicted >= 0).all()
        if target is CHURN:
            assert 0.9 < predicted.min() <= predicted.max() < 1, "likely, never certain"


def test_the_recency_rule_is_the_share_by_groups_of_like_recency():
    features = pd.DataFrame({name: np.zeros(40) for name in FEATURES})
    features["recency_days"] = np.repeat([1.0, 100.0], 20)
    days = np.concatenate([np.ones(18), np.zeros(2), np.zeros(20)])
    rule = RecencyRule().fit(Sample(features, np.arange(40), days, days))
    assert rule.predict(features)[[0, 39]] == pytest.approx([3 / 22, 21 / 22])


def test_the_historic_rate_carries_the_last_year_on():
    features = pd.DataFrame({name: [0.0, 0.0] for name in FEATURES})
    features["order_days_365d"], features["revenue_365d"] = [4.0, 0.0], [200.0, 0.0]
    found = HistoricRate(73, usual_value=30.0).predict(features)
    assert found == pytest.approx(np.array([[0.8, 50], [0, 30]]))


@pytest.mark.parametrize("kind", [LogisticChurn, BoostedChurn])
def test_learned_probabilities_are_calibrated(kind):
    def world(seed: int) -> Sample:
        sample, rng = people(3_000, seed, told_by=None), np.random.default_rng(seed)
        odds = 2 * (np.log1p(sample.features["products_added_30d"].to_numpy()) - np.log1p(20))
        days = (rng.random(3_000) < 1 / (1 + np.exp(-odds))).astype(float)
        return Sample(sample.features, sample.customer, days, days)

    learn, judge = world(3), world(4)
    p = kind().fit(learn).predict(judge.features)
    for low, high in ((0, 0.3), (0.3, 0.7), (0.7, 1)):
        group = (p >= low) & (p <= high)
        assert group.sum() > 300
        assert p[group].mean() == pytest.approx(judge.churned[group].mean(), abs=0.06)


def test_the_same_sample_gives_the_same_model():
    one, two = (contest(LTV, material(600, "products_added_30d"), Training()) for _ in range(2))
    features = people(50, 9, told_by=None).features
    assert np.array_equal(one.model.predict(features), two.model.predict(features))


def test_bgnbd_takes_part_where_it_fits():
    outcome = contest(CHURN, material(600, None, Fits(BgNbd(0.5, 50, 1, 4), None)), Training())
    assert "bgnbd" in outcome.metrics


def test_each_row_is_answered_by_the_model_of_its_horizon():
    features = pd.DataFrame({name: [0.0] * 4 for name in FEATURES})
    features["order_days_365d"], features["revenue_365d"] = [1.0, 2.0, 3.0, 4.0], 10.0
    features["horizon_days"] = [365.0, 90.0, 365.0, 90.0]
    both = ByHorizon([90, 365], [HistoricRate(90), HistoricRate(365)])
    assert both.predict(features)[:, 0] == pytest.approx([1, 2 * 90 / 365, 3, 4 * 90 / 365])
