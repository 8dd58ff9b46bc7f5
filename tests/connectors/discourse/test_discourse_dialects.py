"""What differs between versions of Discourse, each difference by itself."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ordito.config.model import Exclude
from ordito.connectors.records import Contribution, Kind, Member, Ref, Thread
from tests.connectors.adapter import MemoryMirror
from tests.connectors.discourse.scenes import TEXT, anna, asked, topics
from tests.connectors.discourse.site import DiscourseSite, connect, mirrored
from tests.servers.discourse import DiscourseServer
from tests.servers.discourse.dialect import DIALECTS

Speak = Callable[..., DiscourseServer]

WINDOWS: dict[str, dict[str, Any]] = {
    "50 ids up to N": {"posts_window": "ids", "posts_before": "inclusive"},
    "50 posts up to N": {"posts_window": "rows", "posts_before": "inclusive"},
    "50 posts below N": {"posts_window": "rows", "posts_before": "exclusive"},
    "50 regular posts up to N": {
        "posts_window": "rows", "posts_before": "inclusive", "posts_regular_only": True,
        "counts_small_actions": False,
    },
    "50 regular posts below N": {
        "posts_window": "rows", "posts_before": "exclusive", "posts_regular_only": True,
        "counts_small_actions": False,
    },
}  # fmt: skip


@pytest.fixture
def speak() -> Iterator[Speak]:
    """Starts a forum of 2021 that differs in what is given."""
    started: list[DiscourseServer] = []

    def start(**differences: Any) -> DiscourseServer:
        server = DiscourseServer(dialect=replace(DIALECTS["2021"], **differences))
        server.__enter__()
        started.append(server)
        DiscourseSite(server)
        return server

    yield start
    for server in started:
        server.__exit__(None, None, None)


def gaps(server: DiscourseServer) -> None:
    """Numbers that nobody sees: private posts, deleted ones, and some that were never given."""
    for n in range(60):
        server.clock.advance(5)
        server.as_user("boss").message("adminuser", f"A message with the number {n}", TEXT)
    made = topics(server, 2, replies=40)
    for post in list(server.forum.posts_of(made[0]))[3:30]:
        server.as_user("boss").delete(post)
    server.forum.ids.seen("post", max(server.forum.posts) + 130)


@pytest.mark.parametrize("window", WINDOWS)
def test_every_post_comes_once_whatever_the_window_and_the_gaps(speak: Speak, window: str) -> None:
    server = speak(**WINDOWS[window])
    topics(server, 3, replies=30)
    gaps(server)
    topics(server, 2, replies=60)
    before, mirror = len(server.requests), MemoryMirror(connect(server))
    given = Counter(r.id for b in mirror.sync() for r in b.records if isinstance(r, Contribution))
    topics_seen = {t.id for t in server.forum.topics.values() if not t.private}
    true = {
        str(p.id)
        for p in server.forum.posts.values()
        if p.topic_id in topics_seen and p.deleted_at is None and p.post_type == 1
    }
    assert set(mirror.of(Contribution)) == true
    in_full_pass = [n for n in given.values() if n > 2]  # once in the pass, once on the newest page after it
    assert in_full_pass == []
    asked_for = [e for e in server.requests[before:] if e.path == "/posts.json"]
    pages = max(server.forum.posts) / 50 if window.startswith("50 ids") else len(true) / 50 + 1
    assert len(asked_for) <= math.ceil(pages) + 4


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("count", [1, 49, 50, 51, 120])
def test_new_posts_are_neither_lost_nor_asked_for_twice(speak: Speak, window: str, count: int) -> None:
    server = speak(**WINDOWS[window])
    topic = topics(server, 3, replies=5)[0]
    mirror = mirrored(connect(server))
    for n in range(count):
        server.clock.advance(5)
        anna(server).reply(topic, f"{TEXT} Number {n}.")
    requests = asked(server, mirror)
    assert len(mirror.of(Contribution)) == 18 + count
    assert len(requests) == len(set(requests))
    assert sum(r.startswith("/posts.json") for r in requests) <= math.ceil(count / 50) + 2


@pytest.mark.parametrize(("per_page", "count", "pages"), [(False, 65, 3), (True, 65, 1), (True, 130, 2)])
def test_lists_are_read_by_as_many_rows_as_the_forum_gives(
    speak: Speak, per_page: bool, count: int, pages: int
) -> None:
    server = speak(per_page=per_page)
    topics(server, count)
    before = len(server.requests)
    mirror = mirrored(connect(server))
    assert len(mirror.of(Thread)) == count
    scans = [e for e in server.requests[before:] if e.path == "/latest.json" and "order=created" in e.query]
    assert len(scans) == pages


@pytest.mark.parametrize(("per_page", "count"), [(False, 30), (False, 60), (True, 100)])
def test_a_list_whose_last_page_is_full_ends_all_the_same(speak: Speak, per_page: bool, count: int) -> None:
    server = speak(per_page=per_page)
    topics(server, count)
    assert len(mirrored(connect(server)).of(Thread)) == count


@pytest.mark.parametrize("objects", [False, True])
def test_tags_are_names_in_whatever_form_they_come(speak: Speak, objects: bool) -> None:
    server = speak(tag_objects=objects)
    tagged, private = topics(server, 2)
    for topic, tag in ((tagged, "wax"), (private, "secret")):
        server.forum.tag(tag)
        server.as_user("boss").tag(topic, tag)
    mirror = mirrored(connect(server, exclude=Exclude(labels=["Secret"])))
    assert {t.id: t.labels for t in mirror.of(Thread).values()} == {str(tagged.id): frozenset({"wax"})}  # type: ignore[union-attr]


@pytest.mark.parametrize("past", ["404", "301"])
def test_a_long_topic_is_read_by_ids_and_never_past_the_end(speak: Speak, past: str) -> None:
    server = speak(page_past_end=past)
    topic = topics(server, 1, replies=85)[0]
    for post in list(server.forum.posts_of(topic))[60:]:  # numbers go on where no posts are
        server.as_user("boss").delete(post)
    before = len(server.requests)
    batch = connect(server).fetch(Ref("forum", Kind.THREAD, str(topic.id)))
    assert batch is not None
    assert sum(isinstance(record, Contribution) for record in batch.records) == 60
    assert not any("page=" in e.query for e in server.requests[before:] if e.path.startswith("/t/"))
    assert all(e.status == 200 for e in server.requests[before:])


@pytest.mark.parametrize("pages", [None, 10])
def test_members_beyond_the_end_of_the_directory_are_read(speak: Speak, pages: int | None) -> None:
    server = speak(directory_pages=pages)
    for n in range(620):
        server.forum.new_user(f"one{n}")
    before = len(server.requests)
    mirror = mirrored(connect(server))
    assert len(mirror.of(Member)) == len(server.forum.users)
    assert not any("directory" in e.path for e in server.requests[before:])


def test_reading_everything_counts_no_view_where_reads_of_topics_count(speak: Speak) -> None:
    server = speak(counts_json_views=True)
    topics(server, 5, replies=30)
    mirror = mirrored(connect(server))
    server.clock.advance(timedelta(days=1, minutes=1))
    mirror.sync()
    assert {topic.views for topic in server.forum.topics.values()} == {0}


@pytest.mark.parametrize("header", [False, True])
def test_the_limit_of_the_forum_is_kept_to_with_and_without_its_header(speak: Speak, header: bool) -> None:
    server = speak(error_code_header=header, wait_time_left=header)
    server.forum.settings.max_admin_api_reqs_per_minute = 4
    topics(server, 3)
    connector = connect(server)
    mirror = mirrored(connector)
    assert len(mirror.of(Thread)) == 3
    assert connector.statistics()["waited"] > 0
