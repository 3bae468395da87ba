"""Whole blocks of rows out of Arrow batches."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa


def whole_blocks(batches: Iterator[pa.RecordBatch], key: str, rows_at_once: int) -> Iterator[pa.Table]:
    """Tables of some `rows_at_once` rows that never end within a block.

    Args:
        batches: sorted by `key`.
        key: bigint column; the rows of a block have the same one. The largest block is held in memory.
        rows_at_once: where a table ends, but for the rest of its last block.
    """
    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        held.append(batch)
        rows += batch.num_rows
        if rows < rows_at_once:
            continue
        table = pa.Table.from_batches(held)
        keys = table.column(key).to_numpy()
        end = int(np.searchsorted(keys, keys[-1], side="left"))
        if end:
            yield table.slice(0, end)
        held = table.slice(end).combine_chunks().to_batches()
        rows -= end
    if rows:
        yield pa.Table.from_batches(held)
