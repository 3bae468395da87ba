"""Which files are new: the ledger of extracts, and what to redo after a run was killed.

A batch writes its files down as planned before it writes a row and as read after the last one. Rows of a batch that
was planned but never read are half there at most: they are taken out, and its files are new again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import functions as F

from cdp.base.contracts import Table
from cdp.base.files import FoundFile
from cdp.base.lake import Lake
from cdp.tables.bronze import QUARANTINE
from cdp.tables.ops import FILES


@dataclass(frozen=True)
class FileLedger:
    """What the ledger knows.

    Attributes:
        read: (source, path, modified_at, size) of every extract read.
        unfinished: (batch, source) that were planned and not read.
        gone: (source, path, modified_at) of extracts that were read and are no part of their table any more.
    """

    read: frozenset[tuple[str, str, datetime, int]]
    unfinished: frozenset[tuple[str, str]]
    gone: frozenset[tuple[str, str, datetime]] = frozenset()

    def new_files(self, source: str, found: Sequence[FoundFile]) -> list[FoundFile]:
        """Files of a source not read yet, or changed since."""
        return [f for f in found if (source, f.path, f.modified_at, f.size) not in self.read]

    def read_of(self, source: str) -> list[FoundFile]:
        """Every extract of a source that was read, by path."""
        return sorted((FoundFile(p, size, at) for name, p, at, size in self.read if name == source), key=lambda f: f.path)

    def replaced_of(self, source: str) -> list[tuple[str, datetime]]:
        """Files of a source of which bronze still has the rows, but that were replaced under their name, or left their table."""
        read = self.read_of(source)
        newest: dict[str, datetime] = {}
        for file in read:
            newest[file.path] = max(newest.get(file.path, file.modified_at), file.modified_at)
        older = {(f.path, f.modified_at) for f in read if f.modified_at < newest[f.path]}
        return sorted(older | {(path, at) for name, path, at in self.gone if name == source})

    def knows(self, source: str) -> bool:
        return any(name == source for name, *_ in self.read)


def read_ledger(lake: Lake) -> FileLedger:
    """The ledger as it stands. A row a file comes to the driver, which lists the same files anyway."""
    if not lake.exists(FILES):
        return FileLedger(frozenset(), frozenset())
    rows = lake.read(FILES).select("batch_id", "source", "file", "modified_at", "size", "state").collect()
    done = {(r["batch_id"], r["source"]) for r in rows if r["state"] == "read"}
    planned = {(r["batch_id"], r["source"]) for r in rows if r["state"] == "planned"}
    read = {(r["source"], r["file"], r["modified_at"], r["size"]) for r in rows if r["state"] == "read"}
    gone = {(r["source"], r["file"], r["modified_at"]) for r in rows if r["state"] == "gone"}
    return FileLedger(frozenset(read), frozenset(planned - done), frozenset(gone))


def note_files(
    lake: Lake, batch_id: str, files: dict[str, list[FoundFile]], *, state: str, noted_at: datetime
) -> None:
    """Write down files of a batch, by source, as `planned` or `read`, or as `gone` what is no part of a table any more."""
    rows = [
        (batch_id, source, f.path, f.modified_at, f.size, state, noted_at) for source, group in files.items() for f in group
    ]
    if rows:
        lake.append(FILES, lake.spark.createDataFrame(rows, FILES.schema).coalesce(1))


def take_out_batch(lake: Lake, table: Table, source: str, batch_id: str) -> None:
    """Delete what an unfinished batch has written of a source."""
    in_batch = F.col("_batch_id") == batch_id
    lake.delete(table, in_batch)
    lake.delete(QUARANTINE, in_batch & (F.col("_source") == source) & (F.col("stage") == "ingest"))
    lake.delete(FILES, (F.col("batch_id") == batch_id) & (F.col("source") == source))


def take_out_unfinished(lake: Lake, ledger: FileLedger, tables: dict[str, Table]) -> None:
    """Delete what batches that were killed have written of some sources, by the source's table."""
    for batch_id, source in sorted(ledger.unfinished):
        if source in tables:
            take_out_batch(lake, tables[source], source, batch_id)


def forget_source(lake: Lake, table: Table, source: str) -> None:
    """Delete all rows of a source, so that every file is new. First the ledger: rows it does not know are leftovers."""
    lake.delete(FILES, F.col("source") == source)
    lake.delete(table, F.lit(True))
    lake.delete(QUARANTINE, (F.col("_source") == source) & (F.col("stage") == "ingest"))


def take_back_gone(lake: Lake, source: str, files: Sequence[FoundFile]) -> None:
    """Files count again that had gone and are back, such as by a RESTORE."""
    if files:
        names = [f.path for f in files]
        lake.delete(FILES, (F.col("source") == source) & (F.col("state") == "gone") & F.col("file").isin(names))


def older_deliveries(files: Sequence[tuple[str, datetime]], pattern: str) -> list[tuple[str, datetime]]:
    """Of the files that a source of snapshots has rows of, those that no longer count.

    A delivery is a file, or all files of a folder where the pattern has a wildcard in a folder's name. The newest is
    that with the latest change, by name where two are equally late; of a file replaced in it the newest version counts.
    A delivery without a row is no snapshot: were an empty file taken at its word, everybody would be gone.

    Args:
        files: path and time of last change of each file with rows in bronze.
        pattern: the source's `path`.
    """
    by_folder = any(mark in pattern.rpartition("/")[0] for mark in "*?[{")
    deliveries: dict[str, dict[str, datetime]] = {}
    for file, modified_at in files:
        delivery = deliveries.setdefault(file.rpartition("/")[0] if by_folder else file, {})
        delivery[file] = max(delivery.get(file, modified_at), modified_at)
    if not deliveries:
        return []
    newest = deliveries[max(deliveries, key=lambda name: (max(deliveries[name].values()), name))]
    return [(file, modified_at) for file, modified_at in files if newest.get(file) != modified_at]
