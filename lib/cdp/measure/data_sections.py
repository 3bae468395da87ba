"""The report's section about the data themselves: reconciliation, quality, what ran when."""

from cdp.measure.facts import Facts
from cdp.measure.page import Grid, Section
from cdp.measure.words import number


def data(facts: Facts) -> Section:
    """Whether rows were lost, and whether the tables keep their promises."""
    grids = [grid for grid in (_accounts(facts), _quality(facts), _stages(facts)) if grid.rows]
    lost = sum(abs(t.values[4] or 0.0) for t in facts.tallies["accounts"])
    critical = sum(t.values[1] or 0.0 for t in facts.tallies["quality"])
    judged = sum(t.values[0] or 0.0 for t in facts.tallies["quality"])
    parts = []
    if facts.tallies["accounts"]:
        parts.append("Every row is accounted for." if not lost else f"{number(lost)} rows are not accounted for.")
    if judged:
        met = f"all {number(judged)} expectations are met or only warn" if not critical else f"{number(critical)} critical expectations are not met"
        parts.append(f"In the last judgement of each table, {met}.")
    parts.append("A run judges its tables when it ends, after this report is written; its Data Docs have the newest results.")
    return Section(
        "data",
        "Data quality",
        " ".join(parts),
        grids=grids,
        missing=None if grids else "Nothing to show: no run of this lake has been recorded yet.",
    )


def _accounts(facts: Facts) -> Grid:
    rows = [[*[k or "" for k in t.keys], *[number(v) for v in t.values]] for t in facts.tallies["accounts"]]
    header = ("Stage", "Subject", "Rows in", "Rows out", "Refused", "Skipped", "Difference")
    return Grid("Reconciliation: rows in = out + refused + skipped, in each stage’s last run", header, rows, texts=2)


def _quality(facts: Facts) -> Grid:
    rows = [[t.keys[0] or "", *[number(v) for v in t.values]] for t in facts.tallies["quality"]]
    return Grid("Expectations of each table", ("Table", "Judged", "Critical not met", "Warnings"), rows)


def _stages(facts: Facts) -> Grid:
    order = sorted(facts.tallies["stage_runs"], key=lambda t: t.keys[1] or "")
    rows = [
        [t.keys[0] or "", (t.keys[1] or "")[:16], number(t.values[0]), number(t.values[1]), number(t.values[2], 1)]
        for t in order
    ]
    header = ("Stage", "Began (UTC)", "Rows written", "Refused", "Seconds")
    return Grid("When each stage last did something", header, rows, texts=2)
