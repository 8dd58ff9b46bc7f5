"""Replaying recorded exchanges against the stand-in, and comparing what comes back.

Compared are the status, the headers that clients act on, the set of keys and the types of the body at every
depth, the exact words of errors, the order of ids in lists, and the values that requests change (counters,
states, versions, titles, tags, rights); not times and other texts, which differ from site to site.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from werkzeug.test import Client
from werkzeug.wrappers import Response

from .app import App
from .text import words

HEADERS = ("Content-Type", "X-Discourse-Route", "X-Discourse-Username", "Location")
PRESENT = ("Retry-After", "Discourse-Actions-Remaining", "Discourse-Actions-Max")
VALUES = frozenset(
    words(
        "posts_count highest_post_number reply_count like_count version reply_to_post_number"
        " post_number post_type closed archived visible pinned pinned_globally title slug"
        " category_id tags archetype user_deleted action_code action_code_who edit_reason"
        " trust_level admin moderator active staged raw username can_edit can_delete can_recover"
        " yours views current_revision version_count permission read_restricted"
    )
)
HOST = re.compile(r"https?://(127\.0\.0\.1|localhost)(:\d+)?")
EXACT = ("errors", "error_type", "action", "failed", "success")  # texts that clients act on
GUESS = re.compile(r"\nDid you mean\?.*", re.DOTALL)  # Ruby's guess at a misspelt parameter


@dataclass(frozen=True, slots=True)
class Exchange:
    """One recorded request and its answer."""

    name: str
    method: str
    path: str
    request_headers: dict[str, str]
    request_body: bytes | None
    status: int
    headers: dict[str, str]
    json: Any
    text: str

    @classmethod
    def read(cls, file: Path) -> Exchange:
        return cls.of(file.stem, json.loads(file.read_text()))

    @classmethod
    def of(cls, name: str, data: dict[str, Any]) -> Exchange:
        body = data.get("request_body")
        if body is None and data.get("request_json") is not None:
            body = json.dumps(data["request_json"])
        drop = ("accept-encoding", "connection", "content-length")
        return cls(
            name=name,
            method=data["method"],
            path=data["path"],
            request_headers={k: v for k, v in data["request_headers"].items() if k.lower() not in drop},
            request_body=None if body is None else body.encode(),
            status=data["status"],
            headers=dict(data["response_headers"]),
            json=data.get("response_json"),
            text=data.get("response_text") or "",
        )


def play(app: App, exchange: Exchange, headers: dict[str, str] | None = None) -> Response:
    """Send the recorded request to the stand-in, with its own headers or others."""
    client = Client(app, Response, use_cookies=False)
    path, _, query = exchange.path.partition("?")
    return client.open(
        path,
        method=exchange.method,
        query_string=query,
        headers=list((headers or exchange.request_headers).items()),
        data=exchange.request_body,
    )


# --- comparing


def differences(exchange: Exchange, response: Response) -> list[str]:
    """What differs, each as `place: recorded → given`."""
    found = []
    if response.status_code != exchange.status:
        found.append(f"status: {exchange.status} → {response.status_code}")
    for name in HEADERS:
        old, new = exchange.headers.get(name), response.headers.get(name)
        if _without_host(old) != _without_host(new):
            found.append(f"header {name}: {old} → {new}")
    for name in PRESENT:
        if (name in exchange.headers) != (name in response.headers):
            found.append(f"header {name}: {exchange.headers.get(name)} → {response.headers.get(name)}")
    if exchange.json is None:
        return found + _text_differences(exchange.text, response.get_data(as_text=True))
    try:
        given = json.loads(response.get_data())
    except ValueError:
        return [*found, f"body: JSON → {response.get_data(as_text=True)[:80]!r}"]
    found += compare(exchange.json, given)
    found += _words(exchange.json, given)
    return [*found, *_values(exchange.json, given)]


def _without_host(value: str | None) -> str | None:
    return None if value is None else HOST.sub("", value)


def _text_differences(old: str, new: str) -> list[str]:
    if old.startswith(("<!DOCTYPE", "<html")):
        return [] if new.startswith(("<!DOCTYPE", "<html")) else [f"body: HTML → {new[:60]!r}"]
    return [] if old == new else [f"body: {old[:60]!r} → {new[:60]!r}"]


def compare(old: Any, new: Any, place: str = "") -> Iterator[str]:
    """Keys and types at every depth. null goes with any type; rows of a list are taken together."""
    if old is None or new is None:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() - new.keys()):
            yield f"{place}.{key}: missing"
        for key in sorted(new.keys() - old.keys()):
            yield f"{place}.{key}: not recorded"
        for key in sorted(old.keys() & new.keys()):
            yield from compare(old[key], new[key], f"{place}.{key}")
    elif isinstance(old, list) and isinstance(new, list):
        if old and new:
            yield from compare(_together(old), _together(new), f"{place}[]")
    elif _kind(old) != _kind(new):
        yield f"{place}: {_kind(old)} → {_kind(new)}"


def _together(rows: list[Any]) -> Any:
    """One row that has every key of all rows, with the first value that is not null."""
    if not all(isinstance(row, dict) for row in rows):
        return rows[0]
    merged: dict[str, Any] = {}
    for row in rows:
        for key, value in row.items():
            if merged.get(key) is None:
                merged[key] = value
    return merged


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        return "number"
    return type(value).__name__


def _words(old: Any, new: Any) -> Iterator[str]:
    """The texts of errors, and the order of ids in lists of topics and posts."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return
    for key in EXACT:
        if key in old and key in new and _plain(old[key]) != _plain(new[key]):
            yield f".{key}: {old[key]!r} → {new[key]!r}"
    for name, path in (("topics", ("topic_list", "topics")), ("posts", ("latest_posts",))):
        was, now = _ids(old, path), _ids(new, path)
        if was is not None and was != now:
            yield f"ids of {name}: {was} → {now}"


def _values(old: Any, new: Any, place: str = "") -> Iterator[str]:
    """What a change did: counters, versions, states, titles; rows of lists are matched by id."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() & new.keys()):
            if key in VALUES and old[key] != new[key] and not _rows(old[key]):
                yield f"{place}.{key}: {old[key]!r} → {new[key]!r}"
            elif isinstance(old[key], (dict, list)):
                yield from _values(old[key], new[key], f"{place}.{key}")
    elif isinstance(old, list) and isinstance(new, list):
        known = {row["id"]: row for row in new if isinstance(row, dict) and "id" in row}
        for row in old:
            if isinstance(row, dict) and row.get("id") in known:
                yield from _values(row, known[row["id"]], f"{place}[{row['id']}]")


def _rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _plain(value: Any) -> Any:
    return (
        [GUESS.sub("", v) if isinstance(v, str) else v for v in value] if isinstance(value, list) else value
    )


def _ids(body: Any, path: tuple[str, ...]) -> list[int] | None:
    for key in path:
        if not isinstance(body, dict) or key not in body:
            return None
        body = body[key]
    return [row["id"] for row in body]
