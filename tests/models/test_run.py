"""Train and score on an invented shop: what a user of the lake relies on."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from chispa import assert_df_equality

from cdp.base.console import Console
from cdp.base.errors import UsageError
from cdp.base.lake import Lake
from cdp.base.settings import ConfigFolder
from cdp.base.stage import Run
from cdp.models.identity import track_identity
from cdp.models.prospects.run import MODEL as PROSPECTS
from cdp.models.registry import Registry
from cdp.models.run import MODELS, SCORE_STAGE, TRAIN_STAGE, score, train
from cdp.runner.ledger import fingerprint
from cdp.tables.gold import CUSTOMER_ORDER_LINES, CUSTOMER_ORDERS, PREDICTIONS, RECOMMENDATIONS, TIMELINE
from cdp.tables.identity import LINKS, PARAMETERS
from tests.models.conftest import AS_OF, event, line, order, shop


def champions(run: Run) -> dict[str, int]:
    return Registry(run.lake, None).champions(MODELS)


@pytest.fixture(scope="module")
def trained(spark, fill, tmp_path_factory):
    """A shop of 500 customers over 500 days, most of whom came to look before, and of 200 who only look, trained once; the run
    and what it told."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "conf").mkdir()
    lake = Lake(spark, str(folder / "lake"))
    run = Run(
        run_id="test", job="train", as_of=AS_OF, started_at=datetime(2026, 2, 1, 3), lake=lake,
        config=ConfigFolder(folder / "conf"), landing="", console=Console("quiet"),
    )  # fmt: skip
    orders = list(shop(500, 500))
    lines = [line(o["customer_id"], o["ordered_on"], f"p{hash_of(o) % 7}") for o in orders]
    lake.replace(CUSTOMER_ORDERS, fill(CUSTOMER_ORDERS, *orders).coalesce(1))
    lake.replace(CUSTOMER_ORDER_LINES, fill(CUSTOMER_ORDER_LINES, *lines).coalesce(1))
    lake.replace(TIMELINE, fill(TIMELINE, *looks(orders)).coalesce(1))
    return run, train(run)


STRANGERS = 200


def looks(orders: list[dict]) -> Iterator[dict]:
    """Customers look once, up to two months before their first order, and strangers as well, but they never order."""
    first: dict[str, date] = {}
    for o in orders:
        first[o["customer_id"]] = min(o["ordered_on"], first.get(o["customer_id"], AS_OF))
    for number, (who, on) in enumerate(sorted(first.items())):
        yield event(who, at_noon(on - timedelta(days=number % 60)), "Page Viewed", channel="web")
    for number in range(STRANGERS):
        on = AS_OF - timedelta(days=number * 500 // STRANGERS)
        yield event(f"stranger{number:04d}", at_noon(on), "Page Viewed", channel="web")


def at_noon(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time()) + timedelta(hours=12)


@pytest.fixture(scope="module")
def scored(trained):
    """The same shop, scored once; the run and the result."""
    run, _ = trained
    return run, score(run)


def hash_of(row: dict) -> int:
    return int(row["order_id"].replace("-", "").replace(".", "").removeprefix("customer"))


def test_training_says_who_won_and_against_what(trained):
    _, result = trained
    told = "\n".join(result.notes)
    assert re.search(r"ltv, 90 days: \w+, normalised Gini 0\.\d+, total [+-]\d+%", told)
    assert re.search(r"churn, 90 days: \w+, ROC AUC 0\.\d+", told)
    assert "365 days ahead are judged by 156: orders begin on" in told
    assert "champions: cdp_ltv/1, cdp_churn/1" in told
    assert re.search(r"prospects, 90 days: [a-z ]+, ROC AUC 0\.\d+, of [\d,]+ rows [\d,]+ with a first order within 90 days", told)
    assert "cdp_prospects/1 is champion" in told


def test_the_champions_are_known_without_mlflow_and_to_mlflow(trained):
    import mlflow

    run, _ = trained
    assert champions(run) == {"cdp_ltv": 1, "cdp_churn": 1}
    client = mlflow.MlflowClient(f"sqlite:///{run.lake.root}/mlflow/mlflow.db")
    for name in (*MODELS, PROSPECTS):
        assert "alias `champion`" in client.get_registered_model(name).description
        version = client.get_model_version_by_alias(name, "champion")
        record = client.get_run(version.run_id)
        assert client.get_experiment(record.info.experiment_id).name == name
        assert record.data.params["as_of"] == "2026-01-31"
        assert record.data.params["version_of_gold.orders"] == "1"  # 0 made the table
        assert record.data.params["h90_learned_from"].split()[:2] == ["2025-11-02", "2025-10-03"]
        assert record.data.params["h90_judged_on"] == "2025-11-02 2025-10-03 2025-09-03"
        nested = client.search_runs([record.info.experiment_id], f"tags.`mlflow.parentRunId` = '{record.info.run_id}'")
        assert record.data.params["h90_chosen"] in {n.info.run_name for n in nested if n.data.tags["chosen"] == "True"}
        assert {d.dataset.name for d in record.inputs.dataset_inputs} >= {"gold.orders version 1"}
        files = {f.path for f in client.list_artifacts(record.info.run_id)}
        assert files >= ({"features.txt"} if name == PROSPECTS else {"h90.svg", "h365.svg"})
        assert "Trained as of 2026-01-31" in version.description and "**Champion**" in version.description
        assert version.tags["verdict"] == "promoted"


def test_nothing_of_a_customer_enters_the_store(trained):
    run, _ = trained
    files = [p for p in run.lake.local_path("mlflow").rglob("*") if p.is_file()]
    assert any(p.name == "model.skops" for p in files)
    assert not [p for p in files for who in (b"customer0", b"stranger0") if who in p.read_bytes()]


def test_scoring_writes_a_row_a_customer_and_offers_to_each(scored):
    run, result = scored
    everybody = run.lake.read(PREDICTIONS)
    rows = everybody.where("tier <> 'prospect'")
    by_model = {(r["ltv_model"], r["churn_model"], r["horizon_days"], r["scored_on"]) for r in rows.collect()}
    buyers = run.lake.read(CUSTOMER_ORDERS).select("customer_id").distinct().count()
    assert by_model == {("cdp_ltv/1", "cdp_churn/1", h, AS_OF) for h in (90, 365)}
    assert rows.count() == 2 * rows.select("customer_id").distinct().count() == 2 * buyers
    assert rows.where("next_order_on <= scored_on OR next_order_on > date_add(scored_on, horizon_days)").count() == 0
    top = rows.where("horizon_days = 90 AND tier IN ('top_1', 'top_5', 'top_10')").count()
    assert top == pytest.approx(buyers / 10, abs=2)
    assert rows.where("abs(ltv - expected_orders * expected_order_value) > 0.01 + expected_orders * 0.006").count() == 0
    assert rows.where("ltv_low > ltv_high OR isnan(ltv) OR isnan(churn_probability)").count() == 0
    assert rows.where("exists(churn_reasons, r -> isnan(r.effect) OR r.effect = 0 OR r.reason IS NULL)").count() == 0
    assert rows.where("horizon_days = 365 AND size(churn_reasons) > 0").count() == buyers
    assert run.lake.read(RECOMMENDATIONS).select("customer_id").distinct().count() == buyers
    assert rows.where("abs(buy_probability + churn_probability - 1) > 1e-9").count() == 0
    assert result.rows_out == everybody.count() + run.lake.read(RECOMMENDATIONS).count()


def test_scoring_writes_a_row_a_stranger_placed_among_strangers(scored):
    run, result = scored
    found = run.lake.read(PREDICTIONS).where("tier = 'prospect'").toPandas()
    assert set(found["customer_id"]) == {f"stranger{number:04d}" for number in range(STRANGERS)}
    assert set(zip(found["horizon_days"], found["ltv_model"], found["lifecycle"], strict=True)) == {
        (horizon, "cdp_prospects/1", "prospect") for horizon in (90, 365)
    }
    assert len(found) == 2 * STRANGERS
    assert found[["churn_probability", "churn_percentile", "churn_model"]].isna().all(axis=None)
    told = found[["buy_probability", "expected_orders", "ltv", "ltv_percentile"]]
    assert told.notna().all(axis=None) and found["buy_probability"].between(0, 1, inclusive="neither").all()
    assert (found["ltv_low"] <= found["ltv_high"]).all(), "more than thirty first orders tell how they spread"
    assert all(len(reasons) == 0 for reasons in found["churn_reasons"])
    near, far = (found[found["horizon_days"] == h].set_index("customer_id") for h in (90, 365))
    assert near["buy_probability"].mean() < far["buy_probability"].mean()
    for placed in (near, far):
        below = [(placed["ltv"] < value).mean() for value in placed["ltv"]]
        assert abs(placed["ltv_percentile"] - below).max() < 0.1, "places are told in steps"
    assert "cdp_churn/1 and cdp_prospects/1" in result.notes[0]


def test_customers_who_are_expected_to_stay_had_bought_more_recently(scored):
    run, _ = scored
    last = run.lake.read(CUSTOMER_ORDERS).groupBy("customer_id").agg({"ordered_on": "max"})
    joined = run.lake.read(PREDICTIONS).where("horizon_days = 90").join(last, on="customer_id", how="inner").toPandas()
    joined["days"] = [(AS_OF - d).days for d in joined["max(ordered_on)"]]
    is_likely = joined["churn_probability"] < joined["churn_probability"].mean()
    assert joined[is_likely]["days"].mean() < joined[~is_likely]["days"].mean() / 2


def test_training_again_makes_equal_models_and_scoring_again_equal_rows(scored):
    run, _ = scored
    before = run.lake.read(PREDICTIONS, version=run.lake.version(PREDICTIONS))
    mark = fingerprint(SCORE_STAGE, run, SCORE_STAGE.settings(run.config))
    train_mark = fingerprint(TRAIN_STAGE, run, TRAIN_STAGE.settings(run.config))
    train(run)
    assert champions(run) == {"cdp_ltv": 2, "cdp_churn": 2}
    assert fingerprint(SCORE_STAGE, run, SCORE_STAGE.settings(run.config)) != mark, "a new champion means new scores"
    assert fingerprint(TRAIN_STAGE, run, TRAIN_STAGE.settings(run.config)) == train_mark, (
        "training is not its own input"
    )
    score(run)
    names = ("ltv_model", "churn_model")
    assert_df_equality(run.lake.read(PREDICTIONS).drop(*names), before.drop(*names), ignore_row_order=True)


def test_a_store_that_lost_its_files_is_named_without_a_trace(trained):
    from cdp.base.errors import CdpError

    run, _ = trained
    with pytest.raises(CdpError, match=r"MLflow store in the lake.*train --full-refresh"):
        Registry(run.lake, None).load("cdp_ltv", 99)


def test_a_model_of_another_version_of_the_library_is_named_without_a_trace(trained, monkeypatch):
    import mlflow.sklearn

    from cdp.models.registry import ForeignModelError

    def lacks_its_class(*_):
        raise AttributeError("module 'cdp.models.value' has no attribute 'BuyTillYouDie'")

    run, _ = trained
    monkeypatch.setattr(mlflow.sklearn, "load_model", lacks_its_class)
    with pytest.raises(ForeignModelError, match=r"cdp_ltv/1 was made by another version .*; `train` makes a new one"):
        Registry(run.lake, None).load("cdp_ltv", 1)


def test_without_a_champion_there_are_no_predictions_but_recommendations(run, fill):
    run.lake.replace(
        CUSTOMER_ORDER_LINES,
        fill(CUSTOMER_ORDER_LINES, line("ann", date(2026, 1, 2), "tea"), line("bob", date(2026, 1, 3), "mug")),
    )
    result = score(run)
    assert run.lake.read(PREDICTIONS).count() == 0 and run.lake.exists(PREDICTIONS)
    assert run.lake.read(RECOMMENDATIONS).count() == 2
    assert any("no champion of cdp_ltv, cdp_churn" in note for note in result.notes)


@pytest.mark.parametrize(
    ("orders", "told"), [((), "no order of a known customer"), ((1,), "orders begin on 2026-01-30")]
)
def test_too_little_to_learn_from_is_said_and_nothing_is_registered(run, fill, orders, told):
    rows = [order("ann", AS_OF - timedelta(days=n)) for n in orders]
    run.lake.replace(CUSTOMER_ORDERS, fill(CUSTOMER_ORDERS, *rows))
    result = train(run)
    assert told in "\n".join(result.notes) and "nothing was trained" in result.notes[-1]
    assert champions(run) == {}


def test_a_company_with_few_orders_gets_the_baseline(run, fill):
    (run.config.path / "models.yaml").write_text("horizons_days: [30]\nrecommendations: false", encoding="utf-8")
    rows = [
        order(who, AS_OF - timedelta(days=n))
        for who, days in {"ann": (200, 50, 10), "bob": (300,)}.items()
        for n in days
    ]
    run.lake.replace(CUSTOMER_ORDERS, fill(CUSTOMER_ORDERS, *rows))
    told = "\n".join(train(run).notes)
    assert "ltv, 30 days: historic_rate" in told and "churn, 30 days: recency_rule" in told
    assert "rows to judge by, wanted 200" in told
    score(run)
    found = {r["customer_id"]: r for r in run.lake.read(PREDICTIONS).collect()}
    assert found["ann"]["expected_orders"] == pytest.approx(3 * 30 / 301, abs=1e-5)  # orders begin 301 days ago
    assert 0 < found["bob"]["churn_probability"] < 1
    assert run.lake.read(RECOMMENDATIONS).count() == 0


def test_a_selection_is_refused_in_place_of_being_ignored(run):
    with pytest.raises(UsageError, match="takes no selection"):
        train(replace(run, select=("ltv",)))


def test_what_identity_has_learnt_is_tracked_once(trained, spark):
    import mlflow

    run, _ = trained
    levels = [
        ("given_name", "name", 0, "", "", level, "equal", 0.5, 0.1, 0.1, bits)
        for level, bits in (("equal", 7.0), ("different", -6.0))
    ]
    whole = ("*", "", 0, "", "", "pair", "", 1e-4, 0.9998, 1e-4, -13.3)
    run.lake.replace(PARAMETERS, spark.createDataFrame([whole, *levels], PARAMETERS.schema))
    links = [
        ("a", str(n), "b", str(n), "comparison", weight, 0.5, None, decision, "-")
        for n, (weight, decision) in enumerate([(5.2, "accepted"), (4.9, "accepted"), (0.1, "review")])
    ]
    run.lake.replace(LINKS, spark.createDataFrame(links, LINKS.schema))

    for _ in range(2):
        track_identity(run, Registry(run.lake, None))

    client = mlflow.MlflowClient(f"sqlite:///{run.lake.root}/mlflow/mlflow.db")
    (tracked,) = client.search_runs([client.get_experiment_by_name("cdp_identity").experiment_id])
    assert tracked.data.params == {"given_name": "name"}
    assert (tracked.data.metrics["pairs accepted"], tracked.data.metrics["pairs review"]) == (2, 1)
    assert {file.path for file in client.list_artifacts(tracked.info.run_id)} == {"weights.svg", "links.svg"}
    picture = client.download_artifacts(tracked.info.run_id, "weights.svg")
    assert "given_name: equal" in Path(picture).read_text()
