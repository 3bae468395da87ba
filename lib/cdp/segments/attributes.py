"""What a rule may ask of a person: the columns of the gold tables, found by name in their contracts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from cdp.base.contracts import Column, Table
from cdp.base.settings import did_you_mean
from cdp.conditions.columns import Kind, Named, UnknownAttributeError, named, names_of, typed
from cdp.tables.gold import CUSTOMER_ORDER_LINES, HOUSEHOLDS, PREDICTIONS, PROFILES, TIMELINE, TRAITS

_NOT_ASKED = {"customer_id", "customer_ids", "provenance", "horizon_days", "as_of", "scored_on"}


@dataclass(frozen=True)
class Attribute:
    """One thing known of a person.

    Attributes:
        source: profile, traits, predictions, propensities, household or consent.
        name: column of the source's table, the consent purpose, or what conf/models.yaml calls a propensity's score.
        kind: what can be done with it (for a list: with an element).
        is_array: whether it is a list.
        key: key, for an entry of a map column.
        horizon_days: horizon, for predictions.
        score: model and column of `gold.propensities`, for propensities.
    """

    source: str
    name: str
    kind: Kind
    is_array: bool = False
    key: str | None = None
    horizon_days: int | None = None
    score: tuple[str, str] | None = None

    @property
    def column(self) -> str:
        """Its column in the frame of customers (see `cdp.segments.frame`)."""
        inner = f"{self.name}.{self.key}" if self.key else self.name
        return column_named(f"{self.source}.{inner}", self.horizon_days)


def column_named(path: str, horizon_days: int | None) -> str:
    """Column of an attribute in the frame of customers, from how a rule or destination names it."""
    source, _, name = path.partition(".")
    parts = [source, name] if source == "consent" else [source, *name.split(".", 1)]
    return "__".join([*parts, *([str(horizon_days)] if horizon_days else [])])


@dataclass(frozen=True)
class Catalogue:
    """What there is to ask, table by table.

    Attributes:
        tables: by the word that rules call them by.
        propensities: model and column of `gold.propensities` by what rules call them after `propensities.`.
    """

    tables: Mapping[str, Table] = field(
        default_factory=lambda: {
            "profile": PROFILES,
            "traits": TRAITS,
            "predictions": PREDICTIONS,
            "household": HOUSEHOLDS,
        }
    )
    propensities: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def find(self, path: str, horizon_days: int | None = None) -> Attribute:
        """The attribute named `path`, e.g. `traits.orders`, `profile.attributes.job_title`, `consent.email_marketing`.

        Raises:
            UnknownAttributeError: there is none, or a horizon is missing or out of place.
        """
        source, _, name = path.partition(".")
        if source == "consent" and name:
            return Attribute("consent", name, "boolean")
        if source == "propensities" and name:
            return self._propensity(name, horizon_days)
        if source not in self.tables or not name:
            raise UnknownAttributeError(f"unknown attribute {path}{did_you_mean(path, self._known())}")
        if (horizon_days is not None) != (source == "predictions"):
            wanted = "wants horizon_days" if source == "predictions" else "takes no horizon_days; only predictions do"
            raise UnknownAttributeError(f"{path} {wanted}")
        found = typed(name, _askable(self.tables[source]))
        if found is None:
            raise UnknownAttributeError(f"unknown attribute {path}{did_you_mean(path, self._of(source))}")
        return Attribute(source, found.name, found.kind, found.is_array, found.key, horizon_days)

    def _propensity(self, name: str, horizon_days: int | None) -> Attribute:
        path = f"propensities.{name}"
        if name not in self.propensities:
            known = [f"propensities.{other}" for other in self.propensities]
            hint = did_you_mean(path, known) if known else "; conf/models.yaml has no propensities"
            raise UnknownAttributeError(f"unknown attribute {path}{hint}")
        if horizon_days is not None:
            raise UnknownAttributeError(f"{path} takes no horizon_days; its predict_window_days is in conf/models.yaml")
        return Attribute("propensities", name, "number", score=self.propensities[name])

    def _known(self) -> list[str]:
        of_tables = [name for source in self.tables for name in self._of(source)]
        return [*of_tables, *(f"propensities.{name}" for name in self.propensities), "consent.PURPOSE"]

    def _of(self, source: str) -> list[str]:
        return [f"{source}.{name}" for name in names_of(_askable(self.tables[source]))]


BUILT_IN = Catalogue()
"""What there is without any configuration."""


@cache
def timeline_column(path: str) -> Named:
    """A column of the timeline, e.g. `amount`, `properties.product_id`.

    Raises:
        UnknownAttributeError: there is none.
    """
    return named(path, _askable(TIMELINE))


@cache
def order_line_column(path: str) -> Named:
    """A column of the order lines, e.g. `product_id`, `category`.

    Raises:
        UnknownAttributeError: there is none.
    """
    return named(path, _askable(CUSTOMER_ORDER_LINES))


def _askable(table: Table) -> list[Column]:
    return [c for c in table.columns if c.name not in _NOT_ASKED]
