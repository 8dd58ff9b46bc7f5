"""States of topics, deletion and recovery, moving posts."""

from __future__ import annotations

from datetime import datetime, timedelta

from .editing import announce_split
from .errors import Unprocessable, forbidden, invalid, missing
from .forum import Forum
from .guard import Guard
from .posting import small_action
from .records import Post, PostType, Revision, Timer, Topic, User
from .text import slugify, words

STATES = ("closed", "archived", "visible", "pinned", "pinned_globally", "autoclosed")
TIMERS = words(
    "open close silent_close publish_to_category delete delete_replies reminder bump clear_slow_mode"
)
DELETED_BY_AUTHOR = "(post deleted by author)"
CANNOT_DELETE = "There was an error deleting that topic. Please contact the site's administrator."


def set_state(
    forum: Forum, by: User, topic: Topic, state: str, on: bool, until: datetime | None = None
) -> bool:
    """Close, archive, list or pin a topic or undo it; True if something changed. Raises Refused."""
    if state not in STATES:
        raise invalid("status")
    if not Guard(forum, by).can_moderate(topic):
        raise forbidden()
    now = forum.clock()
    if state in ("pinned", "pinned_globally"):
        topic.pinned_at = now if on else None
        topic.pinned_globally = on and state == "pinned_globally"
        topic.pinned_until = until if on else None
        for user in forum.users.values():
            user.cleared_pins.discard(topic.id)
    else:
        attribute = "closed" if state == "autoclosed" else state
        if getattr(topic, attribute) == on:
            return False
        setattr(topic, attribute, on)
        if attribute == "closed" and not on:
            topic.bumped_at = now
        if attribute == "closed":
            topic.timers.pop("public", None)
    code = "pinned" if state == "pinned" else state
    small_action(forum, by, topic, f"{code}.{'enabled' if on else 'disabled'}")
    if by.staff and state in ("closed", "archived"):
        names = {
            "closed": ("topic_opened", "topic_closed"),
            "archived": ("topic_unarchived", "topic_archived"),
        }
        forum.log_staff(names[state][on], by, topic_id=topic.id)
    forum.hooks.topic("topic_edited", topic)
    return True


def delete_topic(forum: Forum, by: User, topic: Topic | None) -> None:
    if topic is None or not Guard(forum, by).can_delete_topic(topic):
        raise Unprocessable(CANNOT_DELETE)
    first = forum.first_post(topic)
    now = forum.clock.tick()
    topic.deleted_at, topic.deleted_by = now, by.id
    first.deleted_at, first.deleted_by = now, by.id
    forum.recount(topic)
    if by.id != topic.user_id and by.staff:
        forum.log_staff("delete_topic", by, topic_id=topic.id, details=topic.title)
    forum.hooks.topic("topic_destroyed", topic)
    forum.hooks.post("post_destroyed", first)


def recover_topic(forum: Forum, by: User, topic: Topic) -> None:
    if not by.staff or topic.deleted_at is None:
        raise forbidden()
    first = forum.first_post(topic)
    topic.deleted_at = topic.deleted_by = None
    first.deleted_at = first.deleted_by = None
    first.user_deleted = False
    _mark_changed(forum, topic)
    forum.log_staff("recover_topic", by, topic_id=topic.id, details=topic.title)
    forum.hooks.topic("topic_recovered", topic)
    forum.hooks.post("post_recovered", first)


def delete_post(forum: Forum, by: User, post: Post) -> None:
    """Staff delete softly; an author's own deletion replaces the text. Deleting twice changes nothing."""
    if not Guard(forum, by).can_delete_post(post):
        raise forbidden()
    topic = forum.topics[post.topic_id]
    if by.staff:
        if post.deleted_at is not None:
            return
        post.deleted_at, post.deleted_by = forum.clock.tick(), by.id
        if by.id != post.user_id:
            forum.log_staff("delete_post", by, post_id=post.id, topic_id=topic.id)
        _mark_changed(forum, topic)
        forum.hooks.post("post_destroyed", post)
        return
    now = forum.clock.tick()
    revision = Revision(post.version + 1, by.id, now, {"raw": post.raw}, {"raw": DELETED_BY_AUTHOR})
    post.revisions.append(revision)
    post.version += 1
    post.raw, post.cooked = DELETED_BY_AUTHOR, None
    post.user_deleted, post.updated_at, post.last_version_at = True, now, now
    if all(p.post_number <= post.post_number for p in forum.posts_of(topic) if p.deleted_at is None):
        topic.bumped_at = now
    _mark_changed(forum, topic)
    forum.hooks.post("post_edited", post)


def _mark_changed(forum: Forum, topic: Topic) -> None:
    """A post came or went: the topic's own time moves, whatever of the post's does (PostDestroyer)."""
    topic.updated_at = forum.clock.tick()
    forum.recount(topic)


def recover_post(forum: Forum, by: User, post: Post) -> None:
    if not Guard(forum, by).can_recover_post(post):
        raise forbidden()
    if post.deleted_at is not None:
        post.deleted_at = post.deleted_by = None
    if post.user_deleted and post.revisions:
        now = forum.clock.tick()
        post.raw, post.cooked = str(post.revisions[-1].before["raw"]), None
        post.version += 1
        post.revisions.append(
            Revision(post.version, by.id, now, {"raw": DELETED_BY_AUTHOR}, {"raw": post.raw})
        )
        post.user_deleted, post.updated_at = False, now
    _mark_changed(forum, forum.topics[post.topic_id])
    forum.hooks.post("post_recovered", post)


def expire_deletions(forum: Forum, hours: int = 24) -> list[Post]:
    """What Discourse's job does to posts that authors deleted a day ago: they vanish for good."""
    limit = forum.clock() - timedelta(hours=hours)
    done = [
        p for p in forum.posts.values() if p.user_deleted and p.deleted_at is None and p.updated_at < limit
    ]
    for post in done:
        post.deleted_at, post.deleted_by = forum.clock.tick(), -1
        _mark_changed(forum, forum.topics[post.topic_id])
        forum.hooks.post("post_destroyed", post)
    return done


def reset_bump_date(forum: Forum, by: User, topic: Topic) -> None:
    if not Guard(forum, by).can_moderate(topic):
        raise forbidden()
    spoken = [
        p
        for p in forum.posts_of(topic)
        if p.post_type == PostType.REGULAR and p.deleted_at is None and not p.hidden and not p.user_deleted
    ]
    topic.bumped_at = spoken[-1].created_at if spoken else topic.created_at


def change_timestamp(forum: Forum, by: User, topic: Topic, moment: datetime) -> None:
    """Move the whole topic in time, so that its first post lies at `moment`."""
    if not by.staff:
        raise forbidden()
    if moment > forum.clock():
        raise invalid("timestamp")
    shift = moment - topic.created_at
    for post in forum.posts_of(topic):
        post.created_at = min(post.created_at + shift, forum.clock())
        post.updated_at = forum.clock()
    topic.created_at = moment
    forum.recount(topic)
    topic.bumped_at = topic.last_posted_at or moment
    forum.log_staff("topic_timestamps_changed", by, topic_id=topic.id)


def move_posts(
    forum: Forum,
    by: User,
    topic: Topic,
    posts: list[Post],
    *,
    title: str | None,
    target: Topic | None,
    category: int | None,
) -> Topic:
    """Posts keep their ids and get a new topic and number; a first post is copied. Returns the target."""
    if not Guard(forum, by).can_moderate(topic):
        raise forbidden()
    posts = sorted(posts, key=lambda p: p.post_number)
    if not posts:
        raise missing("post_ids")
    now = forum.clock.tick()
    if target is None:
        owner = posts[0].user_id
        target = Topic(
            id=forum.ids["topic"],
            title=title or "",
            slug=slugify(title or ""),
            user_id=owner,
            created_at=posts[0].created_at,
            bumped_at=posts[0].created_at,
            updated_at=now,
            category_id=category if category is not None else topic.category_id,
        )
        forum.add_topic(target)
        forum.hooks.topic("topic_created", target)
    for post in posts:
        _move(forum, post, topic, target, now)
    forum.recount(topic)
    forum.recount(target)
    live = [p for p in forum.posts_of(target) if p.deleted_at is None]
    if live and live[-1].id in {p.id for p in posts}:
        target.bumped_at = now
    if topic.posts and any(p.deleted_at is None for p in forum.posts_of(topic)):
        announce_split(
            forum, by, topic, f"{len(posts)} posts were moved: [{target.title}](/t/{target.slug}/{target.id})"
        )
    return target


def _move(forum: Forum, post: Post, source: Topic, target: Topic, now: datetime) -> None:
    number = max((forum.posts[n].post_number for n in target.posts), default=0) + 1
    if post.post_number == 1:
        copy = Post(
            id=forum.ids["post"],
            topic_id=target.id,
            user_id=post.user_id,
            post_number=number,
            raw=post.raw,
            created_at=post.created_at,
            updated_at=now,
            last_version_at=post.created_at,
            last_editor_id=post.last_editor_id,
        )
        forum.add_post(copy)
        return
    source.posts.remove(post.id)
    post.topic_id, post.post_number, post.reply_to, post.updated_at = target.id, number, None, now
    target.posts.append(post.id)


def set_timer(forum: Forum, by: User, topic: Topic, kind: str, timer: Timer | None) -> Timer | None:
    """Set the timer of a kind or take it away; a reminder stands beside the public one."""
    if kind not in TIMERS:
        raise invalid("status_type")
    if not Guard(forum, by).can_moderate(topic):
        raise forbidden()
    slot = "reminder" if kind == "reminder" else "public"
    if timer is None:
        topic.timers.pop(slot, None)
    else:
        topic.timers[slot] = timer
    if timer is not None and kind == "open" and not topic.closed:  # what shall be opened later is closed now
        set_state(forum, by, topic, "closed", True)
        topic.timers[slot] = timer
    return timer


def run_timers(forum: Forum) -> list[Topic]:
    """Carry out the timers that are due, as Discourse's jobs do; returns the topics touched."""
    touched = []
    for topic in list(forum.topics.values()):
        for slot, timer in list(topic.timers.items()):
            if timer.execute_at is None or timer.execute_at > forum.clock():
                continue
            by = forum.users[timer.user_id]
            topic.timers.pop(slot, None)
            touched.append(topic)
            if timer.status_type in ("close", "silent_close", "open"):
                set_state(forum, by, topic, "autoclosed", timer.status_type != "open")
            elif timer.status_type == "bump":
                topic.bumped_at = forum.clock()
            elif timer.status_type == "delete":
                delete_topic(forum, by, topic)
            elif timer.status_type == "publish_to_category":
                topic.category_id, topic.visible = timer.category_id, True
                topic.bumped_at = forum.clock()
    return touched
