"""A sync of a real wiki under every fault: it gets over what passes, tells what lasts, and then completes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from ordito.sync.store.store import Store
from ordito.sync.syncing import Synced
from tests.servers.mediawiki.history import Edit, History, Person
from tests.servers.mediawiki.seed import seed
from tests.servers.mediawiki.template import Template
from tests.servers.mediawiki.wiki import Wiki
from tests.servers.proxy import Proxy
from tests.servers.proxy.shapes import NETWORK, WIKI, Shape
from tests.sync.faulty import assert_told, be_impatient, report_of, sync_both
from tests.sync.reading_forum import Patience
from tests.sync.reading_wiki import source
from tests.sync.truth import dump

SHAPES = [pytest.param(shape, id=shape.name) for shape in (*NETWORK, *WIKI)]
PLACES = int(os.environ.get("ORDITO_EXAMPLES", "1"))
A_FEW = 8
"""Requests: the two of signing in, what the wiki and our account are, and what was under way."""


@dataclass
class Scene:
    """A wiki, and what an undisturbed sync makes of it."""

    wiki: Wiki
    proxy: Proxy
    folder: Path
    now: datetime
    expected: object = None
    needed: int = 0

    def store(self, name: str) -> Store:
        return Store.open(f"sqlite:///{self.folder}/{name}.db", now=self.now)

    def sync(self, store: Store) -> Synced:
        world = Patience(self.now).world()
        return sync_both(store, source(self.wiki, world, url=f"{self.proxy.url}/api.php"), world)


def _history(now: datetime) -> History:
    """Three people who wrote twelve pages, each three times, an hour ago."""
    then = (now - timedelta(hours=1)).replace(microsecond=0)
    people = [Person(f"Member {number}", then) for number in range(3)]
    edits = [
        Edit(space, f"Page {number}", then + timedelta(seconds=step), f"Member {step}", f"Text {step}.")
        for step in range(3)
        for number in range(6)
        for space in (0, 1)
    ]
    return History(people, edits)


@pytest.fixture(scope="module")
def scene(mediawiki_template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder, now = tmp_path_factory.mktemp("faults"), datetime.now(UTC)
    with Wiki(mediawiki_template, folder / "wiki") as wiki, Proxy(wiki.url) as proxy:
        seed(wiki.folder / "wiki.sqlite", _history(now))
        scene = Scene(wiki, proxy, folder, now)
        store = scene.store("undisturbed")
        done = scene.sync(store)
        assert done.exit_code == 0, report_of(done, "wiki").error
        scene.expected, scene.needed = dump(store), report_of(done, "wiki").requests
        store.close()
        yield scene


@pytest.fixture
def disturbed(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """The same for one test. A client's time-out is the only thing here that takes real time."""
    be_impatient(monkeypatch, 1.0)
    yield Scene(scene.wiki, scene.proxy, tmp_path, scene.now, scene.expected, scene.needed)
    scene.proxy.clear()


@pytest.mark.parametrize("shape", SHAPES)
def test_a_fault_that_lasts_is_told_and_the_next_sync_completes_in_spite_of_single_ones(
    disturbed: Scene, shape: Shape
) -> None:
    chance = Random(shape.name)
    for number in range(1 if shape.slow else PLACES):
        store = disturbed.store(f"store{number}")
        place = chance.randrange(1, disturbed.needed)
        lasting = disturbed.proxy.add(shape.fault(times=None, spare=place))
        first = disturbed.sync(store)
        assert lasting.struck >= 1
        assert_told(first, "wiki", shape)
        disturbed.proxy.clear()
        if shape.passing:
            single = disturbed.proxy.add(shape.fault(times=1 if shape.slow else None, spare=2, one_in=4))
        second = disturbed.sync(store)
        assert second.exit_code == 0, report_of(second, "wiki").error
        assert not shape.passing or single.struck
        assert dump(store) == disturbed.expected, f"struck from request {place} on"
        disturbed.proxy.clear()
        spent = sum(report_of(synced, "wiki").requests for synced in (first, second)) - lasting.struck
        assert shape.passing or spent <= disturbed.needed + A_FEW, f"struck from request {place} on"
        store.close()


@pytest.mark.parametrize("place", [0, 3, 6])
def test_a_wiki_that_lets_nobody_sign_in_is_read_as_any_visitor_may(disturbed: Scene, place: int) -> None:
    store = disturbed.store("store")
    disturbed.wiki.read_only()
    try:
        forgotten = next(shape for shape in WIKI if shape.name == "session forgotten")
        if place:
            disturbed.proxy.add(forgotten.fault(spare=place))
        synced = disturbed.sync(store)
    finally:
        disturbed.wiki.writable()
    assert synced.exit_code == 0
    assert dump(store) == disturbed.expected
    store.close()
