"""Filling a forum from JSON lines: users, topics and posts, all times moved by one constant."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from .clock import Clock
from .dialect import Dialect
from .forum import Forum
from .records import Category, Post, Topic, User
from .seed import DISCOBOT, SYSTEM
from .text import parse_time

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Community:
    """Rows in the shape of the files (see the README); iterables are read once."""

    users: Iterable[Row]
    topics: Iterable[Row]
    posts: Iterable[Row]
    categories: Iterable[Row] = ()


def load_forum(folder: Path, *, shift_to: datetime, dialect: Dialect | str = "2021") -> Forum:
    """Read users, topics and posts (.jsonl or .jsonl.gz); newest event and clock are put at `shift_to`.

    Raises FileNotFoundError for a folder without them.
    """
    found = {name: list(_lines(folder, name)) for name in ("users", "topics", "posts")}
    return load(
        Community(found["users"], found["topics"], found["posts"]), shift_to=shift_to, dialect=dialect
    )


def _lines(folder: Path, name: str) -> Iterator[Row]:
    packed = folder / f"{name}.jsonl.gz"
    with gzip.open(packed, "rt") if packed.exists() else (folder / f"{name}.jsonl").open() as lines:
        yield from map(json.loads, lines)


def load(community: Community, *, shift_to: datetime | None = None, dialect: Dialect | str = "2021") -> Forum:
    """A forum with this community, its newest event at `shift_to` if that is given, and the clock there."""
    users, topics, posts = list(community.users), list(community.topics), list(community.posts)
    newest = max(
        max((_moment(p["created_at"]) for p in posts), default=None) or _moment(users[0]["created_at"]),
        max((_moment(p.get("updated_at") or p["created_at"]) for p in posts), default=_moment("2000-01-01")),
    )
    shift = timedelta() if shift_to is None else shift_to - newest
    forum = Forum(Clock(newest + shift), dialect)
    moved = _Moved(shift)
    _clear(forum)
    for row in users:
        _user(forum, row, moved)
    for row in community.categories:
        _category(forum, row)
    for row in topics:
        _topic(forum, row, moved)
    for row in sorted(posts, key=lambda r: int(r["id"])):
        _post(forum, row, moved)
    for topic in list(forum.topics.values()):
        _finish(forum, topic)
    return forum


def _moment(text: str) -> datetime:
    return parse_time(text)


class _Moved:
    """Times of the rows, moved."""

    def __init__(self, shift: timedelta) -> None:
        self._shift = shift

    def __call__(self, text: str | None) -> datetime | None:
        return None if text is None else _moment(text) + self._shift

    def must(self, text: str) -> datetime:
        return _moment(text) + self._shift


def _clear(forum: Forum) -> None:
    """A loaded site has the accounts of the data and system, nobody else."""
    for number in (2, 3, 4):
        del forum.categories[number]
    for made_up in (forum.users[DISCOBOT], forum.users[1]):
        forum.drop_user(made_up)


def _user(forum: Forum, row: Row, moved: _Moved) -> None:
    number = int(row["id"])
    joined = row.get("created_at") or row.get("joined_at") or row.get("first_post_at")
    created = moved(joined) or forum.clock()
    if number in forum.users:
        old = forum.users[number]
        forum.drop_user(old)
    username = str(row["username"])
    holder = forum.user(username)
    if holder is not None:  # a made-up account of the new site stands in the way
        forum.drop_user(holder)
    user = User(
        id=number,
        username=username,
        name=row.get("name") or username,
        email=row.get("email") or (f"{username}@example.com" if number > 0 else ""),
        created_at=created,
        trust_level=int(row.get("trust_level", 1)),
        admin=bool(row.get("admin")),
        moderator=bool(row.get("moderator")),
        last_seen_at=moved(row.get("last_seen_at") or row.get("last_post_at")),
        locale=row.get("locale"),
        title=row.get("title"),
        suspended_till=moved(row.get("suspended_till")),
        suspended_at=moved(row.get("suspended_at")),
        staged=bool(row.get("staged")),
        active=bool(row.get("active", True)),
    )
    forum.add_user(user)
    if number == SYSTEM:
        forum.alias("system", user)
    for group in row.get("groups") or ():
        shared = forum.group(str(group)) or forum.new_group(str(group))
        shared.members.setdefault(user.id, created)


def _category(forum: Forum, row: Row) -> None:
    name = str(row.get("name") or f"Category {row['id']}")
    slug = str(row.get("slug") or f"category-{row['id']}")
    readers = frozenset({"staff"}) if row.get("restricted") else frozenset({"everyone"})
    position, parent = len(forum.categories), row.get("parent_id")
    forum.add_category(
        Category(int(row["id"]), name, slug, parent_id=parent, position=position, readers=readers)
    )


def _topic(forum: Forum, row: Row, moved: _Moved) -> None:
    number = row.get("category_id")
    if number is not None and int(number) not in forum.categories:
        _category(forum, {"id": number})
    created = moved.must(row["created_at"])
    last = moved(row.get("last_posted_at")) or created
    forum.add_topic(
        Topic(
            id=int(row["id"]),
            title=str(row["title"]),
            slug=str(row.get("slug") or "topic"),
            user_id=int(row["user_id"]),
            created_at=created,
            bumped_at=moved(row.get("bumped_at")) or last,
            updated_at=last,
            category_id=None if number is None else int(number),
            archetype=str(row.get("archetype") or "regular"),
            visible=bool(row.get("visible", True)),
            closed=bool(row.get("closed")),
            archived=bool(row.get("archived")),
            pinned_at=created if row.get("pinned") else None,
            pinned_globally=bool(row.get("pinned_globally")),
            tags=[str(t) for t in row.get("tags") or ()],
            views=int(row.get("views") or 0),
            deleted_at=moved(row.get("deleted_at")),
            solved_by=row.get("accepted_answer_post_number"),  # a number until _finish finds the id
            allowed_users=[int(u) for u in row.get("allowed_users") or ()],
        )
    )
    if row.get("accepted_answer_post_number"):
        forum.settings.solved_enabled = True


def _post(forum: Forum, row: Row, moved: _Moved) -> None:
    created = moved.must(row["created_at"])
    likers = row.get("likes") or []
    post = Post(
        id=int(row["id"]),
        topic_id=int(row["topic_id"]),
        user_id=int(row["user_id"]),
        post_number=int(row["post_number"]),
        raw=str(row.get("raw") or ""),
        created_at=created,
        updated_at=moved(row.get("updated_at")) or created,
        post_type=int(row.get("post_type", 1)),
        version=int(row.get("version", 1)),
        last_version_at=created,
        last_editor_id=int(row["user_id"]),
        reply_to=row.get("reply_to_post_number"),
        likes={int(u): created for u in likers},
        likes_by_unknown=int(row.get("like_count") or 0) - len(likers) if "like_count" in row else 0,
        reads=int(row.get("reads") or 0),
        score=float(row.get("score") or 0),
        hidden=bool(row.get("hidden")),
        wiki=bool(row.get("wiki")),
        deleted_at=moved(row.get("deleted_at")),
        action_code=row.get("action_code"),
        simple=True,
    )
    forum.add_post(post)
    author = forum.users.get(post.user_id)
    if author is not None and (author.last_posted_at is None or author.last_posted_at < created):
        author.last_posted_at = created


def _finish(forum: Forum, topic: Topic) -> None:
    """Counters, the accepted answer's id; a topic without posts cannot be shown and goes."""
    if not topic.posts:
        del forum.topics[topic.id]
        return
    forum.recount(topic)
    wanted, topic.solved_by = topic.solved_by, None
    if wanted:
        topic.solved_by = next((p.id for p in forum.posts_of(topic) if p.post_number == wanted), None)
