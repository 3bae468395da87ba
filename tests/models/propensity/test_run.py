"""Train, score and use propensities on an invented service: what a user of the lake relies on."""

import re
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from chispa import assert_df_equality

from cdp.base.console import Console
from cdp.base.lake import Lake
from cdp.base.settings import ConfigFolder
from cdp.base.stage import Run
from cdp.conditions.clock import Clock
from cdp.models.config import load_models_config
from cdp.models.propensity.run import score_propensities, train_propensities
from cdp.models.registry import Registry
from cdp.models.run import score
from cdp.segments.frame import customer_frame
from cdp.segments.load import catalogue_of
from cdp.segments.run import run_segments
from cdp.tables.gold import EFFECTIVE_CONSENT, PROFILES, PROPENSITIES, SEGMENT_MEMBERS, TIMELINE
from tests.models.propensity.conftest import AS_OF, contracts, happened, service

CONF = """
training: {cutoffs: 2, backtests: 1, min_history_days: 30}
propensities:
  - name: will_subscribe
    training:
      predict: {event: Subscription Started}
      predict_window_days: 30
      min_positives: 20
    prediction: {output_columns: {percentile: subscribe_place}}
  - name: will_subscribe_yearly
    training:
      predict: {event: Subscription Started, properties: {plan: lifetime}}
  - name: rare
    training:
      predict: {event: Pricing Viewed, properties: {source: billboard}}
      min_positives: 20
  - name: will_cancel
    training:
      predict: {profile: attributes.status, equals: cancelled}
      min_positives: 20
"""
SEGMENT = """
name: likely
rule:
  type: And
  conditions:
    - {type: Value, attribute: propensities.subscribe_place, operator: {type: GreaterEqual, value: 0.9}}
    - {type: Value, attribute: propensities.will_subscribe.score, operator: {type: Greater, value: 0.01}}
"""
OBJECTOR = "person0001"


@pytest.fixture(scope="module")
def trained(spark, fill, tmp_path_factory):
    """The service, trained and scored once: the run, the notes of both."""
    folder = tmp_path_factory.mktemp("service")
    conf = folder / "conf"
    (conf / "segments").mkdir(parents=True)
    (conf / "models.yaml").write_text(CONF, encoding="utf-8")
    (conf / "segments" / "likely.yaml").write_text(SEGMENT, encoding="utf-8")
    run = Run(
        run_id="test", job="train", as_of=AS_OF, started_at=datetime(2026, 2, 1, 3), lake=Lake(spark, str(folder / "lake")),
        config=ConfigFolder(conf), landing="", console=Console("quiet"),
    )  # fmt: skip
    rare = [
        happened(
            f"person{i:04d}",
            AS_OF - timedelta(days=150 + i),
            "Pricing Viewed",
            reference=f"rare{i}",
            properties={"source": "billboard"},
        )
        for i in range(5)
    ]
    run.lake.replace(TIMELINE, fill(TIMELINE, *service(), *rare).coalesce(1))
    run.lake.replace(PROFILES, fill(PROFILES, *contracts()).coalesce(1))
    refused = {"customer_id": OBJECTOR, "purpose": "profiling", "status": "denied", "is_allowed": False}
    run.lake.replace(EFFECTIVE_CONSENT, fill(EFFECTIVE_CONSENT, refused))
    config, registry = load_models_config(run.config), Registry(run.lake, None)
    notes = train_propensities(run, config, registry)
    return run, notes, score_propensities(run, config, registry)


def note_on(notes, name):
    (found,) = [note for note in notes if note.startswith(f"propensity {name}")]
    return found


def test_a_planted_signal_is_found_and_the_run_says_what_it_beats(trained):
    _, notes, _ = trained
    told = note_on(notes, "will_subscribe (")
    assert "Subscription Started within 30 days): trees and line, ROC AUC 0." in told
    assert "beats the base rate (0.500) and the rule by silence" in told
    assert "cdp_propensity_will_subscribe/1 is champion" in told


def test_what_cannot_be_learned_is_said_and_the_others_go_on(trained):
    _, notes, _ = trained
    assert "Subscription Started never happened by 2026-01-31" in note_on(notes, "will_subscribe_yearly")
    assert "no model" in note_on(notes, "rare") and "wanted min_positives 20" in note_on(notes, "rare")


def test_a_status_is_learned_from_a_snapshot_and_says_so(trained):
    run, notes, _ = trained
    told = note_on(notes, "will_cancel")
    assert "exit_survey is left out: alone it has ROC AUC 1.000" in told
    assert "judged by other customers, not by time" in told
    auc = re.search(r"trees and line, ROC AUC (0\.\d+)", told)
    assert auc and 0.65 < float(auc[1]) < 0.85
    rows = run.lake.read(PROPENSITIES).where("model = 'will_cancel'").toPandas()
    active = {c["customer_id"] for c in contracts() if c["attributes"]["status"] == "active"}
    assert set(rows["customer_id"]) == active - {OBJECTOR}
    assert rows["horizon_days"].isna().all()
    monthly = {c["customer_id"] for c in contracts() if c["attributes"]["contract"] == "monthly"}
    is_monthly = rows["customer_id"].isin(monthly)
    assert rows[is_monthly]["score"].min() > rows[~is_monthly]["score"].mean()
    first = [reasons[0]["reason"] for reasons in rows[is_monthly]["reasons"]]
    assert first.count("attributes.contract = monthly") > len(first) / 2


def test_everybody_with_any_trace_is_scored_but_those_who_object(trained):
    run, _, (written, notes) = trained
    rows = run.lake.read(PROPENSITIES)
    assert written == rows.count() and notes[0] == f"{written:,} scores of 2 propensities"
    scored = rows.where("model = 'will_subscribe'").toPandas()
    assert set(scored["customer_id"]) == {row["customer_id"] for row in service()} - {OBJECTOR}
    assert rows.where("isnan(score) OR isnan(percentile)").count() == 0
    assert (scored["model_version"] == "cdp_propensity_will_subscribe/1").all() and (scored["horizon_days"] == 30).all()
    order = scored.sort_values("score", ignore_index=True)
    below = [(order["score"] < score - 1e-5).mean() for score in order["score"]]
    assert abs(order["percentile"] - below).max() < 0.02
    recent = {
        r["customer_id"]
        for r in service()
        if r["event"] == "Pricing Viewed" and r["occurred_at"].date() > AS_OF - timedelta(days=10)
    }
    is_recent = scored["customer_id"].isin(recent)
    assert scored[is_recent]["score"].mean() > 3 * scored[~is_recent]["score"].mean()
    assert (
        scored[is_recent]["reasons"].map(lambda reasons: any("Pricing Viewed" in r["reason"] for r in reasons)).mean()
        > 0.8
    )


def test_what_happens_later_and_who_objects_change_nothing(trained, fill):
    run, notes, _ = trained
    version = run.lake.version(PROPENSITIES)
    before = run.lake.read(PROPENSITIES, version=version).where("model = 'will_subscribe'")
    later = [happened(f"person{i:04d}", AS_OF + timedelta(days=1 + i % 9), "Subscription Started") for i in range(250)]
    objects = [happened(OBJECTOR, AS_OF - timedelta(days=i), "Subscription Started") for i in range(40)]
    run.lake.append(TIMELINE, fill(TIMELINE, *later, *objects))
    every, registry = load_models_config(run.config), Registry(run.lake, None)
    config = every.model_copy(update={"propensities": every.propensities[:1]})
    again = train_propensities(run, config, registry)
    score_propensities(run, config, registry)
    told = note_on(again, "will_subscribe (")
    assert told.split(";")[0] == note_on(notes, "will_subscribe (").split(";")[0]
    assert "will_subscribe/2 is champion" in told
    after = run.lake.read(PROPENSITIES)
    assert_df_equality(after.drop("model_version"), before.drop("model_version"), ignore_row_order=True)


def test_nothing_of_a_customer_enters_the_store(trained):
    run, *_ = trained
    files = [p for p in run.lake.local_path("mlflow").rglob("*") if p.is_file()]
    assert any(p.name == "model.skops" for p in files)
    assert not [p for p in files if b"person0" in p.read_bytes()]


def test_segments_ask_for_scores_and_places_by_name(trained):
    run, *_ = trained
    found = run_segments(replace(run, job="segment"))
    assert found.broken_rules == ()
    likely = run.lake.read(SEGMENT_MEMBERS).where("segment = 'likely'").toPandas()
    rows = (
        run.lake.read(PROPENSITIES).where("model = 'will_subscribe' AND percentile >= 0.9 AND score > 0.01").toPandas()
    )
    assert set(likely["customer_id"]) == set(rows["customer_id"]) and len(likely) > 10


def test_a_segment_on_a_propensity_without_scores_fails_in_place_of_being_empty(trained):
    run, *_ = trained
    path = run.config.path / "segments" / "likely.yaml"
    path.write_text(SEGMENT.replace("propensities.will_subscribe.score", "propensities.rare"), encoding="utf-8")
    try:
        assert "nobody is scored by propensity rare" in run_segments(run).broken_rules[0]
    finally:
        path.write_text(SEGMENT, encoding="utf-8")


def test_the_frame_of_customers_has_a_score_once_a_customer(trained, fill):
    run, *_ = trained
    catalogue = catalogue_of(run.config)
    wanted = [catalogue.find("propensities.will_subscribe"), catalogue.find("propensities.will_cancel.percentile")]
    rows = fill(
        PROPENSITIES,
        {"customer_id": "ann", "model": "will_subscribe", "score": 0.25, "percentile": 0.5},
        {"customer_id": "ann", "model": "will_cancel", "score": 0.75, "percentile": 0.875},
        {"customer_id": "bob", "model": "will_subscribe", "score": 0.125, "percentile": 0.25},
    )
    profiles = fill(PROFILES, {"customer_id": "ann"}, {"customer_id": "bob"}, {"customer_id": "cleo"})
    found = customer_frame(
        {"profile": profiles, "propensities": rows}, attributes=wanted, behaviors={}, clock=Clock(AS_OF)
    )
    told = {
        r["customer_id"]: (r["propensities__will_subscribe"], r["propensities__will_cancel__percentile"])
        for r in found.collect()
    }
    assert told == {"ann": (0.25, 0.875), "bob": (0.125, None), "cleo": (None, None)}


def test_a_changed_configuration_scores_nobody_with_the_old_model(trained, tmp_path):
    run, *_ = trained
    (tmp_path / "models.yaml").write_text(
        CONF.replace("predict_window_days: 30", "predict_window_days: 60"), encoding="utf-8"
    )
    config = ConfigFolder(tmp_path)
    rows, notes = score_propensities(replace(run, config=config), load_models_config(config), Registry(run.lake, None))
    assert "the configuration has changed since cdp_propensity_will_subscribe" in note_on(notes, "will_subscribe:")
    assert rows == run.lake.read(PROPENSITIES).where("model = 'will_cancel'").count() > 0


def test_scores_of_propensities_that_are_gone_are_taken_away(trained, tmp_path):
    run, *_ = trained
    (tmp_path / "models.yaml").write_text("recommendations: false", encoding="utf-8")
    score(replace(run, config=ConfigFolder(tmp_path)))
    assert run.lake.read(PROPENSITIES).count() == 0
