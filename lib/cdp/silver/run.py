"""The clean stage: bronze into canonical entities, of what has changed since the last run."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from pyspark.sql import functions as F

from cdp.base.contracts import Table
from cdp.base.settings import ConfigFolder
from cdp.base.stage import Run, Stage, StageResult
from cdp.bronze.config import SourceConfig, load_sources
from cdp.bronze.files import read_ledger
from cdp.bronze.lineage import bronze_table
from cdp.silver import accounts, money
from cdp.silver.build import TABLES, Build
from cdp.silver.expressions import evaluating
from cdp.silver.flows import IS_USABLE, Flow, flows_of
from cdp.silver.keys import entities_of
from cdp.silver.progress import Progress, note_progress, read_progress
from cdp.silver.refused import quarantine
from cdp.silver.scope import Scope, scope_of
from cdp.silver.sources import DELETED
from cdp.silver.tracking import violation_counts
from cdp.silver.tracking_plan import TrackingPlan, load_tracking_plan
from cdp.tables import silver
from cdp.tables.ops import TRACKING_VIOLATIONS

_NOTED_VIOLATIONS = 10
_BYTES_A_ROW = 1_000
"""About what a row of bronze is worth of work, for fitting the session to those that are looked at."""
_MONEY = ("order", "order_line", "campaign_cost")


def clean(run: Run) -> StageResult:
    """Bring the silver tables up to date with bronze.

    A source is looked at whole the first time, when its settings, the platform's or the code have changed, or where much
    of it is new; otherwise only what new rows have to do with. Either way leaves the same tables.
    """
    with evaluating(run.spark):
        return _clean(run)


def _clean(run: Run) -> StageResult:
    plan = load_tracking_plan(run.config)
    sources = {name: source for name, source in load_sources(run.config).items() if entities_of(source)}
    scopes = _scopes(run, sources, plan)
    run.fit_session(lambda: sum(scope.rows_to_look_at for scope in scopes.values()) * _BYTES_A_ROW)
    build = Build(run, scopes, {})
    quoted = list(flows_of("exchange_rate", scopes, plan, None))
    build.flows = {"exchange_rate": quoted}
    # First, as the other amounts are converted by them.
    build.write("exchange_rate")
    build.rates = _rates(run, is_dated=any(source.produces.exchange_rate for source in sources.values()))
    kinds = [kind for kind in TABLES if kind != "exchange_rate"]
    build.flows |= {kind: list(flows_of(kind, scopes, plan, build.rates)) for kind in kinds}
    run.lake.together([partial(build.find_affected, kind) for kind in kinds])
    build.join_orders_and_lines()
    run.lake.together([partial(build.write, kind) for kind in kinds if kind != "order_line"])
    last: list[Callable[[], None]] = [partial(build.write, "order_line"), build.identifiers, build.sessions]
    run.lake.together(last)
    flows = [flow for group in build.flows.values() for flow in group]
    quarantine(run.lake, flows, scopes)
    violations = _count_violations(run, plan, build.flows["event"])
    result = _result(build, violations)
    if not result.unbalanced:
        note_progress(run.lake, {name: scope.done for name, scope in scopes.items()}, silver.TABLES)
    return result


def _scopes(run: Run, sources: Mapping[str, SourceConfig], plan: TrackingPlan) -> dict[str, Scope]:
    """What to look at of each source."""
    before: dict[str, Progress] = read_progress(run.lake, silver.TABLES)
    if set(before) - set(sources):
        # What a source that is no more has left behind goes when all tables are made anew.
        before = {}
    # Events that are dropped leave no trace to count, so those of such sources are judged anew each time.
    known = {name: p for name, p in before.items() if not (plan.holds(name) and plan.keeps_events_out)}
    ledger = read_ledger(run.lake)

    def look_at(names: Sequence[str], *, is_whole: bool = False, known: Mapping[str, Progress] = known) -> dict[str, Scope]:
        tasks = [
            partial(scope_of, run, sources[name], ledger, plan, known.get(name), is_whole=is_whole) for name in names
        ]
        return dict(zip(names, run.lake.together(tasks), strict=True))

    # A product is what all its sources say of it, and rates hold for the amounts of others.
    together = {kind: [n for n, s in sources.items() if getattr(s.produces, kind)] for kind in ("product", "exchange_rate")}
    scopes: dict[str, Scope] = {}
    for names in together.values():
        scopes |= look_at([name for name in names if name not in scopes], is_whole=True)
        if any(scopes[name].mode != "untouched" for name in names):
            scopes |= look_at([name for name in names if scopes[name].mode == "untouched"], known={})
    if any(scopes[name].mode != "untouched" for name in together["exchange_rate"]):
        priced = [n for n, s in sources.items() if any(getattr(s.produces, kind) for kind in _MONEY)]
        scopes |= look_at([n for n in priced if n not in scopes or scopes[n].mode == "untouched"], known={})
    scopes |= look_at([name for name in sources if name not in scopes])
    return {name: scopes[name] for name in sources}


def _rates(run: Run, *, is_dated: bool) -> money.Rates:
    platform = run.config.platform
    # Looked up for every source and table: worked out once.
    ranges = money.rate_ranges(run.lake.read(silver.EXCHANGE_RATES)).localCheckpoint() if is_dated else None
    return money.Rates(platform.reporting_currency, platform.exchange_rates, ranges)


def _count_violations(run: Run, plan: TrackingPlan, flows: Sequence[Flow]) -> list[str]:
    """Write down what events violate of the tracking plan; a note for each of the commonest."""
    if not plan.rules:
        return []
    events = [run.lake.read(silver.EVENTS)]
    if plan.keeps_events_out:
        held = [flow.rows for flow in flows if plan.holds(flow.source)]
        events += [rows.where(f"violations IS NOT NULL AND NOT ({IS_USABLE})") for rows in held]
    counts = violation_counts(events).withColumns({"run_id": F.lit(run.run_id), "plan_version": F.lit(plan.version)})
    run.lake.append(TRACKING_VIOLATIONS, counts)
    found = run.lake.read(TRACKING_VIOLATIONS).where(F.col("run_id") == run.run_id)
    commonest = found.orderBy(F.col("rows").desc(), "source", "event", "field").limit(_NOTED_VIOLATIONS).collect()
    return [f"{v['source']}: {v['rows']:,} x {v['event']}, {v['field']}: {v['violation_type']}" for v in commonest]


def _result(build: Build, violations: list[str]) -> StageResult:
    of_sources, of_entities = accounts.of_rows(build.scopes), accounts.of_entities(build)
    refused = [f"{a.subject}: {a.rows_refused:,} rows in quarantine" for a in of_entities if a.rows_refused]
    deleted = [(name, scope.seen.get[DELETED]) for name, scope in build.scopes.items() if scope.rows is not None]
    gone = [f"{name}: {count:,} keys are gone by the source's own word" for name, count in deleted if count]
    modes = [scope.mode for scope in build.scopes.values()]
    looked_at = f"sources: {modes.count('whole')} whole, {modes.count('affected')} where rows are new, {modes.count('untouched')} not"
    return StageResult(
        rows_in=sum(a.rows_in for a in of_sources),
        rows_out=sum(a.rows_out for a in of_entities),
        rows_refused=sum(a.rows_refused for a in of_entities),
        accounts=(*of_sources, *of_entities),
        notes=(looked_at, *refused, *gone, *violations),
    )


def _reads(config: ConfigFolder) -> list[Table]:
    return [bronze_table(source) for source in load_sources(config).values()]


def _settings(config: ConfigFolder) -> tuple[dict[str, SourceConfig], TrackingPlan]:
    return load_sources(config), load_tracking_plan(config)


STAGE = Stage(
    name="clean",
    title="cleaning bronze into canonical entities",
    run=clean,
    reads=_reads,
    writes=lambda config: [*silver.TABLES],
    settings=_settings,
    is_dated=False,
)
