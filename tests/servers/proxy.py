"""A proxy on a real socket that does to requests what networks and servers in between do to them.

It stands before any HTTP server on loopback; faults strike the requests that match them, first come first
served, and everything else passes as it is.
"""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import urlsplit

BAD_GATEWAY = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n"
    "<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n"
)
_HTML = {"Content-Type": "text/html; charset=utf-8"}
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "te", "upgrade"})


@dataclass(frozen=True, slots=True)
class Passed:
    """One request as it came: `line` is method and path with query; `status` 0 = it got no answer."""

    line: str
    body: bytes
    status: int


@dataclass(slots=True)
class Fault:
    """What happens to the next requests whose line or body matches `pattern` (a regular expression).

    kind: "drop" closes the connection without a word, "truncate" sends half of the answer and closes,
    "answer" gives `status`, `headers` and `body`, "hold" waits for `release()` and then closes; "pass" does
    nothing. `then`: the fault that waits from then on, the next request being the first that it may strike.
    `taken`: whether the server behind gets the request: "before" the fault strikes, "after" it (only for
    "hold": upon its release), or "never".
    """

    kind: Literal["pass", "drop", "truncate", "answer", "hold"]
    pattern: str = ""
    taken: Literal["before", "after", "never"] = "never"
    times: int = 1
    status: int = 502
    body: str = BAD_GATEWAY
    headers: dict[str, str] = field(default_factory=lambda: dict(_HTML))
    then: Fault | None = None
    struck: int = 0
    reached: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)
    """Set when a request that was held has been dealt with."""
    _released: threading.Event = field(default_factory=threading.Event)

    def matches(self, line: str, body: bytes) -> bool:
        return re.search(self.pattern, f"{line}\n{body.decode('latin-1')}") is not None

    def release(self) -> None:
        """Let go what is held."""
        self._released.set()

    def hold(self) -> None:
        self._released.wait()


class Proxy:
    """`with Proxy(server.url) as proxy: get(proxy.url + path)`; everything ends with the block."""

    def __init__(self, upstream: str) -> None:
        parts = urlsplit(upstream)
        self._address = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []
        self._all: list[Fault] = []
        self.passed: list[Passed] = []
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def add(self, fault: Fault) -> Fault:
        """Let it strike the next request that it matches, after those that were added before."""
        with self._lock:
            self._waiting.append(fault)
            self._all.append(fault)
        return fault

    def clear(self) -> None:
        """Forget the faults that wait, and let go what is held."""
        with self._lock:
            self._waiting.clear()
            every = list(self._all)
        for fault in every:
            fault.release()

    def count(self, pattern: str) -> int:
        """How many requests came whose line or body matches."""
        return sum(
            re.search(pattern, f"{p.line}\n{p.body.decode('latin-1')}") is not None for p in self.passed
        )

    def strike(self, line: str, body: bytes) -> Fault | None:
        """The fault for this request; None = it passes."""
        with self._lock:
            for fault in self._waiting:
                if fault.matches(line, body):
                    fault.struck += 1
                    if fault.struck >= fault.times:
                        self._waiting.remove(fault)
                    return fault
        return None

    def forward(
        self, method: str, path: str, headers: list[tuple[str, str]], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """What the server behind answers."""
        connection = http.client.HTTPConnection(*self._address, timeout=120)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                if name.lower() not in _HOP_BY_HOP:
                    connection.putheader(name, value)
            connection.putheader("Connection", "close")
            connection.endheaders(body)
            answer = connection.getresponse()
            kept = [(n, v) for n, v in answer.getheaders() if n.lower() not in _HOP_BY_HOP]
            return answer.status, [(n, v) for n, v in kept if n.lower() != "content-length"], answer.read()
        finally:
            connection.close()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clear()
        self._server.shutdown()
        self._server.close_connections()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def handle_one_request(self) -> None:
        with contextlib.suppress(ConnectionError, BrokenPipeError):
            super().handle_one_request()
            return
        self.close_connection = True

    def _handle(self) -> None:
        proxy = self.server.proxy
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        line = f"{self.command} {self.path}"
        fault = proxy.strike(line, body)
        headers = list(self.headers.items())
        answer: tuple[int, list[tuple[str, str]], bytes] | None = None
        passes = fault is None or fault.kind == "pass"
        if passes or (fault is not None and fault.taken == "before"):
            answer = proxy.forward(self.command, self.path, headers, body)
        if fault is not None and fault.then is not None:
            proxy.add(fault.then)
        if passes and answer is not None:
            proxy.passed.append(Passed(line, body, answer[0]))
            self._answer(*answer)
            return
        assert fault is not None
        proxy.passed.append(Passed(line, body, fault.status if fault.kind == "answer" else 0))
        fault.reached.set()
        if fault.kind == "answer":
            self._answer(fault.status, list(fault.headers.items()), fault.body.encode())
        elif fault.kind == "truncate" and answer is not None:
            self._answer(*answer, cut=True)
        elif fault.kind == "hold":
            fault.hold()
            if fault.taken == "after":
                proxy.forward(self.command, self.path, headers, body)
            fault.over.set()
        if fault.kind != "answer":
            self._close()

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = _handle  # noqa: N815 - the base class's names

    def _answer(
        self, status: int, headers: list[tuple[str, str]], body: bytes, *, cut: bool = False
    ) -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[: len(body) // 2] if cut else body)

    def _close(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: Any) -> None:
        """Tests read `passed` instead."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away, killed by a test, is no error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)
