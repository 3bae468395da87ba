"""What conf/measure.yaml may say; without it the defaults hold."""

from typing import Literal

from pydantic import Field, PositiveInt, model_validator

from cdp.base.settings import Document, Strict

MODELS = ("first_touch", "last_touch", "last_non_direct", "linear", "position_based", "time_decay")

NO_ACT = ("Email Delivered", "Email Bounced", "Email Marked as Spam", "Email Unsubscribed", "Unsubscribed")
"""Events with a campaign that nobody came to the shop by."""


class PositionBased(Strict):
    """Shares of the first and last touch under position_based; those between share the rest."""

    first: float = Field(default=0.4, ge=0, le=1)
    """Share of the first touch."""
    last: float = Field(default=0.4, ge=0, le=1)
    """Share of the last touch."""

    @model_validator(mode="after")
    def _leaves_no_less_than_nothing(self) -> "PositionBased":
        if not 0 < self.first + self.last <= 1:
            raise ValueError(f"first and last together must be above 0 and at most 1, found {self.first + self.last:g}")
        return self


class AttributionConfig(Strict):
    """Which contacts count for an order, and for how much."""

    lookback_days: PositiveInt = 30
    """A touch counts for orders that follow within so many days."""
    events: tuple[str, ...] = ()
    """Events that are touches, with or without a campaign; empty: every event that carries a campaign."""
    ignored_events: tuple[str, ...] = NO_ACT
    """Events that are never touches, whatever campaign they carry."""
    direct_channels: tuple[str, ...] = ("web", "app")
    """A touch on one of these without a campaign is direct: the person came of their own accord."""
    visit_gap_minutes: int = Field(default=30, ge=0)
    """Events of one campaign and channel no further apart than this are one touch."""
    position_based: PositionBased = PositionBased()
    """Shares of the model position_based."""
    half_life_days: float = Field(default=7, gt=0)
    """Under time_decay a touch so much earlier than another one gets half of its credit."""

    @model_validator(mode="after")
    def _events_are_not_ignored(self) -> "AttributionConfig":
        both = sorted(set(self.events) & set(self.ignored_events))
        if both:
            raise ValueError(f"events and ignored_events both name {', '.join(both)}")
        return self


class MeasureConfig(Document):
    """conf/measure.yaml: attribution, key figures and report."""

    title: str = "Customer report"
    """Heading of the report."""
    attribution: AttributionConfig = AttributionConfig()
    """Which contacts count for an order, and for how much."""
    return_model: Literal["first_touch", "last_touch", "last_non_direct", "linear", "position_based", "time_decay"] = (
        "last_non_direct"
    )
    """The attribution model behind revenue per cost."""
