"""From counts to a verdict: what is planted is found and only that, what is dangerous holds back, and why is said."""

import math
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from cdp.models.watch.config import Limit, WatchConfig
from cdp.models.watch.health import ERROR, TOO_FEW, Health, Watched
from cdp.models.watch.past import Past, past
from cdp.models.watch.realised import Kept, Realised
from cdp.models.watch.verdict import Verdict, verdict
from tests.models.watch.conftest import AS_OF, CHURN, LTV, counted, customers, models, scores_of

THEN, SAID = customers(2000, 1), scores_of(2000, 1)
NOW, SAYS = customers(1500, 2), scores_of(1500, 2)
TRAINED = models(THEN, SAID)
DEFAULT = WatchConfig()


def judge(
    features: pd.DataFrame = NOW, scores: pd.DataFrame = SAYS, before: Past | None = None, config: WatchConfig = DEFAULT,
    judged: tuple[Realised, ...] = (), watched: list[Watched] = TRAINED, as_of: date = AS_OF,
) -> Verdict:  # fmt: skip
    found = verdict(counted(features, scores, watched), judged, before or Past(), watched, config, as_of=as_of)
    numbers = [n for row in found.rows for n in (row.value, row.warn_at, row.error_at) if n is not None]
    assert all(math.isfinite(n) for n in numbers)
    readings = [row.reading for row in found.rows]
    assert len(set(readings)) == len(readings)
    return found


def of(found: Verdict, check: str, **more) -> list[Health]:
    return [r for r in found.rows if r.check == check and all(getattr(r, k) == v for k, v in more.items())]


def past_of(*days: Verdict, as_of: date = AS_OF + timedelta(days=1)) -> Past:
    rows = [row._asdict() for found in days for row in found.rows]
    return past(rows, as_of=as_of, compare_within_days=31)


def test_the_same_kind_of_customers_gives_no_alarm():
    found = judge()
    assert {r.status for r in found.rows} == {"ok", TOO_FEW}
    assert {r.check for r in found.rows if r.status == TOO_FEW} == {
        "scored_customers_change",
        "score_jump",
        "share_equal",
    }
    assert [r.subject for r in found.rows if r.check == "share_equal" and r.status == TOO_FEW] == ["channels"] * 2
    assert not found.held_back and found.broken_rules == () and found.notes == ()


def test_planted_drift_is_found_where_it_is_and_holds_nothing_back():
    busy = NOW.assign(revenue=NOW["revenue"] * 3)
    found = judge(busy)
    assert {(r.check, r.subject) for r in found.rows if r.status == "warn"} == {("feature_drift", "revenue")}
    assert not found.held_back and found.broken_rules == ()
    (note,) = found.notes
    assert note.startswith("1 of 4 features are far from those of the training (PSI from 0.25 on): revenue ")


def test_a_feed_that_broke_holds_the_scores_back_and_is_named():
    found = judge(NOW.assign(gap=np.nan, visits=0.0))
    assert {(r.check, r.subject) for r in found.rows if r.status == ERROR} == {
        ("share_missing", "gap"),
        ("share_equal", "visits"),
    }
    assert found.held_back and of(found, "held_back")[0].value == 1
    assert [rule.split(";")[0] for rule in found.broken_rules] == ["share_missing: gap 1", "share_equal: visits 1"]
    assert "HELD BACK: share_missing, share_equal; gold.predictions stays" in found.notes[0]
    assert "release_until: 2026-01-31" in found.notes[1]


def test_what_somebody_has_looked_at_and_found_right_is_given_out():
    config = WatchConfig(release_until=AS_OF)
    found = judge(NOW.assign(gap=np.nan), config=config)
    assert not found.held_back and found.broken_rules == ()
    assert any(note.startswith("released until 2026-01-31: share_missing: gap") for note in found.notes)
    assert judge(NOW.assign(gap=np.nan), config=config, as_of=AS_OF + timedelta(days=1)).held_back


def test_a_feature_that_is_ignored_is_not_judged_and_one_that_does_not_exist_is_said():
    found = judge(NOW.assign(gap=np.nan), config=WatchConfig(ignore_features=("gap", "revenu")))
    assert not found.held_back and of(found, "share_missing", subject="gap") == []
    assert found.notes == ("watch.ignore_features: revenu is no feature of the models; did you mean revenue?",)


def test_amounts_in_another_unit_hold_the_scores_back_as_long_as_they_last():
    good = judge()
    cents = SAYS.assign(ltv=SAYS["ltv"] * 100)
    next_day, after = AS_OF + timedelta(days=1), AS_OF + timedelta(days=2)
    broken = judge(scores=cents, before=past_of(good), as_of=next_day)
    assert broken.held_back
    (jump,) = of(broken, "score_jump", status=ERROR)
    assert jump.model == LTV and jump.value == pytest.approx(99, rel=0.01)
    assert broken.broken_rules[0].startswith("score_jump: cdp_ltv/3 ltv, 90 days: 99 (new); the mean score")
    assert f"stays as of {AS_OF}" in broken.notes[0]

    still = judge(scores=cents, before=past_of(good, broken, as_of=after), as_of=after)
    assert still.held_back, "a break does not become normal by lasting"
    assert f"HELD BACK, as since {next_day}" in still.notes[0] and f"(as on {next_day})" in still.broken_rules[0]

    mended = judge(before=past_of(good, broken, still, as_of=after), as_of=after)
    assert not mended.held_back and mended.notes == ()


def test_a_new_version_may_say_something_else():
    good = judge()
    other = models(THEN, SAID)
    other[0] = Watched("cdp_ltv/4", "ltv", (90,), other[0].reference)
    found = judge(scores=SAYS.assign(ltv=SAYS["ltv"] * 100), before=past_of(good), watched=other)
    assert not found.held_back
    assert [r.status for r in of(found, "score_jump", model="cdp_ltv/4")] == [TOO_FEW]


def test_customers_who_are_gone_hold_back_and_new_ones_do_not():
    good = judge()
    half, more = (customers(n, 2) for n in (700, 4000))
    found = judge(half, scores_of(700, 2), before=past_of(good))
    assert found.held_back and of(found, "scored_customers_change")[0].value == pytest.approx(700 / 1500 - 1)
    assert not judge(more, scores_of(4000, 2), before=past_of(good)).held_back
    nobody = judge(NOW[:0], SAYS[:0], before=past_of(good))
    assert nobody.held_back and of(nobody, "scored_customers_change")[0].value == -1


def test_a_scoring_long_ago_is_not_compared_with():
    good = judge()
    later = AS_OF + timedelta(days=32)
    found = judge(scores=SAYS.assign(ltv=SAYS["ltv"] * 100), before=past_of(good, as_of=later), as_of=later)
    assert not found.held_back and {r.status for r in of(found, "score_jump")} == {TOO_FEW}


def test_few_customers_are_written_down_and_not_judged():
    found = judge(NOW[:100].assign(gap=np.nan), SAYS[:100])
    assert not found.held_back
    assert {r.status for r in found.rows if r.check in ("share_missing", "feature_drift", "score_drift")} == {TOO_FEW}
    assert of(found, "share_missing", subject="gap", model=LTV)[0].value == 1


def test_chance_alone_is_no_drift_and_the_bounds_say_what_was_used():
    few, said = customers(220, 3), scores_of(220, 3)
    rows = of(judge(few, said), "feature_drift", model=CHURN, subject="revenue")
    assert rows[0].warn_at is not None and rows[0].warn_at > 0.1 and rows[0].status == "ok"
    assert rows[0].error_at is None, "by default drift is never an error"


def test_a_model_without_a_reference_is_scored_and_said():
    bare = [Watched(w.model, w.score, w.horizons_days, None) for w in TRAINED]
    found = judge(watched=bare)
    assert {r.check for r in found.rows} == {
        "scored_customers", "scored_customers_change", "mean_score", "score_jump", "held_back",
    }  # fmt: skip
    assert "registered without reference histograms" in found.notes[0]


def test_an_old_model_is_said_to_be_old():
    found = judge(as_of=AS_OF + timedelta(days=170))
    assert {r.status for r in of(found, "model_age_days")} == {"warn"}


def came_true(n: int, *, times: float = 1.0, scored_on: date = date(2025, 11, 2), left_out: int = 0) -> Realised:
    """n customers of whom as many churned as predicted, and who spent `times` what was expected."""
    keys = np.arange(5_000, 100_000, 10_000)
    churn = pd.DataFrame({"key": keys, "customers": n // 10, "churned": (keys / 100_000 * (n // 10)).astype(int)})
    ltv = pd.DataFrame({"key": np.arange(10), "customers": n // 10})
    ltv = ltv.assign(predicted=(ltv["key"] + 1.0) * n, actual=(ltv["key"] + 1.0) * n * times)
    actual = ltv[["key", "customers", "actual"]]
    return Realised(Kept(scored_on, 90), "cdp_ltv/2", "cdp_churn/4", churn, ltv, actual, left_out, 0, n, n * 8 // 10)


def test_what_came_true_is_judged_by_tenths_and_in_all():
    found = judge(judged=(came_true(4000, times=2.0, left_out=7),))
    assert {(r.check, r.status) for r in found.rows if r.status in ("warn", ERROR)} == {("value_error", "warn")}
    (error,) = of(found, "value_error")
    assert (error.model, error.value, error.scored_on, error.horizon_days) == ("cdp_ltv/2", -0.5, date(2025, 11, 2), 90)
    (tenth,) = of(found, "decile_ratio", subject="01", model="cdp_ltv/2")
    assert (tenth.value, tenth.customers, tenth.status) == (2.0, 400, "ok")
    assert len(of(found, "decile_predicted")) == 20
    assert of(found, "coverage")[0].value == 0.8 and of(found, "customers_left_out")[0].value == 7
    assert of(found, "realised_brier")[0].warn_at == pytest.approx(0.25, abs=0.01), "that of the mean alone"
    assert found.notes == (
        "predictions of 2025-11-02 over 90 days came true for 4,000 customers; 7 are known no more: ROC AUC of churn 0.830,"
        " calibration error 0.000, total value -50% (warn), normalised Gini 1.000, 80% within the interval",
    )


def test_what_came_true_stays_in_the_newest_rows_until_newer_has():
    first = judge(judged=(came_true(4000),))
    next_day = judge(before=past_of(first), as_of=AS_OF + timedelta(days=1))
    assert of(next_day, "realised_auc") == [
        r._replace(as_of=AS_OF + timedelta(days=1)) for r in of(first, "realised_auc")
    ]
    assert next_day.notes == (), "it was said when it was new"
    newer = judge(judged=(came_true(4000, scored_on=date(2025, 11, 5)),), before=past_of(first))
    assert {r.scored_on for r in newer.rows} == {None, date(2025, 11, 5)}


def test_a_rule_that_is_marked_error_ends_the_run_with_its_name():
    config = WatchConfig(
        limits={"value_error": Limit(error=0.4, severity="error"), "feature_drift": Limit(severity="record")},
        hold_back=("value_error",),
    )
    found = judge(NOW.assign(revenue=0.0), judged=(came_true(4000, times=2.0),), config=config)
    assert found.held_back and {rule.split(":")[0] for rule in found.broken_rules} == {"value_error", "share_equal"}
    assert {(r.status, r.warn_at) for r in of(found, "feature_drift")} == {("ok", None)}


def test_too_few_of_an_outcome_are_not_judged():
    few = came_true(4000)
    nobody_left = few.churn.assign(churned=0)
    found = judge(judged=(Realised(few.kept, "l", "c", nobody_left, few.ltv, few.actual, 0, 0, 0, 0),))
    assert [r.status for r in of(found, "realised_auc")] == [TOO_FEW] and of(found, "realised_auc")[0].value is None
    assert of(found, "coverage") == []
