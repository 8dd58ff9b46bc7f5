"""Changes that bump nothing, read by a query of Data Explorer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from ordito.config.model import Exclude
from ordito.connectors.discourse import explorer
from ordito.connectors.records import Contribution, Member, Thread
from tests.connectors.adapter import MemoryMirror
from tests.connectors.discourse.explored import RUN, SELDOM, by_query, explored
from tests.connectors.discourse.scenes import TEXT, anna, asked, topics
from tests.connectors.discourse.silent import CHANGES, LIKE, answer, buried, held_post, held_thread
from tests.connectors.discourse.site import connect, mirrored
from tests.servers.discourse import DiscourseServer
from tests.servers.discourse.records import Badge, Topic


@pytest.fixture(params=["2021", "2026"])
def server(request: pytest.FixtureRequest) -> Iterator[DiscourseServer]:
    with explored(request.param) as server:
        yield server


@pytest.fixture
def topic(server: DiscourseServer) -> Topic:
    return buried(server, under=60)


@pytest.fixture
def mirror(server: DiscourseServer, topic: Topic) -> MemoryMirror:
    return by_query(server)


def test_nothing_new_costs_one_request(server: DiscourseServer, mirror: MemoryMirror) -> None:
    assert asked(server, mirror) == [RUN]
    assert asked(server, mirror) == [RUN]


def test_new_posts_topics_and_members_come_in_two_requests(
    server: DiscourseServer, mirror: MemoryMirror, topic: Topic
) -> None:
    late = server.forum.new_user("late", trust_level=1)
    post = server.as_user(late).reply(topic, "A late answer to it all.")
    made = server.as_user(late).topic("A topic that is new to all", TEXT)
    assert len(asked(server, mirror)) == 2
    assert str(late.id) in mirror.of(Member)
    assert held_post(mirror, post).text == post.raw
    assert held_thread(mirror, made).title == made.title
    assert asked(server, mirror) == [RUN]


@pytest.mark.parametrize("change", [*CHANGES, "a like"])
def test_the_query_tells_at_once_of(
    server: DiscourseServer, mirror: MemoryMirror, topic: Topic, change: str
) -> None:
    silent, touched = {**CHANGES, "a like": LIKE}[change], answer(server, topic)
    server.forum.tag("wax")
    silent.happens(server.as_user("boss"), topic, touched)
    assert len(asked(server, mirror)) <= 2
    assert silent.shows(mirror, topic, touched)
    assert change != "a closing" or mirror.changes[0].field == "closed"


def test_a_like_taken_back_is_told(server: DiscourseServer, mirror: MemoryMirror, topic: Topic) -> None:
    touched = answer(server, topic)
    server.as_user("boss").like(touched)
    mirror.sync()
    server.clock.advance(60)
    server.as_user("boss").unlike(touched)
    mirror.sync()
    assert held_post(mirror, touched).likes == 0


def test_a_recovered_post_is_found_though_only_its_topic_was_marked(
    server: DiscourseServer, mirror: MemoryMirror, topic: Topic
) -> None:
    boss, posts = server.as_user("boss"), list(server.forum.posts_of(topic))
    boss.delete(posts[1])
    mirror.sync()
    server.clock.advance(600)
    boss.delete(posts[2])
    boss.recover(posts[1])
    mirror.sync()
    assert str(posts[1].id) in mirror.of(Contribution)
    assert str(posts[2].id) not in mirror.of(Contribution)


def test_what_the_forum_notes_of_members_comes_with_its_own_time(
    server: DiscourseServer, mirror: MemoryMirror
) -> None:
    forum, boss, member = server.forum, server.as_user("boss"), anna(server).user
    group, number = forum.group("experts"), forum.ids["badge"]
    assert group is not None
    forum.badges[number] = Badge(number, "Carpenter")
    times = [server.clock.advance(600)]
    boss.add_to(group, member)
    times.append(server.clock.advance(600))
    forum.promote(member, 3)
    times.append(server.clock.advance(600))
    boss.grant(forum.badges[number], member)
    times.append(server.clock.advance(600))
    boss.revoke(forum.badges[number], member)
    times.append(server.clock.advance(600))
    boss.remove_from(group, member)
    assert asked(server, mirror) == [RUN]
    told = [(c.field, c.value, c.on) for c in mirror.changes]
    assert told == [
        ("group", "experts", True),
        ("trust_level", 3, True),
        ("badge", "Carpenter", False),
        ("group", "experts", False),
    ]
    at = [c.at for c in mirror.changes]
    expected = [times[0], times[1], times[3], times[4]]
    assert [a.replace(microsecond=0) for a in at] == [e.replace(microsecond=0) for e in expected]
    assert mirror.of(Member)[str(member.id)].trust_level == 3  # type: ignore[union-attr]


def test_many_changes_come_in_pages_and_a_cut_between_them_loses_none(
    server: DiscourseServer, mirror: MemoryMirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explorer, "ROWS", 10)
    firsts = [post for post in server.forum.posts.values() if post.post_number == 1]
    for post in firsts[:35]:
        post.raw, post.updated_at = f"{TEXT} Edited.", server.clock()  # all at the same moment
    mirror.sync(batches=2)
    mirror.connector = connect(server, data_explorer=7, sweep=SELDOM)
    assert sum(request == RUN for request in asked(server, mirror)) >= 2
    held = mirror.of(Contribution)
    assert all(held[str(p.id)].text == p.raw for p in firsts[:35])  # type: ignore[union-attr]
    assert set(asked(server, mirror)) == {RUN}


def test_a_change_that_was_committed_late_is_not_missed(
    server: DiscourseServer, mirror: MemoryMirror, topic: Topic
) -> None:
    late, at = answer(server, topic), server.clock.advance(1)
    server.clock.advance(120)
    anna(server).reply(topic, "A later answer to it all.")
    mirror.sync()
    late.raw, late.updated_at = f"{TEXT} Edited.", at
    mirror.sync()
    assert held_post(mirror, late).text == late.raw


def test_what_the_account_may_not_see_is_left_out(server: DiscourseServer, mirror: MemoryMirror) -> None:
    forum = server.forum
    us = forum.user("ordito")
    assert us is not None
    us.admin, us.moderator = False, True
    forum.assign_automatic_groups(us)
    forum.new_group("readers").members[us.id] = server.clock()
    hidden = forum.new_category("Board", readers=frozenset({"admins"}))
    secret = server.as_user("boss").topic("Not for everybody's eyes", TEXT, category=hidden)
    talk = server.as_user("boss").message("anna", "Something between us", TEXT)
    seen = anna(server).topic("A topic for all to see", TEXT)
    mirror.connector = connect(server, data_explorer="readers/7", sweep=SELDOM)
    mirror.sync()
    assert str(seen.id) in mirror.of(Thread)
    assert {str(secret.id), str(talk.id)}.isdisjoint(mirror.of(Thread))
    assert all(c.thread not in (str(secret.id), str(talk.id)) for c in mirror.of(Contribution).values())  # type: ignore[union-attr]
    results = [e for e in server.requests if e.path == "/g/readers/reports/7/run.json"]
    assert results


def test_named_later_it_begins_where_edits_may_be_missing(server: DiscourseServer, topic: Topic) -> None:
    mirror = mirrored(connect(server))
    server.clock.advance(600)
    edited = answer(server, topic)
    edited.raw, edited.updated_at = f"{TEXT} Edited.", server.clock()
    mirror.sync()
    assert mirror.of(Contribution)[str(edited.id)].text != edited.raw  # type: ignore[union-attr]
    mirror.connector = connect(server, data_explorer=7)
    mirror.sync()
    assert held_post(mirror, edited).text == edited.raw


def test_beside_a_webhook_it_is_asked_in_sweeps(server: DiscourseServer, topic: Topic) -> None:
    server.forum.hooks.add(wildcard=True)
    mirror = mirrored(connect(server, webhook=1, data_explorer=7))
    server.clock.advance(600)
    server.as_user("boss").like(answer(server, topic))
    assert RUN not in asked(server, mirror)
    server.clock.advance(timedelta(days=1))
    assert RUN in asked(server, mirror)
    assert held_post(mirror, answer(server, topic)).likes == 1


def test_only_what_was_declared_is_sent(server: DiscourseServer, mirror: MemoryMirror) -> None:
    mirror.sync()
    sent = next(e for e in server.requests if e.path == RUN)
    assert set(json.loads(str(sent.params["params"]))) == {"since", "after", "id", "rows"}


def test_what_is_excluded_is_not_handed_over(server: DiscourseServer) -> None:
    forum = server.forum
    lounge, quiet = forum.new_category("Lounge talk"), forum.new_user("quiet", trust_level=2)
    open_topic = topics(server, 1)[0]
    exclude = Exclude(spaces=["lounge TALK"], labels=["Private"], members=["Quiet"])
    mirror = mirrored(connect(server, data_explorer=7, sweep=SELDOM, exclude=exclude, text=False))
    server.clock.advance(600)
    hidden = anna(server).topic("A topic in the lounge for us", TEXT, category=lounge)
    labelled = anna(server).topic("A topic with a tag on it", TEXT)
    forum.tag("private")
    server.as_user("boss").tag(labelled, "private")
    server.as_user(quiet).reply(open_topic, "Nobody shall know that I said this.")
    heard = anna(server).reply(open_topic, "This may be known to everybody.")
    forum.promote(quiet, 3)
    given = [r for b in mirror.sync() for r in b.records]
    assert {r.id for r in given if isinstance(r, Thread)} == {str(open_topic.id)}
    assert [(r.id, r.text) for r in given if isinstance(r, Contribution)] == [(str(heard.id), None)]
    assert str(quiet.id) not in {r.id for r in given}
    assert str(hidden.id) not in mirror.of(Thread)


# Everything


def crowd(server: DiscourseServer) -> int:
    """Sixty topics with answers, one of them unlisted, something deleted, and a category's own topic, whose
    number it gives."""
    made = topics(server, 60, replies=5)
    boss = server.as_user("boss")
    boss.set_state(made[3], "visible", False)
    boss.delete(list(server.forum.posts_of(made[4]))[2])
    boss.delete(made[5])
    boss.message("anna", "Something between us", TEXT)
    return server.forum.add_about_topic(server.forum.new_category("Hives")).id


def test_a_first_reading_takes_a_request_for_two_thousand_posts(server: DiscourseServer) -> None:
    about = crowd(server)
    before = len(server.requests)
    mirror = mirrored(connect(server, data_explorer=7, sweep=SELDOM))
    requests = [e.path for e in server.requests[before:]]
    lists = mirrored(connect(server, sweep=SELDOM))
    spoken = {i for i, c in lists.of(Contribution).items() if c.kind == "regular"}  # type: ignore[union-attr]
    held = mirror.of(Contribution)
    assert {i for i, c in held.items() if c.kind == "regular"} == spoken  # type: ignore[union-attr]
    assert all(held[i] == lists.of(Contribution)[i] for i in spoken)
    assert set(mirror.of(Thread)) == set(lists.of(Thread))
    assert requests.count(RUN) == 2  # all of it, and what is new
    assert requests.count("/posts.json") == 1
    assert {path for path in requests if path.startswith("/t/")} == {f"/t/{about}.json"}
    assert asked(server, mirror) == [RUN]
    server.clock.advance(timedelta(days=301))
    assert not any(request.startswith("/t/") for request in asked(server, mirror))


def test_the_posts_of_a_topic_that_was_made_a_banner_are_told(server: DiscourseServer) -> None:
    topic = topics(server, 1, replies=3)[0]
    topic.archetype = "banner"
    mirror = by_query(server)
    assert len(mirror.of(Contribution)) == 4
    post = anna(server).reply(topic, "An answer to what stands on top of all pages.")
    mirror.sync()
    assert held_post(mirror, post).text == post.raw


@pytest.mark.parametrize("first", [True, False])
def test_a_post_that_is_dated_ahead_hides_no_change(server: DiscourseServer, first: bool) -> None:
    dated, other = topics(server, 2)
    mirror = by_query(server) if not first else None
    post = anna(server).reply(dated, "An answer from next year, by the import that wrote it.")
    post.created_at = post.updated_at = server.clock() + timedelta(days=365)
    mirror = mirror or by_query(server)
    mirror.sync()
    server.clock.advance(600)
    edited = server.forum.first_post(other)
    server.as_user("boss").edit(edited, f"{TEXT} Edited since.")
    mirror.sync()
    assert held_post(mirror, edited).text == edited.raw
    assert asked(server, mirror) == [RUN]


def test_a_first_reading_that_was_cut_goes_on_behind_the_last_page(
    server: DiscourseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explorer, "ROWS", 50)
    crowd(server)
    whole, mirror = mirrored(connect(server)), MemoryMirror(connect(server, data_explorer=7))
    for batch in mirror.connector.changes(None, mirror):
        mirror.apply(batch)
        if len(mirror.of(Contribution)) > 120:
            break
    mirror.connector = connect(server, data_explorer=7)
    requests = asked(server, mirror)
    assert "/posts.json" not in requests
    spoken = {i for i, c in whole.of(Contribution).items() if c.kind == "regular"}  # type: ignore[union-attr]
    assert spoken <= set(mirror.of(Contribution))


def test_a_first_reading_brings_all_that_the_forum_ever_noted_of_members(server: DiscourseServer) -> None:
    boss, member, group = server.as_user("boss"), anna(server).user, server.forum.group("experts")
    assert group is not None
    times = [server.clock.advance(3600)]
    server.forum.promote(member, 3)
    times.append(server.clock.advance(3600))
    boss.add_to(group, member)
    server.clock.advance(timedelta(days=90))
    topics(server, 3)
    mirror = mirrored(connect(server, data_explorer=7))
    told = {(c.field, c.value): c.at.replace(microsecond=0) for c in mirror.changes}
    assert told == {
        ("trust_level", 3): times[0].replace(microsecond=0),
        ("group", "experts"): times[1].replace(microsecond=0),
    }
    server.clock.advance(timedelta(days=2))
    assert not any("logs.json" in request for request in asked(server, mirror))


def test_what_is_deleted_never_comes_into_the_mirror(server: DiscourseServer, mirror: MemoryMirror) -> None:
    post = anna(server).reply(topics(server, 1)[0], "Written and deleted between two syncs.")
    server.as_user("boss").delete(post)
    given = [r.id for b in mirror.sync() for r in b.records if isinstance(r, Contribution)]
    assert str(post.id) not in given
