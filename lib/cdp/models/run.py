"""The train and score stages: models from the history of orders and activity, and what they say of every customer."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

from cdp.base.contracts import Table
from cdp.base.errors import UsageError
from cdp.base.settings import ConfigFolder
from cdp.base.stage import Run, Stage, StageResult
from cdp.models.activity import daily_activity, daily_orders
from cdp.models.config import ModelsConfig, load_models_config
from cdp.models.cutoffs import Split, needed_since, split_time
from cdp.models.features import features, order_history
from cdp.models.identity import track_identity
from cdp.models.recommend import baskets, neighbours, products_sold, purchases, recommendations
from cdp.models.registry import Registry
from cdp.tables.gold import CUSTOMER_ORDER_LINES, CUSTOMER_ORDERS, PREDICTIONS, RECOMMENDATIONS, TIMELINE
from cdp.tables.identity import LINKS, PARAMETERS, QUALITY

LTV_MODEL, CHURN_MODEL = "cdp_ltv", "cdp_churn"
MODELS = (LTV_MODEL, CHURN_MODEL)

_INPUTS = (CUSTOMER_ORDERS, CUSTOMER_ORDER_LINES, TIMELINE)
_BEST = 25  # best sellers: enough to be left with five for who has the twenty first


def train(run: Run) -> StageResult:
    """Train, judge and register both models; see `docs/models.md`."""
    config = load_models_config(run.config)
    registry = Registry(run.lake, run.config.platform.mlflow_tracking_uri)
    _refuse_selection(run, "train")
    with ThreadPoolExecutor(max_workers=1) as background:
        # The learners' and MLflow's imports and a new store take seconds, in which Spark can work.
        opening = background.submit(_warm_up, registry)
        result = _train(run, config, registry, opening)
        opening.result()
        track_identity(run, registry)
        return result


def _train(run: Run, config: ModelsConfig, registry: Registry, opening: "Future[None]") -> StageResult:
    from cdp.models.contest import TARGETS
    from cdp.models.counts import OrderCounts, history_counts
    from cdp.models.training import TrainingTable, entry, hold, sampled, told, training_rows

    as_of, orders = run.as_of, run.lake.read(CUSTOMER_ORDERS)
    ends = [as_of, *[as_of - timedelta(days=h) for h in config.horizons_days]]
    counts = OrderCounts.collect(history_counts(order_history(daily_orders(orders, as_of=as_of), ends)))
    splits, notes = _splits(config, counts.oldest_days(as_of), as_of)
    if not splits:
        return StageResult(rows_in=0, notes=(*notes, "nothing was trained; models registered before stay as they are"))
    customers, most = counts.customers(as_of), config.training.max_customers
    inputs = [
        sampled(run.lake.read(table), customers=customers, most=most, seed=config.training.seed) for table in _INPUTS
    ]
    days, order_days = daily_activity(*inputs, as_of=as_of), daily_orders(inputs[0], as_of=as_of)
    table = TrainingTable.collect(training_rows(days, order_days, splits))
    if customers > most:
        notes.append(f"trained on {table.customers:,} of {customers:,} customers, chosen by a hash of their id")
    facts = {
        "as_of": as_of,
        "first_order_on": as_of - timedelta(days=counts.oldest_days(as_of) - 1),
        "customers": customers,
        "customers_sampled": table.customers,
        **{f"version_of_{t.name}": run.lake.version(t) for t in _INPUTS},
    }
    materials = [table.material(split, counts, as_of) for split in splits]
    spend_correlation = counts.spend_correlation(as_of)
    if abs(spend_correlation) > 0.3:
        notes.append(
            f"those who buy often spend otherwise by order (correlation {spend_correlation:.2f}): Gamma-Gamma misjudges that"
        )
    opening.result()
    versions = {}
    for target in TARGETS:
        model, held = hold(target, materials, config)
        record = entry(held, materials, splits, config, {**facts, "spend_correlation": spend_correlation})
        name = f"cdp_{target.name}"
        versions[name] = registry.register(name, model, record, run_name=run.run_id)
        notes.extend(told(outcome) for outcome in held)
    registry.crown(versions)
    notes.append("champions: " + ", ".join(f"{name}/{number}" for name, number in versions.items()))
    return StageResult(rows_in=table.customers, notes=tuple(notes))


def _splits(config: ModelsConfig, oldest_days: int, as_of: date) -> tuple[list[Split], list[str]]:
    if not oldest_days:
        return [], [f"there is no order of a known customer by {as_of}"]
    first_order_on = as_of - timedelta(days=oldest_days - 1)
    splits, notes = [], []
    for horizon in config.horizons_days:
        split = split_time(horizon, first_order_on=first_order_on, as_of=as_of, training=config.training)
        if split:
            splits.append(split)
        else:
            since = needed_since(horizon, as_of=as_of, training=config.training)
            notes.append(
                f"{horizon} days ahead are left out: orders begin on {first_order_on}, wanted {since} or before"
            )
    return splits, notes


def _warm_up(registry: Registry) -> None:
    import sklearn.ensemble
    import sklearn.linear_model  # noqa: F401 - for the time that their import takes

    registry.open()


def score(run: Run) -> StageResult:
    """Write what the champions say of every customer with an order, and what to offer them."""
    config = load_models_config(run.config)
    registry = Registry(run.lake, run.config.platform.mlflow_tracking_uri)
    _refuse_selection(run, "score")
    scored, recommended = run.lake.together([lambda: _predict(run, registry), lambda: _recommend(run, config)])
    rows, notes = scored[0] + recommended[0], [*scored[1], *recommended[1]]
    return StageResult(rows_out=rows, notes=tuple(notes))


def _predict(run: Run, registry: Registry) -> tuple[int, list[str]]:
    from cdp.models.scoring import predictions, scores

    versions = registry.champions(MODELS)
    if set(versions) != set(MODELS):
        missing = ", ".join(name for name in MODELS if name not in versions)
        note = f"no predictions: no champion of {missing}; `train` makes them, `train --full-refresh` anew"
        return run.lake.replace(PREDICTIONS, run.spark.createDataFrame([], PREDICTIONS.schema)), [note]
    ltv, churn = (registry.load(name, versions[name]) for name in MODELS)
    days = daily_activity(*[run.lake.read(table) for table in _INPUTS], as_of=run.as_of)
    found = scores(features(days, [run.as_of]), ltv, churn).persist()
    names = {name: f"{name}/{versions[name]}" for name in MODELS}
    rows = predictions(found, as_of=run.as_of, ltv_model=names[LTV_MODEL], churn_model=names[CHURN_MODEL])
    written = run.lake.replace(PREDICTIONS, rows)
    found.unpersist()
    return written, [f"{written:,} predictions by {' and '.join(names.values())}"]


def _recommend(run: Run, config: ModelsConfig) -> tuple[int, list[str]]:
    if not config.recommendations:
        return run.lake.replace(RECOMMENDATIONS, run.spark.createDataFrame([], RECOMMENDATIONS.schema)), []
    bought = purchases(run.lake.read(CUSTOMER_ORDER_LINES), as_of=run.as_of)
    sold = products_sold(bought, as_of=run.as_of, days=config.sellable_days).persist()
    have = baskets(bought).persist()
    first = sold.orderBy("buyings", "product_id", ascending=[False, True]).limit(_BEST).collect()  # at most 25 rows
    best = [(row["product_id"], row["buyings"]) for row in first]
    rows = recommendations(have, neighbours(have, sold), best, as_of=run.as_of, most=config.max_recommendations)
    written = run.lake.replace(RECOMMENDATIONS, rows)
    for frame in (have, sold):
        frame.unpersist()
    return written, [f"{written:,} recommendations"]


def _refuse_selection(run: Run, job: str) -> None:
    if run.select:
        raise UsageError(f"{job} --select {run.select[0]}: this job takes no selection; both models are made together")


def _reads(config: ConfigFolder) -> Sequence[Table]:
    return _INPUTS


def _settings(config: ConfigFolder) -> Any:
    return load_models_config(config)


def _champions(run: Run) -> str:
    found = Registry(run.lake, run.config.platform.mlflow_tracking_uri).champions(MODELS)
    return " ".join(f"{name}/{number}" for name, number in sorted(found.items()))


TRAIN_STAGE = Stage(
    name="train",
    title="train and register the value and churn models",
    run=train,
    reads=lambda config: (*_reads(config), PARAMETERS, LINKS, QUALITY),
    writes=lambda config: (),
    settings=_settings,
)

SCORE_STAGE = Stage(
    name="score",
    title="predict value and churn, recommend products",
    run=score,
    reads=_reads,
    writes=lambda config: (PREDICTIONS, RECOMMENDATIONS),
    settings=_settings,
    inputs=_champions,
)
