"""The clean stage: bronze into canonical entities."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial, reduce

from pyspark.sql import Column, DataFrame, Observation, SparkSession
from pyspark.sql import functions as F

from cdp.base.contracts import Table
from cdp.base.settings import ConfigFolder
from cdp.base.stage import Account, Run, Stage, StageResult
from cdp.bronze.config import SourceConfig, load_sources
from cdp.bronze.files import FileLedger, older_deliveries, read_ledger
from cdp.bronze.lineage import bronze_table
from cdp.silver import activity, money
from cdp.silver.entities import FIELD_TYPES, candidates
from cdp.silver.expressions import PLANNING
from cdp.silver.identifiers import identifiers
from cdp.silver.netting import netted
from cdp.silver.people import customer_records, newest_records
from cdp.silver.sessions import sessions
from cdp.silver.sources import CURRENT, DELETED, FATES, typed_rows, with_fate
from cdp.silver.tracking import held_to_plan, violation_counts
from cdp.silver.tracking_plan import TrackingPlan, load_tracking_plan
from cdp.tables import silver
from cdp.tables.bronze import LINEAGE, QUARANTINE
from cdp.tables.ops import TRACKING_VIOLATIONS

_KEYS = {
    "customer_record": ("source", "record_key"),
    "event": ("source", "event_id"),
    "order": ("source", "order_id"),
    "product": ("product_id",),
    "consent": ("consent_id",),
    "campaign_cost": ("source", "campaign", "channel", "day"),
}

_NOTED_VIOLATIONS = 10

_TABLES = {
    "customer_record": silver.CUSTOMER_RECORDS,
    "event": silver.EVENTS,
    "order": silver.ORDERS,
    "order_line": silver.ORDER_LINES,
    "product": silver.PRODUCTS,
    "consent": silver.CONSENTS,
    "campaign_cost": silver.CAMPAIGN_COSTS,
    "exchange_rate": silver.EXCHANGE_RATES,
}


@dataclass
class _Sent:
    """What a source has in bronze, and what became of it, counted where the rows pass."""

    rows: DataFrame
    """The rows that count: typed, the newest version of each key."""
    in_bronze: int
    """Rows by the table's own metadata."""
    seen: Observation = field(default_factory=Observation)
    """Rows by fate; of a source that makes no entity nothing is ever read."""


@dataclass
class _Flow:
    """What a source sent of an entity, and what became of it, counted where the rows pass."""

    source: str
    kind: str
    rows: DataFrame
    """Candidates with `_failed` and `_taken`."""
    seen: Observation = field(default_factory=Observation)

    def usable(self) -> DataFrame:
        """Candidates that go on; counted on the way."""
        is_refused = F.col("_taken") & (F.size("_failed") > 0)
        counted = self.rows.observe(
            self.seen,
            F.count(F.lit(1)).alias("rows"),
            F.count_if(is_refused).alias("refused"),
            F.count_if(~F.col("_taken")).alias("not_meant"),
        )
        return counted.where(F.col("_taken") & (F.size("_failed") == 0))

    def refused(self) -> DataFrame:
        return self.rows.where(F.col("_taken") & (F.size("_failed") > 0))


def clean(run: Run) -> StageResult:
    """Rebuild the silver tables from bronze."""
    with _evaluating(run.spark):
        return _clean(run)


def _clean(run: Run) -> StageResult:
    lake, country = run.lake, run.config.platform.default_country
    idle_minutes = run.config.platform.session_idle_minutes
    sources = load_sources(run.config)
    meant = {name: source for name, source in sources.items() if _entities(source)}
    ledger = read_ledger(lake)
    sent = dict(zip(meant, lake.together([partial(_sent, run, s, ledger) for s in meant.values()]), strict=True))
    kept: dict[str, Observation] = {}

    def write(kind: str, rows: DataFrame | None, shape: Callable[[DataFrame], DataFrame]) -> int:
        table = _TABLES[kind]
        if rows is None:
            return lake.replace(table, run.spark.createDataFrame([], table.schema))
        kept[kind] = Observation()
        by_source = [F.count_if(F.col("source") == name).alias(name) for name in sources]
        return lake.replace(table, shape(rows).observe(kept[kind], *by_source))

    quoted = list(_flows("exchange_rate", meant, sent, run))
    if quoted:  # first, as the other amounts are converted by them
        write("exchange_rate", _union(quoted), money.exchange_rates)
    rates = _rates(run, is_dated=bool(quoted))
    others = {kind: list(_flows(kind, meant, sent, run, rates)) for kind in FIELD_TYPES if kind != "exchange_rate"}
    flows = {**others, "exchange_rate": quoted}

    def owned(kind: str) -> DataFrame | None:
        union = _union(flows[kind])
        return activity.with_owner(union, country) if union is not None else None

    lines = _union(flows["order_line"])
    totals = activity.line_totals(_uncounted(flows["order_line"])) if flows["order_line"] else None
    lake.together(
        [
            lambda: write(
                "customer_record",
                _union(flows["customer_record"]),
                lambda rows: customer_records(
                    newest_records(rows.withColumnRenamed("_row_key", "record_key")), default_country=country
                ),
            ),
            lambda: write(
                "event",
                owned("event"),
                lambda rows: activity.events(activity.newest(activity.with_event_id(rows), *_KEYS["event"])),
            ),
            lambda: write(
                "order",
                owned("order"),
                lambda rows: netted(activity.orders(activity.newest(rows, *_KEYS["order"]), totals)),
            ),
            lambda: write("consent", owned("consent"), _consents),
            lambda: write("product", _union(flows["product"]), _products),
            lambda: write("campaign_cost", _union(flows["campaign_cost"]), _costs),
            lambda: 0 if quoted else write("exchange_rate", None, money.exchange_rates),
        ]
    )
    lake.together(
        [
            lambda: write(
                "order_line",
                lines,
                lambda rows: activity.order_lines(rows, lake.read(silver.ORDERS), rates),
            ),
            lambda: lake.replace(silver.IDENTIFIERS_TABLE, _identifiers(run)),
            lambda: lake.replace(silver.SESSIONS, sessions(lake.read(silver.EVENTS), idle_minutes=idle_minutes)),
        ]
    )
    every = [flow for group in flows.values() for flow in group]
    _quarantine(run, every)
    violations = _count_violations(run, flows["event"])
    return _result(run, sent, every, kept, violations)


def _entities(source: SourceConfig) -> int:
    """How many entities are made of a source's rows."""
    return sum(len(getattr(source.produces, kind)) for kind in FIELD_TYPES)


def _sent(run: Run, source: SourceConfig, ledger: FileLedger) -> _Sent:
    bronze = run.lake.read(bronze_table(source))
    in_bronze = bronze.count()  # Delta answers from its log
    timezone = source.options.timezone or run.config.platform.timezone
    older, replaced = [], []
    if source.delivery == "snapshot":
        files = bronze.select("_file", "_file_modified_at").groupBy("_file", "_file_modified_at").count()
        older = older_deliveries([(row["_file"], row["_file_modified_at"]) for row in files.collect()], source.path)
    else:
        replaced = ledger.replaced_of(source.name)
    sent = _Sent(with_fate(typed_rows(bronze, source, timezone), source, replaced=replaced, older=older), in_bronze)
    by_fate = [F.count_if(F.col("_fate") == fate).alias(fate) for fate in FATES]
    sent.rows = sent.rows.observe(sent.seen, *by_fate).where(F.col("_fate") == CURRENT).drop("_fate")
    if _entities(source) > 1:
        # Several entities would each sort the source anew, under a plan that holds all of it once more for each.
        sent.rows = sent.rows.localCheckpoint()
    return sent


def _flows(
    kind: str, sources: dict[str, SourceConfig], sent: dict[str, _Sent], run: Run, rates: money.Rates | None = None
) -> Iterator[_Flow]:
    plan = load_tracking_plan(run.config)
    for name, source in sources.items():
        for number, entity in enumerate(getattr(source.produces, kind)):
            rows = candidates(sent[name].rows, source, kind, entity, number)
            if rates and kind in ("order", "campaign_cost"):
                rows = money.with_rate(rows, F.to_date("ordered_at") if kind == "order" else F.col("day"), rates)
                rows = _refuse(rows, f"{kind}.currency: no exchange rate", F.col("_rate").isNull())
            if kind == "exchange_rate":
                for reason, condition in money.rate_problems().items():
                    rows = _refuse(rows, reason, condition)
            if kind == "order":
                status = activity.order_status(F.col("status"), F.lit(None))
                rows = _refuse(rows, "order.status is unknown", ~status.isin(*activity.STATUSES))
            if kind == "event":
                rows = held_to_plan(rows, plan) if plan.holds(name) else _unjudged(rows)
            if kind == "consent":
                status = activity.consent_status(F.col("status"))
                rows = _refuse(rows, "consent.status is unknown", ~status.isin("granted", "denied", "withdrawn"))
            yield _Flow(name, kind, rows)


def _unjudged(events: DataFrame) -> DataFrame:
    return events.withColumn("violations", F.lit(None).cast("array<string>"))


def _refuse(rows: DataFrame, reason: str, condition: Column) -> DataFrame:
    more = F.array_append("_failed", F.lit(reason))
    return rows.withColumn("_failed", F.when(F.coalesce(condition, F.lit(False)), more).otherwise(F.col("_failed")))


def _rates(run: Run, *, is_dated: bool) -> money.Rates:
    platform = run.config.platform
    # Looked up for every source and table: worked out once.
    ranges = money.rate_ranges(run.lake.read(silver.EXCHANGE_RATES)).localCheckpoint() if is_dated else None
    return money.Rates(platform.reporting_currency, platform.exchange_rates, ranges)


def _union(flows: list[_Flow]) -> DataFrame | None:
    return reduce(DataFrame.unionByName, [flow.usable() for flow in flows]) if flows else None


def _uncounted(flows: list[_Flow]) -> DataFrame:
    # The lines pass a second time, for the totals of orders: they were counted the first time.
    good = [flow.rows.where(F.col("_taken") & (F.size("_failed") == 0)) for flow in flows]
    return reduce(DataFrame.unionByName, good)


def _consents(rows: DataFrame) -> DataFrame:
    named = activity.consents(rows)
    return activity.newest(named, *_KEYS["consent"]).select([c.name for c in silver.CONSENTS.columns])


def _products(rows: DataFrame) -> DataFrame:
    # Each field's newest value: order lines name a product too, and some of them only half.
    age = F.struct("_updated_at", "_file_modified_at", "_file", "_file_row", "_position")
    columns = [c.name for c in silver.PRODUCTS.columns if c.name not in _KEYS["product"]]
    newest = [F.max_by(c, F.when(F.col(c).isNotNull(), age)).alias(c) for c in columns]
    return rows.groupBy(*_KEYS["product"]).agg(*newest)


def _costs(rows: DataFrame) -> DataFrame:
    rows = rows.withColumn("channel", F.coalesce(F.lower("channel"), F.lit("unknown")))
    cost = (F.col("cost") * F.col("_rate")).cast("decimal(18,2)")
    kept = activity.newest(rows, *_KEYS["campaign_cost"]).withColumn("cost", cost)
    return kept.select([c.name for c in silver.CAMPAIGN_COSTS.columns])


def _identifiers(run: Run) -> DataFrame:
    lake = run.lake
    sources = ((silver.EVENTS, "occurred_at"), (silver.ORDERS, "ordered_at"), (silver.CONSENTS, "captured_at"))
    seen = [lake.read(table).select("source", "record_key", "identifiers", F.col(at).alias("at")) for table, at in sources]
    return identifiers(lake.read(silver.CUSTOMER_RECORDS), seen, run.config.platform.default_country)


def _quarantine(run: Run, flows: list[_Flow]) -> None:
    """Put the rows that an entity refused beside those that ingestion refused; a row once, with every reason."""
    refused = [flow for flow in flows if flow.seen.get["refused"]]
    if not refused and not run.lake.exists(QUARANTINE):
        return
    place = ["_file", "_file_modified_at", "_file_row"]
    frames = []
    for flow in refused:
        frames.append(flow.refused().select(F.col("source").alias("_source"), *place, F.explode("_failed").alias("reason")))
    if not frames:
        run.lake.delete(QUARANTINE, F.col("stage") == "clean")
        return
    by_row = reduce(DataFrame.unionByName, frames).groupBy("_source", *place)
    reasons = by_row.agg(F.array_sort(F.collect_set("reason")).alias("reasons"))
    sources = load_sources(run.config)
    sent = reduce(DataFrame.unionByName, [_as_sent(run, sources[name]) for name in {flow.source for flow in refused}])
    rows = sent.join(reasons, on=["_source", *place], how="inner").withColumn("stage", F.lit("clean"))
    run.lake.replace(QUARANTINE, rows, where="stage = 'clean'")


def _count_violations(run: Run, flows: list[_Flow]) -> list[str]:
    """Write down what events violate of the tracking plan; a note for each of the commonest."""
    plan = load_tracking_plan(run.config)
    if not plan.rules:
        return []
    events = [run.lake.read(silver.EVENTS)]
    if {"quarantine", "drop"} & {plan.enforcement.unplanned_event, plan.enforcement.violation}:
        held = [flow.rows for flow in flows if plan.holds(flow.source)]
        events += [rows.where(F.col("violations").isNotNull() & (~F.col("_taken") | (F.size("_failed") > 0))) for rows in held]
    counts = violation_counts(events).withColumns({"run_id": F.lit(run.run_id), "plan_version": F.lit(plan.version)})
    run.lake.append(TRACKING_VIOLATIONS, counts)
    found = run.lake.read(TRACKING_VIOLATIONS).where(F.col("run_id") == run.run_id)
    commonest = found.orderBy(F.col("rows").desc(), "source", "event", "field").limit(_NOTED_VIOLATIONS).collect()
    return [f"{v['source']}: {v['rows']:,} x {v['event']}, {v['field']}: {v['violation_type']}" for v in commonest]


def _as_sent(run: Run, source: SourceConfig) -> DataFrame:
    bronze = run.lake.read(bronze_table(source))
    raw = F.to_json(F.struct(*[f"`{c}`" for c in bronze.columns if c not in {column.name for column in LINEAGE}]))
    return bronze.select(*[c.name for c in LINEAGE], raw.alias("raw"))


def _result(
    run: Run, sent: dict[str, _Sent], flows: list[_Flow], kept: dict[str, Observation], violations: list[str]
) -> StageResult:
    of_sources = [_versions(name, rows) for name, rows in sent.items()]
    of_entities = _balances(run, flows, kept)
    refused = [f"{a.subject}: {a.rows_refused:,} rows in quarantine" for a in of_entities if a.rows_refused]
    deleted = [(name, rows.seen.get[DELETED]) for name, rows in sent.items()]
    gone = [f"{name}: {count:,} keys are gone by the source's own word" for name, count in deleted if count]
    return StageResult(
        rows_in=sum(a.rows_in for a in of_sources),
        rows_out=sum(a.rows_out for a in of_entities),
        rows_refused=sum(a.rows_refused for a in of_entities),
        accounts=(*of_sources, *of_entities),
        notes=(*refused, *gone, *violations),
    )


def _versions(name: str, sent: _Sent) -> Account:
    """Rows in bronze = rows that count + older versions, rows of replaced files and deleted keys."""
    by_fate = sent.seen.get
    out = by_fate[CURRENT]
    return Account(name, sent.in_bronze, rows_out=out, rows_refused=0, rows_skipped=sum(by_fate.values()) - out)


def _balances(run: Run, flows: list[_Flow], kept: dict[str, Observation]) -> list[Account]:
    """Candidates of each source and entity = rows in silver + refused + not meant, or one with another of their key."""
    written = _written(run)
    counted: dict[tuple[str, str], Counter[str]] = {}
    for flow in flows:
        counted.setdefault((flow.source, flow.kind), Counter()).update(flow.seen.get)
    accounts = []
    for (source, kind), counts in sorted(counted.items()):
        usable = counts["rows"] - counts["refused"] - counts["not_meant"]
        # What was counted before the write is held against what then lies in the table.
        merged = usable - kept[kind].get[source]
        accounts.append(
            Account(
                subject=f"{source}: {kind}",
                rows_in=counts["rows"],
                rows_out=written.get((source, kind), 0),
                rows_refused=counts["refused"],
                rows_skipped=counts["not_meant"] + merged,
            )
        )
    return accounts


def _written(run: Run) -> dict[tuple[str, str], int]:
    """Rows by source and entity in the silver tables: a handful comes to the driver."""
    frames = [run.lake.read(table).groupBy("source").count().withColumn("kind", F.lit(kind)) for kind, table in _TABLES.items()]
    rows = reduce(DataFrame.unionByName, frames).collect()
    return {(row["source"], row["kind"]): row["count"] for row in rows}


@contextmanager
def _evaluating(spark: SparkSession) -> Iterator[None]:
    before = {name: spark.conf.get(name, None) for name in PLANNING}
    for name, value in PLANNING.items():
        spark.conf.set(name, value)
    try:
        yield
    finally:
        for name, old in before.items():
            spark.conf.unset(name) if old is None else spark.conf.set(name, old)


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
