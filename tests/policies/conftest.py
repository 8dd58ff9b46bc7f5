"""The store on both databases, as the tests of `sync` have it."""

from tests.sync.conftest import copied_postgres_url, empty_postgres_store, open_store, store

__all__ = ["copied_postgres_url", "empty_postgres_store", "open_store", "store"]
