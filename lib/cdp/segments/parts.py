"""What several kinds of condition have in common."""

import hashlib
import json
from datetime import datetime
from typing import Any, Literal

from pydantic import PositiveInt

from cdp.base.settings import Strict
from cdp.conditions.clock import Clock
from cdp.conditions.operators import Unit

_MICROS = {
    "week": 604_800_000_000,
    "day": 86_400_000_000,
    "hour": 3_600_000_000,
    "minute": 60_000_000,
    "second": 1_000_000,
}


class TimeWindow(Strict):
    """The last so many units up to the end of the run's date."""

    duration: PositiveInt
    """How many."""
    unit: Unit
    """year ... second."""

    def begin(self, clock: Clock) -> datetime:
        """From when on entries count."""
        return clock.ago(self.duration, self.unit)


class TimeBox(Strict):
    """So much time and no more. Of units that always last as long."""

    duration: PositiveInt
    """How many."""
    unit: Literal["week", "day", "hour", "minute", "second"]
    """week ... second."""

    @property
    def micros(self) -> int:
        """Its length in microseconds."""
        return self.duration * _MICROS[self.unit]


def digest(value: Any) -> str:
    """A short hash of what JSON holds."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]
