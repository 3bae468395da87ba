"""The columns of gold.traits that the traits of conf/traits.yaml make."""

from dataclasses import replace

from cdp.base.contracts import Column, Table
from cdp.gold.computed.config import (
    FILE,
    INPUTS,
    VALUE_TYPES,
    Aggregation,
    Chosen,
    EventCounter,
    OfProperty,
    SqlTrait,
    Trait,
    TraitsConfig,
    UniqueList,
    UniqueListCount,
)
from cdp.tables.gold import TRAITS, TRAITS_HISTORY
from cdp.tables.silver import MONEY


def traits_table(config: TraitsConfig, table: Table = TRAITS) -> Table:
    """`gold.traits`, or its history, with a column for each trait of the configuration."""
    own = [column_of(trait) for trait in config.traits]
    # Days before a trait was there have none of it.
    return table.with_columns(*[replace(c, nullable=True) if table is TRAITS_HISTORY else c for c in own])


def column_of(trait: Trait) -> Column:
    """The column of gold.traits that holds a trait."""
    type_ = type_of(trait)
    nullable = value_if_none(trait) is None
    unit = MONEY if type_ == "decimal(18,2)" else None
    return Column(trait.name, type_, trait.description or f"a trait of {FILE}", pii=is_personal(trait), unit=unit, nullable=nullable)


def type_of(trait: Trait) -> str:
    """Spark type of a trait."""
    if isinstance(trait, SqlTrait):
        return VALUE_TYPES[trait.value_type]
    if isinstance(trait, EventCounter | UniqueListCount):
        return "bigint"
    if isinstance(trait, UniqueList):
        return "array<string>"
    assert isinstance(trait, OfProperty)
    found = trait.column(trait.property)
    if isinstance(trait, Aggregation):
        if found.kind == "loose" or (trait.aggregation == "avg" and found.type in ("int", "bigint")):
            return "double"
        return {"int": "bigint"}.get(found.type, found.type)
    return VALUE_TYPES[trait.value_type] if isinstance(trait, Chosen) and found.kind == "loose" else found.type


def is_personal(trait: Trait) -> bool:
    """Whether a trait is personal data: as it says, else by where its values come from."""
    if trait.pii is not None:
        return trait.pii
    if isinstance(trait, SqlTrait):
        return trait.query is not None and trait.value_type in ("text", "list", "date", "time")
    if not isinstance(trait, Chosen | UniqueList) or type_of(trait) not in ("string", "array<string>"):
        return False
    return trait.column(trait.property).name in INPUTS[trait.from_].pii_columns


def value_if_none(trait: Trait) -> int | None:
    """What a trait is for who has no entry: counts and sums are 0, the others are missing."""
    is_count = isinstance(trait, EventCounter | UniqueListCount)
    return 0 if is_count or (isinstance(trait, Aggregation) and trait.aggregation == "sum") else None
