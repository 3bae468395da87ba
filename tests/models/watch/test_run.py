"""Watching on a lake: a first scoring, a break, a rerun, and what came true three months later."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from chispa import assert_df_equality

from cdp.models.watch.config import WatchConfig
from cdp.models.watch.run import keep_snapshot, watch_scores
from cdp.tables.gold import CUSTOMER_ORDERS, MODEL_HEALTH, PREDICTION_SNAPSHOTS
from tests.models.conftest import order
from tests.models.watch.conftest import AS_OF, CHURN, LTV, customers, models, scores_of

N = 260
FEATURES = "customer_id string, revenue double, visits double, gap double, channels double"
SCORES = "customer_id string, horizon_days int, churn_probability double, expected_orders double, ltv double"
CONFIG = WatchConfig(keep_days=120)


@pytest.fixture
def frames(spark):
    """Features and scores of one scoring, as Spark has them."""

    def make(features, scores):
        told = features.astype(object).where(features.notna(), None).to_numpy().tolist()
        rows = [(f"c{i:03d}", *values) for i, values in enumerate(told)]
        said = [(f"c{i:03d}", 90, float(p), 1.0, float(ltv)) for i, (p, ltv) in enumerate(scores.to_numpy())]
        return spark.createDataFrame(rows, FEATURES).coalesce(1), spark.createDataFrame(said, SCORES).coalesce(1)

    return make


def keep(run, scores) -> int:
    return keep_snapshot(run, scores, ltv_model=LTV, churn_model=CHURN, config=CONFIG)


def test_scores_are_judged_kept_and_held_against_what_happened(run, fill, frames):
    features, scores = customers(N), scores_of(N)
    watched = models(features, scores)
    known, said = frames(features, scores)
    orders = [order(f"c{i:03d}", AS_OF - timedelta(days=5)) for i in range(N - 1)]  # one is known no more
    orders += [
        order(f"c{i:03d}", AS_OF + timedelta(days=40), "30.00")
        for i in np.flatnonzero(scores["churn_probability"] < 0.5)
    ]
    run.lake.replace(CUSTOMER_ORDERS, fill(CUSTOMER_ORDERS, *orders).coalesce(1))

    first = watch_scores(run, known, said, watched, CONFIG)
    assert not first.held_back and keep(run, said) == N
    assert run.lake.read(MODEL_HEALTH).where("status IN ('warn', 'error')").count() == 0

    next_day = replace(run, as_of=AS_OF + timedelta(days=1))
    broken = watch_scores(next_day, frames(features.assign(gap=np.nan), scores)[0], said, watched, CONFIG)
    assert broken.held_back and broken.broken_rules[0].startswith("share_missing: gap 1 (new)")
    assert keep(next_day, said) == 0, "a day in between"

    # The horizon of the first scoring ends on the day before.
    later = replace(run, as_of=AS_OF + timedelta(days=91))
    judged = watch_scores(later, known, said, watched, CONFIG)
    (note,) = [note for note in judged.notes if "came true" in note]
    assert (
        f"predictions of {AS_OF} over 90 days came true for {N - 1} customers; 1 are known no more: ROC AUC of churn 1.000"
        in note
    )
    assert keep(later, said) == N
    rows = run.lake.read(MODEL_HEALTH)
    found = {row["check"]: row for row in rows.where(f"as_of = DATE'{later.as_of}' AND subject IS NULL").collect()}
    assert (found["realised_auc"]["value"], found["realised_auc"]["model"]) == (1.0, CHURN)
    assert found["realised_auc"]["scored_on"] == AS_OF and found["customers_left_out"]["customers"] == 1
    assert {row["as_of"] for row in rows.select("as_of").distinct().collect()} == {AS_OF, next_day.as_of, later.as_of}

    # The same day again gives the same rows; the day after tells what came true without working it out again.
    before = rows.where(f"as_of = DATE'{later.as_of}'").localCheckpoint()
    assert watch_scores(later, known, said, watched, CONFIG) == judged and keep(later, said) == N
    assert_df_equality(rows.where(f"as_of = DATE'{later.as_of}'"), before, ignore_row_order=True)
    assert run.lake.read(PREDICTION_SNAPSHOTS).count() == 2 * N
    day_after = replace(run, as_of=later.as_of + timedelta(days=1))
    again = watch_scores(day_after, known, said, watched, CONFIG)
    assert again.notes == () and [r.value for r in again.rows if r.check == "realised_auc"] == [1.0]

    # What is older than keep_days goes when the next comes.
    much_later = replace(run, as_of=AS_OF + timedelta(days=121))
    assert keep(much_later, said.withColumn("ltv_low", said["ltv"] / 2).withColumn("ltv_high", said["ltv"] * 2)) == N
    days = run.lake.read(PREDICTION_SNAPSHOTS).groupBy("scored_on").agg({"ltv_low": "count"}).collect()
    assert {row["scored_on"]: row["count(ltv_low)"] for row in days} == {later.as_of: 0, much_later.as_of: N}
    assert min(row["scored_on"] for row in days) > date(2026, 1, 31)
