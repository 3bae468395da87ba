"""conf/profiles.yaml: which source's word becomes the customer's, attribute by attribute."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from cdp.base.errors import ConfigError
from cdp.base.settings import ConfigFolder, Document, Strict, did_you_mean
from cdp.bronze.config import load_sources
from cdp.gold.computed.config import TraitsConfig, load_traits
from cdp.identity.config import HouseholdRule, IdentityConfig

FILE = "profiles.yaml"

GROUPS: Mapping[str, tuple[str, ...]] = {
    "name": ("full_name", "given_name", "family_name"),
    "birth_date": ("birth_date",),
    "gender": ("gender",),
    "address": ("street", "street_2", "city", "region", "postal_code", "country"),
    "language": ("language",),
}
"""Columns of a record that move to the profile, and which of them only together."""

LISTS = {"email": "emails", "phone": "phones"}
"""Contact points, of which the profile keeps all, and their columns."""

ATTRIBUTES = "attributes"
"""The further columns that sources keep; `attributes.NAME` is one of them."""

StrategyName = Literal["most_recent", "oldest", "most_frequent", "source_priority"]


class Strategy(Strict):
    """How the value is chosen among those that the records of a customer hold. What is empty is never chosen."""

    strategy: StrategyName
    """most_recent, oldest: by the time of the record's version. most_frequent: held by most records. source_priority:
    from the first of `sources`. Whatever is equal then goes by the most recent, then by source and key."""
    sources: tuple[str, ...] = ()
    """For source_priority: the most trusted first. Sources not named come after them."""

    @model_validator(mode="after")
    def _sources_go_with_priority(self) -> "Strategy":
        if (self.strategy == "source_priority") != bool(self.sources):
            raise ValueError("sources: wanted with strategy source_priority, and only with it")
        return self


def _named(value: object) -> object:
    return {"strategy": value} if isinstance(value, str) else value


Choice = Annotated[Strategy, BeforeValidator(_named)]


class ProfilesConfig(Document):
    """conf/profiles.yaml."""

    default: Choice = Strategy(strategy="most_recent")
    """Strategy of every attribute that has none of its own: a name, or keys `strategy` and `sources`."""
    attributes: Mapping[str, Choice] = Field(default_factory=dict)
    """Strategy by attribute: name, birth_date, gender, email, phone, address, language, attributes, attributes.NAME."""

    @field_validator("attributes")
    @classmethod
    def _attributes_exist(cls, value: Mapping[str, Strategy]) -> Mapping[str, Strategy]:
        known = [*GROUPS, *LISTS, ATTRIBUTES]
        for name in value:
            group = next((g for g, columns in GROUPS.items() if name in columns and name != g), None)
            if group:
                raise ValueError(f"{name} moves with its group; wanted {group}")
            if name not in known and not (name.startswith(f"{ATTRIBUTES}.") and len(name) > len(ATTRIBUTES) + 1):
                raise ValueError(f"{name} is no attribute of a profile{did_you_mean(name, known)}")
        return value

    def strategy(self, attribute: str) -> Strategy:
        """The strategy of an attribute or group; that of `attributes.NAME` falls back on that of `attributes`."""
        whole = self.attributes.get(attribute.split(".")[0], self.default)
        return self.attributes.get(attribute, whole)

    @property
    def own_attributes(self) -> tuple[str, ...]:
        """NAMEs of further columns with a strategy of their own."""
        return tuple(name.split(".", 1)[1] for name in self.attributes if name.startswith(f"{ATTRIBUTES}."))


@dataclass(frozen=True)
class Settings:
    """What the stage is set to."""

    profiles: ProfilesConfig
    households: HouseholdRule
    traits: TraitsConfig


def load_settings(folder: ConfigFolder) -> Settings:
    """Raises ConfigError where a file is wrong or a strategy names a source that is not there."""
    profiles = folder.load(ProfilesConfig, FILE)
    named = {"default": profiles.default, **{f"attributes.{k}": v for k, v in profiles.attributes.items()}}
    if any(choice.sources for choice in named.values()):
        known = tuple(load_sources(folder))
        problems = [
            f"{key}.sources: there is no source {source}{did_you_mean(source, known)}"
            for key, choice in named.items()
            for source in choice.sources
            if source not in known
        ]
        if problems:
            raise ConfigError(str(folder.path / FILE), problems)
    return Settings(profiles, folder.load(IdentityConfig, "identity.yaml").households, load_traits(folder))
