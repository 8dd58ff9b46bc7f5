"""A brake on guessing: who failed to sign in too often has to wait."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

LIMIT = 10
SPAN = timedelta(minutes=10)
_ADDRESSES = 10_000  # so many are remembered; the oldest go first


@dataclass(slots=True)
class Failures:
    """At most `LIMIT` failed attempts from one address within `SPAN`."""

    _times: dict[str, deque[datetime]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def too_many(self, address: str, now: datetime) -> bool:
        with self._lock:
            times = self._times.get(address)
            while times and times[0] <= now - SPAN:
                times.popleft()
            return times is not None and len(times) >= LIMIT

    def add(self, address: str, now: datetime) -> None:
        with self._lock:
            times = self._times.pop(address, None) or deque(maxlen=LIMIT)
            times.append(now)
            self._times[address] = times  # the latest stand last
            while len(self._times) > _ADDRESSES:
                del self._times[next(iter(self._times))]
