"""Changes that bump nothing, read from the delivery log of a webhook."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from ordito.connectors.records import Contribution, Member, Thread
from tests.connectors.adapter import MemoryMirror
from tests.connectors.discourse.site import DiscourseSite, connect, mirrored
from tests.servers.discourse import DiscourseServer
from tests.servers.discourse.records import Post, Topic

TEXT = "Has anybody tried this with the smaller frames, and did it hold?"


@pytest.fixture(params=["2021", "2026"])
def server(request: pytest.FixtureRequest) -> Iterator[DiscourseServer]:
    with DiscourseServer(dialect=request.param) as server:
        DiscourseSite(server)
        server.forum.hooks.add(wildcard=True)
        yield server


@pytest.fixture
def topic(server: DiscourseServer) -> Topic:
    """A topic with two answers, under a hundred later ones, so that no list of news shows it."""
    anna = server.as_user(server.forum.new_user("anna", trust_level=2))
    topic = anna.topic("Frames of a smaller size", TEXT)
    for n in range(2):
        anna.reply(topic, f"{TEXT} Answer {n}.")
    for n in range(100):
        server.clock.advance(60)
        anna.topic(f"A later topic, with the number {n}", TEXT)
    return topic


@pytest.fixture
def mirror(server: DiscourseServer, topic: Topic) -> MemoryMirror:
    return mirrored(connect(server, webhook=1))


def post(server: DiscourseServer, topic: Topic) -> Post:
    return list(server.forum.posts_of(topic))[1]


def test_the_first_pass_starts_where_the_log_ends(server: DiscourseServer, mirror: MemoryMirror) -> None:
    before = len(server.requests)
    mirror.sync()
    paths = [entry.path for entry in server.requests[before:]]
    assert paths.count("/admin/api/web_hooks/1/events.json") == 1
    assert len(paths) == 3


CHANGES: dict[str, tuple[Callable[[Any, Any, Any], Any], Callable[[MemoryMirror, str, str], Any], Any]] = {
    "an edit": (
        lambda boss, topic, post: boss.edit(post, f"{TEXT} Edited."),
        lambda mirror, topic, post: mirror.of(Contribution)[post].text,  # type: ignore[union-attr]
        f"{TEXT} Edited.",
    ),
    "a deletion": (
        lambda boss, topic, post: boss.delete(post),
        lambda mirror, topic, post: post in mirror.of(Contribution),
        False,
    ),
    "a closing": (
        lambda boss, topic, post: boss.close(topic),
        lambda mirror, topic, post: mirror.of(Thread)[topic].closed,  # type: ignore[union-attr]
        True,
    ),
    "tags": (
        lambda boss, topic, post: boss.tag(topic, "wax"),
        lambda mirror, topic, post: mirror.of(Thread)[topic].labels,  # type: ignore[union-attr]
        frozenset({"wax"}),
    ),
    "a deleted topic": (
        lambda boss, topic, post: boss.delete(topic),
        lambda mirror, topic, post: topic in mirror.of(Thread),
        False,
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_log_tells_at_once_of(
    server: DiscourseServer, mirror: MemoryMirror, topic: Topic, change: str
) -> None:
    happen, look, expected = CHANGES[change]
    server.forum.tag("wax")
    touched = post(server, topic)
    server.clock.advance(600)
    happen(server.as_user("boss"), topic, touched)
    before = len(server.requests)
    mirror.sync()
    assert look(mirror, str(topic.id), str(touched.id)) == expected
    assert not any(entry.path.startswith("/t/") for entry in server.requests[before:])


def test_the_log_tells_of_members(server: DiscourseServer, mirror: MemoryMirror) -> None:
    anna = server.forum.user("anna")
    assert anna is not None
    for n in range(120):
        server.forum.new_user(f"later{n}")
    mirror.sync()
    server.as_user("boss").suspend(anna, server.clock() + timedelta(days=3))
    mirror.sync()
    held = mirror.of(Member)[str(anna.id)]
    assert isinstance(held, Member) and held.suspended_until == anna.suspended_till


def test_more_events_than_a_page_are_all_read(server: DiscourseServer, mirror: MemoryMirror) -> None:
    boss = server.as_user("boss")
    edited = [p for p in server.forum.posts.values() if p.post_number == 1][:70]
    for n, each in enumerate(edited):
        server.clock.advance(600)
        boss.edit(each, f"{TEXT} Edited as number {n}.")
    before = len(server.requests)
    mirror.sync()
    held = mirror.of(Contribution)
    assert all(held[str(p.id)].text == p.raw for p in edited)  # type: ignore[union-attr]
    assert sum("events" in entry.path for entry in server.requests[before:]) >= 2
    server.clock.advance(60)
    before = len(server.requests)
    mirror.sync()
    assert sum("events" in entry.path for entry in server.requests[before:]) == 1
