"""Rows of topic lists and of categories, as Discourse gives them."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING, Any

from .guard import Guard
from .records import Category, PostType, Topic, User
from .show_people import JSON, list_user
from .text import excerpt, iso

if TYPE_CHECKING:
    from .forum import Forum


def tag_names(forum: Forum, names: list[str]) -> list[Any]:
    """Names, or objects in the newest dialect."""
    if not forum.dialect.tag_objects:
        return list(names)
    return [{"id": forum.tag(name).id, "name": name, "slug": name} for name in names]


def pinned(topic: Topic, user: User | None, now: datetime) -> bool:
    """Pinned for this caller: not run out, not cleared."""
    if topic.pinned_at is None or (topic.pinned_until is not None and topic.pinned_until <= now):
        return False
    return user is None or topic.id not in user.cleared_pins


def posters(forum: Forum, topic: Topic) -> list[tuple[str, str | None, int]]:
    """Description, extras and user id of the up to five who are shown."""
    last = topic.last_poster_id if topic.last_poster_id is not None else topic.user_id
    if last == topic.user_id and topic.posts_count <= 1:
        return [("Original Poster, Most Recent Poster", "latest single", last)]
    counts = Counter(
        p.user_id for p in forum.posts_of(topic) if p.deleted_at is None and p.post_type != PostType.SMALL
    )
    frequent = [u for u, _ in counts.most_common(5) if u not in (topic.user_id, last)][:3]
    if last == topic.user_id:
        rows: list[tuple[str, str | None, int]] = [
            ("Original Poster, Most Recent Poster", "latest" if frequent else "latest single", last)
        ]
    else:
        rows = [("Original Poster", None, topic.user_id)]
    rows += [("Frequent Poster", None, u) for u in frequent]
    if last != topic.user_id:
        rows.append(("Most Recent Poster", "latest", last))
    return rows


def reading_state(topic: Topic, user: User, *, staff: bool) -> JSON:
    """What a list says of how far the caller has read."""
    highest = topic.highest_staff_post_number if staff else topic.highest_post_number
    reader = topic.readers.get(user.id)
    if reader is None or reader.last_read is None:
        return (
            {"unseen": True, "bookmarked": None, "liked": None}
            if reader is None
            else {"unseen": True} | _marks()
        )
    return {
        "unseen": False,
        "last_read_post_number": reader.last_read,
        "unread": 0,
        "new_posts": max(0, highest - reader.last_read),
        "notification_level": reader.level,
    } | _marks()


def _marks() -> JSON:
    return {"bookmarked": False, "liked": False}


def list_topic(forum: Forum, topic: Topic, guard: Guard, rows: list[tuple[str, str | None, int]]) -> JSON:
    """A row of a topic list."""
    now = forum.clock()
    is_pinned = pinned(topic, guard.user, now)
    last = forum.users.get(
        topic.last_poster_id if topic.last_poster_id is not None else topic.user_id, forum.system
    )
    body: JSON = {
        "id": topic.id,
        "title": topic.title,
        "fancy_title": escape(topic.title, quote=False),
        "slug": topic.slug,
        "posts_count": topic.posts_count,
        "reply_count": topic.reply_count,
        "highest_post_number": topic.highest_staff_post_number if guard.staff else topic.highest_post_number,
        "image_url": None,
        "created_at": iso(topic.created_at),
        "last_posted_at": iso(topic.last_posted_at),
        "bumped": True,
        "bumped_at": iso(topic.bumped_at),
        "archetype": topic.archetype,
        "unseen": False,
        "pinned": is_pinned,
        "unpinned": True if topic.pinned_at is not None and not is_pinned else None,
        "visible": topic.visible,
        "closed": topic.closed,
        "archived": topic.archived,
        "bookmarked": None,
        "liked": None,
        "views": topic.views,
        "like_count": topic.like_count,
        "has_summary": False,
        "last_poster_username": last.username,
        "category_id": topic.category_id,
        "pinned_globally": topic.pinned_globally and is_pinned,
        "featured_link": topic.featured_link,
        "posters": [
            {"extras": extras, "description": text, "user_id": number, "primary_group_id": None}
            for text, extras, number in rows
        ],
    }
    if guard.user is not None:
        body |= reading_state(topic, guard.user, staff=guard.staff)
    if is_pinned:
        body["excerpt"] = excerpt(forum.cooked(forum.first_post(topic))) or None
    if topic.private:
        others = [u for u in topic.allowed_users if guard.user is None or u != guard.user.id]
        body["allowed_user_count"] = len(topic.allowed_users)
        body["participants"] = [
            {
                "extras": "latest" if u == topic.last_poster_id else None,
                "description": None,
                "user_id": u,
                "primary_group_id": None,
            }
            for u in others
        ]
    else:
        body["tags"] = tag_names(forum, topic.tags)
    if forum.settings.solved_enabled:
        body |= {"has_accepted_answer": topic.solved_by is not None, "can_have_answer": not topic.private}
    return body


def topic_list(
    forum: Forum, topics: list[Topic], guard: Guard, *, per_page: int, more: str | None, **extra: Any
) -> JSON:
    """The whole answer of a list; without rows there are no users either."""
    inner: JSON = {"can_create_topic": guard.user is not None}
    if more is not None:
        inner["more_topics_url"] = more
    inner |= {"per_page": per_page, "top_tags": tag_names(forum, top_tags(forum)), **extra}
    if not topics:
        return {"topic_list": inner | {"topics": []}}
    rows = [(t, posters(forum, t)) for t in topics]
    seen = dict.fromkeys(u for _, people in rows for _, _, u in people)
    seen |= dict.fromkeys(u for topic, _ in rows for u in topic.allowed_users)
    return {
        "users": [list_user(forum, forum.users[u]) for u in seen if u in forum.users],
        "primary_groups": [],
        "topic_list": inner | {"topics": [list_topic(forum, t, guard, people) for t, people in rows]},
    }


def top_tags(forum: Forum) -> list[str]:
    if not forum.tags:
        return []
    counts = forum.tag_counts()
    return sorted((n for n in counts if counts[n]), key=lambda n: (-counts[n], n))[:15]


def _is_muted(forum: Forum, category: Category, guard: Guard) -> bool:
    mine = guard.user.muted_category_ids if guard.user is not None else set()
    return forum.settings.mute_all_categories_by_default or category.id in mine


def category_row(forum: Forum, category: Category, guard: Guard, counts: dict[int, int]) -> JSON:
    children = [c for c in forum.subcategories(category) if guard.sees_category(c)]
    about = forum.topics.get(category.topic_id or 0)
    body: JSON = {
        "id": category.id,
        "name": category.name,
        "color": category.color,
        "text_color": category.text_color,
        "slug": category.slug,
        "topic_count": counts.get(category.id, 0),
        "post_count": 0,
        "position": category.position,
        "description": category.description,
        "description_text": category.description,
        "description_excerpt": category.description,
        "topic_url": f"/t/{about.slug}/{about.id}" if about else "/t/",
        "read_restricted": category.read_restricted,
        "permission": 1 if guard.user is not None else None,
        "notification_level": 0 if _is_muted(forum, category, guard) else 1,
        "topic_template": category.topic_template,
        "has_children": bool(children),
        "sort_order": None,
        "sort_ascending": None,
        "show_subcategory_list": False,
        "num_featured_topics": 3,
        "default_view": None,
        "subcategory_list_style": "rows_with_featured_topics",
        "default_top_period": "all",
        "default_list_filter": "all",
        "minimum_required_tags": 0,
        "navigate_to_first_post_after_read": False,
        "uploaded_logo": None,
        "uploaded_background": None,
    }
    if guard.staff:
        body["can_edit"] = True
    if category.parent_id is not None:
        body["parent_category_id"] = category.parent_id
    return body
