"""The level of predictions: the mean of opinions, and when there is none."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp.models.bgnbd import BgNbd
from cdp.models.experts import RATE, TEXTBOOK, View
from cdp.models.features import FEATURES
from cdp.models.gamma_gamma import GammaGamma
from cdp.models.learning import CLIP
from cdp.models.level import Level, Season, level_of, season_of
from cdp.models.textbook import Textbook

TEXT = Textbook.of(BgNbd(0.5, 60, 0.8, 2.4), GammaGamma(6, 4, 15), 30.0)
ALL = ("trees", "line", TEXTBOOK, RATE)


def logit(p: float) -> float:
    return float(np.log(p / (1 - p)))


def expit(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def view_of(seed: int, n: int = 50) -> View:
    """Experts who do not agree."""
    rng = np.random.default_rng(seed)
    odds = {name: rng.normal(shift, 1, n) for name, shift in (("trees", -1), ("line", 0), (TEXTBOOK, 1))}
    value = {name: rng.normal(shift, 1, n) for name, shift in zip(ALL, (3, 4, 5, 2), strict=True)}
    orders = {name: rng.normal(shift, 1, n) for name, shift in (("trees", 0), (TEXTBOOK, 1), (RATE, -1))}
    return View(odds, value, orders)


@given(
    seed=st.integers(0, 50),
    names=st.sampled_from([ALL, ("trees", "line"), ("trees",), ("trees", "line", TEXTBOOK)]),
    season=st.one_of(st.none(), st.tuples(*[st.floats(-2, 2)] * 3)),
    slope=st.floats(0.7, 1.4),
)
def test_everybody_is_brought_to_the_mean_of_three_opinions(seed, names, season, slope):
    view, last_year = view_of(seed), Season(*season) if season else None
    level = level_of(view, names, last_year, slope=slope)

    shares = [logit(expit(view.odds[TEXTBOOK]).mean())]
    totals = [np.log(np.exp(view.value[TEXTBOOK]).sum())]
    orders = [np.log(np.exp(view.orders[TEXTBOOK]).sum())]
    if last_year:
        shares.append(shares[0] + last_year.odds)
        totals.append(totals[0] + last_year.value)
        orders.append(orders[0] + last_year.orders)
    shares.append((logit(expit(view.odds["trees"]).mean()) + logit(expit(view.odds["line"]).mean())) / 2)
    totals.append((np.log(np.exp(view.value["trees"]).sum()) + np.log(np.exp(view.value["line"]).sum())) / 2)
    orders.append(np.log(np.exp(view.orders["trees"]).sum()))

    mean = sum(view.odds[name] for name in names if name != RATE) / sum(name != RATE for name in names)
    assert expit(slope * mean + level.odds).mean() == pytest.approx(float(expit(np.mean(shares))), abs=1e-4)
    for name in names:
        assert np.exp(view.value[name] + level.value[name]).sum() == pytest.approx(np.exp(np.mean(totals)))
    for name, told in view.orders.items():
        assert np.exp(told + level.orders[name]).sum() == pytest.approx(np.exp(np.mean(orders)))


def test_the_textbook_alone_and_rules_alone_stay_as_they_are():
    view = view_of(1)
    assert level_of(view, (TEXTBOOK,), Season(1, 1, 1)) == Level()
    assert level_of(View({}, {RATE: view.value[RATE]}, {RATE: view.orders[RATE]}), (RATE,), None) == Level()


@given(
    told=st.lists(st.tuples(*[st.floats(-11.5, 11.5)] * 3), min_size=1, max_size=5),
    season=st.floats(-23, 23),
    slope=st.floats(0.7, 1.4),
)
def test_the_most_extreme_opinions_have_a_level(told, season, slope):
    columns = dict(zip(("trees", "line", TEXTBOOK), np.array(told).T, strict=True))
    view = View(columns, columns, columns)
    level = level_of(view, ("trees", "line"), Season(season, season, season), slope=slope)
    assert np.isfinite([level.odds, *level.value.values(), *level.orders.values()]).all()


def rows(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    features = pd.DataFrame(0.0, index=range(n), columns=list(FEATURES))
    features["repeat_days"] = rng.integers(0, 6, n)
    features["age_days"] = rng.integers(100, 400, n)
    features["active_days"] = np.where(features["repeat_days"] > 0, features["age_days"] * rng.random(n), 0)
    features["repeat_value"] = np.where(features["repeat_days"] > 0, rng.gamma(4, 8, n), np.nan)
    return features


def test_the_season_is_how_far_the_textbook_was_off():
    features = rows(200)
    said = TEXT.columns(features, 90)
    order_days, revenue = np.repeat([0.0, 1.0, 3.0, 0.0], 50), np.repeat([0.0, 20.0, 75.0, 0.0], 50)
    season = season_of(TEXT, features, order_days, revenue, 90)
    assert season.odds == pytest.approx(logit(0.5) - logit(said["lifetime_buys"].mean()))
    assert season.value == pytest.approx(np.log(revenue.sum() / said["lifetime_revenue"].sum()))
    assert season.orders == pytest.approx(np.log(order_days.sum() / said["lifetime_orders"].sum()))


@pytest.mark.parametrize("days", [0.0, 1.0], ids=["nobody came", "everybody came"])
def test_without_both_outcomes_a_season_tells_nothing(days):
    assert season_of(TEXT, rows(20), np.full(20, days), np.full(20, 10 * days), 90) is None


def test_without_a_textbook_without_revenue_or_without_customers_there_is_no_season():
    came = np.array([1.0, 0.0] * 10)
    assert season_of(Textbook(), rows(20), came, came, 90) is None
    assert season_of(TEXT, rows(20), came, np.zeros(20), 90) is None, "all of it was returned"


def test_no_probability_is_certain_at_any_level():
    view = View(
        {"trees": np.full(3, -11.5), "line": np.full(3, -11.5)},
        {n: np.zeros(3) for n in ("trees", "line")},
        {"trees": np.zeros(3)},
    )
    level = level_of(view, ("trees", "line"), None)
    assert expit(np.full(3, -11.5) + level.odds).mean() == pytest.approx(CLIP, rel=0.1)
