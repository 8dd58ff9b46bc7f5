"""How pages stand to which something is to be done, on a real MediaWiki."""

from __future__ import annotations

import pytest

from ordito.connectors.base import Standing
from ordito.connectors.mediawiki import standing
from tests.connectors.mediawiki.site import connect, page_id
from tests.servers.mediawiki.client import Client
from tests.servers.mediawiki.wiki import Wiki


@pytest.fixture
def linked(content: Wiki, people: dict[str, Client]) -> Wiki:
    """Tents is linked by two pages, a redirect, a talk page and a user page; Project:Rules by nobody."""
    alice = people["Alice"]
    for title in ("Poles", "Project:Gear", "Talk:Poles", "User:Alice"):
        alice.edit(title, "See [[Tents]].")
    content.run_jobs()
    return content


def test_links_of_readers_pages_are_counted_in_one_request(linked: Wiki) -> None:
    connector = connect(linked)
    tents, rules = page_id(linked, "Tents"), page_id(linked, "Rules", 4)
    connector.standing([tents], 1)  # signs in
    before = connector.statistics()["requests"]
    assert connector.standing([tents, rules, "999999"], 3) == {
        tents: Standing(2, editable=True), rules: Standing(0, editable=True)
    }  # fmt: skip
    assert connector.statistics()["requests"] == before + 1


def test_protected_pages_are_known_beforehand(linked: Wiki) -> None:
    linked.admin().post(action="protect", title="Tents", protections="edit=sysop", expiry="never")
    tents = page_id(linked, "Tents")
    assert connect(linked).standing([tents], 0) == {tents: Standing(0, editable=False)}


def test_pages_with_very_many_links_are_asked_for_one_by_one(
    linked: Wiki, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "_FEW", 1)
    monkeypatch.setattr(standing, "_ROWS", 1)
    tents, rules = page_id(linked, "Tents"), page_id(linked, "Rules", 4)
    connector = connect(linked)
    connector.standing([tents], 1)
    before = connector.statistics()["requests"]
    assert connector.standing([tents, rules], 2) == {
        tents: Standing(2, editable=True), rules: Standing(0, editable=True)
    }  # fmt: skip
    assert connector.statistics()["requests"] == before + 3
