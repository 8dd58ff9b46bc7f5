"""What staff set up: categories, badges, keys."""

from __future__ import annotations

from typing import Any

from .call import Call, Reply, empty, route
from .errors import Refused, Unprocessable, missing, not_found
from .records import ApiKey, Badge, Category
from .show_groups import badge_row, badge_types
from .show_lists import category_row
from .show_people import basic_user
from .text import iso, slugify

CATEGORY_SETTINGS: dict[str, Any] = {
    "auto_close_hours": None,
    "auto_close_based_on_last_post": False,
    "email_in": None,
    "email_in_allow_strangers": False,
    "mailinglist_mirror": False,
    "all_topics_wiki": False,
    "allow_unlimited_owner_edits_on_first_post": False,
    "cannot_delete_reason": None,
    "allow_badges": True,
    "topic_featured_link_allowed": True,
    "search_priority": 0,
}


@route("POST", "/categories", "categories/create")
def create_category(call: Call) -> dict[str, Any]:
    if not call.guard.admin:
        raise Refused(403, {"errors": ["You are not permitted to view the requested resource."]})
    forum, name = call.forum, call.text("name")
    if not name:
        raise missing("name")
    if any(c.name.lower() == name.lower() for c in forum.categories.values()):
        raise Unprocessable("Category Name has already been taken")
    allowed = call.params.get("permissions")
    readers = frozenset(allowed) if isinstance(allowed, dict) and allowed else frozenset({"everyone"})
    number = forum.ids["category"]
    colors = call.text("color") or "0088CC", call.text("text_color") or "FFFFFF"
    category = Category(
        number,
        name,
        slugify(name),
        *colors,
        call.number("parent_category_id"),
        len(forum.categories),
        readers=readers,
    )
    forum.add_category(category)
    forum.add_about_topic(category)
    return {"category": _category_body(call, category) | {"can_delete": True, "permission": None}}


@route("PUT", "/categories/<int:number>", "categories/update")
def update_category(call: Call, number: int) -> dict[str, Any]:
    category = call.forum.categories.get(number)
    if category is None or not call.guard.admin:
        raise not_found()
    category.name = call.text("name") or category.name
    category.slug = call.text("slug") or category.slug
    category.color = call.text("color") or category.color
    category.text_color = call.text("text_color") or category.text_color
    return {"success": "OK", "category": _category_body(call, category) | {"permission": None}}


def _category_body(call: Call, category: Category) -> dict[str, Any]:
    row = category_row(call.forum, category, call.guard, call.forum.topic_counts())
    row["has_children"] = None
    row |= {"custom_fields": {}, "allowed_tags": [], "allowed_tag_groups": [], "allow_global_tags": False}
    row |= {"min_tags_from_required_group": 1, "required_tag_group_name": None, "read_only_banner": None}
    groups = [g.name for g in call.forum.groups.values() if g.id]
    permissions = [{"permission_type": 1, "group_name": name} for name in sorted(category.readers)]
    return row | {"available_groups": sorted(groups), "group_permissions": permissions} | CATEGORY_SETTINGS


@route("GET", "/c/<int:number>/show", "categories/show")
def category(call: Call, number: int) -> dict[str, Any]:
    found = call.forum.categories.get(number)
    if found is None or not call.guard.sees_category(found):
        raise not_found()
    return {"category": _category_body(call, found)}


# --- badges


def _badge(call: Call, badge: Badge) -> dict[str, Any]:
    more = dict.fromkeys(("query", "trigger"))
    flags = {"target_posts": False, "auto_revoke": True, "show_posts": False, "long_description": ""}
    return badge_row(call.forum, badge) | more | flags


@route("GET", "/admin/badges", "badges/index")
def badges(call: Call) -> dict[str, Any]:
    """All badges, those that are off or hidden too."""
    call.staff()
    found = list(call.forum.badges.values())
    return {"badges": [_badge(call, b) for b in found], "badge_types": badge_types(found)}


@route("POST", "/admin/badges", "badges/create")
def create_badge(call: Call) -> dict[str, Any]:
    call.staff()
    forum, name = call.forum, call.text("name") or ""
    if any(b.name == name for b in forum.badges.values()):
        raise Unprocessable("Name has already been taken")
    if call.number("badge_type_id") is None:
        raise Unprocessable("Badge type can't be blank")
    made = Badge(forum.ids["badge"], name)
    _set(call, made)
    forum.badges[made.id] = made
    return {"badge": _badge(call, made), "badge_types": badge_types([made])}


def _set(call: Call, badge: Badge) -> None:
    badge.name = call.text("name") or badge.name
    badge.description = call.text("description") or badge.description
    badge.badge_type_id = call.number("badge_type_id") or badge.badge_type_id
    for flag in ("multiple_grant", "allow_title", "listable", "enabled"):
        if call.text(flag) is not None:
            setattr(badge, flag, call.flag(flag))


@route("PUT", "/admin/badges/<int:number>", "badges/update")
def update_badge(call: Call, number: int) -> dict[str, Any]:
    call.staff()
    if number not in call.forum.badges:
        raise not_found()
    badge = call.forum.badges[number]
    _set(call, badge)
    return {"badge": _badge(call, badge), "badge_types": badge_types([badge])}


@route("DELETE", "/admin/badges/<int:number>", "badges/destroy")
def delete_badge(call: Call, number: int) -> Reply:
    call.staff()
    if call.forum.badges.pop(number, None) is None:
        raise not_found()
    call.forum.grants = {n: g for n, g in call.forum.grants.items() if g.badge_id != number}
    return empty()


# --- keys


@route("POST", "/admin/api/keys", "api/create")
def create_key(call: Call) -> dict[str, Any]:
    """A key for everybody, or bound to one user; the secret is shown this once."""
    call.staff()
    given = call.nested("key")
    owner = call.named_user(str(given["username"])) if given.get("username") else None
    rows = [row for row in given.get("scopes") or [] if isinstance(row, dict)]
    scopes = tuple(str(row["scope_id"]) for row in rows)
    secret = call.forum.new_secret()
    key = call.forum.add_key(secret, owner, str(given.get("description") or ""), scopes=scopes)
    return {"key": {"key": secret} | _key(call, key)}


def _key(call: Call, key: ApiKey) -> dict[str, Any]:
    owner = call.forum.users.get(key.user_id or 0)
    scopes = [dict(zip(("resource", "action"), s.split(":"), strict=True)) for s in key.scopes]
    blank: dict[str, Any] = {"parameters": [], "urls": [], "allowed_parameters": None}
    return {
        "id": key.id,
        "truncated_key": key.key[:4],
        "description": key.description,
        "last_used_at": iso(key.last_used_at),
        "created_at": iso(key.created_at),
        "updated_at": iso(key.revoked_at or key.created_at),
        "revoked_at": iso(key.revoked_at),
        "user": basic_user(owner) if owner else None,
        "api_key_scopes": [scope | {"key": scope["action"]} | blank for scope in scopes],
    }


@route("GET", "/admin/api/keys", "api/index")
def keys(call: Call) -> dict[str, Any]:
    call.staff()
    return {"keys": [_key(call, k) for k in reversed(call.forum.keys.values())]}


def _find_key(call: Call, number: int) -> ApiKey:
    call.staff()
    for key in call.forum.keys.values():
        if key.id == number:
            return key
    raise not_found()


@route("POST", "/admin/api/keys/<int:number>/revoke", "api/revoke_key")
@route("POST", "/admin/api/keys/<int:number>/undo-revoke", "api/undo_revoke_key")
def revoke_key(call: Call, number: int) -> dict[str, Any]:
    key = _find_key(call, number)
    key.revoked_at = None if "undo" in call.path else call.forum.clock()
    return {"api_key": _key(call, key)}


@route("DELETE", "/admin/api/keys/<int:number>", "api/destroy")
def delete_key(call: Call, number: int) -> dict[str, str]:
    del call.forum.keys[_find_key(call, number).key]
    return {"success": "OK"}
