"""How forums are set up, and what becomes of our account there while it is mirrored."""

from __future__ import annotations

from datetime import timedelta

from ordito.connectors.records import Contribution, Member, Thread
from tests.connectors.discourse.scenes import TEXT, anna, asked, topics
from tests.connectors.discourse.site import account, connect, mirrored
from tests.servers.discourse import DiscourseServer


def test_long_topics_are_read_where_printing_is_switched_off(server: DiscourseServer) -> None:
    long, other = topics(server, 2, replies=30)
    mirror = mirrored(connect(server))
    server.forum.settings.max_prints_per_hour_per_user = 0
    for topic in (long, other):
        server.as_user("boss").delete(list(server.forum.posts_of(topic))[5])
    server.clock.advance(timedelta(days=2))
    requests = asked(server, mirror)
    assert {str(long.id), str(other.id)} <= set(mirror.of(Thread))
    assert len(mirror.of(Contribution)) == 60
    assert sum("print=true" in r for r in requests) == 1  # once is enough to know


def test_an_account_that_is_moderator_no_more_goes_on_as_a_member(server: DiscourseServer) -> None:
    us = account(server)
    us.admin, us.moderator = False, True
    topic = topics(server, 1)[0]
    mirror = mirrored(connect(server))
    assert len(mirror.of(Member)) == len(server.forum.users)
    us.moderator = False
    server.clock.advance(60)
    post = anna(server).reply(topic, f"{TEXT} Another one.")
    mirror.connector = connect(server)
    mirror.sync()
    mirror.sync()
    assert str(post.id) in mirror.of(Contribution)
    assert len(mirror.of(Member)) == len(server.forum.users)
