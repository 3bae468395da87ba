"""What rules ask that takes a look of its own: sequences, lists, queries, and who was in a segment before."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cdp.base.contracts import Table
from cdp.base.session import is_planned_again
from cdp.conditions.clock import Clock
from cdp.segments.chains import sequences
from cdp.segments.config import Condition, SegmentCondition
from cdp.segments.listed import People, counts, flags, on_lists, read_list
from cdp.segments.lists import ListCondition
from cdp.segments.past import former_ids, was_in
from cdp.segments.query import TABLES, SqlCondition, given
from cdp.segments.sequence import SequenceCondition
from cdp.tables.gold import CUSTOMER_IDENTIFIERS, CUSTOMER_ORDER_LINES, LOOKUP_KEYS, PROFILES, SEGMENT_HISTORY, TIMELINE

Fact = SequenceCondition | ListCondition | SqlCondition | SegmentCondition
Kind = TypeVar("Kind", SequenceCondition, ListCondition, SqlCondition, SegmentCondition)

_OF_STEPS = {"behavior_timeline": TIMELINE, "order_lines": CUSTOMER_ORDER_LINES}


def fact_of(condition: Condition) -> Fact | None:
    """The condition, where a look of its own is needed for it."""
    if isinstance(condition, SegmentCondition):
        return condition if condition.when != "now" else None
    return condition if isinstance(condition, SequenceCondition | ListCondition | SqlCondition) else None


def joined(fact: Fact, known: Fact | None) -> Fact:
    """One fact for two conditions of one outcome: it keeps what either does."""
    if isinstance(fact, SequenceCondition) and isinstance(known, SequenceCondition):
        return known.keeping(fact.keep)
    return fact


def tables_of(facts: Iterable[Fact]) -> dict[str, Table]:
    """The tables that have to be read for facts, by name."""
    found: list[Table] = []
    for fact in facts:
        if isinstance(fact, SequenceCondition):
            found += [_OF_STEPS[step.source] for step in fact.steps]
        elif isinstance(fact, SqlCondition):
            found += [TABLES[name] for name in fact.tables]
        elif isinstance(fact, ListCondition):
            found += [CUSTOMER_IDENTIFIERS, PROFILES, LOOKUP_KEYS]
        else:
            found += [SEGMENT_HISTORY, PROFILES, LOOKUP_KEYS]
    return {table.name: table for table in found}


@dataclass(frozen=True)
class Found:
    """What was found out.

    Attributes:
        frame: the frame of customers with a column `outcome`, true or false, for each fact, and `kept` of sequences that
            keep something (see `cdp.segments.chains.sequences`).
        told: what to say of each list, by the name of its column.
    """

    frame: DataFrame
    told: Mapping[str, str]


def with_facts(
    frame: DataFrame,
    facts: Mapping[str, Fact],
    tables: Mapping[str, DataFrame],
    clock: Clock,
    default_country: str | None = None,
) -> Found:
    """Find out what rules ask beside attributes and behaviour. Lists are read, matched and counted here.

    Args:
        frame: a row a customer.
        facts: by the name of their column.
        tables: `tables_of(facts)`, by name.
        clock: the run's date.
        default_country: country of phone numbers of lists without a country code.
    """
    told: Mapping[str, str] = {}
    parts: list[DataFrame] = []
    chains, lists = _of(SequenceCondition, facts), _of(ListCondition, facts)
    if chains:
        of_steps = {source: tables[table.name] for source, table in _OF_STEPS.items() if table.name in tables}
        parts.append(sequences(of_steps, chains, clock))
    for name, query in _of(SqlCondition, facts).items():
        rows = given(query, {table: tables[table] for table in query.tables}, as_of=clock.as_of)
        parts.append(rows.withColumn(name, F.lit(True)))
    past = {name: fact.segment for name, fact in _of(SegmentCondition, facts).items()}
    former = former_ids(tables[LOOKUP_KEYS.name], tables[PROFILES.name]) if past or lists else None
    if past and former is not None:
        parts.append(was_in(tables[SEGMENT_HISTORY.name], former, past, as_of=clock.as_of))
    if lists and former is not None:
        people = People(tables[PROFILES.name], tables[CUSTOMER_IDENTIFIERS.name], former)
        # Counted and joined: kept where it was made, a row or so for each entry.
        matched = on_lists(lists, people, partial(read_list, frame.sparkSession), default_country).localCheckpoint()
        parts.append(flags(matched, list(lists)))
        told = _told(lists, matched)
    is_large = is_planned_again(frame.sparkSession)
    for part in parts:
        # A row of one of some customers is looked up by what it is joined to, so that the wide rows need not be sorted; of
        # small data Spark may broadcast a part, which is better still.
        looked_up = part.hint("shuffle_hash") if is_large else part
        frame = frame.join(looked_up, on="customer_id", how="left")
    known = {name: F.coalesce(F.col(name), F.lit(False)) for name in facts}
    return Found(frame.withColumns(known) if known else frame, told)


def _of(kind: type[Kind], facts: Mapping[str, Fact]) -> dict[str, Kind]:
    return {name: fact for name, fact in facts.items() if isinstance(fact, kind)}


def _told(lists: Mapping[str, ListCondition], matched: DataFrame) -> dict[str, str]:
    rows = {row["list"]: row for row in counts(matched).collect()}  # one row a list
    said = {}
    for name, condition in lists.items():
        known, entries = (rows[name]["known"], rows[name]["entries"]) if name in rows else (0, 0)
        said[name] = f"list {condition.file}: {known:,} of {entries:,} are known customers"
    return said
