"""The pace at which one site is asked."""

from __future__ import annotations

BURST = 10
"""At most so many requests in one go after a pause: a run with nothing to do does not wait at all."""

CAUTION = 600.0
"""Seconds for which the pace stays halved after a site has said that it was too fast."""


class Bucket:
    """A token bucket: `per_minute` requests flow in, at most BURST (a third of a minute's) lie ready.

    The caller gives the time in seconds on a clock that never goes back; nothing here waits by itself.
    Discourse has one budget of 60 requests a minute for all integrations of a site together, so half of
    it is the default, and a 429 means that others need it too.
    """

    def __init__(self, per_minute: float) -> None:
        if per_minute <= 0:
            raise ValueError("the pace must be above 0 requests a minute")
        self._rate = per_minute / 60
        self._room = max(1.0, min(float(BURST), per_minute / 3))
        self._tokens = self._room
        self._at: float | None = None
        self._careful_until = float("-inf")

    def take(self, now: float) -> float:
        """Take one request; answers how many seconds to wait before sending it (0: at once)."""
        self._flow(now)
        self._tokens -= 1
        return max(0.0, -self._tokens / self._rate_at(now))

    def slow_down(self, now: float) -> None:
        """The site was too fast asked: nothing lies ready any more, and the pace is halved for a while."""
        self._flow(now)
        self._tokens = min(self._tokens, 0.0)
        self._careful_until = now + CAUTION

    def _rate_at(self, now: float) -> float:
        return self._rate / 2 if now < self._careful_until else self._rate

    def _flow(self, now: float) -> None:
        if self._at is not None and now > self._at:
            careful = max(0.0, min(now, self._careful_until) - self._at)
            gained = (now - self._at - careful / 2) * self._rate
            self._tokens = min(self._room, self._tokens + gained)
        self._at = now if self._at is None else max(now, self._at)
