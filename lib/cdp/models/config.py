"""conf/models.yaml: horizons, training and recommendations."""

from typing import Annotated

from pydantic import Field, field_validator

from cdp.base.settings import ConfigFolder, Document, Strict

FILE = "models.yaml"

Horizon = Annotated[int, Field(ge=1, le=1095)]


class Training(Strict):
    """How models are trained and judged."""

    cutoffs: int = Field(default=3, ge=1, le=24)
    """Days in the past, each with all features and the outcome after it, that are stacked into the training set."""
    step_days: int = Field(default=30, ge=1)
    """Days between two of them."""
    min_history_days: int = Field(default=90, ge=1)
    """Days of orders that must lie before the earliest of them; with less, fewer are used, or the horizon is left out."""
    min_customers: int = Field(default=200, ge=2)
    """With fewer rows to train or to validate on, the baseline is taken without a contest."""
    min_each_outcome: int = Field(default=30, ge=2)
    """So many rows must have come back, and so many must not have, for the same."""
    max_customers: int = Field(default=100_000, ge=1_000)
    """Customers that come to the driver for training, at most, chosen by a hash of their id."""
    seed: int = Field(default=42, ge=0)
    """Of the sample of customers and of the learners."""


class ModelsConfig(Document):
    """conf/models.yaml: which predictions are made, and how."""

    horizons_days: tuple[Horizon, ...] = Field(default=(90, 365), min_length=1)
    """Days looked ahead. One that the orders do not reach back far enough for is left out, and the run says so."""
    training: Training = Training()
    """How models are trained and judged."""
    recommendations: bool = True
    """Whether products are recommended."""
    max_recommendations: int = Field(default=5, ge=1, le=5)
    """Products for a customer, at most."""
    sellable_days: int = Field(default=90, ge=1)
    """A product that nobody bought for so many days is not recommended."""

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
    return config.load(ModelsConfig, FILE)
