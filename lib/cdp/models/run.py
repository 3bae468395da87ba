"""The train and score stages: models from the history of orders and activity, and what they say of every customer."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame

from cdp.base.contracts import Table
from cdp.base.errors import UsageError
from cdp.base.settings import ConfigFolder
from cdp.base.stage import Run, Stage, StageResult
from cdp.models.activity import daily_activity
from cdp.models.config import ModelsConfig, load_models_config
from cdp.models.features import features, has_ordered
from cdp.models.identity import track_identity
from cdp.models.objections import objectors, without
from cdp.models.products.recommend import recommend
from cdp.models.propensity.run import (
    model_names,
    read_tables,
    score_propensities,
    train_propensities,
    written_tables,
)
from cdp.models.prospects.run import MODEL as PROSPECTS_MODEL
from cdp.models.prospects.run import champion as prospects_champion
from cdp.models.prospects.run import train_prospects
from cdp.models.registry import Registry
from cdp.tables.gold import (
    CUSTOMER_ORDER_LINES,
    CUSTOMER_ORDERS,
    EFFECTIVE_CONSENT,
    MODEL_HEALTH,
    PREDICTION_SNAPSHOTS,
    PREDICTIONS,
    PROFILES,
    RECOMMENDATIONS,
    TIMELINE,
)
from cdp.tables.identity import CHANGES, LINKS, PARAMETERS, QUALITY
from cdp.tables.silver import PRODUCTS

if TYPE_CHECKING:
    from cdp.models.contest import Material, Outcome, Target
    from cdp.models.learning import ByHorizon
    from cdp.models.promotion import Decision
    from cdp.models.watch.health import Watched
    from cdp.models.watch.reference import Score

REFERENCE = "reference.json"
"""Beside each registered model: histograms of what it was given and said, for `watch`."""

LTV_MODEL, CHURN_MODEL = "cdp_ltv", "cdp_churn"
MODELS = (LTV_MODEL, CHURN_MODEL)

Told = tuple[int, Sequence[str], tuple[str, ...]]
"""Rows written, notes, and rules that fired."""

_INPUTS = (CUSTOMER_ORDERS, CUSTOMER_ORDER_LINES, TIMELINE)
_OFFERED_FROM = (CUSTOMER_ORDER_LINES, PRODUCTS, PROFILES, EFFECTIVE_CONSENT)


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
        return replace(result, notes=(*result.notes, *train_propensities(run, config, registry)))


def _train(run: Run, config: ModelsConfig, registry: Registry, opening: "Future[None]") -> StageResult:
    from cdp.models.contest import TARGETS
    from cdp.models.promotion import Decision
    from cdp.models.record import textbook_figures
    from cdp.models.training import collect_past, facts, ground, hold, materials, told

    refused = _objectors(run, config)
    inputs = [without(run.lake.read(table), refused) for table in _INPUTS]
    found = ground(inputs[0], config, as_of=run.as_of)
    notes = list(found.notes)
    if not found.splits:
        return StageResult(rows_in=0, notes=(*notes, "nothing was trained; models registered before stay as they are"))
    past = collect_past(inputs, found, config)
    if past.customers < found.customers:
        notes.append(f"trained on {past.customers:,} of {found.customers:,} customers, chosen by a hash of their id")
    correlation = found.counts.spend_correlation(run.as_of)
    if abs(correlation) > 0.3:
        notes.append(
            f"those who buy often spend otherwise by order (correlation {correlation:.2f}): Gamma-Gamma misjudges that"
        )
    held_on = materials(past, found, config)
    known = facts(found, past, {t.name: run.lake.version(t) or 0 for t in _INPUTS})
    textbook = textbook_figures(found.counts, run.as_of)
    opening.result()
    decisions: dict[str, Decision] = {}
    for target in TARGETS:
        name = f"cdp_{target.name}"
        model, held = hold(target, held_on, config)
        number, decision = _register(run, config, registry, target, model, held, held_on, known, textbook)
        decisions[f"{name}/{number}"] = decision
        notes.extend(told(outcome) for outcome in held)
    promoted = [name for name, decision in decisions.items() if decision.is_promoted]
    notes.extend(f"{name} is no champion: {d.why}" for name, d in decisions.items() if not d.is_promoted)
    if promoted:
        notes.append("champions: " + ", ".join(promoted))
    notes.extend(train_prospects(run, config, registry, past, found, known, _read(run)))
    return StageResult(rows_in=past.customers, notes=tuple(notes))


def _register(
    run: Run,
    config: ModelsConfig,
    registry: Registry,
    target: "Target",
    model: "ByHorizon",
    held: "list[Outcome]",
    held_on: "list[Material]",
    known: Mapping[str, Any],
    textbook: Mapping[str, float],
) -> "tuple[int, Decision]":
    """Record a training, and give its model the alias that it deserves."""
    from cdp.models.promotion import decide, parse_in_use, tags_of
    from cdp.models.record import entry, example, note, reference_text
    from cdp.models.succession import register, succession

    name = f"cdp_{target.name}"
    features = held_on[0].past.features(run.as_of)
    made = entry(held, held_on, config, known, textbook)
    texts = {REFERENCE: reference_text(target, held, held_on)}
    decision = succession(
        registry,
        name,
        parse_in_use,
        lambda in_use: decide(target, held, held_on, in_use),
        promotion=config.promotion,
        from_scratch=run.full_refresh,
    )
    number = register(
        registry,
        name,
        model,
        replace(made, tables=_read(run), texts=texts, tags={"as_of": str(run.as_of)}),
        decision,
        note=note(held, known, decision),
        run_name=run.run_id,
        example=example(features, held[0].horizon_days),
        tags=tags_of(run.as_of, held),
    )
    return number, decision


def _read(run: Run) -> dict[str, tuple[str, int]]:
    """What models are learned from: by name of the table its place and version."""
    return {t.name: (run.lake.path(t), run.lake.version(t) or 0) for t in _INPUTS}


def _objectors(run: Run, config: ModelsConfig) -> DataFrame | None:
    if config.profiling_purpose is None:
        return None
    return objectors(run.lake.read(EFFECTIVE_CONSENT), config.profiling_purpose)


def _warm_up(registry: Registry) -> None:
    import sklearn.ensemble  # for the time that these imports take
    import sklearn.linear_model  # noqa: F401

    registry.open()


def score(run: Run) -> StageResult:
    """Write what the champions say of every customer and prospect, and what to offer to customers."""
    config = load_models_config(run.config)
    registry = Registry(run.lake, run.config.platform.mlflow_tracking_uri)
    _refuse_selection(run, "score")
    scored, recommended = run.lake.together([lambda: _predict(run, config, registry), lambda: _recommend(run, config)])
    others, further = score_propensities(run, config, registry)
    (predicted, told, broken), (offered, more, _) = scored, recommended
    rows = predicted + offered + others
    return StageResult(rows_out=rows, notes=(*told, *more, *further), broken_rules=broken)


def _predict(run: Run, config: ModelsConfig, registry: Registry) -> Told:
    from cdp.models.prospects.scoring import predictions as of_prospects
    from cdp.models.prospects.scoring import scores as prospect_scores
    from cdp.models.scoring import predictions, scores
    from cdp.models.watch.run import keep_snapshot, watch_scores

    versions = registry.champions(MODELS)
    if set(versions) != set(MODELS):
        missing = ", ".join(name for name in MODELS if name not in versions)
        note = f"no predictions: no champion of {missing}; `train` makes them, `train --full-refresh` anew"
        return run.lake.replace(PREDICTIONS, run.spark.createDataFrame([], PREDICTIONS.schema)), [note], ()
    ltv, churn = (registry.load(name, versions[name]) for name in MODELS)
    days = without(daily_activity(*[run.lake.read(t) for t in _INPUTS], as_of=run.as_of), _objectors(run, config))
    newcomers, notes = prospects_champion(registry, config)
    # Read by the models and by those who watch them.
    everybody = features(days, [run.as_of], everybody=newcomers is not None).persist()
    given = everybody.where(has_ordered())
    found = scores(given, ltv, churn, lifecycle=config.lifecycle, with_reasons=config.reasons).persist()
    kept = [everybody, found]
    names = {name: f"{name}/{versions[name]}" for name in MODELS}
    watched = [
        _watched(registry, LTV_MODEL, versions[LTV_MODEL], "ltv", ltv),
        _watched(registry, CHURN_MODEL, versions[CHURN_MODEL], "churn_probability", churn),
    ]
    models = {"ltv_model": names[LTV_MODEL], "churn_model": names[CHURN_MODEL]}
    try:
        verdict = watch_scores(run, given, found, watched, config.watch)
        if verdict.held_back and run.lake.exists(PREDICTIONS):
            return 0, verdict.notes, verdict.broken_rules
        rows = predictions(found, as_of=run.as_of, **models)
        if newcomers is not None:
            names[PROSPECTS_MODEL] = newcomers.label
            # A horizon that only prospects had rows of would be taken for one that customers are scored for.
            horizons = [h for h in newcomers.model.horizons if h in set(ltv.horizons) & set(churn.horizons)]
            first = prospect_scores(everybody, newcomers.model, horizons, with_reasons=config.reasons).persist()
            kept.append(first)
            rows = rows.unionByName(of_prospects(first, as_of=run.as_of, model=newcomers.label))
        written = run.lake.replace(PREDICTIONS, rows)
        keep_snapshot(run, found, **models, config=config.watch)
    finally:
        for frame in kept:
            frame.unpersist()
    told = f"{written:,} predictions by {' and '.join(names.values())}"
    return written, [told, *notes, *verdict.notes], verdict.broken_rules


def _watched(registry: Registry, name: str, number: int, score: "Score", model: "ByHorizon") -> "Watched":
    from cdp.models.watch.health import Watched
    from cdp.models.watch.reference import Reference

    text, label = registry.text(name, number, REFERENCE), f"{name}/{number}"
    return Watched(label, score, tuple(model.horizons), Reference.from_json(text, model=label) if text else None)


def _recommend(run: Run, config: ModelsConfig) -> Told:
    lines, products, profiles, consent = (run.lake.read(table) for table in _OFFERED_FROM)
    found = recommend(
        lines,
        products,
        profiles,
        consent,
        config=config.recommendations,
        as_of=run.as_of,
        profiling_purpose=config.profiling_purpose,
    )
    written = run.lake.replace(RECOMMENDATIONS, found.rows)
    found.release()
    notes = [f"{written:,} recommendations", *found.notes] if config.recommendations.enabled else []
    return written, notes, ()


def _refuse_selection(run: Run, job: str) -> None:
    if run.select:
        raise UsageError(f"{job} --select {run.select[0]}: this job takes no selection; both models are made together")


def _reads(config: ConfigFolder) -> Sequence[Table]:
    return (*_INPUTS, EFFECTIVE_CONSENT, *read_tables(config))


def _settings(config: ConfigFolder) -> Any:
    return load_models_config(config)


def _champions(run: Run) -> str:
    config = load_models_config(run.config)
    names = (*MODELS, *([PROSPECTS_MODEL] if config.prospects else []), *model_names(config))
    found = Registry(run.lake, run.config.platform.mlflow_tracking_uri).champions(names)
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
    reads=lambda config: (*_reads(config), PRODUCTS, PROFILES, CHANGES),
    writes=lambda config: (PREDICTIONS, RECOMMENDATIONS, MODEL_HEALTH, PREDICTION_SNAPSHOTS, *written_tables(config)),
    settings=_settings,
    inputs=_champions,
)
