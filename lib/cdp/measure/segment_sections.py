"""The report's section about segments and journeys: how large, how they grew, how they overlap, how fresh, what failed."""

from collections.abc import Sequence
from datetime import date, timedelta

from cdp.measure.charts import PALETTE, columns
from cdp.measure.facts import Facts
from cdp.measure.kpis import ratio
from cdp.measure.page import Chart, Grid, Section
from cdp.measure.segments_counted import OVERLAPPING, WEEKS, weeks_until
from cdp.measure.tallies import Tally
from cdp.measure.words import day, number, share, signed
from cdp.tables.gold import SEGMENT_STATUS

_DRAWN = 6
"""Segments whose size is drawn over time, the largest."""


def segments(facts: Facts) -> Section:
    """Size of every segment now and over time, overlap of the largest, freshness and failures."""
    lines = facts.tallies["segments"]
    grids = [
        Grid(
            "Segments now",
            ("Segment", "Members", "Change", "Suppressed", "Held out", "As of"),
            [_line(t) for t in lines],
        )
    ]
    grids += [grid for grid in (_failures(lines), _overlap(facts), _journeys(facts)) if grid.rows]
    return Section(
        "segments",
        "Segments",
        "Suppressed members do not allow the segment’s purpose; members held out are the control group. Neither is delivered."
        f" {_freshness(lines, facts.as_of)}",
        charts=_charts(facts),
        grids=grids,
        missing=facts.lacks("segments", SEGMENT_STATUS, "segment"),
    )


def sizes(moves: Sequence[Tally], segment: str, days: Sequence[date]) -> list[float]:
    """Members of a segment on each of some days.

    Args:
        moves: `cdp.measure.segments_counted.moves`.
        segment: its name.
        days: in order.
    """
    steps = [(t.keys[1] or "", (t.values[0] or 0.0) - (t.values[1] or 0.0)) for t in moves if t.keys[0] == segment]
    return [sum(step for on, step in steps if on <= day.isoformat()) for day in days]


def _line(tally: Tally) -> list[str]:
    (name, status, _), (size, suppressed, held_out, before), low, _ = tally
    change = size - before if size is not None and before is not None else None
    state = "" if status == "live" else f" ({status}: last good members)"
    return [f"{name}{state}", number(size), signed(change), number(suppressed), number(held_out), day(low)]


def _freshness(lines: Sequence[Tally], as_of: date) -> str:
    old = sorted(t.keys[0] or "" for t in lines if t.low is not None and t.low < _seconds(as_of))
    if not old:
        return f"All are as of {as_of}."
    return f"{len(old)} of {len(lines)} are older than {as_of}: {', '.join(old)}."


def _seconds(on: date) -> float:
    return (on - date(1970, 1, 1)) / timedelta(seconds=1)


def _failures(lines: Sequence[Tally]) -> Grid:
    rows = [[t.keys[0] or "", day(t.low), t.keys[2] or ""] for t in lines if t.keys[1] == "failed"]
    return Grid("Segments that failed", ("Segment", "Members are of", "Why"), rows, texts=3)


def _charts(facts: Facts) -> list[Chart]:
    days = weeks_until(facts.as_of)
    labels = [f"{on.day} {on:%b}" for on in days]
    charts = []
    for i, name in enumerate(_largest(facts.tallies["segments"])[:_DRAWN]):
        values = sizes(facts.tallies["segment_moves"], name, days)
        if any(values):
            svg = columns(labels, {"members": values}, title=f"Columns: members of {name} week by week", text=number)
            svg = svg.replace(PALETTE[0], PALETTE[i % len(PALETTE)])
            charts.append(Chart(f"Members of {name}, the last {WEEKS} weeks", svg, is_half=True))
    return charts


def _largest(lines: Sequence[Tally]) -> list[str]:
    return [t.keys[0] or "" for t in sorted(lines, key=lambda t: (-(t.values[0] or 0.0), t.keys[0] or ""))]


def _overlap(facts: Facts) -> Grid:
    """Of the members of the segment in the row the share that is in the column's too."""
    both = {t.keys: t.values[0] or 0.0 for t in facts.tallies["segment_overlap"]}
    names = sorted(
        {name or "" for pair in both for name in pair}, key=lambda name: (-both.get((name, name), 0.0), name)
    )
    rows = [[one, number(both.get((one, one))), *[_share(both, one, other) for other in names]] for one in names]
    caption = f"Overlap of the largest segments, at most {OVERLAPPING}: of the members of the row, how many are in the column too"
    return Grid(caption, ("Segment", "Members", *names), rows if len(names) > 1 else [])


def _journeys(facts: Facts) -> Grid:
    """A line a step, in the order of the files."""
    rows = [_step_line(t) for t in facts.tallies["journey_steps"]]
    caption = "Journeys now, step by step; reached, converted and exited are of all time"
    header = ("Journey", "Step", "People", "Suppressed", "Held out", "Reached", "Converted", "Exited", "As of")
    return Grid(caption, header, rows, texts=2)


def _step_line(tally: Tally) -> list[str]:
    (journey, _, step, status, error), counts, low, _ = tally
    state = "" if status == "live" else f" ({status}: {error})"
    return [f"{journey}{state}", step or "", *[number(count) for count in counts], day(low)]


def _share(both: dict[tuple[str | None, ...], float], one: str, other: str) -> str:
    if one == other:
        return ""
    pair = (one, other) if one <= other else (other, one)
    return share(ratio(both.get(pair, 0.0), both.get((one, one))))
