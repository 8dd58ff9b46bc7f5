"""A small wiki with people and pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.connectors.mediawiki.prepared import People, Prepared
from tests.connectors.mediawiki.site import open_connectors
from tests.servers.mediawiki.client import Client
from tests.servers.mediawiki.wiki import Wiki


@pytest.fixture(autouse=True)
def _close_connectors() -> Iterator[None]:
    yield
    while open_connectors:
        open_connectors.pop().close()


@pytest.fixture(scope="package")
def prepared_content() -> Iterator[Prepared]:
    with Prepared(_fill) as prepared:
        yield prepared


@pytest.fixture
def people(mediawiki: Wiki, prepared_content: Prepared) -> People:
    """Alice and Bob, signed in, on the wiki that `content` describes."""
    return prepared_content.restore(mediawiki)


@pytest.fixture
def content(mediawiki: Wiki, people: People) -> Wiki:
    """Pages with histories, categories by text and by template, a talk page, a redirect, and an edit by
    nobody known."""
    return mediawiki


def _fill(wiki: Wiki, sign_in: Callable[[str, str], Client]) -> People:
    people: People = {}
    for name in ("Alice", "Bob"):
        wiki.create_account(name, f"{name}-password-1").close()
        people[name] = sign_in(name, f"{name}-password-1")
    alice, bob = people["Alice"], people["Bob"]
    wiki.admin().edit("Template:Stub", "stub[[Category:Stubs]]")
    alice.edit("Tents", "All about tents. [[Category:Camping]] {{Stub}}")
    bob.edit("Tents", "More about tents. [[Category:Camping]] [[Category:Gear]] {{Stub}}", minor=True)
    alice.edit("Talk:Tents", "== Hello ==\nIs this right?")
    bob.edit("User:Bob", "I am Bob. Ünïcödé")
    bob.edit("Project:Rules", "Be kind.")
    alice.edit("Old name", "#REDIRECT [[Tents]]")
    wiki.client().post(action="edit", title="Tents/Notes", text="By nobody known.")
    wiki.run_jobs()
    return people
