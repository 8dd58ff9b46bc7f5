"""What a wiki sees of our edits: whose they are, why, how to stop them, and in which lists they stand."""

from __future__ import annotations

import pytest

from ordito.connectors.actions import AddToGroup, EditText, MoveThread
from tests.connectors.mediawiki.doings import PAGES, UNDO, VERBS, message, texts
from tests.connectors.mediawiki.site import MARKER, SITE, connect, page_id, user_id
from tests.servers.mediawiki.wiki import Wiki

NOTICED = frozenset({"message", "reply", "notice"})
"""Meant to be noticed: neither minor, nor hidden from recent changes as a bot's."""


def flags(wiki: Wiki, title: str) -> tuple[bool, bool]:
    """Whether the newest edit of a page stands in recent changes as a bot's, and as minor."""
    newest = wiki.admin().revisions(title)[0]["revid"]
    ((bot, minor),) = wiki.rows(
        "select rc_bot, rc_minor from recentchanges where rc_this_oldid = ?", newest
    )
    return bool(bot), bool(minor)


@pytest.mark.parametrize("verb", VERBS)
def test_what_is_meant_to_be_noticed_is_no_bots_edit_and_the_rest_is(content: Wiki, verb: str) -> None:
    connect(content).perform(texts(content)[verb], MARKER)
    assert flags(content, PAGES.get(verb, "Tents")) == (verb not in NOTICED, False)


@pytest.mark.parametrize("minor", [True, False])
def test_an_edit_is_minor_where_its_policy_says_so(content: Wiki, minor: bool) -> None:
    seen = content.admin().text("Tents")
    edit = EditText(site=SITE, title="Tents", text="New.", expected=seen, minor=minor)
    connect(content).perform(edit, MARKER)
    assert flags(content, "Tents") == (True, minor)


def test_a_message_is_withdrawn_quietly_where_the_account_may(content: Wiki) -> None:
    """Minor edits by accounts with `nominornewtalk` do not call people to their talk page."""
    connector = connect(content)
    connector.undo(connector.perform(message(content), MARKER), UNDO)
    newest = content.admin().revisions("User talk:Alice")[0]
    assert newest["minor"] is ("nominornewtalk" in connector.client.wiki.rights)


@pytest.mark.parametrize("verb", [*VERBS, "move", "group"])
def test_every_summary_names_the_policy_and_links_the_stop_page(content: Wiki, verb: str) -> None:
    connector = connect(content)
    if verb == "group":
        content.maintenance("createAndPromote.php", "--force", "--sysop", "--bot", "Ordito")
        content.switch(wgAddGroups={"sysop": ["interface-admin"]})
        connector.perform(
            AddToGroup(site=SITE, member=user_id(content, "Alice"), group="interface-admin"), MARKER
        )
    elif verb == "move":
        connector.perform(MoveThread(site=SITE, thread=page_id(content, "Tents"), title="Shelters"), MARKER)
    else:
        connector.perform(texts(content)[verb], MARKER)
    reader = content.admin()
    if verb in ("move", "group"):
        kind = {"move": "move", "group": "rights"}[verb]
        said = reader.everything("logevents", letype=kind, leuser="Ordito", leprop=["comment"])[0]["comment"]
    else:
        said = reader.revisions(PAGES.get(verb, "Tents"))[0]["comment"]
    shown = reader.send(action="parse", summary=said, prop="", contentmodel="wikitext")["parse"]
    assert "Policy welcome" in said and said.endswith(f"(ordito {MARKER.token})")
    assert "Project:Ordito/Stop" in shown["parsedsummary"]
    assert 'href="/index.php?title=Project:Ordito/Stop' in shown["parsedsummary"], "a link, not only its name"
