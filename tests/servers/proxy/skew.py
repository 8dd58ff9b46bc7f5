"""A server whose clock is wrong: all times that it tells are off, and those that it is asked for as well."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime

_ISO = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d(?::|%3A)\d\d(?::|%3A)\d\d)((?:\.\d+)?Z)")
_DATE = re.compile(r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT")


@dataclass(frozen=True, slots=True)
class Skew:
    """`ahead`: by so much the clock is fast. Times in the form of ISO 8601 and of HTTP's Date are moved."""

    ahead: timedelta

    def asked(self, path: str) -> str:
        """A path and query as the server should get it."""
        return _moved(path.encode("latin-1"), -self.ahead).decode("latin-1")

    def asked_in(self, body: bytes) -> bytes:
        return _moved(body, -self.ahead)

    def told_in(self, body: bytes) -> bytes:
        """A body as the server with the wrong clock would have sent it."""
        return _moved(body, self.ahead)

    def told(self, value: str) -> str:
        """The value of a header."""
        if not self.ahead:
            return value
        return _DATE.sub(
            lambda m: format_datetime(parsedate_to_datetime(m[0]) + self.ahead, usegmt=True), value
        )


def _moved(text: bytes, by: timedelta) -> bytes:
    if not by:
        return text

    def move(found: re.Match[bytes]) -> bytes:
        plain = found[1].replace(b"%3A", b":").decode()
        moved = (datetime.fromisoformat(plain) + by).isoformat(timespec="seconds").encode()
        return (moved.replace(b":", b"%3A") if b"%3A" in found[1] else moved) + found[2]

    return _ISO.sub(move, text)
