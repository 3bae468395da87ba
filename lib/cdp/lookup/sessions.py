"""Who typed the token, until they leave, half a day is over or the server ends."""

import secrets
import threading
import time
from collections.abc import Callable

LASTS_SECONDS = 12 * 3600
_MOST = 1_000


class Sessions:
    """Random names that browsers hold in place of the token: who reads one does not get what outlives it.

    Args:
        clock: seconds; of the wall, so that time asleep counts.
        most: that are held at a time; the oldest ends for one more.
    """

    def __init__(self, clock: Callable[[], float] = time.time, most: int = _MOST) -> None:
        self._clock, self._most = clock, most
        self._end_by_name: dict[str, float] = {}
        self._lock = threading.Lock()

    def begin(self) -> str:
        """The name of a new one."""
        now, name = self._clock(), secrets.token_urlsafe(32)
        with self._lock:
            there = [(held, end) for held, end in self._end_by_name.items() if end > now]
            self._end_by_name = dict([*there, (name, now + LASTS_SECONDS)][-self._most :])
        return name

    def holds(self, name: str | None) -> bool:
        """Whether it has begun and not ended."""
        return name is not None and self._end_by_name.get(name, 0) > self._clock()

    def end(self, name: str | None) -> None:
        """Whoever holds a copy of it is outside."""
        with self._lock:
            self._end_by_name.pop(name or "", None)
