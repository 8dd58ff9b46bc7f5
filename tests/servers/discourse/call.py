"""A request as the views see it, and what they may answer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from .errors import Refused, invalid, missing, not_found
from .forum import Forum
from .guard import Guard
from .records import ApiKey, Post, Topic, User
from .text import parse_time

JSON_TYPE = "application/json; charset=utf-8"
TEXT_TYPE = "text/plain; charset=utf-8"
HTML_TYPE = "text/html; charset=utf-8"
BAD_REQUEST = {"status": 400, "error": "Bad Request"}


@dataclass(slots=True)
class Reply:
    """An answer; `body` is JSON unless it is a string or bytes."""

    body: Any = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str | None = None

    def encoded(self) -> tuple[bytes, str]:
        if isinstance(self.body, bytes):
            return self.body, self.content_type or TEXT_TYPE
        if isinstance(self.body, str):
            return self.body.encode(), self.content_type or TEXT_TYPE
        return json.dumps(
            self.body, ensure_ascii=False, separators=(",", ":")
        ).encode(), self.content_type or JSON_TYPE


def empty() -> Reply:
    """Many successes have no body, and then no JSON type either."""
    return Reply("")


def redirect(url: str, status: int = 301, *, body: bool = True) -> Reply:
    html = f'<html><body>You are being <a href="{url}">redirected</a>.</body></html>' if body else ""
    return Reply(html, status, {"Location": url}, HTML_TYPE)


@dataclass(slots=True)
class Call:
    """One request, authenticated; `params` holds query and body, nested as Rails nests them."""

    forum: Forum
    method: str
    path: str
    params: dict[str, Any]
    query: dict[str, Any]
    host_url: str  # http://127.0.0.1:1234
    wants_json: bool
    address: str = "127.0.0.1"
    agent: str = ""
    cookies: dict[str, str] = field(default_factory=dict)
    user: User | None = None
    key: ApiKey | None = None
    guard: Guard = field(init=False)

    def __post_init__(self) -> None:
        self.guard = Guard(self.forum, self.user)

    # --- parameters

    def text(self, name: str) -> str | None:
        value = self.params.get(name)
        return None if value is None or isinstance(value, (dict, list)) else _plain(value)

    def need(self, name: str) -> str:
        value = self.text(name)
        if value is None or value == "":
            raise missing(name)
        return value

    def number(self, name: str) -> int | None:
        """An integer, or None if absent or no number."""
        value = self.text(name)
        return int(value) if value is not None and re.fullmatch(r"-?\d+", value.strip()) else None

    def strict_number(self, name: str, default: int) -> int:
        """400 where something other than a number is given."""
        value = self.text(name)
        if value is None:
            return default
        if not re.fullmatch(r"\d+", value):
            raise invalid(name)
        return int(value)

    def names(self, name: str) -> list[str]:
        """A comma list or an array."""
        value = self.params.get(name)
        if isinstance(value, list):
            return [_plain(v) for v in value]
        return [part.strip() for part in _plain(value).split(",") if part.strip()] if value else []

    def nested(self, name: str) -> dict[str, Any]:
        value = self.params.get(name)
        if not isinstance(value, dict) or not value:
            raise missing(name)
        return value

    def flag(self, name: str) -> bool:
        return self.text(name) in ("true", "1", "t")

    def moment(self, name: str) -> datetime | None:
        value = self.text(name)
        if not value:
            return None
        try:
            return parse_time(value)
        except ValueError:
            raise invalid(name) from None

    # --- what views look up again and again

    def me(self) -> User:
        """The caller; 403 for anonymous ones."""
        if self.user is None:
            body = {"errors": ["You need to be logged in to do that."], "error_type": "not_logged_in"}
            raise Refused(403, body)
        return self.user

    def staff(self) -> User:
        """Under /admin everything is unknown to those who are no staff."""
        if self.user is None or not self.user.staff:
            raise not_found()
        return self.user

    def admin(self) -> User:
        """The same where moderators are strangers, too: webhooks and API keys."""
        if not self.guard.admin:
            raise not_found()
        return self.staff()

    def topic(self, number: int) -> Topic:
        topic = self.forum.topics.get(number)
        if topic is None or not self.guard.sees_topic(topic):
            raise not_found()
        return topic

    def post(self, number: int) -> Post:
        post = self.forum.posts.get(number)
        if post is None or not self.guard.sees_post(post):
            raise not_found()
        return post

    def named_user(self, name: str) -> User:
        user = self.forum.user(name)
        if user is None:
            raise not_found()
        return user


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


# --- Rails parameters


def parse_pairs(text: str) -> dict[str, Any]:
    """`a=1&b[]=2&c[d]=3` as Rails reads it. Raises Refused (400) for what is not UTF-8."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise Refused(400, BAD_REQUEST) from None
    return nest(pairs)


def nest(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    params: dict[str, Any] = {}
    for key, value in pairs:
        head, *path = re.findall(r"^[^\[\]]+|\[[^\[\]]*\]", key) or [key]
        _put(params, head, [part[1:-1] for part in path], value)
    return params


def _put(where: dict[str, Any], key: str, path: list[str], value: Any) -> None:
    if not path:
        where[key] = value
    elif path[0] == "":
        rows = where.setdefault(key, [])
        if not isinstance(rows, list):
            rows = where[key] = []
        if len(path) == 1:
            rows.append(value)
        else:
            row: dict[str, Any] = {}
            _put(row, path[1], path[2:], value)
            rows.append(row)
    else:
        inner = where.setdefault(key, {})
        if not isinstance(inner, dict):
            inner = where[key] = {}
        _put(inner, path[0], path[1:], value)


# --- routes

View = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Route:
    methods: tuple[str, ...]
    rule: str
    name: str  # Discourse's controller and action, as in X-Discourse-Route
    view: View


ROUTES: list[Route] = []
V = TypeVar("V", bound=View)


def route(methods: str, rules: str, name: str) -> Callable[[V], V]:
    """Register a view under one or more rules (blank-separated), written without .json."""

    def register(view: V) -> V:
        ROUTES.extend(Route(tuple(methods.split()), rule, name, view) for rule in rules.split())
        return view

    return register
