"""The report's section about the data themselves: reconciliation, quality, what ran when."""

from collections.abc import Sequence

from cdp.measure.facts import Facts
from cdp.measure.ledger import newest
from cdp.measure.page import Grid, Section
from cdp.measure.tallies import Tally
from cdp.measure.words import number


def data(facts: Facts) -> Section:
    """Whether rows were lost, and whether the tables keep their promises."""
    accounts, quality = (newest(facts.tallies[name], subject=1, run=1) for name in ("accounts", "quality"))
    grids = [grid for grid in (_accounts(accounts), _quality(quality), _stages(facts)) if grid.rows]
    lost = sum(abs(t.values[4] or 0.0) for t in accounts)
    judged, critical = (sum(t.values[i] or 0.0 for t in quality) for i in (0, 1))
    parts = []
    if accounts:
        parts.append("Every row is accounted for." if not lost else f"{number(lost)} rows are not accounted for.")
    if judged:
        met = (
            f"all {number(judged)} expectations are met or only warn"
            if not critical
            else f"{number(critical)} critical expectations are not met"
        )
        parts.append(f"In the last judgement of each table, {met}.")
    parts.append(
        "A run judges its tables when it ends, after this report is written; its Data Docs have the newest results."
    )
    return Section(
        "data",
        "Data quality",
        " ".join(parts),
        grids=grids,
        missing=None if grids else "Nothing to show: no run of this lake has been recorded yet.",
    )


def _accounts(accounts: Sequence[Tally]) -> Grid:
    rows = [[t.keys[0] or "", t.keys[2] or "", *[number(v) for v in t.values]] for t in accounts]
    header = ("Stage", "Subject", "Rows in", "Rows out", "Refused", "Skipped", "Difference")
    return Grid("Reconciliation: rows in = out + refused + skipped, in each stage’s last run", header, rows, texts=2)


def _quality(quality: Sequence[Tally]) -> Grid:
    rows = [[t.keys[0] or "", *[number(v) for v in t.values]] for t in quality]
    return Grid("Expectations of each table", ("Table", "Judged", "Critical not met", "Warnings"), rows)


def _stages(facts: Facts) -> Grid:
    order = sorted(facts.tallies["stage_runs"], key=lambda t: t.keys[2] or "")
    rows = [
        [t.keys[0] or "", (t.keys[2] or "")[:16], number(t.values[0]), number(t.values[1]), number(t.values[2], 1)]
        for t in order
    ]
    header = ("Stage", "Began (UTC)", "Rows written", "Refused", "Seconds")
    return Grid("When each stage last did something", header, rows, texts=2)
