"""What happened, as staff read it: staff actions, the delivery log of web hooks."""

from __future__ import annotations

import json
from typing import Any

from .call import Call, route
from .errors import Unprocessable, invalid, not_found
from .hooks import EVENT_TYPES, Event, Hook
from .records import StaffAction
from .show_people import basic_user
from .text import iso


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
    "grant_badge": 13,
    "revoke_badge": 14,
    "check_email": 16,
    "delete_post": 17,
    "delete_topic": 18,
    "change_username": 21,
    "anonymize_user": 24,
    "silence_user": 30,
    "unsilence_user": 31,
    "grant_admin": 32,
    "revoke_admin": 33,
    "grant_moderation": 34,
    "revoke_moderation": 35,
    "post_edit": 53,
    "recover_topic": 55,
    "topic_timestamps_changed": 68,
    "revoke_title": 83,
    "change_title": 84,
    "topic_closed": 91,
    "topic_opened": 92,
    "topic_archived": 93,
    "topic_unarchived": 94,
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


@route("GET", "/admin/api/web_hooks", "web_hooks/index")
def web_hooks(call: Call) -> dict[str, Any]:
    call.admin()
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
    call.admin()
    if number not in call.forum.hooks.hooks:
        raise not_found()
    return call.forum.hooks.hooks[number]


@route("GET", "/admin/api/web_hooks/<int:number>", "web_hooks/show")
def web_hook(call: Call, number: int) -> dict[str, Any]:
    return {"web_hook": _hook_row(_hook(call, number))}


@route("POST", "/admin/api/web_hooks", "web_hooks/create")
def create_hook(call: Call) -> dict[str, Any]:
    call.admin()
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


