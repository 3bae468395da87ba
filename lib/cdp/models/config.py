"""conf/models.yaml: horizons, training and recommendations."""

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from cdp.base.errors import ConfigError
from cdp.base.settings import ConfigFolder, Document, Strict
from cdp.gold.computed.columns import traits_table
from cdp.gold.computed.load import load_traits
from cdp.models.products.config import RecommendationsConfig
from cdp.models.propensity.config import PropensityConfig
from cdp.models.watch.config import WatchConfig

FILE = "models.yaml"

Horizon = Annotated[int, Field(ge=1, le=1095)]


class Training(Strict):
    """How models are trained and judged."""

    cutoffs: int = Field(default=6, ge=1, le=24)
    """Days in the past, each with all features and the outcome after it, that are stacked into the training set."""
    step_days: int = Field(default=30, ge=1)
    """Days between two of them; fewer where the orders reach back too little for that many."""
    backtests: int = Field(default=3, ge=1, le=12)
    """Days in the past, as far apart, on which candidates are judged; each learns from what was known on its day."""
    min_history_days: int = Field(default=30, ge=1)
    """Days of orders that must lie before the earliest of them; with less, fewer are used, or a shorter outcome."""
    min_customers: int = Field(default=200, ge=2)
    """With fewer rows to train or to validate on, the baseline is taken without a contest."""
    min_each_outcome: int = Field(default=30, ge=2)
    """So many rows must have come back, and so many must not have, for the same."""
    max_customers: int = Field(default=50_000, ge=1_000)
    """Customers that come to the driver for training, at most, chosen by a hash of their id; and as many prospects."""
    max_rows: int = Field(default=600_000, ge=1_000)
    """Rows that they have there, one for each day on which features are taken; with more, fewer come. So of prospects."""
    seed: int = Field(default=42, ge=0)
    """Of the sample of customers and of the learners."""


class Lifecycle(Strict):
    """Limits between the labels of `gold.predictions.lifecycle`; see docs/models.md."""

    new_days: int = Field(default=90, ge=1)
    """Who first ordered within so many days, and on one day only, is `new`."""
    usual_gap_days: float = Field(default=90, gt=0)
    """Days between orders that are usual, to which the gaps of customers with few orders are drawn."""
    at_risk: float = Field(default=1.5, gt=0)
    """From a silence of so many gaps a customer is `at_risk`; before, `active`."""
    dormant: float = Field(default=3.0, gt=0)
    """From so many, `dormant`."""
    lost: float = Field(default=6.0, gt=0)
    """From so many, `lost`."""

    @model_validator(mode="after")
    def _in_order(self) -> "Lifecycle":
        if not self.at_risk < self.dormant < self.lost:
            raise ValueError(
                f"at_risk, dormant and lost must grow, found {self.at_risk:g}, {self.dormant:g}, {self.lost:g}"
            )
        return self


class ModelsConfig(Document):
    """conf/models.yaml: which predictions are made, and how."""

    horizons_days: tuple[Horizon, ...] = Field(default=(90, 365), min_length=1)
    """Days looked ahead. One that the orders do not reach back far enough for is left out, and the run says so."""
    training: Training = Training()
    """How models are trained and judged."""
    promotion: Literal["automatic", "manual"] = "automatic"
    """Whether a training makes its model `champion` where that is not worse than the one in use, or leaves it `challenger`."""
    profiling_purpose: str | None = "profiling"
    """Who does not allow this purpose in `gold.effective_consent` is neither learned from nor scored; null: everybody is."""
    prospects: bool = True
    """Whether people who never ordered are learned from and scored, too: how likely a first order is."""
    reasons: bool = True
    """Whether each score says what moved it most."""
    lifecycle: Lifecycle = Lifecycle()
    """Limits between `new`, `active`, `at_risk`, `dormant` and `lost`."""
    watch: WatchConfig = WatchConfig()
    """How models in use are watched, and what holds their scores back; see docs/model-watching.md."""
    recommendations: RecommendationsConfig = RecommendationsConfig()
    """What is recommended to whom; `true` for the defaults, `false` for nothing."""
    propensities: tuple[PropensityConfig, ...] = ()
    """What else is predicted; see docs/propensities.md."""

    @model_validator(mode="before")
    @classmethod
    def _recommendations_moved(cls, content: Any) -> Any:
        moved = {"max_recommendations": "recommendations.max", "sellable_days": "recommendations.sellable_days"}
        found = [f"{old} is {new} now" for old, new in moved.items() if isinstance(content, dict) and old in content]
        if found:
            raise ValueError("; ".join(found))
        return content

    @field_validator("recommendations", mode="before")
    @classmethod
    def _recommendations_by_a_word(cls, found: Any) -> Any:
        return {"enabled": found} if isinstance(found, bool) else found

    @model_validator(mode="after")
    def _kept_until_horizons_have_passed(self) -> "ModelsConfig":
        if why := self.watch.too_short_for(self.horizons_days):
            raise ValueError(why)
        return self

    @field_validator("horizons_days")
    @classmethod
    def _each_once_in_order(cls, horizons: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(horizons)) != len(horizons):
            raise ValueError(f"a horizon is there twice, found {list(horizons)}")
        return tuple(sorted(horizons))


def load_models_config(config: ConfigFolder) -> ModelsConfig:
    """The settings; the defaults where there is no file.

    Raises:
        ConfigError: the file is wrong; all problems at once.
    """
    found = config.load(ModelsConfig, FILE)
    if found.propensities:
        from cdp.models.propensity.check import propensity_problems

        problems = list(propensity_problems(found.propensities, traits_table(load_traits(config))))
        if problems:
            raise ConfigError(str(config.path / FILE), problems)
    return found
