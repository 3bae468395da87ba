"""What the ledger says of the last run of each stage: accounts, judgements, times."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.measure.tallies import Part, Tally, part

_ACCOUNT = ("rows_in", "rows_out", "rows_refused", "rows_skipped", "difference")


def accounts(reconciliation: DataFrame) -> Part:
    """Each subject's last account. Keys: stage, run, subject. Sums: rows in, out, refused, skipped, difference."""
    last = _last(reconciliation, ("stage", "subject"), _ACCOUNT)
    return part(last, [F.col("stage"), F.col("run_id"), F.col("subject")], [F.col(c) for c in _ACCOUNT])


def quality(results: DataFrame) -> Part:
    """Each expectation's last judgement. Keys: table, run. Sums: judged, critical ones not met, others not met."""
    last = _last(results, ("table", "expectation"), ("is_met", "severity"))
    is_critical = F.col("severity") == "critical"
    return part(
        last,
        [F.col("table"), F.col("run_id")],
        [F.lit(1), ~F.col("is_met") & is_critical, ~F.col("is_met") & ~is_critical],
    )


def stage_runs(rows: DataFrame) -> Part:
    """Each stage's last run that did something. Keys: stage, run, start. Sums: rows written, refused, seconds."""
    figures = ("rows_out", "rows_refused", "seconds")
    last = _last(rows.where("status = 'done'"), ("stage",), ("started_at", *figures))
    return part(last, [F.col("stage"), F.col("run_id"), F.col("started_at")], [F.col(c) for c in figures])


def newest(lines: Sequence[Tally], *, subject: int, run: int) -> list[Tally]:
    """The lines of the newest run of each subject; what only older runs had, such as a source that is gone, falls away.

    Args:
        lines: a tally.
        subject: how many of the first keys name the subject.
        run: position of the key by which runs sort.
    """
    last: dict[tuple[str | None, ...], str] = {}
    for line in lines:
        of, found = line.keys[:subject], line.keys[run] or ""
        last[of] = max(last.get(of, ""), found)
    return [line for line in lines if (line.keys[run] or "") == last[line.keys[:subject]]]


def _last(rows: DataFrame, by: Sequence[str], figures: Sequence[str]) -> DataFrame:
    newest_row: Column = F.max_by(F.struct(*figures, "run_id"), "run_id")
    return rows.groupBy(*by).agg(newest_row.alias("last")).select(*by, "last.*")
