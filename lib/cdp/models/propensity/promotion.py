"""Whether a newly trained propensity takes the place of the one in use."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from cdp.models.metrics import shape_log_losses
from cdp.models.promotion import Decision, by_gains, has_lost_its_lead
from cdp.models.propensity.answers import BLEND, PropensityModel
from cdp.models.propensity.contest import Outcome

_CHANCE = 0.5
"""ROC AUC of random answers."""


@dataclass(frozen=True)
class InUse:
    """The champion of now.

    Attributes:
        version: of the registered model.
        asks: hash of what it predicts.
        as_of: the date that it was trained as of.
        chosen: the candidate that it is.
        auc: on its back-tests, where it had any.
        model: itself.
    """

    version: int
    asks: str
    as_of: date
    chosen: str
    auc: float | None
    model: PropensityModel


def tags_of(outcome: Outcome, asks: str, as_of: date) -> dict[str, str]:
    """What is written beside a version, for `parse_in_use` and for people."""
    tags = {"as_of": str(as_of), "asks": asks, "chosen": outcome.chosen}
    return tags if outcome.auc is None else {**tags, "roc_auc": f"{outcome.auc:.6f}"}


def parse_in_use(version: int, tags: Mapping[str, str], model: PropensityModel) -> InUse | None:
    """The champion from what was written beside it; None where it was not registered by `train`."""
    if not {"as_of", "asks", "chosen"} <= set(tags):
        return None
    auc = float(tags["roc_auc"]) if "roc_auc" in tags else None
    return InUse(version, tags["asks"], date.fromisoformat(tags["as_of"]), tags["chosen"], auc, model)


def decide(outcome: Outcome, asks: str, model: PropensityModel, in_use: InUse | None) -> Decision:
    """Promote a challenger unless it is worse than the model in use; the rules of `cdp.models.promotion.decide`.

    Args:
        outcome: the challenger's contest.
        asks: hash of what it predicts.
        model: the challenger.
        in_use: the champion; None where there is none.
    """
    if in_use is None:
        return Decision(True, "there was no champion")
    if in_use.asks != asks:
        return Decision(True, f"version {in_use.version} predicts something else: the configuration has changed")
    if outcome.is_rule and in_use.chosen == BLEND:
        return Decision(False, f"it is but a rule, and version {in_use.version} is a model")
    before, now = in_use.auc, outcome.auc
    if before is not None and now is not None and has_lost_its_lead(before, now, _CHANCE):
        return Decision(False, f"ROC AUC fell from {before:.3f} to {now:.3f}")
    newest = outcome.told[0] if outcome.told else None
    is_fair = newest is not None and min(newest.judge.cutoff, default=in_use.as_of) >= in_use.as_of
    # A model in use that takes features which are not made any more would be judged without them.
    if newest is None or not is_fair or not set(in_use.model.features) <= {*model.features}:
        return Decision(True, f"it is made as well as version {in_use.version}, of newer data")
    happened = newest.judge.happened
    old = shape_log_losses(happened, in_use.model.predict(newest.judge.table))
    gains = old - shape_log_losses(happened, newest.answers[outcome.chosen])
    return by_gains(gains, in_use.version)
