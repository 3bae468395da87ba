"""The files of a run: one for those to add and one for those to remove, for each destination and segment."""

import csv
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cdp.activation.config import Destination
from cdp.activation.layouts import header, rows_of

ACTIONS = ("add", "remove")
FileKey = tuple[str, str, str]
"""Destination, segment, action."""

_PARTS = ["_segment", "_action"]
_CSV: dict[str, bool | str] = {
    "header": True,
    "nullValue": "",
    "emptyValue": "",
    "escape": '"',
    "ignoreLeadingWhiteSpace": False,
    "ignoreTrailingWhiteSpace": False,
}


def file_rows(fates: DataFrame, removals: DataFrame, destination: Destination) -> DataFrame:
    """Every row of every file of a destination.

    Args:
        fates: `cdp.activation.fates.fates`.
        removals: `cdp.activation.fates.removals`.
        destination: which.

    Returns:
        _segment, _action, customer_id and row_no (the order in a file) and the columns of the file. A row to remove
        holds what identifies the person, as it was sent, and nothing else.
    """
    mine = F.col("destination") == destination.name
    keep = [F.col("segment").alias("_segment"), F.col("customer_id")]
    added = fates.where(mine & (F.col("action") == "add") & (F.col("outcome") == "sent"))
    if destination.layout == "plain":
        values = [F.col("payload")[column].alias(column) for column in header(destination)]
        adds = added.select(*keep, F.lit(0).alias("row_no"), *values)
    else:
        adds = rows_of(added, "identifiers", destination, keep)
    removes = rows_of(removals.where(mine), "entries", destination, keep)
    both = _of(adds, "add").unionByName(_of(removes, "remove"))
    return both.select(*_PARTS, "customer_id", "row_no", *[F.col(f"`{c}`") for c in header(destination)])


def write_files(
    rows: DataFrame, destination: Destination, names: Mapping[FileKey, Path], staging: Path
) -> list[Path]:
    """Write the files whole or not at all: Spark writes beside them, then each is moved into place.

    All files of a destination are one Spark job; each file is written by one task as it streams, so no more than a
    buffer of it is ever in memory. Rows are in order of customer, so that the same rows give the same file.

    Args:
        rows: `file_rows`.
        destination: whose.
        names: where each file goes.
        staging: folder on the same disk, for this call alone.

    Returns:
        The files that have rows; others are not written.
    """
    written = []
    folder = staging / destination.name
    in_order = rows.repartition(*_PARTS).sortWithinPartitions(*_PARTS, "customer_id", "row_no")
    writer = in_order.drop("customer_id", "row_no").write.partitionBy(*_PARTS).mode("overwrite")
    try:
        if destination.format == "csv":
            writer.options(**_CSV).csv(str(folder))
        else:
            writer.json(str(folder))
        for part in sorted(folder.glob("_segment=*/_action=*/part-*")):
            segment, action = (p.partition("=")[2] for p in part.parts[-3:-1])
            target = names[destination.name, segment, action]
            target.parent.mkdir(parents=True, exist_ok=True)
            part.replace(target)
            written.append(target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return written


def write_empty(destination: Destination, name: Path) -> None:
    """A file without rows (a CSV with its header): the audience exists, and nobody is in it yet."""
    name.parent.mkdir(parents=True, exist_ok=True)
    scratch = name.with_name(f".{name.name}")
    with scratch.open("w", encoding="utf-8", newline="") as file:
        if destination.format == "csv":
            csv.writer(file, lineterminator="\n").writerow(header(destination))
    scratch.replace(name)


def file_names(
    root: Path, destinations: Iterable[Destination], day: str, taken: set[str]
) -> dict[FileKey, Path]:
    """Where each file goes: `<root>/<destination>/<segment>/<day>_<action>.csv`.

    Args:
        root: folder of all destinations.
        destinations: which.
        day: the run's date.
        taken: names below `root` of files that earlier runs of the day delivered; a further one gets `_2`, `_3` ...,
            as the first may not have been picked up yet.
    """
    names = {}
    for destination in destinations:
        for segment in destination.audiences:
            for action in ACTIONS:
                stem, number = f"{destination.name}/{segment}/{day}_{action}", 1
                while (name := f"{stem}{f'_{number}' if number > 1 else ''}.{destination.format}") in taken:
                    number += 1
                names[destination.name, segment, action] = root / name
    return names


def _of(rows: DataFrame, action: str) -> DataFrame:
    return rows.withColumns({"_action": F.lit(action)})
