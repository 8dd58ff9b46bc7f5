"""Accounts, groups, badges, likes and flags, accepted answers: what is done to and by people."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from .errors import Refused, Unprocessable, crash, errors, failed, forbidden, invalid, not_found
from .guard import Guard
from .records import Badge, Grant, Group, Post, Topic, User

if TYPE_CHECKING:
    from .forum import Forum

LIKE = 2
FLAGS = {3: "off_topic", 4: "inappropriate", 6: "notify_user", 7: "notify_moderators", 8: "spam"}
NAME = re.compile(r"[\w.\-]+")
LIKES_BY_TRUST = {2: 1.5, 3: 2.0, 4: 3.0}


# --- likes and flags


def like_budget(forum: Forum, by: User) -> tuple[int, int]:
    """How many likes a member has left today, and how many there are in a day."""
    most = int(forum.settings.max_likes_per_day * LIKES_BY_TRUST.get(by.trust_level, 1))
    day = forum.since(1)
    given = sum(1 for p in forum.posts.values() if by.id in p.likes and p.likes[by.id] > day)
    return max(0, most - given), most


def like(forum: Forum, by: User, post: Post) -> None:
    guard = Guard(forum, by)
    if not guard.sees_post(post):
        raise not_found()
    if not guard.can_like(post):
        raise errors(403, "You are not permitted to view the requested resource.")
    post.likes[by.id] = forum.clock.tick()
    by.likes_given += 1
    forum.recount(forum.topics[post.topic_id])
    forum.hooks.like(post, by)


def unlike(forum: Forum, by: User, post: Post) -> None:
    given = post.likes.get(by.id)
    if given is None:
        raise errors(404, "The requested URL or resource could not be found.")
    window = timedelta(minutes=forum.settings.post_undo_action_window_mins)
    if forum.clock() - given > window:
        raise forbidden()
    forum.likes_taken_back.append((post.id, by.id, post.likes.pop(by.id), forum.clock.tick()))
    by.likes_given -= 1
    forum.recount(forum.topics[post.topic_id])


def flag(forum: Forum, by: User, post: Post, kind: int) -> None:
    if not Guard(forum, by).sees_post(post):
        raise not_found()
    if kind in FLAGS:
        if (by.id, kind) in post.flags or post.user_id == by.id:
            raise errors(403, "You are not permitted to view the requested resource.")
        post.flags[(by.id, kind)] = forum.clock.tick()
        forum.hooks.reviewable(post, FLAGS[kind])


# --- accepted answers


def accept_answer(forum: Forum, by: User, post: Post) -> None:
    topic = forum.topics[post.topic_id]
    _may_accept(by, topic)
    topic.solved_by, topic.solved_at, topic.solver_id = post.id, forum.clock.tick(), by.id
    forum.hooks.solved("accepted_solution", post)


def unaccept_answer(forum: Forum, by: User, post: Post) -> None:
    topic = forum.topics[post.topic_id]
    _may_accept(by, topic)
    if topic.solved_by == post.id:
        topic.solved_by = topic.solved_at = topic.solver_id = None
        forum.hooks.solved("unaccepted_solution", post)


def _may_accept(by: User, topic: Topic) -> None:
    if not (by.staff or by.trust_level >= 4 or (topic.user_id == by.id and not topic.closed)):
        raise forbidden()


# --- groups


def add_members(forum: Forum, by: User, group: Group, users: list[User]) -> list[User]:
    if not Guard(forum, by).can_edit_group(group):
        raise forbidden()
    if not users:
        raise invalid("usernames")
    fresh = [u for u in users if u.id not in group.members]
    if not fresh:
        names = ", ".join(u.username for u in users)
        raise Unprocessable(f"'{names}' is already a member of this group.")
    for user in fresh:
        group.members[user.id] = forum.clock.tick()
        if group.title and user.title is None:
            user.title = group.title
        forum.log_group(group, "add_user_to_group", by, target_user_id=user.id)
        forum.hooks.membership("user_added_to_group", group, user)
    return users


def remove_members(forum: Forum, by: User, group: Group, users: list[User]) -> tuple[list[User], list[User]]:
    """Those who left and those who were no members."""
    if not Guard(forum, by).can_edit_group(group):
        raise forbidden()
    gone, skipped = [], []
    for user in users:
        if user.id not in group.members:
            skipped.append(user)
            continue
        del group.members[user.id]
        group.owners.discard(user.id)
        if group.title and user.title == group.title:
            user.title = None
        gone.append(user)
        forum.log_group(group, "remove_user_from_group", by, target_user_id=user.id)
        forum.hooks.membership("user_removed_from_group", group, user)
    return gone, skipped


def new_group(forum: Forum, by: User, group: Group) -> Group:
    if not by.admin:
        raise not_found()
    found = []
    if not NAME.fullmatch(group.name):
        found.append("Name must only include numbers, letters, dashes, dots, and underscores")
    if forum.group(group.name) or forum.user(group.name):
        found.append("Name has already been taken")
    if found:
        raise Unprocessable(*found)
    forum.add_group(group)
    forum.hooks.group("group_created", group)
    return group


# --- badges


def grant(forum: Forum, by: User, badge: Badge | None, user: User | None, reason: str | None = None) -> Grant:
    if badge is None or user is None:
        raise not_found()
    if not by.staff or not badge.manually_grantable:
        raise failed(403)
    post_id = None
    if reason:
        post_id = _post_of_url(forum, reason)
        if post_id is None:
            raise failed(400, "External or invalid discourse link is not allowed in badge reason")
    if not badge.multiple_grant:
        for held in forum.grants.values():
            if held.badge_id == badge.id and held.user_id == user.id:
                return held
    number = forum.ids["grant"]
    forum.grants[number] = Grant(number, badge.id, user.id, by.id, forum.clock.tick(), post_id)
    forum.log_staff("grant_badge", by, target_user_id=user.id, details=badge.name)
    forum.hooks.badge("user_badge_granted", forum.grants[number])
    return forum.grants[number]


def revoke(forum: Forum, by: User, held: Grant) -> None:
    if not by.staff:
        raise failed(403)
    del forum.grants[held.id]
    badge = forum.badges[held.badge_id]
    user = forum.users[held.user_id]
    still = any(g.badge_id == badge.id and g.user_id == user.id for g in forum.grants.values())
    if user.title == badge.name and not still:
        user.title = None
    forum.log_staff("revoke_badge", by, target_user_id=user.id, details=badge.name)
    forum.hooks.badge("user_badge_revoked", held)


def _post_of_url(forum: Forum, url: str) -> int | None:
    match = re.search(r"/t/(?:[^/]*[^/\d][^/]*/)?(\d+)(?:/(\d+))?/?$", url)
    topic = forum.topics.get(int(match[1])) if match else None
    if match is None or topic is None:
        return None
    wanted = int(match[2] or 1)
    return next((p.id for p in forum.posts_of(topic) if p.post_number == wanted), None)


def titles_of(forum: Forum, user: User) -> set[str]:
    """The titles that a member may hold: of badges that allow it and of groups."""
    held = {g.badge_id for g in forum.grants.values() if g.user_id == user.id}
    of_badges = {b.name for b in forum.badges.values() if b.id in held and b.allow_title}
    return of_badges | {g.title for g in forum.groups_of(user) if g.title}


# --- accounts


def register(
    forum: Forum, username: str, name: str, email: str, *, active: bool, staged: bool
) -> User | dict[str, list[str]]:
    """A new account, or what is wrong by field."""
    wrong: dict[str, list[str]] = {}
    if not NAME.fullmatch(username):
        wrong["username"] = ["must only include numbers, letters, dashes, dots, and underscores"]
    elif forum.user(username) or forum.group(username):
        wrong["username"] = ["must be unique"]
    if forum.user_by_email(email):
        wrong["email"] = ["has already been taken"]
    if wrong:
        return wrong
    user = User(
        id=forum.ids["user"],
        username=username,
        name=name,
        email=email,
        created_at=forum.clock.tick(),
        trust_level=0,
        active=active,
        staged=staged,
    )
    forum.add_user(user)
    forum.hooks.user("user_created", user)
    return user


def _staff_may(by: User, user: User) -> None:
    if not by.staff or user.staff:
        raise forbidden()


def suspend(forum: Forum, by: User, user: User, till: datetime, reason: str) -> None:
    _staff_may(by, user)
    if user.suspended(forum.clock()):
        raise failed(409, f"User was already suspended by {by.username} just now.")
    user.suspended_at, user.suspended_till, user.suspend_reason = forum.clock.tick(), till, reason
    forum.log_staff("suspend_user", by, target_user_id=user.id, details=reason)
    forum.hooks.user("user_suspended", user)


def unsuspend(forum: Forum, by: User, user: User) -> None:
    _staff_may(by, user)
    user.suspended_at = user.suspended_till = user.suspend_reason = None
    forum.log_staff("unsuspend_user", by, target_user_id=user.id)
    forum.hooks.user("user_unsuspended", user)


def silence(forum: Forum, by: User, user: User, till: datetime, reason: str | None) -> None:
    _staff_may(by, user)
    if user.silenced(forum.clock()):
        raise failed(409, f"User was already silenced by {by.username} just now.")
    user.silenced_at, user.silenced_till, user.silence_reason = forum.clock.tick(), till, reason
    forum.log_staff("silence_user", by, target_user_id=user.id, details=reason)
    forum.hooks.user("user_updated", user)


def unsilence(forum: Forum, by: User, user: User) -> None:
    _staff_may(by, user)
    user.silenced_at = user.silenced_till = user.silence_reason = None
    forum.log_staff("unsilence_user", by, target_user_id=user.id)
    forum.hooks.user("user_updated", user)


def set_trust_level(forum: Forum, by: User, user: User, level: int) -> None:
    if not by.staff:
        raise forbidden()
    if level not in range(5):
        raise crash()
    old, user.trust_level = user.trust_level, level
    forum.assign_automatic_groups(user)
    details = f"old trust level: {old}\nnew trust level: {level}"
    forum.log_staff("change_trust_level", by, target_user_id=user.id, details=details)
    forum.hooks.user("user_updated", user)


def set_role(forum: Forum, by: User, user: User, role: str, on: bool) -> None:
    if not by.admin or user.anonymized or (not on and not getattr(user, role)):
        raise forbidden()
    setattr(user, role, on)
    if on:
        user.trust_level = max(user.trust_level, 1)
    forum.assign_automatic_groups(user)
    name = {"moderator": "moderation", "admin": "admin"}[role]
    forum.log_staff(f"{'grant' if on else 'revoke'}_{name}", by, target_user_id=user.id)
    forum.hooks.user("user_updated", user)


def rename(forum: Forum, by: User, user: User, name: str) -> None:
    """Old names are free again at once and lead nowhere."""
    if not Guard(forum, by).can_edit_user(user):
        raise forbidden()
    if not NAME.fullmatch(name):
        raise Unprocessable("Username must only include numbers, letters, dashes, dots, and underscores")
    holder = forum.user(name)
    if (holder is not None and holder is not user) or forum.group(name):
        raise Unprocessable("Username must be unique")
    old, user.username = user.username, name
    forum.reindex_user(user, old, user.email)
    if by.id != user.id:
        forum.log_staff("change_username", by, target_user_id=user.id, previous=old, new=name)
    forum.hooks.user("user_updated", user)


def anonymize(forum: Forum, by: User, user: User) -> str:
    _staff_may(by, user)
    old_name, old_email = user.username, user.email
    user.username = f"anon{62944262 + user.id}"
    user.name, user.email = user.username, f"{user.username}@anonymized.invalid"
    user.bio_raw = user.location = user.website = user.title = None
    user.anonymized, user.active = True, False
    forum.reindex_user(user, old_name, old_email)
    forum.log_staff("anonymize_user", by, target_user_id=user.id, details=old_name)
    forum.hooks.user("user_updated", user)
    return user.username


def destroy(forum: Forum, by: User, user: User | None) -> None:
    if user is None:
        raise forbidden()
    _staff_may(by, user)
    count = sum(1 for p in forum.posts_by(user) if p.deleted_at is None)
    if count:
        words = f"{count} post" + ("" if count == 1 else "s")
        where = "in a public topic or personal message, so they can't be deleted."
        message = f"User {user.username} has {words} {where}"
        raise Refused(403, {"deleted": False, "message": message})
    forum.hooks.user("user_destroyed", user)
    forum.drop_user(user)
    forum.log_staff("delete_user", by, details=f"id: {user.id}\nusername: {user.username}")
