"""One topic: its view in all its variants, and everything that changes it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from .call import Call, Reply, redirect, route
from .errors import NOT_FOUND, Refused, Unprocessable, errors, forbidden, not_found
from .records import Post, Topic
from .show_posts import topic_post
from .show_topics import topic_view

CHUNK, PRINT_CHUNK = 20, 1000
MISSING = (
    '<div class="page-not-found">\n  <h1 class="title">Oops! That page doesn’t exist or is private.</h1>\n'
    "{}</div>\n"
)
LOGIN = '<a href="/login" class="btn btn-primary">Log In</a>'


# --- reading


def _unseen(call: Call, status: int = 404) -> Refused:
    """A topic that is not there or not for the caller: 404 with a page inside."""
    html = MISSING.format(LOGIN if call.user is None else "")
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
    if (call.text("page") or "").startswith("-"):
        raise _unseen(call)
    page = call.strict_number("page", 1) or 1
    if near is None and page > 1 and (page - 1) * chunk >= _highest(call, topic, stream):
        if call.forum.dialect.page_past_end == "404":
            raise _unseen(call)
        call.query["page"] = str(max(1, -(-len(stream) // chunk)))
        return _to(call, topic, ("page",), None)
    posts = _around(stream, near) if near is not None else stream[(page - 1) * chunk : page * chunk]
    raw = call.text("include_raw") in ("1", "true")
    ids = [p.id for p in stream]
    body = topic_view(call.forum, topic, call.guard, posts, ids, raw=raw, chunk=chunk, current=near or 1)
    _count_view(call, topic)  # afterwards, as a job does it
    return body


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
    """The posts that the caller may read; deleted ones only for staff who ask, or of a deleted topic."""
    with_deleted = call.guard.staff and (call.text("show_deleted") == "true" or topic.deleted_at is not None)
    found = []
    for post in call.forum.posts_of(topic):
        if post.deleted_at is not None and not with_deleted:
            continue
        if call.guard.sees_post(post, topic) and (
            call.guard.staff or not post.hidden or post.user_id == _id(call)
        ):
            found.append(post)
    if call.user is not None and call.user.ignored_users:
        hushed = {n for n in call.user.ignored_users if not call.forum.users[n].staff}
        found = [p for p in found if p.user_id not in hushed or p.post_number == 1]
    if names := call.names("username_filters"):
        wanted = {u.id for u in map(call.forum.user, names) if u}
        found = [p for p in found if p.user_id in wanted or p.post_number == 1]
    return found


def _id(call: Call) -> int | None:
    return call.user.id if call.user else None


def _highest(call: Call, topic: Topic, stream: list[Post]) -> int:
    """Old dialects judge the last page by the highest number, so pages of deleted posts exist, empty."""
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
    return {"post_stream": {"posts": rows}, "id": topic.id}


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


@route("GET", "/t/<slug>", "topics/show")
def by_slug(call: Call, slug: str) -> Reply:
    for topic in call.forum.topics.values():
        if topic.slug == slug and call.guard.sees_topic(topic):
            return _to(call, topic, (), None)
    raise _unseen(call)


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


# --- readers and recipients
