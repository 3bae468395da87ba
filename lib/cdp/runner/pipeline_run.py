"""Stages in order under the ledger: skipped when up to date, recorded when done, judged in the background."""

import dataclasses
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from cdp.base.console import Console
from cdp.base.contracts import Table
from cdp.base.errors import CdpError, UsageError
from cdp.base.files import FileSystem
from cdp.base.fingerprints import library_version
from cdp.base.lake import FORMAT, Lake
from cdp.base.stage import Run, Stage, StageResult
from cdp.runner.failures import explained, write_trace
from cdp.runner.ledger import Ledger, StageRun, Success, fingerprint, versions
from cdp.runner.quality import QualityJudge, Verdict

_MARKER = "_cdp/lake.json"


def open_lake(lake: Lake) -> None:
    """Make sure that the lake can be written and is of this version; marks a new one.

    Raises:
        UsageError: it is of another version, or cannot be written.
    """
    marker = lake.files.read_text(_MARKER)
    if marker is not None:
        try:
            found = json.loads(marker)["format"]
        except (ValueError, KeyError, TypeError):
            raise UsageError(f"--lake {lake.root}: {_MARKER} is damaged; wanted {{\"format\": {FORMAT}}}") from None
        if found != FORMAT:
            raise UsageError(
                f"--lake {lake.root}: found a lake of format {found}, wanted {FORMAT};"
                " use the version of this program that made it, or another folder"
            )
    lake.files.check_writable("--lake")
    if marker is None:
        lake.files.write_text(_MARKER, json.dumps({"format": FORMAT, "made_by": library_version()}) + "\n")


@dataclass
class Outcome:
    """What a run came to."""

    run: Run
    stage_runs: list[StageRun]
    verdicts: list[Verdict] = field(default_factory=list)
    broken_rules: list[str] = field(default_factory=list)
    error: CdpError | None = None
    docs: str | None = None
    seconds: float = 0.0
    summary_path: str = ""

    @property
    def exit_code(self) -> int:
        if self.error:
            return self.error.exit_code
        return 3 if self.broken_rules else 0

    @property
    def status(self) -> str:
        return {0: "done", 3: "broke_rule"}.get(self.exit_code, "failed")

    @property
    def outputs(self) -> list[tuple[str, str]]:
        made = [output for s in self.stage_runs for output in s.result.outputs]
        return [*made, ("quality (Data Docs)", self.docs)] if self.docs else made

    def as_dict(self) -> dict[str, Any]:
        run = self.run
        return {
            "run_id": run.run_id,
            "job": run.job,
            "as_of": run.as_of.isoformat(),
            "started_at": f"{run.started_at.isoformat()}Z",
            "seconds": round(self.seconds, 1),
            "status": self.status,
            "exit_code": self.exit_code,
            "error": str(self.error) if self.error else None,
            "lake": run.lake.root,
            "stages": [
                {
                    "stage": s.stage,
                    "status": s.status,
                    "seconds": round(s.seconds, 1),
                    "rows_in": s.result.rows_in,
                    "rows_out": s.result.rows_out,
                    "rows_refused": s.result.rows_refused,
                    "accounts": [{**dataclasses.asdict(a), "difference": a.difference} for a in s.result.accounts],
                    "notes": list(s.result.notes),
                    "tables": s.outputs,
                }
                for s in self.stage_runs
            ],
            "quality": {
                "expectations": len(self.verdicts),
                "not_met": [dataclasses.asdict(v) for v in self.verdicts if not v.is_met],
            },
            "broken_rules": self.broken_rules,
            "outputs": dict(self.outputs),
        }

    def report(self, console: Console) -> int:
        """Print the summary: a row a source, a row a stage, what is worth opening, and last the JSON's path."""
        accounts = [(s.stage, a) for s in self.stage_runs for a in s.result.accounts]
        for stage in dict.fromkeys(name for name, _ in accounts):
            balances = [
                (a.subject, a.rows_in, a.rows_out, a.rows_refused, a.rows_skipped, a.difference)
                for name, a in accounts
                if name == stage
            ]
            console.table(f"{stage}: rows in = out + refused + skipped", _ACCOUNT_HEADER, balances)
        rows = [
            (
                s.stage,
                s.status.replace("_", " "),
                s.result.rows_in,
                s.result.rows_out,
                s.result.rows_refused,
                round(s.seconds, 1),
            )
            for s in self.stage_runs
        ]
        console.table(f"run {self.run.run_id} as of {self.run.as_of}", _STAGE_HEADER, rows)
        self._say(console)
        print(self.summary_path, flush=True)
        return self.exit_code

    def _say(self, console: Console) -> None:
        met = sum(v.is_met for v in self.verdicts)
        if self.verdicts:
            console.note(f"quality: {met} of {len(self.verdicts)} expectations are met")
        for rule in self.broken_rules:
            console.warn(rule)
        for what, path in self.outputs:
            console.note(f"{what}: {path}")
        if self.error:
            console.error(str(self.error))


_ACCOUNT_HEADER = ("subject", "in", "out", "refused", "skipped", "difference")
_STAGE_HEADER = ("stage", "status", "rows in", "rows out", "refused", "seconds")


class PipelineRun:
    """One call of a job on a lake that is open.

    Args:
        run: the run.
        stages: in order.
        settings: each stage's settings by name, and the platform's.
    """

    def __init__(self, run: Run, stages: Sequence[Stage], settings: dict[str, Any]) -> None:
        self._run, self._stages, self._settings = run, stages, settings

    def plan(self) -> int:
        """Say what would run and why, or what a single stage would do; writes nothing. Returns the exit code."""
        if len(self._stages) == 1 and self._stages[0].previews:
            return self._preview(self._stages[0])
        last = Ledger(self._run).last_successes()
        for stage in self._stages:
            settings, found = self._settings[stage.name], versions(self._run.lake, stage.writes(self._run.config))
            if stage.always:
                self._run.console.note(f"{stage.name}: would look for something new")
            elif self._is_current(fingerprint(stage, self._run, settings), last.get(stage.name), found):
                self._run.console.note(f"{stage.name}: up to date, unless an earlier stage changes its inputs")
            else:
                self._run.console.note(f"{stage.name}: would run")
        return 0

    def _preview(self, stage: Stage) -> int:
        console = self._run.console
        with console.step(stage.name, stage.title) as step:
            self._fit_session()
            result = stage.run(self._run)
            step.done("nothing was written")
        for note in result.notes:
            console.note(note)
        for rule in result.broken_rules:
            console.warn(rule)
        return 3 if result.broken_rules else 0

    def execute(self) -> Outcome:
        """Run the stages. What fails is in the outcome, not raised, so that the ledger and the summary tell it."""
        run, began = self._run, time.monotonic()
        ledger, judge = Ledger(run), QualityJudge(run.lake, run.run_id)
        outcome = Outcome(run, [])
        try:
            last = ledger.last_successes()
            for stage in self._stages:
                before = versions(run.lake, stage.writes(run.config))
                stage_run = self._execute(stage, last.get(stage.name), before, outcome, judge)
                outcome.stage_runs.append(stage_run)
                ledger.record(stage_run)
                if outcome.error:
                    break
                if stage_run.status == "done":
                    judge.judge(_to_judge(stage.writes(run.config), last.get(stage.name), before, stage_run))
                result = stage_run.result
                outcome.broken_rules.extend(f"{stage.name}: {rule}" for rule in (*result.broken_rules, *result.unbalanced))
            self._finish_quality(judge, outcome)
            outcome.seconds = time.monotonic() - began
            outcome.summary_path = self._write_summary(outcome)
            error = str(outcome.error) if outcome.error else None
            ledger.finish(status=outcome.status, exit_code=outcome.exit_code, error=error, ended_at=_now())
        except BaseException:
            judge.close()
            ledger.close()
            raise
        return outcome

    def _execute(
        self, stage: Stage, last: Success | None, before: dict[str, int], outcome: Outcome, judge: QualityJudge
    ) -> StageRun:
        run, started_at, began = self._run, _now(), time.monotonic()
        mark = fingerprint(stage, run, self._settings[stage.name])
        status, result, problem = "done", StageResult(), None
        try:
            with run.console.step(stage.name, stage.title) as step:
                if not stage.always and self._is_current(mark, last, before):
                    status = "up_to_date"
                    step.done("up to date", status=status)
                else:
                    self._fit_session()
                    judge.prepare()
                    if stage.reads_ledger:
                        judge.flush()
                    result = stage.run(run)
                    step.done(
                        _detail(result),
                        rows_in=result.rows_in,
                        rows_out=result.rows_out,
                        refused=result.rows_refused,
                        seconds=round(time.monotonic() - began, 1),
                    )
            for note in result.notes:
                run.console.note(f"{stage.name}: {note}")
        except Exception as error:
            problem = explained(error)
            if problem is not error:
                problem = type(problem)(f"{stage.name}: {problem}")
                self._note_trace(error)
            outcome.error, status = problem, "failed"
        return StageRun(
            stage=stage.name,
            status=status,
            started_at=started_at,
            seconds=time.monotonic() - began,
            fingerprint=mark,
            result=result,
            outputs=versions(run.lake, stage.writes(run.config)),
            error=str(problem) if problem else None,
        )

    def _fit_session(self) -> None:
        """By what lies on the disk now; a stage that looks only at what is new fits it to that."""
        landing = FileSystem(self._run.spark, self._run.landing)
        self._run.fit_session(lambda: self._run.lake.files.size() + landing.size())

    def _note_trace(self, error: Exception) -> None:
        lake = self._run.lake
        if lake.files.is_local:
            trace = write_trace(error, Path(lake.root) / "_cdp" / "errors", self._run.run_id)
            if trace:
                self._run.console.note(f"where in the code it happened: {trace}")

    def _is_current(self, mark: str, last: Success | None, found: dict[str, int]) -> bool:
        if self._run.full_refresh or last is None or last.fingerprint != mark:
            return False
        return found == last.outputs

    def _finish_quality(self, judge: QualityJudge, outcome: Outcome) -> None:
        with self._run.console.step("quality", "judging the tables with Great Expectations") as step:
            began = time.monotonic()
            self._fit_session()  # stages fit it to what is new, but tables are judged whole
            outcome.verdicts, outcome.docs = judge.finish()
            step.done(f"{len(outcome.verdicts)} expectations", seconds=round(time.monotonic() - began, 1))
        if self._run.config.platform.quality_gate:
            outcome.broken_rules.extend(
                f"{v.table}: {v.expectation} is not met by {v.unexpected or 'some'} rows"
                for v in outcome.verdicts
                if not v.is_met and v.severity == "critical"
            )

    def _write_summary(self, outcome: Outcome) -> str:
        text = json.dumps(outcome.as_dict(), indent=2, default=str) + "\n"
        return self._run.lake.files.write_text(f"_cdp/runs/{self._run.run_id}.json", text)


def _to_judge(tables: Sequence[Table], last: Success | None, before: dict[str, int], now: StageRun) -> list[Table]:
    """The tables that a stage has written: what this run found and left as the last success left it was judged then."""
    judged = last.outputs if last else {}
    left = {name for name, version in now.outputs.items() if judged.get(name) == before.get(name) == version}
    return [table for table in tables if table.name not in left and table.layer not in ("ops", "bronze")]


def _detail(result: StageResult) -> str:
    parts = [f"{result.rows_out:,} rows" if result.rows_out is not None else "done"]
    if result.rows_refused:
        parts.append(f"{result.rows_refused:,} refused")
    return ", ".join(parts)


def _now() -> datetime:
    return datetime.now(timezone.utc).replace(tzinfo=None)
