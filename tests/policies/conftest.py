"""The store on both databases, as the tests of `sync` have it, and a community to try policies on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ordito.sync.store.store import Store
from tests.policies.town import NOW, Town
from tests.sync.conftest import copied_postgres_url, empty_postgres_store, open_store, store

__all__ = ["copied_postgres_url", "empty_postgres_store", "open_store", "store"]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A forum and a wiki with nobody but us, in a SQLite store."""
    opened = Store.open(f"sqlite:///{tmp_path}/ordito.db", now=NOW)
    yield Town(opened, tmp_path)
    opened.close()
