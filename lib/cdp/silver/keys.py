"""By what the rows of each entity are told apart, and which other rows of a source speak of the same ones."""

from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.base.held import held
from cdp.bronze.config import SourceConfig
from cdp.bronze.produces import Entity, Event, Order, OrderLine
from cdp.silver import activity
from cdp.silver.entities import FIELD_TYPES, candidates, key_values
from cdp.silver.sources import BETWEEN

FIELDS: dict[str, tuple[str, ...]] = {
    "customer_record": ("_row_key",),
    "event": ("event_id",),
    "order": ("order_id",),
    "order_line": ("order_id",),
    "product": ("product_id",),
    "consent": ("consent_id",),
    "campaign_cost": ("campaign", "channel", "day"),
    "exchange_rate": ("currency", "day"),
}
"""The fields of candidates that make an entity's key; lines are looked at by order, as their order numbers them."""

_GROUPS = {"order_line": "order"}


def keyed(rows: DataFrame, kind: str, default_country: str | None) -> DataFrame:
    """Candidates with every field of their key, and owner where the entity has one."""
    if kind in ("event", "order", "consent"):
        rows = activity.with_owner(rows, default_country)
    if kind == "event":
        return activity.with_event_id(rows)
    if kind == "consent":
        return activity.with_consent_id(rows)
    if kind == "campaign_cost":
        return rows.withColumn("channel", _channel())
    return rows.withColumn("currency", F.upper("currency")) if kind == "exchange_rate" else rows


def key_text(kind: str) -> Column:
    """The key of keyed candidates as one text."""
    return F.concat_ws(BETWEEN, *[F.col(name).cast("string") for name in FIELDS[kind]])


def _channel() -> Column:
    return F.coalesce(F.lower("channel"), F.lit("unknown"))


def entities_of(source: SourceConfig) -> list[tuple[str, int, Entity]]:
    """(kind, position under `produces.<kind>`, entity) of each entity that a source's rows hold."""
    return [(kind, i, entity) for kind in FIELD_TYPES for i, entity in enumerate(getattr(source.produces, kind))]


def is_of_one_row(source: SourceConfig, kind: str, entity: Entity) -> bool:
    """Whether an entity's key is the primary key, so that no other row of the source speaks of the same one."""
    key = source.primary_key
    if kind == "customer_record":
        return bool(key) and (not entity.key or entity.key == key)
    if kind == "consent":
        return bool(key)
    if isinstance(entity, Event):
        return key == (entity.event_id,)
    return isinstance(entity, Order | OrderLine) and key == (entity.order_id,)


def related(rows: DataFrame, changed: DataFrame, source: SourceConfig, default_country: str | None) -> DataFrame | None:
    """The entities that changed rows speak of, where other rows of the source may speak of them too.

    Args:
        rows: `typed_rows` of the whole source.
        changed: `_origin` of rows of which a version is new.
        source: its contract.
        default_country: of phone numbers without a country code.

    Returns:
        `_group`, `_key` and `_origin` of every row that speaks of one of them; None where none can.
    """
    frames = []
    entities = entities_of(source)
    shared = {group_of(kind) for kind, _, entity in entities if not is_of_one_row(source, kind, entity)}
    for kind, number, entity in entities:
        if group_of(kind) in shared:
            frame = _keys(rows, source, kind, number, entity, default_country)
            frames.append(frame.select("_origin", F.lit(group_of(kind)).alias("_group"), key_text(kind).alias("_key")))
    if not frames:
        return None
    every = reduce(DataFrame.unionByName, frames)
    spoken_of = held(every.join(changed, on="_origin", how="left_semi").select("_group", "_key").distinct())
    return every.join(spoken_of, on=["_group", "_key"], how="left_semi")


def _keys(
    rows: DataFrame, source: SourceConfig, kind: str, number: int, entity: Entity, default_country: str | None
) -> DataFrame:
    is_by_content = kind == "consent" or (isinstance(entity, Event) and entity.event_id is None)
    if not is_by_content:
        values = key_values(rows, source, kind, entity, FIELDS[kind])
        return keyed(values, kind, default_country) if kind in ("campaign_cost", "exchange_rate") else values
    # A hash of what it says: all of it has to be worked out.
    plain = rows.withColumns({"_fate": F.lit(None).cast("string"), "_is_changed": F.lit(True)})
    return keyed(candidates(plain, source, kind, entity, number), kind, default_country)


def group_of(kind: str) -> str:
    """Under which name `related` tells of an entity: lines go with their orders."""
    return _GROUPS.get(kind, kind)
