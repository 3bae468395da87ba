"""Who did one thing after another: every sequence of a run in one pass over the timeline."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import reduce
from itertools import zip_longest

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

from cdp.conditions.clock import Clock
from cdp.segments.entries import ORDER, entries, not_bit, step_bit, value_field
from cdp.segments.sequence import MOST_STEPS, SequenceCondition

MOST_VALUES = 100
"""Values of a column that are kept of one object, the first: a bound on the row of a member."""
MOST_LOOKED_AT = 10_000
"""Entries of one object, of steps that must come, that are looked through for them, the first: a bound on what one task holds in
memory."""

_GROUP = ("customer_id", "sequence", "object")
_MUST_COME = sum(step_bit(k) for k in range(MOST_STEPS))
_NEVER = -(2**63)
"""In place of a time: what was reached counts no more."""


def sequences(tables: Mapping[str, DataFrame], wanted: Mapping[str, SequenceCondition], clock: Clock) -> DataFrame:
    """Find the customers of whom each sequence holds, as of the end of the run's date.

    Args:
        tables: `gold.timeline` as behavior_timeline and `gold.order_lines` as order_lines; only what steps ask for.
        wanted: sequences by the name of their column.
        clock: the run's date.

    Returns:
        customer_id and a column for each of `wanted`, true or false; only customers of whom one holds. For each that keeps
        columns also `kept`: from each of these columns to its different values in the order of time, a
        `map<string,array<string>>`. They are those of the entries of steps that must come, of the object with a chain whose
        newest such entry is the newest; of two of one moment, of the later by letters. No more than the first `MOST_VALUES`
        of the first `MOST_LOOKED_AT` entries.
    """
    numbered = list(wanted.values())
    sources = sorted({step.source for sequence in numbered for step in sequence.steps})
    found = reduce(DataFrame.unionByName, [entries(tables[source], source, numbered, clock) for source in sources])
    walks = [_Walk.of(sequence) for sequence in numbered]
    # All of a customer lands in one place with the only shuffle, and is sorted once.
    chains = _with_chain(_walked(found.repartition("customer_id"), walks), walks, clock)
    keeping = {i: s for i, s in enumerate(numbered) if s.keep}
    # Where nothing is kept, one entry says as much of an object as all of them.
    chains = _newest(chains.where(F.col("sequence").isin(list(keeping)) | (F.col("place") == 1)))
    outcomes = [F.bool_or(F.col("sequence") == i).alias(name) for i, name in enumerate(wanted)]
    told = [F.collect_list(_told(i)).alias(s.kept) for i, s in keeping.items()]
    of_customer = chains.groupBy("customer_id").agg(*outcomes, *told)
    return of_customer.withColumns({s.kept: _kept(s, s.kept) for s in keeping.values()}) if keeping else of_customer


@dataclass(frozen=True)
class _Walk:
    """What decides on a chain of a sequence, beside the entries.

    Attributes:
        within: of each step that must come, the most microseconds since the one before; None: any time.
        box: where the last step is a `not` with a time, its microseconds: no such entry for so long.
    """

    within: tuple[int | None, ...]
    box: int | None

    @classmethod
    def of(cls, sequence: SequenceCondition) -> "_Walk":
        steps, last = sequence.steps, sequence.steps[-1]
        within = tuple(step.within.micros if step.within else None for step in steps if not step.not_)
        return cls(within, last.within.micros if last.not_ and last.within else None)


def _walked(rows: DataFrame, walks: Sequence[_Walk]) -> DataFrame:
    """Walk along the entries of each object, all sequences side by side: a time a step is all that is remembered.

    Of a step that others follow the latest time at which it was reached is enough. What follows asks of it only to be
    near (`within`) and that no entry of a `not` step lies between, and both are the easier the later it was; what came
    before it is settled. An entry of the `not` step behind it rules out all times until then, so it leaves none. What is
    remembered is that before the entry, so no entry is two steps of one chain.

    Returns:
        The entries of objects with an entry of each step that must come, with place (in their order, from 1), come (how
        many until there are of steps that must come), newest (when the newest of them of the object was), is_last (a
        chain's last step that must come is reached), is_end (of the `not` step behind that); where a sequence has a box,
        is_first (is_last, and none was since the last is_end) and is_after_box (an is_end that comes later than the box
        after such a first).
    """
    ordered = Window.partitionBy(*_GROUP).orderBy(*ORDER)
    before = ordered.rowsBetween(Window.unboundedPreceding, -1)
    until_here = ordered.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    of_object = ordered.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    must_come = _has(_MUST_COME)
    # What looks at nothing but entries is found in one window, and most objects go no further than that.
    found = {
        "place": F.row_number().over(ordered),
        "come": F.count_if(must_come).over(until_here),
        "newest": F.max(F.when(must_come, F.col("at"))).over(of_object),
        "time_0": _latest(_has(step_bit(0)), _has(not_bit(0)), before),
        "all_steps": F.bit_or("steps").over(of_object),
    }
    needed = _of_sequence([sum(step_bit(k) for k in range(len(walk.within))) for walk in walks])
    rows = rows.withColumns(found).where(F.col("all_steps").bitwiseAND(needed) == needed)
    last = [len(walk.within) - 1 for walk in walks]
    timed = [k for k, walk in zip(last, walks, strict=True) if walk.box is not None]
    reached = [_has(step_bit(0))]
    _, *later = zip_longest(*[walk.within for walk in walks])
    for k, within in enumerate(later, start=1):
        limit = _of_sequence(within)
        since = F.col("at") - F.col(f"time_{k - 1}")
        # Null, and so not reached, where the step before was not.
        is_near = F.coalesce((since <= limit) | (since.isNotNull() & limit.isNull()), F.lit(False))
        reached.append(_has(step_bit(k)) & is_near)
        if k < max(last) or k in timed:
            rows = rows.withColumn(f"time_{k}", _latest(reached[k], _has(not_bit(k)), before))
    is_last = F.get(F.array(*reached), _of_sequence(last))
    rows = rows.withColumns({"is_last": is_last, "is_end": _has(_of_sequence([not_bit(k) for k in last]))})
    if not timed:
        return rows
    # Of all times since the last such entry the oldest is over first: if any gets there, it does.
    stands = F.get(F.array(*[F.col(f"time_{k}") for k in range(max(timed) + 1)]), _of_sequence(last))
    rows = rows.withColumn("is_first", F.col("is_last") & (stands.isNull() | F.col("is_end")))
    rows = rows.withColumn("oldest", _latest(F.col("is_first"), F.col("is_end"), before))
    is_later = F.col("oldest") + _of_sequence([walk.box for walk in walks]) < F.col("at")
    return rows.withColumn("is_after_box", F.col("is_end") & F.coalesce(is_later, F.lit(False)))


def _latest(is_reached: Column, is_ended: Column, before: WindowSpec) -> Column:
    """When something was reached last before an entry; null where it never was, or was ended since."""
    mark = F.when(is_reached, F.col("at")).when(is_ended, F.lit(_NEVER))
    return F.nullif(F.last(mark, ignorenulls=True).over(before), F.lit(_NEVER))


def _with_chain(walked: DataFrame, walks: Sequence[_Walk], clock: Clock) -> DataFrame:
    """The entries of objects with a chain."""
    object_ = Window.partitionBy(*_GROUP)

    def last_of(flag: str, what: str = "place") -> Column:
        return F.max(F.when(F.col(flag), F.col(what))).over(object_)

    end = F.coalesce("end_place", F.lit(0))
    summed = {"last_place": last_of("is_last"), "end_place": last_of("is_end")}
    holds = F.col("last_place") >= end
    if any(walk.box is not None for walk in walks):
        summed |= {
            "first_place": last_of("is_first"),
            "first_at": last_of("is_first", "at"),
            "was_over": F.bool_or("is_after_box").over(object_),
        }
        box = _of_sequence([walk.box for walk in walks])
        is_over = (F.col("first_place") >= end) & (F.col("first_at") + box < _micros(clock.end))
        holds = F.when(box.isNull(), holds).otherwise(F.col("was_over") | is_over)
    return walked.withColumns(summed).where(holds)


def _newest(chains: DataFrame) -> DataFrame:
    """Of each customer and sequence the entries of one object, the newest with a chain."""
    one = F.struct("newest", "object")
    newest = F.max(one).over(Window.partitionBy("customer_id", "sequence"))
    return chains.withColumn("chosen", newest).where(one == F.col("chosen"))


def _told(i: int) -> Column:
    """What an entry of sequence `i` has to tell of what is kept; null where it has nothing."""
    is_asked = (F.col("sequence") == i) & _has(_MUST_COME) & (F.col("come") <= MOST_LOOKED_AT)
    return F.when(is_asked, F.struct("come", "kept"))


def _kept(sequence: SequenceCondition, found: str) -> Column:
    """The different values of each column that is kept, of what was told; null where nothing was."""
    in_order = F.sort_array(found)

    def different(n: int) -> Column:
        # What takes a lambda is not compiled, and nothing beside it is either; what is in one list only is there once.
        values = F.array_except(in_order["kept"][value_field(n)], F.array(F.lit(None).cast("string")))
        return F.when(F.size(values) > 0, F.slice(values, 1, MOST_VALUES))

    paths = F.array(*[F.lit(path) for path in sequence.keep])
    told = F.map_from_arrays(paths, F.array(*[different(n) for n in range(len(sequence.keep))]))
    return F.when(F.size(found) > 0, told)


def _of_sequence(values: Sequence[int | None]) -> Column:
    """The value of the sequence that an entry is of."""
    return F.get(F.array(*[F.lit(value) for value in values]).cast("array<bigint>"), F.col("sequence"))


def _has(bits: int | Column) -> Column:
    return F.col("steps").bitwiseAND(bits) != 0


def _micros(at: datetime) -> int:
    return int(at.replace(tzinfo=timezone.utc).timestamp()) * 1_000_000
