"""The outbox's bench, made of an `App`: the run lock held, connectors at hand, what is fetched stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from ..connectors.base import Batch
from ..connectors.records import Ref
from ..connectors.registry import CONNECTORS
from .locks import Holder, RunLock, run_lock
from .mirror import Source, store_fetched
from .outbox import Bench, Proposal

if TYPE_CHECKING:
    from .context import App


@contextmanager
def workbench(app: App, command: str, deadline: datetime | None = None) -> Iterator[Bench]:
    """For a `with` block, hold the run lock and everything that apply and undo need.

    Nothing is begun after `deadline`. Raises LockHeld.
    """
    with run_lock(app.store, Holder.here(command, app.user), app.now) as lock:
        yield make_bench(app, lock, deadline)


def make_bench(app: App, lock: RunLock, deadline: datetime | None = None) -> Bench:
    """The bench of a run that holds its lock already."""
    settings = app.settings
    return Bench(
        store=app.store,
        world=app.world,
        lock=lock,
        connector=app.connector,
        ingest=_ingest(app),
        note=_note(app),
        say=app.out.note,
        in_flight=lambda site: CONNECTORS[settings.sites[site].connector].in_flight,
        undo_window=settings.constitution.undo_window,
        deadline=deadline,
    )


def _ingest(app: App) -> Callable[[Connection, str, Batch, datetime], None]:
    def ingest(conn: Connection, site: str, batch: Batch, now: datetime) -> None:
        source = Source(
            site=site,
            family=app.platform(site).family,
            settings=app.settings.sites[site],
            connect=lambda: app.connector(site),
        )
        store_fetched(app.store, source, conn, batch, now)

    return ingest


def _note(app: App) -> Callable[[Proposal], str]:
    """Names the policy and, where there is one, the page on which anybody stops it."""

    def note(proposal: Proposal) -> str:
        stop = app.settings.constitution.stop
        where = f"; to stop: {_link(Ref.parse(stop), proposal.site, app)}" if stop else ""
        return f"policy {proposal.policy}{where}"

    return note


def _link(stop: Ref, site: str, app: App) -> str:
    if stop.kind == "title" and stop.site == site:
        return f"[[{stop.id}]]"
    return app.platform(stop.site).url(stop)
