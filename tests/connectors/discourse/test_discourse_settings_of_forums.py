"""How forums are set up, and what becomes of our account there while it is mirrored."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import timedelta
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from ordito.config.errors import NotThisPlatform
from ordito.config.model import Exclude
from ordito.connectors.actions import Reply
from ordito.connectors.base import Receipt
from ordito.connectors.records import Contribution, Kind, Member, Ref, Space, Thread
from tests.connectors.discourse.scenes import TEXT, anna, asked, topics
from tests.connectors.discourse.site import account, connect, mirrored
from tests.connectors.matrix import MARKER
from tests.servers.discourse import DiscourseServer, show_topics, views_topics
from tests.servers.discourse.app import App
from tests.servers.discourse.records import Category, Topic


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


def _many_categories(server: DiscourseServer) -> Category:
    """More than a page of them, one with more below it than are shown with it, and one below the last of
    those, which this is."""
    forum = server.forum
    for n in range(25):
        forum.new_category(f"Valley {n}")
    above = forum.new_category("Apiaries")
    for n in range(7):
        below = forum.new_category(f"Apiary {n}", parent_id=above.id)
    forum.settings.lazy_load_categories = True
    return forum.new_category("Hives", parent_id=below.id)


def test_all_categories_are_read_where_the_forum_loads_them_lazily(server: DiscourseServer) -> None:
    deepest = _many_categories(server)
    server.forum.add_about_topic(deepest)
    before = len(server.requests)
    mirror = mirrored(connect(server))
    assert set(mirror.of(Space)) == {str(number) for number in server.forum.categories}
    held = mirror.of(Space)[str(deepest.id)]
    assert isinstance(held, Space) and held.parent == str(deepest.parent_id)
    paged = [e for e in server.requests[before:] if e.path == "/categories.json"]
    assert len(paged) == 4  # two of the top level, one below the Apiaries, one below the last of them
    assert connect(server).fetch(Ref("forum", Kind.SPACE, str(deepest.id))) is not None


def test_what_is_excluded_stays_out_where_the_forum_loads_categories_lazily(server: DiscourseServer) -> None:
    deepest = _many_categories(server)
    inside = anna(server).topic("Nobody is to read of this hive", TEXT, category=deepest.id)
    outside = topics(server, 1)[0]
    excluded = connect(server, exclude=Exclude(spaces=["Apiaries"]))
    assert set(mirrored(excluded).of(Thread)) == {str(outside.id)}
    assert connect(server, exclude=Exclude(spaces=["Hives"])).fetch(_thread(inside)) is None
    assert not any("no category" in f.message for f in excluded.probe().findings)


@pytest.mark.parametrize("where", ["https://elsewhere.example/", "/t/{other}.json", "/latest.json"])
def test_a_topic_that_a_permalink_leads_away_from_is_gone(server: DiscourseServer, where: str) -> None:
    topic, other = topics(server, 2)
    ours = {"X-Discourse-Route": "topics/show", "X-Discourse-Username": "ordito"}
    leads_away = {"status": 301, "body": "<html></html>", "times": 9}
    address = where.format(other=other.id)
    server.faults.answer(f"^/t/{topic.id}.json", headers={"Location": address, **ours}, **leads_away)
    assert connect(server).fetch(_thread(topic)) is None


@pytest.mark.parametrize("where", ["/t/a-name-of-2024/{id}.json", "/t/-/{id}/2.json"])
def test_a_topic_that_the_forum_has_at_another_path_is_read_there(
    server: DiscourseServer, where: str
) -> None:
    topic = topics(server, 1, replies=2)[0]
    headers = {"Location": where.format(id=topic.id), "X-Discourse-Username": "ordito"}
    server.faults.answer(f"^/t/{topic.id}.json", headers=headers, status=301, times=2)
    assert connect(server).fetch(_thread(topic)) is not None


def test_what_a_proxy_leads_away_from_is_not_gone(server: DiscourseServer) -> None:
    topic = topics(server, 1)[0]
    headers = {"Location": "https://login.example/"}
    server.faults.answer(f"^/t/{topic.id}.json", status=302, headers=headers, times=9)
    with pytest.raises(NotThisPlatform):
        connect(server).fetch(_thread(topic))


@pytest.mark.parametrize("role", ["administrator", "member"])
def test_a_topic_so_long_that_it_names_no_stream_is_read_whole_in_few_requests(
    server: DiscourseServer, monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    monkeypatch.setattr(show_topics, "MEGA", 300)
    monkeypatch.setattr(views_topics, "PRINT_CHUNK", 100)
    account(server).admin = role == "administrator"
    topic = topics(server, 1, replies=500)[0]
    gone = list(server.forum.posts_of(topic))[400]
    server.as_user("boss").delete(gone)
    before = len(server.requests)
    batch = connect(server).fetch(_thread(topic))
    assert batch is not None
    posts = {str(p.id) for p in server.forum.posts_of(topic) if p is not gone}
    assert {record.id for record in batch.records if isinstance(record, Contribution)} == posts
    asked = [e.path for e in server.requests[before:] if e.path.startswith("/t/")]
    assert len(asked) == 2 + math.ceil(480 / 200)  # the topic, the ids of the others, and these


def test_our_reply_is_found_at_the_end_of_a_topic_that_names_no_stream(
    server: DiscourseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(show_topics, "MEGA", 30)
    topic = topics(server, 1, replies=60)[0]
    forum = connect(server)
    action = Reply(site="forum", thread=str(topic.id), text="An answer of our own to all of this.")
    receipt = forum.perform(action, MARKER)
    found = forum.find(action, MARKER, server.clock() - timedelta(minutes=5))
    assert isinstance(found, Receipt) and found.made == receipt.made


def test_a_sweep_takes_one_request_for_each_topic_that_describes_a_category(server: DiscourseServer) -> None:
    forum = server.forum
    abouts = [forum.add_about_topic(forum.new_category(f"Hives {n}")) for n in range(3)]
    topics(server, 25, replies=30)
    mirror = mirrored(connect(server))
    server.as_user("boss").set_state(abouts[1], "closed", True)
    server.clock.advance(timedelta(days=2))
    requests = asked(server, mirror)
    assert sum(request.startswith("/t/") for request in requests) == 3
    assert not any("topic_ids" in request for request in requests)
    held = mirror.of(Thread)[str(abouts[1].id)]
    assert isinstance(held, Thread) and held.closed


def test_a_forum_in_a_folder_is_read_alike(server: DiscourseServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.forum.add_about_topic(server.forum.new_category("Hives"))
    topics(server, 2, replies=25)
    plain = mirrored(connect(server))
    at_the_root = App.__call__

    def in_a_folder(app: App, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        assert environ["PATH_INFO"].startswith("/talk/")
        environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix("/talk")
        return at_the_root(app, environ, start)

    monkeypatch.setattr(App, "__call__", in_a_folder)
    mirror = mirrored(connect(server, url=f"{server.url}/talk/"))
    assert mirror.items.keys() == plain.items.keys()
    assert connect(server, url=f"{server.url}/talk").probe().account == "ordito"


def _thread(topic: Topic) -> Ref:
    return Ref("forum", Kind.THREAD, str(topic.id))


def test_members_who_were_imported_in_one_moment_are_all_read_from_the_list(server: DiscourseServer) -> None:
    now = server.clock()
    for n in range(250):
        server.forum.new_user(f"settler{n:03}", created_at=now)
    before = len(server.requests)
    mirror = mirrored(connect(server))
    assert len(mirror.of(Member)) == len(server.forum.users)
    paths = [e.path for e in server.requests[before:]]
    assert sum(path.startswith("/admin/users/") for path in paths) == 4  # three pages, and what is new since
