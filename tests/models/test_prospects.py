"""First orders of people who have none, without Spark: what is learned, what a horizon makes of it, who becomes champion."""

from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from cdp.models.config import ModelsConfig, Training
from cdp.models.cutoffs import Split, all_cutoffs, split_time
from cdp.models.features import BEHAVIOUR, FEATURES
from cdp.models.intervals import Interval
from cdp.models.learning import ByHorizon
from cdp.models.past import Past
from cdp.models.propensity.answers import BASE_RATE, BLEND, BaseRate, Explained
from cdp.models.propensity.training import NoModelError
from cdp.models.prospects.model import HIGH, LOW, ORDERS, PROBABILITY, REVENUE, Prospects
from cdp.models.prospects.promotion import decide, parse_in_use, tags_of
from cdp.models.prospects.record import told
from cdp.models.prospects.run import champion, train_prospects
from cdp.models.prospects.scoring import scored
from cdp.models.prospects.training import Trained, learn
from cdp.models.registry import ForeignModelError
from tests.models.pasts import AS_OF, nobody

TRAINING = Training(cutoffs=3, backtests=2)
FIRST = AS_OF - timedelta(days=300)


def split(horizon: int = 30, first: date = FIRST) -> Split:
    found = split_time(horizon, first_order_on=first, as_of=AS_OF, training=TRAINING)
    assert found is not None
    return found


def past(by: Split, *, people: int = 700, base: float = -3.5, driver: float = 0.9, seed: int = 5) -> Past:
    """People who visit and had not ordered as of each day, some of whom do within the outcome; and two customers.

    Args:
        by: whose cut-offs there are.
        people: how many.
        base: log-odds of an order without a visit.
        driver: what each day with a visit adds to them.
        seed: of chance.
    """
    rng = np.random.default_rng(seed)
    parts = []
    for cutoff in all_cutoffs([by], first_order_on=FIRST, as_of=AS_OF, training=TRAINING):
        rows = pd.DataFrame(np.nan, index=range(people), columns=list(FEATURES))
        for name in BEHAVIOUR:
            rows[name] = rng.poisson(3, people).astype(float)
        bought = rng.random(people) < expit(base + driver * rows["visit_days_30d"])
        rows["order_days"] = np.where(bought, 1.0 + rng.poisson(0.3, people), np.nan)
        rows["revenue_after"] = np.where(bought, rng.lognormal(3.5, 0.8, people), np.nan)
        customers = nobody(2).assign(revenue=40.0, order_days=50.0, revenue_after=9_000.0)
        rows = pd.concat([rows, customers], ignore_index=True)
        parts.append(rows.assign(cutoff=cutoff, customer=np.arange(len(rows))))
    table = pd.concat(parts, ignore_index=True)
    for days in {by.learn_days, by.horizon_days}:
        table[f"order_days_next_{days}"], table[f"revenue_next_{days}"] = table["order_days"], table["revenue_after"]
    return Past(table.drop(columns=["order_days", "revenue_after"]))


def learned(by: Split, known: Past) -> Trained:
    return learn(known, by, TRAINING, as_of=AS_OF)


@pytest.fixture(scope="module")
def planted() -> tuple[Trained, Past]:
    by = split()
    known = past(by)
    return learned(by, known), known


def test_who_visits_is_found_to_order_and_the_totals_are_those_of_whom_it_was_learned_from(planted):
    found, known = planted
    assert found.outcome.chosen == BLEND and found.outcome.auc > 0.7
    rows = pd.concat([known.prospects(day) for day in found.split.final], ignore_index=True)
    after = [known.prospect_outcome(day, 30) for day in found.split.final]
    orders, revenue = (np.concatenate(part) for part in zip(*after, strict=True))
    said = found.model.predict(rows)
    assert found.bought == (orders > 0).sum() and found.prospects == len(rows) == 3 * 700
    assert said[:, PROBABILITY].sum() == pytest.approx((orders > 0).sum(), rel=1e-3)
    assert said[:, ORDERS].sum() == pytest.approx(orders.sum(), rel=1e-3)
    assert said[:, REVENUE].sum() == pytest.approx(revenue.sum(), rel=1e-3)
    assert "prospects, 30 days: trees and line, ROC AUC 0." in told(found) and "beats the base rate" in told(found)


def test_the_interval_holds_four_of_five_of_who_ordered_and_is_nothing_where_nothing_is_likely(planted):
    found, known = planted
    assert found.outcome.metrics[BLEND]["coverage_80"] > 0.75
    rows = pd.concat([known.prospects(day) for day in found.split.final], ignore_index=True)
    revenue = np.concatenate([known.prospect_outcome(day, 30)[1] for day in found.split.final])
    said = found.model.predict(rows)
    assert np.isfinite(said).all() and (said[:, LOW] <= said[:, HIGH]).all()
    assert (said[said[:, PROBABILITY] < 0.2, HIGH] == 0).all()
    model = found.model
    low, high = model.interval.bounds(np.ones(1), np.array([model.revenue]))
    spent = revenue[revenue > 0]
    assert ((spent >= low) & (spent <= high)).mean() == pytest.approx(0.8, abs=0.06)


def test_reasons_name_the_visits(planted):
    found, known = planted
    reasons = Explained(found.model.answer).reasons(known.prospects(AS_OF))
    assert pd.Series([row[0]["reason"] for row in reasons]).mode()[0] == "visit_days_30d"
    assert all(0 < len(row) <= 3 for row in reasons)


def test_where_nothing_tells_who_orders_the_base_rate_does():
    by = split()
    found = learned(by, past(by, base=-1.5, driver=0.0))
    assert found.outcome.chosen == BASE_RATE and found.model.answer.rate == pytest.approx(expit(-1.5), abs=0.03)
    assert "the base rate" in told(found) and "which nothing learned beat" in told(found)


def test_where_few_were_seen_the_base_rate_is_taken_without_a_contest():
    by = split()
    found = learned(by, past(by, people=60))
    assert found.outcome.chosen == BASE_RATE and not found.outcome.metrics
    assert found.model.interval is None and np.isnan(found.model.predict(past(by).prospects(AS_OF))[:, LOW]).all()
    assert "only 120 rows to judge by, wanted 200" in told(found)


def test_where_nobody_ordered_yet_whoever_does_brings_a_customers_usual_day():
    by = split()
    found = learned(by, past(by, base=-50, driver=0.0))
    said = found.model.predict(past(by).prospects(AS_OF))
    one_more = 1 / (3 * 700 + 2)  # nothing is impossible
    assert said[0, :3] == pytest.approx([one_more, one_more, 40 * one_more])


def test_where_there_was_no_prospect_there_is_no_model():
    by = split()
    with pytest.raises(NoModelError, match="nobody was known without an order"):
        learned(by, past(by, people=0))


def test_days_beyond_those_that_were_learned_from_are_like_them():
    rate = BaseRate()
    rate.rate = 0.1
    model = Prospects(rate, BEHAVIOUR, 180, 60, orders=1.5, revenue=50.0, interval=Interval())
    said = model.predict(nobody(1))[0]
    assert said[PROBABILITY] == pytest.approx(1 - 0.9**3)
    assert (said[ORDERS], said[REVENUE]) == (pytest.approx(3 * 0.1 * 1.5), pytest.approx(3 * 0.1 * 50))
    assert said[LOW] == 0 < said[HIGH]


def test_a_row_is_what_the_contract_takes():
    likely, rare = BaseRate(), BaseRate()
    likely.rate, rare.rate = 0.75, 1e-9
    model = ByHorizon(
        [30, 90], [Prospects(likely, BEHAVIOUR, 30, 30, 1.2, 33.333, Interval()), Prospects(rare, BEHAVIOUR)]
    )
    batch = nobody(2).assign(customer_id=["ann", "bob"])
    first, last = scored(batch, 30, model), scored(batch, 90, model)
    assert first["buy_probability"].tolist() == [0.75, 0.75] and first["ltv"].tolist() == [25.0, 25.0]
    assert first["expected_order_value"].tolist() == [27.78, 27.78]  # 25 by 0.9 order days
    assert first["next_order_in"].tolist() == [15, 15]  # half of them, as a quarter is left after 30 days
    assert (first["ltv_low"] <= first["ltv_high"]).all() and first["ltv_reasons"].tolist() == [[], []]
    assert last["ltv_low"].isna().all() and last["next_order_in"].isna().all()
    assert last[["buy_probability", "ltv", "expected_order_value"]].to_numpy().tolist() == [[0, 0, 0]] * 2


def test_a_challenger_must_be_no_worse_over_each_horizon(planted):
    found, _ = planted
    long = replace(found, split=replace(found.split, horizon_days=90))
    both = [found, long]
    model = ByHorizon([30, 90], [found.model, long.model])
    before = parse_in_use(1, tags_of(both, AS_OF), model)
    assert {h: (one.chosen, one.as_of) for h, one in before.items()} == {30: (BLEND, AS_OF), 90: (BLEND, AS_OF)}

    assert decide(both, {}).why == "there was no champion"
    assert decide(both, before).is_promoted
    weak = replace(long, outcome=replace(long.outcome, chosen=BASE_RATE))
    refused = decide([found, weak], before)
    assert not refused.is_promoted and refused.why == "it is but a rule, and version 1 is a model"
    assert parse_in_use(1, {}, model) == {}, "nothing is known of a version that `train` did not make"


def test_what_cannot_be_learned_is_a_note_and_stops_nobody(monkeypatch):
    def breaks(*_, **__):
        raise ValueError("the line does not converge")

    monkeypatch.setattr("cdp.models.prospects.training.learn", breaks)
    run, ground = SimpleNamespace(as_of=AS_OF), SimpleNamespace(splits=[split()])
    notes = train_prospects(run, ModelsConfig(), None, None, ground, {}, {})
    assert notes == [
        "prospects, 30 days: no model, the line does not converge",
        "no cdp_prospects is registered; one that was before stays in use",
    ]
    off = ModelsConfig(prospects=False)
    assert train_prospects(run, off, None, None, ground, {}, {}) == [] and champion(None, off) == (None, [])


def test_a_champion_of_another_version_of_the_library_scores_nobody_and_it_is_said():
    class Foreign:
        def champions(self, names):
            return dict.fromkeys(names, 3)

        def load(self, name, number):
            raise ForeignModelError(f"{name}/{number} was made by another version of this library")

    found, (note,) = champion(Foreign(), ModelsConfig())
    assert found is None and note.startswith("prospects are not scored: cdp_prospects/3 was made by another version")
