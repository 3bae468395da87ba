"""A stage: a step of the pipeline that reads some tables and writes others; and the run it is part of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from cdp.base.contracts import Table
from cdp.base.files import FileSystem
from cdp.base.session import fit_to
from cdp.base.settings import ConfigFolder

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from cdp.base.console import Console
    from cdp.base.lake import Lake


@dataclass(frozen=True)
class Run:
    """One call of a job: everything a stage may know.

    Attributes:
        run_id: unique, sortable by start.
        job: name of the job.
        as_of: last day of data to use (UTC). No stage asks the clock for a date.
        started_at: start of the run, UTC, without zone; only for lineage and the ledger.
        lake: the tables.
        config: the configuration folder.
        landing: folder or URI of the extracts.
        select: names the user selected; empty: everything.
        full_refresh: rebuild from all data.
        dry_run: say what would be done, write nothing.
        console: progress and messages.
        options: further options of the job, by name.
    """

    run_id: str
    job: str
    as_of: date
    started_at: datetime
    lake: "Lake"
    config: ConfigFolder
    landing: str
    console: "Console"
    select: tuple[str, ...] = ()
    full_refresh: bool = False
    dry_run: bool = False
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def spark(self) -> "SparkSession":
        return self.lake.spark

    def fit_session(self, size: Callable[[], int], *, compiled: bool = False) -> None:
        """Fit the session to so many bytes, where lake and landing are on local disks; a cluster keeps its own settings.

        Args:
            size: of the data that is worked on; only asked for where it counts.
            compiled: compile queries in any case (`cdp.base.session.fit_to`).
        """
        if self.lake.files.is_local and FileSystem(self.spark, self.landing).is_local:
            fit_to(self.spark, size(), compiled=compiled)


@dataclass(frozen=True)
class Account:
    """Rows that must balance: rows_in = rows_out + rows_refused + rows_skipped."""

    subject: str
    rows_in: int
    rows_out: int
    rows_refused: int = 0
    rows_skipped: int = 0

    @property
    def difference(self) -> int:
        return self.rows_in - self.rows_out - self.rows_refused - self.rows_skipped


@dataclass(frozen=True)
class StageResult:
    """What a stage did, for the summary and the ledger.

    Attributes:
        rows_in: rows read; None where counting says nothing.
        rows_out: rows written.
        rows_refused: rows set aside.
        accounts: balances by source or table.
        notes: lines worth a person's eyes, free of personal data.
        outputs: (what, path) worth opening.
        broken_rules: rules marked `error` that fired; the run ends with exit code 3.
    """

    rows_in: int | None = None
    rows_out: int | None = None
    rows_refused: int = 0
    accounts: tuple[Account, ...] = ()
    notes: tuple[str, ...] = ()
    outputs: tuple[tuple[str, str], ...] = ()
    broken_rules: tuple[str, ...] = ()

    @property
    def unbalanced(self) -> tuple[str, ...]:
        """What the accounts miss, as broken rules: a row that is neither kept nor set aside must not go unsaid."""
        missing = ((a.subject, a.difference) for a in self.accounts if a.difference)
        return tuple(f"{subject}: {count:+,} rows unaccounted for" for subject, count in missing)


@dataclass(frozen=True)
class Stage:
    """A step of the pipeline.

    A stage whose inputs, settings, date and code are those of its last success, and whose outputs are still as it left
    them, is skipped as up to date.

    Attributes:
        name: the job's name.
        title: what it does, for the progress display: a verb and an object.
        run: the work.
        reads: tables it reads (those that do not exist yet count as empty).
        writes: tables it writes.
        settings: loads and checks, without Spark, every setting it uses; the result is part of the fingerprint.
        inputs: anything else the result depends on (e.g. files), as text; part of the fingerprint.
        is_dated: whether its result depends on the as-of date.
        always: run even if nothing changed (it finds out by itself, cheaply).
        reads_landing: it needs the folder of extracts.
        reads_ledger: it tells what this run did so far, so the verdicts on the tables must be there.
        makes_landing: it fills the folder of extracts.
        writes_lake: it writes to the lake.
        previews: run with `dry_run` it writes nothing and says what it would do; the job of it alone does so.
    """

    name: str
    title: str
    run: Callable[[Run], StageResult]
    reads: Callable[[ConfigFolder], Sequence[Table]]
    writes: Callable[[ConfigFolder], Sequence[Table]]
    settings: Callable[[ConfigFolder], Any]
    inputs: Callable[[Run], str] = lambda run: ""
    is_dated: bool = True
    always: bool = False
    reads_landing: bool = False
    reads_ledger: bool = False
    makes_landing: bool = False
    writes_lake: bool = True
    previews: bool = False
