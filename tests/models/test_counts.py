"""Histories counted in Spark, and fits made of the counts."""

from datetime import date

import numpy as np
import pytest

from cdp.models.counts import OrderCounts, history_counts

CUTOFF, LATER = date(2026, 1, 31), date(2026, 2, 28)
SCHEMA = "customer_id string, cutoff date, repeat_days double, active_days double, age_days double, repeat_value double"


def test_customers_with_like_histories_become_one_row(spark):
    history = spark.createDataFrame(
        [
            ("ann", CUTOFF, 2.0, 30.0, 64.0, 50.0),
            ("bob", CUTOFF, 2.0, 34.0, 69.0, 50.3),  # the same weeks, and within two per cent
            ("cat", CUTOFF, 0.0, 0.0, 64.0, None),
            ("dan", CUTOFF, 1.0, 7.0, 70.0, -5.0),  # took more back than was bought: says nothing of spending
            ("ann", LATER, 2.0, 30.0, 92.0, 50.0),
        ],
        SCHEMA,
    )
    counts = OrderCounts.collect(history_counts(history))
    rows = {
        (r.kind, r.x, r.tx, r.age): r.customers for r in counts.table[counts.table["cutoff"] == CUTOFF].itertuples()
    }
    spend = int(np.floor(np.log(50) / 0.02))
    assert rows == {("times", 2, 4, 9): 2, ("times", 0, 0, 9): 1, ("times", 1, 1, 10): 1, ("spend", 2, spend, 0): 2}
    assert (counts.customers(CUTOFF), counts.customers(LATER)) == (4, 1)
    assert (counts.oldest_days(CUTOFF), counts.oldest_days(date(2020, 1, 1))) == (70, 0)


def test_fits_of_weeks_are_close_to_those_of_days(spark):
    from cdp.models.bgnbd import fit_bgnbd
    from cdp.models.gamma_gamma import fit_gamma_gamma

    rng = np.random.default_rng(5)
    n = 4_000
    age = rng.integers(60, 700, n).astype(float)
    x = rng.poisson(rng.gamma(1.2, 1 / 150, n) * age * rng.beta(2, 2, n)).astype(float)
    tx = np.where(x > 0, np.maximum(np.floor(age * rng.beta(x + 1, 1.5)), 1), 0)
    m = np.where(x > 0, rng.gamma(4 * np.maximum(x, 1), 10 / np.maximum(x, 1)) * rng.gamma(5, 0.2, n), np.nan)
    columns = zip(x, tx, age, m, strict=True)
    rows = [
        (str(i), CUTOFF, *(float(v) for v in values[:3]), None if np.isnan(values[3]) else float(values[3]))
        for i, values in enumerate(columns)
    ]
    counts = OrderCounts.collect(history_counts(spark.createDataFrame(rows, SCHEMA)))

    one, known = np.ones(n), x > 0
    times, exact = counts.fit_times(CUTOFF), fit_bgnbd(x, tx, age, one)
    assert times.purchases(x, tx, age, 90).sum() == pytest.approx(exact.purchases(x, tx, age, 90).sum(), rel=0.01)
    spend, exact_spend = counts.fit_spend(CUTOFF), fit_gamma_gamma(x[known], m[known], one[known])
    assert spend.population_mean == pytest.approx(exact_spend.population_mean, rel=0.01)
    assert abs(counts.spend_correlation(CUTOFF)) < 0.2
