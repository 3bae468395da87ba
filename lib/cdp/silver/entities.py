"""From a source's rows to canonical entities: each field's expression, evaluated; what failed, named."""

from collections.abc import Mapping, Sequence
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.base.names import joined, split_names
from cdp.bronze.config import SourceConfig
from cdp.bronze.produces import Campaign, Entity
from cdp.silver.expressions import evaluate
from cdp.silver.money import RATE
from cdp.silver.sources import PLACE

_TEXT, _TIME, _MONEY = "string", "timestamp", "decimal(18,2)"

FIELD_TYPES: dict[str, dict[str, str]] = {
    "customer_record": {
        "birth_date": "date",
        "birth_year": "int",
        "emails": "array<string>",
        "phones": "array<string>",
        "created_at": _TIME,
    },
    "event": {"occurred_at": _TIME},
    "order": {
        "ordered_at": _TIME,
        "total": _MONEY,
        "refunded": _MONEY,
        "discount": _MONEY,
        "shipping": _MONEY,
        "tax": _MONEY,
    },
    "order_line": {
        "quantity": "decimal(18,3)",
        "line_no": "int",
        "unit_price": "decimal(18,4)",
        "discount": _MONEY,
        "amount": _MONEY,
    },
    "product": {"price": _MONEY, "cost": _MONEY, "in_stock": "boolean"},
    "consent": {"captured_at": _TIME, "expires_at": _TIME},
    "campaign_cost": {"day": "date", "cost": _MONEY, "impressions": "bigint", "clicks": "bigint"},
    "exchange_rate": {"day": "date", "rate": RATE},
}
"""Types of fields that are not strings, by entity."""

REQUIRED: dict[str, tuple[str, ...]] = {
    "customer_record": (),
    "event": ("event", "occurred_at"),
    "order": ("order_id", "ordered_at"),
    "order_line": ("order_id", "product_id", "quantity"),
    "product": ("product_id",),
    "consent": (),
    "campaign_cost": ("campaign", "day", "cost"),
    "exchange_rate": ("currency", "day", "rate"),
}
"""Fields without which a row of the entity is refused. A consent without status is no statement, and skipped."""

_MAPS = ("identifiers", "attributes", "properties")
_KEPT = (*PLACE, "_updated_at", "_row_key", "_position", "_origin", "_fate", "_is_changed")


def candidates(rows: DataFrame, source: SourceConfig, kind: str, entity: Entity, number: int) -> DataFrame:
    """The rows of an entity that a source's rows hold.

    Args:
        rows: those of `with_fate` with `_is_changed`.
        source: the source.
        kind: name of the entity, e.g. `event`.
        entity: what `produces` says of it.
        number: its position under `produces.<kind>`, for errors.

    Returns:
        A row a candidate: every field of the entity (null where not mapped), `source`, `_file`, `_file_modified_at`,
        `_file_row`, `_updated_at`, `_origin`, `_fate`, `_is_changed`, `_row_key` (key of the row's customer record),
        `_position` (in an exploded array, from 1), `_entity` (its position under `produces`), `_is_keyed` (whether the
        source has a primary key), `_failed` (names of fields whose expression failed or that are missing) and `_taken`
        (whether the row is meant: `where` holds and a key is there).
    """
    name = f"source {source.name}: produces.{kind}" + (f".{number}" if number else "")
    rows = _exploded(rows.withColumn("_row_key", _row_key(source, kind, entity)), entity)
    fields = _fields(kind, entity)
    if entity.where:
        fields["_where"] = (entity.where, "boolean")
    undecided = ["_undecided"] if "_undecided" in rows.columns else []
    found = evaluate(rows, fields, keep=[*_KEPT, *undecided], where=name, failure=_failure(kind, "{}"))
    taken = F.coalesce("_where", F.contains("_failed", F.lit(_failure(kind, "_where")))) if entity.where else F.lit(True)
    if kind == "customer_record":
        taken = taken & F.col("_row_key").isNotNull()
    if kind == "consent":
        taken = taken & ((F.col("status").isNotNull() & F.col("purpose").isNotNull()) | (F.col("_failed") != ""))
    missing = [
        F.when(F.col(f).isNull() & ~F.contains("_failed", F.lit(_failure(kind, f))), F.lit(f"{kind}.{f} is missing"))
        for f in REQUIRED[kind]
    ]
    failed = [F.nullif("_failed", F.lit("")), *missing, *[F.when(F.col(c), f"{kind}.deleted failed") for c in undecided]]
    return found.select(
        F.lit(source.name).alias("source"),
        *_KEPT,
        *_values(kind, entity),
        F.lit(number).alias("_entity"),
        F.lit(bool(source.primary_key)).alias("_is_keyed"),
        joined(failed).alias("_failed"),
        taken.alias("_taken"),
    ).withColumn("_failed", split_names(F.col("_failed")))


def _failure(kind: str, name: str) -> str:
    return f"{kind}.{name} failed"


def _exploded(rows: DataFrame, entity: Entity) -> DataFrame:
    if not entity.explode:
        return rows.withColumn("_position", F.lit(1))
    # The element takes the array's place, so that expressions reach into it by the array's name.
    others = [f"`{c}`" for c in rows.columns if c != entity.explode]
    element = F.posexplode(F.col(f"`{entity.explode}`")).alias("_position", entity.explode)
    return rows.select(*others, element).withColumn("_position", F.col("_position") + 1)


def key_values(rows: DataFrame, source: SourceConfig, kind: str, entity: Entity, fields: Sequence[str]) -> DataFrame:
    """The fields that make an entity's key, of every row of a source: without what else there is to work out.

    Returns:
        `_origin` and the fields; null where an expression fails.
    """
    if kind == "customer_record":
        return rows.select("_origin", _row_key(source, kind, entity).alias("_row_key"))
    texts = {name: field for name, field in _fields(kind, entity).items() if name in fields}
    if entity.explode and any(entity.explode in text for text, _ in texts.values()):
        rows = _exploded(rows, entity)
    found = evaluate(rows, texts, keep=["_origin"], where=f"source {source.name}: produces.{kind}")
    types = FIELD_TYPES[kind]
    values = {name: F.col(name) if name in texts else F.lit(None).cast(types.get(name, _TEXT)) for name in fields}
    return found.select("_origin", *[_blank_is_null(v, types.get(n, _TEXT)).alias(n) for n, v in values.items()])


def _blank_is_null(value: Column, kind: str) -> Column:
    return F.nullif(F.trim(value), F.lit("")) if kind == _TEXT else value


def _row_key(source: SourceConfig, kind: str, entity: Entity) -> Column:
    """Key of the customer record in the row: the record's own, also for what else the row says of that person."""
    records = source.produces.customer_record
    own = entity if kind == "customer_record" else (records[0] if records else None)
    columns = (own.key if own and own.key else source.primary_key) if own else ()
    if not columns:
        return F.lit(None).cast("string")
    parts = [F.nullif(F.trim(F.col(f"`{c}`").cast("string")), F.lit("")) for c in columns]
    complete = parts[0].isNotNull()
    for part in parts[1:]:
        complete = complete & part.isNotNull()
    return F.when(complete, F.concat_ws("|", *parts))


def _fields(kind: str, entity: Entity) -> dict[str, tuple[str, str]]:
    types = FIELD_TYPES[kind]
    fields: dict[str, tuple[str, str]] = {}
    for name, value in _mapped(entity).items():
        if isinstance(value, Mapping):
            fields |= {f"{name}.{key}": (text, _TEXT) for key, text in value.items()}
        elif isinstance(value, Campaign):
            fields |= {f"{name}.{key}": (text, _TEXT) for key, text in value if text is not None}
        else:
            fields[name] = (value, types.get(name, _TEXT))
    return {name.replace(".", "__"): field for name, field in fields.items()}


def _values(kind: str, entity: Entity) -> list[Column]:
    """Every field of the entity, mapped or not, in one shape for all sources."""
    mapped, types = _mapped(entity), FIELD_TYPES[kind]
    columns = []
    for name in type(entity).model_fields:
        if name in ("where", "explode", "key"):
            continue
        value = mapped.get(name)
        if name in _MAPS:
            columns.append(_map(name, value or {}).alias(name))
        elif name == "campaign" and kind != "campaign_cost":
            columns.append(_campaign(value).alias(name))
        elif value is None:
            columns.append(F.lit(None).cast(types.get(name, _TEXT)).alias(name))
        else:
            columns.append(_blank_is_null(F.col(name), types.get(name, _TEXT)).alias(name))
    return columns


def _mapped(entity: Entity) -> dict[str, Any]:
    skipped = ("where", "explode", "key")
    return {name: value for name, value in entity if name not in skipped and value is not None}


def _map(name: str, keys: Mapping[str, str]) -> Column:
    if not keys:
        return F.lit(None).cast("map<string,string>")
    entries = [part for key in keys for part in (F.lit(key), F.col(f"{name}__{key}"))]
    return F.map_filter(F.create_map(*entries), lambda _, value: value.isNotNull() & (F.trim(value) != ""))


def _campaign(campaign: Campaign | None) -> Column:
    kind = "struct<name:string,source:string,medium:string,content:string,term:string>"
    if campaign is None:
        return F.lit(None).cast(kind)
    parts = {key: F.col(f"campaign__{key}") if text is not None else F.lit(None).cast("string") for key, text in campaign}
    struct = F.struct(*[part.alias(key) for key, part in parts.items()])
    return F.when(F.coalesce(*parts.values()).isNotNull(), struct)
