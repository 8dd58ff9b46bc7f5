"""A sync of a forum under every fault: it gets over what passes, tells what lasts, and then completes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.connectors.discourse.scenes import topics
from tests.connectors.discourse.site import DiscourseSite
from tests.servers.discourse import DiscourseServer
from tests.servers.proxy import Proxy
from tests.servers.proxy.shapes import FORUM, NETWORK, Shape
from tests.sync.faulty import be_impatient
from tests.sync.reading_forum import source
from tests.sync.striking_a_sync import Scene, assert_one_costs_one_request, assert_told_and_completed

SHAPES = [pytest.param(shape, id=shape.name) for shape in (*NETWORK, *FORUM)]


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
        folder = tmp_path_factory.mktemp("forum")
        yield Scene(
            proxy, folder, server.clock, lambda world: source(server, world, url=proxy.url)
        ).undisturbed()


@pytest.fixture
def disturbed(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """The same for one test. A client's time-out is the only thing here that takes real time."""
    be_impatient(monkeypatch, 0.7)
    yield scene.elsewhere(tmp_path)
    scene.proxy.clear()


@pytest.mark.parametrize("shape", SHAPES)
def test_a_fault_that_lasts_is_told_and_the_next_sync_completes_in_spite_of_single_ones(
    disturbed: Scene, shape: Shape
) -> None:
    assert_told_and_completed(disturbed, shape)


def test_a_single_fault_anywhere_costs_a_first_sync_one_request(disturbed: Scene) -> None:
    assert_one_costs_one_request(disturbed)
