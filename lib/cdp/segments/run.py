"""The segment stage: evaluates every rule over one frame of customers and keeps members, history, changes and health."""

from collections.abc import Mapping, Sequence
from typing import Any

from pyspark.sql import DataFrame

from cdp.base.contracts import Table
from cdp.base.settings import ConfigFolder
from cdp.base.stage import Run, Stage, StageResult
from cdp.conditions.clock import Clock
from cdp.conditions.holds import is_pattern
from cdp.gold.computed.load import load_traits
from cdp.models.activity import daily_activity
from cdp.models.features import features
from cdp.segments.config import Segment
from cdp.segments.facts import tables_of, with_facts
from cdp.segments.frame import customer_frame
from cdp.segments.history import changes, history_after, members_after, standing, tallies
from cdp.segments.lists import ListCondition
from cdp.segments.load import catalogue_of, load_segments
from cdp.segments.members import members, needs_of
from cdp.segments.plan import Plan, note, plan, status_rows
from cdp.segments.query import SqlCondition, query_problem
from cdp.tables.gold import (
    CUSTOMER_ORDER_LINES,
    CUSTOMER_ORDERS,
    EFFECTIVE_CONSENT,
    HOUSEHOLDS,
    PREDICTIONS,
    PROFILES,
    PROPENSITIES,
    SEGMENT_CHANGES,
    SEGMENT_HISTORY,
    SEGMENT_MEMBERS,
    SEGMENT_STATUS,
    TIMELINE,
    TRAITS,
)
from cdp.tables.identity import CHANGES

SOURCES: Mapping[str, Table] = {
    "profile": PROFILES,
    "traits": TRAITS,
    "predictions": PREDICTIONS,
    "propensities": PROPENSITIES,
    "household": HOUSEHOLDS,
    "consent": EFFECTIVE_CONSENT,
    "timeline": TIMELINE,
}
_OF_FEATURES = (CUSTOMER_ORDERS, CUSTOMER_ORDER_LINES, TIMELINE)


def run_segments(run: Run) -> StageResult:
    """Evaluate the rules as of the run's date; see `docs/segments.md`."""
    work = plan(load_segments(run.config), run.select)
    history = run.lake.read(SEGMENT_HISTORY)
    old = {
        row["segment"]: row.asDict() for row in run.lake.read(SEGMENT_STATUS).collect()
    }  # one row a segment
    _check_horizons(run, work)
    _check_propensities(run, work)
    _check_patterns(run, work)
    _check_queries(run, work)
    stand, counts = _evaluated(run, work, history)
    status = status_rows(work, old, counts, as_of=run.as_of)
    if not run.dry_run:
        _write(run, work, history, stand, status)
    stand.unpersist()
    notes = tuple(
        note(row, counts.get(row["segment"], {}), work.told.get(row["segment"]))
        for row in status
        if row["segment"] in work.written
    )
    broken = tuple(f"segment {name}: {why}" for name, why in sorted(work.failed.items()))
    return StageResult(rows_out=sum(c["size"] for c in counts.values()), notes=notes, broken_rules=broken)


def _check_horizons(run: Run, work: Plan) -> None:
    """A horizon that nobody is scored for would make a rule false for everyone without a word: such a segment fails."""
    catalogue = catalogue_of(run.config)
    asked = {
        name: {a.horizon_days for a in needs_of([s], catalogue).attributes if a.source == "predictions"}
        for name, s in work.segments.items()
    }
    if not any(asked.values()):
        return
    rows = run.lake.read(PREDICTIONS).select("horizon_days").distinct().collect()  # one row a horizon
    scored = {row["horizon_days"] for row in rows}
    if not scored and run.lake.exists(PREDICTIONS):
        return  # nobody could be scored: every prediction is missing
    for name, horizons in asked.items():
        missing = sorted(h for h in horizons - scored if h is not None)
        if missing and name not in work.failed:
            there = ", ".join(str(h) for h in sorted(scored)) or "nothing; run train and score first"
            work.fail(name, f"horizon_days {missing[0]} is not scored; scored: {there}")


def _check_propensities(run: Run, work: Plan) -> None:
    """The same for a propensity that nobody is scored by."""
    catalogue = catalogue_of(run.config)
    asked = {
        name: {a.score[0] for a in needs_of([s], catalogue).attributes if a.score} for name, s in work.segments.items()
    }
    if not any(asked.values()):
        return
    rows = run.lake.read(PROPENSITIES).select("model").distinct().collect()  # one row a propensity
    scored = {row["model"] for row in rows}
    for name, models in asked.items():
        missing = sorted(models - scored)
        if missing and name not in work.failed:
            work.fail(name, f"nobody is scored by propensity {missing[0]}; `score` says why")


def _check_patterns(run: Run, work: Plan) -> None:
    for name, segment in work.segments.items():
        if name not in work.failed and not all(is_pattern(run.spark, text) for text in segment.patterns):
            work.fail(name, "Spark cannot evaluate the rule: PatternSyntaxException")


def _check_queries(run: Run, work: Plan) -> None:
    """What only Spark can say of a query."""
    for name, segment in work.segments.items():
        for query in (c for _, c in segment.conditions() if isinstance(c, SqlCondition)):
            tables = {table.name: run.lake.read(table) for table in tables_of([query]).values()}
            why = query_problem(query, tables, as_of=run.as_of)
            if why and name not in work.failed:
                work.fail(name, f"query: {why}")


def _evaluated(run: Run, work: Plan, history: DataFrame) -> tuple[DataFrame, dict[str, dict[str, int]]]:
    """Who was in and who is in, kept in memory or on disk, and the counts. A rule that fails does not take the others along."""
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


def _attempt(run: Run, work: Plan, history: DataFrame) -> tuple[DataFrame, dict[str, dict[str, int]]]:
    clock = Clock(run.as_of)
    now = _members(run, work.good, work.versions, clock, work.told).where(work.concerned)
    stand = standing(history.where(work.concerned), now, as_of=run.as_of).persist()
    rows = tallies(stand).collect()  # one row a segment
    return stand, {row["segment"]: {k: v for k, v in row.asDict().items() if k != "segment"} for row in rows}


def _members(
    run: Run, segments: Mapping[str, Segment], versions: Mapping[str, str], clock: Clock, told: dict[str, str]
) -> DataFrame:
    """Who is in which segment; what is to be said of lists and lookalikes goes into `told`."""
    told.clear()
    if not segments:
        return run.lake.spark.createDataFrame(
            [],
            "segment string, version string, customer_id string, is_suppressed boolean, is_held_out boolean",
        )
    catalogue = catalogue_of(run.config)
    needs = needs_of(list(segments.values()), catalogue)
    used = {a.source for a in needs.attributes} | {"profile"} | ({"timeline"} if needs.behaviors else set())
    tables = {source: run.lake.read(SOURCES[source]) for source in used}
    frame = customer_frame(tables, attributes=needs.attributes, behaviors=needs.behaviors, clock=clock)
    of_facts = {name: run.lake.read(table) for name, table in tables_of(needs.facts.values()).items()}
    found = with_facts(frame, needs.facts, of_facts, clock, run.config.platform.default_country)
    for name, segment in segments.items():
        asked = dict.fromkeys(c.outcome for _, c in segment.conditions() if isinstance(c, ListCondition))
        _tell(told, name, *[found.told[column] for column in asked])
    frame = found.frame
    if not any(s.lookalike for s in segments.values()):
        return members(frame, segments, versions, clock, catalogue)
    from cdp.segments.lookalike import Known, with_lookalikes  # the learners' imports take a second

    activity = daily_activity(*[run.lake.read(table) for table in _OF_FEATURES], as_of=clock.as_of)
    known = Known(features(activity, [clock.as_of]).persist(), run.lake.read(EFFECTIVE_CONSENT))

    def expand(frame: DataFrame, name: str) -> DataFrame:
        frame, said = with_lookalikes(frame, name, segments, known, clock, catalogue)
        _tell(told, name, said)
        return frame

    rows = members(frame, segments, versions, clock, catalogue, expand)
    known.features.unpersist()  # the members of lookalikes are found by now
    return rows


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
        _members(run, alone, work.versions, Clock(run.as_of), {}).groupBy("segment").count().collect()
    except Exception as error:  # Spark and py4j share no base class
        return f"Spark cannot evaluate the rule: {_condition(error)}"
    return None


def _condition(error: Exception) -> str:
    # Spark's message may hold a person's values; the name of its condition, or of the class at the root, does not.
    cause = getattr(error, "java_exception", None)
    while cause is not None and cause.getCause() is not None:
        cause = cause.getCause()
    name = cause.getClass().getSimpleName() if cause is not None else type(error).__name__
    return getattr(error, "getCondition", lambda: None)() or name


def _write(
    run: Run, work: Plan, history: DataFrame, stand: DataFrame, status: Sequence[dict[str, Any]]
) -> None:
    lake, as_of = run.lake, run.as_of
    health = lake.spark.createDataFrame(
        [tuple(r[c.name] for c in SEGMENT_STATUS.columns) for r in status], SEGMENT_STATUS.schema
    )
    current = health.selectExpr("segment", "version AS current", "version_since")
    left_alone = f"NOT ({work.concerned})"
    new_history = history_after(history.where(work.concerned), stand, as_of=as_of)
    new_members = members_after(stand, as_of=as_of)
    feed = changes(stand, current, lake.read(CHANGES), as_of=as_of, run_id=run.run_id)
    kept_members = lake.read(SEGMENT_MEMBERS).where(left_alone)
    since = f"changed_on >= DATE'{as_of.isoformat()}' AND {work.concerned}"
    # Whatever of this is there when a run is killed, the next one makes the same of it.
    lake.together(
        [
            lambda: lake.replace(SEGMENT_MEMBERS, kept_members.unionByName(new_members)),
            lambda: lake.replace(SEGMENT_CHANGES, feed, where=since),
            lambda: lake.replace(SEGMENT_HISTORY, history.where(left_alone).unionByName(new_history)),
            lambda: lake.replace(SEGMENT_STATUS, health),
        ]
    )


def _reads(config: ConfigFolder) -> Sequence[Table]:
    segments = load_segments(config)
    wanted = [*SOURCES.values(), CHANGES, *(_OF_FEATURES[:2] if any(s.lookalike for s in segments.values()) else ())]
    # Of the history only what was before the run's date counts, and that this stage itself has left.
    of_facts = tables_of(needs_of(list(segments.values()), catalogue_of(config)).facts.values()).values()
    return tuple({t.name: t for t in (*wanted, *of_facts) if t.name != SEGMENT_HISTORY.name}.values())


def _writes(config: ConfigFolder) -> Sequence[Table]:
    return (SEGMENT_MEMBERS, SEGMENT_HISTORY, SEGMENT_CHANGES, SEGMENT_STATUS)


def _settings(config: ConfigFolder) -> Any:
    segments = load_segments(config)
    lists = {name: s.lists for name, s in segments.items() if s.lists}
    country = config.platform.default_country if lists else None
    return segments, load_traits(config), catalogue_of(config).propensities, lists, country


STAGE = Stage(
    name="segment",
    title="find the members of each segment",
    run=run_segments,
    reads=_reads,
    writes=_writes,
    settings=_settings,
)
