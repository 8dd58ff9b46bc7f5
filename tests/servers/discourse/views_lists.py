"""Topic lists: latest, categories, tags, messages, and their paging."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from .call import Call, redirect, route
from .errors import forbidden, invalid, not_found
from .records import Category, Topic, User
from .show_lists import category_row, pinned, topic_list

PER_PAGE = 30
MOST_PER_PAGE = 100
CATEGORIES_PER_PAGE, SUBCATEGORIES_SHOWN = 20, 5
IGNORED_IN_MORE = frozenset({"page", "api_key", "api_username"})
ORDERS: dict[str, Callable[[Topic], Any]] = {
    "activity": lambda t: t.bumped_at,
    "default": lambda t: t.bumped_at,
    "created": lambda t: (t.created_at, t.id),
    "views": lambda t: t.views,
    "posts": lambda t: t.posts_count,
    "category": lambda t: t.category_id or 0,
    "likes": lambda t: t.like_count,
    "op_likes": lambda t: t.like_count,
    "posters": lambda t: len({*t.readers}),
}


def per_page(call: Call) -> int:
    if call.names("topic_ids"):
        return 30
    if not call.forum.dialect.per_page:
        return PER_PAGE
    wanted = call.strict_number("per_page", PER_PAGE)
    if not 1 <= wanted <= 100:
        raise invalid("per_page")
    return min(wanted, MOST_PER_PAGE)


def select(call: Call, topics: Iterable[Topic], *, muted: bool = False) -> list[Topic]:
    """Filters that every public list understands."""
    forum, guard = call.forum, call.guard
    status = call.text("status")
    gone = status == "deleted" and guard.staff
    found = [t for t in topics if (t.deleted_at is not None) == gone and not t.private]
    found = [t for t in found if t.category_id is None or t.category_id in guard.categories]
    if not guard.staff:
        found = [t for t in found if t.visible]
    found = _by_status(found, status)
    if ids := call.names("topic_ids"):
        wanted = {int(n) for n in ids if n.isdigit()}
        found = [t for t in found if t.id in wanted]
    if category := call.number("category"):
        within = {category} if call.flag("no_subcategories") else forum.categories_below(category)
        found = [t for t in found if t.category_id in within]
    tags = (
        [str(t) for t in call.params.get("tags") or [] if t]
        if isinstance(call.params.get("tags"), list)
        else []
    )
    if tags:
        match = all if call.text("match_all_tags") == "true" else any
        found = [t for t in found if match(tag in t.tags for tag in tags)]
    low, high = call.strict_number("min_posts", 0), call.strict_number("max_posts", 10**9)
    if low or high < 10**9:
        found = [t for t in found if low <= t.posts_count <= high]
    if (days := call.number("before")) is not None:
        found = [t for t in found if t.created_at < forum.since(days)]
    if (days := call.number("bumped_before")) is not None:
        found = [t for t in found if t.bumped_at < forum.since(days)]
    if muted and forum.settings.mute_all_categories_by_default:
        found = []
    if muted and call.user is not None and (call.user.muted_category_ids or call.user.muted_tags):
        found = [t for t in found if not _muted(call.user, t)]
    return found


def _by_status(topics: list[Topic], status: str | None) -> list[Topic]:
    tests: dict[str, Callable[[Topic], bool]] = {
        "open": lambda t: not t.closed and not t.archived,
        "closed": lambda t: t.closed,
        "archived": lambda t: t.archived,
        "listed": lambda t: t.visible,
        "unlisted": lambda t: not t.visible,
    }
    return [t for t in topics if tests[status](t)] if status in tests else topics


def _muted(user: User, topic: Topic) -> bool:
    return topic.category_id in user.muted_category_ids or bool(
        topic.tags and set(topic.tags) <= user.muted_tags
    )


def in_order(call: Call, topics: list[Topic], pin: Callable[[Topic], bool] | None) -> list[Topic]:
    """Sorted as asked; pins come first unless an order was asked for. Ties keep the order of ids."""
    order = call.text("order") or "default"
    key = ORDERS.get(order, ORDERS["default"])
    topics = sorted(topics, key=key, reverse=call.text("ascending") != "true")
    if pin is not None and order in ("default", "activity"):
        now, user = call.forum.clock(), call.user
        first = [t for t in topics if t.pinned_at is not None and pin(t) and pinned(t, user, now)]
        first.sort(key=_pinned_at, reverse=True)
        lead = {t.id for t in first}
        topics = first + [t for t in topics if t.id not in lead]
    return topics


def _pinned_at(topic: Topic) -> datetime:
    return topic.pinned_at or topic.created_at


def answer(
    call: Call, topics: list[Topic], path: str, *, definitions: bool = True, **extra: Any
) -> dict[str, Any]:
    """One page of a sorted list. `more_topics_url` has no .json and is there whenever the page is full."""
    size = per_page(call)
    page = call.strict_number("page", 0)
    rows = call.forum.page(topics, page, size)
    more = None
    if len(rows) == size:
        query = {k: v for k, v in call.query.items() if k not in IGNORED_IN_MORE and not isinstance(v, dict)}
        query["page"] = page + 1
        if not definitions:
            query["no_definitions"] = "true"
        flat = sorted((f"{k}[]" if isinstance(v, list) else k, v) for k, v in query.items())
        more = f"{path}?{urlencode(flat, doseq=True, safe='[]')}"
    return topic_list(call.forum, rows, call.guard, per_page=size, more=more, **extra)


# --- public lists


def _abouts(call: Call) -> set[int | None]:
    return {c.topic_id for c in call.forum.categories.values()}


@route("GET", "/latest /", "list/latest")
def latest(call: Call) -> dict[str, Any]:
    found = select(call, call.forum.topics.values(), muted=call.number("category") is None)
    category = call.number("category")
    if category is None:
        abouts = _abouts(call)
        found = [t for t in found if t.id not in abouts]
        return answer(call, in_order(call, found, lambda t: t.pinned_globally), "/latest", definitions=False)
    return answer(call, in_order(call, found, lambda t: t.category_id == category), "/latest")


@route("GET", "/top", "list/top")
@route("GET", "/top/all", "list/top_all")
@route("GET", "/top/<period>", "list/top_yearly")
def top(call: Call, period: str = "") -> dict[str, Any]:
    """Only topics with a score are in it, and scores come from a periodic job that never runs here."""
    return topic_list(
        call.forum,
        [],
        call.guard,
        per_page=50,
        more=None,
        for_period=period or call.path.removeprefix("/top").strip("/") or "yearly",
    )


@route("GET", "/topics/created-by/<name>", "list/topics_by")
def created_by(call: Call, name: str) -> dict[str, Any]:
    user = call.named_user(name)
    found = [t for t in select(call, call.forum.topics.values()) if t.user_id == user.id]
    return answer(call, in_order(call, found, None), f"/topics/created-by/{user.username}")


# --- categories


def _category(call: Call, number: int) -> Category:
    category = call.forum.categories.get(number)
    if category is None or not call.guard.sees_category(category):
        raise not_found()
    return category


def _slug_path(call: Call, category: Category) -> str:
    parent = call.forum.categories.get(category.parent_id or 0)
    return (f"{parent.slug}/" if parent else "") + category.slug


@route("GET", "/c/<path:slugs>/<int:number>/l/latest", "list/category_latest")
def category_latest(call: Call, slugs: str, number: int) -> Any:
    return _of_category(call, slugs, number, "/l/latest")


@route("GET", "/c/<path:slugs>/<int:number>", "list/category_default")
def category_default(call: Call, slugs: str, number: int) -> Any:
    return _of_category(call, slugs, number, "")


@route("GET", "/c/<int:number>", "list/category_default")
def category_without_slug(call: Call, number: int) -> Any:
    return _of_category(call, "", number, "")


@route("GET", "/c/<path:slugs>/<int:number>/none", "list/category_none_latest")
def category_none(call: Call, slugs: str, number: int) -> Any:
    return _of_category(call, slugs, number, "/none")


def _of_category(call: Call, slugs: str, number: int, tail: str) -> Any:
    category = _category(call, number)
    right = _slug_path(call, category)
    path = f"/c/{right}/{category.id}{tail}"
    if slugs != right and slugs != category.slug:
        query = urlencode({"page": call.query["page"]}) if "page" in call.query else ""
        return redirect(f"{call.host_url}{path}.json" + (f"?{query}" if query else ""))
    within = {number} if tail == "/none" else call.forum.categories_below(number)
    found = [t for t in select(call, call.forum.topics.values()) if t.category_id in within]
    below = {c.topic_id for c in call.forum.subcategories(category)}
    found = [t for t in found if t.id not in below]
    return answer(call, in_order(call, found, lambda t: t.category_id == number), path)


@route("GET", "/categories", "categories/index")
def categories(call: Call) -> dict[str, Any]:
    """Those of the top level, or of `parent_category_id`, with what belongs to each. Where categories load
    lazily, twenty a page, and with the top level the first five below each."""
    forum, guard = call.forum, call.guard
    parent, page = call.number("parent_category_id"), max(1, call.number("page") or 1)
    found = [c for c in forum.categories.values() if c.parent_id == parent and guard.sees_category(c)]
    newest = _activity(call)
    found.sort(key=lambda c: newest.get(c.id, forum.since(36_500)), reverse=True)
    if forum.settings.lazy_load_categories:
        found = forum.page(found, page - 1, CATEGORIES_PER_PAGE)
        if parent is None:
            found += [c for above in list(found) for c in _below(call, above)[:SUBCATEGORIES_SHOWN]]
    elif page > 1:
        found = []
    counts = forum.topic_counts()
    body: dict[str, Any] = {"can_create_category": guard.staff, "can_create_topic": call.user is not None}
    return {"category_list": body | {"categories": [_full_row(call, c, counts) for c in found]}}


def _below(call: Call, category: Category) -> list[Category]:
    return [c for c in call.forum.subcategories(category) if call.guard.sees_category(c)]


def _full_row(call: Call, category: Category, counts: dict[int, int]) -> dict[str, Any]:
    row = category_row(call.forum, category, call.guard, counts)
    periods = {f"topics_{p}": 0 for p in ("day", "week", "month", "year")}
    row |= periods | {"topics_all_time": counts.get(category.id, 0)}
    row |= _since(call, category)
    if category.id == 1:
        row["is_uncategorized"] = True
    if row["has_children"]:
        row["subcategory_ids"] = [c.id for c in _below(call, category)]
    return row


def _activity(call: Call) -> dict[int | None, datetime]:
    """When something was last posted in each category, which is how they are sorted."""
    newest: dict[int | None, datetime] = {}
    for topic in call.forum.topics.values():
        if topic.last_posted_at is not None and not topic.private:
            known = newest.get(topic.category_id)
            newest[topic.category_id] = max(known or topic.last_posted_at, topic.last_posted_at)
    return newest


def _since(call: Call, category: Category) -> dict[str, int]:
    live = [t for t in call.forum.topics.values() if t.category_id == category.id and t.deleted_at is None]
    spans = {"day": 1, "week": 7, "month": 30, "year": 365}
    return {
        f"topics_{n}": sum(1 for t in live if t.created_at > call.forum.since(d)) for n, d in spans.items()
    }


# --- tags


@route("GET", "/tags", "tags/index")
def tags(call: Call) -> dict[str, Any]:
    forum = call.forum
    if not forum.settings.tagging_enabled:
        raise not_found()
    counts = forum.tag_counts(t for t in forum.topics.values() if call.guard.sees_topic(t))
    rows = []
    for tag in forum.tags.values():
        if not (counts[tag.name] or call.guard.staff):
            continue
        row: dict[str, Any] = {"id": tag.name, "text": tag.name, "count": counts[tag.name], "pm_count": 0}
        if forum.dialect.tag_objects:
            row |= {"id": tag.id, "name": tag.name, "slug": tag.name}
        rows.append(row | {"target_tag": tag.synonym_of or None})
    return {"tags": rows, "extras": {"categories": []}}


@route("GET", "/tag/<name>", "tags/show")
@route("GET", "/tag/<name>/l/latest", "tags/show_latest")
def by_tag(call: Call, name: str) -> dict[str, Any]:
    tag = call.forum.tags.get(name.lower())
    if tag is None:
        raise not_found()
    found = [t for t in select(call, call.forum.topics.values()) if tag.name in t.tags]
    about = {"id": tag.id, "name": tag.name, "topic_count": len(found), "staff": False}
    ordered = in_order(call, found, None)
    return answer(call, ordered, f"/tag/{tag.name}", tags=[about])


@route("GET", "/tag/<name>/info", "tags/info")
def tag_info(call: Call, name: str) -> dict[str, Any]:
    tag = call.forum.tags.get(name.lower())
    if tag is None:
        raise not_found()
    about = {"id": tag.id, "name": tag.name, "topic_count": call.forum.tag_counts()[tag.name], "staff": False}
    about |= {"synonyms": [], "tag_group_names": [], "category_restricted": False, "category_ids": []}
    return {"categories": [], "tag_info": about, "__rest_serializer": "1"}


# --- private messages


def messages(call: Call, name: str) -> Any:
    """Inbox and shelves of one user: for that user and for admins."""
    user = call.named_user(name)
    if call.user is None or not (call.guard.admin or call.user.id == user.id):
        raise forbidden()
    kind = call.path.split("/")[2]
    shelf = kind.removeprefix("private-messages").removeprefix("-")
    private = (t for t in call.forum.topics.values() if t.private and t.deleted_at is None)
    found = [t for t in private if _on_shelf(user, t, shelf)]
    return answer(call, in_order(call, found, None), f"/topics/{kind}/{user.username}")


for _shelf in ("", "-sent", "-archive", "-unread", "-new"):
    _action = f"list/private_messages{_shelf.replace('-', '_')}"
    route("GET", f"/topics/private-messages{_shelf}/<name>", _action)(messages)


def _on_shelf(user: User, topic: Topic, shelf: str) -> bool:
    if shelf == "sent":
        return topic.user_id == user.id
    if user.id not in topic.allowed_users:
        return False
    reader = topic.readers.get(user.id)
    read = reader.last_read if reader else None
    if shelf == "archive":
        return user.id in topic.archived_by
    if shelf == "unread":
        return read is not None and read < topic.highest_post_number
    if shelf == "new":
        return read is None
    only_own = topic.user_id == user.id and topic.last_poster_id == user.id and topic.posts_count <= 1
    return user.id not in topic.archived_by and not (only_own and len(topic.allowed_users) > 1)


@route("GET", "/topics/private-messages-group/<name>/<group>", "list/private_messages_group")
def group_messages(call: Call, name: str, group: str) -> Any:
    user, shared = call.named_user(name), call.forum.group(group)
    if shared is None:
        raise not_found()
    if call.user is None or not (call.guard.admin or (call.user.id == user.id and user.id in shared.members)):
        raise forbidden()
    found = [
        t
        for t in call.forum.topics.values()
        if t.private and shared.id in t.allowed_groups and not t.deleted_at
    ]
    path = f"/topics/private-messages-group/{user.username}/{shared.name}"
    return answer(call, in_order(call, found, None), path)
