"""Measures of made-up entries, against a slow and obvious walk over each customer's."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdp.gold.computed import measures as module
from cdp.gold.computed.measures import Measure, measured

SCHEMA = pa.schema(
    [
        ("customer_id", pa.string()),
        ("at", pa.int64()),
        ("event", pa.string()),
        ("c0", pa.bool_()),
        ("price", pa.float64()),
        ("cents", pa.int64()),
        ("brand", pa.string()),
    ]
)
KINDS = ("count", "sum", "values", "min", "max", "first", "last", "most_frequent", "unique_list", "unique_count")
COLUMNS = {"count": [None], "sum": ["cents"], "unique_list": ["brand"], "unique_count": ["brand"]}

entries = st.fixed_dictionaries(
    {
        "customer_id": st.sampled_from(["ann", "bob", "cyd", "dan"]),
        "at": st.integers(0, 9),
        "event": st.sampled_from(["Viewed", "Added", None]),
        "c0": st.booleans(),
        "price": st.none() | st.integers(-5, 5).map(float),
        "cents": st.none() | st.integers(-5, 5),
        "brand": st.none() | st.sampled_from(["a", "B", "é", ""]),
    }
)


@st.composite
def measure(draw: st.DrawFn, number: int) -> Measure:
    kind = draw(st.sampled_from(KINDS))
    value = draw(st.sampled_from(COLUMNS.get(kind, ["price", "cents", "brand"])))
    if kind in ("min", "max") and value == "brand":
        value = "price"
    low = draw(st.none() | st.integers(0, 9))
    return Measure(
        f"m{number}",
        kind,  # type: ignore[arg-type]
        draw(st.sampled_from([(), ("Viewed",), ("Viewed", "Added"), ("Never",)])),
        low,
        draw(st.none() | st.integers(low or 0, 10)),
        draw(st.sampled_from([None, "c0"])),
        value,
        draw(st.integers(1, 3)),
        draw(st.integers(1, 3)),
    )


def slowly(rows: list[dict[str, Any]], m: Measure) -> Any:
    """One measure of one customer's entries, in order."""
    counted = [
        row
        for row in rows
        if (not m.events or row["event"] in m.events)
        and (m.condition is None or row[m.condition])
        and (m.low is None or row["at"] >= m.low)
        and (m.high is None or row["at"] < m.high)
    ]
    if m.value is None:
        return len(counted)
    values = [row[m.value] for row in counted if row[m.value] is not None]
    if m.kind == "values":
        return len(values)
    if m.kind == "unique_count":
        return len(set(values))
    if not values:
        return None
    if m.kind in ("sum", "min", "max"):
        return {"sum": sum, "min": min, "max": max}[m.kind](values)
    if m.kind in ("first", "last"):
        return values[0 if m.kind == "first" else -1]
    if m.kind == "unique_list":
        return sorted(set(values))[: m.limit]
    often = {v: n for v, n in Counter(values).items() if n >= m.at_least}
    return min(often, key=lambda v: (-often[v], v)) if often else None


def outcome(m: Measure) -> pa.DataType:
    if m.kind in ("count", "values", "unique_count"):
        return pa.int64()
    assert m.value is not None
    of_value = SCHEMA.field(m.value).type
    return pa.list_(of_value) if m.kind == "unique_list" else of_value


@settings(max_examples=300)
@given(rows=st.lists(entries, max_size=40), wanted=st.tuples(*[measure(n) for n in range(4)]), size=st.integers(1, 7), at_once=st.integers(1, 9))
def test_measures_equal_a_walk_over_the_entries_however_they_are_cut(
    rows: list[dict[str, Any]], wanted: tuple[Measure, ...], size: int, at_once: int
) -> None:
    rows.sort(key=lambda row: (row["customer_id"], row["at"]))
    schema = pa.schema([("customer_id", pa.string()), *[(m.name, outcome(m)) for m in wanted]])

    def batches() -> Iterator[pa.RecordBatch]:
        yield pa.RecordBatch.from_pylist([], SCHEMA)
        for begin in range(0, len(rows), size):
            yield pa.RecordBatch.from_pylist(rows[begin : begin + size], SCHEMA)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_ROWS_AT_ONCE", at_once)
        found = [row for batch in measured(batches(), wanted, schema) for row in batch.to_pylist()]
    customers = sorted({row["customer_id"] for row in rows})
    assert found == [
        {"customer_id": c, **{m.name: slowly([r for r in rows if r["customer_id"] == c], m) for m in wanted}}
        for c in customers
    ]
