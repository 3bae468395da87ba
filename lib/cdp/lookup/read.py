"""Rows of Delta tables by the columns they are clustered by, read without Spark.

DataFusion skips files by Delta's statistics, and pages within a file by those of Parquet, so that a customer's rows cost a
few pages however long the table is.
"""

import re
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cdp.base.contracts import Table
from cdp.base.errors import CdpError, UsageError

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable

Row = dict[str, Any]

_NAME = "found"
_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/")
"""An URL; one slash is left of two in a `Path`."""
_TRIES = 3
"""A table may be replaced, and its old files removed, between looking at its log and reading them."""


class Tables:
    """The tables of a lake in their newest version, whoever writes to them meanwhile.

    Raises:
        UsageError: there is no lake with an index of customers.
    """

    def __init__(self, lake: Path, *needed: Table) -> None:
        self._lake = lake
        self._open: dict[str, DeltaTable] = {}
        self._lock = threading.Lock()
        if not lake.is_dir():
            if scheme := _ADDRESS.match(str(lake)):
                # What follows may hold a key.
                raise UsageError(f"--lake: found an address, {scheme[1]}://..., wanted a folder of this machine: lookup reads no other storage")
            raise UsageError(f"--lake {lake}: found {'a file' if lake.exists() else 'nothing'}, wanted the folder of a lake")
        for table in needed:
            if self._newest(table, anew=False) is None:
                raise UsageError(f"--lake {lake}: found no table {table.name}; `./spark-submit.sh profile` makes it")

    def rows(
        self,
        table: Table,
        where: str,
        *,
        columns: Sequence[str] = (),
        order: str | None = None,
        limit: int | None = None,
        offset: int = 0,
        distinct: bool = False,
    ) -> list[Row]:
        """Rows of a table; none where it does not exist (yet).

        Args:
            table: which.
            where: condition in SQL, from `is_one_of` or `has`.
            columns: which, where the table has them: it may be written before they were declared. All where none is named.
            order: SQL behind ORDER BY.
            limit: at most so many.
            offset: without so many of the first.
            distinct: each once.

        Raises:
            CdpError: it cannot be read; the message holds no value.
        """
        tail = f" ORDER BY {order}" if order else ""
        tail += f" LIMIT {limit}" if limit is not None else ""
        tail += f" OFFSET {offset}" if offset else ""

        def select(there: Collection[str]) -> str:
            wanted = ", ".join(f'"{column}"' for column in columns if column in there) or "*"
            return f"SELECT {'DISTINCT ' if distinct else ''}{wanted} FROM {_NAME} WHERE {where}{tail}"

        found = self._answer(table, select)
        return [] if found is None else _as_rows(found, columns)

    def count(self, table: Table, where: str) -> int:
        """Rows that meet a condition; 0 where there is no such table. Raises as `rows` does."""
        found = self._answer(table, lambda _: f"SELECT count(*) AS n FROM {_NAME} WHERE {where}")
        return 0 if found is None else int(found["n"][0].as_py())

    def _answer(self, table: Table, sql: Callable[[Collection[str]], str]) -> "pa.Table | None":
        for attempt in range(_TRIES):
            found = self._newest(table, anew=attempt > 0)
            if found is None:
                return None
            try:
                return _run(found, sql({field.name for field in found.schema().fields}))
            except Exception as error:
                # The reader's message may hold the condition, and with it whom somebody looked for.
                problem = type(error).__name__
        raise CdpError(f"{table.name}: cannot be read ({problem})")

    def _newest(self, table: Table, *, anew: bool) -> "DeltaTable | None":
        from deltalake import DeltaTable
        from deltalake.exceptions import DeltaError, TableNotFoundError

        with self._lock:
            found = None if anew else self._open.get(table.name)
            try:
                if found is None:
                    found = self._open[table.name] = DeltaTable(self._lake / table.folder)
                else:
                    found.update_incremental()
            except TableNotFoundError:
                return None
            except (DeltaError, OSError):
                # Deleted and made anew under the versions that are held, or not there.
                if not (self._lake / table.folder / "_delta_log").is_dir():
                    self._open.pop(table.name, None)
                    return None
                found = self._open[table.name] = DeltaTable(self._lake / table.folder)
            return found


def has(column: str, value: str) -> str:
    """SQL: a column is a list in which a text stands."""
    return f'array_has("{column}", {_quoted(value)})'


def is_one_of(column: str, values: Iterable[str]) -> str:
    """SQL: a column is one of some texts."""
    listed = ", ".join(map(_quoted, values))
    return f'"{column}" IN ({listed})' if listed else "false"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _as_rows(found: "pa.Table", columns: Sequence[str]) -> list[Row]:
    """Rows as Python has them, times in UTC; a column that is not there is None."""
    import pyarrow as pa

    zoned = [field for field in found.schema if pa.types.is_timestamp(field.type) and field.type.tz == "UTC"]
    for field in zoned:
        # With its zone pyarrow would import pandas for it, which takes as long as everything else together.
        type_ = pa.timestamp(field.type.unit)
        naive = pa.chunked_array([chunk.view(type_) for chunk in found[field.name].chunks], type_)
        found = found.set_column(found.schema.get_field_index(field.name), field.name, naive)
    rows = found.to_pylist(maps_as_pydicts="lossy")
    for field in zoned:
        for row in rows:
            row[field.name] = row[field.name] and row[field.name].replace(tzinfo=timezone.utc)
    return [{**dict.fromkeys(columns), **row} for row in rows]


def _run(table: "DeltaTable", sql: str) -> "pa.Table":
    import pyarrow as pa
    from deltalake import QueryBuilder

    found = QueryBuilder().register(_NAME, table).execute(sql).read_all()
    # `pa.table` would import pandas to see whether it is given some of its.
    return pa.RecordBatchReader.from_stream(found).read_all()
