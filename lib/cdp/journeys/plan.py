"""What a run of the journey stage has to do, and what it says of each journey afterwards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from cdp.base.settings import refuse_unknown
from cdp.journeys.config import Journey
from cdp.segments.plan import Plan

Counts = Mapping[tuple[str, str], Mapping[str, int]]
"""`cdp.journeys.history.tallies`, by journey and step."""

_COUNTED = ("size", "suppressed", "held_out", "reached", "converted", "exited")


@dataclass
class JourneyPlan(Plan):
    """The journeys of one run, and why some of them failed.

    Attributes:
        journeys: by name; `segments` are the same as segments (`Journey.as_segment`).
    """

    journeys: dict[str, Journey] = field(default_factory=dict)

    @property
    def walked(self) -> dict[str, Journey]:
        """Journeys that go on in this run."""
        return {name: j for name, j in self.journeys.items() if name not in self.failed}

    @property
    def concerned(self) -> str:
        """SQL condition: rows of the journeys that are written anew. Names are no personal data."""
        if self.selected:
            return _among(sorted(self.walked))
        return f"NOT ({_among(sorted(self.failed))})"  # so that people in a journey that is gone leave too

    def fail(self, name: str, why: str) -> None:
        """No journey depends on another."""
        self.failed[name] = why


def plan(journeys: Mapping[str, Journey], select: Sequence[str]) -> JourneyPlan:
    """What to do for all journeys, or for those selected.

    Raises:
        UsageError: there is no journey of a selected name.
    """
    refuse_unknown(select, journeys, "journey")
    chosen = {name: j for name, j in journeys.items() if not select or name in select}
    segments = {name: j.as_segment for name, j in chosen.items()}
    versions = {name: j.hash for name, j in chosen.items()}
    return JourneyPlan(segments, versions, frozenset(select), journeys=chosen)


def status_rows(
    work: JourneyPlan, before: Sequence[Mapping[str, Any]], counts: Counts, *, as_of: date
) -> list[dict[str, Any]]:
    """The rows of `gold.journey_status`.

    Args:
        work: the plan, after the run.
        before: the table as it was.
        counts: of this run.
        as_of: the run's date.
    """
    old = {(row["journey"], row["step"]): dict(row) for row in before}
    rows = {key: row for key, row in old.items() if work.selected and key[0] not in work.selected}
    for name, journey in work.journeys.items():
        if name in work.failed and any(key[0] == name for key in old):
            # As it was found last, with the steps that it had then.
            kept = {key: row for key, row in old.items() if key[0] == name}
            rows |= {key: {**row, "status": "failed", "error": work.failed[name]} for key, row in kept.items()}
            continue
        since = _since(old, name, work.versions[name], as_of)
        for number, step in enumerate(journey.steps, start=1):
            found = counts.get((name, step.name), {})
            rows[name, step.name] = {
                "journey": name,
                "step": step.name,
                "step_no": number,
                "type": step.type,
                "version": work.versions[name],
                "version_since": since,
                "status": "failed" if name in work.failed else "live",
                **{count: found.get(count, 0) for count in _COUNTED},
                "computed_on": as_of,
                "error": work.failed.get(name),
            }
    return [rows[key] for key in sorted(rows)]


def notes(work: JourneyPlan, rows: Sequence[Mapping[str, Any]], counts: Counts) -> list[str]:
    """A line on each journey for a person."""
    lines = []
    for name in work.journeys:
        steps = sorted((row for row in rows if row["journey"] == name), key=lambda row: row["step_no"])
        size = sum(row["size"] for row in steps)
        if name in work.failed:
            lines.append(f"{name}: failed, its {size:,} people stay where they were: {work.failed[name]}")
            continue
        moves = f"{_summed(counts, name, 'entered'):,} came in, {_summed(counts, name, 'left'):,} left"
        rest = f"{sum(r['suppressed'] for r in steps):,} suppressed, {sum(r['held_out'] for r in steps):,} held out"
        at = ", ".join(f"{row['step']} {row['size']:,}" for row in steps if row["type"] in ("send", "wait"))
        more = f"; {work.told[name]}" if name in work.told else ""
        lines.append(f"{name}: {size:,} people ({moves}), {rest}; {at}{more}")
    gone = sorted({journey for journey, _ in counts} - set(work.journeys)) if not work.selected else []
    left = {name: _summed(counts, name, "left") for name in gone}
    return [*lines, *(f"{name}: its file is gone, {n:,} left" for name, n in left.items() if n)]


def _summed(counts: Counts, journey: str, what: str) -> int:
    return sum(found[what] for (name, _), found in counts.items() if name == journey)


def _since(old: Mapping[tuple[str, str], Mapping[str, Any]], name: str, version: str, as_of: date) -> date:
    """From which run's date on a journey has this version."""
    known = [row["version_since"] for (journey, _), row in old.items() if journey == name and row["version"] == version]
    since: date = min([as_of, *known])
    return since


def _among(names: Sequence[str]) -> str:
    return f"journey IN ({', '.join(repr(n) for n in names)})" if names else "false"
