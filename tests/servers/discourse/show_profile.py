"""The account of the caller and the public profile of a user, as Discourse gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .guard import Guard
from .people import titles_of
from .records import User
from .show_groups import badges_of, basic_group
from .show_people import JSON, avatar, basic_user, flair
from .text import cook, excerpt, iso, words

if TYPE_CHECKING:
    from .forum import Forum

HOURS = {f"day_{d}_{w}_time": m for d in range(7) for w, m in (("start", 480), ("end", 1020))}


EMPTY_LISTS = words(
    "muted_category_ids regular_category_ids watched_tags watching_first_post_tags tracked_tags"
    " muted_tags tracked_category_ids watched_category_ids watched_first_post_category_ids"
)


def current_user(forum: Forum, user: User) -> JSON:
    """The answer of /session/current.json."""
    body = basic_user(user) | {
        "unread_notifications": 0,
        "unread_private_messages": 0,
        "unread_high_priority_notifications": 0,
        "read_first_notification": True,
        "admin": user.admin,
        "notification_channel_position": None,
        "moderator": user.moderator,
        "staff": user.staff,
        "title": user.title,
        "any_posts": any(True for _ in forum.posts_by(user)),
        "enable_quoting": True,
        "enable_defer": False,
        "external_links_in_new_tab": False,
        "dynamic_favicon": False,
        "trust_level": user.trust_level,
        "can_send_private_email_messages": user.staff,
        "can_send_private_messages": user.staff or user.trust_level >= 1,
        "can_invite_to_forum": user.staff or user.trust_level >= 2,
        "should_be_redirected_to_top": False,
        "custom_fields": {},
        "muted_tag_ids": [],
        "regular_tags": [],
        "dismissed_banner_key": None,
        "is_anonymous": False,
        "read_faq": False,
        "automatically_unpin_topics": True,
        "mailing_list_mode": False,
        "treat_as_new_topic_start_date": iso(user.created_at),
        "previous_visit_at": None,
        "seen_notification_id": 0,
        "can_create_topic": True,
        "link_posting_access": "full",
        "top_category_ids": [],
        "hide_profile_and_presence": user.hide_profile,
        "groups": [
            {"id": g.id, "name": g.name} | ({"owner": True} if user.id in g.owners else {})
            for g in forum.groups_of(user)
        ],
        "second_factor_enabled": False,
        "ignored_users": sorted(forum.users[n].username for n in user.ignored_users),
        "title_count_mode": "notifications",
        "timezone": None,
        "featured_topic": None,
        "skip_new_user_tips": False,
        "do_not_disturb_until": None,
    }
    body |= {key: [] for key in EMPTY_LISTS}
    body["muted_category_ids"] = sorted(user.muted_category_ids)
    body["muted_tags"] = sorted(user.muted_tags)
    body |= {"can_edit": user.staff or user.trust_level >= 2, "can_review": user.staff, "reviewable_count": 0}
    if user.admin:
        body["can_create_group"] = True
    if not user.staff:
        body["can_delete_account"] = user.last_posted_at is None
    if user.primary_group_id is not None:
        body["primary_group_id"] = user.primary_group_id
    return body


def profile(forum: Forum, user: User, guard: Guard) -> JSON:
    """The `user` of /u/{name}.json, as far as the caller may see it."""
    viewer = guard.user
    if not guard.sees_profile(user):
        return basic_user(user) | {"profile_hidden": True, "title": user.title, "primary_group_name": None}
    mine = viewer is not None and viewer.id == user.id
    edits = guard.can_edit_user(user)
    pm = viewer is not None and (viewer.staff or viewer.trust_level >= 1)
    body = basic_user(user) | {
        "last_posted_at": iso(user.last_posted_at),
        "last_seen_at": iso(user.last_seen_at),
        "created_at": iso(user.created_at),
        "ignored": False,
        "muted": False,
        "can_ignore_user": viewer is not None and not user.staff and not mine,
        "can_mute_user": viewer is not None and not user.staff and not mine,
        "can_send_private_messages": pm,
        "can_send_private_message_to_user": pm and not mine and (guard.staff or user.allow_private_messages),
        "trust_level": user.trust_level,
        "moderator": user.moderator,
        "admin": user.admin,
        "title": user.title,
        "badge_count": len(badges_of(forum, user)),
        "custom_fields": {},
        "time_read": user.time_read,
        "recent_time_read": 0,
        "primary_group_id": user.primary_group_id,
        **flair(forum, user),
        "featured_topic": None,
        "can_edit": edits,
        "can_edit_username": edits,
        "can_edit_email": edits,
        "can_edit_name": edits,
        "uploaded_avatar_id": None,
        "pending_count": 0,
        "profile_view_count": user.profile_views,
        "can_upload_profile_header": edits,
        "can_upload_user_card_background": edits,
        "featured_user_badge_ids": [g.id for g in badges_of(forum, user)][:3],
        "invited_by": None,
        "groups": [basic_group(forum, g, guard) for g in forum.groups_of(user) if guard.sees_group(g)],
        "user_notification_schedule": {"enabled": False, **HOURS},
    }
    if user.suspended(forum.clock()):
        body |= {"suspended_till": iso(user.suspended_till), "suspend_reason": user.suspend_reason}
    if user.silenced(forum.clock()) and edits:
        body["silenced_till"] = iso(user.silenced_till)
    for key in ("bio_raw", "website", "location"):
        if getattr(user, key):
            body[key] = getattr(user, key)
    if user.bio_raw:
        body["bio_cooked"] = cook(user.bio_raw, forum.mention)
        body["bio_excerpt"] = excerpt(body["bio_cooked"])
    if user.website:
        body["website_name"] = user.website.split("://")[-1].rstrip("/")
    if guard.staff:
        body |= {"post_count": forum.replies_by(user), "staged": user.staged}
        body |= {"can_be_deleted": not user.staff, "can_delete_all_posts": not user.staff}
    if edits:
        body |= _private_part(forum, user, mine=mine)
    if mine or (user.staged and guard.staff):
        body |= {"email": user.email, "secondary_emails": [], "unconfirmed_emails": []}
    if mine:
        body |= {"associated_accounts": [], "second_factor_backup_enabled": False}
    return body


def _private_part(forum: Forum, user: User, *, mine: bool) -> JSON:
    body: JSON = {
        "has_title_badges": bool(titles_of(forum, user)),
        "second_factor_enabled": False,
        "locale": user.locale,
        "system_avatar_upload_id": None,
        "system_avatar_template": avatar(user),
        "muted_usernames": [],
        "ignored_usernames": [],
        "allowed_pm_usernames": [],
        "mailing_list_posts_per_day": 0,
        "can_change_bio": True,
        "can_change_location": True,
        "can_change_website": True,
        "user_api_keys": None,
        "user_auth_tokens": [],
        "use_logo_small_as_avatar": False,
        "group_users": [
            {"group_id": g.id, "user_id": user.id, "notification_level": 3}
            | ({"owner": user.id in g.owners} if mine else {})
            for g in forum.groups_of(user)
        ],
        "user_option": user_option(user),
    }
    body |= {key: [] for key in EMPTY_LISTS}
    body["muted_category_ids"] = sorted(user.muted_category_ids)
    body["muted_tags"] = sorted(user.muted_tags)
    return body


def user_option(user: User) -> JSON:
    return {
        "user_id": user.id,
        "mailing_list_mode": False,
        "mailing_list_mode_frequency": 1,
        "email_digests": True,
        "email_level": 1,
        "email_messages_level": 0,
        "external_links_in_new_tab": False,
        "color_scheme_id": None,
        "dark_scheme_id": None,
        "dynamic_favicon": False,
        "enable_quoting": True,
        "enable_defer": False,
        "digest_after_minutes": 10080,
        "automatically_unpin_topics": True,
        "auto_track_topics_after_msecs": 240000,
        "notification_level_when_replying": 2,
        "new_topic_duration_minutes": 2880,
        "email_previous_replies": 2,
        "email_in_reply_to": False,
        "like_notification_frequency": 1,
        "include_tl0_in_digests": False,
        "theme_ids": [1],
        "theme_key_seq": 0,
        "allow_private_messages": user.allow_private_messages,
        "enable_allowed_pm_users": False,
        "homepage_id": None,
        "hide_profile_and_presence": user.hide_profile,
        "text_size": "normal",
        "text_size_seq": 0,
        "title_count_mode": "notifications",
        "timezone": None,
        "skip_new_user_tips": False,
    }


def hook_user(forum: Forum, user: User) -> JSON:
    """What a user event carries: the profile as system sees it, without the caller's own rights."""
    body = profile(forum, user, Guard(forum, forum.system))
    return {k: v for k, v in body.items() if not k.startswith("can_")} | {"email": user.email}
