"""BG/NBD, MBG/NBD and Pareto/NBD: each against its paper in fifty digits, and against customers made up as it says."""

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdp.models import bgnbd, mbgnbd, pareto_nbd
from cdp.models.bgnbd import BgNbd
from cdp.models.lifetime_models import LIFETIME_MODELS
from cdp.models.lifetimes import Lifetimes, median_wait, new_customer_purchases
from cdp.models.mbgnbd import MbgNbd
from cdp.models.pareto_nbd import ParetoNbd
from tests.models import exact
from tests.models.simulated import simulate

KINDS = [BgNbd, MbgNbd, ParetoNbd]
OF = {BgNbd: LIFETIME_MODELS["bgnbd"], MbgNbd: LIFETIME_MODELS["mbgnbd"], ParetoNbd: LIFETIME_MODELS["pareto_nbd"]}
GRADIENT = {BgNbd: bgnbd.gradient, MbgNbd: mbgnbd.gradient, ParetoNbd: pareto_nbd.gradient}
TRUE = [BgNbd(0.6, 8.0, 1.3, 4.0), MbgNbd(0.8, 8.0, 0.9, 3.0), ParetoNbd(0.7, 8.0, 0.8, 15.0)]

each_kind = pytest.mark.parametrize("kind", KINDS)
each_model = pytest.mark.parametrize("model", TRUE)


def arrays(*values: float) -> list[np.ndarray]:
    return [np.array([float(value)]) for value in values]


def parameters(most: float) -> st.SearchStrategy[list[float]]:
    """Four logarithms."""
    return st.lists(st.floats(-most, most), min_size=4, max_size=4)


@st.composite
def histories(draw: st.DrawFn) -> tuple[float, float, float]:
    """x, tx and age; now and then the last purchase was just now, or just after the first."""
    x, age = draw(st.sampled_from([0, 0, 1, 1, 2, 5, 40, 400])), draw(st.floats(0.01, 300))
    share = draw(st.one_of(st.floats(0, 1), st.sampled_from([1e-9, 0.5, 1 - 1e-9, 1.0])))
    return float(x), share * age if x else 0.0, age


@each_kind
@settings(max_examples=25)
@given(logs=parameters(3), history=histories(), horizon=st.floats(0.1, 500))
def test_likelihood_and_predictions_are_those_of_fifty_digits(kind, logs, history, horizon):
    model = OF[kind].make(*np.exp(logs))
    x, tx, age = arrays(*history)
    found = OF[kind].log_likelihood(model, x, tx, age)[0]
    assert found == pytest.approx(exact.log_likelihood(model, *history), rel=1e-9, abs=1e-8)
    assert model.alive(x, tx, age)[0] == pytest.approx(exact.alive(model, *history), rel=1e-7, abs=1e-11)
    assert model.buys(x, tx, age, horizon)[0] == pytest.approx(
        exact.buys(model, *history, horizon), rel=1e-7, abs=1e-11
    )
    if abs(logs[2]) > 1e-4:  # at a = 1 and s = 1 the papers' formulas are 0/0
        expected = exact.purchases(model, *history, horizon)
        assert model.purchases(x, tx, age, horizon)[0] == pytest.approx(expected, rel=1e-6, abs=1e-10)


@each_kind
@given(logs=parameters(3), history=histories())
def test_the_gradient_is_the_slope_of_the_likelihood(kind, logs, history):
    history, step = arrays(*history), 1e-5

    def likelihood(values: np.ndarray) -> float:
        return float(OF[kind].log_likelihood(kind(*np.exp(values)), *history)[0])

    at = np.array(logs)
    slopes = [(likelihood(at + step * unit) - likelihood(at - step * unit)) / (2 * step) for unit in np.eye(4)]
    found = GRADIENT[kind](kind(*np.exp(at)), *history)[:, 0] * np.exp(at)
    assert found == pytest.approx(slopes, rel=1e-4, abs=1e-4)


@each_kind
@given(
    logs=parameters(8),
    x=st.sampled_from([0, 1, 2, 1000, 10**6]),
    share=st.sampled_from([0, 1e-12, 0.5, 1 - 1e-12, 1]),
    age=st.sampled_from([0, 1e-9, 1, 1e6]),
    horizon=st.sampled_from([0, 1e-9, 1, 1e9]),
)
def test_nothing_is_ever_beyond_its_bounds_or_not_a_number(kind, logs, x, share, age, horizon):
    model = kind(*np.exp(logs))
    history = arrays(x, share * age if x else 0, age)
    values, slopes = OF[kind].log_likelihood(model, *history), GRADIENT[kind](model, *history)
    assert np.isfinite(values).all() and np.isfinite(slopes).all()
    alive, buys = model.alive(*history)[0], model.buys(*history, horizon)[0]
    assert 0 <= buys <= alive <= 1
    most = (model.r + x) / (model.alpha + age) * horizon  # of who stays for ever
    assert 0 <= model.purchases(*history, horizon)[0] <= most * (1 + 1e-9)


@each_kind
@given(logs=parameters(3), history=histories())
def test_a_longer_horizon_brings_more_purchases(kind, logs, history):
    horizons = np.array([0.0, 1.0, 10.0, 100.0, 1000.0])
    model, history = kind(*np.exp(logs)), [np.full(5, value) for value in history]
    purchases, buys = model.purchases(*history, horizons), model.buys(*history, horizons)
    assert (np.diff(purchases) >= -1e-5 * purchases[1:]).all() and (np.diff(buys) >= -1e-12).all()
    assert (buys <= purchases * (1 + 1e-5) + 1e-12).all()  # who buys buys once at least
    assert purchases[0] == buys[0] == 0


@each_model
def test_means_of_a_simulated_future_are_predicted(model):
    n, horizon = 200_000, 20.0
    truth = simulate(model, np.random.default_rng(1).uniform(5, 50, n), horizon, seed=7)
    assert model.alive(*truth.history).mean() == pytest.approx(truth.is_alive.mean(), rel=0.01)
    assert model.purchases(*truth.history, horizon).mean() == pytest.approx(truth.bought.mean(), rel=0.02)
    assert model.buys(*truth.history, horizon).mean() == pytest.approx((truth.bought > 0).mean(), rel=0.02)
    once = truth.x == 0
    found = model.alive(*[values[once] for values in truth.history]).mean()
    assert found == pytest.approx(truth.is_alive[once].mean(), rel=0.01)


@each_model
def test_what_new_customers_do_is_predicted(model):
    n, time = 200_000, 30.0
    x = simulate(model, np.full(n, time), 1.0, seed=11).x
    numbers = np.arange(2_000.0)
    shares = model.pmf(numbers, time)
    found = np.bincount(x.astype(int), minlength=4)[:4] / n
    assert shares[:4] == pytest.approx(found, abs=0.003)
    assert shares.sum() == pytest.approx(1, abs=1e-9)
    assert shares @ numbers == pytest.approx(new_customer_purchases(model, time), rel=1e-6)
    assert shares[0] == pytest.approx(1 - model.buys(*arrays(0, 0, 0), time)[0], rel=1e-9)
    assert new_customer_purchases(model, time) == pytest.approx(x.mean(), rel=0.02)


@each_model
def test_parameters_of_simulated_customers_are_found_within_their_standard_errors(model):
    truth = simulate(model, np.random.default_rng(2).uniform(20, 150, 10_000), 1.0, seed=5)
    found = OF[type(model)].estimate(*truth.history, np.ones(10_000))
    assert found.is_converged and not found.bounded and found.customers == 10_000
    for name, value in vars(model).items():
        error = found.standard_errors[name]
        assert 0 < error < value / 2
        assert abs(getattr(found.model, name) - value) < 4 * error
    likelihood = OF[type(model)].log_likelihood(found.model, *truth.history).sum()
    assert found.log_likelihood == pytest.approx(likelihood)
    assert likelihood >= OF[type(model)].log_likelihood(model, *truth.history).sum()


@each_model
def test_weights_count_customers(model):
    truth = simulate(model, np.random.default_rng(3).integers(20, 60, 2_000).astype(float), 1.0, seed=6)
    x, tx, age = truth.x, np.ceil(truth.tx), truth.age
    distinct, weight = np.unique(np.stack([x, tx, age]), axis=1, return_counts=True)
    one, counted = (
        OF[type(model)].estimate(*rows, np.asarray(w, float))
        for rows, w in (((x, tx, age), np.ones(2_000)), (distinct, weight))
    )
    assert distinct.shape[1] < 2_000
    assert astuple(counted.model) == pytest.approx(astuple(one.model), rel=1e-4)
    assert counted.standard_errors == pytest.approx(one.standard_errors, rel=1e-3)
    assert (counted.customers, counted.log_likelihood) == (2_000, pytest.approx(one.log_likelihood, rel=1e-9))
    assert astuple(counted.model) == astuple(OF[type(model)].fit(*distinct, weight))


@each_model
def test_a_fit_is_the_same_whatever_the_unit_of_time(model):
    truth = simulate(model, np.random.default_rng(4).uniform(20, 150, 3_000), 1.0, seed=8)
    days, weeks = (
        OF[type(model)].estimate(truth.x, truth.tx / unit, truth.age / unit, np.ones(3_000)) for unit in (1, 7)
    )
    for name in vars(model):
        unit = 7 if name in ("alpha", "beta") else 1
        assert getattr(days.model, name) == pytest.approx(getattr(weeks.model, name) * unit, rel=1e-3)
        assert days.standard_errors[name] == pytest.approx(weeks.standard_errors[name] * unit, rel=1e-2)
    # The density of each purchase is a share of a unit of time.
    assert weeks.log_likelihood - days.log_likelihood == pytest.approx(truth.x.sum() * np.log(7), rel=1e-6)


@each_kind
@pytest.mark.parametrize(
    ("x", "tx", "age", "weight", "message"),
    [
        ([0, 0], [0, 0], [30, 20], [5, 1], "came back"),
        ([], [], [], [], "came back"),
        ([2], [5], [30], [0], "came back"),
        ([1, 2], [5, 40], [30, 30], [1, 1], "tx <= age"),
        ([1, 0], [5, 4], [30, 30], [1, 1], "tx = 0 where x = 0"),
        ([1, -1], [5, 0], [30, 30], [1, 1], "x >= 0"),
        ([1, np.nan], [5, 0], [30, 30], [1, 1], "x >= 0"),
        ([1, 1], [5, 5], [30, np.inf], [1, 1], "tx <= age"),
        ([1, 1], [5, 5], [30, 30], [1, -1], "weight >= 0"),
        ([1, 1], [5, 5], [30, 30], [1], "same length"),
    ],
)
def test_histories_that_say_nothing_or_cannot_be_are_refused(kind, x, tx, age, weight, message):
    with pytest.raises(ValueError, match=message):
        OF[kind].fit(*[np.array(values, dtype=float) for values in (x, tx, age, weight)])


@each_kind
@pytest.mark.parametrize(
    "rows",
    [
        [(1, 10, 30, 1)],  # a single customer
        [(3, 25, 30, 1000)],  # all the same
        [(5, 30, 30, 40), (0, 0, 30, 60)],  # everybody bought just now, or never again
        [(10_000, 29, 30, 2), (0, 0, 1, 1)],
        [(1, 0, 30, 10), (0, 0, 30, 10)],
    ],
)
def test_customers_who_say_too_little_still_give_a_model_and_no_false_errors(kind, rows):
    x, tx, age, weight = np.array(rows, dtype=float).T
    found = OF[kind].estimate(x, tx, age, weight)
    assert all(0 < value < np.inf for value in astuple(found.model))
    assert np.isfinite(found.log_likelihood)
    assert all(found.standard_errors[name] is None for name in found.bounded)
    assert all(error is None or 0 < error < np.inf for error in found.standard_errors.values())
    assert None in found.standard_errors.values()
    predicted = found.model.purchases(x, tx, age, 90)
    assert np.isfinite(predicted).all() and (predicted >= 0).all()


@each_model
def test_half_of_those_who_stay_have_bought_after_the_median_wait(model: Lifetimes):
    rng = np.random.default_rng(9)
    x, age = arrays(3, 40)
    rate = rng.gamma(model.r + 3, 1 / (model.alpha + 40), 200_000)
    assert median_wait(model, x, age)[0] == pytest.approx(np.median(rng.exponential(1 / rate)), rel=0.02)


def test_a_wait_beyond_all_numbers_is_infinite():
    assert median_wait(BgNbd(1e-4, 1.0, 1.0, 1.0), *arrays(0, 10))[0] == np.inf
