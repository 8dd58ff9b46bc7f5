"""Who may see and do what; `user` is None for anonymous callers."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from .records import Category, Group, Post, PostType, Topic, User

if TYPE_CHECKING:
    from .forum import Forum


class Guard:
    """The rights of one caller, computed once per request."""

    def __init__(self, forum: Forum, user: User | None) -> None:
        self.forum = forum
        self.user = user
        self.staff = user is not None and user.staff
        self.admin = user is not None and user.admin
        names = forum.group_names_of(user)
        self.categories = {c.id for c in forum.categories.values() if self.admin or c.readers & names}
        self._groups = {g.id for g in forum.groups_of(user)} if user else set()

    # --- seeing

    def sees_category(self, category: Category | None) -> bool:
        return category is not None and category.id in self.categories

    def sees_topic(self, topic: Topic) -> bool:
        if topic.deleted_at is not None and not self.staff:
            return False
        if topic.private:
            return self.in_message(topic) or self.admin
        return topic.category_id is None or topic.category_id in self.categories

    def in_message(self, topic: Topic) -> bool:
        if self.user is None:
            return False
        return self.user.id in topic.allowed_users or bool(self._groups & set(topic.allowed_groups))

    def sees_post(self, post: Post, topic: Topic | None = None) -> bool:
        """Deleted posts: staff, and whoever deleted; whispers: staff."""
        if not self.sees_topic(topic or self.forum.topics[post.topic_id]):
            return False
        if post.post_type == PostType.WHISPER and not self.staff:
            return False
        return (
            post.deleted_at is None
            or self.staff
            or (self.user is not None and post.deleted_by == self.user.id)
        )

    def sees_group(self, group: Group) -> bool:
        if group.id == 0:
            return False
        if self.admin or group.visibility_level == 0:
            return True
        if self.user is None:
            return False
        mine = self.user.id in group.members
        return {1: True, 2: mine, 3: self.staff or mine, 4: self.user.id in group.owners}[
            group.visibility_level
        ]

    def sees_members(self, group: Group) -> bool:
        if group.members_visibility_level == 0 or self.admin:
            return self.sees_group(group)
        return self.user is not None and (self.staff or self.user.id in group.members)

    # --- doing

    def can_create_topic_in(self, category: Category) -> bool:
        return self.user is not None and self.sees_category(category)

    def can_reply(self, topic: Topic) -> bool:
        if self.user is None or self.user.silenced(self.forum.clock()) or topic.deleted_at is not None:
            return False
        if not self.sees_topic(topic):
            return False
        trusted = self.staff or self.user.trust_level >= 4
        return trusted or not (topic.closed or topic.archived)

    def can_edit_post(self, post: Post) -> bool:
        if self.user is None:
            return False
        topic = self.forum.topics[post.topic_id]
        if self.staff:
            return self.sees_topic(topic)
        if post.locked or post.deleted_at is not None or not self.sees_topic(topic):
            return False
        if self.user.trust_level >= 4 and not topic.private:
            return True
        if topic.archived or self.user.silenced(self.forum.clock()):
            return False
        return (post.user_id == self.user.id and not post.user_deleted) or (
            post.wiki and self.user.trust_level >= 1
        )

    def too_late_to_edit(self, post: Post) -> bool:
        if self.user is None or self.staff or self.user.trust_level >= 4 or post.wiki:
            return False
        settings = self.forum.settings
        high = self.user.trust_level >= 2
        minutes = settings.tl2_post_edit_time_limit if high else settings.post_edit_time_limit
        return minutes > 0 and post.created_at + timedelta(minutes=minutes) < self.forum.clock()

    def can_edit_topic(self, topic: Topic) -> bool:
        if self.user is None or not self.sees_topic(topic):
            return False
        if self.staff:
            return True
        if topic.archived or topic.deleted_at is not None:
            return False
        if self.user.trust_level >= 3 and not topic.private:
            return True
        first = self.forum.first_post(topic)
        return topic.user_id == self.user.id and not self.too_late_to_edit(first)

    def can_moderate(self, topic: Topic) -> bool:
        """Close, archive, list, pin, move: staff, and trust level 4."""
        return self.user is not None and self.sees_topic(topic) and (self.staff or self.user.trust_level >= 4)

    def is_category_definition(self, topic: Topic) -> bool:
        return any(c.topic_id == topic.id for c in self.forum.categories.values())

    def can_delete_topic(self, topic: Topic) -> bool:
        if self.user is None or topic.deleted_at is not None or self.is_category_definition(topic):
            return False
        if self.staff:
            return self.sees_topic(topic)
        young = topic.created_at + timedelta(hours=24) > self.forum.clock()
        return topic.user_id == self.user.id and topic.posts_count <= 1 and young

    def can_delete_post(self, post: Post) -> bool:
        """Never the first post: the topic is deleted instead."""
        if self.user is None or post.post_number == 1:
            return False
        if self.staff:
            return self.sees_post(post)
        topic = self.forum.topics[post.topic_id]
        return (
            post.user_id == self.user.id and not topic.archived and not post.user_deleted and not post.locked
        )

    def can_recover_post(self, post: Post) -> bool:
        if self.user is None:
            return False
        if self.staff:
            return post.deleted_at is not None
        return post.user_deleted and post.user_id == self.user.id and post.deleted_at is None

    def can_like(self, post: Post) -> bool:
        if self.user is None or post.user_id == self.user.id or self.user.id in post.likes:
            return False
        return post.deleted_at is None and not self.forum.topics[post.topic_id].archived

    def can_edit_user(self, user: User) -> bool:
        return self.user is not None and (self.staff or self.user.id == user.id)

    def can_edit_group(self, group: Group) -> bool:
        if self.user is None or group.automatic:
            return False
        return self.admin or self.user.id in group.owners

    def sees_profile(self, user: User) -> bool:
        return not user.hide_profile or self.can_edit_user(user)
