"""conf/models.yaml, `propensities`: what else is predicted. Keys are named after RudderStack's propensity models."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from cdp.base.settings import Strict
from cdp.conditions.filters import Filter, FilterCondition
from cdp.conditions.operators import Scalar, Value

NAME = r"^[a-z][a-z0-9_]{0,62}$"
PREFIX = "cdp_propensity_"
"""Before the name of a propensity, its experiment and registered model in MLflow."""

Kind = Literal["event", "order", "trait", "profile"]
_COMPANIONS: Mapping[Kind, tuple[str, ...]] = {
    "event": ("properties", "filter"),
    "order": ("category", "brand", "product_id"),
    "trait": ("becomes",),
    "profile": ("equals",),
}


def _each(found: Any) -> Any:
    return found if isinstance(found, list | tuple) else (found,)


Names = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(_each)]
"""A text, or a list of them."""
Values = Annotated[tuple[Value, ...], BeforeValidator(_each)]
"""A value, or a list of them."""


class Predict(Strict):
    """What is predicted: one of `event`, `order`, `trait` and `profile`, with what goes with it."""

    event: Names = ()
    """Name of an event of `gold.timeline`, or several of which one is enough."""
    properties: Mapping[str, Value] = Field(default_factory=dict)
    """Of such an event: the values that its properties must have, `{category: shoes}`."""
    filter: Filter | None = None
    """Of such an event: further limits, on columns of the timeline."""
    order: Literal[True] | None = None
    """A completed order."""
    category: Names = ()
    """Of an order: a line of this category, or of one of these."""
    brand: Names = ()
    """Of an order: a line of this brand, or of one of these."""
    product_id: Names = ()
    """Of an order: a line with this product, or with one of these."""
    trait: str | None = Field(default=None, min_length=1)
    """Column of `gold.traits`, own traits among them."""
    becomes: Values = ()
    """The value that the trait takes, or several."""
    profile: str | None = Field(default=None, min_length=1)
    """Column of `gold.profiles`, or `attributes.NAME`."""
    equals: Values = ()
    """The value that it has, or several."""

    @model_validator(mode="after")
    def _is_one_thing(self) -> "Predict":
        named = [kind for kind in _COMPANIONS if getattr(self, kind)]
        if len(named) != 1:
            raise ValueError(f"wanted one of event, order, trait, profile, found {' and '.join(named) or 'none'}")
        for kind, companions in _COMPANIONS.items():
            out_of_place = [key for key in companions if getattr(self, key) and kind != named[0]]
            if out_of_place:
                raise ValueError(f"{out_of_place[0]} goes with {kind}, found it beside {named[0]}")
        for kind, needed in (("trait", "becomes"), ("profile", "equals")):
            if kind == named[0] and not getattr(self, needed):
                raise ValueError(f"{kind} wants {needed}: the value that is predicted")
        return self

    @property
    def kind(self) -> Kind:
        """Which of the four it is."""
        return next(kind for kind in _COMPANIONS if getattr(self, kind))

    @property
    def is_of_time(self) -> bool:
        """Whether it is something that happens on a day of the history of events and orders."""
        return self.kind in ("event", "order")

    @property
    def values(self) -> tuple[Scalar, ...]:
        """The values of a trait or of a column of the profile."""
        return self.becomes or self.equals

    @property
    def subject(self) -> str:
        """In words, for notes."""
        if self.event:
            return " or ".join(self.event)
        return "an order" if self.order else f"{self.trait or self.profile} = {' or '.join(map(str, self.values))}"


class PropensityTraining(Strict):
    """What is predicted, and from whom it is learned."""

    predict: Predict
    """What is predicted."""
    predict_window_days: int = Field(default=30, ge=1, le=1095)
    """Within how many days it is to happen. A column of the profile has no history, and so no window."""
    eligible_users: FilterCondition | None = None
    """Who is learned from and scored: a condition on features.X, profile.X or, for a trait or profile, traits.X."""
    max_row_count: int = Field(default=30_000, ge=1_000)
    """Rows that are learned from, at most; with more, fewer customers, chosen by a hash of their id."""
    ignore_features: tuple[str, ...] = ()
    """Features that are left out; `event.NAME` leaves out all features of an event."""
    keep_features: tuple[str, ...] = ()
    """Features that stay although one of them alone tells nearly everything."""
    min_positives: int = Field(default=50, ge=10)
    """So many rows must have the rarer outcome; with fewer there is no model."""


class OutputColumns(Strict):
    """How rules of segments may call the two beside `NAME.score` and `NAME.percentile`."""

    score: str | None = Field(default=None, pattern=NAME)
    """The probability."""
    percentile: str | None = Field(default=None, pattern=NAME)
    """The share of scored customers with a lower one."""


class Prediction(Strict):
    """What is made of it."""

    output_columns: OutputColumns = OutputColumns()
    """Names."""


class PropensityConfig(Strict):
    """Something to predict."""

    name: str = Field(pattern=NAME)
    """Its name; in MLflow `cdp_propensity_NAME`."""
    description: str | None = None
    """What it is for."""
    training: PropensityTraining
    """What is predicted, and how it is learned."""
    prediction: Prediction = Prediction()
    """What is made of it."""

    @property
    def model(self) -> str:
        """Name of its experiment and registered model in MLflow."""
        return f"{PREFIX}{self.name}"


def attributes(propensities: tuple[PropensityConfig, ...]) -> dict[str, tuple[str, str]]:
    """How segments call what `gold.propensities` holds: by name after `propensities.`, the model and the column."""
    found = {}
    for propensity in propensities:
        names = propensity.prediction.output_columns
        found[propensity.name] = (propensity.name, "score")
        for column, own in (("score", names.score), ("percentile", names.percentile)):
            for name in filter(None, (f"{propensity.name}.{column}", own)):
                found[name] = (propensity.name, column)
    return found


def names_twice(propensities: tuple[PropensityConfig, ...]) -> list[str]:
    """Names, those of output columns included, that stand for more than one thing."""
    every: list[str] = []
    for propensity in propensities:
        own = propensity.prediction.output_columns
        every += [propensity.name, *filter(None, (own.score, own.percentile))]
    return sorted({name for name in every if every.count(name) > 1})
