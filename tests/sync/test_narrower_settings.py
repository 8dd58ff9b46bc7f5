"""Settings of a forum that leave out more than before: the mirror becomes as one that was read with them, and
the forum is asked for nothing but its news. Settings that leave out less read everything again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import ColumnElement, select

from ordito.config.model import Exclude
from ordito.connectors.records import Kind
from ordito.sync.store.checkpoints import Checkpoint
from ordito.sync.store.store import Store
from ordito.sync.store.tables import contributions, members, texts, threads
from tests.connectors.adapter import seen
from tests.connectors.discourse.scenes import anna, topics
from tests.connectors.discourse.site import DiscourseSite
from tests.servers.discourse import DiscourseServer
from tests.sync.reading_forum import cut_off, sync_forum
from tests.sync.truth import held

WIDE: dict[str, Any] = {"messages": True, "exclude": Exclude(labels=["private"])}
"""The settings that everything is read with at first."""

NARROWER: dict[str, dict[str, Any]] = {
    "a category": {**WIDE, "exclude": Exclude(labels=["private"], spaces=["Elsewhere"])},
    "a tag": {**WIDE, "exclude": Exclude(labels=["private", "sundry"])},
    "a member": {**WIDE, "exclude": Exclude(labels=["private"], members=["Bruno"])},
    "texts": {**WIDE, "text": False},
    "private messages": {**WIDE, "messages": False},
    "everything before a day": {**WIDE, "since": date(2027, 1, 1)},
    "much": {
        "exclude": Exclude(labels=["sundry", "private"], spaces=["Elsewhere"], members=["bruno"]),
        "text": False,
    },
}
WIDER: dict[str, dict[str, Any]] = {
    "a tag": {**WIDE, "exclude": Exclude()},
    "a tag, beside less": {**WIDE, "exclude": Exclude(members=["bruno"]), "text": False},
}


@pytest.fixture(params=["2021", "2026"])
def server(request: pytest.FixtureRequest) -> Iterator[DiscourseServer]:
    """Anna and Bruno write in two categories, under tags, and to each other."""
    with DiscourseServer(dialect=request.param) as server:
        site = DiscourseSite(server)
        boss, forum = server.as_user("boss"), server.forum
        bruno = server.as_user(forum.new_user("Bruno", trust_level=2))
        for tag in ("private", "sundry"):
            forum.tag(tag)
        old = topics(server, 40, replies=1)
        server.clock.advance(timedelta(days=900))
        for number, topic in enumerate([*old, *topics(server, 40, replies=1)]):
            if number >= len(old) and number % 3 == 0:
                bruno.reply(topic, f"Bruno knows more than that about the topic number {number}.")
            if number % 5 == 0:
                boss.move(topic, int(site.other_space))
            if number % 7 in (0, 1):
                boss.tag(topic, "private" if number % 7 else "sundry")
        anna(server).message(["Bruno"], "A word between the two of us", "Nobody else has to read this here.")
        yield server


@pytest.fixture
def stores(tmp_path: Path, open_store: Callable[[str], Store]) -> Callable[[str], Store]:
    return lambda name: open_store(f"sqlite:///{tmp_path}/{name}.db")


def news(server: DiscourseServer) -> None:
    server.clock.advance(timedelta(hours=1))
    topic = max(server.forum.topics) - 1
    for user in ("anna", "Bruno"):
        server.as_user(user).reply(topic, f"{user} has news here.")


def same(store: Store, fresh: Store) -> None:
    """The mirror is as one that was read with these settings from the start; what lies before `since` may
    still be there."""
    ours, theirs = held(store), held(fresh)
    early = {id for id, item in ours.contributions.items() if id not in theirs.contributions}
    assert all(ours.contributions[id].created_at.year < 2027 for id in early)
    assert ours.threads.keys() - theirs.threads.keys() <= {ours.contributions[id].thread for id in early}
    for kind in ("members", "threads", "contributions"):
        mine, others = getattr(ours, kind), getattr(theirs, kind)
        assert {id: seen(mine[id]) for id in others} == {id: seen(item) for id, item in others.items()}


@pytest.mark.parametrize("what", NARROWER)
def test_leaving_out_more_asks_for_nothing_but_the_news(
    server: DiscourseServer, stores: Callable[[str], Store], what: str
) -> None:
    store, usual = stores("store"), stores("usual")
    for each in (store, usual):
        sync_forum(each, server, **WIDE)
    news(server)
    quiet = sync_forum(usual, server, **WIDE).requests
    report = sync_forum(store, server, **NARROWER[what])
    assert report.error is None
    assert not report.estimates
    assert report.counts.deleted == 0
    assert report.requests <= quiet + 1  # which categories there are
    fresh = stores("fresh")
    sync_forum(fresh, server, **NARROWER[what])
    assert held(fresh) != held(usual)
    same(store, fresh)
    server.clock.advance(timedelta(days=2))  # and a sweep
    news(server)
    for each in (store, fresh):
        sync_forum(each, server, **NARROWER[what])
    same(store, fresh)


@pytest.mark.parametrize("what", NARROWER)
def test_how_much_is_removed_is_told(
    server: DiscourseServer, stores: Callable[[str], Store], what: str
) -> None:
    store = stores("store")
    sync_forum(store, server, **WIDE)
    before, written = ids(store), ids_of(store, texts.c.contribution)
    assert not any(sync_forum(store, server, **WIDE).removed.values())
    removed = sync_forum(store, server, **NARROWER[what]).removed
    after = ids(store)
    left = written & after[Kind.CONTRIBUTION] if "text" in NARROWER[what] else set()
    expected = {kind: len(before[kind] - after[kind]) for kind in before} | {"text": len(left)}
    assert +removed == +Counter(expected)
    assert bool(+removed) == (what != "everything before a day")
    assert not any(sync_forum(store, server, **NARROWER[what]).removed.values())


def ids(store: Store) -> dict[Kind, set[str]]:
    tables = {Kind.MEMBER: members, Kind.THREAD: threads, Kind.CONTRIBUTION: contributions}
    return {kind: ids_of(store, table.c.id) for kind, table in tables.items()}


def ids_of(store: Store, column: ColumnElement[str]) -> set[str]:
    with store.read() as connection:
        return set(connection.scalars(select(column)))


@pytest.mark.parametrize("place", [10, 14])
def test_a_first_sync_that_was_stopped_goes_on_with_less(
    server: DiscourseServer, stores: Callable[[str], Store], place: int
) -> None:
    store, fresh = stores("store"), stores("fresh")
    cut_off(server, place)
    assert sync_forum(store, server, **WIDE).error is not None
    needed = sync_forum(fresh, server, **NARROWER["much"]).requests
    before = ids(store)
    report = sync_forum(store, server, **NARROWER["much"])
    assert report.error is None
    assert report.requests < needed
    after = ids(store)
    assert report.counts.threads == len(after[Kind.THREAD] - before[Kind.THREAD])
    assert report.counts.contributions == len(after[Kind.CONTRIBUTION] - before[Kind.CONTRIBUTION])
    assert report.removed[Kind.CONTRIBUTION] == len(before[Kind.CONTRIBUTION] - after[Kind.CONTRIBUTION])
    same(store, fresh)


@pytest.mark.parametrize("settings", WIDER.values(), ids=WIDER)
def test_leaving_out_less_reads_everything_and_says_so_before(
    server: DiscourseServer, stores: Callable[[str], Store], settings: dict[str, Any]
) -> None:
    store, fresh = stores("store"), stores("fresh")
    sync_forum(store, server, **WIDE)
    report = sync_forum(store, server, **settings)
    assert [estimate.what for estimate in report.estimates] == [
        "the settings leave out less than before, so everything is read again"
    ]
    sync_forum(fresh, server, **settings)
    same(store, fresh)


@pytest.mark.parametrize("what", NARROWER)
def test_what_was_left_out_for_a_while_is_read_again(
    server: DiscourseServer, stores: Callable[[str], Store], what: str
) -> None:
    store, fresh = stores("store"), stores("fresh")
    sync_forum(store, server, **WIDE)
    sync_forum(store, server, **NARROWER[what])
    assert sync_forum(store, server, **WIDE).estimates
    sync_forum(fresh, server, **WIDE)
    same(store, fresh)


def test_a_mirror_of_a_version_that_did_not_note_its_bounds_goes_on(
    server: DiscourseServer, stores: Callable[[str], Store]
) -> None:
    store = stores("store")
    sync_forum(store, server, **WIDE)
    with store.write() as connection:
        checkpoint = Checkpoint.load(connection, "forum")
        assert checkpoint is not None
        assert checkpoint.cursor is not None
        cursor = {key: value for key, value in checkpoint.cursor.items() if key != "bounds"}
        replace(checkpoint, cursor=cursor).save(connection)
    assert not sync_forum(store, server, **WIDE).estimates
    assert not sync_forum(store, server, **NARROWER["a member"]).estimates


def test_the_names_of_what_is_left_out_are_not_kept(
    server: DiscourseServer, stores: Callable[[str], Store]
) -> None:
    store = stores("store")
    sync_forum(store, server, **NARROWER["much"])
    with store.read() as connection:
        checkpoint = Checkpoint.load(connection, "forum")
    assert checkpoint is not None
    written = str(checkpoint.cursor).casefold()
    assert not [name for name in ("elsewhere", "bruno", "sundry", "private'") if name in written]
