"""A sync of a forum under every fault: it gets over what passes, tells what lasts, and then completes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from ordito.sync.store.store import Store
from ordito.sync.syncing import Synced
from tests.connectors.discourse.scenes import topics
from tests.connectors.discourse.site import DiscourseSite
from tests.servers.discourse import DiscourseServer
from tests.servers.proxy import Proxy
from tests.servers.proxy.shapes import FORUM, NETWORK, Shape
from tests.sync.faulty import assert_told, be_impatient, report_of, sync_both
from tests.sync.reading_forum import Patience, source
from tests.sync.truth import dump

SHAPES = [pytest.param(shape, id=shape.name) for shape in (*NETWORK, *FORUM)]
PLACES = int(os.environ.get("ORDITO_EXAMPLES", "1"))
A_FEW = 8
"""Requests: who we are and what the forum consists of, asked once more, and what was under way."""


@dataclass
class Scene:
    """A forum, and what an undisturbed sync makes of it."""

    server: DiscourseServer
    proxy: Proxy
    folder: Path
    expected: object = None
    needed: int = 0

    def store(self, name: str) -> Store:
        return Store.open(f"sqlite:///{self.folder}/{name}.db", now=self.server.clock())

    def sync(self, store: Store) -> Synced:
        world = Patience(self.server.clock()).world()
        return sync_both(store, source(self.server, world, url=self.proxy.url), world)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with DiscourseServer(dialect="2026") as server, Proxy(server.url) as proxy:
        DiscourseSite(server)
        server.forum.settings.solved_enabled = True
        boss = server.as_user("boss")
        for number, topic in enumerate(topics(server, 70, replies=1)):
            if number % 9 == 0:
                boss.accept(list(server.forum.posts_of(topic))[1])
            if number % 30 == 0:
                boss.set_state(topic, "visible", False)
        scene = Scene(server, proxy, tmp_path_factory.mktemp("forum"))
        store = scene.store("undisturbed")
        done = scene.sync(store)
        assert done.exit_code == 0
        scene.expected, scene.needed = dump(store), report_of(done, "forum").requests
        store.close()
        yield scene


@pytest.fixture
def disturbed(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """The same for one test. A client's time-out is the only thing here that takes real time."""
    be_impatient(monkeypatch, 0.7)
    yield Scene(scene.server, scene.proxy, tmp_path, scene.expected, scene.needed)
    scene.proxy.clear()


@pytest.mark.parametrize("shape", SHAPES)
def test_a_fault_that_lasts_is_told_and_the_next_sync_completes_in_spite_of_single_ones(
    disturbed: Scene, shape: Shape
) -> None:
    chance = Random(shape.name)
    for number in range(1 if shape.slow else PLACES):
        place = chance.randrange(1, disturbed.needed)
        store = disturbed.store(f"store{number}")
        lasting = disturbed.proxy.add(shape.fault(times=None, spare=place))
        first = disturbed.sync(store)
        assert lasting.struck >= 1
        assert_told(first, "forum", shape)
        disturbed.proxy.clear()
        if shape.passing:
            single = disturbed.proxy.add(shape.fault(times=1 if shape.slow else None, spare=2, one_in=4))
        second = disturbed.sync(store)
        assert second.exit_code == 0, report_of(second, "forum").error
        assert not shape.passing or single.struck
        assert dump(store) == disturbed.expected, f"struck from request {place} on"
        disturbed.proxy.clear()
        spent = sum(report_of(synced, "forum").requests for synced in (first, second)) - lasting.struck
        assert shape.passing or spent <= disturbed.needed + A_FEW, f"struck from request {place} on"
        store.close()


def test_a_single_fault_anywhere_costs_a_first_sync_one_request(disturbed: Scene) -> None:
    broken = next(shape for shape in NETWORK if shape.name == "bad gateway")
    for place in Random(4).sample(range(disturbed.needed), 3):
        store = disturbed.store(f"store{place}")
        disturbed.proxy.add(broken.fault(spare=place))
        synced = disturbed.sync(store)
        assert synced.exit_code == 0
        assert report_of(synced, "forum").requests == disturbed.needed + 1
        assert report_of(synced, "forum").retries == 1
        assert dump(store) == disturbed.expected
        store.close()
