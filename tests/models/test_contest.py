"""Back-tests, who of the candidates is chosen, and what becomes of odd pasts."""

import re
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from cdp.models.backtest import BLENDS, CHURN_BLENDS
from cdp.models.churn import RecencyRule
from cdp.models.config import Training
from cdp.models.contest import CHURN, LTV, TARGETS, Material, Outcome, best, contest
from cdp.models.cutoffs import split_time
from cdp.models.learning import ByHorizon
from cdp.models.metrics import normalised_gini, roc_auc
from cdp.models.past import Past
from cdp.models.textbook import Textbook
from cdp.models.value import HistoricRate, LastYearWindow, LifetimeRate
from tests.models.pasts import AS_OF, material_of, nobody, past_of, purchases, split_of

TRAINING = Training(cutoffs=3, backtests=2, min_customers=100)
HORIZON = 60


def with_outcome(likely):
    """Gives everybody another outcome: whether they buy is thrown by a probability; what they spend is pure chance."""

    def plant(rows: pd.DataFrame) -> pd.DataFrame:
        rng = np.random.default_rng(5)
        rows = rows.assign(products_added_30d=rng.gamma(2, 10, len(rows)))
        days = (rng.random(len(rows)) < likely(rows)) * rng.integers(1, 4, len(rows)).astype(float)
        spent = days * rng.gamma(5, 10, len(rows))
        return rows.assign(**{f"order_days_next_{HORIZON}": days, f"revenue_next_{HORIZON}": spent})

    return plant


def answers(outcome: Outcome, material: Material) -> np.ndarray:
    return np.asarray(outcome.model.predict(material.past.features(AS_OF)))


def is_sound(outcome: Outcome, material: Material) -> bool:
    """Whether every answer is a number that can be; ends of intervals may be missing."""
    told = answers(outcome, material)
    if outcome.target is CHURN:
        return bool(np.isfinite(told).all() and (told > 0).all() and (told < 1).all())
    return bool(np.isfinite(told[:, :2]).all() and (np.nan_to_num(told) >= 0).all())


@pytest.fixture(scope="module")
def telling() -> Material:
    """What lies in the cart tells who buys; no rule sees it."""
    plant = with_outcome(lambda rows: 0.05 + 0.9 * (rows["products_added_30d"] > 20))
    return material_of(purchases(250, 500), HORIZON, TRAINING, plant)


@pytest.fixture(scope="module")
def held(telling) -> dict[str, Outcome]:
    return {target.name: contest(target, telling, TRAINING) for target in TARGETS}


@pytest.mark.parametrize("target", TARGETS, ids=lambda t: t.name)
def test_a_candidate_that_sees_what_rules_do_not_is_chosen(target, telling, held):
    outcome = held[target.name]
    assert {"trees", "line"} & set(BLENDS[outcome.chosen]) and not outcome.is_baseline
    candidates = CHURN_BLENDS if target is CHURN else tuple(BLENDS)
    assert set(outcome.metrics) == {*target.baselines, *candidates}, "all were tried"
    assert outcome.headline > max(outcome.metrics[rule][target.headline[0]] for rule in target.baselines)
    assert is_sound(outcome, telling)
    told = outcome.model.predict(nobody(2).assign(products_added_30d=[1.0, 60.0]))
    wants = told[:, 1] if target is LTV else -told
    assert wants[1] > wants[0], "who has much in the cart buys"


def test_figures_are_those_of_what_was_said_on_the_backtests(telling, held):
    tests = telling.backtests.judged
    assert [test.cutoff for test in tests] == sorted(fold.judge for fold in telling.split.folds)
    for name, metrics in held["ltv"].metrics.items():
        said = np.concatenate([test.value[name][:, 1] for test in tests])
        actual = np.concatenate([test.revenue for test in tests])
        assert metrics["normalised_gini"] == pytest.approx(normalised_gini(actual, said))
        assert metrics["total_bias"] == pytest.approx(said.sum() / actual.sum() - 1)
    for name, figures in held["churn"].by_backtest.items():
        told = [roc_auc(1 - test.bought, test.churn[name]) for test in tests]
        assert [figure["roc_auc"] for figure in figures] == pytest.approx(told)


def test_customers_are_compared_by_their_mean_loss_however_often_they_were_judged(telling, held):
    numbers = np.concatenate([test.customer for test in telling.backtests.judged])
    outcome = held["churn"]
    losses = np.concatenate([CHURN.losses(1 - t.bought, t.churn["trees"]) for t in telling.backtests.judged])
    by_hand = [losses[numbers == number].mean() for number in sorted(set(numbers))]
    assert outcome.losses["trees"] == pytest.approx(by_hand)


def test_the_chosen_value_has_intervals_whose_worth_on_the_newest_backtest_is_told(telling, held):
    told = answers(held["ltv"], telling)
    assert np.isfinite(told).all() and (told[:, 2] <= told[:, 3]).all()
    assert 0.6 < held["ltv"].metrics[held["ltv"].chosen]["coverage_80"] <= 1


def test_the_same_past_gives_the_same_answers_bit_for_bit(telling, held):
    plant = with_outcome(lambda rows: 0.05 + 0.9 * (rows["products_added_30d"] > 20))
    again = material_of(purchases(250, 500), HORIZON, TRAINING, plant)
    for target in TARGETS:
        other = contest(target, again, TRAINING)
        assert other.chosen == held[target.name].chosen
        assert np.array_equal(answers(other, again), answers(held[target.name], telling))
        for name, losses in other.losses.items():
            assert np.array_equal(losses, held[target.name].losses[name])


def test_where_there_is_nothing_to_learn_the_churn_rule_stays():
    material = material_of(purchases(250, 500), HORIZON, TRAINING, with_outcome(lambda rows: 0.3))
    outcome = contest(CHURN, material, TRAINING)
    assert outcome.chosen == "recency_rule" and outcome.is_baseline
    assert set(outcome.metrics) > {"recency_rule"}, "the others were tried"
    assert is_sound(outcome, material)


@pytest.mark.parametrize(
    ("customers", "training", "told"),
    [
        (40, Training(cutoffs=3, backtests=2), "only \\d\\d rows to judge by, wanted 200"),
        (
            250,
            Training(cutoffs=3, backtests=2, min_each_outcome=500),
            "rows to judge by have the rarer outcome, wanted 500",
        ),
    ],
    ids=["few customers", "few of an outcome"],
)
def test_with_too_little_a_rule_is_taken_without_a_contest(customers, training, told):
    material = material_of(purchases(customers, 500), HORIZON, training)
    for target in TARGETS:
        outcome = contest(target, material, training)
        assert outcome.chosen == target.baselines[0] and outcome.is_baseline
        assert outcome.metrics == {} and outcome.headline is None
        assert re.search(told, outcome.why[0])
        assert is_sound(outcome, material)


def test_without_room_for_a_backtest_a_rule_is_taken_and_it_is_said():
    material = material_of(purchases(250, 75), HORIZON, TRAINING)
    assert material.split.folds == ()
    for target in TARGETS:
        outcome = contest(target, material, TRAINING)
        assert outcome.why == ("orders reach not back far enough for a back-test",)
        assert outcome.is_baseline and is_sound(outcome, material)


def shop_of(kind: str) -> pd.DataFrame:
    """Histories that leave something out that learners need."""
    rng = np.random.default_rng(4)
    every = pd.DataFrame({"customer": np.arange(200), "ago": rng.integers(0, 500, 200), "value": rng.gamma(4, 10, 200)})
    if kind == "one order each":
        return every
    if kind == "one customer":
        return pd.DataFrame({"customer": 0, "ago": [500, 300, 250, 90, 20], "value": 10.0})
    if kind == "all bought":  # each month of all
        return every.loc[every.index.repeat(25)].assign(ago=np.tile(np.arange(25) * 20, 200))
    if kind == "all churned":  # nobody came for half a year
        return purchases(200, 300).assign(ago=lambda rows: rows["ago"] + 200)
    if kind == "constant":  # everybody on the same days, for the same
        return pd.DataFrame({"customer": np.repeat(np.arange(200), 3), "ago": [480, 400, 30] * 200, "value": 9.0})
    if kind == "worth nothing":
        return purchases(200, 500).assign(value=0.0)
    if kind == "returns above orders":
        return purchases(200, 500).assign(
            value=lambda rows: np.where(rows["ago"] % 3 == 0, rows["value"], -rows["value"])
        )
    if kind == "huge":
        return purchases(200, 500).assign(value=lambda rows: np.where(rows["customer"] == 3, 1e13, rows["value"]))
    raise AssertionError(kind)


ODD = "one order each, one customer, all bought, all churned, constant, worth nothing, returns above orders, huge"


@pytest.mark.parametrize("horizon", [HORIZON, 700], ids=["60 days", "longer than the history"])
@pytest.mark.parametrize("kind", ODD.split(", "))
def test_odd_shops_get_answers_that_can_be(kind, horizon):
    training = Training(cutoffs=2, backtests=1, min_customers=50, min_each_outcome=10)
    material = material_of(shop_of(kind), horizon, training)
    for target in TARGETS:
        outcome = contest(target, material, training)
        assert is_sound(outcome, material)
        if kind in ("one customer", "all bought"):
            assert outcome.is_baseline
            assert any("only" in why for why in outcome.why)


def test_a_model_that_can_no_longer_be_learned_gives_way_to_a_rule_that_says_so():
    """The shop closed: back-tests of its good days chose a learner, but the newest outcome has no buyer in it."""
    training = Training(cutoffs=1, backtests=4, min_customers=100)

    def closed(rows: pd.DataFrame) -> pd.DataFrame:
        rows = with_outcome(lambda r: 0.05 + 0.9 * (r["products_added_30d"] > 20))(rows)
        last = rows["cutoff"] >= AS_OF - timedelta(days=HORIZON)
        return rows.assign(**{n: rows[n].where(~last, 0.0) for n in rows if n.endswith(f"_next_{HORIZON}")})

    material = material_of(purchases(250, 500), HORIZON, training, closed)
    for target in TARGETS:
        outcome = contest(target, material, training)
        assert is_sound(outcome, material)
        assert not {"trees", "line"} & set(BLENDS.get(outcome.chosen, ()))
        assert any("for use trees and line: needs 10 rows" in why for why in outcome.why)


def test_without_a_textbook_for_use_nobody_with_one_is_chosen(telling):
    outcome = contest(LTV, replace(telling, textbook_now=Textbook()), TRAINING)
    assert "textbook" not in BLENDS[outcome.chosen] and is_sound(outcome, telling)
    assert "for use BG/NBD did not fit" in outcome.why


def test_days_on_which_none_of_the_sample_was_a_customer_yet_teach_nothing():
    """The first order of a shop may be that of somebody who is not in the sample."""
    bought = purchases(250, 300)
    first = AS_OF - timedelta(days=700)
    training = Training(cutoffs=12, backtests=3, min_customers=100)
    split = split_time(HORIZON, first_order_on=first, as_of=AS_OF, training=training)
    past = past_of(bought, split, first, training)
    material = Material.of(split, past, past.textbook(AS_OF), training, as_of=AS_OF, first_order_on=first)
    assert past.features(min(split.final)).empty
    for target in TARGETS:
        assert is_sound(contest(target, material, training), material)

    late = Past(past.table[past.table["cutoff"] == AS_OF])
    alone = Material.of(split, late, late.textbook(AS_OF), training, as_of=AS_OF, first_order_on=first)
    for target in TARGETS:
        outcome = contest(target, alone, training)
        assert outcome.is_baseline and is_sound(outcome, alone)


def test_a_lead_within_a_standard_error_is_none():
    rng = np.random.default_rng(0)
    rule = rng.gamma(1, 1, 1_000)
    noise = rng.normal(0, 1, 1_000)
    noise -= noise.mean()
    lucky = rule - 0.01 + noise  # a standard error is 0.03
    better = rule - 0.1 + noise
    assert best({"rule": rule, "lucky": lucky}, ["rule"], ["lucky"]) is None
    assert best({"rule": rule, "better": better}, ["rule"], ["better"]) == "better"
    assert best({"rule": rule}, ["rule"], []) is None


def test_every_rule_must_be_beaten():
    n = 400
    losses = {"one": np.full(n, 3.0), "other": np.full(n, 1.0), "model": np.full(n, 2.0)}
    assert best(losses, ["one"], ["model"]) == "model"
    assert best(losses, ["one", "other"], ["model"]) is None


def test_of_two_that_differ_by_chance_the_sturdier_is_taken():
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 1, 1_000)
    noise -= noise.mean()
    losses = {"rule": np.full(1_000, 2.0), "sturdy": 1 + noise / 50, "lean": np.full(1_000, 0.9999)}
    assert best(losses, ["rule"], ["sturdy", "lean"]) == "sturdy"
    losses["lean"] = np.full(1_000, 0.9)
    assert best(losses, ["rule"], ["sturdy", "lean"]) == "lean"


def test_the_recency_rule_is_the_share_by_groups_of_like_recency():
    features = nobody(40)
    features["recency_days"] = np.repeat([1.0, 100.0], 20)
    churned = np.concatenate([np.zeros(18), np.ones(2), np.ones(20)])
    rule = RecencyRule().fit(features, churned)
    assert rule.predict(features)[[0, 39]] == pytest.approx([3 / 22, 21 / 22])
    twice = RecencyRule(times=2.0).fit(features, churned)
    assert twice.predict(features)[[0, 39]] == pytest.approx([(3 / 22) ** 2, (21 / 22) ** 2]), (
        "stays away twice in a row"
    )


def test_rules_carry_the_past_on():
    features = nobody(2)
    features["order_days_365d"], features["revenue_365d"] = [4.0, 2.0], [200.0, -10.0]
    features["order_days_year_ago_90d"], features["revenue_year_ago_90d"] = [3.0, 0.0], [90.0, 0.0]
    features["repeat_days"], features["age_days"], features["revenue"] = [9.0, 0.0], [730.0, 1.0], [500.0, 0.0]
    assert HistoricRate(73, 1_000, usual_value=30.0).predict(features)[:, :2] == pytest.approx(
        np.array([[0.8, 40], [0.4, 12]])
    )
    assert HistoricRate(73, 146).predict(features)[0, :2] == pytest.approx([2, 100]), "orders reach back 146 days"
    assert LastYearWindow(60).predict(features)[:, :2] == pytest.approx(np.array([[2, 60], [0, 0]]))
    assert LifetimeRate(73).predict(features)[0, :2] == pytest.approx([1, 50])


def test_each_row_is_answered_by_the_model_of_its_horizon():
    features = nobody(4)
    features["order_days_365d"], features["revenue_365d"] = [1.0, 2.0, 3.0, 4.0], 10.0
    features["horizon_days"] = [365.0, 90.0, 365.0, 90.0]
    both = ByHorizon([90, 365], [HistoricRate(90), HistoricRate(365)])
    assert both.predict(features)[:, 0] == pytest.approx([1, 2 * 90 / 365, 3, 4 * 90 / 365])


def test_a_past_from_the_day_of_the_run_alone_has_no_outcomes():
    split, first = split_of(purchases(50, 500), HORIZON, TRAINING)
    past = past_of(purchases(50, 500), split, first, TRAINING)
    order_days, revenue = past.outcome(AS_OF, HORIZON)
    assert order_days.sum() == revenue.sum() == 0
    assert isinstance(max(past.table["cutoff"]), date)
