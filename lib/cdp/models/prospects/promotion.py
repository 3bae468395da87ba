"""Whether newly trained models of first orders take the place of those in use: all horizons together."""

from collections.abc import Mapping, Sequence
from datetime import date

from cdp.models.learning import ByHorizon
from cdp.models.promotion import Decision
from cdp.models.propensity import promotion
from cdp.models.propensity.answers import PropensityModel
from cdp.models.prospects.model import Prospects
from cdp.models.prospects.training import Trained


def decide(held: Sequence[Trained], in_use: Mapping[int, promotion.InUse]) -> Decision:
    """Promote a challenger unless it is worse over some horizon; by the rules of propensities.

    Args:
        held: the challenger, by horizon.
        in_use: the champion, by horizon; empty where there is none.
    """
    found = {
        one.horizon_days: promotion.decide(
            one.outcome, _asks(one.horizon_days), _probability(one.model), in_use.get(one.horizon_days)
        )
        for one in held
    }
    refused = {horizon: decision for horizon, decision in found.items() if not decision.is_promoted}
    told = refused or found
    if len({decision.why for decision in told.values()}) == 1:
        return Decision(not refused, next(iter(told.values())).why)
    return Decision(not refused, "; ".join(f"over {horizon} days {d.why}" for horizon, d in told.items()))


def tags_of(held: Sequence[Trained], as_of: date) -> dict[str, str]:
    """What is written beside a version, for `parse_in_use` and for people."""
    tags = {"as_of": str(as_of)}
    for one in held:
        own = promotion.tags_of(one.outcome, _asks(one.horizon_days), as_of)
        tags |= {f"h{one.horizon_days}_{key}": value for key, value in own.items() if key != "as_of"}
    return tags


def parse_in_use(version: int, tags: Mapping[str, str], model: ByHorizon) -> dict[int, promotion.InUse]:
    """The champion by horizon, from what was written beside it; empty where it was not registered by `train`."""
    found = {}
    for horizon in model.horizons:
        prefix = f"h{horizon}_"
        own = {key.removeprefix(prefix): value for key, value in tags.items() if key.startswith(prefix)}
        every = {**own, **({"as_of": tags["as_of"]} if "as_of" in tags else {})}
        one = promotion.parse_in_use(version, every, _probability(model.at(horizon)))
        if one is not None:
            found[horizon] = one
    return found


def _asks(horizon_days: int) -> str:
    # Not how many days were learned from: while history is short these grow from day to day.
    return f"an order within {horizon_days} days"


def _probability(model: Prospects) -> PropensityModel:
    """The part that says how likely an order is: what is compared."""
    return PropensityModel(model.answer, tuple(model.features))
