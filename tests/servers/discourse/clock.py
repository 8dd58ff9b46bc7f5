"""A clock that tests set; nothing in the stand-in reads the real one."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta


class Clock:
    """Stands still until told otherwise, except that writes may ask for moments of their own by `tick`."""

    def __init__(self, now: datetime) -> None:
        if now.tzinfo is None:
            raise ValueError("the clock needs an aware time")
        self._now = now.astimezone(UTC)
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        return self._now

    def advance(self, by: timedelta | float) -> datetime:
        """Move on by a duration or by seconds; returns the new time."""
        step = by if isinstance(by, timedelta) else timedelta(seconds=by)
        with self._lock:
            self._now += step
            return self._now

    def set(self, now: datetime) -> None:
        with self._lock:
            self._now = now.astimezone(UTC)

    def tick(self) -> datetime:
        """Move on by a millisecond, Discourse's resolution, so that no two events coincide."""
        return self.advance(timedelta(milliseconds=1))
