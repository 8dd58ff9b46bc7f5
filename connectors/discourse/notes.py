"""What a forum notes of its members, as changes with the forum's own time: who came into a group or left it,
levels of trust, titles, badges. Its log of staff actions, its groups' logs and its database say it alike.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ..records import Change, Kind, Ref

JOINED, LEFT = "add_user_to_group", "remove_user_from_group"

_LEVEL = re.compile(r"new trust level: (\d)")
_DELETED = re.compile(r"id: (\d+)$", re.M)


def membership(site: str, member: str, group: str, joined: bool, at: datetime) -> Change:
    return Change(site=site, kind=Kind.MEMBER, id=member, field="group", value=group, at=at, on=joined)


def badge(site: str, member: str, name: str, granted: bool, at: datetime) -> Change:
    return Change(site=site, kind=Kind.MEMBER, id=member, field="badge", value=name, at=at, on=granted)


def level(site: str, member: str, value: Any, details: Any, at: datetime) -> Change | None:
    """`value` where the forum notes it apart, else it stands in the details."""
    found = str(value) if str(value or "").isdecimal() else ""
    if not found and (match := _LEVEL.search(str(details or ""))):
        found = match[1]
    if not found:
        return None
    return Change(site=site, kind=Kind.MEMBER, id=member, field="trust_level", value=int(found), at=at)


def title(site: str, member: str, value: Any, at: datetime) -> Change:
    return Change(site=site, kind=Kind.MEMBER, id=member, field="title", value=str(value or ""), at=at)


def deleted(site: str, details: Any) -> Ref | None:
    """The account that was deleted; the forum names it in its details only."""
    match = _DELETED.search(str(details or ""))
    return None if match is None else Ref(site, Kind.MEMBER, match[1])


def of_staff(site: str, row: Mapping[str, Any], at: datetime) -> Change | None:
    """A row of the log of staff actions."""
    action, target = row.get("action_name"), row.get("target_user") or {}
    if target.get("id") is None:
        return None
    member, details, value = str(target["id"]), row.get("details"), row.get("new_value")
    match action:
        case "change_trust_level":
            return level(site, member, value, details, at)
        case "grant_badge" | "revoke_badge":
            return badge(site, member, str(details), action == "grant_badge", at) if details else None
        case "change_title" if value is not None:
            return title(site, member, value, at)
        case "revoke_title":
            return title(site, member, "", at)
    return None
