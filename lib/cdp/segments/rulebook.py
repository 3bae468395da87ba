"""Rules and purposes of segments through time. Like members they are a function of what held before the run's date, so that a
rerun of a date finds again since when a rule holds, whatever rules came later."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from cdp.segments.plan import Plan


@dataclass(frozen=True)
class Held:
    """A row of `gold.segment_versions`.

    Attributes:
        segment: name.
        since: the run's date from which it holds.
        version: of the rule; None: the segment was taken away.
        purpose: consent purpose, if any.
    """

    segment: str
    since: date
    version: str | None
    purpose: str | None


def rulebook_after(
    held: Sequence[Held], work: Plan, status: Mapping[str, Mapping[str, Any]], *, as_of: date
) -> list[Held]:
    """`gold.segment_versions` after a run: what held before its date, and what it finds new, changed or gone.

    Args:
        held: the table as it was.
        work: the plan, after the segments were judged. Those that failed or were not selected are left as they are.
        status: `gold.segment_status` as it was, by segment; it alone speaks of segments in a lake older than this table.
        as_of: the run's date.
    """
    names = dict.fromkeys([*sorted(work.segments), *sorted({h.segment for h in held})])
    found = []
    for name in names:
        own = sorted((h for h in held if h.segment == name), key=lambda h: h.since)
        if not _is_judged(name, work):
            found += own
            continue
        kept = [h for h in own if h.since < as_of] or _of_status(name, status, as_of)
        segment = work.segments.get(name)
        now = Held(name, as_of, work.versions[name], segment.purpose) if segment else Held(name, as_of, None, None)
        was = (kept[-1].version, kept[-1].purpose) if kept else (None, None)
        found += kept if was == (now.version, now.purpose) else [*kept, now]
    return found


def rule_since(held: Iterable[Held], name: str) -> date:
    """From which run's date on a segment has the rule that it has now."""
    return _since(held, name, lambda h: h.version)


def purpose_since(held: Iterable[Held], name: str) -> date:
    """From which run's date on a segment has the purpose that it has now, or none."""
    return _since(held, name, lambda h: (h.version is None, h.purpose))


def _since(held: Iterable[Held], name: str, what: Any) -> date:
    newest_first = sorted((h for h in held if h.segment == name), key=lambda h: h.since, reverse=True)
    since = newest_first[0].since
    for row in newest_first:
        if what(row) != what(newest_first[0]):
            break
        since = row.since
    return since


def _is_judged(name: str, work: Plan) -> bool:
    if work.selected:
        return name in work.selected and name in work.good
    return name not in work.failed


def _of_status(name: str, status: Mapping[str, Mapping[str, Any]], as_of: date) -> list[Held]:
    row = status.get(name)
    # Without a day for its purpose it failed from the beginning.
    if row is None or row["purpose_since"] is None or row["version_since"] >= as_of:
        return []
    return [Held(name, row["version_since"], row["version"], row["purpose"])]
