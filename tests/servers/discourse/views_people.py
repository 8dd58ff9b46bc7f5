"""Users and badges as everybody meets them."""

from __future__ import annotations

from collections import Counter
from html import escape
from typing import Any

from .call import Call, Reply, empty, route
from .errors import Unprocessable, failed, forbidden, invalid, missing, not_found
from .forum import Forum
from .people import grant, register, rename, revoke, titles_of
from .records import Grant, PostType, User
from .show_groups import badge_row, badge_types, badges_of
from .show_people import basic_user, flair, list_user
from .show_profile import profile
from .text import iso, words

CARDS = 50


@route("GET", "/u/<name> /users/<name>", "users/show")
def show(call: Call, name: str) -> Reply:
    user = call.named_user(name)
    if not user.active and not user.staged and not call.guard.staff:
        raise not_found()
    if call.text("skip_track_visit") is None and call.user is not None and call.user.id != user.id:
        user.profile_views += 1
    return Reply(_profile(call, user), headers={"X-Robots-Tag": "noindex"})


@route("GET", "/u/by-external/<wanted> /users/by-external/<wanted>", "users/show")
def by_external(call: Call, wanted: str) -> Reply:
    user = next((u for u in call.forum.users.values() if u.external_id == wanted), None)
    if user is None:
        raise not_found()
    return show(call, user.username)


def _profile(call: Call, user: User) -> dict[str, Any]:
    forum = call.forum
    body: dict[str, Any] = {"user": profile(forum, user, call.guard)}
    if "profile_hidden" in body["user"]:
        return body
    body["user_badges"] = [_grant_row(g) | {"count": 1} for g in badges_of(forum, user)]
    return body | _badge_part(forum, user)


def _badge_part(forum: Forum, user: User) -> dict[str, Any]:
    """The badges of somebody beside the rows that say so; nothing where there are none."""
    held = badges_of(forum, user)
    if not held:
        return {}
    kinds = list({g.badge_id: forum.badges[g.badge_id] for g in held}.values())
    givers = {g.granted_by for g in held} | {user.id}
    return {
        "badges": [badge_row(forum, b) for b in kinds],
        "badge_types": badge_types(kinds),
        "users": [list_user(forum, forum.users[u]) for u in givers if u in forum.users],
    }


@route("GET", "/u/<name>/summary /users/<name>/summary", "users/summary")
def summary(call: Call, name: str) -> Reply:
    """Six of each, and the counters."""
    user, forum = call.named_user(name), call.forum
    if not call.guard.sees_profile(user):
        raise not_found()
    posts = [p for p in forum.posts_by(user) if p.deleted_at is None and p.post_type == PostType.REGULAR]
    posts = [p for p in posts if not forum.topics[p.topic_id].private and call.guard.sees_post(p)]
    own = [forum.topics[p.topic_id] for p in posts if p.post_number == 1]
    replies = sorted((p for p in posts if p.post_number > 1), key=lambda p: (-p.like_count, -p.id))[:6]
    topics = sorted(own, key=lambda t: (-t.like_count, -t.id))[:6]
    shown = {t.id: t for t in [*topics, *(forum.topics[p.topic_id] for p in replies)]}
    likers = Counter(u for p in posts for u in p.likes).most_common(6)
    areas = Counter(forum.topics[p.topic_id].category_id for p in posts).most_common(6)
    liked = Counter(p.user_id for p in forum.posts.values() if user.id in p.likes).most_common(6)
    body = {
        "topics": [_summary_topic(t) for t in shown.values()],
        "user_summary": {
            "likes_given": user.likes_given,
            "likes_received": sum(p.like_count for p in posts),
            "topics_entered": user.topics_entered,
            "posts_read_count": user.posts_read_count,
            "days_visited": user.days_visited,
            "topic_count": len(own),
            "post_count": len(posts) - len(own),
            "time_read": user.time_read,
            "recent_time_read": 0,
            "can_see_summary_stats": True,
            "topic_ids": [t.id for t in topics],
            "replies": [
                {
                    "post_number": p.post_number,
                    "like_count": p.like_count,
                    "created_at": iso(p.created_at),
                    "topic_id": p.topic_id,
                }
                for p in replies
            ],
            "links": [],
            "most_liked_by_users": [_counted(call, u, n) for u, n in likers],
            "most_liked_users": [_counted(call, u, n) for u, n in liked],
            "most_replied_to_users": [],
            "badges": [_grant_row(g) | {"count": 1} for g in badges_of(forum, user)][:6],
            "top_categories": [_area(call, c, n, own) for c, n in areas if c in forum.categories],
        },
    }
    return Reply(body | _badge_part(forum, user), headers={"X-Robots-Tag": "noindex"})


def _summary_topic(topic: Any) -> dict[str, Any]:
    return {
        "id": topic.id,
        "title": topic.title,
        "fancy_title": escape(topic.title, quote=False),
        "slug": topic.slug,
        "posts_count": topic.posts_count,
        "category_id": topic.category_id,
        "like_count": topic.like_count,
        "created_at": iso(topic.created_at),
    }


def _counted(call: Call, user_id: int, count: int) -> dict[str, Any]:
    user = call.forum.users[user_id]
    roles = {"admin": user.admin, "moderator": user.moderator, "trust_level": user.trust_level}
    return basic_user(user) | {"count": count} | roles | flair(call.forum, user)


def _area(call: Call, category_id: int | None, count: int, own: list[Any]) -> dict[str, Any]:
    category = call.forum.categories[category_id or 0]
    topics = sum(1 for t in own if t.category_id == category.id)
    return {
        "topic_count": topics,
        "post_count": count - topics,
        "id": category.id,
        "name": category.name,
        "color": category.color,
        "text_color": category.text_color,
        "slug": category.slug,
        "read_restricted": category.read_restricted,
        "parent_category_id": category.parent_id,
    }


@route("GET", "/u/<name>/emails", "users/check_emails")
def emails(call: Call, name: str) -> dict[str, Any]:
    user = call.named_user(name)
    if call.user is None or not (call.guard.admin or call.user.id == user.id):
        raise failed(403)
    if call.user.id != user.id:
        call.forum.log_staff("check_email", call.user, target_user_id=user.id)
    return {"email": user.email, "secondary_emails": [], "unconfirmed_emails": [], "associated_accounts": []}


@route("GET", "/user-cards", "users/cards")
def cards(call: Call) -> dict[str, Any]:
    """At most 50 people at once."""
    ids = [int(n) for n in call.names("user_ids") if n.lstrip("-").isdigit()]
    if not ids:
        raise missing("user_ids")
    if len(ids) > CARDS:
        raise invalid("user_ids")
    people = [call.forum.users[n] for n in ids if n in call.forum.users]
    return {"users": [_card(call, u) for u in people if u.active and call.guard.sees_profile(u)]}


@route("GET", "/u/<name>/card", "users/show_card")
def card(call: Call, name: str) -> dict[str, Any]:
    user = call.named_user(name)
    rows = [_grant_row(g) | {"count": 1} for g in badges_of(call.forum, user)]
    return {"user_badges": rows, "user": _card(call, user)} | _badge_part(call.forum, user)


CARD = words(
    "id username name avatar_template last_posted_at last_seen_at created_at ignored muted"
    " can_ignore_user can_mute_user can_send_private_messages can_send_private_message_to_user"
    " trust_level moderator admin title badge_count custom_fields time_read recent_time_read"
    " primary_group_id primary_group_name primary_group_flair_url primary_group_flair_bg_color"
    " primary_group_flair_color featured_topic staged featured_user_badge_ids bio_excerpt website"
    " website_name location suspended_till suspend_reason"
)


def _card(call: Call, user: User) -> dict[str, Any]:
    whole = profile(call.forum, user, call.guard)
    return {key: whole[key] for key in CARD if key in whole}


@route("PUT", "/u/<name> /users/<name>", "users/update")
def update(call: Call, name: str) -> dict[str, Any]:
    """A title that staff gives is taken; one's own only if it may be held, and dropped silently otherwise."""
    call.me()
    user = call.named_user(name)
    if not call.guard.can_edit_user(user):
        raise forbidden()
    for key in ("name", "bio_raw", "location", "website", "locale"):
        if (value := call.text(key)) is not None:
            setattr(user, key, value or None)
    if (title := call.text("title")) is not None and (
        not title or call.guard.staff or title in titles_of(call.forum, user)
    ):
        user.title = title or None
    for key in ("allow_private_messages", "hide_profile_and_presence"):
        if (value := call.text(key)) is not None:
            setattr(user, key.removesuffix("_and_presence"), value == "true")
    for listed in ("muted_category_ids",):
        if listed in call.params:
            user.muted_category_ids = {int(n) for n in call.names(listed) if n.isdigit()}
    if "muted_tags" in call.params:
        user.muted_tags = set(call.names("muted_tags"))
    call.forum.hooks.user("user_updated", user)
    return {"success": "OK", "user": profile(call.forum, user, call.guard)}


@route("PUT", "/u/<name>/preferences/username /users/<name>/preferences/username", "users/username")
def set_username(call: Call, name: str) -> dict[str, Any]:
    by, user = call.me(), call.named_user(name)
    rename(call.forum, by, user, call.need("new_username"))
    return {"id": user.id, "username": user.username}


@route("PUT", "/u/<name>/preferences/email", "users_email/update")
def set_email(call: Call, name: str) -> Reply:
    call.me()
    user = call.named_user(name)
    if not call.guard.can_edit_user(user):
        raise forbidden()
    if "@" not in call.need("email"):
        raise Unprocessable("Email is invalid.")
    old, user.email = user.email, call.need("email")
    call.forum.reindex_user(user, user.username, old)
    return empty()


@route("POST", "/users /u", "users/create")
def create(call: Call) -> dict[str, Any]:
    """A failure is answered with 200 as well."""
    username, name, email = call.need("username"), call.text("name") or "", call.text("email") or ""
    by_admin = call.key is not None and call.guard.admin
    active, staged = by_admin and call.flag("active"), by_admin and call.flag("staged")
    password = call.text("password") or ""
    wrong: dict[str, list[str]] = {}
    if len(password) < 10:
        wrong["password"] = ["is too short (minimum is 10 characters)"]
    made = wrong or register(call.forum, username, name, email, active=active, staged=staged)
    if isinstance(made, User):
        mail = f"<p>You’re almost done! We sent an activation mail to <b>{email}</b>.</p>"
        message = "Your account is activated and ready to use." if active else mail
        return {"success": True, "active": active, "message": message, "user_id": made.id}
    labels = {"email": "Primary email"}
    text = "\n".join(f"{labels.get(k, k.capitalize())} {v}" for k, texts in made.items() for v in texts)
    values = {"name": name, "username": username, "email": email}
    return {"success": False, "message": text, "errors": made, "values": values, "is_developer": False}


@route("GET", "/u/check_username", "users/check_username")
def check_username(call: Call) -> dict[str, Any]:
    name = call.need("username")
    if call.forum.user(name) is None:
        return {"available": True, "is_developer": False}
    free = next(n for i in range(1, 10_000) if call.forum.user(n := f"{name}{i}") is None)
    return {"available": False, "suggestion": free}


# --- badges


def _grant_row(held: Grant) -> dict[str, Any]:
    return {
        "id": held.id,
        "granted_at": iso(held.granted_at),
        "created_at": iso(held.granted_at),
        "badge_id": held.badge_id,
        "user_id": held.user_id,
        "granted_by_id": held.granted_by,
    }


@route("GET", "/badges", "badges/index")
def badges(call: Call) -> dict[str, Any]:
    listed = [b for b in call.forum.badges.values() if b.enabled and b.listable]
    names = ("Getting Started", "Community", "Posting", "Trust Level", "Other")
    return {
        "badge_types": badge_types(listed),
        "badge_groupings": [
            {"id": n, "name": name, "description": None, "position": 9 + n, "system": True}
            for n, name in enumerate(names, start=1)
        ],
        "badges": [badge_row(call.forum, b) | {"has_badge": False, "long_description": ""} for b in listed],
    }


@route("GET", "/badges/<int:number>", "badges/show")
def badge(call: Call, number: int) -> dict[str, Any]:
    found = call.forum.badges.get(number)
    if found is None:
        raise not_found()
    row = badge_row(call.forum, found) | {"long_description": ""}
    return {"badge": row, "badge_types": badge_types([found])}


@route("GET", "/user_badges", "user_badges/index")
def holders(call: Call) -> dict[str, Any]:
    forum, number, name = call.forum, call.number("badge_id"), call.text("badge_name")
    found = next((b for b in forum.badges.values() if b.id == number or b.name == name), None)
    if found is None:
        raise not_found()
    rows = sorted((g for g in forum.grants.values() if g.badge_id == found.id), key=lambda g: -g.id)
    start = call.number("offset") or 0
    page = rows[start : start + 96]
    people = {g.user_id for g in page} | {g.granted_by for g in page}
    return {
        "badges": [badge_row(forum, found) | {"long_description": ""}],
        "badge_types": badge_types([found]),
        "users": [list_user(forum, forum.users[u]) for u in people if u in forum.users],
        "user_badge_info": {
            "grant_count": None,
            "username": None,
            "user_badges": [_grant_row(g) for g in page],
        },
    }


def _favorite(held: Grant) -> dict[str, Any]:
    """A badge as its holder's own page has it."""
    row = _grant_row(held)
    del row["created_at"], row["user_id"]
    return row | {"grouping_position": 14, "is_favorite": None, "can_favorite": False}


def _reason(forum: Forum, held: Grant) -> dict[str, Any]:
    """The post for which it was given."""
    post = forum.posts.get(held.post_id or 0)
    if post is None:
        return {}
    topic = forum.topics[post.topic_id]
    return {"post_number": post.post_number, "topic_id": topic.id, "topic_title": topic.title}


@route("GET", "/user-badges/<name>", "user_badges/username")
def badges_of_user(call: Call, name: str) -> dict[str, Any]:
    forum, user = call.forum, call.named_user(name)
    held = badges_of(forum, user)
    kinds = list({g.badge_id: forum.badges[g.badge_id] for g in held}.values())
    rows = [_favorite(g) for g in held]
    if call.text("grouped"):
        counts = Counter(g.badge_id for g in held)
        rows = [_favorite(g) | {"count": counts[g.badge_id]} for g in {g.badge_id: g for g in held}.values()]
    givers = {g.granted_by for g in held}
    return {
        "badges": [badge_row(forum, b) for b in kinds],
        "badge_types": badge_types(kinds),
        "granted_bies": [list_user(forum, forum.users[u]) for u in givers if u in forum.users],
        "user_badges": rows,
    }


@route("POST", "/user_badges", "user_badges/create")
def give_badge(call: Call) -> dict[str, Any]:
    forum, by, name = call.forum, call.me(), call.need("username")
    number, label = call.number("badge_id"), call.text("badge_name")
    found = next((b for b in forum.badges.values() if b.id == number or b.name == label), None)
    if not by.staff:
        raise failed(403)
    held = grant(forum, by, found, forum.user(name), call.text("reason"))
    kind = forum.badges[held.badge_id]
    return {
        "badges": [badge_row(forum, kind)],
        "badge_types": badge_types([kind]),
        "granted_bies": [list_user(forum, forum.users[held.granted_by])],
        "user_badge": _favorite(held) | _reason(forum, held),
    }


@route("DELETE", "/user_badges/<int:number>", "user_badges/destroy")
def take_badge(call: Call, number: int) -> dict[str, str]:
    by, held = call.me(), call.forum.grants.get(number)
    if held is None:
        raise not_found()
    revoke(call.forum, by, held)
    return {"success": "OK"}
