"""Private messages of a forum, read with `messages: true`: all of them, and at what price."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest

from ordito.config.durations import Duration
from ordito.config.errors import ConnectorError
from ordito.connectors.base import Connector
from ordito.connectors.discourse import explorer
from ordito.connectors.records import Contribution
from tests.connectors.adapter import MemoryMirror
from tests.connectors.discourse.explored import RUN, SELDOM, explored
from tests.connectors.discourse.scenes import TEXT, anna, asked, topics
from tests.connectors.discourse.site import connect
from tests.servers.discourse import DiscourseServer
from tests.servers.discourse.records import Topic

EXAMPLES = int(os.environ.get("ORDITO_EXAMPLES", "4"))
"""Random histories; raise it in the environment for a long search."""

DIALECTS = ["2021", "2022", "2023", "2026"]
"""In the order in which a forum is upgraded."""

LIST = "/private-posts.json"
DAILY = Duration(1, "day")


class Mirror(MemoryMirror):
    """None of the messages is ours, so that only the list tells of them."""

    def conversations(self) -> list[str]:
        return []


def mirrored(connector: Connector) -> Mirror:
    mirror = Mirror(connector)
    mirror.sync()
    return mirror


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
    forum = Mirror(connect(server, messages=True, sweep=DAILY))
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


def test_no_page_is_asked_for_that_no_new_message_may_be_on(server: DiscourseServer) -> None:
    dice = random.Random(7)
    old = talk(server)
    topics(server, 3, replies=20)
    mirror = mirrored(connect(server, messages=True, sweep=DAILY))
    for _ in range(25):
        before = max(server.forum.posts)
        for _ in range(dice.choice((1, 1, 2, 4))):
            something(server, old, dice)
        new = max(server.forum.posts) - before
        paths = of_the_list(asked(server, mirror))
        assert not missing(server, mirror)
        assert len(paths) <= new / 49 + 2, (new, paths)


def something(server: DiscourseServer, old: Topic, dice: random.Random) -> None:
    if dice.random() < 0.4:
        more(server, old, dice.choice((1, 1, 3, 55)))
    else:
        topics(server, 1, replies=dice.choice((0, 2, 60)))


@pytest.mark.parametrize("seed", range(EXAMPLES))
def test_whatever_is_written_and_wherever_a_sync_is_stopped_every_message_is_seen(seed: int) -> None:
    """On a forum that is upgraded half way, or is not, with a query of Data Explorer or without."""
    dice = random.Random(seed)
    first = dice.choice(DIALECTS)
    later = dice.choice(DIALECTS[DIALECTS.index(first) :])
    with explored(first) as server, DiscourseServer(dialect=later) as upgraded:
        old = talk(server)
        topics(server, dice.choice((1, 3)), replies=dice.choice((0, 20, 40)))
        query = {"data_explorer": 7} if dice.random() < 0.3 else {}
        mirror = Mirror(connect(server, messages=True, sweep=DAILY, **query))
        for step in range(10):
            if step == 5:
                server.forum.dialect = upgraded.forum.dialect
            for _ in range(dice.choice((0, 1, 2, 4))):
                something(server, old, dice)
            server.clock.advance(dice.choice((600, 3600, 86400)))
            while dice.random() < 0.4:
                mirror.sync(dice.choice((1, 2, 3, 5, 8, 13)))
                something(server, old, dice)
            server.clock.advance(600)
            mirror.sync()
            assert not missing(server, mirror)


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


@pytest.mark.parametrize("topics_first", [1, 3])
def test_a_first_sync_that_was_stopped_before_the_messages_reads_them_as_it_goes_on(
    server: DiscourseServer, topics_first: int
) -> None:
    old = talk(server)
    more(server, old, 5)
    topics(server, topics_first, replies=30)
    more(server, old, 55)
    mirror = Mirror(connect(server, messages=True, sweep=DAILY))
    server.faults.bad_gateway(LIST, times=100)
    with pytest.raises(ConnectorError):
        mirror.sync()
    server.faults.clear()
    mirror.sync()
    assert not missing(server, mirror)


def test_a_forum_that_had_no_public_post_when_it_was_first_read(server: DiscourseServer) -> None:
    mirror = mirrored(connect(server, messages=True, sweep=DAILY))
    topics(server, 2, replies=5)
    mirror.sync()
    more(server, talk(server), 3)
    topics(server, 3, replies=30)
    mirror.sync()
    assert not missing(server, mirror)
    assert len(of_the_list(asked(server, mirror))) == 1


def test_messages_that_fill_the_newest_ids_are_seen(server: DiscourseServer) -> None:
    old = talk(server)
    topics(server, 2, replies=20)
    mirror = mirrored(connect(server, messages=True, sweep=DAILY))
    topics(server, 1, replies=60)
    more(server, old, 55)
    mirror.sync()
    assert not missing(server, mirror)
    mirror.sync()
    assert len(mirror.of(Contribution)) == len(server.forum.posts)


def test_a_sweep_sees_an_edited_message_though_much_is_written_meanwhile(server: DiscourseServer) -> None:
    old = talk(server)
    topics(server, 2, replies=5)
    more(server, old, 20)
    mirror = mirrored(connect(server, messages=True, sweep=DAILY))
    mirror.sync()
    server.clock.advance(86400)
    edited = [p for p in server.forum.posts.values() if p.topic_id == old.id][10]
    written = len(server.forum.posts)
    for batch in mirror._batches():
        mirror.apply(batch)
        if (mirror.cursor or {}).get("phase") == "topics" and len(server.forum.posts) == written:
            server.as_user("boss").edit(edited, "An edited message, which is read again by a sweep only.")
            topics(server, 1, replies=60)
    assert len(server.forum.posts) > written
    held = mirror.of(Contribution)[str(edited.id)]
    assert isinstance(held, Contribution) and held.text == edited.raw


def test_a_query_that_was_stopped_between_two_pages_still_tells_how_far_to_go(
    with_query: DiscourseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = with_query
    old = talk(server)
    topics(server, 2, replies=5)
    mirror = mirrored(connect(server, messages=True, data_explorer=7, sweep=SELDOM))
    server.clock.advance(600)
    mirror.sync()
    topics(server, 1, replies=70)
    more(server, old, 1)
    topics(server, 1, replies=70)
    server.clock.advance(900)
    for number in range(60):
        server.forum.new_user(f"somebody{number}", trust_level=1)
    server.clock.advance(600)
    monkeypatch.setattr(explorer, "ROWS", 50)
    for batch in mirror._batches():
        mirror.apply(batch)
        if (mirror.cursor or {})["explored"].get("after") == "member":
            break
    else:
        pytest.fail("it came to its end")
    mirror.sync()
    assert not missing(server, mirror)


def test_many_messages_beside_a_query_come_at_once(with_query: DiscourseServer) -> None:
    server = with_query
    old = talk(server)
    topics(server, 3, replies=20)
    mirror = mirrored(connect(server, messages=True, data_explorer=7, sweep=SELDOM))
    server.clock.advance(600)
    more(server, old, 155)
    mirror.sync()
    assert not missing(server, mirror)
