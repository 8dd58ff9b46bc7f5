"""Everything that changes a topic: title, tags, states, timers, moves, deletion, readers and recipients."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from .call import Call, Reply, empty, route
from .editing import Edit, edit_topic
from .errors import errors, forbidden, invalid, missing, not_found
from .moderation import (
    STATES,
    change_timestamp,
    delete_topic,
    move_posts,
    recover_topic,
    reset_bump_date,
    set_state,
    set_timer,
)
from .posting import small_action
from .records import Reader, Timer, Topic
from .show_lists import tag_names
from .show_people import basic_user
from .text import iso, parse_time, slugify
from .views_posts import wanted_tags


@route("PUT", "/t/<slug>/<int:number> /t/<int:number>", "topics/update")
def update(call: Call, number: int, slug: str = "") -> dict[str, Any]:
    by, topic = call.me(), call.forum.topics.get(number)
    if topic is None:
        raise forbidden()
    edit = Edit(title=call.text("title"), tags=wanted_tags(call))
    if (category := call.text("category_id")) is not None and category != "":
        edit.category_id = call.number("category_id") or -1
    if call.forum.dialect.original_checks:
        _check_originals(call, topic)
    edit_topic(call.forum, by, topic, edit)
    body: dict[str, Any] = {
        "id": topic.id,
        "title": topic.title,
        "fancy_title": topic.title,
        "slug": topic.slug,
        "posts_count": topic.posts_count,
    }
    if call.forum.dialect.tags_in_update and edit.tags is not None:
        body["tags"] = tag_names(call.forum, topic.tags)
    return {"basic_topic": body}


def _check_originals(call: Call, topic: Topic) -> None:
    title = call.text("original_title")
    tags = call.params.get("original_tags")
    names = (
        None if tags is None else sorted(str(t) for t in (tags if isinstance(tags, list) else [tags]) if t)
    )
    if (title is not None and title != topic.title) or (names is not None and names != sorted(topic.tags)):
        raise errors(409, "That topic was edited by another user and your changes can no longer be saved.")


@route("PUT", "/t/<int:number>/tags", "topics/update_tags")
def update_tags(call: Call, number: int) -> Any:
    return update(call, number)


@route("PUT", "/t/<int:number>/status", "topics/status")
def status(call: Call, number: int) -> dict[str, Any]:
    by = call.me()
    state = call.need("status")
    enabled = call.need("enabled")
    if state not in STATES:
        raise invalid("status")
    topic = call.topic(number)
    on = (
        enabled.lower() in ("true", "1", "t", "on")
        if call.forum.dialect.lenient_enabled
        else enabled == "true"
    )
    set_state(call.forum, by, topic, state, on, call.moment("until"))
    return {"success": "OK", "topic_status_update": None}


@route("PUT", "/t/<int:number>/clear-pin", "topics/clear_pin")
def clear_pin(call: Call, number: int) -> dict[str, str]:
    call.me().cleared_pins.add(call.topic(number).id)
    return {"success": "OK"}


@route("PUT", "/t/<int:number>/re-pin", "topics/re_pin")
def re_pin(call: Call, number: int) -> dict[str, str]:
    call.me().cleared_pins.discard(call.topic(number).id)
    return {"success": "OK"}


@route("POST", "/t/<int:number>/timer", "topics/timer")
def timer(call: Call, number: int) -> dict[str, Any]:
    by, kind = call.me(), call.need("status_type")
    topic = call.topic(number)
    when = call.text("time")
    made = _timer(call, topic, kind, when) if when else None
    closed = topic.closed
    set_timer(call.forum, by, topic, kind, made)
    return {
        "success": "OK",
        "execute_at": iso(made.execute_at) if made else None,
        "duration_minutes": made.duration_minutes if made else None,
        "based_on_last_post": made.based_on_last_post if made else None,
        "closed": closed,
        "category_id": made.category_id if made else None,
    }


def _timer(call: Call, topic: Topic, kind: str, when: str) -> Timer:
    """`when` is a time or a number of hours."""
    now = call.forum.clock()
    based = call.flag("based_on_last_post")
    minutes = call.number("duration_minutes")
    if based and minutes is None:
        raise missing("duration_minutes")
    if based:
        at = (topic.last_posted_at or now) + timedelta(minutes=minutes or 0)
    elif when.isdigit():
        at = now + timedelta(hours=int(when))
    else:
        try:
            at = parse_time(when)
        except ValueError:
            raise invalid("time") from None
        if at < now:
            raise invalid("Discourse::InvalidParameters")
    old = topic.timers.get("reminder" if kind == "reminder" else "public")
    number = old.id if old else call.forum.ids["timer"]
    minutes = minutes if minutes is not None else (old.duration_minutes if old else None)
    category = call.number("category_id") or (old.category_id if old else None)
    return Timer(number, kind, at, call.me().id, minutes, based, category)


@route("PUT", "/t/<int:number>/change-timestamp", "topics/change_timestamps")
def timestamp(call: Call, number: int) -> dict[str, str]:
    seconds = call.need("timestamp")
    if not seconds.isdigit():
        raise invalid("timestamp")
    change_timestamp(call.forum, call.me(), call.topic(number), datetime.fromtimestamp(int(seconds), UTC))
    return {"success": "OK"}


@route("PUT", "/t/<int:number>/reset-bump-date", "topics/reset_bump_date")
def reset_bump(call: Call, number: int) -> Reply:
    reset_bump_date(call.forum, call.me(), call.topic(number))
    return empty()


@route("DELETE", "/t/<int:number> /t/<slug>/<int:number>", "topics/destroy")
def destroy(call: Call, number: int, slug: str = "") -> Reply:
    delete_topic(call.forum, call.me(), call.forum.topics.get(number))
    return empty()


@route("PUT", "/t/<int:number>/recover", "topics/recover")
def recover(call: Call, number: int) -> Reply:
    by, topic = call.me(), call.forum.topics.get(number)
    if topic is None:
        raise not_found()
    recover_topic(call.forum, by, topic)
    return empty()


@route("POST", "/t/<int:number>/move-posts", "topics/move_posts")
def move(call: Call, number: int) -> dict[str, Any]:
    by, topic = call.me(), call.topic(number)
    wanted = {int(n) for n in call.names("post_ids") if n.isdigit()}
    found = [p for p in call.forum.posts_of(topic) if p.id in wanted and p.deleted_at is None]
    into = call.number("destination_topic_id")
    if into is None and not call.text("title"):
        raise missing("title")
    target = call.topic(into) if into is not None else None
    title, category = call.text("title"), call.number("category_id")
    made = move_posts(call.forum, by, topic, found, title=title, target=target, category=category)
    return {"success": True, "url": f"/t/{made.slug or slugify(made.title)}/{made.id}"}


@route("PUT", "/t/<int:number>/archive-message /t/<int:number>/move-to-inbox", "topics/archive_message")
def archive_message(call: Call, number: int) -> Reply:
    by, topic = call.me(), call.topic(number)
    if not topic.private or by.id not in topic.allowed_users:
        raise forbidden()
    if call.path.endswith("move-to-inbox"):
        topic.archived_by.discard(by.id)
    else:
        topic.archived_by.add(by.id)
    return empty()


@route("POST", "/t/<int:number>/invite", "topics/invite")
def invite(call: Call, number: int) -> dict[str, Any]:
    by, topic = call.me(), call.topic(number)
    user = call.named_user(call.need("user"))
    if not topic.private:
        raise errors(422, "Sorry, there was an error inviting that user.")
    if user.id not in topic.allowed_users:
        topic.allowed_users.append(user.id)
        small_action(call.forum, by, topic, "invited_user", who=user.username)
    return {"user": basic_user(user)}


@route("PUT", "/t/<int:number>/remove-allowed-user", "topics/remove_allowed_user")
def remove_allowed(call: Call, number: int) -> dict[str, str]:
    by, topic = call.me(), call.topic(number)
    user = call.named_user(call.need("username"))
    if user.id not in topic.allowed_users or not (by.staff or by.id == user.id):
        raise forbidden()
    topic.allowed_users.remove(user.id)
    small_action(call.forum, by, topic, "removed_user", who=user.username)
    return {"success": "OK"}


@route("POST", "/t/<int:number>/notifications", "topics/set_notifications")
def notifications(call: Call, number: int) -> dict[str, str]:
    reader = call.topic(number).readers.setdefault(call.me().id, Reader())
    reader.level = call.number("notification_level") or 0
    return {"success": "OK"}


@route("POST", "/topics/timings", "topics/timings")
def timings(call: Call) -> Reply:
    by, topic = call.me(), call.topic(int(call.need("topic_id")))
    numbers = [int(n) for n in call.params.get("timings") or {} if str(n).isdigit()]
    reader = topic.readers.setdefault(by.id, Reader())
    reader.last_read = max([reader.last_read or 0, *numbers])
    return empty()


@route("PUT", "/topics/bulk", "topics/bulk")
def bulk(call: Call) -> dict[str, Any]:
    """Many topics in one request; what may not be changed is left out without a word."""
    by, operation = call.me(), call.nested("operation")
    changed = []
    for name in call.names("topic_ids"):
        topic = call.forum.topics.get(int(name)) if name.isdigit() else None
        if topic is not None and call.guard.can_moderate(topic) and _bulk_one(call, topic, operation):
            changed.append(topic.id)
    if not by.staff and not changed:
        raise forbidden()
    return {"topic_ids": changed}


def _bulk_one(call: Call, topic: Topic, operation: dict[str, Any]) -> bool:
    forum, by, kind = call.forum, call.me(), operation.get("type")
    states = {"close": ("closed", True), "archive": ("archived", True)}
    states |= {"unlist": ("visible", False), "relist": ("visible", True)}
    names = [str(t) for t in operation.get("tags") or [] if t]
    if kind in states:
        state, on = states[str(kind)]
        return set_state(forum, by, topic, state, on)
    if kind == "delete":
        delete_topic(forum, by, topic)
    elif kind == "change_category":
        topic.category_id = int(operation["category_id"])
        forum.hooks.topic("topic_edited", topic)
    elif kind in ("change_tags", "append_tags", "remove_tags"):
        kept = [] if kind in ("change_tags", "remove_tags") else topic.tags
        topic.tags = list(dict.fromkeys([*kept, *([] if kind == "remove_tags" else names)]))
        for tag in topic.tags:
            forum.tag(tag)
        forum.hooks.topic("topic_edited", topic)
    else:
        raise invalid("operation")
    return True
