"""Which entries any rule of a run can ask for: what is quickly told, ahead of all that is worked out of an entry."""

from collections.abc import Iterable
from datetime import datetime

from pyspark.sql import Column
from pyspark.sql import functions as F

from cdp.conditions.clock import Clock
from cdp.conditions.holds import any_of, literal


def may_count(asked: Iterable[tuple[Iterable[str], datetime | None]], clock: Clock, moment: str = "occurred_at") -> Column:
    """Whether an entry is of an event and time that something asks for.

    One comparison for all events that are asked for as far back, so that the code stays small enough for Java to compile.

    Args:
        asked: names of events, none for any, and from when on they count, None for ever.
        clock: the run's date, whose end is the end of what counts.
        moment: column of when an entry was.
    """
    since: dict[str | None, datetime] = {}
    for events, low in asked:
        for event in tuple(events) or (None,):
            since[event] = min(low or datetime.min, since.get(event, datetime.max))
    parts = []
    for low in sorted(set(since.values())):
        events = sorted(e for e, of in since.items() if of == low and e is not None)
        is_in = F.lit(True) if since.get(None) == low else F.col("event").isin(*events)
        parts.append(is_in & (F.col(moment) >= literal(low)) if low > datetime.min else is_in)
    return any_of(parts) & (F.col(moment) < literal(clock.end))
