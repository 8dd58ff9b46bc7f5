"""Groups: lists, members with their owners on every page, changes and their log."""

from __future__ import annotations

from typing import Any

from .call import Call, Reply, empty, route
from .errors import Unprocessable, forbidden, invalid, missing, not_found
from .people import add_members, new_group, remove_members
from .records import Group, User
from .show_groups import basic_group, member_row
from .show_people import basic_user
from .text import iso, words

PER_PAGE = 36
MAIL_SETTINGS = words(
    "automatic_membership_email_domains smtp_server smtp_port smtp_ssl smtp_updated_at smtp_updated_by"
    " imap_server imap_port imap_ssl imap_updated_at imap_updated_by email_username email_password"
    " imap_last_error imap_old_emails imap_new_emails"
)
ROBOTS = {"X-Robots-Tag": "noindex"}


def _find(call: Call, name: str) -> Group:
    """By name, and where the route takes it by id."""
    group = call.forum.group(name) or (call.forum.groups.get(int(name)) if name.isdigit() else None)
    if group is None or not call.guard.sees_group(group):
        raise not_found()
    return group


@route("GET", "/groups", "groups/index")
def index(call: Call) -> Reply:
    rows = [g for g in call.forum.groups.values() if call.guard.sees_group(g)]
    if wanted := (call.text("filter") or "").lower():
        rows = [g for g in rows if wanted in g.name.lower()]
    rows.sort(key=lambda g: g.name)
    page = call.number("page") or 0
    shown = call.forum.page(rows, page, PER_PAGE)
    body = {
        "groups": [basic_group(call.forum, g, call.guard) for g in shown],
        "extras": {"type_filters": ["my", "owner", "public", "close", "automatic"]},
        "total_rows_groups": len(rows),
        "load_more_groups": f"/groups?page={page + 1}",
    }
    return Reply(body, headers=ROBOTS)


@route("GET", "/groups/search", "groups/search")
def search(call: Call) -> Reply:
    call.me()
    rows = [g for g in call.forum.groups.values() if call.guard.sees_group(g)]
    rows.sort(key=lambda g: g.name)
    return Reply([basic_group(call.forum, g, call.guard) for g in rows], headers=ROBOTS)


@route("GET", "/groups/<name> /g/<name>", "groups/show")
def show(call: Call, name: str) -> Reply:
    group = _find(call, name)
    forum = call.forum
    mine = call.user is not None and call.user.id in group.members
    body = basic_group(forum, group, call.guard) | {
        "is_group_user": mine,
        "is_group_owner_display": call.user is not None and call.user.id in group.owners,
        "mentionable": True,
        "messageable": call.guard.admin or group.messageable_level > 0,
    }
    if call.guard.admin and not group.automatic:
        body |= dict.fromkeys(MAIL_SETTINGS)
        body |= {"smtp_enabled": False, "imap_enabled": False, "imap_mailbox_name": "", "imap_mailboxes": []}
        messages = sum(1 for t in forum.topics.values() if group.id in t.allowed_groups)
        body |= {"message_count": messages, "allow_unknown_sender_topic_replies": False}
        for kind in ["watching", "tracking", "watching_first_post", "regular", "muted"]:
            body[f"{kind}_category_ids"] = []
            body[f"{kind}_tags"] = []
    names = sorted(g.name for g in forum.groups.values() if call.guard.sees_group(g))
    return Reply({"group": body, "extras": {"visible_group_names": names}}, headers=ROBOTS)


@route("GET", "/groups/<name>/members /g/<name>/members", "groups/members")
def members(call: Call, name: str) -> Reply:
    """50 by default, 1000 at most; the owners are repeated on every page and stand first among members."""
    group = _find(call, name)
    if not call.guard.sees_members(group):
        raise forbidden()
    size = 50 if call.text("limit") is None else call.number("limit")
    start = call.number("offset") or 0
    if size is None or not 0 <= size <= 1000:
        raise invalid("limit")
    if start < 0:
        raise invalid("offset")
    people = [call.forum.users[u] for u in group.members]
    if wanted := (call.text("filter") or "").lower():
        people = [u for u in people if wanted in u.username.lower() or wanted in (u.name or "").lower()]
    people = _ordered(call, people, group)
    owners = [u for u in people if u.id in group.owners]
    body = {
        "members": [member_row(call.forum, u, group) for u in people[start : start + size]],
        "owners": [member_row(call.forum, u, group) for u in owners],
        "meta": {"total": len(group.members), "limit": size, "offset": start},
    }
    return Reply(body, headers=ROBOTS)


def _ordered(call: Call, people: list[User], group: Group) -> list[User]:
    order, down = call.text("order"), call.text("asc") is None
    if order == "username_lower":
        return sorted(people, key=lambda u: u.username.lower(), reverse=down)
    if order == "added_at":
        return sorted(people, key=lambda u: group.members[u.id], reverse=down)
    return sorted(people, key=lambda u: (u.id not in group.owners, -u.id))


@route("GET", "/groups/<name>/logs /g/<name>/logs", "groups/histories")
def logs(call: Call, name: str) -> Reply:
    """By name or id, newest first, 25 a page by offset."""
    group = _find(call, name)
    if not (call.guard.can_edit_group(group) or call.guard.admin):
        raise forbidden()
    rows = [e for e in reversed(call.forum.group_log) if e.group_id == group.id]
    start = call.number("offset") or 0
    shown = rows[start : start + 25]
    users = call.forum.users
    body = [
        {
            "action": e.action,
            "subject": e.subject,
            "prev_value": e.previous,
            "new_value": e.new,
            "created_at": iso(e.created_at),
            "acting_user": basic_user(users[e.acting_user_id]) if e.acting_user_id in users else None,
            "target_user": basic_user(users[e.target_user_id]) if e.target_user_id in users else None,
        }
        for e in shown
    ]
    return Reply({"logs": body, "all_loaded": start + 25 >= len(rows)}, headers=ROBOTS)


@route("GET", "/groups/<name>/mentionable", "groups/mentionable")
def mentionable(call: Call, name: str) -> Reply:
    return Reply({"mentionable": _find(call, name).mentionable_level > 0}, headers=ROBOTS)


@route("GET", "/groups/<name>/messageable", "groups/messageable")
def messageable(call: Call, name: str) -> Reply:
    group = _find(call, name)
    return Reply({"messageable": call.guard.admin or group.messageable_level > 0}, headers=ROBOTS)


# --- changes


def _people(call: Call) -> list[User]:
    """Named by username, id or address, one or a comma list of them."""
    forum = call.forum
    names = call.names("usernames") + call.names("username")
    found = [forum.user(n) for n in names]
    numbers = call.names("user_ids") + call.names("user_id")
    found += [forum.users.get(int(n)) for n in numbers if n.lstrip("-").isdigit()]
    found += [forum.user_by_email(e) for e in call.names("emails") + call.names("user_emails")]
    return [u for u in found if u is not None]


@route("PUT", "/groups/<name>/members /admin/groups/<name>/members", "groups/add_members")
def add(call: Call, name: str) -> dict[str, Any]:
    by, group = call.me(), _find(call, name)
    if not any(call.names(key) for key in ("usernames", "user_ids", "emails", "user_emails")):
        raise invalid("Usernames or emails must be present")
    people = add_members(call.forum, by, group, _people(call))
    return {"success": "OK", "usernames": [u.username for u in people], "emails": []}


@route("DELETE", "/groups/<name>/members /admin/groups/<name>/members", "groups/remove_member")
def remove(call: Call, name: str) -> dict[str, Any]:
    by, group = call.me(), _find(call, name)
    people = _people(call)
    if not people:
        raise invalid("user_ids")
    gone, skipped = remove_members(call.forum, by, group, people)
    return {
        "success": "OK",
        "usernames": [u.username for u in gone],
        "skipped_usernames": [u.username for u in skipped],
    }


@route("PUT", "/groups/<name>", "groups/update")
def update(call: Call, name: str) -> dict[str, str]:
    by, group = call.me(), _find(call, name)
    if not call.guard.can_edit_group(group):
        raise forbidden()
    for key, value in call.nested("group").items():
        if key in ("title", "bio_raw", "full_name") and (old := getattr(group, key)) != value:
            setattr(group, key, value or None)
            call.forum.log_group(group, "change_group_setting", by, subject=key, previous=old, new=value)
            if key == "title":
                for number in group.members:
                    member = call.forum.users[number]
                    if member.title in (None, old):
                        member.title = group.title
    return {"success": "OK"}


@route("POST", "/admin/groups", "groups/create")
def create(call: Call) -> dict[str, Any]:
    by, forum = call.staff(), call.forum
    given = call.nested("group")
    if not given.get("name"):
        raise missing("name")
    group = Group(
        id=0,
        name=str(given["name"]),
        created_at=forum.clock(),
        full_name=given.get("full_name"),
        title=given.get("title"),
        bio_raw=given.get("bio_raw"),
    )
    for key in _LEVELS:
        setattr(group, key, int(given.get(key, 0)))
    group.id = forum.ids["group"]
    new_group(forum, by, group)
    for field, owner in (("usernames", False), ("owner_usernames", True)):
        for user in filter(None, map(forum.user, str(given.get(field) or "").split(","))):
            group.members.setdefault(user.id, forum.clock.tick())
            if owner:
                group.owners.add(user.id)
    return {"basic_group": basic_group(forum, group, call.guard)}


_LEVELS = ("visibility_level", "members_visibility_level", "mentionable_level", "messageable_level")


@route("DELETE", "/admin/groups/<int:number>", "groups/destroy")
def destroy(call: Call, number: int) -> dict[str, str]:
    call.staff()
    group = call.forum.groups.get(number)
    if group is None:
        raise not_found()
    if group.automatic:
        raise Unprocessable("You cannot modify an automatic group")
    call.forum.drop_group(group)
    return {"success": "OK"}


@route("PUT", "/admin/groups/<int:number>/owners", "groups/add_owners")
def add_owners(call: Call, number: int) -> dict[str, Any]:
    by, group = call.staff(), call.forum.groups.get(number)
    if group is None:
        raise not_found()
    names = str(call.nested("group").get("usernames") or "").split(",")
    people = [u for u in map(call.forum.user, names) if u]
    for user in people:
        group.members.setdefault(user.id, call.forum.clock.tick())
        group.owners.add(user.id)
        call.forum.log_group(group, "make_user_group_owner", by, target_user_id=user.id)
    return {"success": "OK", "usernames": [u.username for u in people]}


@route("DELETE", "/admin/groups/<int:number>/owners", "groups/remove_owner")
def remove_owner(call: Call, number: int) -> dict[str, str]:
    by, group = call.staff(), call.forum.groups.get(number)
    if group is None:
        raise not_found()
    for user in _people(call):
        group.owners.discard(user.id)
        call.forum.log_group(group, "remove_user_as_group_owner", by, target_user_id=user.id)
    return {"success": "OK"}


@route("POST", "/admin/users/<int:number>/groups", "users/add_group")
def add_group_to_user(call: Call, number: int) -> Reply:
    by, user = call.staff(), call.forum.users.get(number)
    group = call.forum.groups.get(call.number("group_id") or -1)
    if user is None or group is None:
        raise not_found()
    add_members(call.forum, by, group, [user])
    return empty()


@route("DELETE", "/admin/users/<int:number>/groups/<int:group_id>", "users/remove_group")
def remove_group_from_user(call: Call, number: int, group_id: int) -> Reply:
    by, user, group = call.staff(), call.forum.users.get(number), call.forum.groups.get(group_id)
    if user is None or group is None:
        raise not_found()
    remove_members(call.forum, by, group, [user])
    return empty()
