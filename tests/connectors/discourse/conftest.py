"""Forums of the stand-in, by the dialect that they speak. A module may have a `server` of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connectors.discourse.site import DiscourseSite
from tests.servers.discourse import DiscourseServer


@pytest.fixture(params=["2021", "2022", "2023", "2026"])
def server(request: pytest.FixtureRequest) -> Iterator[DiscourseServer]:
    """An empty forum, in every dialect that differs for readers."""
    with DiscourseServer(dialect=request.param) as server:
        DiscourseSite(server)
        yield server


@pytest.fixture
def old() -> Iterator[DiscourseServer]:
    with DiscourseServer(dialect="2021") as server:
        DiscourseSite(server)
        yield server


@pytest.fixture
def new() -> Iterator[DiscourseServer]:
    with DiscourseServer(dialect="2026") as server:
        DiscourseSite(server)
        yield server
