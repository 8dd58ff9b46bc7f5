"""A sync that follows a forum by the query of Data Explorer, under every fault of that query: it gets over
what passes, asks the lists or tells what lasts, and the next one has everything."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from ordito.connectors.discourse import explorer
from ordito.connectors.discourse.query import QUERY
from ordito.sync.store.store import Store
from ordito.sync.syncing import Synced
from tests.connectors.discourse.scenes import TEXT, anna, topics
from tests.connectors.discourse.site import DiscourseSite
from tests.servers.discourse import DiscourseServer
from tests.servers.discourse.explorer import StoredQuery
from tests.servers.proxy import Proxy
from tests.servers.proxy.shapes import FORUM, NETWORK, Shape
from tests.sync.faulty import assert_told, be_impatient, report_of, sync_both
from tests.sync.reading_forum import Patience, source
from tests.sync.truth import dump

SHAPES = [pytest.param(shape, id=shape.name) for shape in (*NETWORK, *FORUM)]
RUN = r"queries/7/run"
PAGE = 40
"""Rows of an answer, so that there are several."""
ITS_OWN = {
    "not logged in": ("misconfigured", "query 7 of Data Explorer cannot be run"),
    "a key that is not accepted": ("misconfigured", "query 7 of Data Explorer cannot be run"),
    "a key that got lost": ("sign-in-failed", "did not see the API key"),
}
"""What is said where only the query is refused and the key holds good for all else."""


@dataclass
class Scene:
    """A forum before and after something happened there. `before`: a mirror of then; `after`: what a sync of
    now makes of it, `whole`: what a first one does."""

    server: DiscourseServer
    proxy: Proxy
    folder: Path
    before: Path
    after: object = None
    whole: object = None
    needed: int = 0

    def store(self, name: str = "", *, followed: bool = True) -> Store:
        path = self.folder / f"{name or 'store'}.db"
        if followed:
            shutil.copy(self.before, path)
        return Store.open(f"sqlite:///{path}", now=self.server.clock())

    def sync(self, store: Store) -> Synced:
        world = Patience(self.server.clock()).world()
        return sync_both(store, source(self.server, world, url=self.proxy.url, data_explorer=7), world)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("forum")
    with (
        pytest.MonkeyPatch.context() as patch,
        DiscourseServer(dialect="2026") as server,
        Proxy(server.url) as proxy,
    ):
        patch.setattr(explorer, "ROWS", PAGE)
        DiscourseSite(server)
        server.forum.settings.data_explorer_enabled = True
        server.forum.queries[7] = StoredQuery(7, QUERY)
        made = topics(server, 40, replies=2)
        scene = Scene(server, proxy, folder, folder / "before.db")
        store = scene.store("before", followed=False)
        assert scene.sync(store).exit_code == 0
        store.close()
        server.clock.advance(timedelta(hours=6))
        boss = server.as_user("boss")
        for number, topic in enumerate(made):
            server.clock.advance(60)
            first, second, third = server.forum.posts_of(topic)
            match number % 4:
                case 0:
                    boss.edit(second, f"{TEXT} Edited as number {number}.")
                case 1:
                    boss.like(third)
                case 2:
                    boss.delete(third)
                case _:
                    anna(server).reply(topic, f"{TEXT} Late answer {number}.")
        server.clock.advance(60)
        for name, followed in (("after", True), ("whole", False)):
            store = scene.store(name, followed=followed)
            done = scene.sync(store)
            assert done.exit_code == 0
            setattr(scene, name, dump(store))
            store.close()
        scene.needed = report_of(done, "forum").requests
        yield scene


@pytest.fixture
def disturbed(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    be_impatient(monkeypatch, 0.7)
    yield Scene(
        scene.server, scene.proxy, tmp_path, scene.before, scene.after, scene.whole, scene.needed
    )
    scene.proxy.clear()


@pytest.mark.parametrize("shape", SHAPES)
def test_no_change_is_lost_over_a_fault_of_the_query(disturbed: Scene, shape: Shape) -> None:
    store = disturbed.store()
    lasting = disturbed.proxy.add(shape.fault(pattern=RUN, times=None, spare=1))
    first = disturbed.sync(store)
    assert lasting.struck
    if first.exit_code:
        kind, words = ITS_OWN.get(shape.name, (shape.lasting, shape.words))
        assert_told(first, "forum", replace(shape, lasting=kind, words=words))
    disturbed.proxy.clear()
    if shape.passing:
        disturbed.proxy.add(shape.fault(pattern=RUN, times=1 if shape.slow else None, one_in=2))
    second = disturbed.sync(store)
    assert second.exit_code == 0, report_of(second, "forum").error
    disturbed.proxy.clear()
    assert disturbed.sync(store).exit_code == 0
    assert dump(store) == disturbed.after
    store.close()


@pytest.mark.parametrize("shape", SHAPES if "ORDITO_EXAMPLES" in os.environ else SHAPES[::3])
def test_a_first_reading_by_the_query_ends_true_over_a_fault_of_it(disturbed: Scene, shape: Shape) -> None:
    if shape.slow:
        pytest.skip("a client's time-out takes real time; the other test has it")
    store = disturbed.store(followed=False)
    disturbed.proxy.add(shape.fault(pattern=RUN, times=None, spare=1))
    first = disturbed.sync(store)
    disturbed.proxy.clear()
    assert first.exit_code in (0, 3)
    assert disturbed.sync(store).exit_code == 0
    assert dump(store) == disturbed.whole
    store.close()
