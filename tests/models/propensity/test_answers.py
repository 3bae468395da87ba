"""Encoding, leaks, contest and reasons, on made-up rows without Spark."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdp.models.propensity.answers import (
    BASE_RATE,
    BLEND,
    SILENCE_RULE,
    BaseRate,
    Blend,
    Explained,
    PropensityModel,
    SilenceRule,
)
from cdp.models.propensity.contest import contest, suspects
from cdp.models.propensity.encoding import Encoder
from cdp.models.propensity.leaks import leaking_features
from cdp.models.propensity.promotion import InUse, decide
from cdp.models.propensity.rows import Rows, parts_by_customer, parts_in_time
from cdp.models.propensity.scoring import scorer
from cdp.models.propensity.windows import windows

DAY = date(2026, 1, 31)


def made_up(size=1200, cutoffs=4, signal=True, seed=3):
    """Customers at several cut-offs; it happens to those with many visits and to those on plan `trial`, or by chance."""
    rng = np.random.default_rng(seed)
    n = size * cutoffs
    visits = rng.poisson(2, n).astype(float)
    plan = rng.choice(["trial", "basic", "pro"], n, p=[0.2, 0.5, 0.3])
    table = pd.DataFrame({"visits": visits, "plan": plan, "noise": rng.normal(size=n), "target_days_since": np.where(rng.random(n) < 0.5, np.nan, rng.integers(0, 90, n))})  # fmt: skip
    odds = -3 + 0.8 * visits + 2 * (plan == "trial") if signal else np.full(n, -1.0)
    happened = (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(float)
    days = np.repeat([DAY - timedelta(days=30 * i) for i in range(cutoffs)], size)
    return Rows(table, np.tile(np.arange(size), cutoffs), days, happened)


def held(rows):
    days = sorted(set(rows.cutoff), reverse=True)
    parts = parts_in_time(rows, [(days[1:], days[0]), (days[2:], days[1])])
    return contest(rows, rows.of_days(days), parts, (), seed=42)


def test_a_planted_signal_is_found_and_beats_both_rules():
    found = held(made_up())
    assert found.chosen == BLEND and not found.is_rule
    assert found.auc > 0.8
    assert set(found.metrics) == {BASE_RATE, SILENCE_RULE, BLEND}
    assert found.metrics[BLEND]["calibration_error"] < 0.05


def test_without_a_signal_a_rule_is_registered():
    found = held(made_up(signal=False))
    assert found.chosen == BASE_RATE and found.is_rule
    assert isinstance(found.answer, BaseRate) and 0.2 < found.answer.rate < 0.35


def test_without_a_back_test_nothing_is_claimed():
    rows = made_up(cutoffs=1)
    found = contest(rows, rows, [], (), seed=42)
    assert found.chosen == BASE_RATE and found.metrics == {} and found.auc is None


def test_a_rule_by_silence_wins_where_silence_is_all_there_is():
    rows = made_up(signal=False)
    silence = rows.table["target_days_since"]
    rng = np.random.default_rng(0)
    happened = (rng.random(len(rows)) < np.where(silence < 45, 0.7, 0.1)).astype(float)
    alone = Rows(rows.table[["target_days_since"]], rows.customer, rows.cutoff, happened)
    assert held(alone).chosen in (SILENCE_RULE, BLEND)
    assert SilenceRule().fit(alone.table, happened).predict(alone.table)[silence.isna()].std() == 0


def test_the_silence_rule_counts_as_a_slow_one_does():
    rows = made_up(size=50, cutoffs=2)
    rule = SilenceRule().fit(rows.table, rows.happened)
    told = rule.predict(rows.table)
    silence = rows.table["target_days_since"].to_numpy()
    for i in range(len(rows)):
        alike = [
            j
            for j in range(len(rows))
            if (np.isnan(silence[i]) and np.isnan(silence[j]))
            or (
                not np.isnan(silence[i])
                and not np.isnan(silence[j])
                and sum(e <= silence[i] for e in rule.edges_) == sum(e <= silence[j] for e in rule.edges_)
            )
        ]
        assert told[i] == pytest.approx((sum(rows.happened[j] for j in alike) + 1) / (len(alike) + 2))


def test_the_mean_probability_is_the_share_learned_from():
    rows = made_up()
    blend = Blend(slope=0.8).fit(rows.table, rows.happened)
    assert blend.predict(rows.table).mean() == pytest.approx(rows.happened.mean(), abs=1e-6)


def test_reasons_add_up_to_the_log_odds_of_every_row():
    rows = made_up(size=300)
    blend = Blend(slope=0.9).fit(rows.table, rows.happened)
    explained = Explained(blend)
    rest = blend.slope * blend.mean_odds(rows.table) - explained.effects(rows.table).sum(axis=1)
    assert np.ptp(rest) < 1e-6, "what is left is the same for all: the answer of a usual row"


def test_reasons_name_the_value_of_a_text_and_the_number_of_a_number():
    rows = made_up()
    blend = Blend().fit(rows.table, rows.happened)
    table = pd.DataFrame({"visits": [9.0], "plan": ["trial"], "noise": [0.0], "target_days_since": [np.nan]})
    first, second, *_ = Explained(blend).reasons(table)[0]
    assert (first["reason"], first["value"]) == ("visits", 9.0) and first["effect"] > 1
    assert (second["reason"], second["value"]) == ("plan = trial", None) and second["effect"] > 0.5


def test_scores_of_a_batch_are_those_of_its_rows_alone():
    rows = made_up(size=300)
    model = PropensityModel(Blend().fit(rows.table, rows.happened))
    batch = rows.table.assign(customer_id=[f"c{i}" for i in range(len(rows))])
    (whole,) = scorer(model, {}, True)(iter([batch]))
    (alone,) = scorer(model, {}, True)(iter([batch.iloc[7:8].reset_index(drop=True)]))
    assert whole.iloc[7].to_dict() == alone.iloc[0].to_dict()
    (without,) = scorer(model, {}, False)(iter([batch]))
    assert all(reasons == [] for reasons in without["reasons"])


def test_columns_that_are_not_there_any_more_count_as_missing():
    rows = made_up(size=300)
    blend = Blend().fit(rows.table, rows.happened)
    told = blend.predict(rows.table[["visits"]])
    assert np.isfinite(told).all() and told.std() > 0


# -- encoding


def test_texts_have_a_column_for_each_frequent_value_and_one_for_the_others():
    plan = ["a"] * 60 + ["b"] * 30 + ["only me"] + [None] * 9
    table = pd.DataFrame({"plan": plan, "same": ["x"] * 100, "name": [f"n{i}" for i in range(100)]})
    encoder = Encoder().fit(table)
    assert encoder.levels == {"plan": ["a", "b"]}, "what one person alone has is not in a model"
    found = encoder.transform(table)
    assert list(found) == ["plan = a", "plan = b", "plan is another"]
    assert found.sum().tolist() == [60, 30, 1]
    assert list(encoder.label(table, "plan")[[0, 90, 99]]) == ["plan = a", "plan = another", "plan = missing"]


def test_texts_that_are_numbers_are_numbers_and_missing_ones_are_marked():
    table = pd.DataFrame({"charge": [str(i) for i in range(98)] + ["?", None]})
    encoder = Encoder().fit(table)
    found = encoder.transform(table)
    assert encoder.levels == {} and list(found) == ["charge", "charge is known"]
    assert found["charge"].isna().sum() == 2 and found["charge is known"].sum() == 98


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(st.one_of(st.none(), st.text(max_size=3)), st.one_of(st.none(), st.floats(), st.just(1e300))),
        min_size=1,
        max_size=60,
    )
)
def test_any_table_becomes_finite_or_missing_numbers(rows):
    table = pd.DataFrame(rows, columns=["text", "number"])
    encoder = Encoder().fit(table)
    found = encoder.transform(table)
    assert len(found) == len(table) and not np.isinf(found.to_numpy(dtype=float)).any()
    assert len(encoder.sources()) == found.shape[1]
    assert set(encoder.sources()) == set(range(len(encoder.features)))


# -- leaks


def test_a_feature_that_follows_from_the_outcome_is_left_out_and_told():
    rows = made_up(cutoffs=1)
    happened = rows.happened
    reason = np.where(happened > 0, np.array(["moved", "price"])[rows.customer % 2], None)
    between = np.where(happened > 0, 0.0, np.where(rows.customer % 2, -1.0, 1.0)) + rows.table["noise"] / 100
    table = rows.table.assign(churn_reason=reason, between=between)
    assert set(leaking_features(table, happened)) == {"churn_reason", "between"}
    out, notes = suspects(table, happened, kept=["between"], ignored=[])
    assert out == ["churn_reason"]
    assert any("churn_reason is left out" in n for n in notes) and any("between" in n and "stays" in n for n in notes)
    assert suspects(table, happened, kept=[], ignored=["churn_reason", "between"]) == ([], [])


def test_a_column_with_a_value_of_its_own_for_each_row_is_no_leak():
    rows = made_up(cutoffs=1)
    assert leaking_features(pd.DataFrame({"id": [f"i{i}" for i in range(len(rows))]}), rows.happened) == {}


# -- windows and folds


@settings(max_examples=100)
@given(st.integers(1, 120), st.integers(0, 900), st.integers(1, 8), st.integers(1, 60), st.integers(1, 5))
def test_no_back_test_learns_what_was_not_known_on_its_day(window, history, count, step, backtests):
    earliest = DAY - timedelta(days=history)
    found = windows(window, earliest=earliest, as_of=DAY, count=count, step_days=step, backtests=backtests)
    if found is None:
        assert history < window
        return
    ahead = timedelta(days=window)
    assert all(earliest <= day <= DAY - ahead for day in found.final)
    assert len(found.folds) <= backtests and all(learn for learn, _ in found.folds)
    for learn, judge in found.folds:
        assert judge + ahead <= DAY
        assert all(earliest <= day and day + ahead <= judge for day in learn)
    assert bool(found.folds) == (history >= 2 * window)


def test_by_customer_nobody_is_judged_by_what_they_taught():
    rows = made_up(size=100, cutoffs=3)
    parts = parts_by_customer(rows)
    assert sum(len(part.judge) for part in parts) == len(rows)
    assert all(not set(part.learn.customer) & set(part.judge.customer) for part in parts)


# -- promotion


def test_a_challenger_takes_the_place_of_what_it_is_not_worse_than():
    rows = made_up()
    found = held(rows)
    model = PropensityModel(found.answer, tuple(rows.table))
    weak = PropensityModel(BaseRate().fit(rows.table, rows.happened), ())
    early, late = DAY - timedelta(days=90), DAY + timedelta(days=90)

    assert decide(found, "a", model, None).is_promoted
    assert decide(found, "a", model, InUse(1, "b", late, BLEND, 0.99, weak)).why.startswith(
        "version 1 predicts something else"
    )
    assert "better" in decide(found, "a", model, InUse(1, "a", early, BASE_RATE, 0.5, weak)).why
    assert "newer data" in decide(found, "a", model, InUse(1, "a", late, BLEND, 0.85, model)).why
    fallen = decide(held(made_up(signal=False)), "a", weak, InUse(1, "a", early, BLEND, 0.85, model))
    assert not fallen.is_promoted and "but a rule" in fallen.why
    worse = contest(rows, rows, parts_in_time(rows, [([DAY - timedelta(days=30)], DAY)]), ("visits",), seed=1)
    decision = decide(worse, "a", model, InUse(1, "a", early, BLEND, 0.7, model))
    assert not decision.is_promoted and "it is worse" in decision.why
