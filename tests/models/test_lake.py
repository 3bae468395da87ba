"""Training again on one lake: what becomes of champions, objectors, rollbacks, and a store that does not answer."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import mlflow
import numpy as np
import pytest
from chispa import assert_df_equality

from cdp.base.console import Console
from cdp.base.errors import CdpError
from cdp.base.lake import Lake
from cdp.base.settings import ConfigFolder
from cdp.base.stage import Run
from cdp.models.prospects.run import MODEL as PROSPECTS
from cdp.models.registry import Registry
from cdp.models.run import MODELS, score, train
from cdp.tables.gold import CUSTOMER_ORDERS, EFFECTIVE_CONSENT, PREDICTIONS, TIMELINE
from tests.models.conftest import AS_OF, event, order, shop

OBJECTS, STRANGER_OBJECTS = "customer0007", "stranger07"
STRANGERS = [f"stranger{number:02d}" for number in range(12)]
SETTINGS = """
horizons_days: [60]
training: {cutoffs: 2, backtests: 2, min_customers: 100}
reasons: false
recommendations: false
"""


def champions(run: Run) -> dict[str, int]:
    return Registry(run.lake, None).champions(MODELS)


def client(run: Run) -> mlflow.MlflowClient:
    return mlflow.MlflowClient(f"sqlite:///{run.lake.root}/mlflow/mlflow.db")


def refusal(customer: str) -> dict:
    said = {"status": "denied", "is_allowed": False, "captured_at": datetime(2025, 12, 1), "statements": 1}
    return {"customer_id": customer, "purpose": "profiling", "source": "crm", "as_of": AS_OF, **said}


@pytest.fixture(scope="module")
def trained(spark, fill, tmp_path_factory):
    """A shop of 300 customers and 12 who only looked, of each one objects, trained and scored as of its last day."""
    folder = tmp_path_factory.mktemp("champions")
    (folder / "conf").mkdir()
    (folder / "conf" / "models.yaml").write_text(SETTINGS, encoding="utf-8")
    run = Run(
        run_id="test", job="train", as_of=AS_OF, started_at=datetime(2026, 2, 1, 3),
        lake=Lake(spark, str(folder / "lake")), config=ConfigFolder(folder / "conf"), landing="",
        console=Console("quiet"),
    )  # fmt: skip
    run.lake.replace(CUSTOMER_ORDERS, fill(CUSTOMER_ORDERS, *shop(300, 500)).coalesce(1))
    run.lake.replace(EFFECTIVE_CONSENT, fill(EFFECTIVE_CONSENT, refusal(OBJECTS), refusal(STRANGER_OBJECTS)))
    looks = [event(who, datetime(2024, 11, 1), "Page Viewed", channel="web") for who in STRANGERS]
    run.lake.replace(TIMELINE, fill(TIMELINE, *looks))
    notes = train(run).notes
    score(run)
    return run, notes


def test_who_objects_to_profiling_is_neither_learned_from_nor_scored(trained):
    run, _ = trained
    buyers = {r["customer_id"] for r in run.lake.read(CUSTOMER_ORDERS).select("customer_id").distinct().collect()}
    scored = {r["customer_id"] for r in run.lake.read(PREDICTIONS).select("customer_id").collect()}
    assert OBJECTS in buyers and scored == {*buyers, *STRANGERS} - {OBJECTS, STRANGER_OBJECTS}
    first = client(run).get_model_version_by_alias(PROSPECTS, "champion")
    assert client(run).get_run(first.run_id).data.metrics["h60.prospects"] == 2 * (len(STRANGERS) - 1)  # as of two days
    for name in MODELS:
        version = client(run).get_model_version_by_alias(name, "champion")
        assert client(run).get_run(version.run_id).data.params["customers"] == str(len(buyers) - 1)
        assert client(run).get_run(version.run_id).data.params["customers_sampled"] == str(len(buyers) - 1)


def test_promotion_by_hand_is_left_to_a_person_and_an_alias_moved_back_gives_the_old_scores(trained, tmp_path):
    run, _ = trained
    before = run.lake.read(PREDICTIONS, version=run.lake.version(PREDICTIONS))
    (tmp_path / "models.yaml").write_text(SETTINGS + "promotion: manual\n", encoding="utf-8")
    told = "\n".join(train(replace(run, config=ConfigFolder(tmp_path))).notes)
    assert champions(run) == {"cdp_ltv": 1, "cdp_churn": 1}
    assert "cdp_churn/2 is no champion: conf/models.yaml promotion: manual" in told
    assert "cdp_prospects/2 is no champion: conf/models.yaml promotion: manual" in told
    second = client(run).get_model_version("cdp_churn", "2")
    assert second.tags["verdict"] == "refused" and "Not promoted" in second.description
    assert client(run).get_model_version_by_alias("cdp_churn", "challenger").version == 2

    for number in (2, 1):
        for name in MODELS:
            client(run).set_registered_model_alias(name, "champion", str(number))
        score(run)
        rows = run.lake.read(PREDICTIONS).where("tier <> 'prospect'")
        assert {r["churn_model"] for r in rows.select("churn_model").distinct().collect()} == {f"cdp_churn/{number}"}
    assert_df_equality(run.lake.read(PREDICTIONS), before, ignore_row_order=True)


def test_after_corrupted_data_the_champion_stays_and_it_is_said_why(trained, fill):
    """Two months later the extract has shuffled who ordered: nothing can be told of anybody any more."""
    run, _ = trained
    orders, was = run.lake.read(CUSTOMER_ORDERS), champions(run)
    thrown = np.random.default_rng(8).integers((0, 0, 1), (300, 560, 97), size=(1_500, 3))
    rows = [
        order(f"customer{who:04d}", AS_OF - timedelta(days=int(ago) - 60), f"{spent}.00", order_id=str(number))
        for number, (who, ago, spent) in enumerate(thrown)
    ]
    later = replace(run, as_of=AS_OF + timedelta(days=60))
    try:
        run.lake.replace(CUSTOMER_ORDERS, fill(CUSTOMER_ORDERS, *rows).coalesce(1))
        told = "\n".join(train(later).notes)
        assert champions(run) == was
    finally:
        run.lake.replace(CUSTOMER_ORDERS, orders)
    for name in MODELS:
        newest = client(run).get_model_version_by_alias(name, "challenger")
        assert newest.tags["verdict"] == "refused" and newest.tags["why"] in newest.description
        assert f"{name}/{newest.version} is no champion: {newest.tags['why']}" in told


def test_a_locked_store_is_no_store_without_champions(trained):
    """Predictions must not be emptied because somebody else is writing."""
    run, _ = trained
    rows = run.lake.read(PREDICTIONS).count()
    with closing(sqlite3.connect(f"{run.lake.root}/mlflow/mlflow.db")) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(CdpError, match=r"MLflow store in the lake.*locked"):
            score(run)
        other.rollback()
    assert run.lake.read(PREDICTIONS).count() == rows > 0


def test_a_store_that_is_no_database_is_named(trained, tmp_path):
    run, _ = trained
    place = tmp_path / "mlflow.db"
    place.write_text("not a database, but a note of somebody, long enough to be taken for one", encoding="utf-8")
    with pytest.raises(CdpError, match=r"MLflow store of conf/cdp\.yaml does not answer as it should"):
        Registry(run.lake, f"sqlite:///{place}").champions(MODELS)
    assert Registry(run.lake, f"sqlite:///{tmp_path}/none.db").champions(MODELS) == {}, "none was made yet"


def test_a_champion_whose_files_are_gone_is_named(trained, monkeypatch):
    run, _ = trained
    models = run.lake.local_path("mlflow") / "artifacts" / "cdp_churn"
    hidden = models.rename(models.with_name("moved"))
    try:
        with pytest.raises(CdpError, match=r"MLflow store in the lake.*train --full-refresh"):
            score(run)
    finally:
        hidden.rename(models)


def test_negative_spending_returns_above_orders_and_a_new_category_are_scored(run, fill):
    """With hardly any history: each gets a number that can be."""
    (run.config.path / "models.yaml").write_text(SETTINGS, encoding="utf-8")
    rows = [
        order("ann", date(2025, 6, 1), "20.00"),
        order("ann", date(2025, 6, 9), "-90.00", status="returned"),  # more than ann ever paid
        order("bob", date(2025, 9, 1), "0.00"),
        order("cat", date(2025, 3, 1), "12.50", discount=Decimal("99.00")),
        order("cat", date(2026, 1, 31), "7.00", channel="a channel that nobody knew"),
    ]
    run.lake.replace(CUSTOMER_ORDERS, fill(CUSTOMER_ORDERS, *rows))
    assert "prospects, 60 days: no model, nobody was known without an order" in "\n".join(train(run).notes)
    assert "prospects are not scored: cdp_prospects has no champion" in "\n".join(score(run).notes)
    found = {r["customer_id"]: r for r in run.lake.read(PREDICTIONS).collect()}
    assert set(found) == {"ann", "bob", "cat"}
    assert all(0 < r["churn_probability"] < 1 and r["ltv"] >= 0 for r in found.values())
    assert found["ann"]["ltv"] > 0, "orders that were returned once are not worth nothing for ever"
