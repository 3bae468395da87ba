"""Trains and registers first orders, and finds the model that is in use."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cdp.base.stage import Run
from cdp.models.config import ModelsConfig
from cdp.models.promotion import Decision
from cdp.models.registry import ForeignModelError, Registry

if TYPE_CHECKING:
    from cdp.models.learning import ByHorizon
    from cdp.models.past import Past
    from cdp.models.prospects.training import Trained
    from cdp.models.training import Ground

MODEL = "cdp_prospects"
"""Its experiment and registered model in MLflow."""


@dataclass(frozen=True)
class Champion:
    """The model in use, and its name with the version."""

    model: "ByHorizon"
    label: str


def train_prospects(
    run: Run,
    config: ModelsConfig,
    registry: Registry,
    past: "Past",
    found: "Ground",
    facts: Mapping[str, Any],
    tables: Mapping[str, tuple[str, int]],
) -> list[str]:
    """Train, judge and register first orders. Where they cannot be learned, value and churn go on without them.

    Args:
        run: the run.
        config: the settings.
        registry: where to register.
        past: with prospects.
        found: the splits of time of value and churn.
        facts: of the data, from `training.facts`.
        tables: what was read: by name of the table its place and version.

    Returns:
        Notes.
    """
    if not config.prospects:
        return []
    from cdp.models.propensity.training import NoModelError
    from cdp.models.prospects.record import told
    from cdp.models.prospects.training import learn

    held, notes = [], []
    for split in found.splits:
        try:
            held.append(learn(past, split, config.training, as_of=run.as_of))
        # The last two are what scikit-learn and scipy raise of data that nothing can be fitted to.
        except (NoModelError, ValueError, RuntimeError) as error:
            notes.append(f"prospects, {split.horizon_days} days: no model, {error}")
    if not held:
        return [*notes, f"no {MODEL} is registered; one that was before stays in use"]
    number, decision = _register(run, config, registry, held, past, facts, tables)
    verdict = "champion" if decision.is_promoted else f"no champion: {decision.why}"
    return [*(told(one) for one in held), *notes, f"{MODEL}/{number} is {verdict}"]


def champion(registry: Registry, config: ModelsConfig) -> tuple[Champion | None, list[str]]:
    """The model to score prospects by; where there is none, a note says why nobody of them is scored."""
    if not config.prospects:
        return None, []
    number = registry.champions([MODEL]).get(MODEL)
    if number is None:
        return None, [f"prospects are not scored: {MODEL} has no champion; see what `train` says of prospects"]
    try:
        return Champion(registry.load(MODEL, number), f"{MODEL}/{number}"), []
    except ForeignModelError as error:
        return None, [f"prospects are not scored: {error}"]


def _register(
    run: Run,
    config: ModelsConfig,
    registry: Registry,
    held: "list[Trained]",
    past: "Past",
    facts: Mapping[str, Any],
    tables: Mapping[str, tuple[str, int]],
) -> tuple[int, Decision]:
    """Record a training, and give its model the alias that it deserves."""
    from cdp.models.learning import ByHorizon
    from cdp.models.prospects.promotion import decide, parse_in_use, tags_of
    from cdp.models.prospects.record import entry, note
    from cdp.models.record import example
    from cdp.models.succession import register, succession

    decision = succession(
        registry,
        MODEL,
        parse_in_use,
        lambda in_use: decide(held, in_use or {}),
        promotion=config.promotion,
        from_scratch=run.full_refresh,
    )
    number = register(
        registry,
        MODEL,
        ByHorizon([one.horizon_days for one in held], [one.model for one in held]),
        entry(held, config.training, facts, tables),
        decision,
        note=note(held, facts, decision),
        run_name=run.run_id,
        example=example(past.prospects(run.as_of), held[0].horizon_days),
        tags=tags_of(held, run.as_of),
    )
    return number, decision
