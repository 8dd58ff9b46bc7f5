"""A sync of a forum that is cut off costs hardly more than one that is not, and ends with the same store."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from ordito.config.model import Exclude
from ordito.sync.store.store import Store
from tests.connectors.discourse.scenes import TEXT, anna, topics
from tests.connectors.discourse.site import DiscourseSite
from tests.servers.discourse import DiscourseServer
from tests.sync.reading_forum import cut_off, sync_forum
from tests.sync.truth import dump

A_FEW = 6
"""Requests: what was under way, who we are, what the forum consists of, and the three of a quiet run."""
PLACES = int(os.environ.get("ORDITO_EXAMPLES", "3"))


@pytest.fixture(params=["2021", "2023", "2026"])
def server(request: pytest.FixtureRequest) -> Iterator[DiscourseServer]:
    """A forum in which every page of posts has accepted answers and topics that are excluded."""
    with DiscourseServer(dialect=request.param) as server:
        DiscourseSite(server)
        server.forum.settings.solved_enabled = True
        server.forum.tag("private")
        boss = server.as_user("boss")
        for number, topic in enumerate(topics(server, 150, replies=3)):
            if number % 2:
                boss.accept(list(server.forum.posts_of(topic))[2])
            if number % 7 == 0:
                boss.tag(topic, "private")
        yield server


@pytest.fixture
def stores(tmp_path: Path, open_store: Callable[[str], Store]) -> Callable[[str], Store]:
    return lambda name: open_store(f"sqlite:///{tmp_path}/{name}.db")


def costs(store: Store, server: DiscourseServer) -> int:
    """The requests of a sync, which may end early."""
    return sync_forum(store, server, exclude=Exclude(labels=["private"])).requests


def places(most: int) -> list[int]:
    every = range(1, most)
    return sorted(Random(most).sample(every, min(PLACES, len(every))))


def test_a_cut_first_sync_costs_a_few_requests_more(
    server: DiscourseServer, stores: Callable[[str], Store]
) -> None:
    whole = stores("whole")
    needed = costs(whole, server)
    for place in places(needed):
        pieces = stores(f"pieces-{place}")
        cut_off(server, place)
        spent = costs(pieces, server) + costs(pieces, server)
        assert not server.faults.waiting
        assert dump(pieces) == dump(whole)
        assert spent <= needed + A_FEW, f"cut after {place} of {needed} requests"


def test_a_cut_sync_after_a_long_pause_costs_a_few_requests_more(
    server: DiscourseServer, stores: Callable[[str], Store], tmp_path: Path
) -> None:
    before = stores("before")
    costs(before, server)
    before.close()
    people = anna(server)
    for number, topic in enumerate(list(server.forum.topics.values())):
        server.clock.advance(timedelta(minutes=1))
        if not topic.private and number % 3:
            people.reply(topic, f"{TEXT} Number {number} of those that came later.")
    again = _copies(tmp_path, stores)
    whole = again("whole")
    needed = costs(whole, server)
    for place in places(needed):
        pieces = again(f"pieces-{place}")
        cut_off(server, place)
        spent = costs(pieces, server) + costs(pieces, server)
        assert dump(pieces) == dump(whole)
        assert spent <= needed + A_FEW, f"cut after {place} of {needed} requests"


def _copies(folder: Path, stores: Callable[[str], Store]) -> Callable[[str], Store]:
    def copy(name: str) -> Store:
        (folder / f"{name}.db").write_bytes((folder / "before.db").read_bytes())
        return stores(name)

    return copy
