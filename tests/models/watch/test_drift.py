"""Drift: the index against a slow one, what chance gives, and the counts of Spark against those of numpy."""

import math
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp.models.watch.drift import (
    Slots,
    Today,
    chance_psi,
    missing_lost,
    psi,
    tallies,
    variety_lost,
)
from cdp.models.watch.reference import Histogram, histogram, reference
from tests.models.watch.conftest import bins, customers, models, scores_of

COUNTS = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=1, max_size=12)


def both(pairs, missing=(0, 0)) -> tuple[Histogram, Histogram]:
    edges = tuple(float(i) for i in range(len(pairs) - 1))
    return tuple(Histogram(edges=edges, counts=tuple(p[i] for p in pairs), missing=missing[i]) for i in (0, 1))


def slow_psi(expected: Histogram, actual: Histogram) -> float:
    e_total, a_total = sum(expected.counts) + expected.missing, sum(actual.counts) + actual.missing
    if not e_total or not a_total:
        return 0.0
    found = 0.0
    for e, a in zip([*expected.counts, expected.missing], [*actual.counts, actual.missing], strict=True):
        if e + a:
            shared = (e + a) / (e_total + a_total)
            e_share, a_share = (e + shared) / (e_total + 1), (a + shared) / (a_total + 1)
            found += (a_share - e_share) * math.log(a_share / e_share)
    return found


@given(COUNTS, st.tuples(st.integers(0, 50), st.integers(0, 50)))
def test_the_index_is_that_of_the_slow_one_and_always_a_number(pairs, missing):
    expected, actual = both(pairs, missing)
    found = psi(expected, actual)
    assert found == pytest.approx(slow_psi(expected, actual), abs=1e-12)
    assert found >= 0 and math.isfinite(found)
    assert found == pytest.approx(psi(actual, expected)), "it does not matter who was first"


@given(st.lists(st.integers(0, 500), min_size=1, max_size=12), st.integers(1, 7))
def test_the_same_shares_have_no_drift(counts, times):
    expected, actual = both([(c, c * times) for c in counts])
    assert psi(expected, actual) == pytest.approx(0, abs=1e-9)


def test_the_index_is_near_the_textbook_one_where_no_bin_is_empty():
    # Shares .5/.5 and .6/.4: .1 ln 1.2 + .1 ln 1.25
    expected, actual = both([(50_000, 60_000), (50_000, 40_000)])
    assert psi(expected, actual) == pytest.approx(0.1 * math.log(1.2) + 0.1 * math.log(1.25), rel=1e-4)


@pytest.mark.parametrize("seed", range(5))
def test_samples_of_the_same_customers_stay_below_what_chance_gives_and_others_do_not(seed):
    then, same = (customers(600, s)["revenue"].to_numpy() for s in (100 + seed, 200 + seed))
    expected = histogram(then)
    moved = same * 3
    now, other = (
        Histogram(
            edges=expected.edges,
            counts=[bins(v, expected.edges).get(i, (0, 0))[0] for i in range(len(expected.counts))],
            missing=0,
        )
        for v in (same, moved)
    )
    assert psi(expected, now) < chance_psi(expected, now) < 0.1
    assert psi(expected, other) > 0.5


def test_chance_bounds_nothing_where_one_side_is_empty():
    assert chance_psi(*both([(0, 5)])) == math.inf


def test_what_is_missing_is_told_by_what_was_there():
    for had, has, lost in (((60, 40), (0, 80), 1.0), ((60, 40), (30, 70), 0.5), ((50, 50), (90, 10), 0.0)):
        expected, actual = both([(had[0], has[0])], (had[1], has[1]))
        assert missing_lost(expected, actual) == pytest.approx(lost)
    assert missing_lost(*both([(0, 0)], (10, 10))) == 0, "nothing to lose"


def test_variety_is_lost_where_all_are_in_one_bin():
    assert variety_lost(*both([(50, 100), (50, 0)])) == 1
    assert variety_lost(*both([(50, 75), (50, 25)])) == pytest.approx(0.5)
    assert variety_lost(*both([(100, 5), (0, 5)])) == 0, "there was none"


ROWS = "customer_id string, revenue double, visits double, gap double, channels double"
SCORES = "customer_id string, horizon_days int, churn_probability double, ltv double"


def frames(spark, features: pd.DataFrame, scores: pd.DataFrame, horizon: int = 90):
    wanted = features.astype(object).where(features.notna(), None)
    rows = [(f"c{i}", *values) for i, values in enumerate(wanted.to_numpy().tolist())]
    given_ = [(f"c{i}", horizon, *map(float, values)) for i, values in enumerate(scores.to_numpy())]
    return spark.createDataFrame(rows, ROWS), spark.createDataFrame(given_, SCORES)


def test_spark_counts_what_numpy_counts_in_one_pass(spark):
    then, now, said, says = customers(400, 1), customers(150, 2), scores_of(400, 1), scores_of(150, 2)
    now.loc[:3, "gap"] = [0.0, -1.0, 1e9, np.nan]
    watched = models(then, said)
    older = reference(then[:200], {90: said["ltv"][:200]}, score="ltv", trained_on=date(2025, 1, 1))
    slots = Slots.of([older, *[w.reference for w in watched]])
    rows = tallies(*frames(spark, now, says), slots)
    found = Today.collect(slots, rows)

    for ref in (older, watched[0].reference, watched[1].reference):
        for name, histogram_ in ref.features.items():
            slow = bins(now[name].to_numpy(), histogram_.edges)
            counted = found.feature(name, histogram_.edges)
            assert {i: c for i, c in enumerate(counted.counts) if c} == {i: c for i, (c, _) in slow.items() if i >= 0}
            assert counted.missing == slow.get(-1, (0, 0))[0] and counted.total == 150
        slow = bins(says[ref.score].to_numpy(), ref.scores[90].edges)
        assert found.score(ref.score, 90, ref.scores[90].edges).counts == tuple(
            slow.get(i, (0, 0))[0] for i in range(len(ref.scores[90].counts))
        )
    assert found.horizons == [90] and found.level("ltv", 90).customers == 150
    assert found.level("ltv", 90).mean == pytest.approx(says["ltv"].mean())
    assert found.level("churn_probability", 90).mean == pytest.approx(says["churn_probability"].mean())
    assert found.level("ltv", 365).customers == 0
    plan = rows._jdf.queryExecution().optimizedPlan().toString()
    assert plan.count("Aggregate") == 1, plan


def test_without_a_reference_scores_are_still_counted_and_a_feature_that_is_gone_is_missing(spark):
    features, scores = frames(spark, customers(5), scores_of(5), 30)
    bare = Today.collect(Slots.of([]), tallies(features, scores, Slots.of([])))
    assert bare.level("churn_probability", 30).customers == 5

    watched = models(customers(50), scores_of(50))[0].reference
    slots = Slots.of([watched])
    found = Today.collect(slots, tallies(features.drop("gap"), scores, slots))
    assert found.feature("gap", watched.features["gap"].edges).missing == 5
    assert found.score("ltv", 90, watched.scores[90].edges).total == 0, "that horizon was not scored"
