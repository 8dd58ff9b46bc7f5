"""A short way to the stand-in: its WSGI application is called by the client's session itself, without sockets
and threads, which take most of the time of a test with thousands of small forums."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from ordito.connectors.discourse.connector import DiscourseConnector
from tests.servers.discourse.app import App


class Shortcut(BaseAdapter):
    """Takes the place of `requests`' way to the network."""

    def __init__(self, app: App) -> None:
        super().__init__()
        self._app = app

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        head: dict[str, Any] = {}

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            head["status"], head["headers"] = status, headers
            return lambda data: None

        content = b"".join(self._app(_environ(request), start))
        code, _, reason = head["status"].partition(" ")
        answer = requests.Response()
        answer.status_code, answer.reason, answer.encoding = int(code), reason, "utf-8"
        answer.headers = CaseInsensitiveDict(head["headers"])
        answer.url, answer.request, answer._content = str(request.url), request, content
        return answer

    def close(self) -> None:
        pass


def take_shortcut(connector: DiscourseConnector, app: App) -> DiscourseConnector:
    """The same connector, no longer over the network."""
    connector._client.session.mount("http://", Shortcut(app))
    return connector


def _environ(request: requests.PreparedRequest) -> dict[str, Any]:
    parts = urlsplit(str(request.url))
    body = request.body or b""
    body = body.encode() if isinstance(body, str) else bytes(body)
    headers: Mapping[str, str] = request.headers
    return {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(parts.path, "latin-1"),
        "QUERY_STRING": parts.query,
        "SERVER_NAME": parts.hostname,
        "SERVER_PORT": str(parts.port or 80),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_HOST": parts.netloc,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
    }
