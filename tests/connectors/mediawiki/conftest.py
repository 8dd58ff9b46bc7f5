"""A small wiki with people and pages, made once for each server and put back for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connectors.mediawiki.site import open_connectors
from tests.servers.mediawiki.client import Client
from tests.servers.mediawiki.wiki import Snapshot, Wiki


@pytest.fixture(autouse=True)
def _close_connectors() -> Iterator[None]:
    yield
    while open_connectors:
        open_connectors.pop().close()


_NAMES = ("Alice", "Bob")
_made: dict[str, Snapshot] = {}


@pytest.fixture
def content(mediawiki: Wiki) -> Wiki:
    """Alice and Bob; pages with histories, categories by text and by template, a talk page, a redirect,
    and an edit by nobody known."""
    key = str(mediawiki.folder)
    if key not in _made:
        _fill(mediawiki)
        _made[key] = mediawiki.snapshot()
    mediawiki.restore(_made[key])
    return mediawiki


@pytest.fixture
def people(content: Wiki) -> dict[str, Client]:
    """Signed in."""
    return {name: content.client(name, _password(name)) for name in _NAMES}


def _password(name: str) -> str:
    return f"{name}-password-1"


def _fill(wiki: Wiki) -> None:
    alice, bob = (wiki.create_account(name, _password(name)) for name in _NAMES)
    wiki.admin().edit("Template:Stub", "stub[[Category:Stubs]]")
    alice.edit("Tents", "All about tents. [[Category:Camping]] {{Stub}}")
    bob.edit("Tents", "More about tents. [[Category:Camping]] [[Category:Gear]] {{Stub}}", minor=True)
    alice.edit("Talk:Tents", "== Hello ==\nIs this right?")
    bob.edit("User:Bob", "I am Bob. Ünïcödé")
    bob.edit("Project:Rules", "Be kind.")
    alice.edit("Old name", "#REDIRECT [[Tents]]")
    wiki.client().post(action="edit", title="Tents/Notes", text="By nobody known.")
    wiki.run_jobs()
