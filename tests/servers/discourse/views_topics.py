"""One topic: its view in all its variants, and everything that changes it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from .call import Call, Reply, empty, redirect, route
from .editing import Edit, edit_topic
from .errors import NOT_FOUND, Refused, Unprocessable, errors, forbidden, invalid, missing, not_found
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
from .records import Post, Reader, Timer, Topic
from .show_people import basic_user
from .show_posts import topic_post
from .show_topics import tag_names, topic_view
from .text import iso, parse_time, slugify

CHUNK, PRINT_CHUNK = 20, 1000
LOGIN = '<a href="/login" class="btn btn-primary">Log In</a>'


# --- reading


def _unseen(call: Call, status: int = 404) -> Refused:
    """A topic that is not there or not for the caller: 404 with a page inside."""
    html = '<div class="page-not-found">\n  <h1 class="title">Oops! That page doesn’t exist or is private.</h1>\n'
    html += (LOGIN if call.user is None else "") + "</div>\n"
    return errors(status, NOT_FOUND, error_type="not_found", html=html, group=None)


def _visible(call: Call, number: int) -> Topic:
    topic = call.forum.topics.get(number)
    if topic is not None and call.guard.sees_topic(topic):
        return topic
    gone = topic is not None and topic.deleted_at is not None and call.forum.settings.detailed_404
    raise _unseen(call, 410 if gone else 404)


@route("GET", "/t/<int:number> /t/<slug>/<int:number>", "topics/show")
@route("GET", "/t/<int:number>/<int:near> /t/<slug>/<int:number>/<int:near>", "topics/show")
def show(call: Call, number: int, slug: str | None = None, near: int | None = None) -> Any:
    topic = _visible(call, number)
    if slug is not None and slug != topic.slug:
        return _to(call, topic, call.forum.dialect.redirect_keeps, near)
    printing = _printing(call)
    chunk = PRINT_CHUNK if printing else CHUNK
    stream = _stream(call, topic)
    near = near if near is not None else call.number("post_number")
    page = call.strict_number("page", 1) or 1
    if near is None and page > 1 and (page - 1) * chunk >= _highest(call, topic, stream):
        if call.forum.dialect.page_past_end == "404":
            raise _unseen(call)
        call.query["page"] = str(max(1, -(-len(stream) // chunk)))
        return _to(call, topic, ("page",), None)
    posts = _around(stream, near) if near is not None else stream[(page - 1) * chunk : page * chunk]
    _count_view(call, topic)
    raw = call.text("include_raw") in ("1", "true")
    current = near if near is not None else (posts[0].post_number if posts else 1)
    ids = [p.id for p in stream]
    return topic_view(call.forum, topic, call.guard, posts, ids, raw=raw, chunk=chunk, current=current)


def _to(call: Call, topic: Topic, keep: tuple[str, ...], near: int | None) -> Reply:
    query = urlencode({k: call.query[k] for k in keep if k in call.query})
    path = f"{call.host_url}/t/{topic.slug}/{topic.id}" + (f"/{near}" if near is not None else "")
    return redirect(path + (".json" if call.wants_json else "") + (f"?{query}" if query else ""))


def _printing(call: Call) -> bool:
    """Admins print as often as they like, others five times an hour."""
    value = call.text("print")
    if value is None or (value != "true" and not call.forum.dialect.print_any_value):
        return False
    most = call.forum.settings.max_prints_per_hour_per_user
    if most == 0:
        raise forbidden()
    if not call.guard.admin:
        who = call.user.id if call.user else call.address
        if call.forum.prints.take(who, most, call.forum.clock()) is not None:
            raise Unprocessable("You have performed this action too many times, please try again later.")
    return True


def _stream(call: Call, topic: Topic) -> list[Post]:
    """The posts that the caller may read, in order. Deleted ones only for staff who ask; of a deleted topic all."""
    with_deleted = call.guard.staff and (call.text("show_deleted") == "true" or topic.deleted_at is not None)
    found = []
    for post in call.forum.posts_of(topic):
        if post.deleted_at is not None and not with_deleted:
            continue
        if call.guard.sees_post(post, topic) and (
            call.guard.staff or not post.hidden or post.user_id == _id(call)
        ):
            found.append(post)
    if names := call.names("username_filters"):
        wanted = {u.id for u in map(call.forum.user, names) if u}
        found = [p for p in found if p.user_id in wanted or p.post_number == 1]
    return found


def _id(call: Call) -> int | None:
    return call.user.id if call.user else None


def _highest(call: Call, topic: Topic, stream: list[Post]) -> int:
    """The old dialects judge the last page by the highest number, so pages of deleted posts exist and are empty."""
    if call.forum.dialect.page_past_end == "404":
        return topic.highest_staff_post_number if call.guard.staff else topic.highest_post_number
    return len(stream)


def _around(stream: list[Post], near: int) -> list[Post]:
    """20 posts of which about a quarter lie before the wanted one."""
    place = next((i for i, p in enumerate(stream) if p.post_number >= near), max(0, len(stream) - 1))
    start = max(0, min(place - CHUNK // 4, len(stream) - CHUNK))
    return stream[start : start + CHUNK]


def _count_view(call: Call, topic: Topic) -> None:
    if call.wants_json and not call.forum.dialect.counts_json_views:
        return
    who: int | str = call.user.id if call.user else call.address
    seen = (who, call.forum.clock().date().isoformat())
    if seen not in topic.viewed:
        topic.viewed.add(seen)
        topic.views += 1
        if call.user is not None:
            call.user.topics_entered += 1


@route("GET", "/t/<int:number>/posts /t/<slug>/<int:number>/posts", "topics/posts")
def posts(call: Call, number: int, slug: str = "") -> dict[str, Any]:
    """Some posts by id, without stream; unknown, moved and invisible ids are dropped without a word."""
    topic = _visible(call, number)
    stream = _stream(call, topic)
    if ids := call.names("post_ids"):
        wanted = {int(n) for n in ids if n.isdigit()}
        found = [p for p in stream if p.id in wanted]
    elif (after := call.number("post_number")) is not None:
        up = call.text("asc") == "true"
        found = [p for p in stream if (p.post_number > after if up else p.post_number < after)]
        found = found[:CHUNK] if up else found[-CHUNK:]
    else:
        found = stream[:CHUNK]
    raw = call.text("include_raw") in ("1", "true")
    rows = [topic_post(call.forum, p, call.guard, raw=raw) for p in found]
    return {"post_stream": {"posts": rows}, "id": topic.id, "suggested_topics": []}


@route("GET", "/t/<int:number>/post_ids", "topics/post_ids")
def post_ids(call: Call, number: int) -> dict[str, Any]:
    after = call.number("post_number") or 0
    return {"post_ids": [p.id for p in _stream(call, _visible(call, number)) if p.post_number > after]}


@route("GET", "/t/id_for/<slug>", "topics/id_for_slug")
def id_for(call: Call, slug: str) -> dict[str, Any]:
    for topic in call.forum.topics.values():
        if topic.slug == slug and call.guard.sees_topic(topic):
            return {"slug": slug, "topic_id": topic.id, "url": f"{call.host_url}/t/{slug}/{topic.id}"}
    raise not_found()


@route("GET", "/t/external_id/<wanted>", "topics/show_by_external_id")
def by_external_id(call: Call, wanted: str) -> Reply:
    """Not the topic but a redirect to it, without body."""
    if not call.forum.dialect.external_id:
        raise not_found()
    for topic in call.forum.topics.values():
        if (topic.external_id or "").lower() == wanted.lower() and call.guard.sees_topic(topic):
            return redirect(f"{call.host_url}/t/{topic.slug}/{topic.id}.json", body=False)
    raise not_found()


# --- changing


@route("PUT", "/t/<slug>/<int:number> /t/<int:number>", "topics/update")
def update(call: Call, number: int, slug: str = "") -> dict[str, Any]:
    by, topic = call.me(), call.forum.topics.get(number)
    if topic is None:
        raise forbidden()
    edit = Edit(title=call.text("title"), tags=_tags(call))
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


def _tags(call: Call) -> list[str] | None:
    value = call.params.get("tags")
    if value is None:
        return None
    rows = value if isinstance(value, list) else [value]
    by_id = {t.id: t.name for t in call.forum.tags.values()}
    return [_tag_name(row, by_id) for row in rows]


def _tag_name(row: Any, by_id: dict[int, str]) -> str:
    if not isinstance(row, dict):
        return "" if row is None else str(row)
    return str(row.get("name") or by_id.get(int(row.get("id") or 0), ""))


def _check_originals(call: Call, topic: Topic) -> None:
    title = call.text("original_title")
    tags = call.params.get("original_tags")
    names = (
        None if tags is None else sorted(str(t) for t in (tags if isinstance(tags, list) else [tags]) if t)
    )
    if (title is not None and title != topic.title) or (names is not None and names != sorted(topic.tags)):
        raise errors(409, "That topic was edited by another user and your changes can no longer be saved.")


@route("PUT", "/t/<int:number>/tags", "topics/update_tags")
def update_tags(call: Call, number: int) -> dict[str, Any]:
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
    set_timer(call.forum, by, topic, kind, made)
    return {
        "success": "OK",
        "execute_at": iso(made.execute_at) if made else None,
        "duration_minutes": made.duration_minutes if made else None,
        "based_on_last_post": made.based_on_last_post if made else None,
        "closed": topic.closed,
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
    number = call.forum.ids["timer"]
    return Timer(number, kind, at, call.me().id, minutes, based, call.number("category_id"))


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


# --- readers and recipients


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
        small_action(call.forum, by, topic, "invited_user", "")
    return {"user": basic_user(user)}


@route("PUT", "/t/<int:number>/remove-allowed-user", "topics/remove_allowed_user")
def remove_allowed(call: Call, number: int) -> dict[str, str]:
    by, topic = call.me(), call.topic(number)
    user = call.named_user(call.need("username"))
    if user.id not in topic.allowed_users or not (by.staff or by.id == user.id):
        raise forbidden()
    topic.allowed_users.remove(user.id)
    small_action(call.forum, by, topic, "removed_user", "")
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
