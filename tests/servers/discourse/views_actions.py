"""What readers do to posts: likes, flags, accepted answers."""

from __future__ import annotations

from typing import Any

from .call import Call, Reply, route
from .errors import Refused, missing, not_found
from .people import LIKE, accept_answer, flag, like, like_budget, unaccept_answer, unlike
from .records import Post
from .show_people import basic_user
from .show_posts import post_body


@route("POST", "/post_actions", "post_actions/create")
def act(call: Call) -> Reply:
    by = call.me()
    call.need("id")
    kind = int(call.need("post_action_type_id"))
    post = _acted_on(call, kind)
    if kind == LIKE:
        like(call.forum, by, post)
        left, most = like_budget(call.forum, by)
        headers = {"Discourse-Actions-Remaining": str(left), "Discourse-Actions-Max": str(most)}
        return Reply(post_body(call.forum, post, call.guard, raw=False), headers=headers)
    flag(call.forum, by, post, kind)
    return Reply(post_body(call.forum, post, call.guard, raw=False))


def _acted_on(call: Call, kind: int) -> Post:
    """With flag_topic the id is a topic's."""
    number = call.number("id") or 0
    if call.flag("flag_topic") and kind != LIKE:
        return call.forum.first_post(call.topic(number))
    return call.post(number)


@route("DELETE", "/post_actions/<int:number>", "post_actions/destroy")
def undo(call: Call, number: int) -> dict[str, Any]:
    by, post = call.me(), call.post(number)
    kind = call.number("post_action_type_id")
    if kind == LIKE:
        unlike(call.forum, by, post)
    elif kind is None or post.flags.pop((by.id, kind), None) is None:
        raise Refused(404, {"errors": ["The requested URL or resource could not be found."]})
    return post_body(call.forum, post, call.guard, raw=False)


@route("GET", "/post_action_users", "post_action_users/index")
def who_acted(call: Call) -> dict[str, Any]:
    if call.number("id") is None:
        raise missing("id")
    if call.number("post_action_type_id") is None:
        raise missing("post_action_type_id")
    post = call.post(call.number("id") or 0)
    size = min(call.number("limit") or 200, 200)
    ids = list(post.likes) if call.number("post_action_type_id") == LIKE else []
    page = call.forum.page(ids, call.number("page") or 0, size)
    rows = [
        basic_user(call.forum.users[u])
        | {"post_url": None, "username_lower": call.forum.users[u].username.lower()}
        for u in page
    ]
    body: dict[str, Any] = {"post_action_users": rows}
    if len(ids) > size:
        body["total_rows_post_action_users"] = len(ids)
    return body


@route("POST", "/solution/accept", "answer/accept")
def accept(call: Call) -> dict[str, str]:
    post = _solution(call)
    accept_answer(call.forum, call.me(), post)
    return {"success": "OK"}


@route("POST", "/solution/unaccept", "answer/unaccept")
def unaccept(call: Call) -> dict[str, str]:
    post = _solution(call)
    unaccept_answer(call.forum, call.me(), post)
    return {"success": "OK"}


def _solution(call: Call) -> Post:
    if not call.forum.settings.solved_enabled:
        raise not_found()
    call.me()
    return call.post(int(call.need("id")))
