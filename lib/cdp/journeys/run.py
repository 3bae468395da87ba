"""The journey stage: takes everybody in a journey a bit further, and keeps where they are, how they came there and why they went."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cdp.base.contracts import Table
from cdp.base.settings import ConfigFolder
from cdp.base.spark_errors import spark_name_of
from cdp.base.stage import Run, Stage, StageResult
from cdp.conditions.clock import Clock
from cdp.journeys.config import Journey
from cdp.journeys.frame import customers
from cdp.journeys.history import changes, history_after, members_after, stays, tallies
from cdp.journeys.load import load_journeys
from cdp.journeys.paths import paths
from cdp.journeys.plan import Counts, JourneyPlan, notes, plan, status_rows
from cdp.journeys.visits import entrants, eve, standing, visits
from cdp.segments.evaluate import SOURCES, asked_of
from cdp.segments.facts import tables_of
from cdp.segments.load import catalogue_of
from cdp.segments.members import needs_of
from cdp.segments.past import former_ids
from cdp.segments.run import check_rules, rests_on
from cdp.tables.gold import LOOKUP_KEYS, PROFILES, SEGMENT_MEMBERS
from cdp.tables.identity import CHANGES
from cdp.tables.journeys import JOURNEY_CHANGES, JOURNEY_HISTORY, JOURNEY_MEMBERS, JOURNEY_STATUS, TABLES


@dataclass(frozen=True)
class _Walk:
    """What a run found of the journeys concerned.

    Attributes:
        before: `gold.journey_history` on the eve.
        stays: `cdp.journeys.history.stays`.
        counts: of each step.
    """

    before: DataFrame
    stays: DataFrame
    counts: Counts


def run_journeys(run: Run) -> StageResult:
    """Take journeys to the run's date; see `docs/journeys.md`."""
    lake, work = run.lake, plan(load_journeys(run.config), run.select)
    if not work.journeys and not lake.exists(JOURNEY_HISTORY):
        return StageResult(rows_out=0, notes=("no journeys in the configuration",))
    check_rules(run, work)
    walk = _walked(run, work)
    old = [row.asDict() for row in lake.read(JOURNEY_STATUS).collect()]  # one row a step
    status = status_rows(work, old, walk.counts, as_of=run.as_of)
    if not run.dry_run:
        _write(run, work, walk, status)
    return StageResult(
        rows_out=sum(found["size"] for found in walk.counts.values()),
        notes=tuple(notes(work, status, walk.counts)),
        broken_rules=tuple(f"journey {name}: {why}" for name, why in sorted(work.failed.items())),
    )


def _walked(run: Run, work: JourneyPlan) -> _Walk:
    """Take all of them on. A journey that fails does not hold the others up: it, and why, is told to `work`."""
    try:
        return _attempt(run, work, work.walked)
    except Exception:
        known = len(work.failed)
        for name, journey in work.walked.items():
            if why := _failure(run, work, name, journey):
                work.fail(name, why)
        if len(work.failed) == known:
            raise
    return _attempt(run, work, work.walked)


def _failure(run: Run, work: JourneyPlan, name: str, journey: Journey) -> str | None:
    """Why a journey cannot go on by itself; None: it can. Only asked after the run of all has failed."""
    try:
        _attempt(run, work, {name: journey})
    except Exception as error:  # Spark and py4j share no base class
        return f"Spark cannot evaluate a condition: {spark_name_of(error)}"
    return None


def _attempt(run: Run, work: JourneyPlan, journeys: dict[str, Journey]) -> _Walk:
    lake, as_of = run.lake, run.as_of
    work.told.clear()
    asked = asked_of(run, {name: work.segments[name] for name in journeys}, work.told)
    members = lake.read(SEGMENT_MEMBERS)
    everybody = customers(asked, members, journeys, Clock(as_of), catalogue_of(run.config))
    before = eve(lake.read(JOURNEY_HISTORY).where(work.concerned), as_of=as_of)
    former = former_ids(lake.read(LOOKUP_KEYS), lake.read(PROFILES))
    come = entrants(members, before, former, journeys, as_of=as_of)
    everyone = visits(standing(before, former), come, journeys, as_of=as_of)
    is_past = (F.col("change") == "erased") & (F.to_date("changed_at") <= F.lit(as_of))
    erased = lake.read(CHANGES).where(is_past).select(F.col("previous_customer_id").alias("customer_id"))
    # Not persisted, for the reason that `cdp.segments.evaluate` has.
    walked = paths(everyone, everybody, erased, journeys, as_of=as_of).localCheckpoint(eager=False)
    found = stays(walked, journeys, as_of=as_of)
    rows = tallies(history_after(before, found), found, as_of=as_of).collect()  # one row a step
    return _Walk(before, found, {(row["journey"], row["step"]): row.asDict() for row in rows})


def _write(run: Run, work: JourneyPlan, walk: _Walk, status: Sequence[dict[str, Any]]) -> None:
    lake, as_of = run.lake, run.as_of
    left_alone = f"NOT ({work.concerned})"
    history = lake.read(JOURNEY_HISTORY).where(left_alone).unionByName(history_after(walk.before, walk.stays))
    members = lake.read(JOURNEY_MEMBERS).where(left_alone).unionByName(members_after(walk.stays, work.walked))
    feed = changes(walk.stays, as_of=as_of, run_id=run.run_id)
    health = lake.spark.createDataFrame(
        [tuple(row[c.name] for c in JOURNEY_STATUS.columns) for row in status], JOURNEY_STATUS.schema
    )
    since = f"changed_on >= DATE'{as_of.isoformat()}' AND {work.concerned}"
    # All follows from the history before the run's date: whatever of this is there when a run is killed, the next one makes the
    # same of it.
    lake.together(
        [
            lambda: lake.replace(JOURNEY_MEMBERS, members),
            lambda: lake.replace(JOURNEY_CHANGES, feed, where=since),
            lambda: lake.replace(JOURNEY_HISTORY, history),
            lambda: lake.replace(JOURNEY_STATUS, health),
        ]
    )


def _reads(config: ConfigFolder) -> Sequence[Table]:
    journeys = load_journeys(config)
    if not journeys:
        return ()
    facts = needs_of([j.as_segment for j in journeys.values()], catalogue_of(config)).facts
    wanted = [*SOURCES.values(), SEGMENT_MEMBERS, LOOKUP_KEYS, CHANGES, *tables_of(facts.values()).values()]
    return tuple({table.name: table for table in wanted}.values())


def _writes(config: ConfigFolder) -> Sequence[Table]:
    return TABLES if load_journeys(config) else ()


def _settings(config: ConfigFolder) -> Any:
    journeys = load_journeys(config)
    if not journeys:
        return ()
    return journeys, rests_on(config, {name: j.as_segment for name, j in journeys.items()})


STAGE = Stage(
    name="journey",
    title="take journeys on",
    run=run_journeys,
    reads=_reads,
    writes=_writes,
    settings=_settings,
    previews=True,
)
