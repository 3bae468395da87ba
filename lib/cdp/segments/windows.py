"""When entries count: whether one lies in a condition's time window, and whether any rule of a run can ask for it."""

from collections.abc import Iterable
from datetime import datetime

from pyspark.sql import Column
from pyspark.sql import functions as F

from cdp.conditions.clock import Clock
from cdp.conditions.holds import any_of, literal
from cdp.segments.parts import TimeWindow


def within(window: TimeWindow | None, clock: Clock, moment: str) -> Column:
    """Whether an entry, which was at the column `moment`, lies in a window; None: before the end of the run's date."""
    is_in = F.col(moment) < literal(clock.end)
    return is_in & (F.col(moment) >= literal(window.begin(clock))) if window else is_in


def may_count(asked: Iterable[tuple[Iterable[str], TimeWindow | None]], clock: Clock, moment: str) -> Column:
    """Whether an entry is of an event and time that something asks for: what is quickly told, ahead of the rest.

    One comparison for all events that are asked for as far back, so that the code stays small enough for Java to compile.

    Args:
        asked: names of events, none for any, and the window in which they count, None for ever.
        clock: the run's date.
        moment: column of when an entry was.
    """
    since: dict[str | None, datetime] = {}
    for events, window in asked:
        low = window.begin(clock) if window else datetime.min
        for event in tuple(events) or (None,):
            since[event] = min(low, since.get(event, low))
    parts = []
    for low in sorted(set(since.values())):
        events = sorted(e for e, of in since.items() if of == low and e is not None)
        is_in = F.lit(True) if since.get(None) == low else F.col("event").isin(*events)
        parts.append(is_in & (F.col(moment) >= literal(low)) if low > datetime.min else is_in)
    return any_of(parts) & (F.col(moment) < literal(clock.end))
