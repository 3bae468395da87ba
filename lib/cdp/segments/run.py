"""The segment stage: evaluates every rule over one frame of customers and keeps members, history, changes and health."""

from collections.abc import Mapping, Sequence
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cdp.base.contracts import Table
from cdp.base.files import FileSystem
from cdp.base.session import COMPILED_FROM_BYTES
from cdp.base.settings import ConfigFolder
from cdp.base.stage import Run, Stage, StageResult
from cdp.conditions.holds import is_pattern
from cdp.gold.computed.load import load_traits
from cdp.segments.config import Segment
from cdp.segments.consents import demanded
from cdp.segments.evaluate import OF_FEATURES, SOURCES, evaluated
from cdp.segments.facts import tables_of
from cdp.segments.history import changes, history_after, members_after
from cdp.segments.load import catalogue_of, load_segments
from cdp.segments.members import needs_of
from cdp.segments.plan import Plan, note, plan, status_rows
from cdp.segments.query import SqlCondition, query_problem
from cdp.segments.rulebook import Held, purpose_since, rule_since, rulebook_after
from cdp.segments.sequence import SequenceCondition
from cdp.segments.shared import FILE, SharedConfig
from cdp.tables.gold import (
    EFFECTIVE_CONSENT,
    PREDICTIONS,
    PROPENSITIES,
    SEGMENT_CHANGES,
    SEGMENT_HISTORY,
    SEGMENT_MEMBERS,
    SEGMENT_STATUS,
    SEGMENT_VERSIONS,
    TIMELINE,
)
from cdp.tables.identity import CHANGES


def run_segments(run: Run) -> StageResult:
    """Evaluate the rules as of the run's date; see `docs/segments.md`."""
    work = plan(load_segments(run.config), run.select)
    history = run.lake.read(SEGMENT_HISTORY)
    old = {row["segment"]: row.asDict() for row in run.lake.read(SEGMENT_STATUS).collect()}  # one row a segment
    check_rules(run, work)
    _fit_session(run, work)
    judged = evaluated(run, work, history)
    counts = judged.counts
    held = [Held(**row.asDict()) for row in run.lake.read(SEGMENT_VERSIONS).collect()]  # one row a rule of a segment
    rules = rulebook_after(held, work, old, as_of=run.as_of)
    since = {name: (rule_since(rules, name), purpose_since(rules, name)) for name in work.written if name in work.good}
    status = status_rows(work, old, counts, since, as_of=run.as_of)
    if not run.dry_run:
        if set(rules) != set(held) or not run.lake.exists(SEGMENT_VERSIONS):
            _write_rules(run, rules)
        _write(run, work, history, judged.stand, status)
    elif run.select:
        from cdp.segments.preview import preview

        for table in preview(run, work, judged, old):
            run.console.table(table.title, table.header, table.rows)
    notes = tuple(
        note(row, counts.get(row["segment"], {}), work.told.get(row["segment"]))
        for row in status
        if row["segment"] in work.written
    )
    broken = tuple(f"segment {name}: {why}" for name, why in sorted(work.failed.items()))
    return StageResult(rows_out=sum(c["size"] for c in counts.values()), notes=notes, broken_rules=broken)


def _fit_session(run: Run, work: Plan) -> None:
    """Each condition on what people did looks at the whole timeline, which the size of the lake does not tell."""
    needs = needs_of(list(work.good.values()), catalogue_of(run.config))
    looks = len(needs.behaviors) + sum(isinstance(fact, SequenceCondition) for fact in needs.facts.values())
    if run.lake.files.is_local and looks * FileSystem(run.spark, run.lake.path(TIMELINE)).size() >= COMPILED_FROM_BYTES:
        run.fit_session(run.lake.files.size, compiled=True)


def check_rules(run: Run, work: Plan) -> None:
    """What only Spark or data can show of a rule before it is judged; whatever is wrong with one is told to `work`."""
    _check_horizons(run, work)
    _check_propensities(run, work)
    _check_patterns(run, work)
    _check_queries(run, work)


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


def _write(run: Run, work: Plan, history: DataFrame, stand: DataFrame, status: Sequence[dict[str, Any]]) -> None:
    lake, as_of = run.lake, run.as_of
    health = lake.spark.createDataFrame(
        [tuple(r[c.name] for c in SEGMENT_STATUS.columns) for r in status], SEGMENT_STATUS.schema
    )
    current = _facts(run, work, health)
    left_alone = f"NOT ({work.concerned})"
    new_history = history_after(history.where(work.concerned), stand, as_of=as_of)
    new_members = members_after(stand, as_of=as_of)
    asked = sorted({purpose for name in work.good for purpose in demanded(name, work.good)})
    consent = lake.read(EFFECTIVE_CONSENT).where(F.col("purpose").isin(asked))
    feed = changes(stand, current, lake.read(CHANGES), consent, as_of=as_of, run_id=run.run_id)
    others = lake.read(SEGMENT_MEMBERS).where(left_alone)
    since = f"changed_on >= DATE'{as_of.isoformat()}' AND {work.concerned}"
    # Whatever of this is there when a run is killed, the next one makes the same of it.
    lake.together(
        [
            # A table of before members were stored with what was matched has no such column.
            lambda: lake.replace(SEGMENT_MEMBERS, new_members.unionByName(others, allowMissingColumns=True)),
            lambda: lake.replace(SEGMENT_CHANGES, feed, where=since),
            lambda: lake.replace(SEGMENT_HISTORY, history.where(left_alone).unionByName(new_history)),
            lambda: lake.replace(SEGMENT_STATUS, health),
        ]
    )


def _write_rules(run: Run, rules: Sequence[Held]) -> None:
    rows = [tuple(getattr(held, c.name) for c in SEGMENT_VERSIONS.columns) for held in rules]
    run.lake.replace(SEGMENT_VERSIONS, run.spark.createDataFrame(rows, SEGMENT_VERSIONS.schema))


def _facts(run: Run, work: Plan, health: DataFrame) -> DataFrame:
    """What of each segment decides on the reasons of changes; one row a segment."""
    rows = [(name, sorted(demanded(name, work.good))) for name in work.good]
    asks = run.spark.createDataFrame(rows, "segment string, demanded array<string>")
    columns = ("segment", "version AS current", "version_since", "purpose_since")
    return health.selectExpr(*columns).join(asks, on="segment", how="left")


def _reads(config: ConfigFolder) -> Sequence[Table]:
    segments = load_segments(config)
    wanted = [*SOURCES.values(), CHANGES, *(OF_FEATURES[:2] if any(s.lookalike for s in segments.values()) else ())]
    # Of the history only what was before the run's date counts, and that this stage itself has left.
    of_facts = tables_of(needs_of(list(segments.values()), catalogue_of(config)).facts.values()).values()
    return tuple({t.name: t for t in (*wanted, *of_facts) if t.name != SEGMENT_HISTORY.name}.values())


def _writes(config: ConfigFolder) -> Sequence[Table]:
    return (SEGMENT_MEMBERS, SEGMENT_HISTORY, SEGMENT_CHANGES, SEGMENT_STATUS, SEGMENT_VERSIONS)


def rests_on(config: ConfigFolder, segments: Mapping[str, Segment]) -> Any:
    """What decides on members beside the rules themselves, for the fingerprint of a stage that judges them."""
    lists = {name: s.lists for name, s in segments.items() if s.lists}
    country = config.platform.default_country if lists else None
    return config.load(SharedConfig, FILE), load_traits(config), catalogue_of(config).propensities, lists, country


def _settings(config: ConfigFolder) -> Any:
    segments = load_segments(config)
    kept = {name: list(s.kept) for name, s in segments.items() if s.kept}
    return segments, kept, rests_on(config, segments)


STAGE = Stage(
    name="segment",
    title="find the members of each segment",
    run=run_segments,
    reads=_reads,
    writes=_writes,
    settings=_settings,
    previews=True,
)
