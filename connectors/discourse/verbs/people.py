"""Verbs about members: groups, badges, the title beside the name."""

from __future__ import annotations

from datetime import datetime

from ....config.errors import Filtered, NotFound, Refused
from ...actions import AddToGroup, GrantBadge, RemoveFromGroup, RevokeBadge, SetTitle
from ...base import Found, Marker, NotDone, Receipt
from .. import mapping
from ..acting import SKEW, Acting, Verb, own_doing
from ..client import Json

_LOGGED = {True: "add_user_to_group", False: "remove_user_from_group"}


# --- groups


def add_to_group(acting: Acting, action: AddToGroup, marker: Marker) -> Receipt:
    group = _group(acting, action.group)
    ours = _add(acting, group, action.member)
    return _membership(acting, action.verb, action.member, group, True, ours=ours)


def remove_from_group(acting: Acting, action: RemoveFromGroup, marker: Marker) -> Receipt:
    group = _group(acting, action.group)
    ours = _remove(acting, group, action.member)
    return _membership(acting, action.verb, action.member, group, False, ours=ours)


def _group(acting: Acting, name: str) -> Json:
    group: Json = acting.client.group(name)["group"]
    acting.check_writable()
    return group


def _add(acting: Acting, group: Json, member: str) -> bool:
    """Whether the member was not in it before."""
    try:
        acting.client._put(f"/groups/{group['id']}/members.json", user_ids=member)
    except Filtered:
        if _is_member(acting, member, group["name"]):
            return False
        raise
    return True


def _remove(acting: Acting, group: Json, member: str) -> bool:
    answer = acting.client._delete(f"/groups/{group['id']}/members.json", user_id=member) or {}
    return bool(answer.get("usernames", True))


def _is_member(acting: Acting, member: str, group: str) -> bool:
    return any(row.get("name") == group for row in acting.member(member).get("groups") or ())


def _membership(acting: Acting, verb: str, member: str, group: Json, on: bool, *, ours: bool) -> Receipt:
    return acting.receipt(
        verb,
        url=f"{acting.client.host}/g/{group['name']}",
        before={"member": on != ours},
        after={"member": on, "id": member, "group": group["name"]},
        attribution="ours" if ours else "unknown",
    )


def find_membership(
    acting: Acting, action: AddToGroup | RemoveFromGroup, marker: Marker, since: datetime
) -> Found:
    """The state wanted; ours, if the group's log says so."""
    wanted = isinstance(action, AddToGroup)
    try:
        if _is_member(acting, action.member, action.group) != wanted:
            return NotDone()
        group = _group(acting, action.group)
    except NotFound:
        return NotDone()
    ours = _logged(acting, action.group, action.member, _LOGGED[wanted], since)
    return _membership(acting, action.verb, action.member, group, wanted, ours=ours)


def _logged(acting: Acting, group: str, member: str, what: str, since: datetime) -> bool:
    try:
        rows = acting.client.get(f"/groups/{group}/logs.json").get("logs") or ()
    except Refused:
        return False
    last = next((row for row in rows if _id(row.get("target_user")) == member), None)
    if last is None or last.get("action") != what or _id(last.get("acting_user")) != acting.client.me().id:
        return False
    at = mapping.moment(last.get("created_at"))
    return at is not None and at >= since - SKEW


def _id(user: object) -> str:
    return str(user.get("id")) if isinstance(user, dict) else ""


def membership_back(acting: Acting, receipt: Receipt, marker: Marker) -> Receipt:
    after = own_doing(receipt)
    group, member, on = _group(acting, after["group"]), after["id"], bool(after["member"])
    if not (_remove if on else _add)(acting, group, member):
        raise acting.conflict("the membership was changed since.")
    return _membership(acting, receipt.verb, member, group, not on, ours=True)


# --- badges


def grant_badge(acting: Acting, action: GrantBadge, marker: Marker) -> Receipt:
    name = acting.usernames((action.member,))[0]
    badge, held = _held(acting, name, action.badge)
    if held:
        return _granted(acting, action.verb, name, action.member, held[0], ours=False)
    answer = acting.client.grant_badge_to(name, badge)
    return _granted(acting, action.verb, name, action.member, answer["user_badge"], ours=True)


def _held(acting: Acting, username: str, badge: str) -> tuple[int, list[Json]]:
    """The badge's id, and the grants of it that the member holds, newest first. Raises NotFound."""
    answer = acting.client.get(f"/user-badges/{username}.json")
    number = next((b["id"] for b in answer.get("badges") or () if b["name"] == badge), None)
    if number is None:
        return _badge(acting, badge), []
    return number, [row for row in answer.get("user_badges") or () if row["badge_id"] == number]


def _badge(acting: Acting, name: str) -> int:
    for row in acting.client.get("/badges.json").get("badges") or ():
        if row["name"] == name:
            return int(row["id"])
    raise NotFound(f"there is no badge '{name}'.", where=acting.site)


def _granted(acting: Acting, verb: str, username: str, member: str, grant: Json, *, ours: bool) -> Receipt:
    return acting.receipt(
        verb,
        url=f"{acting.client.host}/u/{username}/badges",
        before={} if ours else None,
        after={"grant": grant["id"], "badge": grant["badge_id"], "id": member},
        attribution="ours" if ours else "unknown",
    )


def find_grant(acting: Acting, action: GrantBadge, marker: Marker, since: datetime) -> Found:
    try:
        name = acting.usernames((action.member,))[0]
        _, held = _held(acting, name, action.badge)
    except NotFound:
        return NotDone()
    ours = [row for row in held if _is_our_grant(acting, row, since)]
    if not held:
        return NotDone()
    grant = ours[0] if ours else held[0]
    return _granted(acting, action.verb, name, action.member, grant, ours=bool(ours))


def _is_our_grant(acting: Acting, grant: Json, since: datetime) -> bool:
    at = mapping.moment(grant.get("granted_at"))
    return str(grant.get("granted_by_id")) == acting.client.me().id and at is not None and at >= since - SKEW


def grant_back(acting: Acting, receipt: Receipt, marker: Marker) -> Receipt:
    after = own_doing(receipt)
    try:
        acting.client._delete(f"/user_badges/{after['grant']}.json")
    except NotFound:
        raise acting.conflict("the badge was withdrawn since.") from None
    return acting.receipt(receipt.verb, before=after, after={"grant": None, "id": after["id"]})


def revoke_badge(acting: Acting, action: RevokeBadge, marker: Marker) -> Receipt:
    name = acting.usernames((action.member,))[0]
    badge, held = _held(acting, name, action.badge)
    for grant in held:
        acting.client._delete(f"/user_badges/{grant['id']}.json")
    return _revoked(acting, action.verb, name, action.member, badge, len(held))


def _revoked(acting: Acting, verb: str, username: str, member: str, badge: int, count: int) -> Receipt:
    return acting.receipt(
        verb,
        url=f"{acting.client.host}/u/{username}/badges",
        before={"grants": count} if count else None,
        after={"badge": badge, "id": member},
        attribution="ours" if count else "unknown",
    )


def find_revocation(acting: Acting, action: RevokeBadge, marker: Marker, since: datetime) -> Found:
    """The forum keeps no trace of who withdrew a badge."""
    try:
        name = acting.usernames((action.member,))[0]
        badge, held = _held(acting, name, action.badge)
    except NotFound:
        return NotDone()
    return NotDone() if held else _revoked(acting, action.verb, name, action.member, badge, 0)


def revocation_back(acting: Acting, receipt: Receipt, marker: Marker) -> Receipt:
    after = own_doing(receipt)
    name = acting.usernames((after["id"],))[0]
    answer = acting.client.get(f"/user-badges/{name}.json")
    if any(row["badge_id"] == after["badge"] for row in answer.get("user_badges") or ()):
        raise acting.conflict("the badge was granted again since.")
    grant = acting.client.grant_badge_to(name, after["badge"])["user_badge"]
    return _granted(acting, receipt.verb, name, after["id"], grant, ours=True)


# --- title


def set_title(acting: Acting, action: SetTitle, marker: Marker) -> Receipt:
    """Raises Filtered if the forum ignores the title, as it does where the member may not bear it."""
    user = acting.member(action.member)
    acting.check_writable()
    old = str(user.get("title") or "")
    if old == action.title:
        return _titled(acting, action.verb, user, old, action.title, ours=False)
    _write_title(acting, user, action.title)
    return _titled(acting, action.verb, user, old, action.title, ours=True)


def _write_title(acting: Acting, user: Json, title: str) -> None:
    answer = acting.client._put(f"/u/{user['username']}.json", title=title) or {}
    if str((answer.get("user") or {}).get("title") or "") != title:
        raise Filtered(f"the forum does not give {user['username']} this title.", where=acting.site)


def _titled(acting: Acting, verb: str, user: Json, old: str | None, new: str, *, ours: bool) -> Receipt:
    return acting.receipt(
        verb,
        url=f"{acting.client.host}/u/{user['username']}",
        before=None if old is None else {"title": old},
        after={"id": str(user["id"]), "title": new},
        attribution="ours" if ours else "unknown",
    )


def find_title(acting: Acting, action: SetTitle, marker: Marker, since: datetime) -> Found:
    """The forum keeps no trace of who set a title."""
    try:
        user = acting.member(action.member)
    except NotFound:
        return NotDone()
    if str(user.get("title") or "") != action.title:
        return NotDone()
    return _titled(acting, action.verb, user, None, action.title, ours=False)


def title_back(acting: Acting, receipt: Receipt, marker: Marker) -> Receipt:
    after, before = own_doing(receipt), receipt.before or {}
    user = acting.member(after["id"])
    if str(user.get("title") or "") != after["title"]:
        raise acting.conflict("the title was changed since.")
    _write_title(acting, user, before["title"])
    return _titled(acting, receipt.verb, user, after["title"], before["title"], ours=True)


VERBS = (
    Verb(AddToGroup, add_to_group, find_membership, membership_back),
    Verb(RemoveFromGroup, remove_from_group, find_membership, membership_back),
    Verb(GrantBadge, grant_badge, find_grant, grant_back),
    Verb(RevokeBadge, revoke_badge, find_revocation, revocation_back),
    Verb(SetTitle, set_title, find_title, title_back),
)
