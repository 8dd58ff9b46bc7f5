"""The store on both databases: a test that takes `store` runs once on each."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ordito.sync.store.store import Store
from tests.servers.postgres import Cluster

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store that does not exist yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/ordito.db"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def open_store() -> Iterator[Callable[[str], Store]]:
    """Opens stores, and closes them after the test."""
    opened: list[Store] = []

    def open_(url: str) -> Store:
        opened.append(Store.open(url, now=NOW))
        return opened[-1]

    yield open_
    for store in opened:
        store.close()


@pytest.fixture(scope="session")
def empty_postgres_store(postgres: Cluster) -> str:
    """The name of a database with the tables and nothing in them, to be copied."""
    name = postgres.create_database()
    Store.open(postgres.url(name), now=NOW).close()
    return name


@pytest.fixture
def copied_postgres_url(postgres: Cluster, empty_postgres_store: str) -> Iterator[str]:
    """A PostgreSQL store that goes with the test."""
    name = postgres.create_database(empty_postgres_store)
    yield postgres.url(name)
    postgres.drop_database(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path, open_store: Callable[[str], Store]) -> Store:
    """An open store with nothing in it."""
    if request.param == "sqlite":
        return open_store(f"sqlite:///{tmp_path}/ordito.db")
    return open_store(request.getfixturevalue("copied_postgres_url"))
