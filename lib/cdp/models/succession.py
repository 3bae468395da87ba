"""The end of a training: whether its model takes the place of the one in use, and its registration with the alias it deserves."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

import pandas as pd

from cdp.models.promotion import Decision
from cdp.models.registry import ALIAS, Entry, ForeignModelError, Registry

InUse = TypeVar("InUse")


def succession(
    registry: Registry,
    name: str,
    parse: Callable[[int, Mapping[str, str], Any], InUse | None],
    decide: Callable[[InUse | None], Decision],
    *,
    promotion: str,
    from_scratch: bool,
) -> Decision:
    """What becomes of a challenger.

    Args:
        registry: where models are registered.
        name: of the registered model.
        parse: the model in use from its version, tags and itself; None where there is nothing to compare with.
        decide: by it, None where there is none.
        promotion: `manual`: a person gives the alias, except the first; or `automatic`.
        from_scratch: the model in use does not count.
    """
    number = registry.champions([name]).get(name)
    if number is not None and promotion == "manual":
        return Decision(False, f"conf/models.yaml promotion: manual; give it the alias {ALIAS} to use it")
    in_use = None
    if number is not None and not from_scratch:
        # A champion that this version of the library cannot read is none, also for `score`.
        with suppress(ForeignModelError):
            in_use = parse(number, registry.version_tags(name, number), registry.load(name, number))
    return decide(in_use)


def register(
    registry: Registry,
    name: str,
    model: Any,
    entry: Entry,
    decision: Decision,
    *,
    note: str,
    run_name: str,
    example: pd.DataFrame,
    tags: Mapping[str, str],
) -> int:
    """Record a training as a new version with its verdict, and use it where that is decided; returns the version.

    Args:
        entry: what is recorded of the training.
        decision: what becomes of it.
        note: description of the version.
        run_name: of the MLflow run.
        example: rows to ask the model about, without personal data.
        tags: of the version, by which a later training compares with it.
    """
    number = registry.register(name, model, entry, run_name=run_name, example=example, tags=tags)
    verdict = {"verdict": "promoted" if decision.is_promoted else "refused", "why": decision.why}
    registry.describe(name, number, note, verdict)
    if decision.is_promoted:
        registry.crown({name: number})
    return number
