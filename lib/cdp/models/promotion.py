"""Whether a newly trained model takes the place of the one in use."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from cdp.models.contest import Material, Outcome, Target
from cdp.models.features import FEATURES, HORIZON
from cdp.models.learning import ByHorizon
from cdp.models.likelihood import Floats

_SURE = 1.645
"""Standard errors that a mean loss must exceed: one chance in twenty."""
_LEAST_LEAD = 0.5
"""Share of the lead over chance on the back-tests of the model in use that a new one must have on its own."""


@dataclass(frozen=True)
class InUse:
    """The champion of now.

    Attributes:
        version: of the registered model.
        as_of: the date that it was trained as of.
        chosen: by horizon in days, the candidate that it is.
        headlines: by horizon, its headline metric on its back-tests, where it had any.
        model: itself.
    """

    version: int
    as_of: date
    chosen: Mapping[int, str]
    headlines: Mapping[int, float]
    model: ByHorizon


@dataclass(frozen=True)
class Decision:
    """What becomes of a challenger."""

    is_promoted: bool
    why: str


def decide(
    target: Target, challenger: Sequence[Outcome], held_on: Sequence[Material], in_use: InUse | None
) -> Decision:
    """Promote a challenger unless it is worse than the model in use.

    Both are compared customer by customer on the newest back-test, if the model in use was trained before and can have
    learned nothing of it; what counts of the challenger is what it said when it was made from what was known then. A model
    in use that was trained later has seen the outcome. Then a challenger that was chosen by beating the rules on today's
    back-tests is as good and newer, unless it has lost half of the lead over chance that the one in use had on its own:
    then something is wrong with the data, and a person should look.

    Args:
        target: what is predicted.
        challenger: its contests, by horizon.
        held_on: what these were held on, in the same order.
        in_use: the champion; None where there is none.
    """
    if in_use is None:
        return Decision(True, "there was no champion")
    if all(outcome.is_baseline for outcome in challenger) and not set(in_use.chosen.values()) <= set(target.baselines):
        return Decision(False, f"it is but a rule, and version {in_use.version} is a model")
    for outcome in challenger:
        before, now = in_use.headlines.get(outcome.horizon_days), outcome.headline
        if before is None or now is None or before <= target.chance:
            continue
        if has_lost_its_lead(before, now, target.chance):
            name = target.headline[1]
            return Decision(False, f"{name} over {outcome.horizon_days} days fell from {before:.3f} to {now:.3f}")
    gains = _gains(target, challenger, held_on, in_use)
    if gains is None:
        return Decision(True, f"it is made as well as version {in_use.version}, of newer data")
    return by_gains(gains, in_use.version)


def has_lost_its_lead(before: float, now: float, chance: float) -> bool:
    """Whether a metric has lost half of its lead over what chance gives."""
    return now - chance < _LEAST_LEAD * (before - chance)


def by_gains(gains: Floats, version: int) -> Decision:
    """Promote unless the loss is surely higher than that of the version in use.

    Args:
        gains: row by row, how much lower the challenger's loss is.
        version: the one in use.
    """
    mean, error = float(gains.mean()), float(gains.std() / np.sqrt(len(gains)))
    side = "lower" if mean >= 0 else "higher"
    told = f"mean loss {abs(mean):.4f} {side} than that of version {version} (s.e. {error:.4f}, {len(gains):,} rows)"
    if mean < -_SURE * error:
        return Decision(False, f"it is worse: {told}")
    return Decision(True, f"{'it is better' if mean > _SURE * error else 'it is no worse, and newer'}: {told}")


def _gains(target: Target, challenger: Sequence[Outcome], held_on: Sequence[Material], in_use: InUse) -> Floats | None:
    """How much lower the challenger's loss is, of customers of the newest back-tests that the model in use has not seen."""
    gains = []
    for outcome, material in zip(challenger, held_on, strict=True):
        tests = material.backtests.judged
        if not outcome.metrics or outcome.horizon_days not in in_use.chosen or tests[-1].cutoff < in_use.as_of:
            continue
        newest = tests[-1]
        rows = material.past.features(newest.cutoff)[list(FEATURES)].assign(**{HORIZON: float(outcome.horizon_days)})
        old = target.answer(in_use.model.at(outcome.horizon_days).predict(rows))
        actual = target.actual(newest)
        new = target.predicted(newest)[outcome.chosen]
        gains.append(target.losses(actual, old) - target.losses(actual, new))
    return np.concatenate(gains) if gains else None


def parse_in_use(version: int, tags: Mapping[str, str], model: Any) -> InUse | None:
    """The champion from what was written beside it; None where it was not registered by `train`."""
    if "as_of" not in tags:
        return None
    chosen = {_days(key): value for key, value in tags.items() if key.endswith("_chosen")}
    headlines = {_days(key): float(value) for key, value in tags.items() if key.endswith("_headline")}
    return InUse(version, date.fromisoformat(tags["as_of"]), chosen, headlines, model)


def tags_of(as_of: date, held: Sequence[Outcome]) -> dict[str, str]:
    """What is written beside a version, for `parse_in_use` and for people."""
    tags = {"as_of": str(as_of)}
    for outcome in held:
        tags[f"h{outcome.horizon_days}_chosen"] = outcome.chosen
        if outcome.headline is not None:
            tags[f"h{outcome.horizon_days}_headline"] = f"{outcome.headline:.6f}"
    return tags


def _days(key: str) -> int:
    return int(key.split("_")[0].removeprefix("h"))
