"""Who did one thing after another: every sequence of a run in one pass over the timeline."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from cdp.conditions.clock import Clock
from cdp.conditions.filters import filter_holds
from cdp.conditions.holds import all_of, any_of
from cdp.segments.sequence import MOMENTS, MOST_ENTRIES, SequenceCondition, Step
from cdp.segments.windows import may_count, within

MOST_VALUES = 100
"""Values of a column that are kept of one object, the first: a bound on the row of a member."""

_ORDER = ("at", "kind", "source", "reference", "line_no")
"""What entries are in the order of. The timeline's own key tells those of one moment apart; lines come after their order."""


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
        newest such entry is the newest; of two of one moment, of the later by letters.
    """
    numbered = list(wanted.values())
    sources = sorted({step.source for sequence in numbered for step in sequence.steps})
    entries = reduce(DataFrame.unionByName, [_entries(tables[source], source, numbered, clock) for source in sources])
    group = ("customer_id", "sequence", "object")
    newest = Window.partitionBy(*group).orderBy(*[F.desc(name) for name in _ORDER])
    whole = newest.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    must = F.get(F.lit([_must_come(s) for s in numbered]), F.col("sequence"))
    # The place among the newest says the order from here on: numbers in place of texts. Of most objects some step never came.
    placed = (
        entries.withColumns({"place": -F.row_number().over(newest), "came": F.bit_or("steps").over(whole)})
        .where(F.col("place") >= -MOST_ENTRIES)
        .where(F.col("came").bitwiseAND(must) == must)
    )
    keeping = {i: s for i, s in enumerate(numbered) if s.keep}
    entry = ("place", "at", "steps", *(["kept"] if keeping else []))
    chains = placed.groupBy(*group).agg(
        F.sort_array(F.collect_list(F.struct(*entry))).alias("entries"),
        F.max(F.when(F.col("steps").bitwiseAND(must) != 0, F.col("at"))).alias("newest"),
    )
    # In the order of the plan: only the fold of a row's own sequence is worked out.
    holds = F.coalesce(*[F.when(F.col("sequence") == i, _holds(s, clock)) for i, s in enumerate(numbered)])
    outcomes = [F.bool_or(F.col("sequence") == i).alias(name) for i, name in enumerate(wanted)]
    of_newest = [_of_newest(i).alias(s.kept) for i, s in keeping.items()]
    found = chains.where(holds).groupBy("customer_id").agg(*outcomes, *of_newest)
    return found.withColumns({s.kept: _kept(s, s.kept) for s in keeping.values()}) if keeping else found


def _entries(rows: DataFrame, source: str, wanted: list[SequenceCondition], clock: Clock) -> DataFrame:
    """Entries of a table that are a step: once for each sequence and object, `steps` with a bit for each step it is."""
    columns: dict[str, Column] = {}
    hits: list[Column] = []
    is_keeping = any(sequence.keep for sequence in wanted)
    for i, sequence in enumerate(wanted):
        groups = _by_object(sequence, source)
        for j, (paths, steps) in enumerate(groups.items()):
            columns[f"_steps_{i}_{j}"] = _bits(sequence, steps, clock, MOMENTS[source])
            columns[f"_object_{i}_{j}"] = _object(sequence.steps[steps[0]], paths)
            if is_keeping:
                columns[f"_kept_{i}_{j}"] = _values(sequence.steps[steps[0]], sequence.keep)
        hits += _hits(i, len(groups), is_keeping)
    is_line = source == "order_lines"
    reference = "order_id" if is_line else "reference"
    kind = F.lit("order line") if is_line else F.col("kind")  # sorts after the order, which is of the same moment
    asked = [(k.events, sequence.timeWindow) for sequence in wanted for k in sequence.steps if k.source == source]
    known = rows.where(F.col("customer_id").isNotNull() & may_count(asked, clock, MOMENTS[source]))
    matched = known.withColumns(columns)
    # Of an array Spark would interpret what takes its nulls out, with all that is in it; `explode` costs a row for each.
    return (
        matched.where(any_of([h.isNotNull() for h in hits]))
        .select(
            "customer_id",
            F.unix_micros(MOMENTS[source]).alias("at"),
            kind.alias("kind"),
            "source",
            F.col(reference).alias("reference"),
            (F.col("line_no") if is_line else F.lit(0)).alias("line_no"),
            F.explode(F.array(*hits)).alias("_hit"),
        )
        .where("_hit IS NOT NULL")
        .select("customer_id", *_ORDER, "_hit.*")
    )


def _by_object(sequence: SequenceCondition, source: str) -> dict[tuple[str, ...], list[int]]:
    """The steps of one source, by the columns that say what object an entry is about."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for k, step in enumerate(sequence.steps):
        if step.source == source:
            paths = tuple(step.correlateOn.get(name, name) for name in sequence.correlateOn)
            groups.setdefault(paths, []).append(k)
    return groups


def _bits(sequence: SequenceCondition, steps: Iterable[int], clock: Clock, moment: str) -> Column:
    bits = [F.when(_is(sequence.steps[k], clock), 1 << k).otherwise(0) for k in steps]
    return F.when(within(sequence.timeWindow, clock, moment), reduce(lambda a, b: a + b, bits)).otherwise(0)


def _is(step: Step, clock: Clock) -> Column:
    parts = [F.col("event").isin(*step.events)] if step.events else []
    parts += [filter_holds(step.filter, clock, step.column)] if step.filter else []
    return all_of(parts) if parts else F.lit(True)


def _object(step: Step, paths: Iterable[str]) -> Column:
    """The values that a chain has in common; null where one is missing or blank."""
    values = [step.column(path).value for path in paths]
    if not values:
        return F.array().cast("array<string>")
    return F.when(all_of([v.rlike(r"\S") for v in values]), F.array(*values))


def _values(step: Step, paths: Iterable[str]) -> Column:
    """The values of an entry that its sequence keeps, as texts; null where it has none or a blank one."""
    found = [column.value if (column := step.standing_for(path)) else F.lit(None) for path in paths]
    texts = [value.cast("string") for value in found]
    return F.array(*[F.when(text.rlike(r"\S"), text) for text in texts]).cast("array<string>")


def _hits(i: int, groups: int, is_keeping: bool) -> list[Column]:
    """What an entry is to sequence `i`; null where it is nothing. Columns that hold one object make one hit of it."""
    found = []
    for j in range(groups):
        steps, object_ = F.col(f"_steps_{i}_{j}"), F.col(f"_object_{i}_{j}")
        others = [(F.col(f"_object_{i}_{o}"), F.col(f"_steps_{i}_{o}"), o) for o in range(groups) if o != j]
        is_hit = (steps > 0) & object_.isNotNull()
        for other, bits, o in others:
            same = F.coalesce(other == object_, F.lit(False)) & (bits > 0)
            steps = steps + F.when(same, bits).otherwise(0)
            is_hit &= ~same if o < j else F.lit(True)
        kept = [F.col(f"_kept_{i}_{j}").alias("kept")] if is_keeping else []
        hit = F.struct(F.lit(i).alias("sequence"), object_.alias("object"), steps.alias("steps"), *kept)
        found.append(F.when(is_hit, hit))
    return found


@dataclass(frozen=True)
class _Wanted:
    """A step that must come.

    Attributes:
        bit: its bit in `steps`.
        within: microseconds since the wanted step before; None: any time.
        but_not: bit of the `not` step behind it; 0: there is none.
    """

    bit: int
    within: int | None
    but_not: int


def _holds(sequence: SequenceCondition, clock: Clock) -> Column:
    """Whether `entries`, in order, hold a chain. The fold keeps a time a step, whatever the number of entries.

    Of a step that others follow the latest time at which it was reached is enough. What follows asks of it only to be
    near (`within`) and that no entry of a `not` step lies between, and both are the easier the later it was; what came
    before it is settled. An entry of the `not` step behind it rules out all times until then, so it leaves none.

    As the last step a `not` with `within` asks for one time that is followed by no such entry for so long. Of all times
    since the last such entry the oldest one is over first, so if any of them gets there, it does; it alone is kept.
    """
    steps = sequence.steps
    wanted = [_wanted(steps, k) for k, step in enumerate(steps) if not step.not_]
    box = steps[-1].within.micros if steps[-1].not_ and steps[-1].within else None
    end = _micros(clock.end)
    nothing = F.lit(None).cast("bigint")
    start = F.struct(*[nothing.alias(f"t{k}") for k in range(len(wanted))], F.lit(False).alias("found"))

    def after(state: Column, entry: Column) -> Column:
        reached = [_reached(wanted, k, state, entry) for k in range(len(wanted))]
        times = [_latest(step, reached[k], state[f"t{k}"], entry) for k, step in enumerate(wanted)]
        found = state["found"]
        if box is not None:
            was = state[f"t{len(wanted) - 1}"]
            ends = _has(entry, wanted[-1].but_not)
            found = found | (ends & F.coalesce(was + box < entry["at"], F.lit(False)))
            times[-1] = F.coalesce(F.when(~ends, was), F.when(reached[-1], entry["at"]))
        return F.struct(*[t.alias(f"t{k}") for k, t in enumerate(times)], found.alias("found"))

    def finished(state: Column) -> Column:
        last = state[f"t{len(wanted) - 1}"]
        return state["found"] | F.coalesce(last + box < end, F.lit(False)) if box is not None else last.isNotNull()

    return F.aggregate("entries", start, after, finished)


def _must_come(sequence: SequenceCondition) -> int:
    """The bits of the steps that must come."""
    return sum(1 << k for k, step in enumerate(sequence.steps) if not step.not_)


def _of_newest(i: int) -> Column:
    """The entries of the object with a chain of sequence `i` that is the newest; null: there is none."""
    return F.max_by("entries", F.when(F.col("sequence") == i, F.struct("newest", "object")))


def _kept(sequence: SequenceCondition, entries: str) -> Column:
    """What the entries of steps that must come say of each column that is kept; null where there are no entries."""
    mine = F.filter(entries, lambda entry: _has(entry, _must_come(sequence)))

    def different(k: int) -> Column:
        values = F.array_distinct(F.array_compact(F.transform(mine, lambda entry: entry["kept"][k])))
        return F.when(F.size(values) > 0, F.slice(values, 1, MOST_VALUES))

    paths = F.array(*[F.lit(path) for path in sequence.keep])
    told = F.map_from_arrays(paths, F.array(*[different(k) for k in range(len(sequence.keep))]))
    return F.when(F.col(entries).isNotNull(), told)


def _wanted(steps: tuple[Step, ...], k: int) -> _Wanted:
    within = steps[k].within
    has_not = k + 1 < len(steps) and steps[k + 1].not_
    return _Wanted(1 << k, within.micros if within else None, 1 << (k + 1) if has_not else 0)


def _reached(wanted: list[_Wanted], k: int, state: Column, entry: Column) -> Column:
    """Whether the entry is this step of a chain. The state is that before the entry, so no entry is two steps of one."""
    is_step = _has(entry, wanted[k].bit)
    if k == 0:
        return is_step
    before, within = state[f"t{k - 1}"], wanted[k].within
    is_near = F.coalesce(entry["at"] - before <= within, F.lit(False)) if within is not None else before.isNotNull()
    return is_step & is_near


def _latest(step: _Wanted, reached: Column, was: Column, entry: Column) -> Column:
    kept = F.when(~_has(entry, step.but_not), was) if step.but_not else was
    return F.when(reached, entry["at"]).otherwise(kept)


def _has(entry: Column, bit: int) -> Column:
    return entry["steps"].bitwiseAND(bit) != 0


def _micros(at: datetime) -> int:
    return int(at.replace(tzinfo=timezone.utc).timestamp()) * 1_000_000
