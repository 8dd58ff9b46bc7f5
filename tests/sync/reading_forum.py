"""Syncs of a stand-in forum into a real store, with a world in which waiting takes no time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ordito.connectors.base import World
from ordito.connectors.discourse.connector import DiscourseConnector
from ordito.sync.mirror import SiteReport, Source, sync_sites
from ordito.sync.progress import Silence
from ordito.sync.store.store import Store
from tests.connectors.discourse.site import account, settings
from tests.servers.discourse import DiscourseServer

FOR_LONG = {"Retry-After": "30000"}
"""Longer than a run waits: it ends at once."""


@dataclass
class Patience:
    """A clock on the wall that stands still, and a stop-watch that only waiting moves."""

    now: datetime
    waited: list[float] = field(default_factory=list)

    def world(self) -> World:
        return World(
            now=lambda: self.now, monotonic=lambda: sum(self.waited), sleep=self.waited.append
        )


def source(server: DiscourseServer, world: World, **more: Any) -> Source:
    """The forum as a sync takes it; `url` leads there by another way."""
    account(server)
    chosen = settings(server, **more)
    return Source(
        site="forum",
        family="forum",
        settings=chosen,
        connect=lambda: DiscourseConnector("forum", chosen, world),
    )


def sync_forum(store: Store, server: DiscourseServer, **more: Any) -> SiteReport:
    """One sync at the forum's own time."""
    world = Patience(server.clock()).world()
    (report,) = sync_sites(store, {"forum": source(server, world, **more)}, world, Silence())
    return report


def cut_off(server: DiscourseServer, after: int) -> None:
    """Let so many requests pass, and none after them in that sync."""
    server.faults.answer("", status=429, headers=FOR_LONG, spare=after)
