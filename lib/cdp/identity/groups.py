"""Who shares a value: the records of one identifier's value, put into groups that may be one person each.

An identifier of an account links all its records. An e-mail address or a phone number links those whose names and birth
dates may be one person's (`people.may_be_one`); a family's address is split. The work is linear in the records: each value
has a few distinct people, and those are compared, not the records.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from cdp.identity.blocks import whole_blocks
from cdp.identity.config import CONTACT_TYPES, BadValues, IdentityConfig
from cdp.identity.devices import is_device_type
from cdp.identity.people import Described, Who, told_apart
from cdp.silver.folding import in_words

_VALUE = ["id_type", "id_value"]
_WHO = ["given", "words", "birth_date", "suffix"]
_KEPT = ["node", "source", "record_key", "record_type", *_VALUE, "first_seen_at", "last_seen_at", "refused"]
_RECORD = ["source", "record_key", "node"]
_GROUPED_SCHEMA = (
    "node bigint, source string, record_key string, record_type string, id_type string, id_value string,"
    " first_seen_at timestamp, last_seen_at timestamp, refused string, ids bigint, is_person boolean,"
    " hub struct<source:string,record_key:string,node:bigint>, first_hub struct<source:string,record_key:string,node:bigint>,"
    " reason string, groups int"
)
_SPREAD = 20
"""Ways of writing one person that a contact point may hold before it is too many to look into."""
_ROWS_AT_ONCE = 200_000
_ITS_KIND, _NOBODY = -1, -2
"""In place of a group's number: with the records that carry nothing else, and linked to nobody."""

Numbers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def described(identifiers: DataFrame, records: DataFrame) -> DataFrame:
    """Each identifier with who the record says the person is.

    Args:
        identifiers: `silver.identifiers`.
        records: `silver.customer_records`.

    Returns:
        The identifiers with node (xxHash64 of source and record_key: that two of a million records share one has a chance
        of 3 in 100 million), given, words, birth_date and suffix (`people.Who`).
    """
    full = F.concat_ws(" ", "given_name_key", "family_name_key")
    who = records.select(
        "source",
        "record_key",
        F.col("given_name_key").alias("given"),
        F.array_join(F.array_sort(F.split(full, " ")), " ").alias("words"),
        F.date_format("birth_date", "yyyy-MM-dd").alias("birth_date"),
        F.lower("name_suffix").alias("suffix"),
    )
    return identifiers.join(who, on=["source", "record_key"], how="left").withColumn("node", node_of())


def node_of(source: str = "source", record_key: str = "record_key") -> Column:
    """`node` of the record that these columns name."""
    return F.xxhash64(source, record_key)


def grouped(seen: DataFrame, config: IdentityConfig) -> DataFrame:
    """Find the group of each record within each of its values, and the group's hub.

    One shuffle by value; the rows of one value that are not refused are held in memory.

    Args:
        seen: `described` with `refused` (why the value links nobody; null where it may).
        config: thresholds, policy.

    Returns:
        `seen`, without who the person is, with
        refused: also for values shared by too many;
        ids: usable identifiers of the record;
        is_person: whether it is a customer's record or has an identifier of a person, not of a device alone;
        hub: source, record_key and node of the group's first record; null where the record is linked to nobody;
        first_hub: the hub of the value's first group; null where `refused` was there before;
        reason: why the record belongs to its group;
        groups: people who share the value; 1 where `refused` was there before.
    """
    usable = F.col("refused").isNull()
    alone = Window.partitionBy("source", "record_key")
    names_people = usable & ~is_device_type()
    rows = seen.select(
        *_KEPT,
        *_WHO,
        F.count_if(usable).over(alone).alias("ids"),
        ((F.col("record_type") == "customer_record") | F.max(names_people).over(alone)).alias("is_person"),
        # What is refused meets nobody: a placeholder that half the records have would be one task's block for nothing.
        F.when(usable, F.xxhash64(*_VALUE)).otherwise(F.col("node")).alias("block"),
    )
    blocks = rows.repartition("block").sortWithinPartitions("block", *_VALUE, "source", "record_key")
    return blocks.mapInArrow(partial(_grouped, config=config), _GROUPED_SCHEMA)


def _grouped(batches: Iterator[pa.RecordBatch], config: IdentityConfig) -> Iterator[pa.RecordBatch]:
    for table in whole_blocks(batches, "block", _ROWS_AT_ONCE):
        yield from _grouped_table(table, config).to_batches()


def _grouped_table(table: pa.Table, config: IdentityConfig) -> pa.Table:
    """The same of whole values, whose usable rows are in the order of source and record_key; refused ones stand anywhere."""
    value, value_row = _joint_codes(table, _VALUE)
    is_contact = pc.is_in(table.column("id_type"), pa.array(CONTACT_TYPES)).to_numpy()
    # Names have a say on contact points only: elsewhere all records of a value are one person's.
    who = np.where(is_contact, _joint_codes(table, _WHO)[0] + 1, 0)
    items = _items_of(table, value, who, config)
    too_many = _refusals(items, table.column("id_type").take(pa.array(value_row)).to_pylist(), config)
    is_usable = pc.is_null(table.column("refused")).to_numpy()
    refused = pc.coalesce(table.column("refused"), pa.array(too_many[value], pa.string()))
    group, by_policy = items.of_rows(items.group), items.of_rows(items.by_policy)
    # A record that carries nothing but a shared identifier links to others of its kind, and to no person; one with
    # other identifiers is left to those, or it would chain the people who share.
    of_its_kind = np.where(by_policy >= 0, by_policy, _ITS_KIND)
    link = np.where(group >= 0, group, np.where(table.column("ids").to_numpy() == 1, of_its_kind, _NOBODY))
    link[pc.is_valid(refused).to_numpy()] = _NOBODY
    # The rows of a value are in order: the first one of a group is its hub.
    _, of_group = np.unique(value * (link.max(initial=0) + 3) + link - _NOBODY, return_inverse=True)
    hub = _first_rows(of_group, link != _NOBODY)
    kept = [refused if name == "refused" else table.column(name) for name in _KEPT]
    columns = [
        *kept,
        table.column("ids"),
        table.column("is_person"),
        _records(table, hub),
        _records(table, np.where(is_usable, _first_rows(value, link != _NOBODY), -1)),
        _reasons(table.column("id_type"), group >= 0, by_policy >= 0, config),
        pa.array(np.where(is_usable, items.groups[value], 1).astype(np.int32)),
    ]
    return pa.table(columns, names=[*_KEPT, "ids", "is_person", "hub", "first_hub", "reason", "groups"])


@dataclass(frozen=True)
class _Items:
    """What the usable records of each value say of their person, each distinct description once.

    Attributes:
        of_row: of each row the number of its description; -1 where the row is not usable.
        group: of each description; `_NOBODY` where it could be any of several.
        by_policy: the group that the policy chooses; `_NOBODY` where it chooses none.
        records: of each value, its usable rows.
        distinct: of each value, its descriptions.
        groups: of each value, the people who share it.
    """

    of_row: Numbers
    group: Numbers
    by_policy: Numbers
    records: Numbers
    distinct: Numbers
    groups: Numbers

    def of_rows(self, numbers: Numbers) -> Numbers:
        """What the descriptions have, by row; `_NOBODY` where a row is not usable."""
        return np.append(numbers, _NOBODY)[self.of_row]


def _items_of(table: pa.Table, value: Numbers, who: Numbers, config: IdentityConfig) -> _Items:
    values = int(value.max(initial=-1)) + 1
    rows = np.flatnonzero(pc.is_null(table.column("refused")).to_numpy())
    cells = value[rows] * (who.max(initial=0) + 1) + who[rows]
    _, first, item, records = np.unique(cells, return_index=True, return_inverse=True, return_counts=True)
    of_row = np.full(len(table), -1)
    of_row[rows] = item
    distinct = np.bincount(value[rows[first]], minlength=values)
    found = _Items(
        of_row,
        np.zeros(len(first), np.int64),
        np.full(len(first), _NOBODY),
        np.bincount(value[rows], minlength=values),
        distinct,
        np.ones(values, np.int64),
    )
    if (distinct > 1).any():
        held = _described(table, rows, first, item, records, np.repeat(distinct > 1, distinct))
        ends, cap = np.cumsum(distinct), _cap(_given_thresholds(config))
        for number in np.flatnonzero(distinct > 1).tolist():
            start, end = int(ends[number] - distinct[number]), int(ends[number])
            if end - start > cap:
                found.group[start:end] = _NOBODY
                continue
            mine = [held[i] for i in range(start, end)]
            places, found.groups[number] = told_apart(mine, config.shared_identifier_policy)
            found.group[start:end] = [_NOBODY if place.group is None else place.group for place in places]
            found.by_policy[start:end] = [_NOBODY if p.by_policy is None else p.by_policy for p in places]
    return found


def _described(
    table: pa.Table, rows: Numbers, first: Numbers, item: Numbers, records: Numbers, wanted: Flags
) -> dict[int, Described]:
    """The wanted descriptions, by number."""
    first_at = np.full(len(first), np.iinfo(np.int64).max)
    last_at = np.full(len(first), np.iinfo(np.int64).min)
    for column, found, of_two in (("first_seen_at", first_at, np.minimum), ("last_seen_at", last_at, np.maximum)):
        of_two.at(found, item, table.column(column).cast(pa.int64()).to_numpy()[rows])
    places = np.flatnonzero(wanted)
    said = table.select(_WHO).take(pa.array(rows[first[places]])).to_pydict()
    people = map(Who, *(said[name] for name in _WHO))
    numbers = (array[places].tolist() for array in (records, first_at, last_at))
    return dict(zip(places.tolist(), map(Described, people, *numbers), strict=True))


def _refusals(items: _Items, id_types: Sequence[str], config: IdentityConfig) -> npt.NDArray[np.object_]:
    """Of each value why too many share it; None where they do not."""
    most = config.max_cluster_size * 10
    found = np.full(len(items.records), None, object)
    found[items.records > most] = f"on more than {most} records"
    thresholds = _given_thresholds(config)
    for number in np.flatnonzero((items.distinct > 1) & (items.records <= most)).tolist():
        threshold = thresholds.get(id_types[number])
        if threshold and (items.groups[number] > threshold or items.distinct[number] > _cap(thresholds)):
            found[number] = f"shared by more than {threshold} people of different given names"
    return found


def _given_thresholds(config: IdentityConfig) -> dict[str, int]:
    """Of each type of contact point, the given names from which it is nobody's."""
    found: dict[str, int] = {}
    for rule in config.thresholds():
        if rule.column in CONTACT_TYPES and rule.distinct == "given_name":
            found[rule.column] = min(rule.threshold, found.get(rule.column, rule.threshold))
    return found


def _cap(thresholds: dict[str, int]) -> int:
    """Descriptions of a value that are looked into; a crowd has more."""
    return max(thresholds.values(), default=1) * _SPREAD


def _joint_codes(table: pa.Table, names: Sequence[str]) -> tuple[Numbers, Numbers]:
    """A number for each row, the same for rows that are the same in all these columns, and the first row of each number."""
    found = np.zeros(len(table), np.int64)
    for name in names:
        encoded = table.column(name).combine_chunks().dictionary_encode()
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64) + 1
        _, first, found = np.unique(found * (len(encoded.dictionary) + 1) + codes, return_index=True, return_inverse=True)
    return found, first


def _first_rows(block: Numbers, where: Flags) -> Numbers:
    """Of each row the first row of its block that counts; -1 where none does."""
    found = np.full(int(block.max(initial=-1)) + 1, -1)
    rows = np.flatnonzero(where)[::-1]
    found[block[rows]] = rows
    return found[block]


def _records(table: pa.Table, rows: Numbers) -> pa.Array:
    """These records; null for -1."""
    taken = table.select(_RECORD).take(pa.array(rows, mask=rows < 0))
    columns = [column.combine_chunks() for column in taken.columns]
    return pa.StructArray.from_arrays(columns, _RECORD, mask=pa.array(rows < 0))


def _reasons(id_type: pa.ChunkedArray, is_given: Flags, is_by_policy: Flags, config: IdentityConfig) -> pa.ChunkedArray:
    policy = {"most_recent": "seen last", "existing": "seen first"}.get(config.shared_identifier_policy, "ambiguous")
    same = pc.binary_join_element_wise("same", id_type, " ")
    shared = pc.binary_join_element_wise("shared", id_type, policy, " ")
    several = pc.binary_join_element_wise(same, ", which several people share", "")
    return pc.if_else(pa.array(is_given), same, pc.if_else(pa.array(is_by_policy), shared, several))


def learned(identifiers: DataFrame, records: DataFrame, rules: tuple[BadValues, ...]) -> DataFrame | None:
    """Values that too many people share, where the configuration asks for more than given names on a contact point.

    Args:
        identifiers: `silver.identifiers`.
        records: `silver.customer_records`.
        rules: learned bad values.

    Returns:
        id_type, id_value, learned (why); None where no rule asks for it.
    """
    others = [r for r in rules if not (r.column in CONTACT_TYPES and r.distinct == "given_name")]
    if not others:
        return None
    fields = {name: _field(name).alias(f"_{i}") for i, name in enumerate(dict.fromkeys(r.distinct for r in others))}
    names = {name: f"_{i}" for i, name in enumerate(fields)}
    of_records = records.select("source", "record_key", *fields.values())
    of_records = in_words(of_records, [names[name] for name in ("middle_name", "native_name") if name in names])
    of_types = identifiers.where(F.col("id_type").isin(sorted({r.column for r in others})))
    people = of_types.join(of_records, on=["source", "record_key"], how="inner")
    counts = people.groupBy(*_VALUE).agg(*[F.count_distinct(c).alias(c) for c in names.values()])
    reason = F.lit(None).cast("string")
    for rule in others:
        is_bad = (F.col("id_type") == rule.column) & (F.col(names[rule.distinct]) > rule.threshold)
        text = f"shared by more than {rule.threshold} people of different {rule.distinct}"
        reason = F.when(is_bad, F.lit(text)).otherwise(reason)
    return counts.select(*_VALUE, reason.alias("learned")).where("learned is not null")


def _field(name: str) -> Column:
    """A field of a customer record, in a form in which small differences do not count; other names are yet to be put in words."""
    if "." in name:
        column, key = name.split(".", 1)
        return F.lower(F.col(column)[key])
    if name in CONTACT_TYPES:
        return F.get(F.col(f"{name}s"), F.lit(0))
    if name in ("birth_date", "birth_year"):
        return F.col(name)
    if name in ("full_name", "given_name", "family_name"):
        return F.col(f"{name}_key")
    return F.lower(name)
