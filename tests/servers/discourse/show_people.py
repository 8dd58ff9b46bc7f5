"""Users, groups and badges as Discourse's serializers give them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .records import User

if TYPE_CHECKING:
    from .forum import Forum

JSON = dict[str, Any]


def avatar(user: User) -> str:
    if user.id == -1:
        return "/images/discourse-logo-sketch-small.png"
    color = f"{user.id * 2654435761 % 0xFFFFFF:06x}"
    return f"/letter_avatar_proxy/v4/letter/{user.username[0].lower()}/{color}/{{size}}.png"


def basic_user(user: User) -> JSON:
    return {"id": user.id, "username": user.username, "name": user.name, "avatar_template": avatar(user)}


def roles(user: User) -> JSON:
    """Only what is true is said."""
    body: JSON = {}
    if user.admin:
        body["admin"] = True
    if user.moderator:
        body["moderator"] = True
    body["trust_level"] = user.trust_level
    return body


def primary(forum: Forum, user: User) -> JSON:
    """The primary group, where there is one."""
    group = forum.groups.get(user.primary_group_id or -1)
    return {"primary_group_name": group.name} if group else {}


def list_user(forum: Forum, user: User) -> JSON:
    """A user beside a list: what is false or missing is not said."""
    return basic_user(user) | roles(user) | primary(forum, user)


def flair(forum: Forum, user: User) -> JSON:
    group = forum.groups.get(user.primary_group_id or -1)
    return {
        "primary_group_name": group.name if group else None,
        "primary_group_flair_url": None,
        "primary_group_flair_bg_color": None,
        "primary_group_flair_color": None,
    }
