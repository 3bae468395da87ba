"""The measure stage: shares orders' credit out, computes the key figures, writes the report."""

from collections.abc import Callable, Sequence

from pyspark.sql import DataFrame

from cdp.base.contracts import Table
from cdp.base.settings import ConfigFolder
from cdp.base.stage import Run, Stage, StageResult
from cdp.measure import counted, ledger, segments_counted
from cdp.measure.config import MeasureConfig
from cdp.measure.credit import attribution
from cdp.measure.facts import Facts
from cdp.measure.kpis import Kpi, key_figures
from cdp.measure.report import report
from cdp.measure.tallies import Part, Tally, collect
from cdp.measure.touches import touches
from cdp.tables.activation import DELIVERIES
from cdp.tables.gold import (
    ATTRIBUTION,
    CUSTOMER_ORDERS,
    EFFECTIVE_CONSENT,
    KPIS,
    MODEL_HEALTH,
    PREDICTIONS,
    PROFILES,
    SEGMENT_HISTORY,
    SEGMENT_MEMBERS,
    SEGMENT_STATUS,
    TIMELINE,
)
from cdp.tables.identity import CHANGES
from cdp.tables.journeys import JOURNEY_STATUS
from cdp.tables.ops import QUALITY_RESULTS, RECONCILIATION, STAGE_RUNS
from cdp.tables.silver import CAMPAIGN_COSTS

_INPUTS = (
    CUSTOMER_ORDERS,
    TIMELINE,
    PROFILES,
    PREDICTIONS,
    MODEL_HEALTH,
    SEGMENT_STATUS,
    SEGMENT_HISTORY,
    SEGMENT_MEMBERS,
    JOURNEY_STATUS,
    EFFECTIVE_CONSENT,
    DELIVERIES,
    CAMPAIGN_COSTS,
    CHANGES,
)


def measure(run: Run) -> StageResult:
    """Write `gold.attribution`, `gold.kpis` and the report as of the run's date; see `docs/measure.md`."""
    config = _settings(run.config)
    credited, found = _measured(run, config)
    currency = run.config.platform.reporting_currency
    kpis = key_figures(found, as_of=run.as_of, currency=currency, model=config.return_model)
    if run.dry_run:
        return StageResult(notes=(f"{len(kpis):,} key figures",))
    present = frozenset(table.name for table in _INPUTS if run.lake.exists(table))
    facts = Facts(found, kpis, present, config, currency, run.as_of, run.run_id)
    written = run.lake.replace(KPIS, _frame(run, kpis))
    path = run.lake.files.write_text(f"reports/{run.as_of.isoformat()}/index.html", report(facts))
    return StageResult(rows_out=credited + written, outputs=(("report", path),))


def _measured(run: Run, config: MeasureConfig) -> tuple[int, dict[str, list[Tally]]]:
    """Rows of `gold.attribution` written, and every tally; none of a table that is not there."""
    lake, as_of = run.lake, run.as_of
    parts: Sequence[tuple[str, Table, Callable[[DataFrame], Part]]] = (
        ("orders", CUSTOMER_ORDERS, lambda rows: counted.orders(rows, as_of=as_of)),
        ("mails", TIMELINE, lambda rows: counted.mails(rows, as_of=as_of)),
        ("people", PROFILES, counted.people),
        ("sources", PROFILES, counted.sources),
        ("consent", EFFECTIVE_CONSENT, counted.consent),
        ("predictions", PREDICTIONS, counted.predictions),
        ("health", MODEL_HEALTH, lambda rows: counted.model_health(rows, as_of=as_of)),
        ("costs", CAMPAIGN_COSTS, lambda rows: counted.costs(rows, as_of=as_of)),
        ("changes", CHANGES, lambda rows: counted.changes(rows, as_of=as_of)),
        ("segments", SEGMENT_STATUS, segments_counted.segments),
        ("segment_moves", SEGMENT_HISTORY, lambda rows: segments_counted.moves(rows, as_of=as_of)),
        ("segment_overlap", SEGMENT_MEMBERS, lambda rows: segments_counted.overlap(rows, lake.read(SEGMENT_STATUS))),
        ("journey_steps", JOURNEY_STATUS, segments_counted.steps),
        ("deliveries", DELIVERIES, lambda rows: counted.deliveries(rows, as_of=as_of)),
        ("accounts", RECONCILIATION, ledger.accounts),
        ("quality", QUALITY_RESULTS, ledger.quality),
        ("stage_runs", STAGE_RUNS, ledger.stage_runs),
    )

    def count() -> tuple[int, dict[str, list[Tally]]]:
        return 0, collect({name: counts(lake.read(table)) for name, table, counts in parts if lake.exists(table)})

    (rows, shared), (_, found) = lake.together([lambda: _credited(run, config), count])
    return rows, {**{name: [] for name, *_ in parts}, **shared, **found}


def _credited(run: Run, config: MeasureConfig) -> tuple[int, dict[str, list[Tally]]]:
    lake, settings = run.lake, config.attribution
    orders, timeline, costs = (lake.read(t) for t in (CUSTOMER_ORDERS, TIMELINE, CAMPAIGN_COSTS))
    credit = attribution(orders, touches(timeline, costs, settings, as_of=run.as_of), settings, as_of=run.as_of)
    rows = 0 if run.dry_run else lake.replace(ATTRIBUTION, credit)
    # What was written is read again rather than worked out a second time.
    shared = credit if run.dry_run else lake.read(ATTRIBUTION)
    return rows, collect({"credits": counted.credits(shared, model=config.return_model)})


def _frame(run: Run, kpis: Sequence[Kpi]) -> DataFrame:
    # A few thousand rows at most: months by key figures by what they are split by.
    return run.spark.createDataFrame([tuple(k) for k in kpis], KPIS.schema).coalesce(1)


def _reads(config: ConfigFolder) -> Sequence[Table]:
    # Not the ops tables, which every run adds to: they would keep the stage from ever being up to date.
    return _INPUTS


def _writes(config: ConfigFolder) -> Sequence[Table]:
    return (ATTRIBUTION, KPIS)


def _settings(config: ConfigFolder) -> MeasureConfig:
    return config.load(MeasureConfig, "measure.yaml")


STAGE = Stage(
    name="measure",
    title="credit orders, compute key figures, write the report",
    run=measure,
    reads=_reads,
    writes=_writes,
    settings=_settings,
    reads_ledger=True,
)
