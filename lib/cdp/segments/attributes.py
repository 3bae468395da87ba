"""What a rule may ask of a person: the columns of the gold tables, found by name in their contracts."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from cdp.base.contracts import Column, Table
from cdp.base.settings import did_you_mean
from cdp.tables.gold import HOUSEHOLDS, PREDICTIONS, PROFILES, TIMELINE, TRAITS

Kind = Literal["text", "number", "boolean", "time", "loose"]
"""What can be done with a value. `loose`: a text that holds anything, such as an event's property, and is read as the
operator needs it."""

_KINDS: dict[str, Kind] = {
    "string": "text",
    "int": "number",
    "bigint": "number",
    "double": "number",
    "decimal": "number",
    "boolean": "boolean",
    "date": "time",
    "timestamp": "time",
}
_TABLES = {"profile": PROFILES, "traits": TRAITS, "predictions": PREDICTIONS, "household": HOUSEHOLDS}
_NOT_ASKED = {"customer_id", "customer_ids", "provenance", "horizon_days", "as_of", "scored_on"}
_TEXT_MAP = "map<string,string>"


class UnknownAttributeError(ValueError):
    """No such attribute; the message says what there is."""


@dataclass(frozen=True)
class Attribute:
    """One thing known of a person.

    Attributes:
        source: profile, traits, predictions, household or consent.
        name: column of the source's table, or the consent purpose.
        kind: what can be done with it (for a list: with an element).
        is_array: whether it is a list.
        key: key, for an entry of a map column.
        horizon_days: horizon, for predictions.
    """

    source: str
    name: str
    kind: Kind
    is_array: bool = False
    key: str | None = None
    horizon_days: int | None = None

    @property
    def column(self) -> str:
        """Its column in the frame of customers (see `cdp.segments.frame`)."""
        parts = [self.source, self.name, self.key, self.horizon_days]
        return "__".join(str(p) for p in parts if p is not None)


def find(path: str, horizon_days: int | None = None) -> Attribute:
    """The attribute named `path`, e.g. `traits.orders`, `profile.attributes.job_title`, `consent.email_marketing`.

    Raises:
        UnknownAttributeError: there is none, or a horizon is missing or out of place.
    """
    source, _, name = path.partition(".")
    if source == "consent" and name:
        return Attribute("consent", name, "boolean")
    if source not in _TABLES or not name:
        raise UnknownAttributeError(f"unknown attribute {path}{did_you_mean(path, known())}")
    if (horizon_days is not None) != (source == "predictions"):
        wanted = (
            "wants horizon_days" if source == "predictions" else "takes no horizon_days; only predictions do"
        )
        raise UnknownAttributeError(f"{path} {wanted}")
    found = _typed(name, _askable(_TABLES[source]))
    if found is None:
        raise UnknownAttributeError(f"unknown attribute {path}{did_you_mean(path, known(source))}")
    column, key, kind, is_array = found
    return Attribute(source, column, kind, is_array, key, horizon_days)


def timeline_column(path: str) -> tuple[str, str | None, Kind]:
    """Column, map key and kind of a column of the timeline, e.g. `amount`, `properties.product_id`.

    Raises:
        UnknownAttributeError: there is none.
    """
    columns = _askable(TIMELINE)
    found = _typed(path, columns)
    if found is None:
        names = [f"{c.name}.NAME" if c.type == _TEXT_MAP else c.name for c in columns]
        raise UnknownAttributeError(f"unknown column {path}{did_you_mean(path, names)}")
    column, key, kind, _ = found
    return column, key, kind


def known(source: str | None = None) -> list[str]:
    """Names of all attributes, of one source or of all."""
    sources: Iterable[str] = [source] if source else _TABLES
    names = [
        f"{s}.{c.name}" + (".NAME" if c.type == _TEXT_MAP else "")
        for s in sources
        for c in _askable(_TABLES[s])
    ]
    return names if source else [*names, "consent.PURPOSE"]


def _askable(table: Table) -> list[Column]:
    plain = [c for c in table.columns if c.name not in _NOT_ASKED]
    return [c for c in plain if _kind(c.type) or c.type in ("array<string>", _TEXT_MAP)]


def _typed(path: str, columns: Iterable[Column]) -> tuple[str, str | None, Kind, bool] | None:
    name, _, key = path.partition(".")
    column = next((c for c in columns if c.name == name), None)
    if column is None or bool(key) != (column.type == _TEXT_MAP):
        return None
    if key:
        return name, key, "loose", False
    if column.type == "array<string>":
        return name, None, "text", True
    kind = _kind(column.type)
    return (name, None, kind, False) if kind else None


def _kind(type_: str) -> Kind | None:
    return _KINDS.get(type_.split("(")[0])
