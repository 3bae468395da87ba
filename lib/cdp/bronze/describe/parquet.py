"""Parquet as a table: it says itself of what types its columns are."""

from typing import Any

from cdp.base.errors import UsageError
from cdp.bronze.describe.nested import Shape, quoted, text_of
from cdp.bronze.describe.opened import Opened
from cdp.bronze.describe.table import RawColumn, Table, rows_for, usable

_BATCH = 5_000
_BY_NAME = {
    "bool": "boolean",
    **dict.fromkeys(("int8", "int16", "int32", "uint8", "uint16"), "int"),
    **dict.fromkeys(("int64", "uint32"), "bigint"),
    "uint64": "decimal(20,0)",
    **dict.fromkeys(("halffloat", "float", "double"), "double"),
    **dict.fromkeys(("date32[day]", "date64[ms]"), "date"),
}


def read_parquet(opened: Opened) -> Table:
    """Read an extract in Parquet.

    Raises:
        UsageError: it is damaged or without columns.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(opened.path)
        schema = file.schema_arrow
        most = rows_for(len(schema))
        batches, rows = [], 0
        for batch in file.iter_batches(batch_size=min(most, _BATCH)):
            batches.append(batch.slice(0, most - rows))
            rows += batches[-1].num_rows
            if rows >= most:
                break
    except (pa.ArrowException, OSError):
        raise UsageError(f"{opened.path}: found Parquet that is cut short or damaged; fetch the file again") from None
    table = pa.Table.from_batches(batches, schema=schema)
    notes: list[str] = []
    columns = usable([_column(field, table.column(i).to_pylist()) for i, field in enumerate(schema)], notes)
    if not columns:
        raise UsageError(f"{opened.path}: found Parquet without a column that a contract can name")
    in_utc = any(pa.types.is_timestamp(f.type) and f.type.tz for f in schema)
    options: dict[str, str | bool | int] = {"timezone": "UTC"} if in_utc else {}
    return Table("parquet", columns, rows, rows == file.metadata.num_rows, options, True, notes)


def _column(field: Any, values: list[Any]) -> RawColumn:
    kind = _type(field.type)
    if kind.startswith(("array", "struct", "map")):
        leaves: dict[tuple[str, ...], RawColumn] = {}
        shape = Shape()
        for value in values:
            shape.add(value, (), leaves)
        return RawColumn(field.name, [None if v is None else "…" for v in values], type=kind, leaves=leaves)
    is_text = kind == "string"
    return RawColumn(field.name, [text_of(v) for v in values], type=None if is_text else kind, is_text=is_text)


def _type(arrow: Any) -> str:
    """Spark's type for one of Arrow's; string for what Spark has no word for."""
    import pyarrow as pa

    types = pa.types
    if types.is_dictionary(arrow):
        return _type(arrow.value_type)
    if types.is_decimal(arrow) and arrow.precision <= 38:
        return f"decimal({arrow.precision},{arrow.scale})"
    if types.is_timestamp(arrow):
        return "timestamp"
    if types.is_map(arrow):
        return f"map<{_type(arrow.key_type)},{_type(arrow.item_type)}>"
    if types.is_list(arrow) or types.is_large_list(arrow) or types.is_fixed_size_list(arrow):
        return f"array<{_type(arrow.value_type)}>"
    if types.is_struct(arrow):
        return f"struct<{','.join(f'{quoted(f.name)}:{_type(f.type)}' for f in arrow)}>" if len(arrow) else "string"
    return _BY_NAME.get(str(arrow), "string")
