"""What may happen to a request or its answer, and which requests it happens to."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

BAD_GATEWAY = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n"
    "<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n"
)
HTML = {"Content-Type": "text/html; charset=utf-8"}


@dataclass(slots=True)
class Fault:
    """What happens to requests whose line or body matches `pattern` (a regular expression).

    kind: "drop" closes the connection without a word; "reset" breaks it, in the middle of the answer if there
    is one; "truncate" sends half of the answer and closes; "answer" gives `status`, `headers` and `body`, in
    which `{path}` stands for the path and query that were asked for; "mangle" sends the true answer after
    `mangle` did something to its body; "strip" keeps the headers named in `without` from the server; "hold"
    waits for `release()` and then closes; "pass" does nothing. `then`: the fault that waits from then on, the
    next request being the first that it may strike.

    `taken`: whether the server behind gets the request: "before" the fault strikes, "after" it (only for
    "hold": upon its release), or "never".

    Which of those that match: the first `spare` pass, and of the others every `one_in`-th is struck, until
    `times` were (None: all of them, until it is removed).
    """

    kind: Literal["pass", "drop", "reset", "truncate", "answer", "mangle", "strip", "hold"]
    pattern: str = ""
    taken: Literal["before", "after", "never"] = "never"
    times: int | None = 1
    spare: int = 0
    one_in: int = 1
    status: int = 502
    body: str = BAD_GATEWAY
    headers: dict[str, str] = field(default_factory=lambda: dict(HTML))
    mangle: Callable[[bytes], bytes] = bytes
    without: tuple[str, ...] = ()
    then: Fault | None = None
    struck: int = 0
    met: int = 0
    """How many requests matched so far."""
    reached: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)
    """Set when a request that was held has been dealt with."""
    _released: threading.Event = field(default_factory=threading.Event)

    def takes(self, line: str, body: bytes) -> bool:
        """Whether it strikes this request, which is counted if it matches."""
        if self.spent or re.search(self.pattern, f"{line}\n{body.decode('latin-1')}") is None:
            return False
        self.met += 1
        beyond = self.met - self.spare
        if beyond <= 0 or (beyond - 1) % self.one_in:
            return False
        self.struck += 1
        return True

    @property
    def spent(self) -> bool:
        return self.times is not None and self.struck >= self.times

    @property
    def forwards(self) -> bool:
        """Whether the server behind gets the request at once."""
        return self.kind in ("pass", "mangle", "strip") or self.taken == "before"

    def release(self) -> None:
        """Let go what is held."""
        self._released.set()

    def hold(self) -> None:
        self._released.wait()
