"""Search and the user directory: rankings, both with an end."""

from __future__ import annotations

import re
from typing import Any

from .call import Call, route
from .errors import Refused, forbidden, invalid
from .limits import TOO_MANY, limited
from .records import Post, PostType, Topic, User
from .show_lists import list_topic, posters
from .show_people import avatar, list_user
from .text import excerpt, iso, parse_time, words

SEARCH_PAGE = 50
FILTER = re.compile(r"[@#]\w|\w+:")


@route("GET", "/directory_items", "directory_items/index")
def directory(call: Call) -> dict[str, Any]:
    """A ranking, not an enumeration: silent, staged and inactive people are not in it."""
    forum = call.forum
    period = call.need("period")
    if not forum.settings.enable_user_directory or period not in (
        ["daily", "weekly", "monthly", "quarterly", "yearly", "all"]
    ):
        raise forbidden()
    page = call.number("page") or 0
    last = forum.dialect.directory_pages
    if last is not None and page > last:
        raise invalid("page")
    rows = [_directory_row(call, u, period) for u in forum.users.values() if _in_directory(call, u)]
    order = call.text("order") or "likes_received"
    up = bool(call.text("asc"))
    if order in (
        words("likes_received likes_given topic_count post_count topics_entered posts_read days_visited")
    ):
        rows.sort(key=lambda r: (r[order] if up else -r[order], r["id"]))
    elif order == "username":
        rows.sort(key=lambda r: str(r["user"]["username"]).lower(), reverse=not up)
    total = len(rows)
    shown = forum.page(rows, page, 50)
    if page == 0 and not call.text("group"):
        shown = _own_row_first(call, shown, period)
    query = {k: v for k, v in call.query.items() if k != "page"} | {"page": page + 1}
    more = "&".join(f"{k}={v}" for k, v in sorted(query.items()))
    return {
        "directory_items": shown,
        "meta": {
            "last_updated_at": iso(forum.clock().replace(microsecond=0)),
            "total_rows_directory_items": total,
            "load_more_directory_items": f"/directory_items.json?{more}",
        },
    }


def _own_row_first(call: Call, rows: list[dict[str, Any]], period: str) -> list[dict[str, Any]]:
    """Members who are not among the first ten find themselves on top of the first page, as one row more."""
    user = call.user
    if user is None or not rows or not _in_directory(call, user) or user.id in [r["id"] for r in rows[:10]]:
        return rows
    return [_directory_row(call, user, period), *rows]


def _in_directory(call: Call, user: User) -> bool:
    if user.id <= 0 or not user.active or user.staged or user.silenced(call.forum.clock()):
        return False
    name = (call.text("name") or "").lower()
    if name and name not in user.username.lower() and name not in (user.name or "").lower():
        return False
    group = call.forum.group(call.text("group") or "")
    return group is None or user.id in group.members


def _directory_row(call: Call, user: User, period: str) -> dict[str, Any]:
    posts = [p for p in call.forum.posts_by(user) if p.deleted_at is None and p.post_type == PostType.REGULAR]
    public = [p for p in posts if not call.forum.topics[p.topic_id].private]
    body: dict[str, Any] = {"id": user.id}
    if period == "all":
        body["time_read"] = user.time_read
    return body | {
        "likes_received": sum(p.like_count for p in public),
        "likes_given": user.likes_given,
        "topic_count": sum(1 for p in public if p.post_number == 1),
        "post_count": sum(1 for p in public if p.post_number > 1),
        "topics_entered": user.topics_entered,
        "posts_read": user.posts_read_count,
        "days_visited": user.days_visited,
        "user": {"title": user.title} | list_user(call.forum, user),
    }


@route("GET", "/search", "search/show")
def search(call: Call) -> dict[str, Any]:
    """Words, and the filters @user, #category, tags:, in:title, status:, topic:, after:, before:, order:."""
    term = call.text("q") or ""
    if "\0" in term:
        raise invalid("string contains null byte")
    if not term.strip():
        return {"grouped_search_result": None}
    if len(re.sub(r"\s", "", term)) < 3:
        raise invalid("q")
    page = call.number("page") or 1
    if page > 10:
        if call.forum.dialect.search_page_past_10 == "400":
            raise invalid("page")
        page = 1
    if (error := _search_limit(call)) is not None:
        return {"grouped_search_result": _grouped(call, term, [], error)}
    hits = _hits(call, term)
    found = hits[(page - 1) * SEARCH_PAGE : page * SEARCH_PAGE]
    topics = list({p.topic_id: call.forum.topics[p.topic_id] for p in found}.values())
    body: dict[str, Any] = {"posts": [_search_post(call, p) for p in found]}
    if topics:
        body["topics"] = [_search_topic(call, t) for t in topics]
    body |= {"users": [], "categories": [], "tags": [], "groups": []}
    more = len(hits) > page * SEARCH_PAGE
    return body | {
        "grouped_search_result": _grouped(call, term, found, None) | {"more_full_page_results": more or None}
    }


def _search_limit(call: Call) -> str | None:
    most = call.forum.settings.rate_limit_search_user
    if most is None or call.user is None:
        return None
    wait = call.forum.searches.take(call.user.id, most, call.forum.clock())
    if wait is None:
        return None
    text = limited(call.forum, wait, TOO_MANY).body["errors"][0]
    if call.forum.dialect.search_limit == "429":
        raise Refused(429, {"failed": "FAILED", "message": text}, headers={"Retry-After": str(wait)})
    return str(text)


def _hits(call: Call, term: str) -> list[Post]:
    """One post for each topic, unless the search is within one."""
    forum = call.forum
    words: list[str] = []
    filters: list[str] = []
    for part in term.lower().split():
        (filters if FILTER.match(part) else words).append(part)
    tests = dict(f.split(":", 1) for f in filters if ":" in f)
    names = [f[1:] for f in filters if f[0] == "@"]
    slugs = [f[1:] for f in filters if f[0] == "#"]
    newest_first = iter(forum.posts[n] for n in reversed(forum.post_ids))
    found: list[Post] = []
    taken: set[int] = set()
    for post in newest_first:
        topic = forum.topics[post.topic_id]
        if topic.id in taken and "topic" not in tests:
            continue
        if not (_findable(call, post, topic) and _matches(call, post, topic, words, tests)):
            continue
        if names and forum.users[post.user_id].username.lower() not in names:
            continue
        if slugs and not _in_category(call, topic, slugs):
            continue
        taken.add(topic.id)
        found.append(post)
    if tests.get("order") == "likes":
        found.sort(key=lambda p: -p.like_count)
    return found[:500]


def _findable(call: Call, post: Post, topic: Topic) -> bool:
    if topic.private or post.deleted_at is not None or topic.deleted_at is not None or not topic.visible:
        return False
    return post.post_type == PostType.REGULAR and call.guard.sees_post(post, topic)


def _in_category(call: Call, topic: Topic, slugs: list[str]) -> bool:
    category = call.forum.categories.get(topic.category_id or 0)
    parent = call.forum.categories.get(category.parent_id or 0) if category else None
    return any(found is not None and found.slug in slugs for found in (category, parent))


def _matches(call: Call, post: Post, topic: Topic, words: list[str], tests: dict[str, str]) -> bool:
    text = (
        topic.title.lower() if tests.get("in") in ("title", "first") else f"{post.raw} {topic.title}".lower()
    )
    if not all(word in text for word in words):
        return False
    if "tags" in tests and not set(tests["tags"].split(",")) & set(topic.tags):
        return False
    if "topic" in tests and tests["topic"] != str(topic.id):
        return False
    states = {
        "open": not topic.closed and not topic.archived,
        "closed": topic.closed,
        "archived": topic.archived,
    }
    states |= {"solved": topic.solved_by is not None, "unsolved": topic.solved_by is None}
    if not states.get(tests.get("status", ""), True):
        return False
    try:
        if "after" in tests and post.created_at < parse_time(tests["after"]):
            return False
        return not ("before" in tests and post.created_at >= parse_time(tests["before"]))
    except ValueError:
        return True


def _search_post(call: Call, post: Post) -> dict[str, Any]:
    author = call.forum.users[post.user_id]
    return {
        "id": post.id,
        "name": author.name,
        "username": author.username,
        "avatar_template": avatar(author),
        "created_at": iso(post.created_at),
        "like_count": post.like_count,
        "blurb": excerpt(call.forum.cooked(post)),
        "post_number": post.post_number,
        "topic_id": post.topic_id,
    }


def _search_topic(call: Call, topic: Topic) -> dict[str, Any]:
    row = list_topic(call.forum, topic, call.guard, posters(call.forum, topic))
    for key in words(
        "views like_count has_summary last_poster_username pinned_globally featured_link posters image_url"
    ):
        row.pop(key, None)
    return row


def _grouped(call: Call, term: str, found: list[Post], error: str | None) -> dict[str, Any]:
    body: dict[str, Any] = dict.fromkeys(("more_posts", "more_users", "more_categories"))
    body |= {"term": term, "more_full_page_results": None}
    if any(not FILTER.match(part) for part in term.split()):
        body["search_log_id"] = 1  # searches by filters alone are not logged
    body |= {"can_create_topic": call.user is not None, "error": error, "post_ids": [p.id for p in found]}
    return body | {key: [] for key in ("user_ids", "category_ids", "tag_ids", "group_ids")}
