"""Creating topics, replies and private messages, with all that follows from it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .checks import allowed_tags, blocked, raw_errors, remember_raw, repeated, title_errors
from .errors import GONE_WRONG, Unprocessable, forbidden, invalid
from .forum import Forum
from .guard import Guard
from .limits import too_quick
from .records import Category, Post, PostType, Reader, Topic, User
from .text import clean_title, slugify


@dataclass(slots=True)
class NewPost:
    """What somebody wants to post; a title or no topic_id makes it a topic."""

    raw: str
    title: str | None = None
    topic_id: int | None = None
    reply_to: int | None = None
    category_id: int | None = None
    tags: list[str] = field(default_factory=list)
    private: bool = False
    recipients: list[str] = field(default_factory=list)
    whisper: bool = False
    no_bump: bool = False
    created_at: datetime | None = None
    external_id: str | None = None
    visible: bool = True
    skip_validations: bool = False


@dataclass(slots=True)
class Enqueued:
    """The post waits for a moderator; it has no id."""

    raw: str
    title: str | None
    topic_id: int | None
    user_id: int
    id: int
    created_at: datetime


def create(forum: Forum, by: User, new: NewPost) -> Post | Enqueued:
    """Post it. Raises Refused with the answer that Discourse gives."""
    guard = Guard(forum, by)
    if new.whisper and not (forum.settings.enable_whispers and guard.staff):
        raise forbidden("Either whispers are not enabled or you do not have access to create whisper posts")
    if new.no_bump and not (guard.staff or by.trust_level >= 4):
        raise invalid("no_bump")
    waits = forum.settings.approve_all_posts and (not by.staff or forum.settings.enqueue_staff_too)
    if new.topic_id is None:
        return _create_topic(forum, by, guard, new, waits)
    return _create_reply(forum, by, guard, new, waits)


def _create_reply(forum: Forum, by: User, guard: Guard, new: NewPost, waits: bool) -> Post | Enqueued:
    topic = forum.topics.get(new.topic_id or 0)
    if topic is None or not guard.can_reply(topic):
        raise Unprocessable(GONE_WRONG)
    if not new.skip_validations:
        _check_raw(forum, by, new, private=topic.private, first=False)
    if waits:
        return _enqueue(forum, by, new)
    too_quick(forum, by, topic=False)
    post_type = PostType.WHISPER if new.whisper else PostType.REGULAR
    post = _insert(forum, by, topic, new, post_type)
    forum.hooks.post("post_created", post)
    return post


def _check_raw(forum: Forum, by: User, new: NewPost, *, private: bool, first: bool) -> None:
    found = raw_errors(forum, new.raw, private=private, first=first) + blocked(forum, by, new.raw)
    found = found or repeated(forum, by, new.raw)
    if found:
        raise Unprocessable(*found)


def _create_topic(forum: Forum, by: User, guard: Guard, new: NewPost, waits: bool) -> Post | Enqueued:
    if by.silenced(forum.clock()):
        raise Unprocessable(GONE_WRONG)
    users, groups = _recipients(forum, by, guard, new) if new.private else ([], [])
    category = None if new.private else _category(forum, guard, new)
    title = clean_title(new.title or "")
    if not new.skip_validations:
        found = title_errors(forum, title, by, private=new.private, topic=None)
        if found:
            raise Unprocessable(*found)
        _check_raw(forum, by, new, private=new.private, first=True)
    if new.external_id is not None:
        _check_external_id(forum, new.external_id)
    tags = [] if new.private else allowed_tags(forum, guard, new.tags, None)
    if waits:
        return _enqueue(forum, by, new)
    too_quick(forum, by, topic=True)
    moment = new.created_at or forum.clock.tick()
    topic = Topic(
        id=forum.ids["topic"],
        title=title,
        slug=slugify(title),
        user_id=by.id,
        created_at=moment,
        bumped_at=moment,
        updated_at=moment,
        category_id=category.id if category else None,
        archetype="private_message" if new.private else "regular",
        visible=new.visible,
        tags=tags,
        allowed_users=list(dict.fromkeys([by.id, *users])) if new.private else [],
        allowed_groups=groups,
        external_id=new.external_id,
    )
    forum.add_topic(topic)
    post = _insert(forum, by, topic, new, PostType.REGULAR)
    forum.hooks.topic("topic_created", topic)
    forum.hooks.post("post_created", post)
    return post


def _category(forum: Forum, guard: Guard, new: NewPost) -> Category:
    category = forum.categories.get(new.category_id if new.category_id is not None else 1)
    if category is None:
        raise invalid("category")
    if not guard.can_create_topic_in(category):
        raise forbidden()
    return category


def _check_external_id(forum: Forum, external_id: str) -> None:
    if not re.fullmatch(r"[\w-]{1,50}", external_id):
        raise Unprocessable("External ID is invalid")
    if any((t.external_id or "").lower() == external_id.lower() for t in forum.topics.values()):
        raise Unprocessable("External ID has already been taken")


def _recipients(forum: Forum, by: User, guard: Guard, new: NewPost) -> tuple[list[int], list[int]]:
    """Ids of the users and groups that a message is for; addresses without account become staged users."""
    if not new.recipients:
        raise Unprocessable("You must select a valid user.")
    users: list[int] = []
    groups: list[int] = []
    for name in new.recipients:
        user, group = forum.user(name), forum.group(name)
        if user is not None:
            if not (by.staff or user.allow_private_messages):
                raise Unprocessable(f"Sorry, you cannot send a personal message to {user.username}.")
            users.append(user.id)
        elif group is not None and group.id:
            if not (guard.admin or group.messageable_level):
                raise forbidden()
            groups.append(group.id)
        elif "@" in name:
            known = forum.user_by_email(name)
            users.append(known.id if known else _stage(forum, name).id)
        else:
            raise Unprocessable("One of the users you are sending this message to could not be found.")
    return users, groups


def _stage(forum: Forum, email: str) -> User:
    name = re.sub(r"\W+", "_", email.split("@")[0]) or "user"
    free = next(n for n in (name, *(f"{name}{i}" for i in range(1, 1000))) if forum.user(n) is None)
    moment = forum.clock.tick()
    return forum.add_user(
        User(forum.ids["user"], free, moment, free, email, trust_level=0, active=False, staged=True)
    )


def _enqueue(forum: Forum, by: User, new: NewPost) -> Enqueued:
    waiting = Enqueued(new.raw, new.title, new.topic_id, by.id, forum.ids["reviewable"], forum.clock.tick())
    row = {"user_id": by.id, "new": new, "id": waiting.id, "at": waiting.created_at}
    forum.pending.append(row)
    return waiting


def approve(forum: Forum, waiting: dict[str, Any]) -> Post:
    """Let a held post (an entry of `forum.pending`) through, as a moderator does."""
    forum.pending.remove(waiting)
    held, forum.settings.approve_all_posts = forum.settings.approve_all_posts, False
    try:
        made = create(forum, forum.users[waiting["user_id"]], waiting["new"])
    finally:
        forum.settings.approve_all_posts = held
    assert isinstance(made, Post)
    return made


def reject(forum: Forum, waiting: dict[str, Any]) -> None:
    """Turn a held post down."""
    forum.pending.remove(waiting)
    forum.rejected.append({**waiting, "status": "rejected"})


def _insert(forum: Forum, by: User, topic: Topic, new: NewPost, post_type: PostType) -> Post:
    now = forum.clock.tick()
    moment = new.created_at or now
    number = max((forum.posts[n].post_number for n in topic.posts), default=0) + 1
    reply_to = new.reply_to if new.reply_to is not None and 1 <= new.reply_to < number else None
    post = Post(
        id=forum.ids["post"],
        topic_id=topic.id,
        user_id=by.id,
        post_number=number,
        raw=new.raw.replace("\0", "").strip(),
        created_at=moment,
        updated_at=now,
        post_type=post_type,
        last_version_at=moment,
        last_editor_id=by.id,
        reply_to=reply_to,
        quote_count=len(re.findall(r"\[quote=", new.raw)),
        no_bump=new.no_bump,
        first_of_author=by.id > 0 and by.last_posted_at is None and post_type == PostType.REGULAR,
    )
    forum.add_post(post)
    topic.updated_at = now
    if post_type == PostType.REGULAR and not new.no_bump:
        topic.bumped_at = moment
    forum.recount(topic)
    reader = topic.readers.setdefault(by.id, Reader(level=3 if number == 1 else 2))
    reader.last_read, reader.posted = number, True
    if post_type == PostType.REGULAR:
        by.last_posted_at = max(by.last_posted_at or moment, moment)
        remember_raw(forum, by, new.raw, post_type)
    if topic.private:
        topic.archived_by.clear()
        for number_ in topic.allowed_users:
            topic.readers.setdefault(number_, Reader(level=3))
    return post


def small_action(
    forum: Forum, by: User, topic: Topic, code: str, raw: str = "", who: str | None = None
) -> Post:
    """The post that says that somebody closed, pinned, moved … the topic. It bumps nothing."""
    now = forum.clock.tick()
    number = max((forum.posts[n].post_number for n in topic.posts), default=0) + 1
    post = Post(
        id=forum.ids["post"],
        topic_id=topic.id,
        user_id=by.id,
        post_number=number,
        raw=raw,
        created_at=now,
        updated_at=now,
        post_type=PostType.SMALL,
        last_version_at=now,
        last_editor_id=by.id,
        action_code=code,
        action_code_who=who,
        no_bump=True,
    )
    forum.add_post(post)
    forum.recount(topic)
    reader = topic.readers.setdefault(by.id, Reader(level=2))
    reader.last_read, reader.posted = number, True
    forum.hooks.post("post_created", post)
    return post
