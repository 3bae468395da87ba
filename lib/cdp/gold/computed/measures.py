"""Traits counted on whole columns: entries sorted by customer and time go in, a row a customer comes out.

This is numpy, not Spark, because the number of traits must not matter much. Spark evaluates every trait's condition on every
entry and carries a buffer for each trait and customer through its aggregation: 400 traits of a million events take minutes.
Here a trait costs what its own entries cost, and what several traits ask alike is looked up once.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Kind = Literal["count", "sum", "values", "min", "max", "first", "last", "most_frequent", "unique_list", "unique_count"]

_ROWS_AT_ONCE = 200_000
"""Entries looked at together: enough that a trait's few calls weigh nothing, little enough for any worker."""

Array = NDArray[Any]


@dataclass(frozen=True)
class Measure:
    """What one output column holds.

    Attributes:
        name: of the output column.
        kind: `values` counts the entries that have a value.
        events: names that count; empty: any.
        low, high: microseconds since 1970 from which, and before which, an entry counts; None: any time.
        condition: column of truth values that must hold; None: none.
        value: column of the values; None for `count`.
        at_least: entries that the most frequent value must have.
        limit: longest list.
    """

    name: str
    kind: Kind
    events: tuple[str, ...] = ()
    low: int | None = None
    high: int | None = None
    condition: str | None = None
    value: str | None = None
    at_least: int = 1
    limit: int = 0


def measured(batches: Iterator[pa.RecordBatch], measures: tuple[Measure, ...], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Go through the entries of many customers, each customer's together.

    Args:
        batches: customer_id, `at` (microseconds since 1970), `event` and the columns that the measures name, sorted by
            customer_id, at and whatever makes the order total.
        measures: what to find.
        schema: of the outcome: customer_id and a column for each measure.
    """
    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        if batch.num_rows:
            held.append(batch)
            rows += batch.num_rows
        if rows < _ROWS_AT_ONCE:
            continue
        table = pa.Table.from_batches(held)
        ids = table["customer_id"]
        begin = pc.index(ids, ids[-1]).as_py()  # of the last customer, who may go on in the next batch
        if begin:
            yield from _measured(table.slice(0, begin), measures, schema)
        held = table.slice(begin).combine_chunks().to_batches()
        rows = 0 if begin else -table.num_rows  # somebody with that many entries waits for as many more
    if held:
        yield from _measured(pa.Table.from_batches(held), measures, schema)


def _measured(table: pa.Table, measures: tuple[Measure, ...], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    entries = _Entries(table)
    columns = [entries.customers.cast(schema.field(0).type)]
    columns += [entries.found(m).cast(schema.field(m.name).type) for m in measures]
    yield from pa.table(columns, schema=schema).to_batches()


@dataclass(frozen=True)
class _Chosen:
    """The entries that count for a measure.

    Attributes:
        rows: their places, in order.
        owners: the customer of each, by number.
        starts: where each of these customers begins among them.
    """

    rows: Array
    owners: Array
    starts: Array

    @cached_property
    def who(self) -> Array:
        return self.owners[self.starts]

    @cached_property
    def counts(self) -> Array:
        return np.diff(np.append(self.starts, len(self.rows)))


@dataclass
class _Entries:
    """The entries of some customers, and what was looked up of them."""

    table: pa.Table
    _chosen: dict[tuple[Any, ...], _Chosen] = field(default_factory=dict)
    _columns: dict[str, tuple[Array, Array]] = field(default_factory=dict)
    _texts: dict[str, tuple[Array, pa.Array]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        runs = pc.run_end_encode(self.table["customer_id"].combine_chunks())
        self.customers = runs.values
        self.size = len(self.customers)
        ends = runs.run_ends.to_numpy(zero_copy_only=False)
        self.owner = np.repeat(np.arange(self.size), np.diff(ends, prepend=0))
        self.at = self.table["at"].to_numpy()

    def found(self, measure: Measure) -> pa.Array:
        """The measure of each customer."""
        chosen = self._of(measure)
        if measure.kind in ("count", "values"):
            counts = np.zeros(self.size, dtype=np.int64)
            counts[chosen.who] = chosen.counts
            return pa.array(counts)
        assert measure.value is not None
        if measure.kind in ("sum", "min", "max"):
            values = self._values(measure.value)[0][chosen.rows]
            reduce_ = {"sum": np.add, "min": np.minimum, "max": np.maximum}[measure.kind].reduceat
            totals = reduce_(values, chosen.starts) if len(values) else values
            return self._spread(chosen.who, pa.array(totals))
        if measure.kind in ("first", "last"):
            ends = chosen.starts if measure.kind == "first" else chosen.starts + chosen.counts - 1
            places = chosen.rows[ends]
            return self._spread(chosen.who, self.table[measure.value].combine_chunks().take(pa.array(places)))
        return self._of_different(measure, chosen)

    def _of_different(self, measure: Measure, chosen: _Chosen) -> pa.Array:
        """What is made of the different values of each customer."""
        assert measure.value is not None
        ranks, values = self._ranked(measure.value)
        pairs, times = np.unique(chosen.owners * max(len(values), 1) + ranks[chosen.rows], return_counts=True)
        owners, ranks = np.divmod(pairs, max(len(values), 1))
        if measure.kind == "unique_count":
            return pa.array(np.bincount(owners, minlength=self.size).astype(np.int64))
        if measure.kind == "most_frequent":
            enough = times >= measure.at_least
            owners, ranks, times = owners[enough], ranks[enough], times[enough]
            order = np.lexsort((ranks, -times, owners))
            first = order[_starts(owners[order])]
            return self._spread(owners[first], values.take(pa.array(ranks[first])))
        position = np.arange(len(owners)) - np.repeat(_starts(owners), np.diff(np.append(_starts(owners), len(owners))))
        owners, ranks = owners[position < measure.limit], ranks[position < measure.limit]
        lengths = np.bincount(owners, minlength=self.size)
        offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
        lists = pa.ListArray.from_arrays(pa.array(offsets), values.take(pa.array(ranks)))
        return pc.if_else(pa.array(lengths > 0), lists, pa.scalar(None, lists.type))

    def _of(self, measure: Measure) -> _Chosen:
        return self._of_key((measure.events, measure.condition, measure.low, measure.high, measure.value))

    def _narrowed(self, key: tuple[Any, ...]) -> _Chosen:
        events, condition, low, high, value = key
        if value is not None:
            rows = self._of_key((events, condition, low, high, None)).rows
            rows = rows[self._values(value)[1][rows]]
        elif low is not None or high is not None:
            rows = self._of_key((events, condition, None, None, None)).rows
            at = self.at[rows]
            inside = np.ones(len(rows), dtype=bool)
            if low is not None:
                inside &= at >= low
            if high is not None:
                inside &= at < high
            rows = rows[inside]
        elif condition is not None:
            rows = self._of_key((events, None, None, None, None)).rows
            rows = rows[self.table[condition].to_numpy()[rows]]
        elif events:
            codes, names = self._events
            rows = np.flatnonzero(np.isin(names, events)[codes])
        else:
            rows = np.arange(len(self.owner))
        owners = self.owner[rows]
        return _Chosen(rows, owners, _starts(owners))

    def _of_key(self, key: tuple[Any, ...]) -> _Chosen:
        if key not in self._chosen:
            self._chosen[key] = self._narrowed(key)
        return self._chosen[key]

    @cached_property
    def _events(self) -> tuple[Array, Array]:
        encoded = pc.dictionary_encode(self.table["event"].combine_chunks())
        names = [*encoded.dictionary.to_pylist(), None]
        return encoded.indices.fill_null(len(names) - 1).to_numpy(), np.array(names, dtype=object)

    def _values(self, name: str) -> tuple[Array, Array]:
        """The numbers of a column, 0 where there is none (of texts nothing but 0), and where there is one."""
        if name not in self._columns:
            column = self.table[name].combine_chunks()
            there = column.is_valid().to_numpy(zero_copy_only=False)
            is_number = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
            numbers = column.fill_null(0).to_numpy() if is_number else np.zeros(0)
            self._columns[name] = numbers, there
        return self._columns[name]

    def _ranked(self, name: str) -> tuple[Array, pa.Array]:
        """For each entry the place of its value among the different ones in order (any where it has none), and these."""
        if name not in self._texts:
            encoded = pc.dictionary_encode(self.table[name].combine_chunks())
            order = pc.array_sort_indices(encoded.dictionary).to_numpy()
            ranks = np.empty(len(order), dtype=np.int64)
            ranks[order] = np.arange(len(order))
            codes = encoded.indices.fill_null(0).to_numpy()
            of_entries = ranks[codes] if len(ranks) else np.zeros(len(codes), dtype=np.int64)
            self._texts[name] = of_entries, encoded.dictionary.take(pa.array(order))
        return self._texts[name]

    def _spread(self, who: Array, values: pa.Array) -> pa.Array:
        """The values of some customers at their places among all; null for the others."""
        places = np.full(self.size, -1)
        places[who] = np.arange(len(who))
        return values.take(pa.array(places, mask=places < 0))


def _starts(owners: Array) -> Array:
    """Where each run of equal numbers begins."""
    if not len(owners):
        return np.zeros(0, dtype=np.int64)
    return np.flatnonzero(np.concatenate(([True], owners[1:] != owners[:-1])))
