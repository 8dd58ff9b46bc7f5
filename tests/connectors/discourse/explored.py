"""A forum with the query of Data Explorer, number 7, open to administrators and to the group `readers`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ordito.config.durations import Duration
from ordito.connectors.discourse.query import QUERY
from tests.connectors.adapter import MemoryMirror
from tests.connectors.discourse.site import DiscourseSite, connect, mirrored
from tests.servers.discourse import DiscourseServer
from tests.servers.discourse.explorer import StoredQuery

RUN = "/admin/plugins/explorer/queries/7/run.json"
SELDOM = Duration(300, "day")
"""Between two sweeps: what a sync sees, it sees by the query."""


@contextmanager
def explored(dialect: str) -> Iterator[DiscourseServer]:
    with DiscourseServer(dialect=dialect) as server:
        DiscourseSite(server)
        server.forum.settings.data_explorer_enabled = True
        server.forum.queries[7] = StoredQuery(7, QUERY, groups={"readers"})
        yield server


def by_query(server: DiscourseServer) -> MemoryMirror:
    """Read once, ten minutes ago."""
    mirror = mirrored(connect(server, data_explorer=7, sweep=SELDOM))
    server.clock.advance(600)
    return mirror
