"""Blocks that come in pieces are put together as an obvious way does it."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from cdp.identity.blocks import whole_blocks

Keys = list[int]

sorted_batches = st.lists(st.lists(st.integers(-2, 4), max_size=6), max_size=12).map(
    lambda batches: _cut(sorted(key for batch in batches for key in batch), [len(batch) for batch in batches])
)


def _cut(keys: Keys, lengths: list[int]) -> list[Keys]:
    ends = np.cumsum(lengths).tolist()
    return [keys[end - length : end] for end, length in zip(ends, lengths, strict=True)]


def slow(batches: list[Keys], rows_at_once: int) -> list[Keys]:
    """After each batch all that is held is looked at."""
    found, held = [], []
    for batch in batches:
        held = held + batch
        whole = [key for key in held if key != held[-1]]
        if len(held) >= rows_at_once and whole:
            found.append(whole)
            held = held[len(whole) :]
    return [*found, held] if held else found


@given(sorted_batches, st.integers(1, 12))
def test_blocks_are_whole_and_in_order(batches: list[Keys], rows_at_once: int):
    rows = iter(range(sum(map(len, batches))))
    made = [
        pa.record_batch({"key": pa.array(keys, pa.int64()), "row": pa.array([next(rows) for _ in keys], pa.int64())})
        for keys in batches
    ]

    found = list(whole_blocks(iter(made), "key", rows_at_once))

    assert [table.column("key").to_pylist() for table in found] == slow(batches, rows_at_once)
    in_order = [row for table in found for row in table.column("row").to_pylist()]
    assert in_order == list(range(len(in_order))) and len(in_order) == sum(map(len, batches))
