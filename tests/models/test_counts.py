"""Histories counted in Spark, and fits made of the counts."""

from dataclasses import astuple
from datetime import date

import numpy as np
import pytest
from pyspark.sql import DataFrame

from cdp.models.bgnbd import fit_bgnbd
from cdp.models.counts import OrderCounts, history_counts
from cdp.models.gamma_gamma import fit_gamma_gamma
from cdp.models.mbgnbd import fit_mbgnbd
from cdp.models.pareto_nbd import fit_pareto_nbd

CUTOFF, LATER = date(2026, 1, 31), date(2026, 2, 28)
SCHEMA = "customer_id string, cutoff date, repeat_days double, active_days double, age_days double, repeat_value double"


def rows_of(counts: OrderCounts, cutoff: date) -> dict[tuple[str, int, int, int], int]:
    """Customers by kind, x, tx and age."""
    return {
        (r.kind, r.x, r.tx, r.age): r.customers for r in counts.table[counts.table["cutoff"] == cutoff].itertuples()
    }


def test_customers_with_like_histories_become_one_row(spark):
    history = spark.createDataFrame(
        [
            ("ann", CUTOFF, 2.0, 30.0, 64.0, 50.0),
            ("bob", CUTOFF, 2.0, 30.0, 64.0, 50.3),  # the same days, and within two per cent
            ("cat", CUTOFF, 2.0, 34.0, 69.0, 70.0),  # the same weeks
            ("dan", CUTOFF, 0.0, 0.0, 64.0, None),
            ("eve", CUTOFF, 1.0, 7.0, 70.0, -5.0),  # took more back than was bought: says nothing of spending
            ("ann", LATER, 2.0, 30.0, 92.0, 50.0),
        ],
        SCHEMA,
    )
    spend, more = (int(np.floor(np.log(value) / 0.02)) for value in (50, 70))
    spending = {("spend", 2, spend, 0): 2, ("spend", 2, more, 0): 1}
    days = OrderCounts.collect(history_counts(history))
    assert days.step_days == 1
    assert rows_of(days, CUTOFF) == spending | {
        ("times", 2, 30, 64): 2,
        ("times", 2, 34, 69): 1,
        ("times", 0, 0, 64): 1,
        ("times", 1, 7, 70): 1,
    }
    assert OrderCounts.collect(history_counts(history), most=8).step_days == 1  # as many as may be
    weeks = OrderCounts.collect(history_counts(history), most=7)
    assert weeks.step_days == 7
    assert rows_of(weeks, CUTOFF) == spending | {
        ("times", 2, 4, 9): 3,
        ("times", 0, 0, 9): 1,
        ("times", 1, 1, 10): 1,
    }
    for counts in (days, weeks):
        assert (counts.customers(CUTOFF), counts.customers(LATER)) == (5, 1)
        assert (counts.oldest_days(CUTOFF), counts.oldest_days(date(2020, 1, 1))) == (70, 0)


@pytest.fixture(scope="module")
def shop(spark) -> tuple[np.ndarray, DataFrame]:
    """Histories as columns, and as Spark has them."""
    rng = np.random.default_rng(5)
    n = 4_000
    age = rng.integers(60, 700, n).astype(float)
    x = rng.poisson(rng.gamma(1.2, 1 / 150, n) * age * rng.beta(2, 2, n)).astype(float)
    tx = np.where(x > 0, np.maximum(np.floor(age * rng.beta(x + 1, 1.5)), 1), 0)
    m = np.where(x > 0, rng.gamma(4 * np.maximum(x, 1), 10 / np.maximum(x, 1)) * rng.gamma(5, 0.2, n), np.nan)
    rows = [
        (str(i), CUTOFF, *map(float, times), None if np.isnan(value) else float(value))
        for i, (*times, value) in enumerate(zip(x, tx, age, m, strict=True))
    ]
    return np.stack([x, tx, age, m]), spark.createDataFrame(rows, SCHEMA)


def test_fits_of_days_are_those_of_the_customers_themselves(shop):
    (x, tx, age, _), history = shop
    counts = OrderCounts.collect(history_counts(history))
    one = np.ones(len(x))
    assert counts.step_days == 1
    assert astuple(counts.fit_times(CUTOFF)) == pytest.approx(astuple(fit_bgnbd(x, tx, age, one)), rel=1e-4)
    assert astuple(counts.fit_times(CUTOFF, "mbgnbd")) == pytest.approx(astuple(fit_mbgnbd(x, tx, age, one)), rel=1e-3)
    pareto = counts.fit_times(CUTOFF, "pareto_nbd")
    assert astuple(pareto) == pytest.approx(astuple(fit_pareto_nbd(x, tx, age, one)), rel=1e-3)
    found = counts.estimate_times(CUTOFF, "pareto_nbd")
    assert (found.model, found.customers) == (pareto, len(x))
    assert counts.estimate_spend(CUTOFF).model == counts.fit_spend(CUTOFF)


def test_fits_of_weeks_are_close_to_those_of_days(shop):
    (x, tx, age, m), history = shop
    counts = OrderCounts.collect(history_counts(history), most=100)
    n = len(x)
    assert counts.step_days == 7

    one, known = np.ones(n), x > 0
    times, exact = counts.fit_times(CUTOFF), fit_bgnbd(x, tx, age, one)
    assert times.purchases(x, tx, age, 90).sum() == pytest.approx(exact.purchases(x, tx, age, 90).sum(), rel=0.01)
    spend, exact_spend = counts.fit_spend(CUTOFF), fit_gamma_gamma(x[known], m[known], one[known])
    assert spend.population_mean == pytest.approx(exact_spend.population_mean, rel=0.01)
    assert abs(counts.spend_correlation(CUTOFF)) < 0.2


def test_a_cutoff_without_customers_has_nothing_to_fit(shop):
    counts = OrderCounts.collect(history_counts(shop[1]))
    assert (counts.customers(LATER), counts.spend_correlation(LATER)) == (0, 0)
    with pytest.raises(ValueError, match="came back"):
        counts.fit_times(LATER)
    with pytest.raises(ValueError, match="came back and spent"):
        counts.fit_spend(LATER)
