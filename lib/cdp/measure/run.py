"""The measure stage: shares orders' credit out, computes the key figures, writes the report."""

from collections.abc import Callable, Mapping, Sequence

from pyspark.sql import DataFrame

from cdp.base.contracts import Table
from cdp.base.settings import ConfigFolder
from cdp.base.stage import Run, Stage, StageResult
from cdp.measure import tallies
from cdp.measure.config import MeasureConfig
from cdp.measure.credit import attribution
from cdp.measure.facts import Facts
from cdp.measure.kpis import Kpi, key_figures
from cdp.measure.report import report
from cdp.measure.tallies import Tally
from cdp.measure.touches import touches
from cdp.tables.activation import DELIVERIES
from cdp.tables.gold import (
    ATTRIBUTION,
    CUSTOMER_ORDERS,
    EFFECTIVE_CONSENT,
    KPIS,
    PREDICTIONS,
    PROFILES,
    SEGMENT_STATUS,
    TIMELINE,
)
from cdp.tables.identity import CHANGES
from cdp.tables.ops import QUALITY_RESULTS, RECONCILIATION, STAGE_RUNS
from cdp.tables.silver import CAMPAIGN_COSTS

_INPUTS = (
    CUSTOMER_ORDERS,
    TIMELINE,
    PROFILES,
    PREDICTIONS,
    SEGMENT_STATUS,
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
    """Rows of `gold.attribution` written, and every tally. Each input is read side by side with the others."""
    lake, as_of = run.lake, run.as_of
    orders, timeline, spent = (lake.read(t) for t in (CUSTOMER_ORDERS, TIMELINE, CAMPAIGN_COSTS))
    contacts = touches(timeline, spent, config.attribution, as_of=as_of)
    credit = attribution(orders, contacts, config.attribution, as_of=as_of)
    groups: Sequence[Mapping[str, DataFrame]] = (
        {"orders": tallies.orders(orders, as_of=as_of)},
        {
            "mails": tallies.mails(timeline, as_of=as_of),
            "costs": tallies.costs(spent, as_of=as_of),
            "segments": tallies.segments(lake.read(SEGMENT_STATUS)),
            "deliveries": tallies.deliveries(lake.read(DELIVERIES), as_of=as_of),
            "accounts": tallies.accounts(lake.read(RECONCILIATION)),
            "quality": tallies.quality(lake.read(QUALITY_RESULTS)),
            "stage_runs": tallies.stage_runs(lake.read(STAGE_RUNS)),
        },
        {
            **tallies.profiles(lake.read(PROFILES)),
            "consent": tallies.consent(lake.read(EFFECTIVE_CONSENT)),
            "predictions": tallies.predictions(lake.read(PREDICTIONS)),
            "changes": tallies.changes(lake.read(CHANGES), as_of=as_of),
        },
    )
    rows = 0

    def credits() -> dict[str, list[Tally]]:
        nonlocal rows
        rows = 0 if run.dry_run else lake.replace(ATTRIBUTION, credit)
        shared = credit if run.dry_run else lake.read(ATTRIBUTION)
        return tallies.collect({"credits": tallies.credits(shared, model=config.return_model)})

    tasks: list[Callable[[], dict[str, list[Tally]]]] = [credits, *[_collecting(group) for group in groups]]
    found = lake.together(tasks)
    return rows, {name: lines for part in found for name, lines in part.items()}


def _collecting(group: Mapping[str, DataFrame]) -> Callable[[], dict[str, list[Tally]]]:
    return lambda: tallies.collect(group)


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
)
