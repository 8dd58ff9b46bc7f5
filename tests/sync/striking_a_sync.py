"""What the tests of both servers do who strike a sync with every fault: it gets over what passes, tells what
lasts, and then completes."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from random import Random

from ordito.connectors.base import World
from ordito.sync.mirror import Source
from ordito.sync.store.store import Store
from ordito.sync.syncing import Synced
from tests.servers.proxy import Proxy
from tests.servers.proxy.shapes import NETWORK, Shape
from tests.sync.faulty import assert_told, report_of, sync_both
from tests.sync.reading_forum import Patience
from tests.sync.truth import dump

PLACES = int(os.environ.get("ORDITO_EXAMPLES", "1"))
"""At how many places of a first sync each fault strikes."""

A_FEW = 8
"""Requests that being stopped may cost: who we are and what the site is, asked once more, and what was under
way."""


@dataclass
class Scene:
    """A site behind a proxy, and what an undisturbed sync makes of it. `source`: the way to it through the
    proxy; `now`: its time."""

    proxy: Proxy
    folder: Path
    now: Callable[[], datetime]
    source: Callable[[World], Source]
    site: str = ""
    expected: object = None
    needed: int = 0

    def store(self, name: str) -> Store:
        return Store.open(f"sqlite:///{self.folder}/{name}.db", now=self.now())

    def sync(self, store: Store) -> Synced:
        world = Patience(self.now()).world()
        source = self.source(world)
        self.site = source.site
        return sync_both(store, source, world)

    def undisturbed(self) -> Scene:
        """With what a sync makes of it that nothing strikes."""
        store = self.store("undisturbed")
        done = self.sync(store)
        assert done.exit_code == 0, report_of(done, self.site).error
        self.expected, self.needed = dump(store), report_of(done, self.site).requests
        store.close()
        return self

    def elsewhere(self, folder: Path) -> Scene:
        """The same with stores in another folder."""
        return replace(self, folder=folder)


def assert_told_and_completed(scene: Scene, shape: Shape) -> None:
    """Lasting, it ends the sync and is told; the next sync completes, also where single ones strike it."""
    chance = Random(shape.name)
    for number in range(1 if shape.slow else PLACES):
        place = chance.randrange(1, scene.needed)
        store = scene.store(f"store{number}")
        lasting = scene.proxy.add(shape.fault(times=None, spare=place))
        first = scene.sync(store)
        assert lasting.struck >= 1
        assert_told(first, scene.site, shape)
        scene.proxy.clear()
        if shape.passing:
            single = scene.proxy.add(shape.fault(times=1 if shape.slow else None, spare=2, one_in=4))
        second = scene.sync(store)
        assert second.exit_code == 0, report_of(second, scene.site).error
        assert not shape.passing or single.struck
        assert dump(store) == scene.expected, f"struck from request {place} on"
        scene.proxy.clear()
        spent = sum(report_of(synced, scene.site).requests for synced in (first, second)) - lasting.struck
        assert shape.passing or spent <= scene.needed + A_FEW, f"struck from request {place} on"
        store.close()


def assert_one_costs_one_request(scene: Scene) -> None:
    """A single fault, at three places of a first sync."""
    broken = next(shape for shape in NETWORK if shape.name == "bad gateway")
    for place in Random(4).sample(range(scene.needed), 3):
        store = scene.store(f"store{place}")
        scene.proxy.add(broken.fault(spare=place))
        synced = scene.sync(store)
        assert synced.exit_code == 0
        report = report_of(synced, scene.site)
        assert (report.requests, report.retries) == (scene.needed + 1, 1)
        assert dump(store) == scene.expected
        store.close()
