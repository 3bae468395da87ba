"""Asks the models of one training about customers: what their experts have in common is worked out once for all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cdp.models.experts import Experts, View
from cdp.models.features import FEATURES
from cdp.models.learning import ByHorizon
from cdp.models.likelihood import Floats
from cdp.models.reasons import Reasons, Shares


@dataclass(frozen=True)
class Answers:
    """What both models say of some customers over one horizon, a row each.

    Attributes:
        value: days with an order, revenue, and the ends of its interval, as `value` has them.
        away: probability of no order.
        why_value, why_away: what each of `reasons.REASONS` adds; None for a rule, which has no reasons but itself, and
            where nobody asks.
    """

    value: Floats
    away: Floats
    why_value: Floats | None = None
    why_away: Floats | None = None


class Panel:
    """Both models, each part of which is asked once a batch.

    Args:
        ltv, churn: models by horizon, `at_one_table` for the same experts to be known as such.
        with_reasons: whether to say why.
    """

    def __init__(self, ltv: Any, churn: Any, *, with_reasons: bool) -> None:
        self._ltv = ltv
        self._churn = churn
        self._shares = Shares()
        self._with_reasons = with_reasons
        self._reasons: dict[int, Reasons] = {}

    @property
    def horizons(self) -> list[int]:
        """Those that both models know."""
        return [h for h in self._ltv.horizons if h in set(self._churn.horizons)]

    def ask(self, features: pd.DataFrame) -> dict[int, Answers]:
        """What they say of a batch of customers, by horizon."""
        features = features[list(FEATURES)].astype(float)
        hearing = _Hearing(features)
        found = {}
        for horizon in self.horizons:
            ltv, churn = self._ltv.at(horizon), self._churn.at(horizon)
            found[horizon] = Answers(
                _told(ltv, features, hearing),
                _told(churn, features, hearing),
                self._why(ltv, "of_value", hearing),
                self._why(churn, "of_churn", hearing),
            )
        return found

    def _why(self, model: Any, of: str, hearing: "_Hearing") -> Floats | None:
        blend = getattr(model, "blend", None)
        if blend is None or not self._with_reasons:
            return None
        reasons = self._reasons.setdefault(id(blend), Reasons(blend, self._shares))
        told: Floats = getattr(reasons, of)(hearing.view(blend.experts))
        return told


class _Hearing:
    """What experts say of one batch."""

    def __init__(self, features: pd.DataFrame) -> None:
        self._features = features
        self._inputs: dict[tuple[int, int], pd.DataFrame] = {}
        self._views: dict[int, View] = {}

    def view(self, experts: Experts) -> View:
        if id(experts) not in self._views:
            key = id(experts.textbook), experts.learn_days
            if key not in self._inputs:
                self._inputs[key] = experts.inputs(self._features)
            self._views[id(experts)] = experts.view(self._features, self._inputs[key])
        return self._views[id(experts)]


def at_one_table(models: Sequence[ByHorizon]) -> None:
    """Make equal experts the same object: models of one training, and of horizons that learned from the same days, each
    come with a copy of their own."""
    import joblib  # type: ignore[import-untyped] # scikit-learn brings it

    known: dict[str, Any] = {}

    def the_one(part: Any) -> Any:
        return known.setdefault(joblib.hash(part), part)

    for blend in (m.blend for by_horizon in models for m in by_horizon.models if hasattr(m, "blend")):
        blend.experts.learned = the_one(blend.experts.learned)
        blend.experts.textbook = the_one(blend.experts.textbook)
        blend.experts = the_one(blend.experts)


def _told(model: Any, features: pd.DataFrame, hearing: _Hearing) -> Floats:
    blend = getattr(model, "blend", None)
    told: Floats = model.predict(features) if blend is None else model.told(hearing.view(blend.experts))
    return told
