"""Posts: reading them across the site and one by one, writing, editing, deleting."""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Any

from .call import Call, Reply, empty, route
from .editing import Edit, change_owner, edit_post
from .errors import Refused, Unprocessable, invalid, not_found
from .memo import remembered
from .moderation import delete_post, recover_post
from .posting import Enqueued, NewPost, create
from .records import Post, PostType
from .show_posts import created_post, post_body, revision_body, site_post
from .text import iso

WINDOW = 50


# --- across the site


@route("GET", "/posts", "posts/latest")
def latest_posts(call: Call) -> dict[str, Any]:
    return {"latest_posts": [site_post(call.forum, p, call.guard) for p in _window(call, private=False)]}


@route("GET", "/private-posts", "posts/latest")
def private_posts(call: Call) -> dict[str, Any]:
    if call.user is None:
        raise not_found()
    return {"private_posts": [site_post(call.forum, p, call.guard) for p in _window(call, private=True)]}


def _window(call: Call, *, private: bool) -> list[Post]:
    """50 ids or 50 rows, as the dialect has it."""
    forum, dialect = call.forum, call.forum.dialect
    ids = forum.post_ids
    before = call.number("before")
    if dialect.posts_window == "ids":
        top = before if before is not None and before > 0 else (ids[-1] if ids else 0)
        within = ids[bisect_right(ids, top - WINDOW) : bisect_right(ids, top)]
        shown = [p for p in map(forum.posts.__getitem__, within) if _listed(call, p, private)]
        return sorted(shown, key=lambda p: p.created_at, reverse=True)
    if before is None:
        end = len(ids)
    else:
        end = bisect_left(ids, before) if dialect.posts_before == "exclusive" else bisect_right(ids, before)
    walk = (forum.posts[ids[place]] for place in range(end - 1, -1, -1))
    return list(itertools.islice((p for p in walk if _listed(call, p, private)), WINDOW))


def _listed(call: Call, post: Post, private: bool) -> bool:
    topic = call.forum.topics[post.topic_id]
    if topic.private != private or post.deleted_at is not None or topic.deleted_at is not None:
        return False
    if not call.guard.sees_post(post, topic):
        return False
    if call.forum.dialect.posts_regular_only:
        return topic.visible and not post.hidden and post.post_type == PostType.REGULAR
    return call.guard.staff or not post.hidden


# --- one by one


@route("GET", "/posts/<int:number>", "posts/show")
def show(call: Call, number: int) -> dict[str, Any]:
    return post_body(call.forum, call.post(number), call.guard)


@route("GET", "/posts/by_number/<int:topic_id>/<int:number>", "posts/by_number")
def by_number(call: Call, topic_id: int, number: int) -> dict[str, Any]:
    topic = call.topic(topic_id)
    for post in call.forum.posts_of(topic):
        if post.post_number == number and call.guard.sees_post(post, topic):
            return post_body(call.forum, post, call.guard)
    raise not_found()


@route("GET", "/posts/<int:number>/replies", "posts/replies")
def replies(call: Call, number: int) -> list[dict[str, Any]]:
    post = call.post(number)
    topic = call.forum.topics[post.topic_id]
    answers = [
        p
        for p in call.forum.posts_of(topic)
        if p.reply_to == post.post_number and p.deleted_at is None and call.guard.sees_post(p, topic)
    ]
    if call.forum.dialect.posts_window == "rows":
        answers = [p for p in answers if p.post_number > (call.number("after") or 1)][:20]
    return [post_body(call.forum, p, call.guard, raw=False) for p in answers]


@route("GET", "/posts/<int:number>/reply-history", "posts/reply_history")
def reply_history(call: Call, number: int) -> list[dict[str, Any]]:
    def ancestors(post: Post) -> Iterator[Post]:
        numbers = {p.post_number: p for p in call.forum.posts_of(call.forum.topics[post.topic_id])}
        while post.reply_to is not None and post.reply_to in numbers:
            post = numbers[post.reply_to]
            yield post

    found = reversed(list(ancestors(call.post(number))))
    return [post_body(call.forum, p, call.guard, raw=False) for p in found]


@route("GET", "/posts/<int:number>/raw", "posts/markdown_id")
def raw_of_post(call: Call, number: int) -> str:
    return call.post(number).raw


@route("GET", "/raw/<int:topic_id> /raw/<int:topic_id>/<int:number>", "posts/markdown_num")
def raw_of_topic(call: Call, topic_id: int, number: int = 1) -> str:
    topic = call.topic(topic_id)
    for post in call.forum.posts_of(topic):
        if post.post_number == number and call.guard.sees_post(post, topic):
            return post.raw
    raise not_found()


@route("GET", "/posts/<int:number>/cooked", "posts/cooked")
def cooked(call: Call, number: int) -> dict[str, str]:
    return {"cooked": call.forum.cooked(call.post(number))}


@route("GET", "/posts/<int:number>/revisions/<which>", "posts/revisions")
@route("GET", "/posts/<int:number>/revisions/latest", "posts/latest_revision")
def revisions(call: Call, number: int, which: str = "latest") -> dict[str, Any]:
    post = call.post(number)
    if which == "latest":
        wanted = post.revisions[-1].number if post.revisions else 0
    elif which.isdigit() and int(which) >= 2:
        wanted = int(which)
    else:
        raise invalid("revision")
    for revision in post.revisions:
        if revision.number == wanted and (not revision.hidden or call.guard.staff):
            return revision_body(call.forum, post, revision, call.guard)
    raise not_found()


@route("GET", "/posts/<name>/deleted", "posts/deleted_posts")
def deleted_posts(call: Call, name: str) -> list[dict[str, Any]]:
    if not call.guard.staff:
        raise not_found()
    gone = [p for p in call.forum.posts_by(call.named_user(name)) if p.deleted_at is not None]
    gone.sort(key=lambda p: p.deleted_at or p.created_at, reverse=True)
    start, size = call.number("offset") or 0, min(call.number("limit") or 60, 100)
    return [post_body(call.forum, p, call.guard) for p in gone[start : start + size]]


# --- writing


@route("POST", "/posts", "posts/create")
def create_post(call: Call) -> Reply:
    return remembered(call, _create)


def _create(call: Call) -> Reply:
    by, forum = call.me(), call.forum
    by_api = call.key is not None
    try:
        made = create(forum, by, _wanted(call, by_api))
    except Unprocessable as refusal:
        return Reply({"action": "create_post", "errors": refusal.texts}, 422)
    if isinstance(made, Enqueued):
        return Reply(_enqueued(call, made))
    body = created_post(forum, made, call.guard)
    if call.flag("nested_post"):
        return Reply({"action": "create_post", "post": body, "success": True})
    return Reply(body)


def _wanted(call: Call, by_api: bool) -> NewPost:
    old = call.names("target_usernames") if call.forum.dialect.target_usernames else []
    recipients = old or call.names("target_recipients")
    external_id = call.text("external_id") if by_api and call.forum.dialect.external_id else None
    return NewPost(
        raw=call.text("raw") or "",
        title=call.text("title"),
        topic_id=call.number("topic_id"),
        reply_to=call.number("reply_to_post_number"),
        category_id=call.number("category"),
        tags=wanted_tags(call) or [],
        private=call.text("archetype") == "private_message",
        recipients=recipients,
        whisper=call.flag("whisper"),
        no_bump=call.flag("no_bump"),
        created_at=call.moment("created_at") if by_api else None,
        external_id=external_id or None,
        visible=not call.flag("unlist_topic") if call.guard.staff else True,
        skip_validations=by_api and call.flag("skip_validations"),
    )


def wanted_tags(call: Call) -> list[str] | None:
    """Names of the tags that were sent, as names or as objects; None where none were sent at all."""
    value = call.params.get("tags")
    if value is None:
        return None
    rows = value if isinstance(value, list) else [value]
    by_id = {tag.id: tag.name for tag in call.forum.tags.values()}
    return [_tag_name(row, by_id) for row in rows]


def _tag_name(row: Any, by_id: dict[int, str]) -> str:
    if not isinstance(row, dict):
        return "" if row is None else str(row)
    return str(row.get("name") or by_id.get(int(row.get("id") or 0), ""))


def _enqueued(call: Call, made: Enqueued) -> dict[str, Any]:
    waiting = {"id": made.id, "raw": made.raw, "title": made.title, "topic_id": made.topic_id}
    mine = sum(1 for row in call.forum.pending if row["user_id"] == made.user_id)
    waiting |= {"created_at": iso(made.created_at), "created_by_id": made.user_id}
    return {"success": True, "action": "enqueued", "pending_post": waiting, "pending_count": mine}


@route("PUT", "/posts/<int:number>", "posts/update")
def update(call: Call, number: int) -> dict[str, Any]:
    by, fields = call.me(), call.nested("post")
    post = call.forum.posts.get(number)
    if post is None or (post.deleted_at is not None and not by.staff):
        raise not_found()
    expected = fields.get("raw_old")
    if expected is None and call.forum.dialect.original_checks:
        expected = fields.get("original_text")
    first = post.post_number == 1
    category = str(fields.get("category_id") or "")
    edit = Edit(
        raw=str(fields.get("raw") or ""),
        edit_reason=fields.get("edit_reason") or None,
        title=call.text("title") if first else None,
        category_id=int(category) if first and category.isdigit() else None,
        bypass_bump=call.flag("bypass_bump") and call.forum.dialect.original_checks,
    )
    edit_post(call.forum, by, post, edit, expected=expected)
    return {"post": created_post(call.forum, post, call.guard)}


@route("DELETE", "/posts/<int:number>", "posts/destroy")
def destroy(call: Call, number: int) -> Reply:
    by, post = call.me(), call.forum.posts.get(number)
    if post is None or (post.deleted_at is not None and not by.staff):
        raise not_found()
    delete_post(call.forum, by, post)
    return empty()


@route("DELETE", "/posts/destroy_many", "posts/destroy_many")
def destroy_many(call: Call) -> Reply:
    by = call.me()
    posts = [
        call.forum.posts[int(n)] for n in call.names("post_ids") if n.isdigit() and int(n) in call.forum.posts
    ]
    if not posts:
        raise invalid("post_ids")
    for post in posts:
        delete_post(call.forum, by, post)
    return empty()


@route("PUT", "/posts/<int:number>/recover", "posts/recover")
def recover(call: Call, number: int) -> dict[str, Any]:
    by, post = call.me(), call.forum.posts.get(number)
    if post is None:
        raise not_found()
    recover_post(call.forum, by, post)
    return post_body(call.forum, post, call.guard)


@route("PUT", "/posts/<int:number>/wiki", "posts/wiki")
def set_wiki(call: Call, number: int) -> Reply:
    post = _of_staff(call, number)
    post.wiki = call.text("wiki") == "true"
    return empty()


@route("PUT", "/posts/<int:number>/locked", "posts/locked")
def set_locked(call: Call, number: int) -> dict[str, bool]:
    post = _of_staff(call, number)
    post.locked = call.text("locked") == "true"
    return {"locked": post.locked}


@route("PUT", "/posts/<int:number>/post_type", "posts/post_type")
def set_type(call: Call, number: int) -> Reply:
    post = _of_staff(call, number)
    kind = call.number("post_type")
    if kind not in (PostType.REGULAR, PostType.MODERATOR):
        raise invalid("post_type")
    post.post_type = kind
    return empty()


@route("PUT", "/posts/<int:number>/rebake", "posts/rebake")
@route("PUT", "/posts/<int:number>/notice", "posts/notice")
def rebake(call: Call, number: int) -> Reply:
    _of_staff(call, number).cooked = None
    return empty()


def _of_staff(call: Call, number: int) -> Post:
    call.me()
    post = call.post(number)
    if not call.guard.staff:
        raise Refused(403, {"errors": ["You are not permitted to view the requested resource."]})
    return post


@route("POST", "/t/<int:number>/change-owner", "topics/change_post_owners")
def change_owners(call: Call, number: int) -> dict[str, str]:
    by, owner = call.me(), call.named_user(call.need("username"))
    topic = call.topic(number)
    wanted = {int(n) for n in call.names("post_ids") if n.isdigit()}
    posts = [p for p in call.forum.posts_of(topic) if p.id in wanted]
    change_owner(call.forum, by, posts, owner)
    return {"success": "OK"}
