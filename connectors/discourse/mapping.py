"""Discourse's JSON objects as records. Whatever a version leaves out is unknown, never zero."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from ..records import (
    Change,
    Contribution,
    ContributionKind,
    Group,
    Kind,
    Member,
    Space,
    Thread,
    ThreadKind,
)

Json = Mapping[str, Any]

LIKE = 2
"""The id of a like among `actions_summary`."""

_KINDS = {
    1: ContributionKind.REGULAR,
    2: ContributionKind.MODERATOR,
    3: ContributionKind.SMALL,
    4: ContributionKind.WHISPER,
}

_CODES = {
    "closed": "closed",
    "autoclosed": "closed",
    "archived": "archived",
    "visible": "visible",
}
"""First part of a small action's code, and the state that it reports."""


def moment(text: Any) -> datetime | None:
    """`2021-05-27T12:00:00.000Z` as an aware UTC datetime; None for nothing."""
    if not text:
        return None
    return datetime.fromisoformat(str(text)).astimezone(UTC)


def wire(at: datetime) -> str:
    """The form in which Discourse writes times; such texts can be compared."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def tag_names(tags: Any) -> frozenset[str] | None:
    """Names of tags, which are strings up to 2025 and objects from 2026 on; None where there are none."""
    if tags is None:
        return None
    return frozenset(str(tag["name"] if isinstance(tag, Mapping) else tag) for tag in tags)


def member(site: str, user: Json, groups: Iterable[str] | None = None) -> Member:
    """From an admin list or an admin's view of one user."""
    return Member(
        site=site,
        id=str(user["id"]),
        username=str(user["username"]),
        name=str(user.get("name") or ""),
        joined_at=moment(user.get("created_at")),
        last_seen_at=moment(user.get("last_seen_at")),
        trust_level=user.get("trust_level"),
        admin=bool(user.get("admin")),
        moderator=bool(user.get("moderator")),
        bot=int(user["id"]) < 0,
        staged=bool(user.get("staged")),
        suspended_until=moment(user.get("suspended_till")),
        silenced_until=moment(user.get("silenced_till")),
        title=str(user.get("title") or ""),
        groups=None if groups is None else frozenset(groups),
    )


def space(site: str, category: Json) -> Space:
    parent = category.get("parent_category_id")
    return Space(
        site=site,
        id=str(category["id"]),
        name=str(category.get("name") or ""),
        parent=None if parent is None else str(parent),
        restricted=bool(category.get("read_restricted")),
    )


def group(site: str, row: Json, members: Iterable[str] | None) -> Group:
    return Group(
        site=site,
        id=str(row["id"]),
        name=str(row["name"]),
        members=None if members is None else frozenset(members),
    )


def thread(
    site: str, topic: Json, *, author: str | None, stamp: str = "", solved_by: str | None = None
) -> Thread:
    """From a row of a topic list or a topic's own view."""
    category = topic.get("category_id")
    message = topic.get("archetype") == "private_message"
    return Thread(
        site=site,
        id=str(topic["id"]),
        kind=ThreadKind.MESSAGE if message else ThreadKind.TOPIC,
        space=None if category is None else str(category),
        title=str(topic.get("title") or ""),
        author=author,
        created_at=moment(topic.get("created_at")),
        last_activity_at=moment(topic.get("last_posted_at")) or moment(topic.get("created_at")),
        closed=topic.get("closed"),
        archived=topic.get("archived"),
        visible=topic.get("visible"),
        pinned=_pinned(topic),
        labels=tag_names(topic.get("tags", [])),
        views=topic.get("views"),
        likes=topic.get("like_count"),
        solved_by=solved_by,
        stamp=stamp,
        deleted_at=moment(topic.get("deleted_at")),
    )


def _pinned(topic: Json) -> bool | None:
    """`pinned` alone is false for a user who has put the pin away."""
    known = [topic[key] for key in ("pinned", "pinned_globally", "unpinned", "pinned_at") if key in topic]
    return any(known) if known else None


def author(row: Json) -> str | None:
    """Who opened a topic: the first of a row's posters is the original one."""
    posters = row.get("posters") or ()
    for poster in posters:
        number = poster.get("user_id", (poster.get("user") or {}).get("id"))
        return None if number is None else str(number)
    return None


def contribution(site: str, post: Json, *, text: bool) -> Contribution:
    """From a post with `raw`; `text` False leaves the text out and keeps its size."""
    raw = post.get("raw")
    kind = _KINDS.get(post.get("post_type", 1), ContributionKind.REGULAR)
    user, answered = post.get("user_id"), post.get("reply_to_post_number")
    deleted = moment(post.get("deleted_at"))
    if deleted is None and post.get("user_deleted"):
        # By its author: the text is replaced at once, the post itself goes a day later.
        deleted = moment(post.get("updated_at"))
    return Contribution(
        site=site,
        id=str(post["id"]),
        thread=str(post["topic_id"]),
        author=None if user is None else str(user),
        created_at=moment(post["created_at"]) or datetime.fromtimestamp(0, UTC),
        updated_at=moment(post.get("updated_at")),
        position=post.get("post_number"),
        parent_position=answered,
        likes=likes(post),
        size=None if raw is None else len(raw.encode()),
        text=raw if text else None,
        kind=kind,
        unlisted=bool(post.get("hidden")) or kind in (ContributionKind.SMALL, ContributionKind.WHISPER),
        deleted_at=deleted,
    )


def likes(post: Json) -> int | None:
    """Discourse leaves out counts of zero, and webhooks leave out all of them."""
    if "actions_summary" not in post:
        return None
    return next((a.get("count", 0) for a in post["actions_summary"] if a.get("id") == LIKE), 0)


def change(site: str, post: Json) -> Change | None:
    """The change of state that a small action reports, such as `closed.enabled`."""
    code, at = str(post.get("action_code") or ""), moment(post.get("created_at"))
    what, _, to = code.partition(".")
    if what not in _CODES or to not in ("enabled", "disabled") or at is None:
        return None
    return Change(
        site=site,
        kind=Kind.THREAD,
        id=str(post["topic_id"]),
        field=_CODES[what],
        value=to == "enabled",
        at=at,
    )
