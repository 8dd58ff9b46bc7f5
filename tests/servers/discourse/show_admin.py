"""Accounts as staff see them under /admin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .guard import Guard
from .records import User
from .show_groups import badges_of, basic_group
from .show_people import JSON, basic_user
from .text import iso, words

if TYPE_CHECKING:
    from .forum import Forum

REQUIREMENTS = words(
    "min_days_visited num_topics_replied_to min_topics_replied_to topics_viewed min_topics_viewed"
    " posts_read min_posts_read topics_viewed_all_time min_topics_viewed_all_time posts_read_all_time"
    " min_posts_read_all_time num_flagged_posts max_flagged_posts num_flagged_by_users"
    " max_flagged_by_users num_likes_given min_likes_given num_likes_received min_likes_received"
    " num_likes_received_days min_likes_received_days num_likes_received_users min_likes_received_users"
)


def admin_row(forum: Forum, user: User, *, emails: bool) -> JSON:
    """A row of /admin/users/list; ages are seconds."""
    now = forum.clock()

    def age(moment: Any) -> float | None:
        return None if moment is None else (now - moment).total_seconds()

    body = basic_user(user)
    if emails or user.staged:
        body |= {"email": user.email or "no_email", "secondary_emails": []}
    body |= {
        "active": user.active,
        "admin": user.admin,
        "moderator": user.moderator,
        "last_seen_at": iso(user.last_seen_at),
        "last_emailed_at": iso(user.last_emailed_at),
        "created_at": iso(user.created_at),
        "last_seen_age": age(user.last_seen_at),
        "last_emailed_age": age(user.last_emailed_at),
        "created_at_age": age(user.created_at),
        "trust_level": user.trust_level,
        "manual_locked_trust_level": user.trust_locked,
        "flag_level": 0,
        "title": user.title,
    }
    if user.suspended(now):
        body |= {"suspended_at": iso(user.suspended_at), "suspended_till": iso(user.suspended_till)}
    if user.silenced(now):
        body["silenced_till"] = iso(user.silenced_till)
    return body | {
        "time_read": user.time_read,
        "staged": user.staged,
        "days_visited": user.days_visited,
        "posts_read_count": user.posts_read_count,
        "topics_entered": user.topics_entered,
        "post_count": forum.replies_by(user),
    }


def admin_detail(forum: Forum, user: User) -> JSON:
    """What the admin actions answer with."""
    return admin_row(forum, user, emails=False) | {
        "can_send_activation_email": True,
        "can_activate": not user.active,
        "can_deactivate": user.active and not user.staff,
        "ip_address": "127.0.0.1",
        "registration_ip_address": "127.0.0.1",
        "single_sign_on_record": {"external_id": user.external_id} if user.external_id else None,
    }


def admin_user(forum: Forum, user: User, guard: Guard) -> JSON:
    """/admin/users/{id}.json"""
    posts = [p for p in forum.posts_by(user) if p.deleted_at is None]
    topics = [t for t in forum.topics.values() if t.user_id == user.id and t.deleted_at is None]
    return (
        admin_detail(forum, user)
        | {
            "post_count": len(posts),
            "can_grant_admin": not user.admin,
            "can_revoke_admin": user.admin,
            "can_grant_moderation": not user.moderator,
            "can_revoke_moderation": user.moderator,
            "can_impersonate": not user.admin,
            "like_count": sum(p.like_count for p in posts),
            "like_given_count": user.likes_given,
            "topic_count": sum(1 for t in topics if not t.private),
            "flags_given_count": 0,
            "flags_received_count": sum(len(p.flags) for p in posts),
            "private_topics_count": sum(1 for t in forum.topics.values() if user.id in t.allowed_users),
            "can_delete_all_posts": not user.staff,
            "can_be_deleted": not user.staff,
            "can_be_anonymized": not user.staff,
            "can_be_merged": not user.staff,
            "full_suspend_reason": user.suspend_reason,
            "silence_reason": user.silence_reason,
            "primary_group_id": user.primary_group_id,
            "badge_count": len(badges_of(forum, user)),
            "warnings_received_count": 0,
            "bounce_score": 0.0,
            "reset_bounce_score_after": None,
            "can_view_action_logs": True,
            "can_disable_second_factor": True,
            "can_delete_sso_record": False,
            "api_key_count": sum(1 for k in forum.keys.values() if k.user_id == user.id),
            "approved_by": None,
            "suspended_by": basic_user(forum.system) if user.suspended(forum.clock()) else None,
            "silenced_by": basic_user(forum.system) if user.silenced(forum.clock()) else None,
            "groups": [basic_group(forum, g, guard) for g in forum.groups_of(user)],
        }
        | ({"tl3_requirements": _requirements(user)} if user.trust_level in (2, 3) else {})
    )


def _requirements(user: User) -> JSON:
    """What trust level 3 asks for; the stand-in computes none of it."""
    body: JSON = {"time_period": 100, "requirements_met": False, "requirements_lost": True}
    locked = user.trust_locked is not None
    body |= {"trust_level_locked": locked, "on_grace_period": False, "days_visited": user.days_visited}
    body |= {name: 0 for name in REQUIREMENTS}
    return body | {"penalty_counts": {"silenced": 0, "suspended": 0, "total": 0}}
