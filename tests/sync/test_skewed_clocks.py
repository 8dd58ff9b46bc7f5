"""A site whose clock is some minutes off: what changes there is seen all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ordito.config.durations import Duration
from ordito.sync.mirror import Source, sync_sites
from ordito.sync.progress import Silence
from ordito.sync.store.store import Store
from tests.connectors.adapter import seen
from tests.connectors.discourse.scenes import TEXT, anna, topics
from tests.connectors.discourse.site import DiscourseSite
from tests.servers.discourse import DiscourseServer
from tests.servers.mediawiki.wiki import Wiki
from tests.servers.proxy import Proxy
from tests.sync import reading_forum, reading_wiki
from tests.sync.reading_forum import Patience
from tests.sync.truth import held

SKEWS = [timedelta(minutes=minutes) for minutes in (-7, 7)]
Open = Callable[[str], Store]


@pytest.fixture(params=SKEWS, ids=["behind", "ahead"])
def skew(request: pytest.FixtureRequest) -> timedelta:
    found: timedelta = request.param
    return found


@pytest.fixture
def stores(tmp_path: Path, open_store: Open) -> Open:
    return lambda name: open_store(f"sqlite:///{tmp_path}/{name}.db")


def sync(store: Store, source: Source, patience: Patience) -> None:
    (report,) = sync_sites(store, {source.site: source}, patience.world(), Silence())
    assert report.error is None


def assert_same(one: Store, other: Store) -> None:
    """Both hold the same of what is not deleted."""
    for kind in ("members", "threads", "contributions"):
        ours, theirs = (getattr(held(store), kind) for store in (one, other))
        assert {id: seen(item) for id, item in ours.items()} == {id: seen(i) for id, i in theirs.items()}


@pytest.fixture(params=["2021", "2026"])
def server(request: pytest.FixtureRequest) -> Iterator[DiscourseServer]:
    with DiscourseServer(dialect=request.param) as server:
        DiscourseSite(server)
        yield server


def test_changes_on_a_forum_whose_clock_is_off(
    server: DiscourseServer, stores: Open, skew: timedelta
) -> None:
    store, patience = stores("kept"), Patience(server.clock())

    def pass_time(**time: float) -> None:
        server.clock.advance(timedelta(**time))
        patience.now = server.clock()

    with Proxy(server.url, skew=skew) as proxy:
        source = reading_forum.source(server, patience.world(), url=proxy.url, sweep=Duration(1, "day"))
        first, second, third = topics(server, 3, replies=3)
        sync(store, source, patience)
        for topic in (first, second):  # just before, at, and just after the moments of the syncs
            anna(server).reply(topic, f"{TEXT} Said between two syncs, {topic.id}.")
            sync(store, source, patience)
            pass_time(seconds=30)
        server.as_user("boss").edit(list(server.forum.posts_of(third))[1], f"{TEXT} Changed by staff.")
        server.forum.new_user("late", trust_level=1)
        sync(store, source, patience)
        pass_time(days=1, minutes=1)
        server.as_user("boss").close(third)
        server.as_user("boss").delete(list(server.forum.posts_of(first))[1])
        sync(store, source, patience)
        fresh = stores("fresh")
        sync(fresh, source, patience)
    assert_same(store, fresh)


def test_changes_on_a_wiki_whose_clock_is_off(mediawiki: Wiki, stores: Open, skew: timedelta) -> None:
    store, patience = stores("kept"), Patience(datetime.now(UTC))
    admin = mediawiki.admin()
    with Proxy(mediawiki.url, skew=skew) as proxy:
        source = reading_wiki.source(mediawiki, patience.world(), url=f"{proxy.url}/api.php")
        admin.edit("Tents", "All about tents.")
        admin.edit("Maps", "All about maps.")
        sync(store, source, patience)
        for step in range(2):
            admin.edit("Tents", f"More about tents, {step}.")
            sync(store, source, patience)
        admin.post(action="move", **{"from": "Maps"}, to="Project:Maps", noredirect=True)
        mediawiki.create_account("Late", "late-password-1").close()
        sync(store, source, patience)
        admin.post(action="delete", title="Tents")
        sync(store, source, patience)
        fresh = stores("fresh")
        sync(fresh, source, patience)
    assert_same(store, fresh)
