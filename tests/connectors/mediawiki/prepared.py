"""A state of the test wiki that is made once for each server, with people who stay signed in.

Sessions are part of a wiki's state, so whoever was signed in when the snapshot was made still is after
putting it back; signing in again for every test would take most of the time.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, field

from tests.servers.mediawiki.client import Client
from tests.servers.mediawiki.wiki import Snapshot, Wiki

People = dict[str, Client]


@dataclass
class Prepared:
    """`make` fills the wiki and returns who is signed in; use it in a `with` statement."""

    make: Callable[[Wiki, Callable[[str, str], Client]], People]
    _made: dict[str, tuple[Snapshot, People]] = field(default_factory=dict)
    _open: ExitStack = field(default_factory=ExitStack)

    def restore(self, wiki: Wiki) -> People:
        """Put the state back, made first if need be."""
        key = str(wiki.folder)
        if key not in self._made:
            people = self.make(wiki, lambda name, password: self._sign_in(wiki, name, password))
            self._made[key] = wiki.snapshot(), people
        snapshot, people = self._made[key]
        wiki.restore(snapshot)
        return people

    def _sign_in(self, wiki: Wiki, name: str, password: str) -> Client:
        client = self._open.enter_context(closing(Client(wiki.api_url)))
        client.login(name, password)
        client.post(action="purge", titles="Main Page")  # so that it holds its token
        return client

    def __enter__(self) -> Prepared:
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()
