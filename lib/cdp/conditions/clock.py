"""Moments of a rule, worked out once from the run's date. All are UTC; a day ends where the next begins."""

import calendar
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

_SECONDS = {"week": 604_800, "day": 86_400, "hour": 3_600, "minute": 60, "second": 1}
_MONTHS = {"year": 12, "quarter": 3, "month": 1}


@dataclass(frozen=True)
class Clock:
    """The run's date as rules see it."""

    as_of: date

    @property
    def start(self) -> datetime:
        """Begin of the run's date."""
        return datetime(self.as_of.year, self.as_of.month, self.as_of.day)

    @property
    def end(self) -> datetime:
        """End of the run's date, exclusive: `now` for every rule."""
        return self.start + timedelta(days=1)

    def ago(self, count: int, unit: str) -> datetime:
        """So many units before `end`."""
        return shift(self.end, -count, unit)

    def ahead(self, count: int, unit: str) -> datetime:
        """So many units after `end`."""
        return shift(self.end, count, unit)


def shift(at: datetime, count: int, unit: str) -> datetime:
    """`at` moved by calendar units; a day that the month does not have becomes its last one."""
    if unit in _SECONDS:
        return at + timedelta(seconds=count * _SECONDS[unit])
    months = at.year * 12 + at.month - 1 + count * _MONTHS[unit]
    year, month = divmod(months, 12)
    return at.replace(year=year, month=month + 1, day=min(at.day, calendar.monthrange(year, month + 1)[1]))


def moment(text: str) -> date | datetime | None:
    """A date or time written in ISO 8601; None if it is none. Without a zone it is UTC."""
    try:
        if len(text) == 10:
            return date.fromisoformat(text)
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return found.astimezone(timezone.utc).replace(tzinfo=None) if found.tzinfo else found
