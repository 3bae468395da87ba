"""The pairs that meet, compared: one shuffle by blocking keys, and whole blocks at a time in Arrow batches.

Each record travels with its fields and all its keys. So a pair that meets by several rules is made once, by the first of
them, without a `distinct` over pairs, and knows all rules that would have made it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, LongType, StructField, StructType

from cdp.identity.blocks import slices_of, whole_blocks
from cdp.identity.matching.blocking import MOST_IN_BLOCK, Rule, combined, or_none
from cdp.identity.matching.fields import Field, Piece
from cdp.identity.matching.levels import (
    BOTH_SWAPPED,
    MISSING,
    SAME_LOCAL_PART,
    Levels,
    Strings,
    Values,
    compared,
    local_parts,
)

BITS = 4
"""Bits of a field's level in a pattern."""
PARTS_OF_A_BIT = 8
"""In which rarity is counted."""
_ROWS_AT_ONCE = 200_000
"""Each distinct value is read and prepared once for so many rows, in which a record stands as often as it has keys."""
_PAIRS_AT_ONCE = 400_000
_ROWS_A_PARTITION = 400_000
_PAIR_SCHEMA = (
    "low bigint, high bigint, low_atom bigint, high_atom bigint, pattern bigint, rules bigint, rarity binary"
)

Pairs = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Frequencies:
    """How common the values of a field are.

    Attributes:
        share: of the commonest values, the share of the filled records that has them.
        least: of every other value.
        average: of the value of a record drawn at random (the sum of the squared shares).
    """

    share: dict[str, float]
    least: float
    average: float
    local_parts: "Frequencies | None" = None
    """For e-mail addresses, the same of what stands before the @."""


def hashed(values: DataFrame, pieces: Sequence[Column]) -> DataFrame:
    """Add each record's pieces as numbers, named p0, p1 ...; 0 where a piece is missing."""
    numbers = [F.when(piece.isNotNull(), F.xxhash64(piece)).otherwise(F.lit(0)) for piece in pieces]
    return values.select("*", *[number.alias(f"p{i}") for i, number in enumerate(numbers)])


def keyed(pieces: DataFrame, rules: Sequence[Rule], order: Sequence[Piece]) -> DataFrame:
    """Add each record's keys, one a rule; 0 where a piece is missing.

    Args:
        pieces: `hashed`.
        rules: at most `MOST_BLOCKING_RULES`.
        order: what p0, p1 ... are.

    Returns:
        node, atom, sole where it is there, f0 ..., keys and refined (array<bigint>).
    """
    place = {piece: i for i, piece in enumerate(order)}
    parts = [([place[p] for p in rule.pieces], place[rule.refined_by] if rule.refined_by else None) for rule in rules]
    kept = [name for name in pieces.columns if name in ("node", "atom", "sole") or name[0] == "f"]
    schema = StructType([*(pieces.schema[name] for name in kept), *(StructField(n, ArrayType(LongType())) for n in _KEYS)])
    # Not in SQL: the optimizer would write the expression of a piece into every key that it is part of.
    return pieces.mapInArrow(partial(_with_keys, kept=kept, rules=parts), schema)


_KEYS = ("keys", "refined")


def _with_keys(
    batches: Iterator[pa.RecordBatch], kept: Sequence[str], rules: Sequence[tuple[Sequence[int], int | None]]
) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        plain, refined = (np.zeros((len(batch), len(rules)), np.int64) for _ in _KEYS)
        for number, (parts, refined_by) in enumerate(rules):
            # The rule's own number goes in: two rules never share a value.
            own = np.full(len(batch), number + 1, np.int64)
            plain[:, number] = combined([*(batch.column(f"p{i}").to_numpy() for i in parts), own])
            if refined_by is not None:
                refined[:, number] = combined([plain[:, number], or_none(batch.column(f"p{refined_by}").to_numpy())])
        columns = [*(batch.column(name) for name in kept), *(lists_of(keys.ravel(), len(batch)) for keys in (plain, refined))]
        yield pa.RecordBatch.from_arrays(columns, names=[*kept, *_KEYS])


def crowded(keys: DataFrame, *, most: int = MOST_IN_BLOCK) -> DataFrame:
    """Keys that more than `most` records have: rule (its number), key, records.

    There are few: at most rules times records through `most`.
    """
    met = keys.select(F.posexplode("keys").alias("rule", "key")).where("key <> 0")
    return met.groupBy("rule", "key").agg(F.count("*").alias("records")).where(F.col("records") > most)


def thinned(keys: DataFrame, crowds: Sequence[int], *, to_refined: bool) -> DataFrame:
    """Replace the keys of crowds by the refined ones, or by none.

    Args:
        keys: `keyed`; `refined` is needed for a finer key alone.
        crowds: keys that too many records have.
        to_refined: whether a finer key takes their place.
    """
    if not crowds:
        return keys
    thin = partial(_thin, crowds=np.array(sorted(crowds), np.int64), to_refined=to_refined)
    return keys.mapInArrow(thin, keys.schema)


def _thin(batches: Iterator[pa.RecordBatch], crowds: Pairs, to_refined: bool) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        column = batch.column(batch.schema.get_field_index("keys"))
        plain = column.flatten().to_numpy(zero_copy_only=False)
        finer = batch.column("refined").flatten().to_numpy(zero_copy_only=False) if to_refined else 0
        found = np.where(np.isin(plain, crowds), finer, plain)
        lists = lists_of(found, len(batch))
        place = batch.schema.get_field_index("keys")
        yield batch.set_column(place, batch.schema.field(place), lists.cast(batch.schema.field(place).type))


def named_keys(keys: DataFrame, rules: Sequence[str]) -> DataFrame:
    """node, keys: of the rules by which a record can meet others, the name and the key.

    Args:
        keys: `keyed`, thinned.
        rules: their names.
    """
    entries = F.arrays_zip(F.array(*[F.lit(name) for name in rules]).alias("rule"), F.col("keys").alias("key"))
    return keys.select("node", F.map_from_entries(F.filter(entries, lambda entry: entry["key"] != 0)).alias("keys"))


def lists_of(values: Pairs, rows: int) -> pa.ListArray:
    """So many lists of equal length, one behind the other in `values`."""
    width = len(values) // rows if rows else 0
    return pa.ListArray.from_arrays(pa.array(np.arange(rows + 1, dtype=np.int32) * width), pa.array(values, pa.int64()))


def compared_pairs(
    keys: DataFrame, fields: Sequence[Field], frequencies: Sequence[Frequencies], records: int
) -> DataFrame:
    """Compare all pairs of records that meet.

    Args:
        keys: `keyed`, thinned: node, atom, f0 ..., keys; with `is_new`, only pairs with a record of which it is true are compared; with
            `sole` (int), no pairs of two records that have the same, unless it is 0.
        fields: what is compared.
        frequencies: of each field.
        records: how many there are.

    Returns:
        low, high: the nodes, the smaller one first; low_atom, high_atom: their atoms;
        pattern: the level of each field, `BITS` bits each, the first field lowest;
        rules: bit r is set where rule r has the pair;
        rarity: of each field a signed byte: by how many eighths of a bit equal values are rarer than its average value.
    """
    values = [f"f{i}" for i in range(len(fields))]
    told = [name for name in ("is_new", "sole") if name in keys.columns]
    rows = keys.select(F.posexplode("keys").alias("rule", "key"), "node", "atom", "keys", *values, *told).where("key <> 0")
    partitions = max(2, min(2000, records * 12 // _ROWS_A_PARTITION))
    blocks = rows.repartition(partitions, "key").sortWithinPartitions("key", "node")
    compare = partial(_compare_blocks, fields=tuple(fields), frequencies=tuple(frequencies))
    return blocks.mapInArrow(compare, _PAIR_SCHEMA)


def _compare_blocks(
    batches: Iterator[pa.RecordBatch], fields: Sequence[Field], frequencies: Sequence[Frequencies]
) -> Iterator[pa.RecordBatch]:
    for table in whole_blocks(batches, "key", _ROWS_AT_ONCE):
        yield from _compare_table(table, fields, frequencies)


def _compare_table(
    table: pa.Table, fields: Sequence[Field], frequencies: Sequence[Frequencies]
) -> Iterator[pa.RecordBatch]:
    key = table.column("key").to_numpy()
    _, sizes = np.unique(key, return_counts=True)
    if not (sizes > 1).any():
        return
    # Rows that meet nobody are left behind: reading their text would be most of the work.
    kept = np.repeat(sizes > 1, sizes)
    table = table.filter(pa.array(kept))
    sizes = sizes[sizes > 1]
    starts = np.cumsum(sizes) - sizes
    rank = np.arange(len(table)) - np.repeat(starts, sizes)
    node, atom = table.column("node").to_numpy(), table.column("atom").to_numpy()
    rule = table.column("rule").to_numpy()
    width = len(table.column("keys")[0]) if len(table) else 0
    keys = table.column("keys").combine_chunks().flatten().to_numpy(zero_copy_only=False).reshape(len(table), width)
    columns = columns_of(table, frequencies)
    is_new = table.column("is_new").to_numpy() if "is_new" in table.column_names else None
    sole = table.column("sole").to_numpy() if "sole" in table.column_names else None
    for first, last in slices_of(np.cumsum(rank), _PAIRS_AT_ONCE):
        ranks = rank[first:last]
        left = np.repeat(np.arange(first, last), ranks)
        ends = np.cumsum(ranks)
        right = left - 1 - (np.repeat(ends, ranks) - 1 - np.arange(len(left)))
        if is_new is not None:
            wanted = is_new[left] | is_new[right]
            left, right = left[wanted], right[wanted]
        if sole is not None:
            left, right = of_two_sources(sole, left, right)
        left, right, rules = _made_here(left, right, keys, rule)
        if len(left):
            found = patterns(columns, left, right, fields)
            turned = node[left] > node[right]
            low, high = np.where(turned, right, left), np.where(turned, left, right)
            yield pa.RecordBatch.from_pydict(
                {
                    "low": node[low],
                    "high": node[high],
                    "low_atom": atom[low],
                    "high_atom": atom[high],
                    "pattern": found.pattern,
                    "rules": rules,
                    "rarity": pa.FixedSizeBinaryArray.from_buffers(
                        pa.binary(len(fields)), len(low), [None, pa.py_buffer(found.rarity)]
                    ).cast(pa.binary()),
                }
            )


def of_two_sources(sole: Pairs, left: Pairs, right: Pairs) -> tuple[Pairs, Pairs]:
    """The pairs of rows that may be one person's by `sole`: not two records of a source that has one a person."""
    may = (sole[left] == 0) | (sole[left] != sole[right])
    return left[may], right[may]


def _made_here(left: Pairs, right: Pairs, keys: Pairs, rule: npt.NDArray[np.int32]) -> tuple[Pairs, Pairs, Pairs]:
    """The pairs that no rule before this one makes, with all rules that do."""
    rules = np.zeros(len(left), np.int64)
    for number in range(keys.shape[1]):
        one = keys[:, number]
        found = (one[left] == one[right]) & (one[left] != 0)
        rules |= found.astype(np.int64) << number
    first = rules & -rules  # the lowest bit
    here = first == (np.int64(1) << rule[left].astype(np.int64))
    return left[here], right[here], rules[here]


@dataclass(frozen=True)
class Likeness:
    """What pairs look like; see `compared_pairs`."""

    pattern: Pairs
    rarity: npt.NDArray[np.int8]


@dataclass(frozen=True)
class ComparedColumn:
    """A field of the rows that are compared.

    Attributes:
        values: what the rows have.
        rarity: bits by which each distinct value is rarer than the average one.
        local_rarity: for e-mail addresses, the same of what stands before the @.
    """

    values: Values
    rarity: npt.NDArray[np.float32]
    local_rarity: npt.NDArray[np.float32] | None


def columns_of(table: pa.Table, frequencies: Sequence[Frequencies]) -> list[ComparedColumn]:
    """The columns f0, f1 ... of a table, a frequency each."""
    found = []
    for i, of_field in enumerate(frequencies):
        values = Values.of(table.column(f"f{i}"))
        local = _rarity(values.whole(local_parts), of_field.local_parts) if of_field.local_parts else None
        found.append(ComparedColumn(values, _rarity(values.distinct, of_field), local))
    return found


def patterns(columns: Sequence[ComparedColumn], left: Pairs, right: Pairs, fields: Sequence[Field]) -> Likeness:
    """Compare pairs of rows.

    Args:
        columns: of each field.
        left: rows.
        right: as many other rows.
        fields: what is compared.
    """
    place = {field.name: i for i, field in enumerate(fields)}
    pattern = np.zeros(len(left), np.int64)
    rarity = np.zeros((len(left), len(fields)), np.int8)
    found: list[Levels] = []
    for i, field in enumerate(fields):
        column, values = columns[i], columns[i].values
        at = place.get(field.other or "", -1)
        levels = compared(field.kind, values, left, right, columns[at].values if at >= 0 else None)
        if 0 <= at < i:  # two names that changed places are one piece of evidence, which the first has
            levels[found[at] == BOTH_SWAPPED] = MISSING
        found.append(levels)
        pattern |= levels.astype(np.int64) << (BITS * i)
        codes = values.codes[left]
        bits = _bits(column.rarity, codes, (codes >= 0) & (codes == values.codes[right]))
        if column.local_rarity is not None:
            bits += _bits(column.local_rarity, codes, levels == SAME_LOCAL_PART)
        rarity[:, i] = np.clip(np.round(bits * PARTS_OF_A_BIT), -127, 127)
    return Likeness(pattern, rarity)


def rarities(column: pa.ChunkedArray | pa.Array, fields: int) -> npt.NDArray[np.int8]:
    """The column `rarity` of `compared_pairs` as numbers, a column a field."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    packed = whole.cast(pa.binary(fields))
    bytes_ = np.frombuffer(packed.buffers()[1], np.int8, len(packed) * fields, packed.offset * fields)
    return bytes_.reshape(len(packed), fields)


def _bits(of_value: npt.NDArray[np.float32], codes: Pairs, where: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    found = np.zeros(len(codes), np.float32)
    found[where] = of_value[codes[where]]
    return found


def _rarity(distinct: Strings, frequencies: Frequencies) -> npt.NDArray[np.float32]:
    share = frequencies.share
    values = np.array([share.get(value, frequencies.least) for value in distinct], np.float32)
    found: npt.NDArray[np.float32] = np.log2(np.float32(frequencies.average) / values)
    return found


def value_counts(values: DataFrame, fields: Sequence[Field]) -> DataFrame:
    """How often each value is there.

    Returns:
        field: its number; behind the last one, in order, what stands before the @ of each field of addresses;
        value, records.
    """
    columns = [F.col(f"f{i}") for i in range(len(fields))]
    columns += [F.substring_index(f"f{i}", "@", 1) for i, field in enumerate(fields) if field.kind == "email"]
    entries = F.array(*[F.struct(F.lit(i).alias("field"), column.alias("value")) for i, column in enumerate(columns)])
    rows = values.select(F.explode(entries).alias("entry")).select("entry.field", "entry.value").where("value is not null")
    return rows.groupBy("field", "value").agg(F.count("*").alias("records"))


def frequencies_of(commonest: pa.Table, totals: pa.Table, fields: Sequence[Field]) -> tuple[Frequencies, ...]:
    """How common values are.

    Args:
        commonest: the first rows of `value_counts`, by records.
        totals: field, filled (records with a value), squares (sum of the squared numbers of records of each value).
        fields: what is compared.
    """
    field, counts = commonest.column("field").to_numpy(), commonest.column("records").to_numpy()
    values = np.array(commonest.column("value").to_pylist(), object)
    sums = {f: (filled, squares) for f, filled, squares in zip(*(totals.column(c).to_pylist() for c in totals.column_names), strict=True)}

    def of(number: int) -> Frequencies:
        filled, squares = sums.get(number, (1, 1))
        mine = field == number
        share = counts[mine] / filled
        return Frequencies(
            dict(zip(values[mine].tolist(), share.tolist(), strict=True)),
            float(share.min()) if len(share) else 1 / filled,
            squares / filled**2,
        )

    addresses = [i for i, f in enumerate(fields) if f.kind == "email"]
    local = {i: of(len(fields) + place) for place, i in enumerate(addresses)}
    return tuple(replace(of(i), local_parts=local.get(i)) for i in range(len(fields)))
