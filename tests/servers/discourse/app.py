"""The WSGI application: from a request to an answer, with everything that stands before the views.

The gates stand in this order: faults of the test, limit of the address, key and user, limit of the key, state
of the user, read-only mode, route.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from . import (
    views_actions,
    views_admin,
    views_changes,
    views_connect,
    views_explorer,
    views_groups,
    views_lists,
    views_logs,
    views_people,
    views_posts,
    views_review,
    views_search,
    views_site,
    views_structure,
    views_topics,
)
from .call import BAD_REQUEST, HTML_TYPE, ROUTES, TEXT_TYPE, Call, Reply, parse_pairs
from .errors import BAD_KEY, Crash, Refused, errors, forbidden, not_found
from .faults import Entry, Faults
from .forum import Forum
from .limits import Window, limited
from .records import ApiKey, User

VIEWS = (
    views_actions,
    views_admin,
    views_changes,
    views_connect,
    views_explorer,
    views_groups,
    views_lists,
    views_logs,
    views_people,
    views_posts,
    views_review,
    views_search,
    views_site,
    views_structure,
    views_topics,
)
SLOW_DOWN = "Slow down, too many requests from this IP address"
SECURITY = {
    "X-Frame-Options": "SAMEORIGIN",
    "X-XSS-Protection": "1; mode=block",
    "X-Content-Type-Options": "nosniff",
    "X-Download-Options": "noopen",
    "X-Permitted-Cross-Domain-Policies": "none",
    "Referrer-Policy": "strict-origin-when-cross-origin",
}
NEVER_HTML = (  # routes that answer a browser as they answer a program
    "",
    "connect/login",
    "posts/markdown_id",
    "posts/markdown_num",
    "session/sso_provider",
)
SCOPES = {
    "topics:read": ("topics/show", "topics/posts", "topics/show_by_external_id"),
    "topics:read_lists": ("list/", "tags/show"),
    "topics:write": ("posts/create",),
}


class App:
    """One site as a WSGI application."""

    def __init__(self, forum: Forum) -> None:
        self.forum = forum
        self.faults = Faults()
        self.requests: list[Entry] = []  # what was asked, oldest first
        self.before_each: Callable[[], None] | None = None  # what happens when a request has come in
        self._routes = _routes()
        self._keys = Window(60)
        self._minute = Window(60, aggressive=True)
        self._ten_seconds = Window(10, aggressive=True)

    def reset_limits(self) -> None:
        """Forget all requests that were counted."""
        for window in (self._keys, self._minute, self._ten_seconds, self.forum.searches, self.forum.prints):
            window.clear()
        self.forum.last_made.clear()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        if self.before_each is not None:
            self.before_each()
        fault = self.faults.match(request.method, request.path)
        if fault is not None and not fault.carried_out:
            self.requests.append(Entry.of(request, None, {}, fault.status or 0))
            return fault.play(environ, start_response, None)
        with self.forum.lock:
            response = self._answer(request)
        if fault is not None:
            return fault.play(environ, start_response, response)
        return response(environ, start_response)

    # --- gates

    def _answer(self, request: Request) -> Response:
        route_name, user, params = "", None, {}
        path, wants_json = _format(request)
        try:
            params = _params(request)
            self._count_address(request)
            key, user = self._authenticate(request, path)
            self._count_key(request, key)
            self._gates(request, key, user)
            call = Call(
                self.forum,
                request.method,
                path,
                params,
                _query(request),
                request.host_url.rstrip("/"),
                wants_json,
                request.remote_addr or "127.0.0.1",
                request.headers.get("User-Agent", ""),
                dict(request.cookies),
                user,
                key,
            )
            reply, route_name = self._dispatch(call)
        except Refused as refusal:
            route_name = refusal.route
            reply = Reply(refusal.body, refusal.status, dict(refusal.headers))
            if refusal.status == 403 and refusal.body == ["BAD CSRF"]:
                reply.content_type = TEXT_TYPE
            if not wants_json and refusal.status in (403, 404) and isinstance(refusal.body, dict):
                reply = _plain_refusal(refusal)
        response = self._response(request, reply, route_name, user)
        self.requests.append(Entry.of(request, user.username if user else None, params, response.status_code))
        return response

    def _count_address(self, request: Request) -> None:
        settings, address = self.forum.settings, request.remote_addr
        now = self.forum.clock()
        limits = (
            (self._ten_seconds, settings.max_reqs_per_ip_per_10_seconds, "ip_10_secs_limit"),
            (self._minute, settings.max_reqs_per_ip_per_minute, "ip_60_secs_limit"),
        )
        if not self.forum.dialect.ip_counts_admin and request.headers.get("Api-Key") in self.forum.keys:
            return
        for window, most, code in limits:
            wait = None if most is None else window.take(address, most, now)
            if wait is not None:
                raise _address_limit(self.forum, wait, code)

    def _authenticate(self, request: Request, path: str) -> tuple[ApiKey | None, User | None]:
        secret = request.headers.get("Api-Key")
        if secret is None:
            return None, self._signed_in(request)
        refusal = not_found() if path.startswith("/admin/") else forbidden(BAD_KEY)
        key = self.forum.keys.get(secret)
        if key is None or key.revoked_at is not None:
            raise refusal
        user = self._named(request)
        named = any(h in request.headers for h in ("Api-Username", "Api-User-Id", "Api-User-External-Id"))
        if key.user_id is not None:
            owner = self.forum.users.get(key.user_id)
            if owner is None or (named and user is not owner):
                raise refusal
            user = owner
        if user is None:
            raise refusal
        key.last_used_at = self.forum.clock()
        return key, user

    def _named(self, request: Request) -> User | None:
        """The user that the headers name; names in any case."""
        forum, headers = self.forum, request.headers
        if "Api-Username" in headers:
            return forum.user(headers["Api-Username"])
        if headers.get("Api-User-Id", "").lstrip("-").isdigit():
            return forum.users.get(int(headers["Api-User-Id"]))
        external = headers.get("Api-User-External-Id")
        return next(
            (u for u in forum.users.values() if external is not None and u.external_id == external), None
        )

    def _signed_in(self, request: Request) -> User | None:
        """A browser session, by the cookie that the stand-in's login page sets."""
        name = request.cookies.get("_t", "")
        user = self.forum.user(name) if name else None
        return user if user is not None and user.active else None

    def _count_key(self, request: Request, key: ApiKey | None) -> None:
        most = self.forum.settings.max_admin_api_reqs_per_minute
        if key is None or most is None:
            return
        bucket = "site" if self.forum.dialect.admin_limit == "site" else key.id
        wait = self._keys.take(bucket, most, self.forum.clock())
        if wait is not None:
            raise limited(self.forum, wait, code="admin_api_key_rate_limit")

    def _gates(self, request: Request, key: ApiKey | None, user: User | None) -> None:
        if user is not None and (not user.active or user.suspended(self.forum.clock())) and not user.staged:
            raise forbidden()
        if request.method in ("GET", "HEAD"):
            return
        if key is None and self._route_exists(request):
            raise Refused(403, ["BAD CSRF"])
        if self.forum.settings.read_only:
            text = "The site is in read only mode. Interactions are disabled."
            raise errors(503, text, error_type="read_only")

    def _route_exists(self, request: Request) -> bool:
        path, _ = _format(request)
        return self._routes.bind("localhost").test(path, request.method)

    # --- views

    def _dispatch(self, call: Call) -> tuple[Reply, str]:
        method = "GET" if call.method == "HEAD" else call.method
        try:
            found, values = self._routes.bind("localhost").match(call.path, method)
        except HTTPException:
            refusal = not_found()
            refusal.headers["Vary"] = "Accept"
            raise refusal from None
        if call.path.startswith("/admin/") and (call.user is None or not call.user.staff):
            refusal = not_found()
            refusal.headers["Vary"] = "Accept"
            raise refusal
        if call.key is not None and call.key.scopes and not _in_scope(call.key, found.name):
            raise forbidden(BAD_KEY)
        if method == "GET" and not call.wants_json and found.name not in NEVER_HTML:
            return self._page(), found.name
        try:
            answer: Any = found.view(call, **values)
        except Refused as refusal:
            refusal.route = "" if isinstance(refusal, Crash) else found.name
            raise
        return (answer if isinstance(answer, Reply) else Reply(answer)), found.name

    def _page(self) -> Reply:
        """What a browser gets."""
        title = self.forum.settings.title
        head, body = f"<head><title>{title}</title></head>", f"<body><p>A page of {title}.</p></body>"
        return Reply(f"<!DOCTYPE html>\n<html>{head}{body}</html>", content_type=HTML_TYPE)

    def _response(self, request: Request, reply: Reply, route_name: str, user: User | None) -> Response:
        data, content_type = reply.encoded()
        response = Response(data, reply.status, content_type=content_type)
        if reply.status == 429 and SLOW_DOWN.encode() in data and self.forum.dialect.ip_limit_type == "none":
            del response.headers["Content-Type"]
        else:
            response.headers.update(SECURITY)
            response.headers["Cache-Control"] = "no-cache, no-store"
        if route_name:
            response.headers["X-Discourse-Route"] = route_name
        if user is not None and route_name:  # set by controllers, so not where a gate answers
            response.headers["X-Discourse-Username"] = user.username
        if self.forum.settings.read_only:
            response.headers["Discourse-Readonly"] = "true"
        if not request.path.endswith(".json"):
            response.headers["Vary"] = "Accept"
        for name, value in reply.headers.items():
            response.headers[name] = value
        if request.method == "HEAD":
            response.headers.pop("Content-Length", None)
        return response


@cache
def _routes() -> Map:
    """All routes of all views; compiling them takes a while, so once for all sites."""
    rules = [Rule(r.rule, endpoint=r, methods=r.methods, strict_slashes=False) for r in ROUTES]
    return Map(rules, merge_slashes=False)


def _in_scope(key: ApiKey, route_name: str) -> bool:
    return any(route_name.startswith(SCOPES.get(scope, ())) for scope in key.scopes)


def _format(request: Request) -> tuple[str, bool]:
    """Path without .json, and whether JSON is wanted: by the ending or by Accept."""
    path = request.path
    if path.endswith(".json"):
        return path.removesuffix(".json"), True
    return path.rstrip("/") or "/", "json" in request.headers.get("Accept", "")


def _query(request: Request) -> dict[str, Any]:
    return parse_pairs(request.query_string.decode("latin-1"))


def _params(request: Request) -> dict[str, Any]:
    """Query and body, nested. Raises Refused (400) for a body that is no JSON though it says so."""
    params = _query(request)
    body = request.get_data(cache=True)
    if not body:
        return params
    if "json" in request.headers.get("Content-Type", ""):
        try:
            sent = json.loads(body)
        except ValueError:
            raise Refused(400, BAD_REQUEST) from None
        return params | (sent if isinstance(sent, dict) else {"_json": sent})
    try:
        return params | parse_pairs(body.decode())
    except UnicodeDecodeError:
        raise Refused(400, BAD_REQUEST) from None


def _address_limit(forum: Forum, wait: int, code: str) -> Refused:
    """429 of the middleware: plain text, in the older dialects without Content-Type."""
    headers = {"Retry-After": str(wait)}
    if forum.dialect.error_code_header:
        headers["Discourse-Rate-Limit-Error-Code"] = code
    text = SLOW_DOWN
    if forum.dialect.ip_limit_type == "text":
        text += f".\nPlease retry again in {wait} seconds.\nError code: {code}."
    return Refused(429, text, headers=headers)


def _plain_refusal(refusal: Refused) -> Reply:
    """What somebody gets who did not ask for JSON."""
    text = refusal.body["errors"][0] if "errors" in refusal.body else "Not found"
    if refusal.status == 403:
        return Reply(text, 403, dict(refusal.headers) | {"Vary": "Accept"})
    page = f"<!DOCTYPE html>\n<html><body><h1>{text}</h1></body></html>"
    return Reply(page, refusal.status, dict(refusal.headers) | {"Vary": "Accept"}, HTML_TYPE)
