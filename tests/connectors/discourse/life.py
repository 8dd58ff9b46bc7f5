"""What people do on a forum, at random: the deeds of the property tests, and the truth about such a forum."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from hypothesis import strategies as st

from ordito.connectors.discourse import dialect, read_posts
from ordito.connectors.discourse.connector import DiscourseConnector
from ordito.connectors.records import Contribution, ContributionKind
from tests.connectors.adapter import MemoryMirror, Truth
from tests.connectors.discourse.shortcut import take_shortcut
from tests.connectors.discourse.site import DiscourseSite
from tests.connectors.reading import assert_true
from tests.servers.discourse import DiscourseServer, Forum, views_lists, views_posts
from tests.servers.discourse.moderation import expire_deletions
from tests.servers.discourse.records import Post, PostType, Topic, User

WORDS = "Some words that are long enough to be a post in this forum"


@dataclass
class People:
    """Those who act on a forum; numbers choose among what is there."""

    server: DiscourseServer
    site: DiscourseSite

    @property
    def forum(self) -> Forum:
        return self.server.forum

    def topics(self) -> list[Topic]:
        return [t for t in self.forum.topics.values() if t.deleted_at is None and not t.private]

    def topic(self, n: int) -> Topic | None:
        found = self.topics()
        return found[n % len(found)] if found else None

    def replies(self) -> list[Post]:
        """Undeleted posts of undeleted topics, without first ones and notes of the forum."""
        open_ids = {t.id for t in self.topics()}
        return [
            p for p in self.forum.posts.values()
            if p.topic_id in open_ids and p.deleted_at is None and p.post_number > 1 and p.post_type == 1
        ]  # fmt: skip

    def reply_at(self, n: int) -> Post | None:
        found = self.replies()
        return found[n % len(found)] if found else None

    def member(self, n: int) -> User:
        found = [u for u in self.forum.users.values() if u.id > 3]
        return found[n % len(found)]

    # What they do

    def join(self, n: int) -> None:
        self.site.join(f"member{len(self.forum.users)}")

    def open(self, n: int) -> None:
        title = f"A topic with the number {len(self.forum.topics)}"
        self.site.open(str(self.member(n).id), title, f"{WORDS} {n}")

    def reply(self, n: int) -> None:
        topic = self.topic(n)
        if topic and not topic.closed:
            by = str(self.member(n + 1).id)
            self.site.contribute(by, str(topic.id), f"{WORDS} {len(self.forum.posts)}")

    def message(self, n: int) -> None:
        self.server.as_user(self.member(n)).message("boss", f"A message of number {n}", f"{WORDS} in private")

    def edit(self, n: int) -> None:
        posts = [*self.replies(), *(self.forum.first_post(t) for t in self.topics())]
        if posts:
            post = posts[n % len(posts)]
            self.site.edit(self.site.moderator(), str(post.id), f"{post.raw}, edited")

    def reword(self, n: int) -> None:
        """Within the grace period, by its author: no list shows it, nor what posts newer lists leave out."""
        open_ids = {t.id for t in self.topics()}
        posts = [p for p in self.forum.posts.values()
                 if p.topic_id in open_ids and p.deleted_at is None and not p.user_deleted
                 and p.post_type in (PostType.REGULAR, PostType.MODERATOR)]  # fmt: skip
        if posts:
            post = posts[n % len(posts)]
            post.raw, post.updated_at = f"{post.raw}, reworded", self.server.clock()

    def delete_post(self, n: int) -> None:
        if post := self.reply_at(n):
            self.site.delete_contribution(self.site.moderator(), str(post.id))

    def recover_post(self, n: int) -> None:
        gone = [p for p in self.forum.posts.values() if p.deleted_at is not None and p.post_number > 1]
        gone = [p for p in gone if self.forum.topics[p.topic_id].deleted_at is None]
        if gone:
            self.server.as_user("boss").recover(gone[n % len(gone)])

    def withdraw(self, n: int) -> None:
        """An author takes a post back: its text goes, the post itself a day later."""
        post = self.reply_at(n)
        if post and not post.user_deleted and not self.forum.users[post.user_id].staff:
            self.site.delete_contribution(str(post.user_id), str(post.id))

    def put_back(self, n: int) -> None:
        withdrawn = [p for p in self.replies() if p.user_deleted]
        if withdrawn:
            post = withdrawn[n % len(withdrawn)]
            self.server.as_user(self.forum.users[post.user_id]).recover(post)

    def next_day(self, n: int) -> None:
        self.server.clock.advance(timedelta(hours=25))
        expire_deletions(self.forum)

    def delete_topic(self, n: int) -> None:
        if topic := self.topic(n):
            self.site.delete_thread(self.site.moderator(), str(topic.id))

    def recover_topic(self, n: int) -> None:
        gone = [t for t in self.forum.topics.values() if t.deleted_at is not None]
        if gone:
            self.server.as_user("boss").recover(gone[n % len(gone)])

    def close(self, n: int) -> None:
        if topic := self.topic(n):
            self.server.as_user("boss").set_state(topic, "closed", not topic.closed)

    def unlist(self, n: int) -> None:
        if topic := self.topic(n):
            self.server.as_user("boss").set_state(topic, "visible", not topic.visible)

    def pin(self, n: int) -> None:
        if topic := self.topic(n):
            self.server.as_user("boss").set_state(topic, "pinned", topic.pinned_at is None)

    def tag(self, n: int) -> None:
        if topic := self.topic(n):
            self.site.relabel(self.site.moderator(), str(topic.id), ["honey", "wax"][: n % 3])

    def like(self, n: int) -> None:
        if post := self.reply_at(n):
            by = next(u for u in self.forum.users.values() if u.id > 3 and u.id != post.user_id)
            if by.id not in post.likes:
                self.server.as_user(by).like(post)

    def split(self, n: int) -> None:
        if post := self.reply_at(n):
            title = f"A part of it went here, number {len(self.forum.topics)}"
            self.server.as_user("boss").split(self.forum.topics[post.topic_id], [post], title)

    def merge(self, n: int) -> None:
        post, target = self.reply_at(n), self.topic(n + 1)
        if post and target and post.topic_id != target.id:
            self.server.as_user("boss").merge(self.forum.topics[post.topic_id], [post], target)

    def colour(self, n: int) -> None:
        """A moderator gives a post the colour of staff: from then on newer lists of posts leave it out."""
        if post := self.reply_at(n):
            post.post_type = PostType.MODERATOR

    def rename(self, n: int) -> None:
        self.server.as_user("boss").rename(self.member(n), f"renamed{len(self.forum.staff_log)}x{n}")

    def wait(self, n: int) -> None:
        self.server.clock.advance(timedelta(minutes=n))


DEEDS = [
    "join", "open", "reply", "reply", "reply", "message", "edit", "delete_post", "recover_post", "withdraw",
    "put_back", "next_day", "delete_topic", "recover_topic", "close", "unlist", "pin", "tag", "like", "like",
    "split", "merge", "rename", "wait", "colour", "reword",
]  # fmt: skip
Deed = tuple[str, int]
deeds = st.tuples(st.sampled_from(DEEDS), st.integers(0, 97))

HIDDEN = {"withdraw", "put_back", "next_day", "recover_post", "merge", "colour", "reword"}
"""What no list shows, or not if as much went from the same topic as came."""
plain_deeds = st.tuples(st.sampled_from([deed for deed in DEEDS if deed not in HIDDEN]), st.integers(0, 97))


def do(people: People, deed: Deed) -> None:
    act: Callable[[int], None] = getattr(people, deed[0])
    act(deed[1])


class Lively:
    """A forum in one dialect on which people are busy. What newer lists leave out (notes of the forum) is
    compared in none."""

    def __init__(self, server: DiscourseServer) -> None:
        self.server = server
        self.site = DiscourseSite(server)
        self.people = People(server, self.site)
        for _ in range(3):
            self.people.join(0)
        self.live([("open", 0), ("open", 1), *(("reply", number) for number in range(11))])

    @property
    def name(self) -> str:
        return self.site.name

    def connect(self) -> DiscourseConnector:
        """Every sync of it sweeps."""
        return take_shortcut(self.site.connect(), self.server.app)

    def live(self, deeds: Iterable[Deed]) -> None:
        for deed in deeds:
            do(self.people, deed)

    def groups_of(self, member: str) -> frozenset[str]:
        return self.site.groups_of(member)

    def truth(self) -> Truth:
        truth = self.site.truth()
        spoken = {i: c for i, c in truth.contributions.items() if c.kind != ContributionKind.SMALL}
        return replace(truth, contributions=spoken)

    def compare(self, mirror: MemoryMirror) -> None:
        kept = {
            ref: item
            for ref, item in mirror.items.items()
            if not (isinstance(item, Contribution) and item.kind == ContributionKind.SMALL)
        }
        assert_true(replace(mirror, items=kept), self)  # type: ignore[arg-type]


def make_pages_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a small forum takes many of them: four posts, or ids of posts, and three topics."""
    for module in (views_posts, dialect, read_posts):
        monkeypatch.setattr(module, "WINDOW" if module is views_posts else "IDS", 4)
    monkeypatch.setattr(views_lists, "PER_PAGE", 3)
    monkeypatch.setattr(views_lists, "MOST_PER_PAGE", 3)


@dataclass
class Meanwhile:
    """Deeds that happen while somebody reads: each after so many more requests have come in."""

    lively: Lively
    waiting: list[tuple[int, Deed]]
    _left: int = 0

    def __enter__(self) -> Meanwhile:
        self._left = self.waiting[0][0] if self.waiting else 0
        self.lively.server.app.before_each = self._request
        return self

    def __exit__(self, *error: object) -> None:
        self.lively.server.app.before_each = None

    def _request(self) -> None:
        while self.waiting and self._left == 0:
            do(self.lively.people, self.waiting.pop(0)[1])
            self._left = self.waiting[0][0] if self.waiting else 0
        self._left -= 1
