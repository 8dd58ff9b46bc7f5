"""Random histories of a forum, read with random interruptions: the mirror ends where the forum is."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ordito.connectors.records import Contribution, ContributionKind
from tests.connectors.adapter import MemoryMirror, Truth
from tests.connectors.discourse.site import DiscourseSite
from tests.connectors.reading import assert_true
from tests.servers.discourse import DiscourseServer, Forum
from tests.servers.discourse.records import Post, Topic, User

EXAMPLES = int(os.environ.get("ORDITO_EXAMPLES", "8"))
"""Of each history test in each dialect; raise it in the environment for a long search."""

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

    def delete_post(self, n: int) -> None:
        if post := self.reply_at(n):
            self.site.delete_contribution(self.site.moderator(), str(post.id))

    def recover_post(self, n: int) -> None:
        gone = [p for p in self.forum.posts.values() if p.deleted_at is not None and p.post_number > 1]
        gone = [p for p in gone if self.forum.topics[p.topic_id].deleted_at is None]
        if gone:
            self.server.as_user("boss").recover(gone[n % len(gone)])

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

    def rename(self, n: int) -> None:
        self.server.as_user("boss").rename(self.member(n), f"renamed{len(self.forum.staff_log)}x{n}")

    def wait(self, n: int) -> None:
        self.server.clock.advance(timedelta(minutes=n))


DEEDS = [
    "join", "open", "reply", "reply", "reply", "message", "edit", "delete_post", "recover_post",
    "delete_topic", "recover_topic", "close", "unlist", "pin", "tag", "like", "split", "merge", "rename",
    "wait",
]  # fmt: skip
Deed = tuple[str, int]
deeds = st.tuples(st.sampled_from(DEEDS), st.integers(0, 97))


def do(people: People, deed: Deed) -> None:
    act: Callable[[int], None] = getattr(people, deed[0])
    act(deed[1])


def settle(mirror: MemoryMirror) -> None:
    """Read on, twice: what changed behind a sync's back comes with the next one."""
    mirror.sync()
    mirror.sync()


class _Spoken:
    """A forum in one dialect. What newer lists leave out (notes of the forum) is compared in none."""

    def __init__(self, server: DiscourseServer) -> None:
        self.site = DiscourseSite(server)
        self.people = People(server, self.site)
        for _ in range(3):
            self.people.join(0)

    @property
    def name(self) -> str:
        return self.site.name

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


@pytest.fixture(params=["2021", "2023", "2026"])
def dialect(request: pytest.FixtureRequest) -> Iterator[str]:
    yield request.param


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    before=st.lists(deeds, max_size=30),
    during=st.lists(deeds, max_size=12),
    after=st.lists(deeds, max_size=8),
)
def test_whatever_happens_while_it_reads_the_mirror_ends_true(
    dialect: str, before: list[Deed], during: list[Deed], after: list[Deed]
) -> None:
    with DiscourseServer(dialect=dialect) as server:
        spoken = _Spoken(server)
        for deed in before:
            do(spoken.people, deed)
        mirror = MemoryMirror(spoken.site.connect())
        waiting = list(during)
        for batch in mirror.connector.changes(None, mirror):
            mirror.apply(batch)
            if waiting:
                do(spoken.people, waiting.pop(0))
        settle(mirror)
        spoken.compare(mirror)
        for deed in (*waiting, *after):
            do(spoken.people, deed)
        settle(mirror)
        spoken.compare(mirror)
        mirror.connector.close()


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    before=st.lists(deeds, max_size=25),
    cuts=st.lists(st.tuples(st.integers(1, 12), st.lists(deeds, max_size=3)), max_size=5),
)
def test_wherever_it_is_cut_the_mirror_ends_true(
    dialect: str, before: list[Deed], cuts: list[tuple[int, list[Deed]]]
) -> None:
    with DiscourseServer(dialect=dialect) as server:
        spoken = _Spoken(server)
        for deed in before:
            do(spoken.people, deed)
        mirror = MemoryMirror(spoken.site.connect())
        for batches, meanwhile in cuts:
            mirror.sync(batches=batches)
            mirror.connector.close()
            mirror.connector = spoken.site.connect()
            for deed in meanwhile:
                do(spoken.people, deed)
        settle(mirror)
        spoken.compare(mirror)
        mirror.connector.close()
