"""Faults that tests order for coming requests, and the log of what was asked."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal
from wsgiref.types import StartResponse, WSGIEnvironment

from werkzeug.wrappers import Request, Response

from .call import JSON_TYPE

BAD_GATEWAY = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n"
    "<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n"
    "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One request as it was received; `status` 0 means that no answer was sent."""

    method: str
    path: str
    query: str
    user: str | None
    params: dict[str, Any]
    status: int
    headers: dict[str, str]

    @classmethod
    def of(cls, request: Request, user: str | None, params: dict[str, Any], status: int) -> Entry:
        query = request.query_string.decode("latin-1")
        return cls(request.method, request.path, query, user, params, status, dict(request.headers))


@dataclass(slots=True)
class Fault:
    """What happens to the next matching request instead of the usual.

    kind: "answer" gives `status`, `body`, `headers`; "drop" closes the connection without a word; "truncate"
    sends half of the usual (or given) body and closes; "hang" does not answer until `release()` is called,
    and closes then.
    `carried_out`: the request takes effect before the fault strikes.
    `spare`: so many matching requests pass first.
    """

    kind: Literal["answer", "drop", "truncate", "hang"] = "answer"
    method: str | None = None
    path: str = ""  # regular expression, searched in the path
    times: int = 1
    carried_out: bool = False
    spare: int = 0
    status: int | None = None
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    struck: int = 0
    reached: threading.Event = field(default_factory=threading.Event)
    _released: threading.Event = field(default_factory=threading.Event)

    def matches(self, method: str, path: str) -> bool:
        return (self.method is None or self.method == method) and re.search(self.path, path) is not None

    def release(self) -> None:
        """Let requests go that hang."""
        self._released.set()

    def play(self, environ: WSGIEnvironment, start: StartResponse, usual: Response | None) -> Iterable[bytes]:
        self.reached.set()
        if self.kind == "answer":
            headers = {"Content-Type": "text/html; charset=utf-8"} | self.headers
            return Response(self.body, self.status or 502, headers=headers)(environ, start)
        if self.kind == "hang":
            self._released.wait()
        if self.kind == "truncate":
            whole = usual.get_data() if usual is not None else self.body.encode()
            headers = {"Content-Type": JSON_TYPE} if usual is None else dict(usual.headers)
            cut = Response(whole[: len(whole) // 2], self.status or 200, headers=headers)
            cut.headers["Content-Length"] = str(len(whole))
            cut.headers["Connection"] = "close"
            cut.automatically_set_content_length = False
            return cut(environ, start)
        return _drop(environ)


def _drop(environ: WSGIEnvironment) -> Iterable[bytes]:
    """Close the connection under the server, which takes the error for the client's doing."""
    connection: socket.socket = environ["standin.socket"]
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionResetError("dropped by a fault")


class Faults:
    """The faults that wait for their request, first come first served."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []
        self._struck: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> Fault:
        self.waiting.append(fault)
        return fault

    def bad_gateway(
        self, path: str = "", *, method: str | None = None, times: int = 1, status: int = 502
    ) -> Fault:
        """nginx in front of a server that restarts: HTML."""
        body = BAD_GATEWAY.replace("502 Bad Gateway", {502: "502 Bad Gateway"}.get(status, f"{status} Error"))
        return self.add(Fault(method=method, path=path, times=times, status=status, body=body))

    def drop(
        self, path: str = "", *, method: str | None = None, after: bool = False, times: int = 1
    ) -> Fault:
        """Close the connection before the request takes effect, or after."""
        return self.add(Fault("drop", method=method, path=path, times=times, carried_out=after))

    def truncate(self, path: str = "", *, method: str | None = None, times: int = 1) -> Fault:
        return self.add(Fault("truncate", method=method, path=path, times=times, carried_out=True))

    def hang(
        self, path: str = "", *, method: str | None = None, after: bool = False, times: int = 1
    ) -> Fault:
        """Never answer (until `release()`); with `after` the request takes effect all the same."""
        return self.add(Fault("hang", method=method, path=path, times=times, carried_out=after))

    def answer(self, path: str = "", **what: Any) -> Fault:
        """Give another answer: status, body, headers, method, times, carried_out."""
        return self.add(Fault("answer", path=path, **what))

    def match(self, method: str, path: str) -> Fault | None:
        with self._lock:
            for fault in self.waiting:
                if fault.matches(method, path):
                    if fault.spare:
                        fault.spare -= 1
                        continue
                    fault.struck += 1
                    self._struck.append(fault)
                    if fault.struck >= fault.times:
                        self.waiting.remove(fault)
                    return fault
        return None

    def clear(self) -> None:
        """Forget what waits and let go what hangs."""
        for fault in [*self.waiting, *self._struck]:
            fault.release()
        self.waiting.clear()
