"""One retailer's fixed facts, shared by all that generates it."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

from cdp.sample.catalogue import Campaign, Catalogue, campaigns, catalogue
from cdp.sample.chance import Array, Dice, uniform
from cdp.sample.names import NameLists, name_lists
from cdp.sample.settings import Mess, SampleSettings

FUTURE_DAYS = 365
"""How far past the as-of date the retailer's life is known: the truth about the future, and days to append."""


@dataclass(frozen=True)
class World:
    """Settings and calendar. Day 0 is the first day of history, `today` the as-of date's number."""

    settings: SampleSettings
    as_of: date

    @property
    def seed(self) -> int:
        return self.settings.seed

    @property
    def mess(self) -> Mess:
        return self.settings.mess

    @property
    def dice(self) -> Dice:
        return Dice(self.seed)

    @property
    def start(self) -> date:
        return self.as_of - timedelta(days=self.today)

    def date_of(self, day: int) -> date:
        return self.start + timedelta(days=day)

    @property
    def today(self) -> int:
        return self.settings.history_days

    @property
    def horizon(self) -> int:
        """The day before which everything happens."""
        return self.today + FUTURE_DAYS + 1

    @property
    def everybody(self) -> int:
        """Persons including those who come in the year after the as-of date."""
        return self.settings.persons + self.settings.persons // 5

    @cached_property
    def catalogue(self) -> Catalogue:
        return catalogue(self.seed)

    @cached_property
    def names(self) -> NameLists:
        return name_lists()

    @cached_property
    def campaigns(self) -> tuple[Campaign, ...]:
        return campaigns(self.seed, self.start, self.horizon)

    def prepared(self) -> "World":
        """With all lists made, so that they travel to the workers instead of being made there."""
        _ = self.catalogue, self.names, self.campaigns
        return self

    def uniform(self, purpose: str, ids: Array, k: int | Array = 0) -> Array:
        return uniform(self.seed, purpose, ids, k)
