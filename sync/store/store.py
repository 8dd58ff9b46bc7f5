"""The database: opening it, transactions, and its errors as people can read them."""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, insert, make_url, select, text
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError

from ...config.errors import StoreError
from .migrations import HEAD
from .tables import meta
from .upgrade import keep_copy, revision_of, upgrade

_BUSY_SECONDS = 30
_CACHE_KIBIBYTES = 32 * 1024  # each of the file and of temporary tables
_CHECKPOINT_PAGES = 8192  # 32 MiB: a page that many batches touch is written to the file once
_ADVISORY_LOCK = 0x0D170  # of writers on PostgreSQL; any number that no other program takes


@dataclass(frozen=True)
class Store:
    """An open store. Use `write` for every transaction that changes something, `read` for the others.

    `installation` is a short random name of this store (`[a-z0-9]+`), `secret` the key of digests and of
    holdouts; both are made with the store and never change.
    """

    url: URL
    engine: Engine
    installation: str = field(default="")
    secret: bytes = field(default=b"", repr=False)

    @classmethod
    def open(cls, url: str, *, now: datetime) -> Store:
        """Open the store at `url` (`sqlite:///FILE` or `postgresql://…`), made or upgraded if need be.

        The old SQLite file is kept beside it on an upgrade. Raises StoreError.
        """
        parsed = _parse(url)
        with _readable_errors(parsed):
            engine = _sqlite(parsed) if parsed.drivername == "sqlite" else _postgresql(parsed)
            store = cls(parsed, engine)
            try:
                store._bring_up_to_date(now)
                with store.read() as connection:
                    rows = {key: value for key, value in connection.execute(select(meta.c.key, meta.c.value))}
            except BaseException:
                engine.dispose()
                raise
        return cls(parsed, engine, rows["installation"], bytes.fromhex(rows["secret"]))

    @property
    def is_postgres(self) -> bool:
        return self.engine.dialect.name == "postgresql"

    @contextmanager
    def read(self, *, scratch: bool = False) -> Iterator[Connection]:
        """A transaction that sees one state of the store and changes nothing. Raises StoreError.

        `scratch`: temporary tables may be made in it, which PostgreSQL counts as writing.
        """
        with _readable_errors(self.url), self.engine.connect() as connection:
            if self.is_postgres:
                connection = connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=not scratch
                )
            with connection.begin():
                yield connection

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[Connection]:
        """A transaction that is committed at the end, or rolled back by any error. Writers take turns.

        Not `durable`: a power failure (not the end of the process) may undo the last transactions, in order
        and whole, for what can be read again from its platform. Never hold a transaction while a platform
        is asked something. Raises StoreError.
        """
        with _readable_errors(self.url), self.engine.connect() as connection:
            connection = connection.execution_options(ordito_writes="durably" if durable else "quickly")
            with connection.begin():
                if self.is_postgres:
                    if not durable:
                        connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
                    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
                yield connection

    @contextmanager
    def apart(self) -> Iterator[Connection]:
        """A transaction on a few rows of their own, which waits for no writer; for PostgreSQL only.

        What it changes may be lost in a power failure. Raises StoreError.
        """
        with _readable_errors(self.url), self.engine.begin() as connection:
            connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
            yield connection

    def analyse(self) -> None:
        """Let the database count what it holds, or it joins large tables in the wrong order.

        To be called when a sync has read much: it takes a second for a million contributions. Not from a
        sample, by which SQLite takes all rows of a site to be a thousand. Raises StoreError.
        """
        with self.write(durable=False) as connection:
            connection.exec_driver_sql("ANALYZE")

    def scrub(self) -> None:
        """Leave nothing of what was deleted in SQLite's write-ahead log. Raises StoreError."""
        if self.is_postgres:
            return
        with _readable_errors(self.url):
            connection = self.engine.raw_connection()  # a checkpoint cannot be part of a transaction
            try:
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                connection.close()

    def close(self) -> None:
        self.engine.dispose()

    def _bring_up_to_date(self, now: datetime) -> None:
        with self.read() as connection:
            revision = revision_of(connection)
        if revision == HEAD:
            return
        with self.write() as connection:
            upgrade(connection, keep=self._keep)
            if connection.scalar(select(meta.c.key).limit(1)) is None:
                values = {
                    "installation": secrets.token_hex(4),
                    "secret": secrets.token_hex(32),
                    "made_at": now.isoformat(),
                }
                rows = [{"key": key, "value": value} for key, value in values.items()]
                connection.execute(insert(meta), rows)
        if revision is not None:
            self.analyse()  # of an index that is new or was made anew it knows nothing yet

    def _keep(self, revision: str) -> None:
        if not self.is_postgres:
            keep_copy(Path(self.url.database or ""), revision)


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StoreError(f"'store' is not a URL: {url}", hint=_URL_HINT) from error
    backend = parsed.get_backend_name()
    if backend == "sqlite" and parsed.database not in (None, "", ":memory:"):
        return parsed.set(drivername="sqlite")
    if backend in ("postgresql", "postgres") and parsed.database:
        return parsed.set(drivername="postgresql+psycopg")
    raise StoreError(f"'store' cannot be {parsed.render_as_string()}", hint=_URL_HINT)


_URL_HINT = "Write sqlite:///ordito.db or postgresql://USER@HOST/DATABASE."


def _sqlite(url: URL) -> Engine:
    path = Path(url.database or "")
    try:
        # SQLite gives its files the rights of the umask, and -wal and -shm those of the main file.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StoreError(
            f"The store {path} cannot be opened for writing: {error.strerror}.",
            hint="Mend the rights of the file and its folder, or name another 'store' in the settings.",
        ) from error
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": _BUSY_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # the driver begins no transactions of its own; _begin_sqlite does
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")  # a text that was removed must not stay in the file
    for part in ("main", "temp"):
        connection.execute(f"PRAGMA {part}.cache_size = -{_CACHE_KIBIBYTES}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("ordito_writes")
    if writes:
        connection.exec_driver_sql(f"PRAGMA synchronous = {'FULL' if writes == 'durably' else 'NORMAL'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _postgresql(url: URL) -> Engine:
    return create_engine(url, hide_parameters=True, pool_pre_ping=True)


@contextmanager
def _readable_errors(url: URL) -> Iterator[None]:
    """What goes wrong outside the program becomes one line; faults of our own SQL stay as they are."""
    try:
        yield
    except OperationalError as error:
        raise _readable(url, error) from error
    except DatabaseError as error:
        if type(error.orig) is not sqlite3.DatabaseError:
            raise
        raise _readable(url, error) from error


def _readable(url: URL, error: DatabaseError) -> StoreError:
    said = " ".join(str(error.orig).split())
    hint = "See whether the file is whole and can be written, and the disk has room."
    if url.get_backend_name() == "postgresql":
        hint = "See whether the server runs, and whether the URL and the account are right."
    for words, better in _HINTS.items():
        if words in said:
            hint = better
    name = url.database if url.get_backend_name() == "sqlite" else url.render_as_string()
    end = "" if said.endswith((".", "?", "!")) else "."
    return StoreError(f"The store {name} failed: {said}{end}", hint=hint)


_HINTS = {
    "locked": "Another program writes to it for long; try again when that has ended.",
    "not a database": "Name another file as 'store' in the settings, or put a backup in its place.",
    "malformed": "Put a backup in its place, or remove it and run 'ordito sync' again.",
}
