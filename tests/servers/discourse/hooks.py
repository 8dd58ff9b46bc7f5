"""Web hooks: the log of deliveries, which is how a sync without inbound port learns of every change.

Nothing is sent anywhere: a row is written, as Discourse writes it before it tries, and carries the status of
a receiver that could not be reached (-1) unless the hook says otherwise.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from .show_groups import basic_group
from .show_people import basic_user
from .show_posts import hook_post
from .show_profile import hook_user
from .show_topics import hook_topic
from .text import iso

if TYPE_CHECKING:
    from .forum import Forum
    from .records import Grant, Group, Post, Topic, User

EVENT_TYPES = {
    1: "topic",
    2: "post",
    3: "user",
    4: "group",
    5: "category",
    6: "tag",
    9: "reviewable",
    10: "notification",
    11: "solved",
    13: "user_badge",
    14: "group_user",
    15: "like",
}


@dataclass(slots=True)
class Hook:
    id: int
    payload_url: str
    created_at: datetime
    secret: str = ""
    content_type: int = 1
    wildcard: bool = False
    types: frozenset[str] = frozenset({"post"})
    active: bool = True
    status: int = -1  # of every delivery
    category_ids: frozenset[int] = frozenset()
    tags: frozenset[str] = frozenset()


@dataclass(slots=True)
class Event:
    id: int
    hook_id: int
    created_at: datetime
    name: str
    request_url: str
    headers: dict[str, str]
    payload: str
    status: int
    response_headers: str | None = None
    response_body: str | None = None
    duration: int = 0


@dataclass(slots=True)
class Hooks:
    """All hooks of a forum and what they sent. Without a hook nothing is serialised."""

    forum: Forum
    hooks: dict[int, Hook] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)  # oldest first
    _ids: dict[str, int] = field(default_factory=lambda: {"hook": 0, "event": 0})

    def add(self, payload_url: str = "https://hooks.example.com/discourse", **more: Any) -> Hook:
        """A new hook; `types` names what it wants (see EVENT_TYPES), `wildcard=True` is everything."""
        self._ids["hook"] += 1
        hook = Hook(self._ids["hook"], payload_url, self.forum.clock(), **more)
        self.hooks[hook.id] = hook
        return hook

    def log_of(self, hook: Hook) -> list[Event]:
        """Newest first, as far back as they are kept."""
        days = self.forum.settings.retain_web_hook_events_days
        oldest = self.forum.clock() - timedelta(days=days)
        return [e for e in reversed(self.events) if e.hook_id == hook.id and e.created_at > oldest]

    # --- what happened

    def topic(self, name: str, topic: Topic) -> None:
        if hooks := self._wanting("topic", topic):
            self._emit(hooks, "topic", name, hook_topic(self.forum, topic))

    def post(self, name: str, post: Post) -> None:
        if hooks := self._wanting("post", self.forum.topics[post.topic_id]):
            self._emit(hooks, "post", name, hook_post(self.forum, post))

    def solved(self, name: str, post: Post) -> None:
        if hooks := self._wanting("solved", self.forum.topics[post.topic_id]):
            self._emit(hooks, "solved", name, hook_post(self.forum, post))

    def like(self, post: Post, by: User) -> None:
        if hooks := self._wanting("like", self.forum.topics[post.topic_id]):
            payload = {"post": hook_post(self.forum, post), "user": basic_user(by)}
            self._emit(hooks, "like", "like_created", payload)

    def user(self, name: str, user: User) -> None:
        self.forum.users_changed[user.id] = self.forum.clock.tick()
        if hooks := self._wanting("user"):
            self._emit(hooks, "user", name, hook_user(self.forum, user))

    def group(self, name: str, group: Group) -> None:
        if hooks := self._wanting("group"):
            self._emit(hooks, "group", name, basic_group(self.forum, group, None))

    def membership(self, name: str, group: Group, user: User) -> None:
        if hooks := self._wanting("group_user"):
            since = iso(group.members.get(user.id, self.forum.clock()))
            payload = {
                "id": group.id * 100_000 + user.id,
                "group_id": group.id,
                "user_id": user.id,
                "owner": user.id in group.owners,
                "notification_level": 3,
                "created_at": since,
                "updated_at": since,
            }
            self._emit(hooks, "group_user", name, payload)

    def badge(self, name: str, held: Grant) -> None:
        if hooks := self._wanting("user_badge"):
            payload = {
                "id": held.id,
                "granted_at": iso(held.granted_at),
                "badge_id": held.badge_id,
                "user_id": held.user_id,
                "granted_by_id": held.granted_by,
            }
            self._emit(hooks, "user_badge", name, payload)

    def reviewable(self, post: Post, flag: str) -> None:
        if hooks := self._wanting("reviewable"):
            payload = {
                "type": "ReviewableFlaggedPost",
                "topic_id": post.topic_id,
                "post_id": post.id,
                "flag": flag,
            }
            self._emit(hooks, "reviewable", "reviewable_created", payload)

    # --- writing

    def _wanting(self, kind: str, topic: Topic | None = None) -> list[Hook]:
        found = []
        for hook in self.hooks.values():
            if not hook.active or not (hook.wildcard or kind in hook.types):
                continue
            if topic is not None and hook.category_ids and topic.category_id not in hook.category_ids:
                continue
            if topic is not None and hook.tags and not hook.tags & set(topic.tags):
                continue
            found.append(hook)
        return found

    def _emit(self, hooks: list[Hook], kind: str, name: str, payload: dict[str, Any]) -> None:
        body = json.dumps({kind: payload}, ensure_ascii=False)
        for hook in hooks:
            self._ids["event"] += 1
            number = self._ids["event"]
            headers = {
                "Accept": "*/*",
                "Content-Length": str(len(body.encode())),
                "Content-Type": "application/json"
                if hook.content_type == 1
                else "application/x-www-form-urlencoded",
                "User-Agent": f"Discourse/{self.forum.dialect.version}",
                "X-Discourse-Instance": "http://localhost",
                "X-Discourse-Event-Id": str(number),
                "X-Discourse-Event-Type": kind,
                "X-Discourse-Event": name,
            }
            if hook.secret:
                digest = hmac.new(hook.secret.encode(), body.encode(), hashlib.sha256).hexdigest()
                headers["X-Discourse-Event-Signature"] = f"sha256={digest}"
            now = self.forum.clock()
            self.events.append(
                Event(number, hook.id, now, name, hook.payload_url, headers, body, hook.status)
            )
