"""One run at a time: a row in the store says who is at work, with a heartbeat while they are.

A lock is stale, and is taken over, when its process is gone (seen from the same machine) or when its
heartbeat has stopped for longer than `STALE`, whatever the machine. Whoever lost the lock notices before
the next action: `RunLock.ensure` is part of the transaction that writes an attempt.
"""

from __future__ import annotations

import os
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, delete, select, update
from sqlalchemy.exc import SQLAlchemyError

from ..config.errors import LockHeld, StoreError
from .inserts import insert_missing
from .store.tables import locks
from .store.times import micros, moment

if TYPE_CHECKING:
    from .store.store import Store

STALE = timedelta(minutes=5)
"""Longer than the clocks of two hosts differ and than any pause of a healthy process."""

BEAT = 20.0
"""Seconds between two heartbeats."""

_RUN = "run"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who is at work. `machine` tells apart what shares a host name but not its process ids."""

    command: str
    user: str
    host: str
    machine: str
    pid: int

    @classmethod
    def here(cls, command: str, user: str) -> Holder:
        """This process."""
        host = socket.gethostname()
        return cls(command, user, host, f"{host}/{_process_namespace()}", os.getpid())

    def __str__(self) -> str:
        return f"ordito {self.command} by {self.user} on {self.host} (process {self.pid})"


class RunLock:
    """The lock while it is held. `beat` is called by a thread; anybody else may call it as well."""

    def __init__(
        self, store: Store, token: str, now: Callable[[], datetime], killed_after: datetime | None = None
    ) -> None:
        """`killed_after`: where the lock was taken over, the last sign of life of whoever held it."""
        self._store = store
        self._token = token
        self._now = now
        self.killed_after = killed_after

    def beat(self) -> None:
        """Show that the holder is alive. Raises StoreError where the store cannot be written."""
        with self._store.write() as conn:
            conn.execute(self._mine(update(locks)).values(beat_at=micros(self._now())))

    def ensure(self, conn: Connection) -> None:
        """Raises LockHeld if somebody took the lock over, as they may when our heartbeat stopped.

        Inside a transaction, the lock stays ours until its end.
        """
        row = conn.execute(select(locks).where(locks.c.name == _RUN).with_for_update()).one_or_none()
        if row is None or row.token != self._token:
            raise LockHeld(
                "This run lost its lock" + (f" to {row.holder}." if row else "."),
                hint="It stopped before its next action; what it did is recorded.",
            )

    def release(self) -> None:
        with self._store.write() as conn:
            conn.execute(self._mine(delete(locks)))

    def _mine(self, statement: Any) -> Any:
        return statement.where(locks.c.name == _RUN, locks.c.token == self._token)


@contextmanager
def run_lock(
    store: Store, holder: Holder, now: Callable[[], datetime], beat_every: float = BEAT
) -> Iterator[RunLock]:
    """Hold the run's lock for a `with` block. Raises LockHeld, naming who holds it and since when.

    `now` is called for every heartbeat, `beat_every` seconds apart, by a thread: a request may take
    longer than a heartbeat.
    """
    token = f"{holder.machine}|{holder.pid}|{uuid.uuid4().hex}"
    with store.write() as conn:
        killed_after = _acquire(conn, holder, token, now())
    lock = RunLock(store, token, now, killed_after)
    done = threading.Event()
    beats = threading.Thread(target=_beat, args=(lock, done, beat_every), name="heartbeat", daemon=True)
    beats.start()
    try:
        yield lock
    finally:
        done.set()
        beats.join()
        with suppress(StoreError, SQLAlchemyError):  # a lock that cannot be given back turns stale
            lock.release()


def _beat(lock: RunLock, done: threading.Event, every: float) -> None:
    while not done.wait(every):
        with suppress(StoreError, SQLAlchemyError):  # the store is busy: the next beat comes soon
            lock.beat()


def _acquire(conn: Connection, holder: Holder, token: str, now: datetime) -> datetime | None:
    """The last heartbeat of the run whose lock was taken over; None if the lock was free."""
    mine = {
        "name": _RUN,
        "holder": str(holder),
        "token": token,
        "since": micros(now),
        "beat_at": micros(now),
    }
    if insert_missing(conn, locks, [mine]) == 1:
        return None
    held = conn.execute(select(locks).where(locks.c.name == _RUN).with_for_update()).one_or_none()
    if held is None:  # given back this very moment
        raise LockHeld("Another run is just ending.", hint="Try again.")
    if not _stale(held, holder, now):
        since = moment(held.since)
        raise LockHeld(
            f"Another run is at work: {held.holder}, since {since:%Y-%m-%d %H:%M} UTC.",
            hint="Wait until it has finished.",
        )
    conn.execute(update(locks).where(locks.c.name == _RUN, locks.c.token == held.token).values(**mine))
    last_beat: datetime = moment(held.beat_at)
    return last_beat


def _stale(held: Row[Any], holder: Holder, now: datetime) -> bool:
    if now - moment(held.beat_at) > STALE:
        return True
    machine, pid, _ = held.token.rsplit("|", 2)
    return machine == holder.machine and not _alive(int(pid))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # there is one, of another user
        return True
    return True


def _process_namespace() -> str:
    """Containers may share a host name and count their processes each for themselves."""
    link = Path("/proc/self/ns/pid")
    try:
        return str(link.readlink())
    except OSError:
        return ""
