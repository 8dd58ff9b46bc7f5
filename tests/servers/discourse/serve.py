"""Serving a forum on a real socket: HTTP/1.1 with keep-alive, one thread for each connection.

werkzeug's own server closes every connection and would hide what a client's session does, hence this handler.
"""

from __future__ import annotations

import contextlib
import io
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote
from wsgiref.types import WSGIApplication, WSGIEnvironment

from .acting import Person
from .app import App
from .clock import Clock
from .dialect import Dialect
from .faults import Entry, Faults
from .forum import Forum
from .records import User

API_KEY = "5ad7a2c4" * 8  # an all-users key, the same for every stand-in


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else head and body of an answer wait for each other
    wbufsize = -1
    server: _Server

    def handle_one_request(self) -> None:
        try:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline:
                self.close_connection = True
                return
            if self.parse_request():
                self._answer()
                self.wfile.flush()
        except (ConnectionError, TimeoutError, ValueError):
            self.close_connection = True

    def finish(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            super().finish()

    def _answer(self) -> None:
        head: dict[str, Any] = {}

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            head["status"], head["headers"] = status, headers
            return None

        environ = self._environ()
        chunks = self.server.app(environ, start_response)
        data = b"".join(chunks)
        code, _, reason = head["status"].partition(" ")
        self.send_response_only(int(code), reason)
        names = {name.lower() for name, _ in head["headers"]}
        for name, value in head["headers"]:
            self.send_header(name, value)
        if "content-length" not in names:
            self.send_header("Content-Length", str(len(data)))
        if self.close_connection and "connection" not in names:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _environ(self) -> WSGIEnvironment:
        path, _, query = self.path.partition("?")
        length = int(self.headers.get("Content-Length") or 0)
        host, port = self.server.server_address[0], self.server.server_address[1]
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(path, "latin-1"),
            "QUERY_STRING": query,
            "REMOTE_ADDR": self.client_address[0],
            "SERVER_NAME": str(host),
            "SERVER_PORT": str(port),
            "SERVER_PROTOCOL": self.request_version,
            "CONTENT_LENGTH": str(length),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(self.rfile.read(length) if length else b""),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "standin.socket": self.connection,
        }
        if "Content-Type" in self.headers:
            environ["CONTENT_TYPE"] = self.headers["Content-Type"]
        for name, value in self.headers.items():
            environ.setdefault("HTTP_" + name.upper().replace("-", "_"), value)
        return environ

    def log_message(self, format: str, *args: Any) -> None:
        """Tests read `requests` instead."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, app: WSGIApplication, port: int) -> None:
        self.app = app
        self.open: set[socket.socket] = set()
        self.accepted = 0
        super().__init__(("127.0.0.1", port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.open.add(request)
        self.accepted += 1
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error; anything else belongs on the terminal."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class DiscourseServer:
    """A running stand-in: `with DiscourseServer(forum) as server: get(server.url + "/about.json")`."""

    def __init__(self, forum: Forum | None = None, *, dialect: Dialect | str = "2021", port: int = 0) -> None:
        self.forum = forum if forum is not None else Forum(dialect=dialect)
        self.app = App(self.forum)
        self.api_key = API_KEY
        if API_KEY not in self.forum.keys:
            self.forum.add_key(API_KEY, description="all users")
        self._server = _Server(self.app, port)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def clock(self) -> Clock:
        return self.forum.clock

    @property
    def faults(self) -> Faults:
        return self.app.faults

    @property
    def connections(self) -> int:
        """How many were accepted so far."""
        return self._server.accepted

    @property
    def requests(self) -> list[Entry]:
        return self.app.requests

    def headers(self, username: str = "system") -> dict[str, str]:
        """What a client must send to act as somebody."""
        return {"Api-Key": self.api_key, "Api-Username": username, "Accept": "application/json"}

    def count(self, method: str | None = None, path: str = "", since: int = 0) -> int:
        """How many requests were received, of a method, with a text in the path, from the `since`-th on."""
        return sum(1 for e in self.requests[since:] if method in (None, e.method) and path in e.path)

    def key_for(self, username: str) -> str:
        """A new key that is bound to one user."""
        user = self.forum.user(username)
        if user is None:
            raise KeyError(username)
        key = self.forum.new_secret()
        self.forum.add_key(key, user, f"for {username}")
        return key

    def as_user(self, name: str | User) -> Person:
        """Act as somebody in the browser: topics, replies, likes … without requests and limits."""
        return Person(self.forum, name)

    def start(self) -> DiscourseServer:
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close the port and every connection, and let hanging requests go."""
        self.faults.clear()
        self._server.shutdown()
        for connection in list(self._server.open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> DiscourseServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
