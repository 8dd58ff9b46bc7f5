"""Groups and badges as Discourse gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .guard import Guard
from .records import Badge, Grant, Group, User
from .show_people import JSON, list_user
from .text import cook, excerpt, iso

if TYPE_CHECKING:
    from .forum import Forum

BADGE_TYPES = {1: ("Gold", 9), 2: ("Silver", 8), 3: ("Bronze", 7)}


def badges_of(forum: Forum, user: User) -> list[Grant]:
    return [g for g in forum.grants.values() if g.user_id == user.id]


def badge_row(forum: Forum, badge: Badge) -> JSON:
    return {
        "id": badge.id,
        "name": badge.name,
        "description": badge.description,
        "grant_count": sum(1 for g in forum.grants.values() if g.badge_id == badge.id),
        "allow_title": badge.allow_title,
        "multiple_grant": badge.multiple_grant,
        "icon": badge.icon,
        "image_url": None,
        "listable": badge.listable,
        "enabled": badge.enabled,
        "badge_grouping_id": badge.grouping_id,
        "system": badge.system,
        "slug": badge.name.lower().replace(" ", "-"),
        "manually_grantable": badge.manually_grantable,
        "badge_type_id": badge.badge_type_id,
    }


def badge_types(badges: list[Badge]) -> list[JSON]:
    kinds = sorted({b.badge_type_id for b in badges}, reverse=True)
    return [{"id": k, "name": BADGE_TYPES[k][0], "sort_order": BADGE_TYPES[k][1]} for k in kinds]


def basic_group(forum: Forum, group: Group, guard: Guard | None) -> JSON:
    body: JSON = {"id": group.id, "automatic": group.automatic, "name": group.name}
    if group.automatic:
        body["display_name"] = group.name
    bio = cook(group.bio_raw, forum.mention) if group.bio_raw else None
    body |= {
        "user_count": len(group.members),
        "mentionable_level": group.mentionable_level,
        "messageable_level": group.messageable_level,
        "visibility_level": group.visibility_level,
        "primary_group": group.primary_group,
        "title": group.title,
        "grant_trust_level": group.grant_trust_level,
        "has_messages": any(group.id in t.allowed_groups for t in forum.topics.values() if t.private),
        "flair_url": None,
        "flair_bg_color": None,
        "flair_color": None,
        "bio_cooked": bio,
        "bio_excerpt": excerpt(bio) if bio else None,
        "public_admission": False,
        "public_exit": False,
        "allow_membership_requests": False,
        "full_name": group.full_name,
        "default_notification_level": 3,
        "membership_request_template": None,
        "members_visibility_level": group.members_visibility_level,
        "can_see_members": guard is None or guard.sees_members(group),
        "publish_read_state": False,
    }
    if guard is None or guard.admin or (guard.user is not None and guard.user.id in group.owners):
        body |= {"incoming_email": None, "bio_raw": group.bio_raw, "can_admin_group": True}
    return body


def member_row(forum: Forum, user: User, group: Group) -> JSON:
    """A member with what is said only where it is so: roles and primary group."""
    return list_user(forum, user) | {
        "title": user.title,
        "last_posted_at": iso(user.last_posted_at),
        "last_seen_at": iso(user.last_seen_at),
        "added_at": iso(group.members[user.id]),
        "timezone": None,
    }
