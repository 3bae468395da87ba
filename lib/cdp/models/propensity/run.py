"""Trains, registers and scores the propensities of conf/models.yaml: the only place here that reads and writes tables."""

from collections.abc import Sequence
from functools import reduce
from typing import TYPE_CHECKING, cast

from pyspark.sql import DataFrame

from cdp.base.contracts import Table
from cdp.base.fingerprints import hash_of, plain
from cdp.base.settings import ConfigFolder
from cdp.base.stage import Run
from cdp.gold.computed.columns import traits_table
from cdp.gold.computed.load import load_traits
from cdp.models.config import ModelsConfig, load_models_config
from cdp.models.objections import objectors, without
from cdp.models.promotion import Decision
from cdp.models.propensity import frames
from cdp.models.propensity.answers import PropensityModel
from cdp.models.propensity.config import PropensityConfig
from cdp.models.registry import Candidate, Entry, Registry
from cdp.tables.gold import (
    CUSTOMER_ORDER_LINES,
    CUSTOMER_ORDERS,
    EFFECTIVE_CONSENT,
    PROFILES,
    PROPENSITIES,
    TIMELINE,
    TRAITS,
    TRAITS_HISTORY,
)

if TYPE_CHECKING:
    from cdp.models.propensity.training import Trained

_READ = (CUSTOMER_ORDERS, CUSTOMER_ORDER_LINES, TIMELINE, PROFILES)


def train_propensities(run: Run, config: ModelsConfig, registry: Registry) -> list[str]:
    """Train, judge and register each propensity; one that cannot be learned does not keep the others from it.

    Returns:
        A note on each.
    """
    if not config.propensities:
        return []
    from cdp.models.propensity.training import NoModelError, told, train_one

    notes = []
    inputs = _inputs(run, config)
    for propensity in config.propensities:
        try:
            trained = train_one(inputs, propensity, config.training, as_of=run.as_of)
        except NoModelError as error:
            notes.append(
                f"propensity {propensity.name}: no model, {error}; one that was registered before stays in use"
            )
            continue
        number, decision = _register(run, config, registry, propensity, trained)
        verdict = "champion" if decision.is_promoted else f"no champion: {decision.why}"
        notes.append(f"{told(propensity, trained)}; {propensity.model}/{number} is {verdict}")
    return notes


def score_propensities(run: Run, config: ModelsConfig, registry: Registry) -> tuple[int, list[str]]:
    """Write what the champions say of every eligible customer.

    Returns:
        Rows written, and notes.
    """
    if not config.propensities and not run.lake.exists(PROPENSITIES):
        return 0, []
    versions = registry.champions(model_names(config)) if config.propensities else {}
    inputs = _inputs(run, config)
    notes: list[str] = []
    parts: list[DataFrame] = []
    kept: list[DataFrame] = []
    for propensity in config.propensities:
        number = versions.get(propensity.model)
        if number is None:
            notes.append(
                f"propensity {propensity.name}: nobody is scored, as {propensity.model} has no champion; see `train`"
            )
            continue
        if registry.version_tags(propensity.model, number).get("asks") != _asks(propensity):
            changed = f"the configuration has changed since {propensity.model}/{number} was trained"
            notes.append(f"propensity {propensity.name}: nobody is scored, as {changed}; see `train`")
            continue
        rows, found = _scored(run, config, inputs, propensity, _model(registry, propensity.model, number), number)
        parts.append(rows)
        kept.append(found)
    empty = run.spark.createDataFrame([], PROPENSITIES.schema)
    written = run.lake.replace(PROPENSITIES, reduce(DataFrame.unionByName, parts) if parts else empty)
    for found in kept:
        found.unpersist()
    if parts:
        notes.insert(0, f"{written:,} scores of {len(parts)} propensities")
    return written, notes


def model_names(config: ModelsConfig) -> list[str]:
    """The registered models of the propensities."""
    return [propensity.model for propensity in config.propensities]


def read_tables(config: ConfigFolder) -> Sequence[Table]:
    """What is read beside what value and churn are made of; nothing where no propensity is configured."""
    if not load_models_config(config).propensities:
        return ()
    own = load_traits(config)
    return (PROFILES, traits_table(own, TRAITS), traits_table(own, TRAITS_HISTORY))


def written_tables(config: ConfigFolder) -> Sequence[Table]:
    """`gold.propensities`, where a propensity is configured."""
    return (PROPENSITIES,) if load_models_config(config).propensities else ()


def _inputs(run: Run, config: ModelsConfig) -> frames.Inputs:
    own = load_traits(run.config)
    table = traits_table(own, TRAITS)
    refused = None
    if config.profiling_purpose is not None:
        refused = objectors(run.lake.read(EFFECTIVE_CONSENT), config.profiling_purpose)
    every = (*_READ, table, traits_table(own, TRAITS_HISTORY))
    orders, lines, timeline, profiles, traits, history = (without(run.lake.read(wanted), refused) for wanted in every)
    return frames.Inputs(orders, lines, timeline, profiles, traits, history, table)


def _register(
    run: Run, config: ModelsConfig, registry: Registry, propensity: PropensityConfig, trained: "Trained"
) -> tuple[int, Decision]:
    """Record a training, and give its model the alias that it deserves."""
    from cdp.models.propensity.promotion import decide, parse_in_use, tags_of
    from cdp.models.propensity.training import example, facts, told
    from cdp.models.succession import register, succession

    name, outcome, asks = propensity.model, trained.outcome, _asks(propensity)
    decision = succession(
        registry,
        name,
        parse_in_use,
        lambda in_use: decide(outcome, asks, trained.model, in_use),
        promotion=config.promotion,
        from_scratch=run.full_refresh,
    )
    wanted = propensity.training.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    entry = Entry(
        params={**facts(trained, as_of=run.as_of), "predict": wanted["predict"], "seed": config.training.seed},
        metrics=outcome.metrics.get(outcome.chosen, {}),
        tags={"as_of": str(run.as_of)},
        candidates=[Candidate(who, figures, who == outcome.chosen) for who, figures in outcome.metrics.items()],
        texts={"features.txt": "\n".join(trained.model.features)},
        note=told(propensity, trained),
        tables={t.name: (run.lake.path(t), run.lake.version(t) or 0) for t in (*_READ, TRAITS) if run.lake.exists(t)},
    )
    number = register(
        registry,
        name,
        trained.model,
        entry,
        decision,
        note=f"{entry.note}\n\n**{'Champion' if decision.is_promoted else 'Not promoted'}**: {decision.why}.",
        run_name=run.run_id,
        example=example(trained.material.rows.table),
        tags=tags_of(outcome, asks, run.as_of),
    )
    return number, decision


def _scored(
    run: Run,
    config: ModelsConfig,
    inputs: frames.Inputs,
    propensity: PropensityConfig,
    model: PropensityModel,
    number: int,
) -> tuple[DataFrame, DataFrame]:
    """The rows of a propensity, and the kept scores that they are made of."""
    from cdp.models.propensity.scoring import propensities, scores

    predict, horizon = propensity.training.predict, propensity.training.predict_window_days
    names: dict[str, str]
    if predict.is_of_time:
        rows, _ = frames.of_events(inputs, propensity, model.events, [run.as_of], as_of=run.as_of)
        names, days = frames.event_columns(model.events), horizon
    elif model.is_state:
        rows = frames.of_today(inputs, propensity, model.keys, as_of=run.as_of).where("happened = 0")
        names, days = frames.today_columns(inputs.table, model.keys), None
    else:
        candidates = frames.not_there_yet(inputs, propensity, as_of=run.as_of)
        rows = frames.traits_of_today(inputs, propensity, as_of=run.as_of).join(
            candidates, on="customer_id", how="inner"
        )
        names, days = frames.trait_columns(inputs.table), horizon
    found = scores(rows, model, names, with_reasons=config.reasons).persist()
    version = f"{propensity.model}/{number}"
    return propensities(found, propensity.name, horizon_days=days, version=version, as_of=run.as_of), found


def _model(registry: Registry, name: str, number: int) -> PropensityModel:
    return cast(PropensityModel, registry.load(name, number))


def _asks(propensity: PropensityConfig) -> str:
    """Hash of what is predicted, and of whom."""
    wanted = propensity.training
    return hash_of(plain({key: getattr(wanted, key) for key in ("predict", "predict_window_days", "eligible_users")}))
