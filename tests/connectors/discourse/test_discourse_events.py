"""Changes that bump nothing, read from the delivery log of a webhook."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from ordito.config.durations import Duration
from ordito.config.errors import Misconfigured
from ordito.connectors.discourse import event_log, events
from ordito.connectors.records import Member
from tests.connectors.adapter import MemoryMirror
from tests.connectors.discourse.scenes import TEXT, anna, asked
from tests.connectors.discourse.silent import CHANGES, answer, buried, held_post
from tests.connectors.discourse.site import DiscourseSite, connect, mirrored
from tests.servers.discourse import DiscourseServer
from tests.servers.discourse.records import Post, Topic

LOG = "/admin/api/web_hooks/1/events.json"


@pytest.fixture(params=["2021", "2026"])
def server(request: pytest.FixtureRequest) -> Iterator[DiscourseServer]:
    with DiscourseServer(dialect=request.param) as server:
        DiscourseSite(server)
        server.forum.hooks.add(wildcard=True)
        yield server


@pytest.fixture
def topic(server: DiscourseServer) -> Topic:
    return buried(server, under=100)


@pytest.fixture
def mirror(server: DiscourseServer, topic: Topic) -> MemoryMirror:
    return mirrored(connect(server, webhook=1))


def test_the_first_pass_starts_where_the_log_ends(server: DiscourseServer, mirror: MemoryMirror) -> None:
    before = len(server.requests)
    mirror.sync()
    paths = [entry.path for entry in server.requests[before:]]
    assert paths.count("/admin/api/web_hooks/1/events.json") == 1
    assert len(paths) == 3


@pytest.mark.parametrize("change", CHANGES)
def test_the_log_tells_at_once_of(
    server: DiscourseServer, mirror: MemoryMirror, topic: Topic, change: str
) -> None:
    touched = answer(server, topic)
    server.forum.tag("wax")
    server.clock.advance(600)
    CHANGES[change].happens(server.as_user("boss"), topic, touched)
    requests = asked(server, mirror)
    assert CHANGES[change].shows(mirror, topic, touched)
    assert not any(request.startswith("/t/") for request in requests)


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


# After a long pause


def edit_firsts(server: DiscourseServer, count: int) -> list[Post]:
    """So many posts are edited; those of above fifty are not among the newest that a list shows."""
    found = [p for p in server.forum.posts.values() if p.post_number == 1][:count]
    for number, post in enumerate(found):
        server.clock.advance(600)
        server.as_user("boss").edit(post, f"{TEXT} Edited as number {number}.")
    return found


def are_held(mirror: MemoryMirror, posts: list[Post]) -> bool:
    return all(held_post(mirror, post).text == post.raw for post in posts)


@pytest.mark.parametrize(("count", "pages"), [(40, 1), (70, 2), (101, 3)])
def test_each_page_of_the_log_is_read_once(
    server: DiscourseServer, mirror: MemoryMirror, count: int, pages: int
) -> None:
    edited = edit_firsts(server, count)
    assert sum(request.startswith(LOG) for request in asked(server, mirror)) == pages
    assert are_held(mirror, edited)
    server.clock.advance(60)
    assert sum(request.startswith(LOG) for request in asked(server, mirror)) == 1


def test_a_reading_of_the_log_that_was_cut_goes_on_behind_the_last_step(
    server: DiscourseServer, mirror: MemoryMirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "_STEP", 1)
    edited = edit_firsts(server, 101) + edit_firsts(server, 101)
    began = len(server.requests)
    for batch in mirror.connector.changes(mirror.cursor, mirror):
        mirror.apply(batch)
        if are_held(mirror, edited[50:60]) or server.count(path="topic_ids", since=began) > 2:
            break
    before = (mirror.cursor or {})["event"]
    server.forum.hooks.events[:] = [e for e in server.forum.hooks.events if e.id > before - 10]
    mirror.connector = connect(server, webhook=1)
    asked(server, mirror)
    assert are_held(mirror, edited)
    assert (mirror.cursor or {})["event"] == server.forum.hooks.events[-1].id


def test_events_that_come_while_the_log_is_read_push_none_out(
    server: DiscourseServer, mirror: MemoryMirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "_STEP", 1)
    edited = edit_firsts(server, 101) + edit_firsts(server, 101)
    late = anna(server).topic("A topic that is edited again and again", TEXT)

    def again() -> None:
        for _ in range(5):
            server.clock.advance(1)
            server.as_user("boss").edit(server.forum.first_post(late), f"{TEXT} {server.clock()}")

    server.app.before_each = again
    mirror.sync()
    server.app.before_each = None
    assert are_held(mirror, edited)
    mirror.sync()
    assert are_held(mirror, [server.forum.first_post(late)])


def test_each_closing_and_opening_of_a_long_log_is_told_with_its_time(
    server: DiscourseServer, mirror: MemoryMirror, topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    if server.forum.dialect.name == "2021":
        pytest.skip("there the list of posts has the forum's own notes")
    monkeypatch.setattr(events, "_STEP", 1)
    times = []
    for closed in (True, False, True):
        times.append(server.clock.advance(600))
        server.as_user("boss").set_state(topic, "closed", closed)
        edit_firsts(server, 60)
    mirror.sync()
    told = [c for c in mirror.changes if c.field == "closed"]
    assert [c.value for c in told] == [True, False, True]
    assert all(abs(c.at - time) < timedelta(seconds=1) for c, time in zip(told, times, strict=True))


@pytest.mark.parametrize("retention", [30, 7])
def test_a_pause_longer_than_the_log_goes_back_is_noticed_and_closed(
    server: DiscourseServer, topic: Topic, retention: int
) -> None:
    """By reading all posts again with a sweep, though none would be due for long."""
    server.forum.settings.retain_web_hook_events_days = retention
    mirror = mirrored(connect(server, webhook=1, sweep=Duration(300, "day")))
    server.clock.advance(3600)
    edited = answer(server, topic)
    server.as_user("boss").edit(edited, f"{TEXT} Edited and forgotten.")
    server.clock.advance(timedelta(days=retention + 1))
    server.as_user("boss").edit(answer(server, topic, 1), f"{TEXT} Edited and known.")
    assert any(request.startswith("/admin/users/list") for request in asked(server, mirror))
    assert are_held(mirror, [edited, answer(server, topic, 1)])
    server.clock.advance(3600)
    assert len(asked(server, mirror)) == 3


def test_a_log_that_gives_the_same_events_at_every_place_is_not_read_for_ever(
    server: DiscourseServer, mirror: MemoryMirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As behind a cache that leaves the query of an address out of account."""
    same = [{"id": number} for number in range(10_050, 10_000, -1)]
    monkeypatch.setattr(event_log, "page", lambda *_: same)
    with pytest.raises(Misconfigured, match="same events"):
        mirror.sync()


def test_a_log_that_is_empty_because_nothing_happened_is_no_gap(
    server: DiscourseServer, mirror: MemoryMirror
) -> None:
    mirror.connector = connect(server, webhook=1, sweep=Duration(300, "day"))
    edit_firsts(server, 1)
    mirror.sync()
    for _ in range(32):
        server.clock.advance(timedelta(days=1))
        assert len(asked(server, mirror)) == 3


def test_members_that_a_long_log_names_come_with_the_sweep(
    server: DiscourseServer, mirror: MemoryMirror
) -> None:
    for number in range(30):
        server.as_user("boss").suspend(
            server.forum.new_user(f"later{number}"), server.clock() + timedelta(days=90)
        )
    server.clock.advance(timedelta(days=2))
    requests = asked(server, mirror)
    assert not any(request.startswith("/admin/users/") and "list" not in request for request in requests)
    assert sum(m.suspended_until is not None for m in mirror.of(Member).values()) == 30  # type: ignore[union-attr]
