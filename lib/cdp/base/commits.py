"""What the commits of a Delta table did, read from its log: a few small files in place of a query."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from cdp.base.contracts import Table

if TYPE_CHECKING:
    import pyarrow as pa

    from cdp.base.lake import Lake

_MOST_COMMITS = 1_000


def rows_appended(lake: "Lake", table: Table, *, after: int, until: int) -> int | None:
    """Rows that the commits after one version, up to another, have added.

    None where that is not known: a commit took rows away or does not say how many it added, its file is cleaned up, or
    there are too many to read.
    """
    if until - after > _MOST_COMMITS:
        return None
    rows = 0
    for version in range(after + 1, until + 1):
        commit = lake.files.read_text(f"{table.folder}/_delta_log/{version:020d}.json")
        added = None if commit is None else _added(commit)
        if added is None:
            return None
        rows += added
    return rows


def rows_added(lake: "Lake", table: Table, version: int) -> int | None:
    """Rows in the files that a commit has added, new or put elsewhere; None where they do not say how many they hold."""
    commit = lake.files.read_text(f"{table.folder}/_delta_log/{version:020d}.json")
    counts = [_rows_of(file) for file in _files_added(commit)] if commit is not None else [None]
    return None if None in counts else sum(count or 0 for count in counts)


def rows_written(lake: "Lake", table: Table, version: int, columns: Sequence[str], *, most: int) -> "pa.Table | None":
    """Some columns of the rows that a commit has written: of files on a local disk, read without a query.

    None where that is not known: the files are elsewhere, do not say how many rows they hold, or hold more than `most`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    commit = lake.files.read_text(f"{table.folder}/_delta_log/{version:020d}.json") if lake.files.is_local else None
    if commit is None:
        return None
    added = _files_added(commit)
    counts = [_rows_of(file) for file in added]
    if not added or None in counts or sum(count or 0 for count in counts) > most:
        return None
    files = [Path(lake.path(table)) / unquote(file["path"]) for file in added]
    return pa.concat_tables([pq.ParquetFile(file).read(columns=list(columns)) for file in files])


def _files_added(commit: str) -> list[dict[str, Any]]:
    return [action["add"] for action in map(json.loads, commit.splitlines()) if "add" in action]


def _added(commit: str) -> int | None:
    # An action a line; those without a change of data, as of OPTIMIZE, put the same rows elsewhere.
    rows = 0
    for action in map(json.loads, commit.splitlines()):
        if action.get("remove", {}).get("dataChange"):
            return None
        file = action.get("add", {})
        if file.get("dataChange"):
            count = _rows_of(file)
            if count is None:
                return None
            rows += count
    return rows


def _rows_of(file: dict[str, Any]) -> int | None:
    count: int | None = json.loads(file.get("stats") or "{}").get("numRecords")
    return count
