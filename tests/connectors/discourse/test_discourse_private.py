"""Private messages of a forum, read with `messages: true`: all of them, and at what price."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from ordito.config.durations import Duration
from ordito.connectors.records import Contribution
from tests.connectors.adapter import MemoryMirror
from tests.connectors.discourse.explored import RUN, SELDOM, explored
from tests.connectors.discourse.scenes import TEXT, anna, asked, topics
from tests.connectors.discourse.site import connect, mirrored
from tests.servers.discourse import DiscourseServer
from tests.servers.discourse.records import Topic

LIST = "/private-posts.json"
DAILY = Duration(1, "day")


def talk(server: DiscourseServer) -> Topic:
    anna(server)
    return server.as_user("boss").message("anna", "Something between us", TEXT)


def more(server: DiscourseServer, topic: Topic, count: int) -> None:
    for number in range(count):
        server.clock.advance(1)
        server.as_user("boss").reply(topic, f"{TEXT} And again, for the time {number}.")


def private(server: DiscourseServer) -> set[str]:
    forum = server.forum
    there = (p for p in forum.posts.values() if p.deleted_at is None and forum.topics[p.topic_id].private)
    return {str(post.id) for post in there}


def missing(server: DiscourseServer, mirror: MemoryMirror) -> set[str]:
    return private(server) - mirror.of(Contribution).keys()


def of_the_list(paths: list[str]) -> list[str]:
    return [path for path in paths if path.startswith(LIST)]


def test_a_forum_without_any_costs_one_request_more(server: DiscourseServer) -> None:
    topics(server, 30, replies=9)
    forum = MemoryMirror(connect(server, messages=True, sweep=DAILY))
    assert len(of_the_list(asked(server, forum))) <= 3 + len(server.forum.posts) / 50
    assert len(asked(server, forum)) == 4
    topics(server, 1)
    paths = asked(server, forum)
    assert len(of_the_list(paths)) == 1, paths
    server.clock.advance(86400)
    without = mirrored(connect(server, sweep=DAILY))
    server.clock.advance(86400)
    others = len(asked(server, without))
    assert len(asked(server, forum)) - others <= (4 if _by_ids(server) else 2) + _windows(server)


def _by_ids(server: DiscourseServer) -> bool:
    return server.forum.dialect.posts_window == "ids"


def _windows(server: DiscourseServer) -> int:
    """Pages of fifty ids that there are, in the dialect that pages so."""
    return max(server.forum.posts) // 50 + 1 if _by_ids(server) else 0


def test_messages_of_long_ago_do_not_make_each_sync_dearer(server: DiscourseServer) -> None:
    old = talk(server)
    topics(server, 30, replies=9)
    mirror = mirrored(connect(server, messages=True))
    assert len(asked(server, mirror)) == 4
    topics(server, 2, replies=3)
    assert len(of_the_list(asked(server, mirror))) == 1
    more(server, old, 3)
    assert len(asked(server, mirror)) == 4
    assert not missing(server, mirror)


def test_a_message_below_many_new_posts_is_not_passed_over(server: DiscourseServer) -> None:
    old = talk(server)
    topics(server, 3, replies=30)
    mirror = mirrored(connect(server, messages=True))
    more(server, old, 1)
    topics(server, 3, replies=60)
    more(server, old, 1)
    topics(server, 3, replies=60)
    assert len(missing(server, mirror)) == 2
    paths = of_the_list(asked(server, mirror))
    assert not missing(server, mirror)
    assert len(paths) <= (9 if _by_ids(server) else 1)


def test_more_messages_than_a_page_shows_come_at_once(server: DiscourseServer) -> None:
    old = talk(server)
    topics(server, 3)
    mirror = mirrored(connect(server, messages=True))
    more(server, old, 170)
    paths = of_the_list(asked(server, mirror))
    assert not missing(server, mirror)
    assert len(paths) <= 5


def test_whatever_is_written_where_every_message_is_seen(server: DiscourseServer) -> None:
    """Never a message more than a sync later, nor a page that no message may be on."""
    dice = random.Random(7)
    old = talk(server)
    topics(server, 3, replies=20)
    mirror = mirrored(connect(server, messages=True, sweep=DAILY))
    for _ in range(25):
        before = max(server.forum.posts)
        for _ in range(dice.choice((1, 1, 2, 4))):
            if dice.random() < 0.4:
                more(server, old, dice.choice((1, 1, 3, 55)))
            else:
                topics(server, 1, replies=dice.choice((0, 2, 60)))
        new = max(server.forum.posts) - before
        paths = of_the_list(asked(server, mirror))
        assert not missing(server, mirror)
        assert len(paths) <= new / 49 + 2, (new, paths)


@pytest.fixture(params=["2021", "2026"])
def with_query(request: pytest.FixtureRequest) -> Iterator[DiscourseServer]:
    with explored(request.param) as server:
        yield server


def test_beside_a_query_of_data_explorer_it_is_the_same(with_query: DiscourseServer) -> None:
    server = with_query
    old = talk(server)
    topics(server, 3, replies=60)
    mirror = mirrored(connect(server, messages=True, data_explorer=7, sweep=SELDOM))
    assert not missing(server, mirror)
    server.clock.advance(600)
    paths = asked(server, mirror)
    assert paths[0] == RUN and len(of_the_list(paths)) == 1
    for _ in range(4):
        topics(server, 1, replies=70)
        more(server, old, 1)
        topics(server, 1, replies=70)
        server.clock.advance(600)
        asked(server, mirror)
        assert not missing(server, mirror)
    server.clock.advance(600)
    assert len(of_the_list(asked(server, mirror))) == 1
