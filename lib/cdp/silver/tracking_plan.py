"""conf/tracking_plan.yaml: which events and properties are planned, and what becomes of those that are not."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from cdp.base.errors import ConfigError
from cdp.base.settings import ConfigFolder, Document, Strict, did_you_mean
from cdp.bronze.config import load_sources
from cdp.bronze.yaml_values import Pattern, as_text

FILE = "tracking_plan.yaml"
PropertyType = Literal["string", "number", "integer", "boolean", "datetime", "array", "object"]


class Property(Strict):
    """A planned property of an event."""

    name: str = Field(min_length=1)
    type: PropertyType = "string"
    required: bool = False
    enum: tuple[Annotated[str, BeforeValidator(as_text)], ...] = ()
    """The values it may have; empty: any."""
    pattern: Pattern | None = None
    """Regular expression that must be found in the value."""


class PlannedEvent(Strict):
    """A planned event."""

    event: str = Field(min_length=1)
    allow_unplanned: bool = False
    """Whether further properties are as good as planned."""
    properties: tuple[Property, ...] = ()

    @model_validator(mode="after")
    def _names_are_different(self) -> "PlannedEvent":
        names = [p.name for p in self.properties]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise ValueError(f"properties: {', '.join(twice)} is there twice")
        return self


class Enforcement(Strict):
    """The three switches, under RudderStack's names."""

    unplanned_event: Literal["allow", "quarantine", "drop"] = "allow"
    unplanned_property: Literal["keep", "omit"] = "keep"
    violation: Literal["forward", "quarantine", "drop"] = "forward"


class TrackingPlan(Document):
    """The events that sources may send. Without a file, or without rules, every event is welcome."""

    version: int = Field(default=1, ge=1)
    """Version of the plan; it stands beside each count of violations."""
    sources: tuple[str, ...] = ()
    """Sources that are held to the plan; empty: all that make events."""
    rules: tuple[PlannedEvent, ...] = ()
    enforcement: Enforcement = Enforcement()

    @model_validator(mode="after")
    def _events_are_different(self) -> "TrackingPlan":
        events = [rule.event for rule in self.rules]
        twice = sorted({e for e in events if events.count(e) > 1})
        if twice:
            raise ValueError(f"rules: {', '.join(twice)} is there twice")
        return self

    @property
    def keeps_events_out(self) -> bool:
        """Whether some events do not come to silver for what they violate."""
        return bool({"quarantine", "drop"} & {self.enforcement.unplanned_event, self.enforcement.violation})

    def holds(self, source: str) -> bool:
        """Whether a source is held to the plan."""
        return bool(self.rules) and (not self.sources or source in self.sources)


def load_tracking_plan(config: ConfigFolder) -> TrackingPlan:
    """The tracking plan.

    Raises:
        ConfigError: it is wrong, or names a source that there is not or that makes no event.
    """
    plan = config.load(TrackingPlan, FILE)
    known = [name for name, source in load_sources(config).items() if source.produces.event]
    unknown = [name for name in plan.sources if name not in known]
    if unknown:
        problems = [f"sources: {name} is no source of events{did_you_mean(name, known)}" for name in unknown]
        raise ConfigError(str(config.path / FILE), problems)
    return plan
