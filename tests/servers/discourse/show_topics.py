"""Topics, their lists and categories as Discourse's serializers give them."""

from __future__ import annotations

from collections import Counter
from html import escape
from typing import TYPE_CHECKING, Any

from .guard import Guard
from .records import Post, PostType, Reader, Topic, User
from .show_lists import pinned, tag_names
from .show_people import basic_user, flair, list_user
from .show_posts import topic_post
from .text import excerpt, iso, words

if TYPE_CHECKING:
    from .forum import Forum

JSON = dict[str, Any]
MEGA = 10_000  # posts from which on the stream is left out


# --- lists


# --- one topic


def topic_view(
    forum: Forum, topic: Topic, guard: Guard, posts: list[Post], stream: list[int], **ask: Any
) -> JSON:
    """/t/{id}.json; `ask`: raw, chunk and current (post number)."""
    first = forum.first_post(topic)
    staff_view = guard.staff
    post_stream: JSON = {"posts": [topic_post(forum, p, guard, raw=bool(ask.get("raw"))) for p in posts]}
    if len(stream) < MEGA:
        post_stream["stream"] = stream
    else:
        post_stream |= {"isMegaTopic": True, "firstId": stream[0], "lastId": stream[-1]}
    body: JSON = {
        "post_stream": post_stream,
        "timeline_lookup": timeline(forum, stream),
        "tags": tag_names(forum, topic.tags),
        "id": topic.id,
        "title": topic.title,
        "fancy_title": escape(topic.title, quote=False),
        "posts_count": topic.posts_count,
        "created_at": iso(topic.created_at),
        "views": topic.views,
        "reply_count": topic.reply_count,
        "like_count": topic.like_count,
        "last_posted_at": iso(topic.last_posted_at),
        "visible": topic.visible,
        "closed": topic.closed,
        "archived": topic.archived,
        "has_summary": False,
        "archetype": topic.archetype,
        "slug": topic.slug,
        "category_id": topic.category_id,
        "word_count": sum(len(forum.posts[n].raw.split()) for n in topic.posts),
        "deleted_at": iso(topic.deleted_at),
        "user_id": topic.user_id,
        "featured_link": topic.featured_link,
        "pinned_globally": topic.pinned_globally,
        "pinned_at": iso(topic.pinned_at),
        "pinned_until": iso(topic.pinned_until),
        "image_url": None,
        "slow_mode_seconds": 0,
        "draft": None,
        "draft_key": f"topic_{topic.id}",
        "draft_sequence": 0 if guard.user is not None else None,
        "unpinned": None,
        "pinned": pinned(topic, guard.user, forum.clock()),
        "current_post_number": ask.get("current", 1),
        "highest_post_number": topic.highest_staff_post_number if staff_view else topic.highest_post_number,
        "deleted_by": basic_user(forum.users[topic.deleted_by]) if topic.deleted_by in forum.users else None,
        "actions_summary": topic_actions(first, guard),
        "chunk_size": ask.get("chunk", 20),
        "bookmarked": False,
        "topic_timer": timer_body(topic),
        "message_bus_last_id": 0,
        "participant_count": len(people(forum, topic)),
        "show_read_indicator": False,
        "thumbnails": None,
        "slow_mode_enabled_until": None,
        "details": details(forum, topic, guard),
    }
    if guard.user is not None and (reader := topic.readers.get(guard.user.id)) is not None:
        body |= read_part(forum, topic, reader)
    if staff_view:
        gone = any(forum.posts[n].deleted_at is not None for n in topic.posts)
        body["has_deleted"] = gone and topic.deleted_at is None
    if topic.external_id is not None and forum.dialect.external_id:
        body["external_id"] = topic.external_id
    if topic.private:
        del body["tags"]
        body |= {
            "pm_with_non_human_user": bool({-1, -2} & set(topic.allowed_users))
            and len(topic.allowed_users) == 2
        }
        archived = guard.user is not None and guard.user.id in topic.archived_by
        body |= {"message_archived": archived, "requested_group_name": None, "related_messages": []}
    if not posts or posts[-1].id == stream[-1]:
        body["suggested_topics"] = []  # whole page shown; what it would suggest is left out
    if forum.settings.solved_enabled and topic.solved_by in forum.posts:
        body["accepted_answer"] = accepted(forum, topic)
    return body


def read_part(forum: Forum, topic: Topic, reader: Reader) -> JSON:
    read = [forum.posts[n] for n in topic.posts if forum.posts[n].post_number <= (reader.last_read or 0)]
    body: JSON = {"posted": reader.posted, "last_read_post_number": reader.last_read}
    body["last_read_post_id"] = read[-1].id if read else None
    return body


def accepted(forum: Forum, topic: Topic) -> JSON:
    answer = forum.posts[topic.solved_by or 0]
    author = forum.users[answer.user_id]
    return {
        "post_number": answer.post_number,
        "username": author.username,
        "name": author.name,
        "excerpt": excerpt(forum.cooked(answer)),
    }


def timeline(forum: Forum, stream: list[int]) -> list[list[int]]:
    """Pairs of place in the stream and age in days, one for each change of age."""
    pairs: list[list[int]] = []
    now = forum.clock()
    for place, number in enumerate(stream, start=1):
        days = max(0, (now - forum.posts[number].created_at).days)
        if not pairs or pairs[-1][1] != days:
            pairs.append([place, days])
    return pairs


def topic_actions(first: Post, guard: Guard) -> list[JSON]:
    may = guard.user is not None
    return [{"id": kind, "count": 0, "hidden": False, "can_act": may} for kind in (4, 8, 7)]


def timer_body(topic: Topic) -> JSON | None:
    timer = topic.timers.get("public")
    if timer is None:
        return None
    return {
        "id": timer.id,
        "execute_at": iso(timer.execute_at),
        "duration_minutes": timer.duration_minutes,
        "based_on_last_post": timer.based_on_last_post,
        "status_type": timer.status_type,
        "category_id": timer.category_id,
    }


def people(forum: Forum, topic: Topic) -> Counter[int]:
    """Who wrote how many posts that are still there."""
    live = (p for p in forum.posts_of(topic) if p.deleted_at is None and p.post_type != PostType.SMALL)
    return Counter(p.user_id for p in live)


def details(forum: Forum, topic: Topic, guard: Guard) -> JSON:
    """Rights (only those held) and people."""
    shown = people(forum, topic).most_common(24)
    last = forum.users.get(
        topic.last_poster_id if topic.last_poster_id is not None else topic.user_id, forum.system
    )
    reader = topic.readers.get(guard.user.id) if guard.user is not None else None
    body: JSON = {
        "can_edit": guard.can_edit_topic(topic),
        "notification_level": reader.level if reader else 1,
    }
    if reader is not None:
        body["notifications_reason_id"] = 4
    body |= dict.fromkeys(_rights(topic, guard), True)
    if guard.user is not None and "can_remove_allowed_users" in body:
        body["can_remove_self_id"] = guard.user.id
    if shown:
        rows = [(forum.users.get(u, forum.system), count) for u, count in shown]
        body["participants"] = [_participant(forum, user, count) for user, count in rows]
    if topic.private:
        body["allowed_users"] = [basic_user(forum.users[u]) for u in topic.allowed_users if u in forum.users]
        body["allowed_groups"] = [{"id": g, "name": forum.groups[g].name} for g in topic.allowed_groups]
    body["created_by"] = basic_user(forum.users.get(topic.user_id, forum.system))
    body["last_poster"] = basic_user(last)
    return body


def _rights(topic: Topic, guard: Guard) -> list[str]:
    if guard.user is None:
        return []
    names = ["can_flag_topic"]
    if guard.can_reply(topic):
        names += ["can_create_post"]
    names += ["can_reply_as_new_topic"]
    category = guard.forum.categories.get(topic.category_id or 0)
    if topic.deleted_at is None and not (category is not None and category.read_restricted):
        names += ["can_invite_to", "can_invite_via_email"]
    if guard.staff or (guard.user.id == topic.user_id and guard.user.trust_level >= 2):
        names.append("can_remove_allowed_users")
    if guard.can_delete_topic(topic):
        names.append("can_delete")
    if guard.staff:
        names += ["can_review_topic", "can_close_topic", "can_archive_topic", "can_split_merge_topic"]
        names += ["can_edit_staff_notes", "can_toggle_topic_visibility", "can_pin_unpin_topic"]
        names += ["can_moderate_category", "can_move_posts"]
        if topic.deleted_at is None:
            names += ["can_convert_topic"]
        else:
            names += ["can_recover"]
    return names


def _participant(forum: Forum, user: User, count: int) -> JSON:
    return list_user(forum, user) | {"post_count": count} | flair(forum, user)


def hook_topic(forum: Forum, topic: Topic) -> JSON:
    """What a topic event carries: the view as system sees it, without posts and rights."""
    body = topic_view(forum, topic, Guard(forum, forum.system), [], [])
    known = body.pop("details")
    drop = words(
        "post_stream timeline_lookup suggested_topics related_messages draft draft_key draft_sequence"
        " message_bus_last_id current_post_number chunk_size posted last_read_post_number"
        " last_read_post_id has_deleted actions_summary bookmarked topic_timer show_read_indicator"
        " thumbnails message_archived requested_group_name deleted_by"
    )
    for key in drop:
        body.pop(key, None)
    return body | {"created_by": known["created_by"], "last_poster": known["last_poster"]}


# --- categories
