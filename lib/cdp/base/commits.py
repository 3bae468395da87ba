"""What the commits of a Delta table did, read from its log: a few small files in place of a query."""

import json

from cdp.base.contracts import Table
from cdp.base.lake import Lake

_MOST_COMMITS = 1_000


def rows_appended(lake: Lake, table: Table, *, after: int, until: int) -> int | None:
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


def _added(commit: str) -> int | None:
    # An action a line; those without a change of data, as of OPTIMIZE, put the same rows elsewhere.
    rows = 0
    for action in map(json.loads, commit.splitlines()):
        if action.get("remove", {}).get("dataChange"):
            return None
        file = action.get("add", {})
        if file.get("dataChange"):
            count = json.loads(file.get("stats") or "{}").get("numRecords")
            if count is None:
                return None
            rows += count
    return rows
