"""The report's section about models, from literal readings."""

from datetime import date

from cdp.measure.config import MeasureConfig
from cdp.measure.facts import Facts
from cdp.measure.model_sections import models
from cdp.measure.page import Section
from cdp.measure.tallies import Tally
from tests.measure.test_kpis import tallies

ON = 1769817600.0  # 31 January 2026


def reading(check, model, horizon, subject, status, value, customers=1000.0) -> Tally:
    return Tally((check, model, horizon, subject, status), (value, customers), ON)


def section(*found: Tally) -> Section:
    facts = Facts(
        tallies(health=list(found)),
        [],
        frozenset({"gold.model_health"}),
        MeasureConfig(),
        "EUR",
        date(2026, 1, 31),
        "run1",
    )
    return models(facts)


def test_models_features_and_what_came_true_are_told() -> None:
    then = "ok 2025-11-02"
    found = section(
        reading("held_back", "all", None, None, "ok", 0.0),
        reading("mean_score", "cdp_churn/5", "90", "churn_probability", "ok", 0.61),
        reading("score_drift", "cdp_churn/5", "90", "churn_probability", "warn", 0.3),
        reading("model_age_days", "cdp_churn/5", None, None, "ok", 30.0),
        reading("mean_score", "cdp_ltv/3", "90", "ltv", "ok", 41.5),
        reading("feature_drift", "cdp_churn/5", None, "revenue_30d", "warn", 0.4),
        reading("feature_drift", "cdp_ltv/3", None, "revenue_30d", "ok", 0.05),
        reading("realised_auc", "cdp_churn/4", "90", None, then, 0.8),
        reading("value_error", "cdp_ltv/2", "90", None, then, -0.25),
        reading("decile_predicted", "cdp_churn/4", "90", "01", then, 0.9),
        reading("decile_realised", "cdp_churn/4", "90", "01", then, 0.8),
        reading("decile_predicted", "cdp_ltv/2", "90", "01", then, 120.0),
        reading("decile_realised", "cdp_ltv/2", "90", "01", then, 90.0),
    )
    in_use, drift, came_true, tenths = found.grids
    assert found.intro.startswith("The scores of 31 January 2026 were given out.")
    assert [list(row) for row in in_use.rows] == [
        ["cdp_churn/5", "30", "90", "1,000", "61.0 %", "0.30", "look at it"],
        ["cdp_ltv/3", "–", "90", "1,000", "41.50", "–", "–"],
    ]
    assert [list(row) for row in drift.rows] == [["revenue_30d", "0.40", "look at it"]]
    assert [list(row) for row in came_true.rows] == [["2025-11-02", "90", "1,000", "0.800", "–", "-25.0 %", "–", "–"]]
    assert [list(row) for row in tenths.rows] == [["1", "90.0 %", "80.0 %", "€120.00", "€90.00"]]


def test_scores_that_were_held_back_are_said_to_be() -> None:
    found = section(reading("held_back", "all", None, None, "ok", 1.0))
    assert "were held back: the last good predictions stay" in found.intro and found.grids == []


def test_without_a_scoring_the_section_says_which_job_makes_one() -> None:
    facts = Facts(tallies(), [], frozenset(), MeasureConfig(), "EUR", date(2026, 1, 31), "run1")
    assert models(facts).missing == "Not computed: this lake has no gold.model_health yet. The job score writes it."
