"""Reading the stand-in: what is read, in how few requests, and what is left out."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from ordito.config.durations import Duration
from ordito.config.model import Exclude
from ordito.connectors.records import (
    Change,
    Contribution,
    ContributionKind,
    Group,
    Kind,
    Member,
    Ref,
    Space,
    Thread,
    ThreadKind,
)
from tests.connectors.adapter import MemoryMirror
from tests.connectors.discourse.site import DiscourseSite, connect, mirrored
from tests.servers.discourse import DiscourseServer, Person
from tests.servers.discourse.records import Topic

TEXT = "Has anybody tried this with the smaller frames, and did it hold?"


@pytest.fixture(params=["2021", "2022", "2023", "2026"])
def server(request: pytest.FixtureRequest) -> Iterator[DiscourseServer]:
    """An empty forum, in every dialect that differs for readers."""
    with DiscourseServer(dialect=request.param) as server:
        DiscourseSite(server)
        yield server


@pytest.fixture
def old() -> Iterator[DiscourseServer]:
    with DiscourseServer(dialect="2021") as server:
        DiscourseSite(server)
        yield server


@pytest.fixture
def new() -> Iterator[DiscourseServer]:
    with DiscourseServer(dialect="2026") as server:
        DiscourseSite(server)
        yield server


def anna(server: DiscourseServer) -> Person:
    user = server.forum.user("anna") or server.forum.new_user("anna", trust_level=2)
    return server.as_user(user)


def topics(server: DiscourseServer, count: int, replies: int = 0) -> list[Topic]:
    made = []
    for n in range(count):
        server.clock.advance(60)
        made.append(anna(server).topic(f"A topic with the number {n} of many", TEXT))
        for m in range(replies):
            server.clock.advance(1)
            anna(server).reply(made[-1], f"{TEXT} Answer {n}/{m}.")
    return made


def asked(server: DiscourseServer, mirror: MemoryMirror) -> list[str]:
    """The requests of one sync, as `path?query`."""
    before = len(server.requests)
    mirror.sync()
    return [f"{e.path}?{e.query}".rstrip("?") for e in server.requests[before:]]


# How many requests


def test_a_full_mirror_needs_hardly_more_than_the_least_number_of_requests(server: DiscourseServer) -> None:
    topics(server, 65, replies=12)
    forum = server.forum
    mirror = MemoryMirror(connect(server))
    requests = asked(server, mirror)
    rows = 100 if forum.dialect.per_page else 30
    posts, highest = len(forum.posts), max(forum.posts)
    windows = math.ceil(highest / 50) if forum.dialect.posts_window == "ids" else math.ceil(posts / 50) + 1
    groups = 1  # the others follow from flags and trust levels
    least = 1 + math.ceil(len(forum.users) / 100) + groups + math.ceil(65 / rows) + windows
    catching_up = 3
    assert len(requests) <= least * 1.05 + catching_up + 2
    assert len(mirror.of(Contribution)) == posts
    assert len(mirror.of(Thread)) == 65


def test_nothing_new_costs_three_requests(server: DiscourseServer) -> None:
    topics(server, 5, replies=3)
    mirror = mirrored(connect(server))
    assert asked(server, mirror) == [
        "/posts.json", "/latest.json", "/admin/users/list/new.json?order=created&page=1"
    ]  # fmt: skip


def test_one_reply_in_a_topic_of_a_hundred_posts_costs_no_more(server: DiscourseServer) -> None:
    topic = topics(server, 1, replies=99)[0]
    mirror = mirrored(connect(server))
    server.clock.advance(60)
    post = anna(server).reply(topic, "The hundredth answer to it all.")
    assert len(asked(server, mirror)) == 3
    assert mirror.of(Contribution)[str(post.id)].thread == str(topic.id)  # type: ignore[union-attr]
    assert len(asked(server, mirror)) == 3


def test_many_new_posts_come_a_page_at_a_time(server: DiscourseServer) -> None:
    topic = topics(server, 1)[0]
    mirror = mirrored(connect(server))
    for n in range(120):
        server.clock.advance(5)
        anna(server).reply(topic, f"{TEXT} Number {n}.")
    requests = asked(server, mirror)
    assert len(mirror.of(Contribution)) == 121
    assert sum(r.startswith("/posts.json") for r in requests) <= 5
    assert not any(r.startswith("/t/") for r in requests)


def test_an_interrupted_descent_through_new_posts_goes_on_below(server: DiscourseServer) -> None:
    topic = topics(server, 1)[0]
    mirror = mirrored(connect(server))
    for n in range(200):
        server.clock.advance(5)
        anna(server).reply(topic, f"{TEXT} Number {n}.")
    mirror.sync(batches=2)
    assert mirror.cursor is not None and mirror.cursor["down"]
    mirror.connector = connect(server)
    requests = asked(server, mirror)
    assert "/posts.json" not in requests[:1]
    assert len(mirror.of(Contribution)) == 201


# What lists hide


def test_newest_ids_that_nobody_may_see_are_not_the_end(old: DiscourseServer) -> None:
    topic = topics(old, 1, replies=10)[0]
    for n in range(130):
        old.clock.advance(5)
        old.as_user("boss").message("adminuser", f"A message with number {n}", TEXT)
    mirror = mirrored(connect(old))
    assert len(mirror.of(Contribution)) == 11
    post = anna(old).reply(topic, "After all of those messages.")
    mirror.sync()
    assert str(post.id) in mirror.of(Contribution)


def test_newest_posts_that_were_all_deleted_are_not_the_end(old: DiscourseServer) -> None:
    topics(old, 2, replies=3)
    spam = topics(old, 1, replies=120)[0]
    old.as_user("boss").delete(spam)
    assert len(mirrored(connect(old)).of(Contribution)) == 8


def test_unlisted_topics_are_read_one_by_one_where_the_list_of_posts_leaves_them_out(
    server: DiscourseServer,
) -> None:
    listed, unlisted = topics(server, 2, replies=30)
    server.as_user("boss").set_state(unlisted, "visible", False)
    mirror = mirrored(connect(server))
    texts = [c for c in mirror.of(Contribution).values() if c.kind == ContributionKind.REGULAR]  # type: ignore[union-attr]
    assert len(texts) == 62
    held = mirror.of(Thread)[str(unlisted.id)]
    assert isinstance(held, Thread) and held.visible is False


def test_about_topics_come_with_their_posts_without_a_request_more(server: DiscourseServer) -> None:
    category = server.forum.new_category("Hives")
    about = server.forum.add_about_topic(category)
    topics(server, 1)
    before = len(server.requests)
    mirror = mirrored(connect(server))
    assert not any(e.path.startswith("/t/") for e in server.requests[before:])
    held = mirror.of(Thread)[str(about.id)]
    assert isinstance(held, Thread)
    assert (held.title, held.space, held.author) == (about.title, str(category.id), str(about.user_id))


def test_private_messages_are_read_only_if_asked_for(server: DiscourseServer) -> None:
    anna(server)
    talk = server.as_user("boss").message("anna", "Something between us", TEXT)
    topics(server, 1)
    assert str(talk.id) not in mirrored(connect(server)).of(Thread)
    held = mirrored(connect(server, messages=True)).of(Thread)[str(talk.id)]
    assert isinstance(held, Thread) and held.kind == ThreadKind.MESSAGE


def test_a_conversation_that_we_opened_is_listened_to(server: DiscourseServer) -> None:
    member = anna(server)
    topics(server, 1)
    talk = server.as_user("ordito").message("anna", "Good to have you here", TEXT)
    mirror = Listening(connect(server), talk=str(talk.id))
    mirror.sync()
    assert isinstance(mirror.of(Thread)[str(talk.id)], Thread)
    assert len(asked(server, mirror)) <= 3
    server.clock.advance(60)
    answer = member.reply(talk, "STOP\n\nThis is too much mail for me.")
    mirror.sync()
    held = mirror.of(Contribution)[str(answer.id)]
    assert isinstance(held, Contribution) and (held.text or "").startswith("STOP")


class Listening(MemoryMirror):
    """A mirror that waits for answers in one conversation."""

    def __init__(self, connector: object, talk: str) -> None:
        super().__init__(connector)  # type: ignore[arg-type]
        self.talk = talk

    def conversations(self) -> list[str]:
        return [self.talk]


# What is kept


def test_what_is_excluded_is_never_handed_over(server: DiscourseServer) -> None:
    forum = server.forum
    lounge = forum.new_category("Lounge talk")
    below = forum.new_category("Deep talk", parent_id=lounge.id)
    quiet = forum.new_user("quiet", trust_level=2)
    hidden = [anna(server).topic(f"A topic in {c.name} for us", TEXT, category=c) for c in (lounge, below)]
    labelled = anna(server).topic("A topic with a tag on it", TEXT)
    forum.tag("private")
    server.as_user("boss").tag(labelled, "private")
    open_topic = topics(server, 1)[0]
    spoken = server.as_user(quiet).reply(open_topic, "Nobody shall know that I said this.")
    exclude = Exclude(spaces=["lounge TALK"], labels=["Private"], members=["Quiet"])
    mirror = mirrored(connect(server, exclude=exclude))
    assert [t.id for t in mirror.of(Thread).values()] == [str(open_topic.id)]
    assert [c.thread for c in mirror.of(Contribution).values()] == [str(open_topic.id)]  # type: ignore[union-attr]
    assert str(quiet.id) not in mirror.of(Member)
    assert {str(lounge.id), str(below.id)}.isdisjoint(mirror.of(Space))
    server.clock.advance(60)
    anna(server).reply(labelled, "More of what is not to be kept.")
    anna(server).reply(hidden[1], "And more of what is not to be kept.")
    mirror.sync()
    assert len(mirror.of(Contribution)) == 1
    fetch = connect(server, exclude=exclude).fetch
    assert fetch(Ref("forum", Kind.THREAD, str(labelled.id))) is None
    assert fetch(Ref("forum", Kind.THREAD, str(hidden[1].id))) is None
    assert fetch(Ref("forum", Kind.MEMBER, str(quiet.id))) is None
    assert fetch(Ref("forum", Kind.CONTRIBUTION, str(spoken.id))) is None


def test_texts_are_left_out_if_they_are_not_wanted(server: DiscourseServer) -> None:
    topics(server, 1)
    (held,) = mirrored(connect(server, text=False)).of(Contribution).values()
    assert isinstance(held, Contribution)
    assert held.text is None
    assert held.size == len(TEXT)


def test_nothing_from_before_since_is_kept_and_not_much_of_it_read(server: DiscourseServer) -> None:
    topics(server, 40, replies=10)
    server.clock.advance(timedelta(days=400))
    recent = topics(server, 1, replies=2)[0]
    since = (server.clock() - timedelta(days=30)).date()
    before = len(server.requests)
    mirror = mirrored(connect(server, since=since))
    assert [t.id for t in mirror.of(Thread).values()] == [str(recent.id)]
    assert len(mirror.of(Contribution)) == 3
    assert sum(e.path == "/posts.json" for e in server.requests[before:]) <= 6


def test_other_bounds_in_the_settings_read_everything_anew(server: DiscourseServer) -> None:
    topics(server, 2)
    mirror = mirrored(connect(server, since=date(2030, 1, 1)))
    assert not mirror.of(Thread)
    mirror.connector = connect(server)
    mirror.sync()
    assert len(mirror.of(Thread)) == 2


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
def test_what_staff_did_to_an_old_post_is_found_by_the_next_sweep(
    server: DiscourseServer, deed: str
) -> None:
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
