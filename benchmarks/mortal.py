"""Ordito, killed by itself at a chosen moment of its work.

    python -m benchmarks.mortal MOMENT NTH SECONDS LOG -- WORDS…

The program with those words, which SIGKILLs itself `SECONDS` after it has come to a moment for the `NTH`
time. A signal from outside, sent after so many seconds, would nearly always meet a program that starts or
reads. `LOG` gets a letter for every moment that it comes to, so that it can be said afterwards where it died.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from ordito.cli import main as ordito
from ordito.sync.outbox import attempts

MOMENTS = {"reads": "?", "decides": "d", "begun": "b", "asks": "a", "answered": "r", "recorded": "w"}
"""Each with its letter: a request that changes nothing · the decision to act · its attempt is written · the
request that acts goes out · its answer is there · the receipt is written."""


class Mortal:
    """Counts the moments, and dies when its time has come."""

    def __init__(self, moment: str, nth: int, seconds: float, log: int) -> None:
        self._moment, self._nth, self._seconds, self._log = moment, nth, seconds, log
        self._seen: Counter[str] = Counter()
        self._acting = False
        """Between an attempt and its receipt, before the first request."""

    def come_to(self, moment: str) -> None:
        os.write(self._log, MOMENTS[moment].encode())
        self._seen[moment] += 1
        if moment == self._moment and self._seen[moment] == self._nth:
            if self._seconds <= 0:
                _die()
            timer = threading.Timer(self._seconds, _die)
            timer.daemon = True
            timer.start()

    def begin(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def begin(*args: Any, **kwargs: Any) -> Any:
            self.come_to("decides")
            self._acting = True
            return real(*args, **kwargs)

        return begin

    def done(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def done(*args: Any, **kwargs: Any) -> Any:
            self._acting = False
            real(*args, **kwargs)
            self.come_to("recorded")

        return done

    def send(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def send(adapter: Any, request: requests.PreparedRequest, **kwargs: Any) -> Any:
            acts = self._acting and acting(request)
            if self._acting:
                self.come_to("begun")
            self.come_to("asks" if acts else "reads")
            response = real(adapter, request, **kwargs)
            response.content  # noqa: B018 - the answer is there when all of it is
            if acts:
                self.come_to("answered")
            return response

        return send


def acting(request: requests.PreparedRequest) -> bool:
    """Whether a request changes something: on a wiki, queries and the sign-in are POSTs as well."""
    body = request.body if isinstance(request.body, str) else (request.body or b"").decode("latin-1")
    reads = "action=query" in body or "action=login" in body
    return request.method != "GET" and not reads


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    moment, nth, seconds, log, _, *words = sys.argv[1:]
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    mortal = Mortal(moment, int(nth), float(seconds), os.open(log, flags, 0o600))
    attempts.begin = mortal.begin(attempts.begin)
    attempts.done = mortal.done(attempts.done)
    HTTPAdapter.send = mortal.send(HTTPAdapter.send)  # type: ignore[method-assign]
    ordito(words)


if __name__ == "__main__":
    main()
