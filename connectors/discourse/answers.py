"""What Discourse's answers mean, by status and body (api.discourse.org; docs/discourse.md)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from ...config.errors import (
    Conflict,
    ConnectorError,
    Filtered,
    Forbidden,
    Misconfigured,
    NotFound,
    NotThisPlatform,
    OutcomeUnknown,
    ReadOnly,
    Refused,
    SignInFailed,
    Unreachable,
)

_LENGTH = 200


class NotJson(Exception):
    """A body that should be JSON and is not."""


def body(response: requests.Response) -> Any:
    """The decoded body; None for an empty one. Raises NotJson."""
    if not response.content.strip():
        return None
    try:
        return response.json()
    except ValueError:
        raise NotJson from None


def fault(response: requests.Response, site: str, write: bool) -> ConnectorError | None:
    """The error that an answer stands for; None for a success."""
    if response.is_redirect:
        return _elsewhere(response, site)
    try:
        content = body(response)
    except NotJson:
        return _not_json(response, site, write)
    status = response.status_code
    if status == 200 and content is None and not write:
        return Unreachable("the answer is empty.", where=site, hint="The next run goes on.")
    if status < 300:
        return _declined(content, site)
    text = message(content) or f"the forum answers {status} {response.reason or ''}".strip()
    if status >= 500:
        return _broken(content, text, site, write)
    if content == ["BAD CSRF"]:
        return key_unseen(site)
    return _refused(status, text, site)


def _elsewhere(response: requests.Response, site: str) -> ConnectorError | None:
    """A redirect that was not followed: a forum leads from a topic that was deleted to what an administrator
    has put in its place (a permalink). None for any other one."""
    place = urljoin(response.url, response.headers["Location"])
    same = _topic_in(urlsplit(response.url).path) == _topic_in(urlsplit(place).path)
    if "X-Discourse-Route" in response.headers and not same:
        return NotFound("something else is in its place.", where=site)
    return None


def _topic_in(path: str) -> str:
    """The number of the topic, before which its name may stand and after which that of a post."""
    found = re.search(r"/t/(?:[^/]*/)??(\d+)(?=[/.]|$)", path)
    return found[1] if found else ""


def key_unseen(site: str) -> SignInFailed:
    """The forum took us for an anonymous visitor."""
    return SignInFailed(
        "the forum did not see the API key.",
        where=site,
        hint="A proxy may strip the Api-Key header; let it through.",
    )


def _refused(status: int, text: str, site: str) -> ConnectorError:
    match status:
        case 401 | 403:
            return Forbidden(text, where=site, hint="Give the account or its key this right.")
        case 404 | 410:
            return NotFound(text, where=site)
        case 409:
            return Conflict(text, where=site, hint="Sync and plan anew.")
        case 422:
            return Filtered(text, where=site)
        case _:
            return Refused(text, where=site)


def _declined(content: Any, site: str) -> ConnectorError | None:
    """Some refusals come as 200: `success: false`, as in the creation of users."""
    if isinstance(content, dict) and content.get("success") is False:
        return Filtered(message(content) or "the forum declined.", where=site)
    return None


def _broken(content: Any, text: str, site: str, write: bool) -> ConnectorError:
    if isinstance(content, dict) and content.get("error_type") == "read_only":
        return ReadOnly("the forum is read-only at the moment.", where=site, hint="The next run tries again.")
    if write:
        return OutcomeUnknown(f"the forum failed over a write: {text}", where=site)
    return Unreachable(text, where=site, hint="The next run goes on where this one stopped.")


def _not_json(response: requests.Response, site: str, write: bool) -> ConnectorError:
    status = response.status_code
    what = response.headers.get("Content-Type", "").split(";")[0] or "something unnamed"
    if status < 400:
        if write:
            return OutcomeUnknown(f"a write was answered by {what} instead of JSON.", where=site)
        if "json" in what:
            return Unreachable("the answer is broken off.", where=site, hint="The next run goes on.")
        return NotThisPlatform(
            f"the address answers with {what} where a Discourse answers with JSON.",
            where=site,
            hint="Check the url in the settings, and whether a login page stands before the forum.",
        )
    if status == 404:
        return NotThisPlatform(
            "there is no Discourse at this address.", where=site, hint="Check the url in the settings."
        )
    if status in (401, 403):
        # Of a write it is certain that it was not done; a read says nothing about the item that it was for.
        return (Forbidden if write else Misconfigured)(
            f"something before the forum answers {status}.",
            where=site,
            hint="Let a firewall or proxy pass requests with an Api-Key header.",
        )
    return Refused(f"the address answers {status} with {what}.", where=site)


def message(content: Any) -> str:
    """The forum's own words, on one line; '' if it found none."""
    if not isinstance(content, dict):
        return ""
    errors = content.get("errors")
    words = "; ".join(str(e) for e in errors) if isinstance(errors, list) else str(errors or "")
    words = words or str(content.get("message") or content.get("error") or "")
    line = " ".join(words.split())
    return line if len(line) <= _LENGTH else line[: _LENGTH - 1] + "…"
