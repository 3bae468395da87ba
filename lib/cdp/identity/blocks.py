"""Whole blocks of rows, out of Arrow batches and in slices."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Numbers = npt.NDArray[np.int64]


def whole_blocks(batches: Iterator[pa.RecordBatch], key: str, rows_at_once: int) -> Iterator[pa.Table]:
    """Tables of some `rows_at_once` rows that never end within a block.

    The work is linear in the rows, however large a block is: of each batch the last key is looked at, and rows are put
    together once.

    Args:
        batches: sorted by `key`.
        key: bigint column, never null; the rows of a block have the same one. The largest block is held in memory.
        rows_at_once: where a table ends, but for the rest of its last block.
    """
    held: list[pa.RecordBatch] = []
    rows = begins = 0
    last: np.int64 | None = None
    for batch in batches:
        if not batch.num_rows:
            continue
        keys = batch.column(key).to_numpy()
        if keys[-1] != last:
            last = keys[-1]
            begins = rows + int(np.searchsorted(keys, last, side="left"))
        held.append(batch)
        rows += batch.num_rows
        if begins and rows >= rows_at_once:
            table = pa.Table.from_batches(held)
            yield table.slice(0, begins)
            held = table.slice(begins).to_batches()
            rows -= begins
            begins = 0
    if rows:
        yield pa.Table.from_batches(held)


def slices_of(until: Numbers, at_once: int) -> Iterator[tuple[int, int]]:
    """First and last (not included) of as many blocks as have at most so many rows together; of one at least.

    Args:
        until: rows up to the end of each block, itself included.
        at_once: rows.
    """
    first = 0
    while first < len(until):
        before = int(until[first - 1]) if first else 0
        last = max(first + 1, int(np.searchsorted(until, before + at_once, side="right")))
        yield first, last
        first = last
