"""Acting as a member in the browser: what the API would change, without requests and limits of haste."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from . import editing, moderation, people
from .forum import Forum
from .posting import Enqueued, NewPost, create
from .records import Badge, Category, Group, Post, Topic, User


class Person:
    """One member; each act moves the clock on by a millisecond or two."""

    def __init__(self, forum: Forum, who: str | User) -> None:
        user = forum.user(who) if isinstance(who, str) else who
        if user is None:
            raise KeyError(who)
        self.forum = forum
        self.user = user

    def topic(
        self,
        title: str,
        raw: str,
        *,
        category: int | Category = 1,
        tags: list[str] | None = None,
        **more: Any,
    ) -> Topic:
        number = category.id if isinstance(category, Category) else category
        post = self._create(
            NewPost(raw, title, category_id=number, tags=tags or [], skip_validations=True, **more)
        )
        return self.forum.topics[post.topic_id]

    def message(self, to: str | list[str], title: str, raw: str) -> Topic:
        names = [to] if isinstance(to, str) else to
        post = self._create(NewPost(raw, title, private=True, recipients=names, skip_validations=True))
        return self.forum.topics[post.topic_id]

    def reply(self, topic: Topic | int, raw: str, *, to: int | None = None, **more: Any) -> Post:
        number = topic.id if isinstance(topic, Topic) else topic
        return self._create(NewPost(raw, topic_id=number, reply_to=to, skip_validations=True, **more))

    def _create(self, new: NewPost) -> Post:
        with self.forum.lock:
            self.forum.last_made.clear()
            made = create(self.forum, self.user, new)
        if isinstance(made, Enqueued):
            raise AssertionError("the site holds new posts for approval")
        return made

    def edit(self, post: Post, raw: str, *, reason: str | None = None) -> Post:
        with self.forum.lock:
            return editing.edit_post(self.forum, self.user, post, editing.Edit(raw=raw, edit_reason=reason))

    def retitle(self, topic: Topic, title: str) -> None:
        self._edit_topic(topic, editing.Edit(title=title))

    def move(self, topic: Topic, category: int) -> None:
        self._edit_topic(topic, editing.Edit(category_id=category))

    def tag(self, topic: Topic, *tags: str) -> None:
        self._edit_topic(topic, editing.Edit(tags=list(tags)))

    def _edit_topic(self, topic: Topic, edit: editing.Edit) -> None:
        with self.forum.lock:
            editing.edit_topic(self.forum, self.user, topic, edit)

    def delete(self, what: Post | Topic) -> None:
        with self.forum.lock:
            if isinstance(what, Topic):
                moderation.delete_topic(self.forum, self.user, what)
            else:
                moderation.delete_post(self.forum, self.user, what)

    def recover(self, what: Post | Topic) -> None:
        with self.forum.lock:
            if isinstance(what, Topic):
                moderation.recover_topic(self.forum, self.user, what)
            else:
                moderation.recover_post(self.forum, self.user, what)

    def set_state(self, topic: Topic, state: str, on: bool = True, until: datetime | None = None) -> None:
        """closed, archived, visible, pinned or pinned_globally."""
        with self.forum.lock:
            moderation.set_state(self.forum, self.user, topic, state, on, until)

    def close(self, topic: Topic) -> None:
        self.set_state(topic, "closed")

    def reopen(self, topic: Topic) -> None:
        self.set_state(topic, "closed", False)

    def split(self, topic: Topic, posts: list[Post], title: str) -> Topic:
        """Move posts into a new topic."""
        with self.forum.lock:
            return moderation.move_posts(
                self.forum, self.user, topic, posts, title=title, target=None, category=None
            )

    def merge(self, topic: Topic, posts: list[Post], target: Topic) -> Topic:
        """Move posts into another topic."""
        with self.forum.lock:
            return moderation.move_posts(
                self.forum, self.user, topic, posts, title=None, target=target, category=None
            )

    def like(self, post: Post) -> None:
        with self.forum.lock:
            people.like(self.forum, self.user, post)

    def unlike(self, post: Post) -> None:
        with self.forum.lock:
            people.unlike(self.forum, self.user, post)

    def accept(self, post: Post) -> None:
        with self.forum.lock:
            people.accept_answer(self.forum, self.user, post)

    def rename(self, user: User, name: str) -> None:
        with self.forum.lock:
            people.rename(self.forum, self.user, user, name)

    def suspend(self, user: User, till: datetime, reason: str = "") -> None:
        with self.forum.lock:
            people.suspend(self.forum, self.user, user, till, reason)

    def set_trust_level(self, user: User, level: int) -> None:
        with self.forum.lock:
            people.set_trust_level(self.forum, self.user, user, level)

    def destroy(self, user: User) -> None:
        with self.forum.lock:
            people.destroy(self.forum, self.user, user)

    def grant(self, badge: Badge, user: User) -> None:
        with self.forum.lock:
            people.grant(self.forum, self.user, badge, user)

    def revoke(self, badge: Badge, user: User) -> None:
        with self.forum.lock:
            for held in [g for g in self.forum.grants.values() if g.badge_id == badge.id]:
                if held.user_id == user.id:
                    people.revoke(self.forum, self.user, held)

    def add_to(self, group: Group, *users: User) -> None:
        with self.forum.lock:
            people.add_members(self.forum, self.user, group, list(users))

    def remove_from(self, group: Group, *users: User) -> None:
        with self.forum.lock:
            people.remove_members(self.forum, self.user, group, list(users))
