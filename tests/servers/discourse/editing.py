"""Changing posts and topics: versions, ninja edits, conflicts, bumps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from .checks import allowed_tags, raw_errors, title_errors
from .errors import Unprocessable, errors, forbidden
from .forum import Forum
from .guard import Guard
from .posting import small_action
from .records import Post, Revision, Topic, User
from .text import clean_title, slugify

CONFLICT = "That post was edited by another user and your changes can no longer be saved."


@dataclass(slots=True)
class Edit:
    """Wanted changes of a post and, through its first post, of a topic; None leaves a thing as it is."""

    raw: str | None = None
    edit_reason: str | None = None
    title: str | None = None
    category_id: int | None = None
    tags: list[str] | None = None
    bypass_bump: bool = False

    @property
    def of_topic(self) -> bool:
        return self.title is not None or self.category_id is not None or self.tags is not None


def edit_post(forum: Forum, by: User, post: Post, edit: Edit, *, expected: str | None = None) -> Post:
    """Change text (and title, category, tags of a first post). Raises Refused."""
    guard = Guard(forum, by)
    if not guard.can_edit_post(post):
        raise forbidden()
    if guard.too_late_to_edit(post):
        raise Unprocessable("Sorry, you can’t edit a post that was created too long ago.")
    if expected is not None and expected.strip() != post.raw.strip():
        raise errors(409, CONFLICT)
    topic = forum.topics[post.topic_id]
    raw = (edit.raw or "").replace("\0", "").strip()
    found = raw_errors(forum, raw, private=topic.private, first=post.post_number == 1)
    if found:
        raise Unprocessable(*found)
    edit.raw = raw
    _check_topic(forum, guard, topic, edit)
    if revise(forum, by, post, edit):
        if post.user_id != by.id and by.staff:
            forum.log_staff("post_edit", by, post_id=post.id, target_user_id=post.user_id)
        if post.post_number == 1 and edit.of_topic:
            forum.hooks.topic("topic_edited", topic)
        else:
            forum.hooks.post("post_edited", post)
    return post


def edit_topic(forum: Forum, by: User, topic: Topic, edit: Edit) -> None:
    """Change title, category and tags. Raises Refused."""
    guard = Guard(forum, by)
    if not guard.can_edit_topic(topic):
        raise forbidden()
    _check_topic(forum, guard, topic, edit)
    if revise(forum, by, forum.first_post(topic), edit):
        forum.hooks.topic("topic_edited", topic)


def _check_topic(forum: Forum, guard: Guard, topic: Topic, edit: Edit) -> None:
    if edit.title is not None:
        edit.title = clean_title(edit.title)
        found = title_errors(
            forum, edit.title, forum.users.get(topic.user_id), private=topic.private, topic=topic
        )
        if found:
            raise Unprocessable(*found)
    if edit.category_id is not None:
        category = forum.categories.get(edit.category_id)
        if category is None:
            raise Unprocessable("Category not found!")
        if not guard.can_create_topic_in(category):
            raise forbidden()
    if edit.tags is not None:
        edit.tags = allowed_tags(forum, guard, edit.tags, topic)


def revise(forum: Forum, by: User, post: Post, edit: Edit) -> bool:
    """Apply the differences; a new version or, within the grace period, none. True if anything differed."""
    topic = forum.topics[post.topic_id]
    before: dict[str, object] = {}
    after: dict[str, object] = {}
    wanted = (
        ("raw", post.raw, edit.raw),
        ("title", topic.title, edit.title),
        ("category_id", topic.category_id, edit.category_id),
        ("tags", sorted(topic.tags), None if edit.tags is None else sorted(edit.tags)),
    )
    for key, old, new in wanted:
        if new is not None and new != old:
            before[key], after[key] = old, new
    if not after:
        return False
    now = forum.clock.tick()
    fresh_version = _new_version(forum, by, post, edit, now - (post.last_version_at or post.created_at))
    if "raw" in after:
        post.raw, post.cooked, post.simple = str(after["raw"]), None, False
    if "title" in after:
        topic.title = str(after["title"])
        topic.slug = slugify(topic.title)
    if "category_id" in after:
        topic.category_id = edit.category_id
    if "tags" in after and edit.tags is not None:
        topic.tags = list(edit.tags)
        for name in topic.tags:
            forum.tag(name)
    post.updated_at = now
    topic.updated_at = now
    if fresh_version:
        _add_version(
            forum, by, post, edit, Revision(post.version + 1, by.id, now, before, after, edit.edit_reason)
        )
    elif post.revisions:
        _merge(post.revisions[-1], before, after)
    post.last_editor_id = by.id
    return True


def _new_version(forum: Forum, by: User, post: Post, edit: Edit, age: timedelta) -> bool:
    settings = forum.settings
    if edit.edit_reason or by.id != (post.last_editor_id or post.user_id):
        return True
    if age > timedelta(seconds=settings.editing_grace_period):
        return True
    high = by.staff or by.trust_level >= 2
    most = (
        settings.editing_grace_period_max_diff_high_trust if high else settings.editing_grace_period_max_diff
    )
    return edit.raw is not None and changed_characters(post.raw, edit.raw) > most


def changed_characters(old: str, new: str) -> int:
    """How much lies between the common beginning and the common end of two texts."""
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    return max(len(old), len(new)) - head - tail


def _add_version(forum: Forum, by: User, post: Post, edit: Edit, revision: Revision) -> None:
    post.version += 1
    post.last_version_at = revision.created_at
    post.edit_reason = edit.edit_reason
    post.revisions.append(revision)
    if is_last(forum, post) and not edit.bypass_bump:
        forum.topics[post.topic_id].bumped_at = revision.created_at


def _merge(revision: Revision, before: dict[str, object], after: dict[str, object]) -> None:
    for key, value in before.items():
        revision.before.setdefault(key, value)
    revision.after.update(after)


def is_last(forum: Forum, post: Post) -> bool:
    topic = forum.topics[post.topic_id]
    later = (p for p in forum.posts_of(topic) if p.post_number > post.post_number)
    return not any(p.deleted_at is None for p in later)


def change_owner(forum: Forum, by: User, posts: list[Post], owner: User) -> None:
    if not by.staff:
        raise forbidden()
    for post in posts:
        forum.change_author(post, owner.id)
        post.updated_at = forum.clock.tick()
        if post.post_number == 1:
            forum.topics[post.topic_id].user_id = owner.id
        forum.recount(forum.topics[post.topic_id])
        forum.hooks.post("post_edited", post)


def announce_split(forum: Forum, by: User, topic: Topic, text: str) -> Post:
    return small_action(forum, by, topic, "split_topic", text)
