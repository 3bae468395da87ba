"""conf/profiles.yaml: which source's word becomes the customer's, attribute by attribute."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator, Field, field_validator, model_validator

from cdp.base.errors import ConfigError
from cdp.base.settings import ConfigFolder, Document, Strict, did_you_mean
from cdp.bronze.config import load_sources
from cdp.gold.computed.config import TraitsConfig
from cdp.gold.computed.load import load_traits
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

StrategyName = Literal[
    "most_recent", "oldest", "most_frequent", "source_priority", "most_complete", "min", "max", "union", "best"
]

_ALIASES = {
    "priority": "source_priority", "sourcesequence": "source_priority", "last_updated": "most_recent",
    "lastupdated": "most_recent", "mostfrequent": "most_frequent",
}  # fmt: skip
"""What other platforms call the same."""

_ANYWHERE = ("most_recent", "oldest", "most_frequent", "source_priority")
_OF_ONE_VALUE = (*_ANYWHERE, "most_complete", "min", "max")


class Strategy(Strict):
    """How the value is chosen among those that the records of a customer hold. What is empty is never chosen."""

    strategy: StrategyName
    """most_recent, oldest: by the time of the record's version. most_frequent: held by most records. source_priority:
    from the first of `sources`. most_complete: most columns filled, of a single value the longest. min, max: the least,
    the greatest. union: all of them, joined. best, of e-mail and phone: by permission, engagement and time. Whatever is
    equal then goes by the most recent, then by source and key."""
    sources: tuple[str, ...] = ()
    """For source_priority: the most trusted first. Sources not named come after them."""
    limit: int | None = Field(default=None, ge=1)
    """For union, and for email and phone: how many values are kept; null: all."""
    separator: str | None = Field(default=None, min_length=1)
    """For union: what stands between two values; null: a comma and a space."""

    @model_validator(mode="after")
    def _keys_go_with_the_strategy(self) -> "Strategy":
        if (self.strategy == "source_priority") != bool(self.sources):
            raise ValueError("sources: wanted with strategy source_priority, and only with it")
        if self.separator is not None and self.strategy != "union":
            raise ValueError(f"separator: wanted with strategy union alone, found it with {self.strategy}")
        return self


def _named(value: object) -> object:
    """A strategy by its name alone, and by the name that other platforms give it."""
    keys = {"strategy": value} if isinstance(value, str) else value
    if not isinstance(keys, dict) or not isinstance(keys.get("strategy"), str):
        return keys
    word = keys["strategy"]
    name = _ALIASES.get(word.lower(), word)
    if name not in get_args(StrategyName):
        # Which key it is, the location says.
        raise ValueError(f"{word} is no strategy{did_you_mean(word, get_args(StrategyName))}")
    return {**keys, "strategy": name}


Choice = Annotated[Strategy, BeforeValidator(_named)]


class AccountRule(Strict):
    """Which company a customer belongs to."""

    name: str = Field(default=f"{ATTRIBUTES}.company", pattern=rf"^{ATTRIBUTES}\..+")
    """The further attribute that names it, as `attributes.NAME`. Customers without one belong to none."""


class ProfilesConfig(Document):
    """conf/profiles.yaml."""

    default: Choice | None = None
    """Strategy of every attribute that has none of its own: a name, or keys `strategy` and `sources`; null: `best` for
    email and phone, `most_recent` for all others."""
    attributes: Mapping[str, Choice] = Field(default_factory=dict)
    """Strategy by attribute: name, birth_date, gender, email, phone, address, language, attributes, attributes.NAME."""
    accounts: AccountRule = AccountRule()
    """Companies as customers: `gold.accounts`."""

    @field_validator("default")
    @classmethod
    def _default_suits_all(cls, value: Strategy | None) -> Strategy | None:
        wanted = (*_ANYWHERE, "most_complete")
        if value and value.strategy not in wanted:
            raise ValueError(f"{value.strategy} does not suit every attribute; wanted one of {', '.join(wanted)}")
        if value and value.limit:
            raise ValueError("limit: wanted with strategy union, or for email and phone")
        return value

    @field_validator("attributes")
    @classmethod
    def _attributes_exist(cls, value: Mapping[str, Strategy]) -> Mapping[str, Strategy]:
        known = [*GROUPS, *LISTS, ATTRIBUTES]
        for name, choice in value.items():
            group = next((g for g, columns in GROUPS.items() if name in columns and name != g), None)
            if group:
                raise ValueError(f"{name} moves with its group; wanted {group}")
            if name not in known and not (name.startswith(f"{ATTRIBUTES}.") and len(name) > len(ATTRIBUTES) + 1):
                raise ValueError(f"{name} is no attribute of a profile{did_you_mean(name, known)}")
            if choice.strategy not in _suiting(name):
                raise ValueError(f"{name}.strategy: {choice.strategy} does not suit it; wanted one of {', '.join(_suiting(name))}")
            if choice.limit and choice.strategy != "union" and name not in LISTS:
                raise ValueError(f"{name}.limit: wanted with strategy union, or for email and phone; found {choice.strategy}")
        return value

    def strategy(self, attribute: str) -> Strategy:
        """The strategy of an attribute or group; that of `attributes.NAME` falls back on that of `attributes`."""
        default = self.default or Strategy(strategy="most_recent")
        if attribute in LISTS and (self.default is None or default.strategy == "most_complete"):
            default = Strategy(strategy="best")
        whole = self.attributes.get(attribute.split(".")[0], default)
        return self.attributes.get(attribute, whole)

    @property
    def own_attributes(self) -> tuple[str, ...]:
        """NAMEs of further columns with a strategy of their own."""
        return tuple(name.split(".", 1)[1] for name in self.attributes if name.startswith(f"{ATTRIBUTES}."))


def _suiting(attribute: str) -> tuple[str, ...]:
    """Strategies that an attribute may have: columns that move together have no least one, and are not joined."""
    if attribute in LISTS:
        return ("best", *_ANYWHERE)
    if len(GROUPS.get(attribute, ())) > 1:
        return (*_ANYWHERE, "most_complete")
    return _OF_ONE_VALUE if attribute in GROUPS else (*_OF_ONE_VALUE, "union")


@dataclass(frozen=True)
class Settings:
    """What the stage is set to."""

    profiles: ProfilesConfig
    households: HouseholdRule
    traits: TraitsConfig


def load_settings(folder: ConfigFolder) -> Settings:
    """Raises ConfigError where a file is wrong or a strategy names a source that is not there."""
    profiles = folder.load(ProfilesConfig, FILE)
    named = {f"attributes.{k}": v for k, v in profiles.attributes.items()}
    if profiles.default:
        named = {"default": profiles.default, **named}
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
