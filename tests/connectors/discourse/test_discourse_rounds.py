"""The rolling re-read: what no list shows is found when a round over all posts comes by, and when that is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ordito.config.errors import RateLimited
from ordito.connectors.discourse.reading import ROUND
from ordito.connectors.records import Contribution
from tests.connectors.adapter import MemoryMirror
from tests.connectors.discourse.scenes import TEXT, anna, asked, topics
from tests.connectors.discourse.site import connect, mirrored
from tests.servers.discourse import DiscourseServer
from tests.servers.discourse.moderation import expire_deletions
from tests.servers.discourse.records import Post, PostType, Topic

DAY = timedelta(days=1, minutes=1)


def texts(mirror: MemoryMirror) -> dict[str, str | None]:
    return {i: c.text for i, c in mirror.of(Contribution).items() if isinstance(c, Contribution)}


def edit_silently(server: DiscourseServer, post: Post) -> None:
    """Within the grace period, by its author: no new version, no bump, and in no list."""
    post.raw, post.updated_at = f"{TEXT} Edited.", server.clock()


def test_a_deletion_made_up_for_by_a_recovery_is_found_within_a_round(server: DiscourseServer) -> None:
    talk = topics(server, 1, replies=4)[0]
    topics(server, 15, replies=9)
    leaving, coming = list(server.forum.posts_of(talk))[2:4]
    server.as_user("boss").delete(coming)
    mirror = mirrored(connect(server))
    anna(server).delete(leaving)
    server.clock.advance(timedelta(hours=25))
    assert expire_deletions(server.forum) == [leaving]
    server.as_user("boss").recover(coming)
    mirror.sync()
    assert str(leaving.id) in texts(mirror), "the topic has as many posts as before, and nothing else tells"
    for _ in range(ROUND.days + 1):
        server.clock.advance(DAY)
        mirror.sync()
    held = texts(mirror)
    assert str(leaving.id) not in held
    assert held[str(coming.id)] == coming.raw


def test_a_hidden_post_stays_and_is_read_when_its_turn_comes(new: DiscourseServer) -> None:
    post = list(new.forum.posts_of(topics(new, 1, replies=2)[0]))[1]
    mirror = mirrored(connect(new))
    post.hidden = True
    edit_silently(new, post)
    new.clock.advance(DAY)
    assert f"/posts/{post.id}.json" in asked(new, mirror)
    assert texts(mirror)[str(post.id)] == post.raw


def test_an_edit_of_a_post_in_staff_colour_is_read_when_its_turn_comes(server: DiscourseServer) -> None:
    """By its author; newer forums show such a post in no list. Of ten pages each sweep reads one."""
    post = list(server.forum.posts_of(topics(server, 50, replies=9)[3]))[1]
    post.post_type = PostType.MODERATOR
    mirror = mirrored(connect(server))
    server.clock.advance(DAY)
    mirror.sync()
    edit_silently(server, post)
    asked_for = 0
    for _ in range(ROUND.days + 1):
        server.clock.advance(DAY)
        asked_for += asked(server, mirror).count(f"/posts/{post.id}.json")
    assert texts(mirror)[str(post.id)] == post.raw
    assert asked_for <= 4


@pytest.mark.parametrize("mark", [{"post_type": PostType.MODERATOR}, {"hidden": True}], ids=str)
@pytest.mark.parametrize(("closed", "days"), [(False, 1), (True, ROUND.days + 1)], ids=["open", "closed"])
def test_what_the_list_left_out_when_it_was_read_first_comes_with_a_sweep_or_within_a_round(
    new: DiscourseServer, mark: dict[str, Any], closed: bool, days: int
) -> None:
    """A post in staff colour, or a hidden one: only their topic has them, and its row counts them."""
    talk = topics(new, 6, replies=2)[3]
    post = list(new.forum.posts_of(talk))[1]
    for name, value in mark.items():
        setattr(post, name, value)
    talk.closed = closed
    mirror = mirrored(connect(new))
    assert str(post.id) not in texts(mirror)
    assert reads_of(talk, new, mirror, 1) == (not closed)
    reads_of(talk, new, mirror, days - 1)
    assert texts(mirror)[str(post.id)] == post.raw


def reads_of(talk: Topic, server: DiscourseServer, mirror: MemoryMirror, days: int) -> int:
    """How often a topic was read by itself in so many days."""
    found = 0
    for _ in range(days):
        server.clock.advance(DAY)
        found += sum(path.startswith(f"/t/{talk.id}.json") for path in asked(server, mirror))
    return found


def test_a_topic_that_counts_more_than_it_has_is_not_read_each_day(new: DiscourseServer) -> None:
    """As after an import, or where the forum's own notes are counted."""
    talk = topics(new, 40)[-3]
    talk.posts_count += 1
    mirror = mirrored(connect(new))
    assert reads_of(talk, new, mirror, 5) == 1


def test_an_answer_to_a_topic_that_was_read_by_itself_does_not_make_it_be_read_again(
    new: DiscourseServer,
) -> None:
    """Also where the forum counts its own notes, which no list shows."""
    new.forum.dialect = replace(new.forum.dialect, counts_small_actions=True)
    talk, boss = topics(new, 40)[-3], new.as_user("boss")
    boss.close(talk)
    boss.reopen(talk)
    mirror = mirrored(connect(new))
    assert reads_of(talk, new, mirror, 1) == 1
    anna(new).reply(talk, "A word more, that the list of posts shows.")
    assert reads_of(talk, new, mirror, 3) == 0
    boss.reply(talk, "And one in staff colour.").post_type = PostType.MODERATOR
    assert reads_of(talk, new, mirror, 3) == 1
    assert "And one in staff colour." in texts(mirror).values()


def test_syncs_that_come_seldom_read_as_much_as_has_become_due(server: DiscourseServer) -> None:
    long_ago = server.forum.first_post(topics(server, 1)[0])
    topics(server, 30, replies=9)
    mirror = mirrored(connect(server))
    edit_silently(server, long_ago)
    since, pause = server.clock(), timedelta(days=8)
    while server.clock() + pause <= since + ROUND + pause:
        server.clock.advance(pause)
        mirror.sync()
    assert texts(mirror)[str(long_ago.id)] == long_ago.raw


def test_an_interrupted_sweep_reads_its_slice_once(server: DiscourseServer) -> None:
    topics(server, 40, replies=9)
    mirror = mirrored(connect(server))
    server.clock.advance(timedelta(days=15))
    begun = len(server.requests)
    server.faults.answer("^/posts", status=429, headers={"Retry-After": "9999"}, spare=4)
    with pytest.raises(RateLimited):
        mirror.sync()
    mirror.connector = connect(server)
    mirror.sync()
    taken = [e for e in server.requests[begun:] if e.path == "/posts.json" and e.status == 200]
    pages = [e.query for e in taken if e.query and not e.query.endswith("=2147483647")]
    assert len(pages) == len(set(pages)) in (3, 4), "half a round over eight pages, the newest among them"
