"""Entries that are a step of a sequence: one row for each sequence and object that an entry is about."""

from collections.abc import Iterable, Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.conditions.clock import Clock
from cdp.conditions.filters import filter_holds
from cdp.conditions.holds import all_of, any_of
from cdp.segments.sequence import MOMENTS, SequenceCondition, Step
from cdp.segments.windows import may_count, within

ORDER = ("at", "kind", "source", "reference", "line_no")
"""What entries are in the order of. The timeline's own key tells those of one moment apart; lines come after their order."""


def step_bit(k: int) -> int:
    """Bit of the `k`-th of the steps that must come."""
    return 1 << 2 * k


def not_bit(k: int) -> int:
    """Bit of the `not` step behind the `k`-th of the steps that must come."""
    return 2 << 2 * k


def value_field(n: int) -> str:
    """Field of `kept` with the value of the `n`-th column that a sequence keeps."""
    return f"value_{n}"


def entries(rows: DataFrame, source: str, wanted: Sequence[SequenceCondition], clock: Clock) -> DataFrame:
    """Entries of a table that are a step.

    Args:
        rows: `gold.timeline` or `gold.order_lines`.
        source: behavior_timeline or order_lines: which of them.
        wanted: the sequences.
        clock: the run's date.

    Returns:
        A row for each entry, and each sequence and object that it is a step of: customer_id; at (microseconds), kind,
        source, reference and line_no, the `ORDER`; sequence (its place in `wanted`), object (the values that a chain
        has in common, `array<string>`), steps (bits of what it is: `step_bit`, `not_bit`); where a sequence keeps
        something, kept (its values, a struct of `value_field`; null for sequences that keep nothing).
    """
    columns: dict[str, Column] = {}
    hits: list[Column] = []
    most_kept = max(len(sequence.keep) for sequence in wanted)
    for i, sequence in enumerate(wanted):
        groups = _by_object(sequence, source)
        for j, (paths, steps) in enumerate(groups.items()):
            columns[f"_steps_{i}_{j}"] = _bits(sequence, steps, clock, MOMENTS[source])
            columns[f"_object_{i}_{j}"] = _object(sequence.steps[steps[0]], paths)
            if most_kept:
                columns[f"_kept_{i}_{j}"] = _values(sequence.steps[steps[0]], sequence.keep, most_kept)
        hits += _hits(i, len(groups), is_keeping=most_kept > 0)
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
        .select("customer_id", *ORDER, "_hit.*")
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
    bit = _bits_of(sequence)
    bits = [F.when(_is(sequence.steps[k], clock), bit[k]).otherwise(0) for k in steps]
    return F.when(within(sequence.timeWindow, clock, moment), reduce(lambda a, b: a + b, bits)).otherwise(0)


def _bits_of(sequence: SequenceCondition) -> list[int]:
    """The bit of each step."""
    found: list[int] = []
    come = 0
    for step in sequence.steps:
        found.append(not_bit(come - 1) if step.not_ else step_bit(come))
        come += not step.not_
    return found


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


def _values(step: Step, paths: Sequence[str], fields: int) -> Column:
    """The values of an entry that its sequence keeps, as texts; null where it has none or a blank one."""
    found = [column.value if (column := step.standing_for(path)) else F.lit(None) for path in paths]
    texts = [F.when(text.rlike(r"\S"), text) for text in (value.cast("string") for value in found)]
    texts += [F.lit(None).cast("string")] * (fields - len(paths))
    return F.when(F.lit(bool(paths)), F.struct(*[text.alias(value_field(n)) for n, text in enumerate(texts)]))


def _hits(i: int, groups: int, *, is_keeping: bool) -> list[Column]:
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
