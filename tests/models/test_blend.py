"""The mean of experts, and whether it says as much as it knows."""

import numpy as np
import pytest

from cdp.models.blend import Blend, slope_of
from cdp.models.experts import RATE, TEXTBOOK, View
from cdp.models.learning import CLIP
from cdp.models.level import Level


def told(slope: float, shift: float, n: int = 6_000, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Log-odds of experts whose truth is `slope` times as far, and as much higher or lower for all."""
    rng = np.random.default_rng(seed)
    log_odds = rng.normal(0, 1.5, n)
    bought = rng.random(n) < 1 / (1 + np.exp(-(slope * log_odds + shift)))
    return log_odds, bought.astype(float)


@pytest.mark.parametrize("slope", [0.8, 1.0, 1.25])
def test_a_known_slope_is_found_whatever_the_level_of_each_backtest(slope):
    assert slope_of([told(slope, -1, seed=1), told(slope, 2, seed=2)]) == pytest.approx(slope, abs=0.06)


@pytest.mark.parametrize(("truth", "found"), [(0.1, 0.7), (3.0, 1.4)])
def test_the_slope_is_kept_within_bounds(truth, found):
    assert slope_of([told(truth, 0)]) == found


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [(np.zeros(500), np.repeat([0.0, 1.0], 250))],
        [(np.linspace(-3, 3, 500), np.zeros(500))],
        [(np.linspace(-3, 3, 500), np.ones(500))],
        [(np.linspace(-3, 3, 500), (np.arange(500) < 29).astype(float))],
        [(np.array([1.0]), np.array([1.0]))],
    ],
    ids=["nothing", "all alike", "nobody bought", "all bought", "too few", "one customer"],
)
def test_with_nothing_to_tell_by_the_slope_is_one(parts):
    assert slope_of(parts) == 1.0


def test_a_forecast_is_the_mean_of_its_experts_at_their_level():
    view = View(
        odds={"trees": np.array([0.0, 2.0]), TEXTBOOK: np.array([-1.0, 0.0])},
        value={"trees": np.log([10.0, 40.0]), TEXTBOOK: np.log([20.0, 20.0]), RATE: np.log([30.0, 0.03])},
        orders={"trees": np.log([0.4, 3.0]), TEXTBOOK: np.log([0.2, 1.0]), RATE: np.log([5.0, 5.0])},
    )
    level = Level(odds=0.5, value={"trees": np.log(2.0), RATE: np.log(0.5)}, orders={"trees": np.log(3.0)})
    found = Blend(None, ("trees", TEXTBOOK, RATE, RATE), slope=1.2, level=level).forecast_of(view)

    log_odds = 1.2 * np.array([-0.5, 1.0]) + 0.5
    assert found.buys == pytest.approx(1 / (1 + np.exp(-log_odds)))
    assert found.revenue == pytest.approx([(20 + 20 + 15 + 15) / 4, (80 + 20 + 0.015 * 2) / 4])
    assert found.orders == pytest.approx([(1.2 + 0.2 + 5 + 5) / 4, (9 + 1 + 5 + 5) / 4])


def test_a_line_that_tells_no_orders_takes_those_of_the_others_and_a_buyer_has_one_at_least():
    view = View({"line": np.array([3.0])}, {"line": np.zeros(1)}, {RATE: np.log([0.1]), "trees": np.log([0.3])})
    found = Blend(None, ("line",)).forecast_of(view)
    assert found.orders == pytest.approx(found.buys), "0.2 days would be less than one for nineteen of twenty"


def test_no_probability_is_certain():
    view = View({"line": np.array([500.0, -500.0])}, {"line": np.zeros(2)}, {RATE: np.zeros(2)})
    found = Blend(None, ("line",)).forecast_of(view)
    assert found.buys == pytest.approx([1 - CLIP, CLIP])
