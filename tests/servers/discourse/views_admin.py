"""Accounts as staff handle them: the list of users and what can be done to each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from . import people
from .call import Call, Reply, empty, route
from .errors import forbidden, not_found
from .records import User
from .show_admin import admin_detail, admin_row, admin_user
from .show_people import basic_user
from .text import iso

USERS_PER_PAGE = 100
LEVELS = ("newuser", "basic", "member", "regular", "leader")
ORDERS: dict[str, Callable[[User], Any]] = {
    "created": lambda u: u.created_at,
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
    shown = forum.page(found, page - 1, USERS_PER_PAGE)
    return [admin_row(forum, u, emails=emails or u is by) for u in shown]


def _listed(call: Call, user: User, flag: str) -> bool:
    now = call.forum.clock()
    tests: dict[str, bool] = {
        "staff": user.staff or user.id < 0,
        "admins": user.admin,
        "moderators": user.moderator,
        "suspended": user.suspended(now),
        "silenced": user.silenced(now),
        "blocked": user.silenced(now),
        "staged": user.staged,
        "pending": False,
        "suspect": user.trust_level == 0 and user.id > 0 and not user.last_posted_at,
    }
    tests |= {name: user.trust_level == level for level, name in enumerate(LEVELS)}
    if not tests.get(flag, True):
        return False
    for key, value in (("filter", f"{user.username} {user.name or ''} {user.email}"), ("email", user.email)):
        wanted = (call.text(key) or "").lower()
        if wanted and not (wanted in value.lower() if key == "filter" else wanted == value.lower()):
            return False
    return True


def _ordered(call: Call, found: list[User], flag: str) -> list[User]:
    """Any value of asc means ascending, "false" as well. Without an order the newest come first, those of one
    moment by name; with one, nothing says in which order equals come, and it differs from page to page."""
    floor = call.forum.since(36_500)
    order = call.text("order")
    up = bool(call.text("asc") or call.text("ascending"))
    if order in ("seen", "last_emailed") or (order is None and flag == "active"):
        found = sorted(found, key=lambda u: u.username.lower())
        return sorted(found, key=lambda u: u.last_seen_at or floor, reverse=not up)
    if order == "posts":
        return sorted(found, key=call.forum.replies_by, reverse=not up)
    found = sorted(found, key=lambda u: u.username, reverse=bool(order and (call.number("page") or 1) % 2))
    if order not in ORDERS:
        return sorted(found, key=ORDERS["created"], reverse=True)
    return sorted(found, key=ORDERS[order], reverse=not up)


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


@route("PUT", "/admin/users/<int:number>/grant_moderation", "users/grant_moderation")
@route("PUT", "/admin/users/<int:number>/revoke_moderation", "users/revoke_moderation")
def moderation(call: Call, number: int) -> dict[str, Any]:
    target = _user(call, number)
    people.set_role(call.forum, call.staff(), target, "moderator", "/grant_" in call.path)
    return {"admin_user": admin_detail(call.forum, target)}


@route("PUT", "/admin/users/<int:number>/grant_admin", "users/grant_admin")
@route("PUT", "/admin/users/<int:number>/revoke_admin", "users/revoke_admin")
def administration(call: Call, number: int) -> dict[str, Any]:
    """Granting only sends a mail to the admin, who must confirm: nothing changes."""
    target = _user(call, number)
    if "/revoke_" in call.path:
        people.set_role(call.forum, call.staff(), target, "admin", False)
    elif not call.guard.admin:
        raise not_found()
    return {"success": "OK"}


@route("PUT", "/admin/users/<int:number>/approve", "users/approve")
def approve(call: Call, number: int) -> dict[str, str]:
    """Only sites that approve their members have anybody to approve."""
    call.staff()
    _user(call, number)
    raise forbidden()


@route("PUT", "/admin/users/<int:number>/activate", "users/activate")
@route("PUT", "/admin/users/<int:number>/deactivate", "users/deactivate")
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


# --- web hooks


# --- categories and badges


# --- Data Explorer
