"""What a new site has before anybody did anything: groups, accounts, categories, badges of trust levels."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from .records import Badge, Category, Group, User

if TYPE_CHECKING:
    from .forum import Forum

SYSTEM, DISCOBOT = -1, -2
AUTOMATIC_GROUPS = {
    0: "everyone",
    1: "admins",
    2: "moderators",
    3: "staff",
    10: "trust_level_0",
    11: "trust_level_1",
    12: "trust_level_2",
    13: "trust_level_3",
    14: "trust_level_4",
}
TRUST_BADGES = {1: ("Basic", 3), 2: ("Member", 3), 3: ("Regular", 2), 4: ("Leader", 1)}  # name, badge type


def seed(forum: Forum) -> None:
    """Fill an empty forum. What is made later gets the ids that it would get on a new Discourse."""
    now = forum.clock()
    for number, name in AUTOMATIC_GROUPS.items():
        level = 1 if number else 3
        forum.add_group(Group(number, name, now, automatic=True, visibility_level=level))
    for number, (name, kind) in TRUST_BADGES.items():
        forum.badges[number] = Badge(number, name, "", kind, grouping_id=4, system=True, icon="fa-user")
    forum.ids.seen("group", 40)
    forum.ids.seen("badge", 100)
    _accounts(forum)
    staff, third = frozenset({"staff"}), frozenset({"trust_level_3", "staff"})
    forum.add_category(Category(1, "Uncategorized", "uncategorized"))
    forum.add_category(Category(2, "Site Feedback", "site-feedback", color="808281", position=1))
    forum.add_category(Category(3, "Staff", "staff", color="E45735", position=2, readers=staff))
    forum.add_category(Category(4, "Lounge", "lounge", color="A461EF", position=3, readers=third))


def _accounts(forum: Forum) -> None:
    now = forum.clock()
    later = now + timedelta(milliseconds=1)
    forum.add_user(User(SYSTEM, "system", now, "system", "no_email", 4, admin=True, moderator=True))
    forum.add_user(User(DISCOBOT, "discobot", later, "discobot", "", 4, admin=True))
    forum.add_user(User(1, "adminuser", now, "Admin User", "admin@example.com", 4, admin=True))
