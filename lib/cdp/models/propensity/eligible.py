"""Who may be learned from and scored: conditions on features, profile and traits, as of each cut-off."""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.base.contracts import Table
from cdp.base.settings import did_you_mean
from cdp.conditions.clock import Clock
from cdp.conditions.columns import Named, UnknownAttributeError, names_of, typed
from cdp.conditions.filters import ColumnCondition, Filter, filter_holds, parts_of
from cdp.conditions.holds import any_of
from cdp.models.features import FEATURES
from cdp.models.propensity.config import Predict
from cdp.models.propensity.history import OWN_FEATURES
from cdp.tables.gold import PROFILES

_NOT_ASKED = {"customer_id", "as_of", "provenance", "runners_up"}
_MOVES = ("last_seen_at",)
"""Columns of the profile that tell of what happened after a cut-off of the past."""


def column_of(path: str, predict: Predict, traits: Table) -> Named:
    """The column of a frame of customers that a condition names.

    Args:
        path: features.X, profile.X or traits.X.
        predict: what is predicted. Events have features, and no traits, as these are of today; others the other way round.
        traits: `gold.traits` with own traits.

    Raises:
        UnknownAttributeError: there is none.
    """
    source, _, name = path.partition(".")
    if source == "features" and predict.is_of_time:
        known = (*FEATURES, *OWN_FEATURES)
        if name not in known:
            raise UnknownAttributeError(f"unknown feature {name}{did_you_mean(name, known)}")
        return Named(name, "number", "double")
    tables = {"profile": PROFILES, **({} if predict.is_of_time else {"traits": traits})}
    if source not in tables:
        wanted = "features.X or profile.X" if predict.is_of_time else "profile.X or traits.X"
        raise UnknownAttributeError(f"unknown column {path}; wanted {wanted}")
    hidden = {*_NOT_ASKED, *(_MOVES if predict.is_of_time else ())}
    columns = [column for column in tables[source].columns if column.name not in hidden]
    found = typed(name, columns)
    if found is None or found.is_array:
        raise UnknownAttributeError(f"unknown column {path}{did_you_mean(name, names_of(columns))}")
    return Named(f"{source}.{found.name}", found.kind, found.type, key=found.key, field=found.field)


def sources_of(condition: Filter | ColumnCondition | None) -> set[str]:
    """Which of features, profile and traits a condition asks."""
    if condition is None:
        return set()
    return {p.column.partition(".")[0] for _, p in parts_of(condition, "") if isinstance(p, ColumnCondition)}


def is_eligible(
    condition: Filter | ColumnCondition, predict: Predict, traits: Table, cutoffs: Sequence[date]
) -> Column:
    """Whether a row of a cut-off meets the condition; spans of time are counted from the end of the cut-off's day.

    The frame has a column `cutoff`, features by name, and, where asked, structs `profile` and `traits`.
    """
    column = lambda path: column_of(path, predict, traits)  # noqa: E731 - the name says what it is for
    return any_of([(F.col("cutoff") == F.lit(d)) & filter_holds(condition, Clock(d), column) for d in cutoffs])


def with_struct(rows: DataFrame, table: DataFrame, name: str, *, by_day: bool = False) -> DataFrame:
    """The rows with all that another table has of their customer, as one struct; null where it has nothing.

    Args:
        rows: customer_id and cutoff.
        table: customer_id, and as_of where `by_day`.
        name: of the struct.
        by_day: whether the table has a row for each day, of which that of the cut-off is taken.
    """
    found = table.select(
        "customer_id", *([F.col("as_of").alias("cutoff")] if by_day else []), F.struct("*").alias(name)
    )
    return rows.join(found, on=["customer_id", "cutoff"] if by_day else "customer_id", how="left")
