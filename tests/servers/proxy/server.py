"""The proxy itself: one thread for each connection, HTTP/1.1 with keep-alive."""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import struct
import sys
import threading
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from tests.servers.proxy.faults import Fault
from tests.servers.proxy.skew import Skew

_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "te", "upgrade"})

Headers = list[tuple[str, str]]
Answer = tuple[int, Headers, bytes]


@dataclass(frozen=True, slots=True)
class Passed:
    """One request as it came: `line` is method and path with query; `status` 0 = it got no answer."""

    line: str
    body: bytes
    status: int


class Proxy:
    """`with Proxy(server.url) as proxy: get(proxy.url + path)`; everything ends with the block.

    `skew`: the server's clock, as far as one can tell from what it says, is so much ahead of the true time.
    """

    def __init__(self, upstream: str, *, skew: timedelta = timedelta(0)) -> None:
        parts = urlsplit(upstream)
        self._address = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._skew = Skew(skew)
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
        """Let it strike the requests that it takes, after those that were added before."""
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
                if fault.takes(line, body):
                    if fault.spent:
                        self._waiting.remove(fault)
                    return fault
        return None

    def forward(self, method: str, path: str, headers: Headers, body: bytes) -> Answer:
        """What the server behind answers."""
        path, body = self._skew.asked(path), self._skew.asked_in(body)
        connection = http.client.HTTPConnection(*self._address, timeout=120)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                if name.lower() not in (*_HOP_BY_HOP, "accept-encoding"):
                    connection.putheader(name, value)
            connection.putheader("Connection", "close")
            connection.endheaders(body)
            answer = connection.getresponse()
            kept = [(n, v) for n, v in answer.getheaders() if n.lower() not in _HOP_BY_HOP]
            told = [(n, self._skew.told(v)) for n, v in kept if n.lower() != "content-length"]
            return answer.status, told, self._skew.told_in(answer.read())
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
    disable_nagle_algorithm = True
    server: _Server

    def handle_one_request(self) -> None:
        with contextlib.suppress(ConnectionError, BrokenPipeError):
            super().handle_one_request()
            return
        self.close_connection = True

    def finish(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            super().finish()

    def _handle(self) -> None:
        proxy = self.server.proxy
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        line = f"{self.command} {self.path}"
        fault = proxy.strike(line, body) or Fault("pass")
        answer: Answer | None = None
        if fault.forwards:
            headers = [(n, v) for n, v in self.headers.items() if n.lower() not in fault.without]
            answer = proxy.forward(self.command, self.path, headers, body)
        if fault.then is not None:
            proxy.add(fault.then)
        if fault.kind == "answer":
            told = [(name, value.replace("{path}", self.path)) for name, value in fault.headers.items()]
            answer = fault.status, told, fault.body.encode()
        elif fault.kind == "mangle" and answer is not None:
            answer = answer[0], answer[1], fault.mangle(answer[2])
        speaks = fault.kind in ("pass", "strip", "mangle", "answer")
        proxy.passed.append(Passed(line, body, answer[0] if answer is not None and speaks else 0))
        fault.reached.set()
        if speaks and answer is not None:
            self._answer(*answer)
        else:
            self._fail(fault, answer, body)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = _handle  # noqa: N815 - the base class's names

    def _fail(self, fault: Fault, answer: Answer | None, body: bytes) -> None:
        """Faults that leave no whole answer."""
        if fault.kind in ("truncate", "reset") and answer is not None:
            self._answer(*answer, cut=True)
        elif fault.kind == "hold":
            fault.hold()
            if fault.taken == "after":
                self.server.proxy.forward(self.command, self.path, list(self.headers.items()), body)
            fault.over.set()
        if fault.kind == "reset":  # closing without lingering sends RST instead of FIN
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.server.abandon(self.connection)
        else:
            self._close()
        self.close_connection = True

    def _answer(self, status: int, headers: Headers, body: bytes, *, cut: bool = False) -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[: len(body) // 2] if cut else body)

    def _close(self) -> None:
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
        if request in self._open:
            self._open.discard(request)
            super().shutdown_request(request)
        else:
            self.close_request(request)

    def abandon(self, request: Any) -> None:
        """It will be closed without being shut down first, which would tell its end in good order."""
        self._open.discard(request)

    def close_connections(self) -> None:
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away, killed by a test, is no error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)
