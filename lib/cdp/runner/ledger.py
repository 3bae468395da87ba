"""The run ledger: what ran, from what, how long, with what outcome. Also what lets an unchanged stage be skipped."""

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pyspark.sql import functions as F

from cdp.base.contracts import Table
from cdp.base.fingerprints import code_hash, hash_of, library_version, plain
from cdp.base.lake import Lake
from cdp.base.stage import Run, Stage, StageResult
from cdp.tables.ops import RECONCILIATION, RUNS, STAGE_RUNS


@dataclass(frozen=True)
class StageRun:
    """One stage of this run, for the summary."""

    stage: str
    status: str
    started_at: datetime
    seconds: float
    fingerprint: str
    result: StageResult
    outputs: dict[str, int]
    error: str | None = None


@dataclass(frozen=True)
class Success:
    """A stage's last success: from what it was made, and the versions of its tables right after it."""

    fingerprint: str
    outputs: dict[str, int]


class Ledger:
    """Writes the ops tables of one run. Appends go on in the background, in order, while the next stage works."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._lake = run.lake
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")
        self._pending: list[Future[Any]] = []
        self._unwritten: list[StageRun] = []

    def last_successes(self) -> dict[str, Success]:
        """Each stage's last success. One row a stage comes to the driver."""
        if not self._lake.exists(STAGE_RUNS):
            return {}
        done = self._lake.read(STAGE_RUNS).where(F.col("status") == "done")
        newest = done.groupBy("stage").agg(
            F.max_by(F.struct("fingerprint", "outputs"), F.struct("started_at", "run_id")).alias("last")
        )
        return {
            row["stage"]: Success(row["last"]["fingerprint"], row["last"]["outputs"] or {}) for row in newest.collect()
        }

    def record(self, stage_run: StageRun) -> None:
        """Note a stage. What was done is written at once, so that a run killed later resumes after it."""
        if stage_run.status != "done":
            self._unwritten.append(stage_run)
            return
        self._pending.append(self._writer.submit(self._append_stages, [stage_run]))

    def finish(self, *, status: str, exit_code: int, error: str | None, ended_at: datetime) -> None:
        """Write what is left and the run itself."""
        run = self._run
        row = (run.run_id, run.job, run.as_of, run.started_at, ended_at, status, exit_code, error, library_version())
        if self._unwritten:
            self._pending.append(self._writer.submit(self._append_stages, self._unwritten))
        runs = self._lake.spark.createDataFrame([row], RUNS.schema)
        self._pending.append(self._writer.submit(self._lake.append, RUNS, runs))
        self._writer.shutdown(wait=True)
        for future in self._pending:
            future.result()

    def close(self) -> None:
        """Stop without writing more; what is under way is finished."""
        self._writer.shutdown(wait=True, cancel_futures=True)

    def _append_stages(self, stage_runs: list[StageRun]) -> None:
        spark, run_id = self._lake.spark, self._run.run_id
        rows = [
            (
                run_id,
                s.stage,
                s.started_at,
                s.seconds,
                s.status,
                s.result.rows_in,
                s.result.rows_out,
                s.result.rows_refused,
                s.fingerprint,
                s.outputs,
                s.error,
            )
            for s in stage_runs
        ]
        accounts = [
            (run_id, s.stage, a.subject, a.rows_in, a.rows_out, a.rows_refused, a.rows_skipped, a.difference)
            for s in stage_runs
            for a in s.result.accounts
        ]
        if accounts:
            self._lake.append(RECONCILIATION, spark.createDataFrame(accounts, RECONCILIATION.schema).coalesce(1))
        self._lake.append(STAGE_RUNS, spark.createDataFrame(rows, STAGE_RUNS.schema).coalesce(1))


def fingerprint(stage: Stage, run: Run, settings: Any) -> str:
    """Hash of everything a stage's result follows from: input versions, settings, date, selection and code."""
    parts = {
        "inputs": versions(run.lake, stage.reads(run.config)),
        "more": stage.inputs(run),
        "settings": plain(settings),
        "platform": plain(run.config.platform),
        "as_of": run.as_of.isoformat() if stage.is_dated else None,
        "select": sorted(run.select),
        "code": code_hash(),
    }
    return hash_of(parts)


def versions(lake: Lake, tables: Any) -> dict[str, int]:
    """Table to version, for those that exist."""
    named: list[Table] = list(tables)
    found = {table.name: lake.version(table) for table in named}
    return {name: number for name, number in found.items() if number is not None}
