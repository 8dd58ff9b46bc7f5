"""Rate limits: sliding windows over the forum's clock."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from .errors import Refused
from .text import age_in_words

if TYPE_CHECKING:
    from .forum import Forum
    from .records import User

TOO_MANY = "You’ve performed this action too many times. Please wait {} before trying again."


class Window:
    """At most `limit` events in `seconds` for each key.

    A refused event takes a slot only in an aggressive window, where hammering therefore keeps the caller out.
    """

    def __init__(self, seconds: float, *, aggressive: bool = False) -> None:
        self.seconds = timedelta(seconds=seconds)
        self.aggressive = aggressive
        self._events: dict[Hashable, list[datetime]] = defaultdict(list)

    def take(self, key: Hashable, limit: int, now: datetime) -> int | None:
        """Use a slot; None if there was one, else the whole seconds to wait."""
        events = self._events[key]
        while events and events[0] <= now - self.seconds:
            events.pop(0)
        if len(events) < limit:
            events.append(now)
            return None
        oldest = events[len(events) - limit]
        if self.aggressive:
            events.append(now)
            events.pop(0)
        return max(1, math.ceil((oldest + self.seconds - now).total_seconds()))

    def clear(self) -> None:
        self._events.clear()


def limited(forum: Forum, wait: int, text: str = TOO_MANY, code: str | None = None) -> Refused:
    """429 from the application, JSON."""
    words = age_in_words(wait)
    extras: dict[str, object] = {"wait_seconds": wait}
    if forum.dialect.wait_time_left:
        extras["time_left"] = words
    headers = {"Retry-After": str(wait)}
    if code and forum.dialect.error_code_header:
        headers["Discourse-Rate-Limit-Error-Code"] = code
    body = {"errors": [text.format(words)], "error_type": "rate_limit", "extras": extras}
    return Refused(429, body, headers=headers)


def too_quick(forum: Forum, by: User, *, topic: bool) -> None:
    """Refuses members who post in haste; staff are free. Seconds are whole ones, as Discourse keeps them."""
    if by.staff:
        return
    settings = forum.settings
    fresh = by.trust_level == 0
    now = int(forum.clock().timestamp())
    kinds = [("post", settings.rate_limit_new_user_create_post if fresh else settings.rate_limit_create_post)]
    if topic:
        slow = settings.rate_limit_new_user_create_topic if fresh else settings.rate_limit_create_topic
        kinds.insert(0, ("topic", slow))
    for kind, seconds in kinds:
        last = forum.last_made.get((by.id, kind))
        if last is not None and now - last < seconds:
            doing = "creating topics" if kind == "topic" else "replying"
            text = f"You’re {doing} a bit too quickly. Please wait {{}} before trying again."
            raise limited(forum, seconds - (now - last), text)
    for kind, _ in kinds:
        forum.last_made[(by.id, kind)] = now
