"""One hearing of both models gives what each of them says alone, and asks nothing twice."""

import pickle

import numpy as np
import pytest

from cdp.models.blend import Blend
from cdp.models.churn import BlendedChurn, RecencyRule
from cdp.models.experts import LEARNED, RATE, TEXTBOOK, Experts
from cdp.models.hearing import Panel, at_one_table
from cdp.models.intervals import Interval
from cdp.models.learning import Booster, ByHorizon
from cdp.models.level import Level
from cdp.models.reasons import Reasons, usual_answers
from cdp.models.value import BlendedValue, HistoricRate
from tests.models.test_experts import TEXT, learned_by, people

SOME = people(30, seed=5)
ALL = (*LEARNED, TEXTBOOK, RATE)


@pytest.fixture(scope="module")
def learned():
    return learned_by(TEXT)


def copy(found):
    """As loaded from two registered models: equal, and not the same."""
    return pickle.loads(pickle.dumps(found))


def blend(learned, horizon: int, slope: float) -> Blend:
    experts = Experts(horizon, 60, copy(learned), copy(TEXT))
    found = Blend(experts, ALL, slope=slope, level=Level(0.2, {"line": 0.1}))
    by_odds, by_value = usual_answers(experts.view(SOME))
    found.usual_odds, found.usual_value = dict(by_odds), dict(by_value)
    return found


@pytest.fixture(scope="module")
def models(learned):
    ltv = [BlendedValue(blend(learned, days, 1.0), Interval()) for days in (60, 180)]
    churn = [BlendedChurn(blend(learned, days, 1.2)) for days in (60, 180)]
    return ByHorizon([60, 180], ltv), ByHorizon([60, 180], churn)


def test_together_they_say_what_each_says_alone(models):
    ltv, churn = copy(models)
    at_one_table([ltv, churn])
    found = Panel(ltv, churn, with_reasons=True).ask(SOME)
    assert list(found) == [60, 180]
    for horizon, answers in found.items():
        value, away = models[0].at(horizon), models[1].at(horizon)
        assert np.array_equal(answers.value, value.predict(SOME))
        assert np.array_equal(answers.away, away.predict(SOME))
        views = [model.blend.experts.view(SOME) for model in (value, away)]
        assert np.array_equal(answers.why_value, Reasons(value.blend).of_value(views[0]))
        assert np.array_equal(answers.why_away, Reasons(away.blend).of_churn(views[1]))


def test_what_two_models_and_two_horizons_have_in_common_is_asked_once_a_batch(models, monkeypatch):
    ltv, churn = copy(models)
    at_one_table([ltv, churn])
    asked = []
    explain = Booster.matrix
    monkeypatch.setattr(Booster, "matrix", lambda trees, inputs: asked.append(id(trees)) or explain(trees, inputs))
    panel = Panel(ltv, churn, with_reasons=True)
    panel.ask(SOME)
    views, explained = 2, 1
    trees = ltv.at(60).blend.experts.learned.experts_["trees"]
    assert asked.count(id(trees.odds_)) == asked.count(id(trees.spend_)) == views + explained
    panel.ask(SOME.iloc[:10])
    assert asked.count(id(trees.odds_)) == 2 * (views + explained), "the next batch is asked anew"


def test_models_of_two_trainings_are_not_taken_for_one(models, learned):
    ltv, churn = copy(models)
    other = copy(churn)
    for model in other.models:
        model.blend.experts.learned.experts_["trees"].smear_ += 1
    at_one_table([ltv, other])
    assert ltv.at(60).blend.experts.learned is not other.at(60).blend.experts.learned
    assert ltv.at(60).blend.experts.textbook is other.at(60).blend.experts.textbook
    at_one_table([ltv, churn])
    assert ltv.at(60).blend.experts is churn.at(60).blend.experts
    assert ltv.at(60).blend.experts is not ltv.at(180).blend.experts


def test_rules_answer_for_themselves_and_have_no_reasons(models):
    rule = RecencyRule().fit(SOME, (SOME["recency_days"] > 50).to_numpy(dtype=float))
    ltv, churn = ByHorizon([60, 90], [HistoricRate(60), HistoricRate(90)]), ByHorizon([90], [rule])
    (found,) = Panel(ltv, churn, with_reasons=True).ask(SOME).values()
    assert np.array_equal(found.away, rule.predict(SOME)) and found.why_away is found.why_value is None
    mixed = Panel(copy(models[0]), ByHorizon([60], [rule]), with_reasons=True).ask(SOME)[60]
    assert mixed.why_value is not None and mixed.why_away is None


def test_reasons_are_worked_out_only_where_they_are_wanted(models):
    found = Panel(*copy(models), with_reasons=False).ask(SOME)
    assert all(answers.why_value is answers.why_away is None for answers in found.values())
