"""Whether a challenger takes the place of the champion."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from cdp.models.config import Training
from cdp.models.contest import CHURN, Material, Outcome, Target, contest
from cdp.models.contest import LTV as LTV_TARGET
from cdp.models.learning import ByHorizon
from cdp.models.promotion import InUse, decide, parse_in_use, tags_of
from tests.models.pasts import AS_OF, material_of, purchases

HORIZON = 60
TRAINING = Training(cutoffs=2, backtests=2, min_customers=100)
BEFORE, LATER = AS_OF - timedelta(days=HORIZON), AS_OF - timedelta(days=1)


class Says:
    """A model that says one thing of each customer of the newest back-test."""

    def __init__(self, answer: np.ndarray) -> None:
        self.answer = answer

    def predict(self, rows) -> np.ndarray:
        return self.answer


@pytest.fixture(scope="module")
def material() -> Material:
    return material_of(purchases(300, 500), HORIZON, TRAINING)


@pytest.fixture(scope="module")
def challenger(material) -> Outcome:
    return contest(CHURN, material, TRAINING)


def in_use(answer, *, as_of: date = BEFORE, chosen: str = "blend", headline: float = 0.7) -> InUse:
    return InUse(3, as_of, {HORIZON: chosen}, {HORIZON: headline}, ByHorizon([HORIZON], [Says(answer)]))


def judged(material: Material, target: Target, challenger: Outcome, champion: InUse | None):
    return decide(target, [challenger], [material], champion)


def test_the_first_is_champion(material, challenger):
    found = judged(material, CHURN, challenger, None)
    assert found.is_promoted and found.why == "there was no champion"


def test_a_challenger_that_is_worse_on_a_backtest_that_both_have_not_seen_is_refused(material, challenger):
    newest = material.backtests.judged[-1]
    nearly_right = np.clip(CHURN.actual(newest), 0.05, 0.95)
    found = judged(material, CHURN, challenger, in_use(nearly_right))
    assert not found.is_promoted
    assert found.why.startswith("it is worse: mean loss ") and "higher than that of version 3" in found.why
    assert f"{len(nearly_right):,} rows" in found.why


def test_a_challenger_that_is_better_is_promoted(material, challenger):
    newest = material.backtests.judged[-1]
    mostly_wrong = np.where(CHURN.actual(newest) > 0, 0.3, 0.7)
    found = judged(material, CHURN, challenger, in_use(mostly_wrong))
    assert found.is_promoted and found.why.startswith("it is better: mean loss ")


def test_one_that_says_the_same_is_newer(material, challenger):
    newest = material.backtests.judged[-1]
    found = judged(material, CHURN, challenger, in_use(CHURN.predicted(newest)[challenger.chosen]))
    assert found.is_promoted and found.why.startswith("it is no worse, and newer: mean loss 0.0000 lower")


def test_the_gain_is_the_mean_of_the_differences_of_losses_row_by_row(material, challenger):
    newest = material.backtests.judged[-1]
    old = np.full(len(newest.bought), 0.5)
    new = CHURN.predicted(newest)[challenger.chosen]
    gains = CHURN.losses(CHURN.actual(newest), old) - CHURN.losses(CHURN.actual(newest), new)
    error = gains.std() / np.sqrt(len(gains))
    found = judged(material, CHURN, challenger, in_use(old))
    assert f"{abs(gains.mean()):.4f}" in found.why and f"s.e. {error:.4f}" in found.why


def test_a_champion_that_has_seen_the_backtest_is_refreshed_not_compared(material, challenger):
    newest = material.backtests.judged[-1]
    found = judged(material, CHURN, challenger, in_use(CHURN.actual(newest), as_of=LATER))
    assert found.is_promoted and found.why == "it is made as well as version 3, of newer data"


@pytest.mark.parametrize("as_of", [BEFORE, LATER], ids=["unseen", "seen"])
def test_half_of_the_lead_over_chance_lost_is_refused(material, challenger, as_of):
    newest = material.backtests.judged[-1]
    before = 0.5 + 2.1 * (challenger.headline - 0.5)
    champion = in_use(np.full(len(newest.bought), 0.5), as_of=as_of, headline=before)
    found = judged(material, CHURN, challenger, champion)
    assert not found.is_promoted
    assert found.why == f"ROC AUC over 60 days fell from {before:.3f} to {challenger.headline:.3f}"
    nearly = replace(champion, headlines={HORIZON: 0.5 + 1.9 * (challenger.headline - 0.5)})
    assert judged(material, CHURN, challenger, nearly).is_promoted


def test_a_rule_does_not_replace_a_model_but_a_rule(material, challenger):
    rule = replace(challenger, chosen="recency_rule", metrics={})
    assert judged(material, CHURN, rule, in_use(np.zeros(0))).why == "it is but a rule, and version 3 is a model"
    found = judged(material, CHURN, rule, in_use(np.zeros(0), chosen="recency_rule"))
    assert found.is_promoted


def test_a_horizon_that_the_champion_has_not_is_not_compared(material, challenger):
    champion = InUse(3, BEFORE, {90: "blend"}, {90: 0.7}, ByHorizon([90], [Says(np.zeros(1))]))
    assert judged(material, CHURN, challenger, champion).is_promoted


def test_value_is_compared_by_revenue_alone(material):
    outcome = contest(LTV_TARGET, material, TRAINING)
    newest = material.backtests.judged[-1]
    told = np.full((len(newest.revenue), 4), np.nan)
    told[:, 1] = newest.revenue + 0.01
    assert not judged(material, LTV_TARGET, outcome, in_use(told, headline=0.4)).is_promoted


def test_what_is_written_beside_a_version_is_read_again(challenger):
    tags = tags_of(AS_OF, [challenger])
    found = parse_in_use(7, {**tags, "verdict": "promoted"}, "model")
    assert (found.version, found.as_of, found.chosen) == (7, AS_OF, {HORIZON: challenger.chosen})
    assert found.headlines[HORIZON] == pytest.approx(challenger.headline, abs=1e-6)
    assert parse_in_use(7, {"verdict": "promoted"}, "model") is None, "somebody registered it by hand"
    without = tags_of(AS_OF, [replace(challenger, metrics={})])
    assert parse_in_use(1, without, "model").headlines == {}
