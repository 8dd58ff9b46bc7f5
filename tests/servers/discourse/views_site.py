"""The site as a whole: what it is, who calls, how much there is; search; the user directory."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from .call import Call, Reply, route
from .errors import not_found
from .show_lists import category_row, tag_names, top_tags
from .show_people import basic_user
from .show_profile import current_user
from .text import words

NOTIFICATIONS = words(
    "mentioned replied quoted edited liked private_message invited_to_private_message invitee_accepted"
    " posted moved_post linked granted_badge invited_to_topic custom group_mentioned"
    " group_message_summary watching_first_post topic_reminder liked_consolidated post_approved"
    " code_review_commit_approved membership_request_accepted membership_request_consolidated"
    " bookmark_reminder reaction votes_released event_reminder event_invitation"
)
ACTIONS = [
    (1, "bookmark", False),
    (2, "like", False),
    (3, "off_topic", True),
    (4, "inappropriate", True),
    (8, "spam", True),
    (6, "notify_user", True),
    (7, "notify_moderators", True),
]


@route("GET", "/site", "site/site")
def site(call: Call) -> dict[str, Any]:
    forum, guard = call.forum, call.guard
    counts = forum.topic_counts()
    groups = [
        g for g in forum.groups.values() if call.user is not None and (guard.sees_group(g) or g.id == 0)
    ]
    flair = {"flair_url": None, "flair_bg_color": None, "flair_color": None}
    rows = [
        category_row(forum, c, guard, counts) for c in forum.categories.values() if guard.sees_category(c)
    ]
    more = {
        "allowed_tags": [],
        "allowed_tag_groups": [],
        "allow_global_tags": False,
        "min_tags_from_required_group": 1,
        "required_tag_group_name": None,
        "read_only_banner": None,
    }
    signed = True if call.user is not None else None
    lazy = forum.settings.lazy_load_categories  # then only those in the account's sidebar are here: none
    listed = {"lazy_load_categories": True} if lazy else {"categories": [row | more for row in rows]}
    return listed | {
        "default_archetype": "regular",
        "notification_types": {name: n for n, name in enumerate(NOTIFICATIONS, start=1)},
        "post_types": {"regular": 1, "moderator_action": 2, "small_action": 3, "whisper": 4},
        "trust_levels": {"newuser": 0, "basic": 1, "member": 2, "regular": 3, "leader": 4},
        "groups": [{"id": g.id, "name": g.name, **flair} for g in sorted(groups, key=lambda g: g.name)],
        "filters": ["latest", "unread", "new", "top", "read", "posted", "bookmarks"],
        "periods": ["all", "yearly", "quarterly", "monthly", "weekly", "daily"],
        "top_menu_items": ["latest", "unread", "new", "top", "read", "posted", "bookmarks", "categories"],
        "anonymous_top_menu_items": ["latest", "top", "categories"],
        "uncategorized_category_id": 1,
        "user_field_max_length": 2048,
        "post_action_types": [_action(*row) for row in ACTIONS],
        "topic_flag_types": [_action(*row) for row in ACTIONS if row[0] in (4, 7, 8)],
        "can_create_tag": signed,
        "can_tag_topics": signed,
        "can_tag_pms": False,
        "tags_filter_regexp": "[/\\?#\\[\\]@!\\$&'\\(\\)\\*\\+,;=\\.%\\\\`^\\s|\\{\\}\"<>]+",
        "top_tags": tag_names(forum, top_tags(forum)),
        "topic_featured_link_allowed_category_ids": list(forum.categories),
        "user_themes": [{"theme_id": 1, "name": "Default", "default": True, "color_scheme_id": None}],
        "user_color_schemes": [{"id": 1, "name": "Dark", "is_dark": True}],
        "default_dark_color_scheme": None,
        "censored_regexp": None,
        "custom_emoji_translation": {},
        "watched_words_replace": None,
        "watched_words_link": None,
        "archetypes": [
            {"id": "regular", "name": "Regular Topic", "options": []},
            {"id": "banner", "name": "Banner Topic", "options": []},
        ],
        "user_fields": [],
        "auth_providers": [],
    }


def _action(number: int, key: str, is_flag: bool) -> dict[str, Any]:
    words = key.replace("_", " ").capitalize()
    return {
        "id": number,
        "name_key": key,
        "name": words,
        "description": words,
        "short_description": words,
        "is_flag": is_flag,
        "is_custom_flag": number in (6, 7),
    }


@route("GET", "/site/basic-info", "site/basic_info")
def basic_info(call: Call) -> dict[str, Any]:
    images = ("logo_url", "logo_small_url", "apple_touch_icon_url", "favicon_url", "mobile_logo_url")
    return {key: f"{call.host_url}/images/discourse-logo-sketch.png" for key in images} | {
        "title": call.forum.settings.title,
        "description": "",
        "header_primary_color": "333333",
        "header_background_color": "ffffff",
    }


@route("GET", "/about", "about/index")
def about(call: Call) -> dict[str, Any]:
    forum = call.forum
    stats: dict[str, int] = {}
    live = [t for t in forum.topics.values() if t.deleted_at is None and not t.private]
    posts = [p for p in forum.posts.values() if p.deleted_at is None]  # messages and small actions too
    users = [u for u in forum.users.values() if u.id > 0]
    _count(stats, call, "topic_count", "topics", [t.created_at for t in live])
    _count(stats, call, "post_count", "posts", [p.created_at for p in posts])
    _count(stats, call, "user_count", "users", [u.created_at for u in users])
    _count(stats, call, None, "active_users", [u.last_seen_at for u in users if u.last_seen_at])
    _count(stats, call, None, "likes", [at for p in posts for at in p.likes.values()])
    stats["like_count"] = sum(p.like_count for p in posts)
    seen = {"title": None, "last_seen_at": None}
    people = [u for u in forum.users.values() if u.id > 0]
    return {
        "about": {
            "stats": stats,
            "description": "",
            "title": forum.settings.title,
            "locale": forum.settings.default_locale,
            "version": forum.dialect.version,
            "https": False,
            "can_see_about_stats": True,
            "contact_url": "",
            "contact_email": "contact@example.com",
            "moderators": [basic_user(u) | seen for u in people if u.moderator],
            "admins": [basic_user(u) | seen for u in people if u.admin],
            "category_moderators": [],
        }
    }


def _count(stats: dict[str, int], call: Call, total: str | None, name: str, moments: list[datetime]) -> None:
    if total is not None:
        stats[total] = len(moments)
    for label, days in (("last_day", 1), ("7_days", 7), ("30_days", 30)):
        since = call.forum.since(days)
        stats[f"{name}_{label}"] = sum(1 for moment in moments if moment > since)


@route("GET", "/srv/status", "")
def srv_status(call: Call) -> Reply:
    return Reply("ok", headers={"Vary": "Accept"})


@route("GET", "/session/csrf", "session/csrf")
def csrf(call: Call) -> dict[str, str]:
    return {"csrf": "made-up-token"}


@route("GET", "/session/current", "session/current")
def session_current(call: Call) -> dict[str, Any]:
    if call.user is None:
        raise not_found()
    return {"current_user": current_user(call.forum, call.user)}


# --- directory


# --- search
