"""What each expert says over one horizon, and never a number that is none."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdp.models.bgnbd import BgNbd
from cdp.models.blend import Blend
from cdp.models.churn import BlendedChurn
from cdp.models.experts import LEARNED, RATE, TEXTBOOK, Experts
from cdp.models.features import FEATURES
from cdp.models.gamma_gamma import GammaGamma
from cdp.models.learning import CLIP, INPUTS, Learned, Sample
from cdp.models.textbook import Textbook
from cdp.models.value import BlendedValue
from tests.models.pasts import nobody

TIMES, SPEND = BgNbd(0.5, 60, 0.8, 2.4), GammaGamma(6, 4, 15)
TEXT = Textbook.of(TIMES, SPEND, 30.0)
N = 400


def people(n: int = N, seed: int = 1) -> pd.DataFrame:
    """Customers with a history, some of whom put much in their cart."""
    rng = np.random.default_rng(seed)
    features = nobody(n)
    features["repeat_days"] = rng.integers(0, 6, n)
    features["age_days"] = rng.integers(100, 400, n)
    features["active_days"] = np.where(features["repeat_days"] > 0, np.floor(features["age_days"] * rng.random(n)), 0)
    features["recency_days"] = features["age_days"] - features["active_days"] - 1
    features["repeat_value"] = np.where(features["repeat_days"] > 0, rng.gamma(4, 8, n), np.nan)
    features["revenue"] = (features["repeat_days"] + 1) * 30.0
    features["revenue_365d"], features["order_days_365d"] = features["revenue"], features["repeat_days"] + 1
    features["products_added_30d"] = rng.gamma(2, 5, n)
    return features


def learned_by(textbook: Textbook, days: int = 60) -> Learned:
    features, rng = people(), np.random.default_rng(2)
    bought = rng.random(N) < 1 / (1 + np.exp(-(features["products_added_30d"].to_numpy() - 10) / 3))
    order_days = bought * rng.integers(1, 4, N).astype(float)
    inputs = pd.concat([features, textbook.columns(features, days)], axis=1)
    return Learned().fit(Sample(inputs, np.arange(N), order_days, order_days * rng.gamma(6, 5, N)))


@pytest.fixture(scope="module")
def learned() -> Learned:
    return learned_by(TEXT)


@pytest.fixture(scope="module")
def learned_without_textbook() -> Learned:
    return learned_by(Textbook())


def test_who_can_say_something_does(learned):
    assert Experts(60, 60, learned, TEXT).names == (*LEARNED, TEXTBOOK, RATE)
    assert Experts(60, 60, None, TEXT).names == (TEXTBOOK, RATE)
    assert Experts(60, 60, learned, Textbook()).names == (*LEARNED, RATE)
    alone = Experts(60, 60)
    assert alone.names == (RATE,) and not alone.view(people(3)).odds


def test_learners_see_the_textbook_over_the_days_they_learned_from(learned):
    features = people(20, seed=9)
    inputs = Experts(365, 60, learned, TEXT).inputs(features)
    assert tuple(inputs) == INPUTS
    assert inputs["lifetime_buys"].to_numpy() == pytest.approx(TEXT.columns(features, 60)["lifetime_buys"].to_numpy())


def test_over_the_days_learned_from_learners_say_what_they_learned(learned):
    features = people(20, seed=9)
    experts = Experts(60, 60, learned, TEXT)
    view, inputs = experts.view(features), experts.inputs(features)
    for name in LEARNED:
        assert np.array_equal(view.odds[name], learned.experts_[name].log_odds(inputs))
        assert np.array_equal(view.value[name], learned.experts_[name].log_value(inputs))
    known = inputs[learned.orders_.columns_].to_numpy()
    assert view.orders["trees"] == pytest.approx(np.log(learned.orders_.trees_.predict(known)))


def test_over_a_longer_horizon_the_textbook_says_how_much_more(learned):
    features = people(20, seed=9)
    short, long = (Experts(days, 60, learned, TEXT).view(features) for days in (60, 180))
    at = {days: TEXT.columns(features, days) for days in (60, 180)}
    log_odds = {days: np.log(t["lifetime_buys"] / (1 - t["lifetime_buys"])) for days, t in at.items()}
    for name in LEARNED:
        assert long.odds[name] - short.odds[name] == pytest.approx((log_odds[180] - log_odds[60]).to_numpy())
        more = np.log(at[180]["lifetime_revenue"] / at[60]["lifetime_revenue"]).to_numpy()
        assert long.value[name] - short.value[name] == pytest.approx(more)
    more = np.log(at[180]["lifetime_orders"] / at[60]["lifetime_orders"]).to_numpy()
    assert long.orders["trees"] - short.orders["trees"] == pytest.approx(more)


def test_without_a_textbook_each_day_of_a_longer_horizon_is_like_the_others(learned_without_textbook):
    features = people(20, seed=9)
    short, long = (Experts(days, 60, learned_without_textbook).view(features) for days in (60, 180))
    for name in LEARNED:
        away = 1 / (1 + np.exp(short.odds[name]))
        assert 1 / (1 + np.exp(long.odds[name])) == pytest.approx(np.maximum(away**3, CLIP), abs=1e-4)
        assert long.value[name] - short.value[name] == pytest.approx(np.full(20, np.log(3)))


def test_the_rate_is_that_of_the_last_year_or_of_as_much_as_there_is():
    features = people(5)
    year = Experts(73, 73, None, None, history_days=2000).view(features)
    assert np.exp(year.value[RATE]) == pytest.approx(features["revenue_365d"].to_numpy() / 5)
    short = Experts(73, 73, None, None, history_days=146).view(features)
    assert np.exp(short.orders[RATE]) == pytest.approx(features["order_days_365d"].to_numpy() / 2)


def test_a_textbook_that_does_not_fit_leaves_its_columns_empty_and_still_knows_a_usual_value():
    features = people(30).assign(repeat_days=0.0, active_days=0.0, revenue=60.0)
    text = Textbook.fitted(features)
    assert text.times == () and text.usual_value == 60.0
    assert text.columns(features, 90).isna().all().all()


def test_too_few_of_an_outcome_are_named_and_not_learned_from():
    features = pd.concat([people(60), TEXT.columns(people(60), 60)], axis=1)
    nine = np.where(np.arange(60) < 9, 1.0, 0.0)
    for order_days, revenue, told in (
        (nine, nine, "10 rows of each outcome, found 9 that bought"),
        (1 - nine, 1 - nine, "10 rows of each outcome, found 51 that bought"),
        (np.arange(60) % 2.0, np.zeros(60), "10 rows that spent something, found 0"),
    ):
        with pytest.raises(ValueError, match=told):
            Learned().fit(Sample(features, np.arange(60), order_days, revenue))


odd = st.one_of(st.none(), st.just(0.0), st.floats(-1e9, 1e9), st.sampled_from([1e15, -1e15, 1e-300, 36500.0]))


@st.composite
def odd_features(draw):
    """Histories that can be, and anything at all beside them."""
    rows = []
    for _ in range(draw(st.integers(1, 4))):
        row = {name: draw(odd) for name in FEATURES}
        age = draw(st.integers(1, 40_000))
        repeat = draw(st.integers(0, min(age - 1, 5_000)))
        active = draw(st.integers(repeat, age - 1)) if repeat else 0
        row |= {"age_days": age, "repeat_days": repeat, "active_days": active, "recency_days": age - 1 - active}
        rows.append(row)
    return pd.DataFrame(rows, columns=list(FEATURES)).astype(float)


@settings(max_examples=30)
@given(features=odd_features(), horizon=st.sampled_from([60, 365]), has_text=st.booleans(), has_learned=st.booleans())
def test_whatever_the_features_are_the_answers_are_numbers_that_can_be(
    features, horizon, has_text, has_learned, learned, learned_without_textbook
):
    text = TEXT if has_text else Textbook()
    known = (learned if has_text else learned_without_textbook) if has_learned else None
    experts = Experts(horizon, 60, known, text)
    view = experts.view(features)
    for told in (view.odds, view.value, view.orders):
        assert all(np.isfinite(column).all() for column in told.values())
    if not view.odds:
        return
    blend = Blend.levelled(experts, experts.names, view, None)
    orders, revenue, _, _ = BlendedValue(blend).predict(features).T
    away = BlendedChurn(blend).predict(features)
    assert np.isfinite([orders, revenue, away]).all()
    assert (away > 0).all() and (away < 1).all() and (orders > 0).all() and (revenue >= 0).all()


def test_nobody_is_expected_to_spend_beyond_all_measure_for_an_odd_feature(learned):
    """A line goes on for ever; a customer with a broken counter must not be worth more than all others."""
    features = people(50, seed=3)
    broken = features.copy()
    broken.loc[0, ["products_added_30d", "products_added_90d", "revenue_365d", "tickets_365d", "revenue"]] = 1e12
    for name in LEARNED:
        said = Experts(60, 60, learned, TEXT).view(broken).value[name]
        assert said[0] < np.log(1_000)
