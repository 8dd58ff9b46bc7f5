"""The forms that a fault takes on the wire, for both platforms; each is told by what the real servers send.

`lasting` is the kind of the error (`OrditoError.kind`) that a sync ends with if the fault does not go away,
`words` what its message says. `passing`: a sync gets over it if only now and then a request is struck.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tests.servers.proxy.faults import HTML, Fault

_JSON = {"Content-Type": "application/json; charset=utf-8"}


@dataclass(frozen=True)
class Shape:
    """`what` are arguments of `Fault`."""

    name: str
    what: dict[str, Any]
    lasting: str = "unreachable"
    words: str = ""
    passing: bool = True
    slow: bool = field(default=False, kw_only=True)
    """It takes a client's time-out to notice."""

    @property
    def leaves_open(self) -> bool:
        """Whether it is an answer that may come although the server has done what was asked."""
        body = str(self.what.get("body", ""))
        faulty = self.what.get("status", 0) >= 500 or "<!doctype" in body or "internal_api_error" in body
        return self.what["kind"] == "answer" and faulty and "read_only" not in body

    def fault(self, **which: Any) -> Fault:
        """A fault of this form; `which` says what it strikes."""
        return Fault(**self.what, **which)


def _answer(
    status: int, body: Any = "", headers: dict[str, str] | None = None, **more: str
) -> dict[str, Any]:
    """Text goes out as HTML, anything else as JSON, unless `headers` are given; `more` are added."""
    kind = HTML if isinstance(body, str) else _JSON
    told = {name.replace("_", "-"): value for name, value in more.items()}
    text = body if isinstance(body, str) else json.dumps(body)
    told = {**(kind if headers is None else headers), **told}
    return {"kind": "answer", "status": status, "body": text, "headers": told}


def _page(status: int, title: str) -> str:
    head = f"<html>\r\n<head><title>{status} {title}</title></head>\r\n<body>\r\n"
    return f"{head}<center><h1>{status} {title}</h1></center><hr><center>nginx</center>\r\n</body>\r\n</html>"


def _half(body: bytes) -> bytes:
    return body[: len(body) // 2]


def _nothing(body: bytes) -> bytes:
    return b""


NETWORK = [
    Shape("dropped before it was taken", {"kind": "drop"}, words="connection broke"),
    Shape("dropped after it was taken", {"kind": "drop", "taken": "before"}, words="connection broke"),
    Shape("reset before it was taken", {"kind": "reset"}, words="connection broke"),
    Shape("reset within the answer", {"kind": "reset", "taken": "before"}, words="broke|incomplete"),
    Shape("closed within the answer", {"kind": "truncate", "taken": "before"}, words="broke|incomplete"),
    Shape("not answered in time", {"kind": "hold"}, words="no answer within", slow=True),
    Shape(
        "taken and not answered in time", {"kind": "hold", "taken": "before"}, words="no answer within",
        slow=True,
    ),
    Shape("half of a JSON text", {"kind": "mangle", "mangle": _half}, words="broken off|not JSON"),
    Shape("nothing at all", {"kind": "mangle", "mangle": _nothing}, words="broken off|not JSON|empty"),
    Shape("a page with status 200", _answer(200, "<!doctype html><title>Back soon</title>"),
          words="text/html|not JSON"),
    Shape("bad gateway", _answer(502, _page(502, "Bad Gateway")), words="502 Bad Gateway"),
    Shape("unavailable", _answer(503, _page(503, "Service Unavailable"), Retry_After="20"), words="503"),
    Shape("unavailable for long", _answer(503, _page(503, "Service Unavailable"), Retry_After="7200"),
          words="503", passing=False),
    Shape("gateway time-out", _answer(504, _page(504, "Gateway Time-out")), words="504"),
    Shape("too fast for nginx", _answer(429, _page(429, "Too Many Requests")), "rate-limited", "wait 11 s"),
    Shape("too fast, and when", _answer(429, "", {}, Retry_After="9"), "rate-limited", "wait 9 s"),
    Shape("too fast for today", _answer(429, "", {}, Retry_After="40000"), "rate-limited", "wait 40000 s",
          passing=False),
    Shape("moved on the same host", _answer(302, "", Location="{path}"), "not-this-platform", "in a circle"),
    Shape("moved to another host", _answer(301, "", Location="https://forum.example.org{path}"),
          "not-this-platform", r"redirects to https://forum\.example\.org\. ", passing=False),
    Shape("moved to https", _answer(301, "", Location="https://127.0.0.1{path}"),
          "not-this-platform", r"redirects to https://127\.0\.0\.1\. ", passing=False),
]  # fmt: skip
"""What happens before any server."""

_TOO_MANY = {
    "errors": ["You’ve performed this action too many times. Please wait 7 seconds before trying again."],
    "error_type": "rate_limit",
    "extras": {"wait_seconds": 7, "time_left": "7 seconds"},
}
_NOT_LOGGED_IN = {"errors": ["You need to be logged in to do that."], "error_type": "not_logged_in"}
_BAD_KEY = {
    "errors": ["You are not permitted to view the requested resource. The API username or key is invalid."],
    "error_type": "invalid_access",
}
_READ_ONLY = {"errors": ["The site is in read only mode. Interactions are disabled."],
              "error_type": "read_only"}  # fmt: skip

FORUM = [
    Shape("too fast for the key", _answer(429, _TOO_MANY, Retry_After="7"), "rate-limited", "wait 7 s"),
    Shape("too fast, told in the body only", _answer(429, _TOO_MANY), "rate-limited", "wait 7 s"),
    Shape("too fast for the address", _answer(429, "Slow down, too many requests from this IP address", {},
          Retry_After="10"), "rate-limited", "wait 10 s"),
    Shape("too many searches", _answer(429, {"failed": "FAILED", "message": "Please wait."}),
          "rate-limited", "wait 11 s"),
    Shape("a fault of the application", _answer(500, {"errors": ["Oops"]}), words="500"),
    Shape("read-only, even for reading", _answer(503, _READ_ONLY, Discourse_Readonly="true"), words="503"),
    Shape("not logged in", _answer(403, _NOT_LOGGED_IN), "sign-in-failed", "does not accept the key"),
    Shape("a key that is not accepted", _answer(403, _BAD_KEY), "sign-in-failed", "does not accept the key"),
    Shape("a key that got lost", {"kind": "strip", "without": ("api-key",)}, "sign-in-failed",
          "does not accept the key"),
    Shape("a firewall's page", _answer(403, "<h1>Blocked</h1>"), "misconfigured", "before the forum"),
]  # fmt: skip
"""What a Discourse says, api.discourse.org and its own source."""


def _error(code: str, info: str, *, retry_after: str = "", **more: Any) -> dict[str, Any]:
    """An error of MediaWiki's API: status 200, and a header that names it."""
    headers = {**_JSON, "MediaWiki-API-Error": code} | ({"Retry-After": retry_after} if retry_after else {})
    body = {"error": {"code": code, "info": info, **more, "docref": "See the API's help."}}
    return _answer(200, body, headers)


WIKI = [
    Shape("lagging", _error("maxlag", "Waiting for db1: 7.5 seconds lagged.", retry_after="5", lag=7.5,
          host="db1", type="db"), "rate-limited", "lagging"),
    Shape("rate limited", _error("ratelimited", "You've exceeded your rate limit."), "rate-limited", "pace"),
    Shape("read-only, even for reading", _error("readonly", "The wiki is read-only.",
          readonlyreason="Moving house"), "read-only", "Moving house", passing=False),
    Shape("session forgotten", _error("assertuserfailed", "You are no longer logged in."),
          "sign-in-failed", "session"),
    Shape("session of another", _error("assertnameduserfailed", "You are no longer logged in as Ordito."),
          "sign-in-failed", "session"),
    Shape("token not accepted", _error("badtoken", "Invalid CSRF token."), "sign-in-failed", "session"),
    Shape("cookies lost", {"kind": "strip", "without": ("cookie",)}, "sign-in-failed", "session|accept"),
    Shape("database away", _error("internal_api_error_DBConnectionError", "Caught exception of type."),
          words="DBConnectionError"),
    Shape("a fault of PHP", _answer(500, {"error": {"code": "internal_api_error_Error", "info": "Oops"}}),
          words="500"),
    Shape("a firewall's page", _answer(403, "<h1>Blocked</h1>"), "misconfigured", "in front of the wiki",
          passing=False),
]  # fmt: skip
"""What a MediaWiki says, https://www.mediawiki.org/wiki/API:Errors_and_warnings."""
