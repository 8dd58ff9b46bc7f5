"""A PostgreSQL cluster that lives as long as the tests: fresh databases for those that want one."""

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

PACKAGE = "postgresql"
_SUPERUSER = "ordito"
_PATIENCE = 120.0
"""Seconds for what takes one or two on an idle machine; tests may share two processors with much else."""
# The shell reads from a pipe whose other end the tests hold. When that closes, in whatever way they ended, it
# stops the server (SIGINT: at once, clients or not) and removes the cluster.
# Nothing but the tests connects to a database (autovacuum would, and a template must be nobody's); nothing is
# kept in /dev/shm, of which containers have little.
_GUARD = f"""
"$1/initdb" -D "$2/data" -U {_SUPERUSER} -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$2/log" 2>&1 || exit
"$1/postgres" -D "$2/data" -k "$2" -c listen_addresses= -c max_connections=100 -c shared_buffers=32MB \\
    -c autovacuum=off -c dynamic_shared_memory_type=mmap \\
    -c fsync=off -c synchronous_commit=off -c full_page_writes=off </dev/null >"$2/log" 2>&1 &
read -r _
kill -INT $!
wait $!
rm -rf "$2"
"""


@cache
def binaries() -> Path | None:
    """The folder with `initdb` and `postgres`, of the newest version; None if PostgreSQL is not installed."""
    candidates = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True
    )
    if pg_config := shutil.which("pg_config"):
        told = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=True)
        candidates.append(Path(told.stdout.strip()))
    if on_path := shutil.which("postgres"):
        candidates.append(Path(on_path).resolve().parent)
    complete = (path for path in candidates if (path / "initdb").exists() and (path / "postgres").exists())
    return next(complete, None)


class Cluster:
    """A running server that listens on a socket in its own folder only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)

    def url(self, database: str) -> str:
        """The URL of one database, as it would stand in the settings."""
        return f"postgresql://{_SUPERUSER}@/{database}?host={self._folder}"

    def create_database(self, template: str = "template0") -> str:
        """A new database with what `template` holds, to which nobody may be connected; its name."""
        name = f"test_{next(self._numbers)}"
        self._execute(
            sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template))
        )
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever is still connected."""
        self._execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))

    def _execute(self, statement: sql.Composed) -> None:
        """The server waits five seconds for a connection that was just closed to be gone, and under load that
        is too short now and then."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
                    connection.execute(statement)
                return
            except psycopg.errors.ObjectInUse:
                if time.monotonic() > deadline:
                    raise


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """Make a cluster, serve it, and leave nothing of it. Raises RuntimeError with its log if it fails to."""
    programs = binaries()
    if programs is None:
        raise RuntimeError("PostgreSQL is not installed")
    owner = _owner()
    # Not below pytest's own folder, which only its owner may enter: PostgreSQL refuses to run as root.
    folder = Path(tempfile.mkdtemp(prefix="ordito-postgres-"))
    os.chown(folder, owner.pw_uid, owner.pw_gid)
    try:
        with subprocess.Popen(
            ["sh", "-c", _GUARD, "sh", programs, folder],
            stdin=subprocess.PIPE,
            cwd="/",
            start_new_session=True,
            user=owner.pw_uid,
            group=owner.pw_gid,
            extra_groups=[] if os.geteuid() == 0 else None,
        ) as guard:
            _wait_until_ready(folder, guard)
            yield Cluster(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """One cluster for each test process; skips the test where PostgreSQL is not installed."""
    if binaries() is None:
        pytest.skip(f"PostgreSQL is not installed; apt-get install --no-install-recommends {PACKAGE}")
    with running_cluster() as cluster:
        yield cluster


@pytest.fixture
def postgres_url(postgres: Cluster) -> Iterator[str]:
    """The URL of an empty database that goes with the test."""
    name = postgres.create_database()
    yield postgres.url(name)
    postgres.drop_database(name)


def _owner() -> pwd.struct_passwd:
    """Who runs the server: ourselves, or for root the account that Debian's package makes for it."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def _state(folder: Path) -> list[str]:
    """What postmaster.pid says. `initdb` makes such a file as well, and removes it at any moment."""
    try:
        return (folder / "data" / "postmaster.pid").read_text().split()
    except FileNotFoundError:
        return []


def _wait_until_ready(folder: Path, guard: subprocess.Popen[bytes]) -> None:
    """The last line of postmaster.pid says `ready` once connections are accepted."""
    deadline = time.monotonic() + _PATIENCE
    while _state(folder)[-1:] != ["ready"]:
        if guard.poll() is not None or time.monotonic() > deadline:
            log = folder / "log"
            raise RuntimeError(f"PostgreSQL did not start: {log.read_text() if log.exists() else 'no log'}")
        time.sleep(0.01)
