"""A sync of a real wiki under every fault: it gets over what passes, tells what lasts, and then completes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.servers.mediawiki.history import Edit, History, Person
from tests.servers.mediawiki.seed import seed
from tests.servers.mediawiki.template import Template
from tests.servers.mediawiki.wiki import Wiki
from tests.servers.proxy import Proxy
from tests.servers.proxy.shapes import NETWORK, WIKI, Shape
from tests.sync.faulty import be_impatient
from tests.sync.reading_wiki import source
from tests.sync.striking_a_sync import Scene, assert_one_costs_one_request, assert_told_and_completed
from tests.sync.truth import dump

SHAPES = [pytest.param(shape, id=shape.name) for shape in (*NETWORK, *WIKI)]


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
def wiki(mediawiki_template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wiki]:
    with Wiki(mediawiki_template, tmp_path_factory.mktemp("faults") / "wiki") as wiki:
        seed(wiki.folder / "wiki.sqlite", _history(datetime.now(UTC)))
        yield wiki


@pytest.fixture(scope="module")
def scene(wiki: Wiki, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    now, folder = datetime.now(UTC), tmp_path_factory.mktemp("stores")
    with Proxy(wiki.url) as proxy:
        yield Scene(
            proxy, folder, lambda: now, lambda world: source(wiki, world, url=f"{proxy.url}/api.php")
        ).undisturbed()


@pytest.fixture
def disturbed(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """The same for one test. A client's time-out is the only thing here that takes real time."""
    be_impatient(monkeypatch, 1.0)
    yield scene.elsewhere(tmp_path)
    scene.proxy.clear()


@pytest.mark.parametrize("shape", SHAPES)
def test_a_fault_that_lasts_is_told_and_the_next_sync_completes_in_spite_of_single_ones(
    disturbed: Scene, shape: Shape
) -> None:
    assert_told_and_completed(disturbed, shape)


def test_a_single_fault_anywhere_costs_a_first_sync_one_request(disturbed: Scene) -> None:
    assert_one_costs_one_request(disturbed)


@pytest.mark.parametrize("place", [0, 3, 6])
def test_a_wiki_that_lets_nobody_sign_in_is_read_as_any_visitor_may(
    wiki: Wiki, disturbed: Scene, place: int
) -> None:
    store = disturbed.store("store")
    wiki.read_only()
    try:
        forgotten = next(shape for shape in WIKI if shape.name == "session forgotten")
        if place:
            disturbed.proxy.add(forgotten.fault(spare=place))
        synced = disturbed.sync(store)
    finally:
        wiki.writable()
    assert synced.exit_code == 0
    assert dump(store) == disturbed.expected
    store.close()
