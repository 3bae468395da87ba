"""What a run of the segment stage has to do, and what it says of each segment afterwards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from cdp.base.settings import refuse_unknown
from cdp.segments.config import Segment
from cdp.segments.load import versions


@dataclass
class Plan:
    """The segments of one run: those to judge, and why some of them failed.

    Attributes:
        segments: by name, each after those it refers to.
        versions: of each segment.
        selected: names the user selected; empty: all. What they refer to is judged, but not written.
        failed: why, by name.
        told: what to say of lists and lookalike segments, by name.
    """

    segments: dict[str, Segment]
    versions: dict[str, str]
    selected: frozenset[str] = frozenset()
    failed: dict[str, str] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)

    @property
    def good(self) -> dict[str, Segment]:
        return {name: s for name, s in self.segments.items() if name not in self.failed}

    @property
    def written(self) -> list[str]:
        """Segments that get a new status."""
        return [name for name in self.segments if not self.selected or name in self.selected]

    @property
    def concerned(self) -> str:
        """SQL condition: rows of the segments whose members are written anew. Names are no personal data."""
        if self.selected:
            return _among(sorted(self.selected & self.good.keys()))
        return f"NOT ({_among(sorted(self.failed))})"  # so that members of a segment that is gone go too

    def fail(self, name: str, why: str) -> None:
        """A failed segment takes with it those that refer to it."""
        self.failed[name] = why
        for other, segment in self.segments.items():
            if name in segment.references and other not in self.failed:
                self.fail(other, f"it refers to {name}, which failed")


def plan(segments: Mapping[str, Segment], select: Sequence[str]) -> Plan:
    """What to do for all segments, or for those selected and what they refer to.

    Args:
        segments: by name, each after those it refers to.
        select: names.

    Raises:
        UsageError: there is no segment of a selected name.
    """
    refuse_unknown(select, segments, "segment")
    wanted = set(select or segments)
    for name in reversed(list(segments)):
        wanted |= set(segments[name].references) if name in wanted else set()
    chosen = {name: s for name, s in segments.items() if name in wanted}
    return Plan(chosen, versions(segments), frozenset(select))


def status_rows(
    work: Plan,
    before: Mapping[str, Mapping[str, Any]],
    counts: Mapping[str, Mapping[str, int]],
    since: Mapping[str, tuple[date, date]],
    *,
    as_of: date,
) -> list[dict[str, Any]]:
    """The rows of `gold.segment_status`.

    Args:
        work: the plan, after the segments were judged.
        before: the table as it was, by segment.
        counts: `cdp.segments.history.tallies`, by segment; none where nobody is in or was.
        since: from which run's dates on each segment that did not fail has its rule and its purpose.
        as_of: the run's date.
    """
    rows = {name: dict(row) for name, row in before.items() if work.selected and name not in work.selected}
    for name in work.written:
        previous = before.get(name)
        rows[name] = {**_empty(work, name, as_of), **(previous or {}), "error": work.failed.get(name)}
        if name in work.failed:
            rows[name]["status"] = "failed"
            continue
        found = {**dict.fromkeys(("size", "suppressed", "held_out", "before"), 0), **counts.get(name, {})}
        rows[name] |= {
            "version": work.versions[name],
            "status": "live",
            "size": found["size"],
            "previous_size": found["before"],
            "suppressed": found["suppressed"],
            "held_out": found["held_out"],
            "version_since": since[name][0],
            "purpose": work.segments[name].purpose,
            "purpose_since": since[name][1],
            "computed_on": as_of,
        }
    return [rows[name] for name in sorted(rows)]


def note(row: Mapping[str, Any], counts: Mapping[str, int], more: str | None = None) -> str:
    """One line on a segment for a person, with what else there is to say of it."""
    if row["status"] == "failed":
        return f"{row['segment']}: failed, its {row['size']:,} members of {row['computed_on']} are kept: {row['error']}"
    moves = f"{counts.get('entered', 0):,} in, {counts.get('exited', 0):,} out"
    rest = f"{row['suppressed']:,} suppressed, {row['held_out']:,} held out"
    return f"{row['segment']}: {row['size']:,} members ({moves}), {rest}" + (f"; {more}" if more else "")


def _empty(work: Plan, name: str, as_of: date) -> dict[str, Any]:
    """A segment that never had members."""
    zeros = dict.fromkeys(("size", "suppressed", "held_out"), 0)
    found = {"segment": name, "version": work.versions[name], "previous_size": None, **zeros}
    return {**found, "version_since": as_of, "purpose": None, "purpose_since": None, "computed_on": as_of}


def _among(names: Sequence[str]) -> str:
    return f"segment IN ({', '.join(repr(n) for n in names)})" if names else "false"
