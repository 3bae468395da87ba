"""Judges every customer by every rule: the frame with the membership of all segments, and who was in beside who is in."""

from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import DataFrame

from cdp.base.contracts import Table
from cdp.base.spark_errors import spark_name_of
from cdp.base.stage import Run
from cdp.conditions.clock import Clock
from cdp.models.activity import daily_activity
from cdp.models.features import features
from cdp.segments.config import Segment
from cdp.segments.facts import tables_of, with_facts
from cdp.segments.frame import customer_frame
from cdp.segments.history import standing, tallies
from cdp.segments.lists import ListCondition
from cdp.segments.load import catalogue_of
from cdp.segments.members import needs_of, with_membership
from cdp.segments.plan import Plan
from cdp.segments.rows import MEMBER, member_rows
from cdp.tables.gold import (
    CUSTOMER_ORDER_LINES,
    CUSTOMER_ORDERS,
    EFFECTIVE_CONSENT,
    HOUSEHOLDS,
    PREDICTIONS,
    PROFILES,
    PROPENSITIES,
    TIMELINE,
    TRAITS,
)

SOURCES: Mapping[str, Table] = {
    "profile": PROFILES,
    "traits": TRAITS,
    "predictions": PREDICTIONS,
    "propensities": PROPENSITIES,
    "household": HOUSEHOLDS,
    "consent": EFFECTIVE_CONSENT,
    "timeline": TIMELINE,
}
OF_FEATURES = (CUSTOMER_ORDERS, CUSTOMER_ORDER_LINES, TIMELINE)
"""What lookalikes are found by."""


@dataclass(frozen=True)
class Judged:
    """What judging everybody came to.

    Attributes:
        stand: who was in and who is in, worked out once.
        counts: by segment.
        frame: customers with the membership of every segment; None: there is no segment.
    """

    stand: DataFrame
    counts: dict[str, dict[str, int]]
    frame: DataFrame | None


def evaluated(run: Run, work: Plan, history: DataFrame) -> Judged:
    """Judge everybody. A rule that fails does not take the others along: it, and why, is told to `work`."""
    known = set(work.failed)
    try:
        return _attempt(run, work, history)
    except Exception:
        for name in work.good:  # those that others refer to come first
            if name not in work.failed and (why := _failure(run, work, name)):
                work.fail(name, why)
        if not work.failed.keys() - known:
            raise
    return _attempt(run, work, history)


def _attempt(run: Run, work: Plan, history: DataFrame) -> Judged:
    frame = frame_of(run, work.good, work.told)
    now = run.spark.createDataFrame([], MEMBER) if frame is None else member_rows(frame, work.good, work.versions)
    both = standing(history.where(work.concerned), now.where(work.concerned), as_of=run.as_of)
    # What is persisted is dropped when a table that it reads is written, as the history is while others are written from this.
    stand = both.localCheckpoint(eager=False)
    rows = tallies(stand).collect()  # one row a segment
    counts = {row["segment"]: {k: v for k, v in row.asDict().items() if k != "segment"} for row in rows}
    return Judged(stand, counts, frame)


def frame_of(run: Run, segments: Mapping[str, Segment], told: dict[str, str]) -> DataFrame | None:
    """Customers with the membership of every segment; what is to be said of lists and lookalikes goes into `told`."""
    told.clear()
    if not segments:
        return None
    frame, catalogue, clock = asked_of(run, segments, told), catalogue_of(run.config), Clock(run.as_of)
    if not any(s.lookalike for s in segments.values()):
        return with_membership(frame, segments, clock, catalogue)
    from cdp.segments.lookalike import Known, with_lookalikes  # the learners' imports take a second

    activity = daily_activity(*[run.lake.read(table) for table in OF_FEATURES], as_of=clock.as_of)
    known = Known(features(activity, [clock.as_of]).persist(), run.lake.read(EFFECTIVE_CONSENT))

    def expand(frame: DataFrame, name: str) -> DataFrame:
        frame, said = with_lookalikes(frame, name, segments, known, clock, catalogue)
        _tell(told, name, said)
        return frame

    judged = with_membership(frame, segments, clock, catalogue, expand)
    known.features.unpersist()  # the members of lookalikes are found by now
    return judged


def asked_of(run: Run, segments: Mapping[str, Segment], told: dict[str, str]) -> DataFrame:
    """Customers with all that the rules of segments ask, other segments aside; what is to be said of lists goes into `told`."""
    catalogue, clock = catalogue_of(run.config), Clock(run.as_of)
    needs = needs_of(list(segments.values()), catalogue)
    used = {a.source for a in needs.attributes} | {"profile"} | ({"timeline"} if needs.behaviors else set())
    tables = {source: run.lake.read(SOURCES[source]) for source in used}
    frame = customer_frame(tables, attributes=needs.attributes, behaviors=needs.behaviors, clock=clock)
    of_facts = {name: run.lake.read(table) for name, table in tables_of(needs.facts.values()).items()}
    found = with_facts(frame, needs.facts, of_facts, clock, run.config.platform.default_country)
    for name, segment in segments.items():
        asked = dict.fromkeys(c.outcome for _, c in segment.conditions() if isinstance(c, ListCondition))
        _tell(told, name, *[found.told[column] for column in asked])
    return found.frame


def _tell(told: dict[str, str], name: str, *lines: str) -> None:
    if lines:
        told[name] = "; ".join([*([told[name]] if name in told else []), *lines])


def _failure(run: Run, work: Plan, name: str) -> str | None:
    """Why a segment cannot be evaluated on its own; None: it can. Only asked after the run of all has failed."""
    alone: dict[str, Segment] = {}
    for other in reversed(work.good):
        if other == name or any(other in s.references for s in alone.values()):
            alone = {other: work.good[other], **alone}
    try:
        frame = frame_of(run, alone, {})
        assert frame is not None
        member_rows(frame, alone, work.versions).groupBy("segment").count().collect()
    except Exception as error:  # Spark and py4j share no base class
        return f"Spark cannot evaluate the rule: {spark_name_of(error)}"
    return None
