"""Reasons: what they add up to, beside all orders in which inputs can become known, one after the other."""

from itertools import combinations
from math import factorial

import numpy as np
import pandas as pd
import pytest

from cdp.models.blend import Blend
from cdp.models.experts import LEARNED, RATE, TEXTBOOK, Experts
from cdp.models.features import FEATURES
from cdp.models.learning import Booster, Line
from cdp.models.level import Level
from cdp.models.reasons import MOST, REASONS, RHYTHM, Reasons, Shares, strongest, usual_answers
from cdp.models.textbook import Textbook
from tests.models.test_experts import TEXT, learned_by, people

ALL = (*LEARNED, TEXTBOOK, RATE)
SOME = people(40, seed=7)


def blend_of(text: Textbook, names=ALL, horizon: int = 60, learned=None) -> Blend:
    experts = Experts(horizon, 60, learned, text)
    names = [name for name in names if name in experts.names]
    blend = Blend(experts, names, slope=1.2, level=Level(0.3, {"trees": 0.4}))
    by_odds, by_value = usual_answers(experts.view(SOME))
    blend.usual_odds, blend.usual_value = dict(by_odds), dict(by_value)
    return blend


@pytest.fixture(scope="module")
def learned():
    return learned_by(TEXT)


def usual_of(expert) -> float:
    """What an expert says of nobody in particular."""
    if isinstance(expert, Line):
        return expert.shift_
    import shap

    return float(np.ravel(shap.TreeExplainer(expert.trees_).expected_value)[0])


def test_reasons_of_churn_add_up_to_how_far_the_log_odds_are_from_the_usual(learned):
    blend = blend_of(TEXT, learned=learned)
    view = blend.experts.view(SOME)
    usual = [usual_of(learned.experts_[name].odds_) for name in LEARNED] + [view.odds[TEXTBOOK].mean()]
    expected = -(blend.log_odds(view) - blend.slope * np.mean(usual))
    assert Reasons(blend).of_churn(blend.experts.view(SOME)).sum(axis=1) == pytest.approx(expected, abs=1e-6)


def test_over_a_longer_horizon_they_still_do_with_what_the_textbook_adds(learned):
    blend = blend_of(TEXT, LEARNED, horizon=180, learned=learned)
    view, inputs = blend.experts.view(SOME), blend.experts.inputs(SOME)
    usual = [
        usual_of(expert.odds_) + (view.odds[name] - expert.log_odds(inputs)).mean()
        for name, expert in learned.experts_.items()
    ]
    expected = -(blend.log_odds(view) - blend.slope * np.mean(usual))
    assert Reasons(blend).of_churn(blend.experts.view(SOME)).sum(axis=1) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", LEARNED)
def test_reasons_of_value_add_up_to_how_far_its_logarithm_is_from_that_of_the_usual(learned, name):
    blend = blend_of(TEXT, (name,), learned=learned)
    expert = learned.experts_[name]
    inputs = blend.experts.inputs(SOME)
    usual = -np.log1p(np.exp(-usual_of(expert.odds_))) + usual_of(expert.spend_) + expert.smear_
    assert Reasons(blend).of_value(blend.experts.view(SOME)).sum(axis=1) == pytest.approx(
        expert.log_value(inputs) - usual, abs=1e-6
    )


def test_reasons_of_value_are_weighed_by_what_each_expert_expects(learned):
    alone = {name: blend_of(TEXT, (name,), learned=learned) for name in ALL}
    parts = {name: Reasons(blend).of_value(blend.experts.view(SOME)) for name, blend in alone.items()}
    blend = blend_of(TEXT, (*LEARNED, TEXTBOOK, RATE, RATE), learned=learned)
    view = blend.experts.view(SOME)
    told = {name: np.exp(view.value[name] + (0.4 if name == "trees" else 0)) * (1 + (name == RATE)) for name in ALL}
    expected = sum(parts[name] * (told[name] / sum(told.values()))[:, None] for name in ALL)
    assert Reasons(blend).of_value(blend.experts.view(SOME)) == pytest.approx(expected, abs=1e-6)


@pytest.fixture(scope="module")
def tiny() -> Booster:
    """Three inputs, one of which is often missing, and something that two of them make together."""
    rng = np.random.default_rng(3)
    inputs = pd.DataFrame(rng.normal(size=(500, 3)), columns=["revenue", "recency_days", "products_added_30d"])
    target = inputs["revenue"] * (inputs["recency_days"] > 0) + 0.5 * inputs["products_added_30d"]
    inputs.loc[::5, "recency_days"] = np.nan
    return Booster("squared_error").fit(inputs, target.to_numpy())


def tree_mean(nodes: np.ndarray, row: np.ndarray, known: frozenset[int], at: int = 0) -> float:
    """What a tree says who knows some inputs only: down both sides of the others, by the share of the sample in each."""
    node = nodes[at]
    if node["is_leaf"]:
        return float(node["value"])
    left, right = int(node["left"]), int(node["right"])
    if int(node["feature_idx"]) in known:
        value = row[node["feature_idx"]]
        is_left = bool(node["missing_go_to_left"]) if np.isnan(value) else value <= node["num_threshold"]
        return tree_mean(nodes, row, known, left if is_left else right)
    share = nodes[left]["count"] / node["count"]
    return float(share * tree_mean(nodes, row, known, left) + (1 - share) * tree_mean(nodes, row, known, right))


def test_what_trees_are_moved_by_is_the_mean_over_all_orders_of_getting_to_know(tiny):
    rows = pd.DataFrame([[1.0, 0.5, -1.0], [-1.0, -0.5, 2.0], [0.3, np.nan, 0.0]], columns=tiny.columns_)
    parts, usual = Shares().of(tiny, rows)

    def said(row: np.ndarray, known: frozenset[int]) -> float:
        trees = [predictor.nodes for stage in tiny.trees_._predictors for predictor in stage]
        return sum(tree_mean(nodes, row, known) for nodes in trees)

    for i, row in enumerate(rows.to_numpy()):
        for feature in range(3):
            others, value = [f for f in range(3) if f != feature], 0.0
            for size in range(3):
                weight = factorial(size) * factorial(2 - size) / factorial(3)
                for some in combinations(others, size):
                    value += weight * (said(row, frozenset({*some, feature})) - said(row, frozenset(some)))
            assert parts[i, REASONS.index(tiny.columns_[feature])] == pytest.approx(value, abs=1e-6)
    assert parts.sum(axis=1) + usual == pytest.approx(tiny.raw(rows), abs=1e-6)


def test_a_planted_driver_is_the_first_reason(learned):
    blend = blend_of(TEXT, LEARNED, learned=learned)
    driver = people(2, seed=3)
    driver["products_added_30d"] = [0.5, 40.0]
    for explain, sign in ((Reasons(blend).of_churn, -1), (Reasons(blend).of_value, 1)):
        place, effect = strongest(explain(blend.experts.view(driver)))
        assert [REASONS[i] for i in place[:, 0]] == ["products_added_30d"] * 2
        assert (np.sign(effect[:, 0]) == [-sign, sign]).all()


def test_the_textbook_counts_as_one_reason_and_the_last_year_as_its_revenue():
    blend = blend_of(TEXT, (TEXTBOOK, RATE))
    churn, value = Reasons(blend).of_churn(blend.experts.view(SOME)), Reasons(blend).of_value(blend.experts.view(SOME))
    assert {REASONS[i] for i in np.flatnonzero(np.abs(churn).sum(axis=0))} == {RHYTHM}
    assert {REASONS[i] for i in np.flatnonzero(np.abs(value).sum(axis=0))} == {RHYTHM, "revenue_365d"}
    only = blend_of(TEXT, (TEXTBOOK,))
    assert Reasons(only).of_churn(only.experts.view(SOME)).mean(axis=0) == pytest.approx(0, abs=1e-9)


def test_the_strongest_come_first_and_of_equals_the_earlier():
    parts = np.zeros((1, len(REASONS)))
    parts[0, [4, 7, 9, 20]] = [0.1, -0.5, 0.1 + 1e-12, 0.3]
    place, effect = strongest(parts)
    assert place.tolist() == [[7, 20, 4]] and effect.tolist() == [[-0.5, 0.3, 0.1]]
    assert place.shape[1] == MOST


def test_every_feature_can_be_a_reason():
    assert set(REASONS) == {*FEATURES, RHYTHM}
