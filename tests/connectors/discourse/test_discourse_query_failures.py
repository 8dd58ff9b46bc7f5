"""What may become of the query of Data Explorer: the lists take its place, or one line says what to do; the
run after that has everything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from ordito.config.errors import Misconfigured
from ordito.config.model import Exclude
from ordito.connectors.discourse.query import QUERY
from ordito.connectors.records import Contribution
from tests.connectors.adapter import MemoryMirror
from tests.connectors.discourse.explored import RUN, SELDOM, by_query, explored
from tests.connectors.discourse.scenes import TEXT, anna, asked, topics
from tests.connectors.discourse.silent import answer, buried, held_post
from tests.connectors.discourse.site import connect, mirrored
from tests.servers.discourse import DiscourseServer
from tests.servers.discourse.explorer import StoredQuery
from tests.servers.discourse.records import Topic

REFUSED = '{"success": false, "errors": ["%s"]}'
JSON = {"Content-Type": "application/json; charset=utf-8"}


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


def _says(text: str) -> Callable[[DiscourseServer], object]:
    def trouble(server: DiscourseServer) -> object:
        return server.faults.answer(RUN, status=422, body=REFUSED % text, headers=JSON)

    return trouble


TROUBLES: dict[str, Callable[[DiscourseServer], object]] = {
    "it takes too long": lambda s: setattr(s.forum.settings, "data_explorer_times_out", True),
    "the forum is read-only": lambda s: setattr(s.forum.settings, "read_only", True),
    "a column has another name": _says("PG::UndefinedColumn: ERROR:  column p.raw does not exist"),
    "parameters are given otherwise": _says("DiscourseDataExplorer::ValidationError: Invalid JSON in params"),
    "only it fails": lambda s: s.faults.bad_gateway(RUN, method="POST", times=6, status=504),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_where_it_cannot_be_asked_the_lists_tell_and_the_next_run_catches_up(
    server: DiscourseServer, mirror: MemoryMirror, topic: Topic, trouble: str
) -> None:
    edited, said = answer(server, topic), anna(server).reply(topic, "A late answer to it all.")
    server.clock.advance(600)
    server.as_user("boss").edit(edited, f"{TEXT} Edited.")
    TROUBLES[trouble](server)
    paths = asked(server, mirror)
    assert paths[0] == RUN
    assert "/posts.json" in paths
    assert str(said.id) in mirror.of(Contribution)
    settings = server.forum.settings
    settings.data_explorer_times_out = settings.read_only = False
    mirror.sync()
    assert held_post(mirror, edited).text == edited.raw


def _without_columns(server: DiscourseServer) -> None:
    server.forum.queries[7].sql = QUERY.replace("  p.raw,\n", "")


LOST: dict[str, tuple[Callable[[DiscourseServer], object], str]] = {
    "removed": (lambda s: s.forum.queries.clear(), "cannot be run"),
    "the plugin turned off": (
        lambda s: setattr(s.forum.settings, "data_explorer_enabled", False), "cannot be run",
    ),
    "the right taken away": (lambda s: setattr(s.forum.user("ordito"), "admin", False), "cannot be run"),
    "columns missing": (_without_columns, "is not the one that is needed"),
}  # fmt: skip


@pytest.mark.parametrize("what", LOST)
def test_what_became_of_it_is_said_in_one_line_and_nothing_is_lost(
    server: DiscourseServer, mirror: MemoryMirror, topic: Topic, what: str
) -> None:
    happens, said = LOST[what]
    edited = answer(server, topic)
    server.as_user("boss").edit(edited, f"{TEXT} Edited.")
    happens(server)
    with pytest.raises(Misconfigured, match=said) as caught:
        mirror.sync()
    assert "`ordito check` shows the query" in caught.value.hint
    server.forum.settings.data_explorer_enabled = True
    server.forum.queries[7] = StoredQuery(7, QUERY)
    setattr(server.forum.user("ordito"), "admin", True)  # noqa: B010 (Optional, for mypy)
    mirror.sync()
    assert held_post(mirror, edited).text == edited.raw


def test_a_change_of_it_that_leaves_the_columns_is_noticed_by_the_next_sweep(
    server: DiscourseServer, mirror: MemoryMirror
) -> None:
    server.forum.queries[7].sql = QUERY.replace("action IN (2, 3)", "action IN (2)")
    mirror.sync()
    server.clock.advance(timedelta(days=301))
    with pytest.raises(Misconfigured, match="is not the one that is needed"):
        mirror.sync()
    server.forum.queries[7].sql = QUERY
    mirror.sync()


def test_a_first_reading_by_another_query_does_not_begin(server: DiscourseServer, topic: Topic) -> None:
    server.forum.queries[7].sql = QUERY.replace("LIMIT :rows", "LIMIT 20")
    with pytest.raises(Misconfigured, match="is not the one that is needed"):
        mirrored(connect(server, data_explorer=7))


def test_a_query_that_is_missing_or_another_one_is_a_fault_of_the_settings(server: DiscourseServer) -> None:
    server.forum.queries[8] = StoredQuery(8, "SELECT id FROM posts")
    for address, said in ((8, "not the one"), (9, "cannot be run"), ("nobody/7", "cannot be run")):
        with pytest.raises(Misconfigured, match=said):
            mirrored(connect(server, data_explorer=address))


def test_a_forum_that_gives_fewer_rows_than_asked_for_gives_them_all_in_the_end(
    server: DiscourseServer, topic: Topic
) -> None:
    settings = server.forum.settings
    settings.data_explorer_query_result_limit = settings.data_explorer_most_rows = 30
    whole = mirrored(connect(server))
    mirror = mirrored(connect(server, data_explorer=7, sweep=SELDOM))
    spoken = {i for i, c in whole.of(Contribution).items() if c.kind == "regular"}  # type: ignore[union-attr]
    assert spoken <= set(mirror.of(Contribution))
    server.clock.advance(600)
    edited = [post for post in server.forum.posts.values() if post.post_number == 1][:45]
    for post in edited:
        post.raw, post.updated_at = f"{TEXT} Edited.", server.clock()
    mirror.sync()
    assert all(held_post(mirror, post).text == post.raw for post in edited)


def test_a_first_reading_that_takes_the_query_too_long_is_done_by_the_lists(
    server: DiscourseServer, topic: Topic
) -> None:
    whole = mirrored(connect(server))
    server.forum.settings.data_explorer_times_out = True
    mirror = mirrored(connect(server, data_explorer=7))
    assert set(mirror.of(Contribution)) == set(whole.of(Contribution))


def test_an_excluded_member_who_writes_and_edits_costs_no_reading_of_the_topic(
    server: DiscourseServer,
) -> None:
    quiet = server.forum.new_user("quiet", trust_level=2)
    topic = topics(server, 1, replies=2)[0]
    mine = server.as_user(quiet).reply(topic, "Nobody shall know that I said this.")
    topics(server, 60)
    mirror = mirrored(connect(server, data_explorer=7, sweep=SELDOM, exclude=Exclude(members=["quiet"])))
    boss = server.as_user("boss")
    for happens in (
        lambda: boss.edit(mine, "Nobody shall know that I said this. Edited."),
        lambda: server.as_user(quiet).reply(topic, "Nor that I have said this here as well."),
        lambda: boss.like(mine),
        lambda: boss.delete(mine),
        lambda: boss.edit(answer(server, topic), f"{TEXT} Edited."),
    ):
        server.clock.advance(900)
        happens()
        requests = asked(server, mirror)
        assert len(requests) == 2, requests
    assert held_post(mirror, answer(server, topic)).text == f"{TEXT} Edited."
    assert str(mine.id) not in mirror.of(Contribution)
