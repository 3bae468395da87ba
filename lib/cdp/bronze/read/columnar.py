"""What has columns of its own types (Parquet, Delta, databases) in the shape of all extracts: text, by the contract's names."""

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, BinaryType, DataType, MapType, StructType, TimestampType

from cdp.bronze.config import SourceConfig
from cdp.bronze.read.csv import folded
from cdp.bronze.read.layout import EXTRAS, NOTHING
from cdp.bronze.read.nested import below, object_of, parts_left, tree_of


def declared(source: SourceConfig, texts: dict[str, Column]) -> list[Column]:
    """The columns of `read_files` but those of the row's place.

    Args:
        source: the contract.
        texts: every column there is, as text.
    """
    by_folded = {folded(name): name for name in texts}
    values: dict[str, Column] = {}
    for name in [c.name for c in source.columns]:
        head, dot, rest = name.partition(".")
        if folded(name) in by_folded:
            values[name] = texts[by_folded[folded(name)]]
        elif dot and folded(head) in by_folded:
            outer = object_of(texts[by_folded[folded(head)]])
            values[name] = below(outer, tree_of([rest]))[rest]
    missing = [name for name in source.required_columns if name not in values]
    return [
        *[values.get(c.name, F.expr(NOTHING)).alias(c.name) for c in source.columns],
        _extra(texts, [c.name for c in source.columns]).alias("_extra"),
        F.expr(NOTHING).alias("_corrupt"),
        F.expr(NOTHING).alias("_problem"),
        F.array(*[F.lit(name) for name in missing]).cast("array<string>").alias("_missing"),
        F.lit(False).alias("_recoded"),
    ]


def _extra(texts: dict[str, Column], names: list[str]) -> Column:
    whole, tree = set(map(folded, names)), {folded(part): deeper for part, deeper in tree_of(names).items()}
    pairs, parts = [], []
    for name, text in texts.items():
        if folded(name) not in tree:
            pairs += [F.lit(name), text]
        elif folded(name) not in whole:
            parts += parts_left(text, tree[folded(name)], name, set(names))
    maps = ([F.create_map(*pairs).cast(EXTRAS)] if pairs else []) + parts
    return F.map_concat(*maps) if maps else F.lit(None).cast(EXTRAS)


def as_text(value: Column, kind: DataType) -> Column:
    """A value of any type as text, nested ones as JSON."""
    if isinstance(kind, ArrayType | MapType | StructType):
        return F.to_json(value)
    if isinstance(kind, BinaryType):
        return F.when(F.is_valid_utf8(value.cast("string")), value.cast("string")).otherwise(F.base64(value))
    if isinstance(kind, TimestampType):
        return F.concat(value.cast("string"), F.lit("Z"))  # an instant, shown in UTC: no zone of the source's applies
    return value.cast("string")
