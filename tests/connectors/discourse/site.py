"""A connector's view of the stand-in, and what the stand-in's own state says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from ordito.config.durations import Duration
from ordito.config.secret import Secret
from ordito.connectors.base import Family, Platform, World
from ordito.connectors.discourse.connector import DiscourseConnector
from ordito.connectors.discourse.platform import DiscoursePlatform
from ordito.connectors.discourse.settings import DiscourseSettings
from ordito.connectors.records import (
    Contribution,
    ContributionKind,
    Kind,
    Member,
    Ref,
    Thread,
    ThreadKind,
)
from tests.connectors.adapter import MemoryMirror, Truth
from tests.servers.discourse import DiscourseServer
from tests.servers.discourse.records import Badge, Post, Topic, User

SITE = "forum"
US = "ordito"
KINDS = {
    1: ContributionKind.REGULAR,
    2: ContributionKind.MODERATOR,
    3: ContributionKind.SMALL,
    4: ContributionKind.WHISPER,
}


def world(server: DiscourseServer) -> World:
    """The server's time; waiting turns its clock, by whole milliseconds as the forum counts them."""
    clock = server.clock

    def sleep(seconds: float) -> None:
        clock.advance(timedelta(milliseconds=math.ceil(seconds * 1000)))

    return World(
        now=clock,
        monotonic=lambda: clock().timestamp(),
        sleep=sleep,
        contact="https://example.org/ordito",
    )


def settings(server: DiscourseServer, **more: Any) -> DiscourseSettings:
    basis: dict[str, Any] = {
        "connector": "discourse",
        "url": server.url,
        "username": US,
        "api_key": Secret.of(server.key_for(US)),
        "requests_per_minute": 100_000,
    }
    return DiscourseSettings(**{**basis, **more})


def account(server: DiscourseServer) -> User:
    """Our account, an administrator; made on first use."""
    forum = server.forum
    return forum.user(US) or forum.new_user(US, admin=True, trust_level=4)


def connect(server: DiscourseServer, **more: Any) -> DiscourseConnector:
    account(server)
    return DiscourseConnector(SITE, settings(server, **more), world(server))


def mirrored(connector: DiscourseConnector) -> MemoryMirror:
    """Everything, read once."""
    mirror = MemoryMirror(connector)
    mirror.sync()
    return mirror


class DiscourseSite:
    """A small forum for the contract suite. Every sync sweeps, so that it sees every kind of change."""

    name = SITE
    family: Family = "forum"
    group = "experts"
    badge = "Expert"

    def __init__(self, server: DiscourseServer) -> None:
        self.server = server
        self.forum = server.forum
        self.forum.settings.max_admin_api_reqs_per_minute = None
        self.us = account(server)
        self.boss = self.forum.new_user("boss", admin=True, moderator=True, trust_level=4)
        self.forum.new_group(self.group)
        self.category = self.forum.new_category("Bees")
        self.other_space = str(self.forum.new_category("Elsewhere").id)
        number = self.forum.ids["badge"]
        self.forum.badges[number] = Badge(number, self.badge)
        self.platform: Platform = DiscoursePlatform(SITE, settings(server))

    def connect(self) -> DiscourseConnector:
        return connect(self.server, sweep=Duration(0, "minute"))

    def now(self) -> datetime:
        return self.server.clock()

    # The truth

    def truth(self) -> Truth:
        topics = {t.id: t for t in self.forum.topics.values() if t.deleted_at is None and self._ours(t)}
        posts = [p for p in self.forum.posts.values() if p.topic_id in topics and not _gone(p)]
        if self.forum.dialect.posts_regular_only:  # there no list shows small actions
            posts = [p for p in posts if p.post_type != 3]
        return Truth(
            members={str(u.id): member(u) for u in self.forum.users.values()},
            threads={str(t.id): topic_thread(t) for t in topics.values()},
            contributions={str(p.id): contribution(p) for p in posts},
        )

    def _ours(self, topic: Topic) -> bool:
        return not topic.private

    # People

    def _as(self, number: str) -> Any:
        return self.server.as_user(self.forum.users[int(number)])

    def _topic(self, thread: str) -> Topic:
        return self.forum.topics[int(thread)]

    def join(self, username: str) -> str:
        self.server.clock.advance(60)
        return str(self.forum.new_user(username, trust_level=2).id)

    def moderator(self) -> str:
        return str(self.boss.id)

    def open(self, author: str, title: str, text: str, labels: Sequence[str] = ()) -> str:
        self.server.clock.advance(60)
        made = self._as(author).topic(title, text, category=self.category)
        if labels:
            self.relabel(self.moderator(), str(made.id), labels)
        return str(made.id)

    def contribute(self, author: str, thread: str, text: str) -> str:
        self.server.clock.advance(60)
        return str(self._as(author).reply(self._topic(thread), text).id)

    def rewrite(self, by: str, thread: str, text: str) -> None:
        self.server.clock.advance(60)
        self._as(by).edit(self.forum.first_post(self._topic(thread)), text)

    def relabel(self, by: str, thread: str, labels: Sequence[str]) -> None:
        for label in labels:
            self.forum.tag(label)
        self._as(by).tag(self._topic(thread), *labels)

    def edit(self, by: str, contribution: str, text: str) -> None:
        self.server.clock.advance(60)
        self._as(by).edit(self.forum.posts[int(contribution)], text)

    def close(self, by: str, thread: str, closed: bool = True) -> None:
        self._as(by).set_state(self._topic(thread), "closed", closed)

    def archive(self, by: str, thread: str, archived: bool = True) -> None:
        self._as(by).set_state(self._topic(thread), "archived", archived)

    def retitle(self, by: str, thread: str, title: str) -> None:
        self._as(by).retitle(self._topic(thread), title)

    def like(self, by: str, contribution: str) -> None:
        self._as(by).like(self.forum.posts[int(contribution)])

    def delete_contribution(self, by: str, contribution: str) -> None:
        self._as(by).delete(self.forum.posts[int(contribution)])

    def delete_thread(self, by: str, thread: str) -> None:
        self._as(by).delete(self._topic(thread))

    def suspend(self, by: str, member: str) -> None:
        self._as(by).suspend(self.forum.users[int(member)], self.now() + timedelta(days=30))

    def put_into_group(self, by: str, member: str, group: str) -> None:
        found = self.forum.group(group)
        assert found is not None
        self._as(by).add_to(found, self.forum.users[int(member)])

    def take_from_group(self, by: str, member: str, group: str) -> None:
        found = self.forum.group(group)
        assert found is not None
        self._as(by).remove_from(found, self.forum.users[int(member)])

    def refuse_messages(self, member: str) -> None:
        self.forum.users[int(member)].allow_private_messages = False

    def object(self, by: str) -> Ref:
        stop = self._as(self.moderator()).topic("Answer here to stop it", "Any reply in here halts Ordito.")
        self._as(by).reply(stop, "Please stop, this is wrong in many ways.")
        return Ref(SITE, Kind.THREAD, str(stop.id))

    # What the suite looks at

    def first_text(self, thread: str) -> str:
        return self.forum.first_post(self._topic(thread)).raw

    def received(self, member: str) -> list[str]:
        sent = [t for t in self.forum.topics.values() if t.private and t.user_id == self.us.id]
        topics = [t for t in sent if t.deleted_at is None and int(member) in t.allowed_users]
        return [text for topic in topics for text in self.texts(str(topic.id))]

    def texts(self, thread: str) -> list[str]:
        posts = self.forum.posts_of(self._topic(thread))
        return [post.raw for post in posts if not _gone(post) and post.post_type != 3]

    def groups_of(self, member: str) -> frozenset[str]:
        groups = self.forum.groups_of(self.forum.users[int(member)])
        return frozenset(group.name for group in groups if not group.automatic)

    def badges_of(self, member: str) -> frozenset[str]:
        grants = (g for g in self.forum.grants.values() if g.user_id == int(member))
        return frozenset(self.forum.badges[g.badge_id].name for g in grants)

    def state(self, thread: str) -> Thread:
        return topic_thread(self._topic(thread))

    def demote(self) -> None:
        self.us.admin = self.us.moderator = False
        self.us.trust_level = 1
        self.forum.assign_automatic_groups(self.us)

    def stop_writes(self) -> None:
        self.forum.settings.read_only = True


def _gone(post: Post) -> bool:
    return post.deleted_at is not None or post.user_deleted


def member(user: User) -> Member:
    return Member(
        site=SITE,
        id=str(user.id),
        username=user.username,
        name=user.name or "",
        joined_at=user.created_at,
        last_seen_at=user.last_seen_at,
        trust_level=user.trust_level,
        admin=user.admin,
        moderator=user.moderator,
        bot=user.id < 0,
        staged=user.staged,
        suspended_until=user.suspended_till,
        silenced_until=user.silenced_till,
        title=user.title or "",
    )


def topic_thread(topic: Topic) -> Thread:
    return Thread(
        site=SITE,
        id=str(topic.id),
        kind=ThreadKind.MESSAGE if topic.private else ThreadKind.TOPIC,
        space=None if topic.category_id is None else str(topic.category_id),
        title=topic.title,
        author=str(topic.user_id),
        created_at=topic.created_at,
        last_activity_at=topic.last_posted_at or topic.created_at,
        closed=topic.closed,
        archived=topic.archived,
        visible=topic.visible,
        pinned=topic.pinned_at is not None,
        labels=frozenset(topic.tags),
        views=topic.views,
        likes=topic.like_count,
    )


def contribution(post: Post) -> Contribution:
    return Contribution(
        site=SITE,
        id=str(post.id),
        thread=str(post.topic_id),
        author=str(post.user_id),
        created_at=post.created_at,
        updated_at=post.updated_at,
        position=post.post_number,
        parent_position=post.reply_to,
        likes=post.like_count,
        size=len(post.raw.encode()),
        text=post.raw,
        kind=KINDS[int(post.post_type)],
    )
