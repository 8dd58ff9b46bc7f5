"""What readers of a forum are known to lose: a topic bumped by an edit, what happened while nobody read."""

from __future__ import annotations

from datetime import timedelta

from ordito.connectors.records import Contribution
from tests.connectors.adapter import MemoryMirror
from tests.connectors.discourse.life import Lively
from tests.connectors.discourse.scenes import TEXT, anna, asked
from tests.connectors.discourse.silent import answer, buried, held_post, held_thread
from tests.connectors.discourse.site import connect, mirrored
from tests.servers.discourse import DiscourseServer
from tests.servers.discourse.text import iso


def test_a_topic_bumped_by_an_edit_is_read_with_the_edit_and_what_is_new_in_it(
    server: DiscourseServer,
) -> None:
    """Its newest post is older than what the list of posts shows; only `bumped_at` tells."""
    topic, boss = buried(server, under=60), server.as_user("boss")
    edited = answer(server, topic, 1)
    mirror = mirrored(connect(server))
    server.clock.advance(3600)
    boss.edit(edited, f"{TEXT} This is what has become of it after a while.")
    assert topic.bumped_at == server.clock()
    requests = asked(server, mirror)
    assert held_post(mirror, edited).text == edited.raw
    assert str(iso(topic.bumped_at)) in str(held_thread(mirror, topic).stamp)
    assert len(requests) == 4, requests  # posts, topics, members, and this topic
    assert len(asked(server, mirror)) == 3


def test_a_new_reply_that_was_edited_before_it_was_read_comes_as_it_stands(server: DiscourseServer) -> None:
    topic, boss = buried(server, under=60), server.as_user("boss")
    mirror = mirrored(connect(server))
    server.clock.advance(3600)
    said = [anna(server).reply(topic, f"A late answer with the number {n}.") for n in range(2)]
    server.clock.advance(3600)
    boss.edit(said[1], f"{TEXT} This is what has become of it after a while.")
    assert topic.bumped_at == server.clock()
    requests = asked(server, mirror)
    assert [held_post(mirror, post).text for post in said] == [post.raw for post in said]
    assert str(iso(topic.bumped_at)) in str(held_thread(mirror, topic).stamp)
    assert len(requests) <= 4, requests


def test_a_gap_of_31_days_without_a_sync_leaves_nothing_behind(server: DiscourseServer) -> None:
    lively = Lively(server)
    lively.live([("open", number) for number in range(40)])
    mirror = MemoryMirror(connect(server))
    mirror.sync()
    first = lively.people.replies()[0]
    for deed in (
        ("edit", 0), ("edit", 7), ("delete_post", 3), ("withdraw", 1), ("join", 0), ("open", 1), ("reply", 2),
        ("like", 4), ("tag", 1), ("close", 2), ("delete_topic", 3), ("split", 5), ("merge", 6), ("rename", 1),
    ):  # fmt: skip
        lively.live([deed])
        server.clock.advance(timedelta(hours=54))
    assert str(first.id) in mirror.of(Contribution)
    mirror.sync()
    lively.compare(mirror)
