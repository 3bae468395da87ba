"""PostgreSQL: the rows of a slice, read once, every value as text that the server writes exactly."""

from collections.abc import Sequence

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from cdp.base.errors import CdpError
from cdp.base.files import FoundFile
from cdp.bronze.config import SourceConfig
from cdp.bronze.jdbc import ServerColumn, properties, relation
from cdp.bronze.read.columnar import declared
from cdp.bronze.slices import DIVIDER, Slice

_ARRAY, _STRUCT = 2003, 2002
_PART, _PLACE = "cdp part", "cdp place"
_PLACE_BITS = (1 << 33) - 1


def read_jdbc(spark: SparkSession, source: SourceConfig, slices: Sequence[FoundFile]) -> list[DataFrame]:
    """Rows of slices, frozen: whoever asks twice for a live table gets two answers."""
    return [_read(spark, source, one) for one in slices if isinstance(one, Slice)]


def _read(spark: SparkSession, source: SourceConfig, one: Slice) -> DataFrame:
    database = source.jdbc
    assert database is not None
    shown = [f"{_as_text(c)} as {c.quoted}" for c in one.columns]
    if one.divider:
        shown.append(f"{one.divider.quoted} as {DIVIDER}")
    query = f"(select {', '.join(shown)} from {relation(database)} where {one.where}) as cdp"
    options = {**properties(database), "driver": "org.postgresql.Driver", "fetchsize": str(database.fetch_size)}
    parts = list(one.parts) or ["true"]
    try:
        rows = spark.read.jdbc(database.url, query, predicates=parts, properties=options)
        # Numbered before they are frozen: afterwards, a row's partition may be another.
        at = [F.spark_partition_id().alias(_PART), F.monotonically_increasing_id().alias(_PLACE)]
        rows = rows.drop(DIVIDER.strip('"')).select("*", *at).localCheckpoint()
        counted = {r[_PART]: r["count"] for r in rows.groupBy(f"`{_PART}`").count().collect()}
    except Exception:  # what Spark says holds what the server said, and that may quote a row
        raise CdpError(f"source {source.name}: the server did not give all rows of {one.path}; the next run begins anew") from None
    offsets, total = [], 0
    for part in range(len(parts)):
        offsets.append(total)
        total += counted.get(part, 0)
    before = F.element_at(F.array(*[F.lit(n).cast("bigint") for n in offsets]), F.col(f"`{_PART}`") + 1)
    return rows.select(
        *declared(source, {c.name: F.col(_escaped(c.name)) for c in one.columns}),
        F.lit(one.path).alias("_file"),
        F.lit(one.modified_at).alias("_file_modified_at"),
        (before + F.col(f"`{_PLACE}`").bitwiseAND(F.lit(_PLACE_BITS)) + 1).alias("_file_row"),
    )


def _escaped(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _as_text(column: ServerColumn) -> str:
    """The value as text, whatever the session's zone and styles are; times by ISO 8601, an instant in UTC."""
    name = column.quoted
    if column.code in (_ARRAY, _STRUCT):
        return f"to_json({name})::text"
    if column.type == "bytea":
        return f"translate(encode({name}, 'base64'), E'\\n', '')"
    if column.type == "timestamptz":
        utc = f"(to_json({name} at time zone 'UTC') #>> '{{}}') || 'Z'"
        return f"case when isfinite({name}) then {utc} else {name}::text end"
    if column.type in ("date", "timestamp"):
        return f"to_json({name}) #>> '{{}}'"
    return f"{name}::text"
