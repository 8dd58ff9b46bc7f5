"""Reading the stand-in: what is read, in how few requests, and what is left out."""

from __future__ import annotations

import math
from datetime import date, timedelta

from ordito.config.model import Exclude
from ordito.connectors.records import (
    Contribution,
    ContributionKind,
    Kind,
    Member,
    Ref,
    Space,
    Thread,
    ThreadKind,
)
from tests.connectors.adapter import MemoryMirror
from tests.connectors.discourse.scenes import TEXT, Listening, anna, asked, topics
from tests.connectors.discourse.site import account, connect, mirrored
from tests.servers.discourse import DiscourseServer

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
        "/posts.json", "/latest.json", "/admin/users/list/new.json?page=1"
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


def test_wider_bounds_in_the_settings_read_everything_anew(server: DiscourseServer) -> None:
    topics(server, 2)
    mirror = mirrored(connect(server, since=date(2030, 1, 1)))
    assert not mirror.of(Thread)
    mirror.connector = connect(server)
    mirror.sync()
    assert len(mirror.of(Thread)) == 2


def test_a_category_that_is_excluded_from_now_on_is_not_handed_over(server: DiscourseServer) -> None:
    (topic,) = topics(server, 1)
    assert topic.category_id is not None
    category = server.forum.categories[topic.category_id]
    mirror = mirrored(connect(server))
    server.clock.advance(60)
    anna(server).reply(topic, "A word that comes after the settings were changed.")
    mirror.connector = connect(server, exclude=Exclude(spaces=[category.name]))
    handed_over = [record for batch in mirror.sync() for record in batch.records]
    assert not [record for record in handed_over if isinstance(record, Thread | Contribution)]
    assert len(mirror.of(Contribution)) == 1


def test_a_member_is_not_gone_because_the_account_may_not_look_members_up(server: DiscourseServer) -> None:
    shown, private = (server.forum.new_user(name, trust_level=2) for name in ("shown", "private"))
    private.hide_profile = True
    us = account(server)
    us.admin, us.trust_level = False, 1
    fetch = connect(server).fetch
    found = fetch(Ref("forum", Kind.MEMBER, str(shown.id)))
    assert found is not None
    (member,) = found.records
    assert isinstance(member, Member)
    assert (member.id, member.username, member.trust_level) == (str(shown.id), "shown", 2)
    hidden = fetch(Ref("forum", Kind.MEMBER, str(private.id)))
    assert hidden is not None and not hidden.records
    us.admin = True
    assert connect(server).fetch(Ref("forum", Kind.MEMBER, "4711")) is None


def test_a_topic_of_before_the_history_is_there_when_it_is_asked_for(server: DiscourseServer) -> None:
    topic = topics(server, 1, replies=1)[0]
    server.clock.advance(timedelta(days=90))
    since = (server.clock() - timedelta(days=30)).date()
    batch = connect(server, since=since).fetch(Ref("forum", Kind.THREAD, str(topic.id)))
    assert batch is not None
    assert [type(record) for record in batch.records] == [Thread]


def test_a_first_sync_says_how_far_it_is(server: DiscourseServer) -> None:
    topics(server, 3, replies=40)
    connector = connect(server)
    connector.probe()
    told = [(batch.done, batch.total) for batch in MemoryMirror(connector).sync() if batch.part == "posts"]
    pages = [(done, total) for done, total in told if total is not None]
    assert len(pages) >= 3
    assert pages == sorted(pages)
    last, total = pages[-1]
    assert total == len(server.forum.posts) and last >= total - 3, "the forum counts its own notes as well"
