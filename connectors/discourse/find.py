"""Finding our own texts again, after a crash or a lost answer.

Only posts of our own account count, and only a marker on the last line; what others copy, and what our
text quotes, does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from ...config.errors import NotFound, Refused
from ..base import Found, Marker, NotDone, Unknown
from . import mapping
from .acting import SKEW, Acting, carries, recent
from .client import Json
from .dialect import topic_pages
from .topic import BATCH, posts_by_id, stream

_PAGES = 20
"""Lists are left after so many pages: what we look for was made a short while ago."""


def by_marker(
    acting: Acting, marker: Marker, verb: str, since: datetime, look: Callable[[], Json | None]
) -> Found:
    """Where it should be, then among what was deleted or waits for approval."""
    post = look() or _deleted(acting, marker)
    if post is not None:
        return acting.created(verb, post, opened=post.get("post_number") == 1)
    queued = _queued(acting, marker, since)
    if queued is None:
        return Unknown("it may wait for approval by the forum's moderators, whose queue we may not see")
    return acting.created(verb, {}, opened=False) if queued else NotDone()


def in_topic(acting: Acting, number: str, marker: Marker, since: datetime) -> Json | None:
    """Our post among those of a topic, from its end back to `since`."""
    try:
        ids = stream(acting.client, acting.client.topic_view(number))
    except NotFound:
        return None
    for end in range(len(ids), 0, -BATCH):
        posts = list(posts_by_id(acting.client, number, ids[max(0, end - BATCH) : end]))
        if (found := _ours(acting, posts, marker)) is not None:
            return found
        if len(list(recent(posts, since))) < len(posts):
            return None
    return None


def in_topics(acting: Acting, path: str, marker: Marker, since: datetime) -> Json | None:
    """The first post of a topic that we opened, in a list that begins with the latest activity."""
    for page, following in topic_pages(acting.client, path):
        for row in recent(page.rows, since):
            view = acting.client.get(f"/t/{row['id']}.json", include_raw="true")
            if (found := _ours(acting, view["post_stream"]["posts"][:1], marker)) is not None:
                return found
        oldest = mapping.moment(page.rows[-1].get("bumped_at")) if page.rows else None
        if following >= _PAGES or (oldest is not None and oldest < since - SKEW):
            return None
    return None


def _ours(acting: Acting, posts: Iterable[Json], marker: Marker) -> Json | None:
    return next((p for p in posts if acting.is_ours(p) and carries(p.get("raw"), marker)), None)


def _deleted(acting: Acting, marker: Marker) -> Json | None:
    """Done, and deleted by somebody since: it must not be done again. Only staff sees what was deleted."""
    if not acting.client.me().staff:
        return None
    try:
        posts = acting.client.rows(f"/posts/{acting.client.me().username}/deleted.json", limit=100)
    except Refused:
        return None
    found = next((post for post in posts if carries(post.get("raw"), marker)), None)
    return None if found is None else acting.client.post_by_id(found["id"])


def _queued(acting: Acting, marker: Marker, since: datetime) -> bool | None:
    """Whether it waits for approval by the forum's moderators, or was turned down by them; None where that is
    not to be seen: before November 2021 only staff could."""
    try:
        raws = list(_reviewed(acting, since) if acting.client.me().staff else _pending(acting))
    except Refused:
        return None
    return any(carries(raw, marker) for raw in raws)


def _reviewed(acting: Acting, since: datetime) -> Iterator[str | None]:
    """What staff sees of our posts in the queue, whatever became of them, back to `since`."""
    seen = 0
    for _ in range(_PAGES):
        rows = acting.client.get("/review.json", type="ReviewableQueuedPost", status="all", offset=seen,
                                 username=acting.client.me().username, sort_order="created_at",
                                 ).get("reviewables") or []  # fmt: skip
        yield from ((row.get("payload") or {}).get("raw") for row in rows)
        seen += len(rows)
        if not rows or len(list(recent(rows, since))) < len(rows):
            return


def _pending(acting: Acting) -> Iterator[str | None]:
    """What others see of their own posts that wait."""
    answer = acting.client.get(f"/posts/{acting.client.me().username}/pending.json")
    yield from (row.get("raw_text") for row in answer.get("pending_posts") or ())
