"""What changes on a forum after it was read once, and when the mirror sees it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ordito.config.durations import Duration
from ordito.config.model import Exclude
from ordito.connectors.records import (
    Change,
    Contribution,
    Group,
    Member,
    Thread,
)
from tests.connectors.adapter import MemoryMirror
from tests.connectors.discourse.scenes import TEXT, Listening, anna, asked, topics
from tests.connectors.discourse.site import connect, mirrored
from tests.servers.discourse import DiscourseServer

# What changes


def test_closing_is_told_with_its_time_where_the_list_of_posts_tells_it(old: DiscourseServer) -> None:
    topic = topics(old, 1)[0]
    mirror = mirrored(connect(old))
    at = old.clock.advance(3600)
    old.as_user("boss").close(topic)
    mirror.sync()
    (change,) = mirror.changes
    assert isinstance(change, Change)
    assert (change.field, change.value, change.id) == ("closed", True, str(topic.id))
    assert abs(change.at - at) < timedelta(seconds=1)
    mirror.sync()
    assert len(mirror.changes) == 1


def test_topics_with_an_excluded_tag_cost_nothing_while_nothing_is_new(server: DiscourseServer) -> None:
    """Though their posts are among the newest, and no post shows the tags of its topic."""
    topics(server, 2, replies=2)
    hidden, other = topics(server, 2, replies=2)
    server.forum.tag("private")
    for topic in (hidden, other):
        server.as_user("boss").tag(topic, "private")
    mirror = mirrored(connect(server, exclude=Exclude(labels=["private"])))
    server.clock.advance(600)
    held = set(mirror.of(Thread))
    assert len(held) == 2
    assert len(asked(server, mirror)) == 3
    anna(server).reply(hidden, TEXT)
    server.clock.advance(600)
    asked(server, mirror)
    assert set(mirror.of(Thread)) == held, "a new post there is looked into, and left out"
    assert len(asked(server, mirror)) == 3
    server.as_user("boss").tag(other)
    server.clock.advance(timedelta(days=1, minutes=1))
    mirror.sync()
    assert set(mirror.of(Thread)) - held == {str(other.id)}, "the sweep sees that the tag was taken off"


def test_between_sweeps_a_like_costs_nothing_and_the_sweep_finds_it(server: DiscourseServer) -> None:
    topic = topics(server, 1, replies=3)[0]
    mirror = mirrored(connect(server))
    server.as_user("boss").like(server.forum.first_post(topic))
    assert len(asked(server, mirror)) == 3
    server.clock.advance(timedelta(days=1, minutes=1))
    mirror.sync()
    first = mirror.of(Contribution)[str(server.forum.first_post(topic).id)]
    assert isinstance(first, Contribution) and first.likes == 1


def test_an_old_edit_is_found_within_a_round(server: DiscourseServer) -> None:
    long_ago = topics(server, 1)[0]
    topics(server, 12, replies=9)
    mirror = mirrored(connect(server))
    post = server.forum.first_post(long_ago)
    # Within the grace period by its author: no new version, no bump, and in no list.
    post.raw, post.updated_at = f"{TEXT} Edited.", server.clock()
    for _ in range(31):
        server.clock.advance(timedelta(days=1, minutes=1))
        mirror.sync()
    held = mirror.of(Contribution)[str(post.id)]
    assert isinstance(held, Contribution) and held.text == post.raw


def test_a_sweep_with_nothing_changed_reads_rows_and_a_slice_of_posts_only(server: DiscourseServer) -> None:
    topics(server, 10, replies=2)
    mirror = mirrored(connect(server))
    server.clock.advance(timedelta(days=2))
    assert not any(r.startswith("/t/") for r in asked(server, mirror))


def test_the_accepted_answer_is_known_by_its_id(server: DiscourseServer) -> None:
    server.forum.settings.solved_enabled = True
    solved, unsolved = topics(server, 2, replies=30)
    answer = list(server.forum.posts_of(solved))[7]
    server.as_user("boss").accept(answer)
    mirror = mirrored(connect(server))
    held = mirror.of(Thread)
    assert held[str(solved.id)].solved_by == str(answer.id)  # type: ignore[union-attr]
    assert held[str(unsolved.id)].solved_by == ""  # type: ignore[union-attr]
    server.clock.advance(timedelta(days=2))
    mirror.sync()
    assert mirror.of(Thread)[str(solved.id)].solved_by == str(answer.id)  # type: ignore[union-attr]


def test_without_solutions_it_is_unknown_whether_a_topic_is_solved(server: DiscourseServer) -> None:
    (topic,) = topics(server, 1)
    held = mirrored(connect(server)).of(Thread)[str(topic.id)]
    assert isinstance(held, Thread) and held.solved_by is None


def test_groups_come_with_their_members(server: DiscourseServer) -> None:
    user = anna(server).user
    group = server.forum.group("experts")
    assert group is not None
    server.as_user("boss").add_to(group, user)
    held = {g.name: g.members for g in mirrored(connect(server)).of(Group).values()}  # type: ignore[union-attr]
    assert held["experts"] == {str(user.id)}
    boss, us = server.forum.user("boss"), server.forum.user("ordito")
    assert boss is not None and us is not None
    assert {str(boss.id), str(us.id)} <= (held["admins"] or set())
    assert held["staff"] is not None and str(boss.id) in held["staff"]
    assert not any(name.startswith("trust_level") for name in held)


def test_a_group_of_thousands_is_read_in_few_requests(new: DiscourseServer) -> None:
    group = new.forum.new_group("crowd")
    for n in range(2300):
        user = new.forum.new_user(f"one{n}")
        group.members[user.id] = new.clock()
    before = len(new.requests)
    mirror = mirrored(connect(new))
    held = next(g for g in mirror.of(Group).values() if isinstance(g, Group) and g.name == "crowd")
    assert held.members is not None and len(held.members) == 2300
    assert sum("/groups/crowd/" in e.path for e in new.requests[before:]) == 3


def test_an_account_that_is_not_staff_learns_of_members_from_their_posts(server: DiscourseServer) -> None:
    topics(server, 2, replies=2)
    us = server.forum.user("ordito")
    assert us is not None
    us.admin, us.trust_level = False, 1
    server.forum.assign_automatic_groups(us)
    mirror = mirrored(connect(server))
    held = mirror.of(Member)[str(anna(server).user.id)]
    assert isinstance(held, Member)
    assert (held.username, held.joined_at, held.trust_level) == ("anna", None, 2)
    assert len(mirror.of(Contribution)) == 6
    assert not any("/admin/" in request for request in asked(server, mirror))


def test_a_renamed_member_keeps_the_id(server: DiscourseServer) -> None:
    user = anna(server).user
    mirror = mirrored(connect(server, sweep=Duration(1, "hour")))
    server.as_user("boss").rename(user, "annabella")
    server.clock.advance(timedelta(hours=2))
    mirror.sync()
    held = mirror.of(Member)[str(user.id)]
    assert isinstance(held, Member) and held.username == "annabella"


def test_posts_that_move_to_another_topic_move_in_the_mirror(server: DiscourseServer) -> None:
    here, there = topics(server, 2, replies=3)
    mirror = mirrored(connect(server))
    moved = list(server.forum.posts_of(here))[2]
    server.as_user("boss").merge(here, [moved], there)
    server.clock.advance(timedelta(days=1, minutes=1))
    mirror.sync()
    mirror.sync()
    held = [c for c in mirror.of(Contribution).values() if isinstance(c, Contribution)]
    assert {c.thread for c in held if c.text == moved.raw} == {str(there.id)}


def test_a_topic_with_thousands_of_posts_is_read_again_in_few_requests(new: DiscourseServer) -> None:
    topic = topics(new, 1, replies=1500)[0]
    mirror = mirrored(connect(new))
    new.as_user("boss").delete(list(new.forum.posts_of(topic))[700])
    new.clock.advance(timedelta(days=1, minutes=1))
    before = len(new.requests)
    mirror.sync()
    assert len(mirror.of(Contribution)) == 1500
    assert sum(e.path.startswith("/t/") for e in new.requests[before:]) <= 4


def test_a_cut_between_new_posts_and_their_topics_loses_no_row(server: DiscourseServer) -> None:
    first = topics(server, 3)[0]
    talk = server.as_user("ordito").message("anna", "Good to have you here", TEXT)
    mirror = Listening(connect(server), talk=str(talk.id))
    mirror.sync()
    server.clock.advance(600)
    anna(server).reply(first, "A late answer to it all.")
    mirror.sync(batches=1)
    mirror.connector = connect(server)
    mirror.sync()
    held = mirror.of(Thread)[str(first.id)]
    assert isinstance(held, Thread) and held.last_activity_at == first.last_posted_at


def test_a_forum_with_most_ids_missing_is_read_topic_by_topic(old: DiscourseServer) -> None:
    topics(old, 5, replies=30)
    old.forum.ids.seen("post", 40_000)
    topics(old, 5, replies=3)
    mirror = MemoryMirror(connect(old))
    assert len(asked(old, mirror)) < 40
    assert len(mirror.of(Contribution)) == 175
    assert len(asked(old, mirror)) == 3


@pytest.mark.parametrize("deed", ["edit", "delete"])
def test_what_staff_did_to_an_old_post_is_found_by_the_next_sweep(server: DiscourseServer, deed: str) -> None:
    long_ago = topics(server, 1, replies=4)[0]
    topics(server, 12, replies=9)
    mirror = mirrored(connect(server))
    server.clock.advance(timedelta(days=1))
    boss, posts = server.as_user("boss"), list(server.forum.posts_of(long_ago))
    if deed == "edit":
        boss.edit(posts[1], f"{TEXT} Edited by staff.")
    else:  # another one comes back, so that the topic's row looks as before
        boss.delete(posts[1])
        boss.delete(posts[2])
        mirror.sync()
        server.clock.advance(timedelta(days=1, minutes=1))
        mirror.sync()
        server.clock.advance(timedelta(days=1, minutes=1))
        boss.delete(posts[3])
        boss.recover(posts[2])
    server.clock.advance(timedelta(minutes=5))
    mirror.sync()
    held = mirror.of(Contribution)
    if deed == "edit":
        assert held[str(posts[1].id)].text == posts[1].raw  # type: ignore[union-attr]
    else:
        assert str(posts[3].id) not in held
