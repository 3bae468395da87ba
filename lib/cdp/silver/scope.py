"""Which rows of a source a run of clean looks at: all of them, those that new rows have to do with, or none."""

from dataclasses import dataclass, field
from typing import Literal

from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F

from cdp.base.stage import Run
from cdp.bronze.config import SourceConfig
from cdp.bronze.files import FileLedger, older_deliveries
from cdp.bronze.lineage import bronze_table
from cdp.silver.keys import entities_of, related
from cdp.silver.progress import Progress, fingerprint
from cdp.silver.sources import CURRENT, FATES, FileVersion, typed_rows, with_fate, with_origin
from cdp.silver.tracking_plan import TrackingPlan

_SMALL_SHARE = 0.2
"""Share of new rows from which cleaning the source anew is less work than finding out what they change."""

Mode = Literal["whole", "affected", "untouched"]


@dataclass
class Scope:
    """What a run looks at of a source, and what became of it, counted where the rows pass."""

    source: SourceConfig
    mode: Mode
    now: Progress
    """What will have been cleaned once the run is through; its batches are known when the rows have passed."""
    rows: DataFrame | None = None
    """Typed rows with `_fate` and `_is_changed`; of a source that is looked at whole only the current ones."""
    related: DataFrame | None = None
    """`_group` and `_key` of entities that changed rows share with others: of rows that are not changed only these count."""
    looked_at_before: int = 0
    """Rows that earlier runs have looked at."""
    seen: Observation = field(default_factory=Observation)
    """Rows by fate, `new` ones, and `batches`."""

    @property
    def untouched_rows(self) -> int:
        """Rows that this run did not look at, as an earlier one did and nothing new concerns them."""
        if self.mode == "untouched":
            return self.looked_at_before
        if self.mode == "whole":
            return 0
        counts: dict[str, int] = self.seen.get
        return self.looked_at_before - (sum(counts[fate] for fate in FATES) - counts["new"])

    @property
    def done(self) -> Progress:
        """What has been cleaned once the rows have passed."""
        if self.mode == "untouched":
            return self.now
        batches = (*self.now.batches, *self.seen.get["batches"])
        return Progress(self.now.fingerprint, self.now.version, self.now.rows, tuple(sorted(set(batches))))


def scope_of(
    run: Run, source: SourceConfig, ledger: FileLedger, plan: TrackingPlan, before: Progress | None, *, is_whole: bool
) -> Scope:
    """What to look at of a source.

    Args:
        run: the run.
        source: the source.
        ledger: which files of it were replaced.
        plan: the tracking plan.
        before: what the last run cleaned; None: nothing that can be built on.
        is_whole: look at all of it in any case, unless nothing has changed.
    """
    table = bronze_table(source)
    bronze = run.lake.read(table)
    in_bronze = bronze.count()  # Delta answers from its log
    older, replaced = _out(source, bronze, ledger)
    mark = fingerprint(run, source, plan, [*older, *replaced])
    now = Progress(mark, run.lake.version(table) or 0, in_bronze, ())
    timezone = source.options.timezone or run.config.platform.timezone
    bronze = with_origin(bronze, source, timezone)
    if before is not None and before.fingerprint == mark and not run.full_refresh:
        if before.version == now.version:
            return Scope(source, "untouched", before, looked_at_before=before.rows)
        # Rows that are gone from bronze cannot be found among those that are there.
        if not is_whole and 0 < in_bronze - before.rows <= _SMALL_SHARE * in_bronze:
            scope = _affected(run, source, bronze, before, now, (older, replaced))
            if scope is not None:
                return scope
    whole = Scope(source, "whole", now)
    rows = typed_rows(bronze.withColumn("_is_changed", F.lit(True)), source, timezone, keep=["_is_changed"])
    fates = with_fate(rows, source, replaced=replaced, older=older)
    whole.rows = _counted(fates, whole, is_new=F.lit(True)).where(F.col("_fate") == CURRENT)
    if len(entities_of(source)) > 1:
        # Several entities would each sort the source anew, under a plan that holds all of it once more for each.
        whole.rows = whole.rows.localCheckpoint()
    return whole


def _out(source: SourceConfig, bronze: DataFrame, ledger: FileLedger) -> tuple[list[FileVersion], list[FileVersion]]:
    """Files of deliveries before the newest one, and files that were replaced or have left their table."""
    if source.delivery != "snapshot":
        return [], ledger.replaced_of(source.name)
    files = bronze.select("_file", "_file_modified_at").groupBy("_file", "_file_modified_at").count()
    return older_deliveries([(row["_file"], row["_file_modified_at"]) for row in files.collect()], source.path), []


def _counted(rows: DataFrame, scope: Scope, *, is_new: Column) -> DataFrame:
    by_fate = [F.count_if(F.col("_fate") == fate).alias(fate) for fate in FATES]
    batches = F.collect_set("_batch_id").alias("batches")
    return rows.observe(scope.seen, *by_fate, F.count_if(is_new).alias("new"), batches)


def _affected(
    run: Run,
    source: SourceConfig,
    bronze: DataFrame,
    before: Progress,
    now: Progress,
    out: tuple[list[FileVersion], list[FileVersion]],
) -> Scope | None:
    """The rows that new ones have to do with; None where bronze is not what the last run saw and new batches beside it."""
    is_new = ~F.col("_batch_id").isin(list(before.batches))
    counted = Observation()
    changed = bronze.where(is_new).observe(counted, F.count(F.lit(1)).alias("rows")).select("_origin").distinct()
    changed = changed.localCheckpoint()
    if before.rows + counted.get["rows"] != now.rows:
        return None
    scope = Scope(source, "affected", Progress(now.fingerprint, now.version, now.rows, before.batches))
    scope.looked_at_before = before.rows
    origins = changed.withColumn("_is_changed", F.lit(True))
    timezone = source.options.timezone or run.config.platform.timezone
    shared = related(typed_rows(bronze, source, timezone), changed, source, run.config.platform.default_country)
    if shared is not None:
        shared = shared.localCheckpoint()
        scope.related = shared.select("_group", "_key").distinct()
        others = shared.select("_origin").distinct().join(changed, on="_origin", how="left_anti")
        origins = origins.unionByName(others.withColumn("_is_changed", F.lit(False)))
    older, replaced = out
    # Joined before they are typed, as otherwise every row of the source would be.
    rows = typed_rows(bronze.join(origins, on="_origin"), source, timezone, keep=["_is_changed"])
    rows = with_fate(rows, source, replaced=replaced, older=older)
    scope.rows = _counted(rows, scope, is_new=is_new).localCheckpoint()
    return scope
