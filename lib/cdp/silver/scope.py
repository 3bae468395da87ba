"""Which rows of a source a run of clean looks at: all of them, those that new rows have to do with, or none."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F

from cdp.base.commits import rows_appended
from cdp.base.held import held
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

_FEW_ROWS = 10_000
"""Rows of a source that are looked at all together sooner than it is found which of them new ones have to do with."""

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
    def rows_to_look_at(self) -> int:
        """About how many rows of bronze pass: all, the new ones, or none."""
        return self.now.rows - (0 if self.mode == "whole" else self.looked_at_before)

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
        is_whole: look at all of it in any case, unless nothing is new.
    """
    table = bronze_table(source)
    version = run.lake.version(table) or 0
    replaced = [] if source.delivery == "snapshot" else ledger.replaced_of(source.name)
    mark = fingerprint(run, source, plan, replaced)
    timezone = source.timezone_in(run.config.platform)
    bronze = with_origin(run.lake.read(table), source, timezone)
    if before is not None and before.fingerprint == mark and not run.full_refresh:
        # What a new snapshot leaves out, and rows that are gone from bronze, cannot be found among the rows that are there.
        appended = rows_appended(run.lake, table, after=before.version, until=version)
        now = Progress(mark, version, before.rows + (appended or 0), before.batches)
        if appended == 0:
            return Scope(source, "untouched", now, looked_at_before=before.rows)
        is_little = appended is not None and appended <= _SMALL_SHARE * now.rows
        if is_little and not is_whole and source.delivery != "snapshot":
            scope = _affected(run, source, bronze, before, now, replaced)
            if scope is not None:
                return scope
    older = _older_deliveries(bronze, source)
    now = Progress(mark, version, bronze.count(), ())  # Delta answers from its log
    whole = Scope(source, "whole", now)
    rows = typed_rows(bronze.withColumn("_is_changed", F.lit(True)), source, timezone, as_of=run.as_of, keep=["_is_changed"])
    fates = with_fate(rows, source, replaced=replaced, older=older)
    whole.rows = _counted(fates, whole, is_new=F.lit(True)).where(F.col("_fate") == CURRENT)
    if len(entities_of(source)) > 1:
        # Several entities would each sort the source anew, under a plan that holds all of it once more for each.
        whole.rows = whole.rows.localCheckpoint()
    return whole


def _older_deliveries(bronze: DataFrame, source: SourceConfig) -> list[FileVersion]:
    if source.delivery != "snapshot":
        return []
    files = bronze.select("_file", "_file_modified_at").distinct().collect()  # a row a file
    return older_deliveries([(row["_file"], row["_file_modified_at"]) for row in files], source.path)


def _counted(rows: DataFrame, scope: Scope, *, is_new: Column) -> DataFrame:
    by_fate = [F.count_if(F.col("_fate") == fate).alias(fate) for fate in FATES]
    batches = F.collect_set("_batch_id").alias("batches")
    return rows.observe(scope.seen, *by_fate, F.count_if(is_new).alias("new"), batches)


def _affected(
    run: Run, source: SourceConfig, bronze: DataFrame, before: Progress, now: Progress, replaced: Sequence[FileVersion]
) -> Scope | None:
    """The rows that new ones have to do with; None where bronze is not what the last run saw and new batches beside it."""
    scope = Scope(source, "affected", now, looked_at_before=before.rows)
    is_new = ~F.col("_batch_id").isin(list(before.batches))
    timezone = source.timezone_in(run.config.platform)
    if now.rows <= _FEW_ROWS:
        looked_at = bronze.withColumn("_is_changed", F.lit(True))
    else:
        changed = held(bronze.where(is_new).select("_origin").distinct())
        origins = changed.withColumn("_is_changed", F.lit(True))
        shared = related(typed_rows(bronze, source, timezone, as_of=run.as_of), changed, source, run.config.platform.default_country)
        if shared is not None:
            shared = shared.localCheckpoint()
            scope.related = shared.select("_group", "_key").distinct()
            others = shared.select("_origin").distinct().join(changed, on="_origin", how="left_anti")
            origins = held(origins.unionByName(others.withColumn("_is_changed", F.lit(False))))
        # Joined before they are typed, as otherwise every row of the source would be.
        looked_at = bronze.join(origins, on="_origin")
    rows = with_fate(typed_rows(looked_at, source, timezone, as_of=run.as_of, keep=["_is_changed"]), source, replaced=replaced)
    scope.rows = _counted(rows, scope, is_new=is_new).localCheckpoint()
    return scope if scope.seen.get["new"] == now.rows - before.rows else None
