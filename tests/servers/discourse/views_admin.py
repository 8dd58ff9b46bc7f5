"""What lies under /admin: the list of users, account actions, logs, web hooks, keys; categories are made here too."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from . import people
from .call import Call, Reply, empty, route
from .errors import Refused, Unprocessable, failed, invalid, missing, not_found
from .hooks import EVENT_TYPES, Event, Hook
from .records import Badge, Category, StaffAction, User
from .show_people import admin_detail, admin_row, admin_user, badge_row, badge_types, basic_user
from .show_topics import category_row
from .text import iso, slugify

USERS_PER_PAGE = 100
LEVELS = ("newuser", "basic", "member", "regular", "leader")
ORDERS: dict[str, Callable[[User], Any]] = {
    "created": lambda u: (u.created_at, u.id),
    "username": lambda u: u.username.lower(),
    "email": lambda u: u.email.lower(),
    "trust_level": lambda u: u.trust_level,
    "days_visited": lambda u: u.days_visited,
    "posts_read": lambda u: u.posts_read_count,
    "topics_viewed": lambda u: u.topics_entered,
    "read_time": lambda u: u.time_read,
}


# --- users


@route("GET", "/admin/users/list/<flag> /admin/users/list /admin/users", "users/index")
def users(call: Call, flag: str = "new") -> list[dict[str, Any]]:
    """An array at the root; page 0 is page 1; past the end it is empty; unknown names list everybody."""
    by, forum = call.staff(), call.forum
    found = _ordered(call, [u for u in forum.users.values() if _listed(call, u, flag)], flag)
    emails = call.text("show_emails") == "true" and by.admin
    if emails:
        forum.log_staff("check_email", by, context=call.path)
    page = max(1, call.number("page") or 1)
    return [admin_row(forum, u, emails=emails) for u in forum.page(found, page - 1, USERS_PER_PAGE)]


def _listed(call: Call, user: User, flag: str) -> bool:
    now = call.forum.clock()
    tests: dict[str, bool] = {
        "staff": user.staff and user.id > 0,
        "admins": user.admin and user.id > 0,
        "moderators": user.moderator and user.id > 0,
        "suspended": user.suspended(now),
        "silenced": user.silenced(now),
        "blocked": user.silenced(now),
        "staged": user.staged,
        "pending": False,
        "suspect": user.trust_level == 0 and user.id > 0 and not user.last_posted_at,
    }
    tests |= {name: user.trust_level == level and user.id > 0 for level, name in enumerate(LEVELS)}
    if not tests.get(flag, user.id > 0):
        return False
    for key, value in (("filter", f"{user.username} {user.name or ''} {user.email}"), ("email", user.email)):
        wanted = (call.text(key) or "").lower()
        if wanted and not (wanted in value.lower() if key == "filter" else wanted == value.lower()):
            return False
    return True


def _ordered(call: Call, found: list[User], flag: str) -> list[User]:
    """Any value of asc means ascending, "false" as well."""
    floor = call.forum.since(36_500)
    order = call.text("order")
    up = bool(call.text("asc"))
    if order in ("seen", "last_emailed") or (order is None and flag == "active"):
        found = sorted(found, key=lambda u: u.id)
        return sorted(found, key=lambda u: u.last_seen_at or floor, reverse=not up)
    if order == "posts":
        return sorted(found, key=lambda u: sum(1 for _ in call.forum.posts_by(u)), reverse=not up)
    return sorted(found, key=ORDERS.get(order or "created", ORDERS["created"]), reverse=not up)


@route(
    "GET",
    "/admin/users/<int(signed=True):number> /admin/users/<int(signed=True):number>/<name>",
    "users/show",
)
def user(call: Call, number: int, name: str = "") -> dict[str, Any]:
    call.staff()
    return admin_user(call.forum, _user(call, number), call.guard)


def _user(call: Call, number: int) -> User:
    found = call.forum.users.get(number)
    if found is None:
        raise not_found()
    return found


def _till(call: Call, name: str) -> datetime:
    call.need(name)
    return call.moment(name) or call.forum.clock()


@route("PUT", "/admin/users/<int:number>/suspend", "users/suspend")
def suspend(call: Call, number: int) -> dict[str, Any]:
    by, target = call.staff(), _user(call, number)
    till, reason = _till(call, "suspend_until"), call.need("reason")
    people.suspend(call.forum, by, target, till, reason)
    body = {"suspend_reason": reason, "full_suspend_reason": reason}
    return {
        "suspension": body
        | {"suspended_till": iso(target.suspended_till), "suspended_at": iso(target.suspended_at)}
    }


@route("PUT", "/admin/users/<int:number>/unsuspend", "users/unsuspend")
def unsuspend(call: Call, number: int) -> dict[str, Any]:
    people.unsuspend(call.forum, call.staff(), _user(call, number))
    return {"suspension": {"suspended_till": None, "suspended_at": None}}


@route("PUT", "/admin/users/<int:number>/silence", "users/silence")
def silence(call: Call, number: int) -> dict[str, Any]:
    by, target = call.staff(), _user(call, number)
    till = call.moment("silenced_till") or call.forum.clock() + timedelta(days=365_0)
    people.silence(call.forum, by, target, till, call.text("reason"))
    return {
        "silence": {
            "silenced": True,
            "silence_reason": target.silence_reason,
            "silenced_till": iso(target.silenced_till),
            "silenced_at": iso(target.silenced_at),
            "silenced_by": basic_user(by),
        }
    }


@route("PUT", "/admin/users/<int:number>/unsilence", "users/unsilence")
def unsilence(call: Call, number: int) -> dict[str, Any]:
    people.unsilence(call.forum, call.staff(), _user(call, number))
    return {
        "unsilence": {"silenced": False, "silence_reason": None, "silenced_till": None, "silenced_at": None}
    }


@route("PUT", "/admin/users/<int:number>/trust_level", "users/trust_level")
def trust_level(call: Call, number: int) -> dict[str, Any]:
    target = _user(call, number)
    people.set_trust_level(call.forum, call.staff(), target, int(call.need("level")))
    return {"admin_user": admin_detail(call.forum, target)}


@route("PUT", "/admin/users/<int:number>/trust_level_lock", "users/trust_level_lock")
def trust_level_lock(call: Call, number: int) -> Reply:
    call.staff()
    target = _user(call, number)
    target.trust_locked = target.trust_level if call.need("locked") == "true" else None
    return empty()


@route("PUT", "/admin/users/<int:number>/<change>_moderation", "users/grant_moderation")
def moderation(call: Call, number: int, change: str) -> dict[str, Any]:
    target = _user(call, number)
    if change not in ("grant", "revoke"):
        raise not_found()
    people.set_role(call.forum, call.staff(), target, "moderator", change == "grant")
    return {"admin_user": admin_detail(call.forum, target)}


@route("PUT", "/admin/users/<int:number>/<change>_admin", "users/grant_admin")
def administration(call: Call, number: int, change: str) -> dict[str, Any]:
    """Granting only sends a mail to the admin, who must confirm: nothing changes."""
    target = _user(call, number)
    if change == "revoke":
        people.set_role(call.forum, call.staff(), target, "admin", False)
    elif change != "grant" or not call.guard.admin:
        raise not_found()
    return {"success": "OK"}


@route("PUT", "/admin/users/<int:number>/activate /admin/users/<int:number>/deactivate", "users/activate")
def activate(call: Call, number: int) -> dict[str, str]:
    call.staff()
    _user(call, number).active = call.path.endswith("/activate")
    return {"success": "OK"}


@route("POST", "/admin/users/<int:number>/log_out", "users/log_out")
def log_out(call: Call, number: int) -> dict[str, str]:
    call.staff()
    _user(call, number)
    return {"success": "OK"}


@route("PUT", "/admin/users/<int:number>/anonymize", "users/anonymize")
def anonymize(call: Call, number: int) -> dict[str, str]:
    return {"success": "OK", "username": people.anonymize(call.forum, call.staff(), _user(call, number))}


@route("PUT", "/admin/users/<int:number>/primary_group", "users/primary_group")
def primary_group(call: Call, number: int) -> Reply:
    call.staff()
    _user(call, number).primary_group_id = call.number("primary_group_id")
    return empty()


@route("DELETE", "/admin/users/<int:number>", "users/destroy")
def destroy(call: Call, number: int) -> dict[str, bool]:
    people.destroy(call.forum, call.staff(), call.forum.users.get(number))
    return {"deleted": True}


# --- logs


@route("GET", "/admin/logs/staff_action_logs", "staff_action_logs/index")
def staff_log(call: Call) -> dict[str, Any]:
    """Newest first; `page` counts from 0, `limit` up to 200."""
    call.staff()
    size = call.strict_number("limit", 200)
    if not 1 <= size <= 200:
        raise invalid("limit")
    page = call.strict_number("page", 0)
    rows = [a for a in reversed(call.forum.staff_log) if _wanted(call, a)]
    return {
        "staff_action_logs": [_staff_row(call, a) for a in call.forum.page(rows, page, size)],
        "total_rows_staff_action_logs": len(rows),
        "load_more_staff_action_logs": f"/admin/logs/staff_action_logs.json?limit={size}&page={page + 1}",
        "extras": {
            "user_history_actions": [{"id": n, "action_id": i} for i, n in enumerate(sorted(ACTION_IDS))]
        },
    }


def _wanted(call: Call, action: StaffAction) -> bool:
    users = call.forum.users
    if (name := call.text("action_name")) and name != action.action:
        return False
    for key, number in (("acting_user", action.acting_user_id), ("target_user", action.target_user_id)):
        wanted = call.text(key)
        if wanted and (number not in users or users[number].username.lower() != wanted.lower()):
            return False
    return not ((subject := call.text("subject")) and subject != action.subject)


ACTION_IDS = {
    "delete_user": 1,
    "change_trust_level": 2,
    "suspend_user": 10,
    "unsuspend_user": 11,
    "grant_badge": 14,
    "revoke_badge": 15,
    "check_email": 16,
    "delete_post": 17,
    "delete_topic": 18,
    "anonymize_user": 21,
    "change_username": 23,
    "grant_admin": 29,
    "revoke_admin": 30,
    "grant_moderation": 31,
    "revoke_moderation": 32,
    "silence_user": 36,
    "unsilence_user": 37,
    "post_edit": 57,
    "recover_topic": 69,
    "topic_closed": 83,
    "topic_opened": 84,
    "topic_archived": 85,
    "topic_unarchived": 86,
    "topic_timestamps_changed": 87,
}


def _staff_row(call: Call, action: StaffAction) -> dict[str, Any]:
    users = call.forum.users
    acting, target = users.get(action.acting_user_id), users.get(action.target_user_id or 0)
    return {
        "action_name": action.action,
        "details": action.details,
        "context": action.context,
        "ip_address": None,
        "email": None,
        "created_at": iso(action.created_at),
        "subject": action.subject,
        "previous_value": action.previous,
        "new_value": action.new,
        "topic_id": action.topic_id,
        "post_id": action.post_id,
        "category_id": action.category_id,
        "action": ACTION_IDS.get(action.action, 22),
        "custom_type": None,
        "id": action.id,
        "acting_user": basic_user(acting) if acting else None,
        "target_user": basic_user(target) if target else None,
    }


# --- web hooks


@route("GET", "/admin/api/web_hooks", "web_hooks/index")
def web_hooks(call: Call) -> dict[str, Any]:
    call.staff()
    rows = list(call.forum.hooks.hooks.values())
    start, size = call.number("offset") or 0, call.number("limit") or 50
    more = f"/admin/api/web_hooks.json?limit={size}&offset={start + size}"
    kinds = [{"id": n, "name": name} for n, name in EVENT_TYPES.items()]
    if not call.forum.settings.solved_enabled:
        kinds = [k for k in kinds if k["name"] != "solved"]
    states = ("inactive", "failed", "successful", "disabled")
    contents = ("application/json", "application/x-www-form-urlencoded")
    return {
        "web_hooks": [_hook_row(h) for h in rows[start : start + size]],
        "extras": {
            "event_types": kinds,
            "default_event_types": [{"id": 2, "name": "post"}],
            "content_types": [{"id": n, "name": name} for n, name in enumerate(contents, start=1)],
            "delivery_statuses": [{"id": n, "name": name} for n, name in enumerate(states, start=1)],
        },
        "total_rows_web_hooks": len(rows),
        "load_more_web_hooks": more,
    }


def _hook_row(hook: Hook) -> dict[str, Any]:
    kinds = [{"id": n, "name": name} for n, name in EVENT_TYPES.items() if name in hook.types]
    return {
        "id": hook.id,
        "payload_url": hook.payload_url,
        "content_type": hook.content_type,
        "last_delivery_status": 1 if hook.status == -1 else 3,
        "secret": hook.secret,
        "wildcard_web_hook": hook.wildcard,
        "verify_certificate": True,
        "active": hook.active,
        "web_hook_event_types": kinds,
        "categories": [],
        "tags": sorted(hook.tags),
        "groups": [],
    }


def _hook(call: Call, number: int) -> Hook:
    call.staff()
    if number not in call.forum.hooks.hooks:
        raise not_found()
    return call.forum.hooks.hooks[number]


@route("GET", "/admin/api/web_hooks/<int:number>", "web_hooks/show")
def web_hook(call: Call, number: int) -> dict[str, Any]:
    return {"web_hook": _hook_row(_hook(call, number))}


@route("POST", "/admin/api/web_hooks", "web_hooks/create")
def create_hook(call: Call) -> dict[str, Any]:
    call.staff()
    given = call.nested("web_hook")
    if not str(given.get("payload_url") or "").startswith("http"):
        raise Unprocessable("Payload URL is invalid.")
    secret = str(given.get("secret") or "")
    if secret and len(secret) < 12:
        raise Unprocessable("Secret is too short (minimum is 12 characters)")
    numbers = [int(n) for n in given.get("web_hook_event_type_ids") or [] if str(n).isdigit()]
    hook = call.forum.hooks.add(
        str(given["payload_url"]),
        secret=secret,
        content_type=int(given.get("content_type") or 1),
        wildcard=str(given.get("wildcard_web_hook")).lower() == "true",
        types=frozenset(EVENT_TYPES[n] for n in numbers if n in EVENT_TYPES) or frozenset({"post"}),
        active=str(given.get("active", "true")).lower() == "true",
    )
    return {"web_hook": _hook_row(hook)}


@route("DELETE", "/admin/api/web_hooks/<int:number>", "web_hooks/destroy")
def delete_hook(call: Call, number: int) -> dict[str, str]:
    del call.forum.hooks.hooks[_hook(call, number).id]
    return {"success": "OK"}


@route(
    "GET",
    "/admin/api/web_hooks/<int:number>/events /admin/api/web_hook_events/<int:number>",
    "web_hooks/list_events",
)
def hook_events(call: Call, number: int) -> dict[str, Any]:
    """The delivery log of one hook, newest first, 50 a page by offset."""
    hook = _hook(call, number)
    rows = call.forum.hooks.log_of(hook)
    start, size = call.number("offset") or 0, min(call.number("limit") or 50, 50)
    base = f"/admin/api/web_hooks/{hook.id}/events"
    return {
        "web_hook_events": [_event_row(e) for e in rows[start : start + size]],
        "extras": {"web_hook_id": hook.id},
        "total_rows_web_hook_events": len(rows),
        "load_more_web_hook_events": f"{base}.json?limit={size}&offset={start + size}",
    }


def _event_row(event: Event) -> dict[str, Any]:
    return {
        "id": event.id,
        "web_hook_id": event.hook_id,
        "request_url": event.request_url,
        "headers": json.dumps(event.headers),
        "payload": event.payload,
        "status": event.status,
        "response_headers": event.response_headers,
        "response_body": event.response_body,
        "duration": event.duration,
        "created_at": iso(event.created_at),
    }


# --- categories and badges


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
    readers = (
        frozenset(allowed) | {"admins"} if isinstance(allowed, dict) and allowed else frozenset({"everyone"})
    )
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
    return {"category": _category_body(call, category)}


def _category_body(call: Call, category: Category) -> dict[str, Any]:
    row = category_row(call.forum, category, call.guard, call.forum.topic_counts())
    row["has_children"] = None
    row |= {"custom_fields": {}, "allowed_tags": [], "allowed_tag_groups": [], "allow_global_tags": False}
    row |= {"min_tags_from_required_group": 1, "required_tag_group_name": None, "read_only_banner": None}
    groups = [g.name for g in call.forum.groups.values() if g.id]
    permissions = [{"permission_type": 1, "group_name": name} for name in sorted(category.readers)]
    return row | {"available_groups": sorted(groups), "group_permissions": permissions}


@route("GET", "/c/<int:number>/show", "categories/show")
def category(call: Call, number: int) -> dict[str, Any]:
    found = call.forum.categories.get(number)
    if found is None or not call.guard.sees_category(found):
        raise not_found()
    return {"category": _category_body(call, found)}


@route("POST", "/admin/badges", "badges/create")
def create_badge(call: Call) -> dict[str, Any]:
    call.staff()
    forum, name = call.forum, call.text("name") or ""
    if any(b.name == name for b in forum.badges.values()):
        raise Unprocessable("Name has already been taken")
    if call.number("badge_type_id") is None:
        raise Unprocessable("Badge type must exist", "Badge type can't be blank")
    made = Badge(
        forum.ids["badge"],
        name,
        call.text("description") or "",
        call.number("badge_type_id") or 3,
        multiple_grant=call.flag("multiple_grant"),
        allow_title=call.flag("allow_title"),
    )
    forum.badges[made.id] = made
    return {"badge": badge_row(forum, made), "badge_types": badge_types([made])}


# --- Data Explorer


@route("POST", "/admin/plugins/explorer/queries/<int:number>/run", "query/run")
def run_query(call: Call, number: int) -> dict[str, Any]:
    """A stored query; here it is a function over the forum (`forum.queries`), not SQL."""
    call.staff()
    query = call.forum.queries.get(number)
    if not call.forum.settings.data_explorer_enabled or query is None:
        raise not_found()
    try:
        given = json.loads(call.text("params") or "{}")
    except ValueError:
        raise failed(400, "params") from None
    limit = call.text("limit") or "1000"
    columns, rows = query(call.forum, {str(k): str(v) for k, v in given.items()})
    rows = rows if limit == "ALL" else rows[: int(limit)]
    body: dict[str, Any] = {
        "success": True,
        "errors": [],
        "duration": 1.0,
        "result_count": len(rows),
        "params": given,
    }
    return body | {"columns": columns, "default_limit": 1000, "relations": {}, "colrender": {}, "rows": rows}
